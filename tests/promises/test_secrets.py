"""Nothing secret leaves by any channel: neither key, nor signature, nor credential, nor token, nor sound.

Runs that succeed and fail in every way that the demo Hub knows, over real HTTP; then every place is
searched where text or bytes can end up.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import io
import json
import logging
import os
import pickle
import re
import sys
import tempfile
import threading
import traceback
import warnings
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import cloudpickle
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import kataven_notebook as kn
from kataven_notebook import demo
from kataven_notebook.run.plan import Outcome, Plan, Task
from kataven_notebook.service import client, download, transfer
from kataven_notebook.service.answers import SignedUrl
from kataven_notebook.service.budget import Budget
from kataven_notebook.settings import Settings

NO_WINDOWS = kn.Limits(None, None, None, 20)
# Faults that would only make the test slow, scaled down.
OPTIONS = {
    "api:drip": {"bytes_per_s": 100.0}, "storage:drip": {"bytes_per_s": 100_000.0},
    "api:huge_json": {"size_bytes": 2_000_000}, "api:gzip_bomb": {"size_bytes": 5_000_000},
    "storage:gzip_bomb": {"size_bytes": 5_000_000}, "api:rate_limited": {"times": 1, "retry_after": "1"},
}  # fmt: skip
# These speak of the whole account and would end the run for all other sessions.
ACCOUNT_WIDE = ("api:unauthorized", "api:forbidden", "api:unconfigured")


class Channels:
    """What was found to leave, by the name of the way out."""

    def __init__(self) -> None:
        self.found: dict[str, list[bytes]] = {}

    def add(self, name: str, *things: object) -> None:
        """Keep bytes as they are, and anything else as text."""
        kept = self.found.setdefault(name, [])
        kept += [thing if isinstance(thing, bytes) else str(thing).encode("utf-8", "replace") for thing in things]

    def add_files(self, name: str, folder: Path, *, but: str = "") -> None:
        """Keep names and bytes of all files below a folder."""
        self.add(name, *(each.name for each in folder.rglob("*")))
        self.add(name, *(f.read_bytes() for f in folder.rglob("*") if f.is_file() and not (but and but in f.parts)))


class Kept(logging.Handler):
    """Formats every record as a file handler would, exceptions included."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def sound() -> bytes:
    """Half a second of noise, of which any 24 bytes are found nowhere else."""
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(11).normal(0, 0.2, (4_000, 2)), 8_000, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def service(sound):
    """A Hub that remembers every URL that it has signed."""
    with demo.hub(sessions={}, limits=NO_WINDOWS) as hub:
        signed: list[str] = []
        sign = hub._world.sign

        def remember(*args: object, **options: object) -> str:
            signed.append(sign(*args, **options))
            return signed[-1]

        hub._world.sign = remember
        hub.signed = signed
        for number in range(6):
            hub.add(f"good{number}", sound)
        hub.add("gone", state="missing")
        hub.add("later", state="pending")
        hub.add("broken", sound[:5_000])
        for name in demo.fault_names():
            hub.add(name.replace(":", "-"), sound)
        yield hub


def frame_of(*ids: str) -> pd.DataFrame:
    """A frame of sessions."""
    return pd.DataFrame({"session_id": pd.Series(ids, dtype=object)})


def break_everything(hub) -> list[str]:
    """Give each fault a session of its own, and return those sessions."""
    hub.faults.clear()
    for name in demo.fault_names():
        hub.faults.add(name.replace(":", "-"), name, **OPTIONS.get(name, {}))
    return [name.replace(":", "-") for name in demo.fault_names()]


def secrets_of(hub, *more: str) -> dict[str, bytes]:
    """All values that may not be seen, also as base64 and percent-encoded text would hold them."""
    plain = {"api key": hub.api_key, **{f"secret {number}": value for number, value in enumerate(more)}}
    for number, url in enumerate(hub.signed):
        query = parse_qs(urlsplit(url).query)
        plain[f"signature {number}"] = query["X-Amz-Signature"][0]
        plain[f"credential {number}"] = query["X-Amz-Credential"][0]
    encoded = {f"{name} in base64": base64.b64encode(value.encode()).decode()[:-4] for name, value in plain.items()}
    quoted = {f"{name} percent-encoded": value.replace("/", "%2F") for name, value in plain.items()}
    return {name: value.encode() for name, value in (plain | encoded | quoted).items()}


def sound_marks(sound: bytes) -> dict[str, bytes]:
    """Pieces of the sound as bytes, base64 and hexadecimal text."""
    marks = {}
    for at in (2_001, 8_001, 14_001):
        piece = sound[at : at + 24]
        marks[f"sound at {at}"] = piece
        marks[f"sound at {at} in hex"] = piece.hex().encode()
        marks[f"sound at {at} as a repr"] = repr(piece)[2:-1].encode()
        # Base64 of bytes that stand at any place of a longer text.
        marks |= {
            f"sound at {at} in base64 {skip}": base64.b64encode(piece[skip:])[: (len(piece) - skip) // 3 * 4 - 4]
            for skip in range(3)
        }
    return marks


def leaks(channels: Channels, forbidden: dict[str, bytes]) -> list[str]:
    """Say where something forbidden was found."""
    return [
        f"{channel}: {name}: ...{content[max(0, content.find(value) - 60) :][:160]!r}"
        for channel, contents in channels.found.items()
        for content in contents
        for name, value in forbidden.items()
        if value in content
    ]


def test_the_search_finds_what_is_there(service, sound) -> None:
    """Or the other tests would pass whatever leaks."""
    service.sign("good0")
    channels = Channels()
    channels.add("key", f"a {service.api_key} b")
    channels.add("url", repr(service.signed[-1]))
    channels.add("sound", json.dumps(base64.b64encode(sound).decode()))
    found = leaks(channels, secrets_of(service) | sound_marks(sound))
    assert {line.partition(":")[0] for line in found} == {"key", "url", "sound"}


def run_everything(hub, channels: Channels, folder: Path) -> None:
    """Every function, in success and in every failure; what comes out is kept."""
    settings = Settings(
        api_key=hub.api_key,
        base_url=hub.base_url,
        limits=NO_WINDOWS,
        request_timeout_s=0.25,
        state_dir=folder / "state",
    )
    broken = [each for each in break_everything(hub) if each.replace("-", ":", 1) not in ACCOUNT_WIDE]
    options = {"settings": settings, "max_bytes": 100_000}
    calls = frame_of("good0", "good1", "gone", "later", "broken", "..", *broken)
    heard = kn.audio(calls, store=folder / "store", progress=True, **options)
    assert heard["recording_status"].nunique() >= 7
    signed = kn.recordings(frame_of("good0", "gone", *broken), settings=settings, progress=False)
    measured = kn.metrics(heard.head(5), store=folder / "store", progress=False, settings=settings)
    kept = kn.audio(frame_of("good2"), progress=False, **options)
    for frame in (heard, kept, measured, signed.drop(columns="recording_url")):
        channels.add("error texts", *frame.filter(regex="_error$").stack())  # noqa: PD013 - a column of texts
        channels.add("reprs of frames", repr(frame), frame.to_string(), frame.to_html(), frame.to_csv())
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            channels.add("JSON of frames", frame.to_json())
    channels.add("pickles of frames", pickle.dumps(heard), pickle.dumps(measured), cloudpickle.dumps(heard["audio"][0]))
    channels.add(
        "summaries", kn.summary(heard), repr(kn.Store(folder / "store")), kn.Store(folder / "store").to_frame()
    )
    raise_everything(hub, channels, options, broken)
    show_objects(hub, settings, channels, kept["audio"][0], folder)
    export(channels, heard, folder)


def raise_everything(hub, channels: Channels, options: dict[str, object], broken: list[str]) -> None:
    """Let each failure come out as an exception, for one session after the other."""
    every = [*broken, *(each.replace(":", "-") for each in ACCOUNT_WIDE), "gone", "later", "broken", ".."]

    def attempt(session_id: str) -> None:
        try:
            kn.audio(frame_of(session_id), errors="raise", progress=False, **options)
        except Exception as error:  # noqa: BLE001 - they are what is looked at
            show_error(channels, error)

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(attempt, every))
    wrong: tuple[dict[str, object], ...] = (
        {"api_key": "sk_live_demo_0000wrong0000"}, {"api_key": hub.jwt(), "account_id": "other"},
        {"api_key": "sk_live_acme with space"}, {"base_url": "http://example.com/?key=" + hub.api_key},
        {"base_url": f"https://{hub.api_key}@example.com/"}, {"base_url": "http://127.0.0.1:1/v1"},
    )  # fmt: skip
    for changes in wrong:
        try:
            settings = Settings(**({"api_key": hub.api_key, "base_url": hub.base_url} | changes))
            kn.audio(frame_of("good0"), errors="raise", progress=False, settings=settings)
        except Exception as error:  # noqa: BLE001 - as above
            show_error(channels, error, with_own_frame=False)


def show_error(channels: Channels, error: BaseException | None, *, with_own_frame: bool = True) -> None:
    """Keep an exception as every tool would show it, and all that hangs on it."""
    assert isinstance(error, Exception)
    shown = traceback.TracebackException.from_exception(error, capture_locals=with_own_frame)
    channels.add("tracebacks with variables", *shown.format())
    channels.add("tracebacks", *traceback.format_exception(error))
    chain: list[BaseException] = [error]
    for each in chain:
        channels.add("exceptions", str(each), repr(each), each.args, getattr(each, "__notes__", ""), vars(each))
        chain += [other for other in (each.__cause__, each.__context__) if other is not None and other not in chain]
    with contextlib.suppress(TypeError, AttributeError, pickle.PicklingError):
        channels.add("pickles of exceptions", pickle.dumps(error))


def show_objects(hub, settings: Settings, channels: Channels, recording: kn.Recording, folder: Path) -> None:
    """Keep every public object, and those that they are made of, as text and as pickles."""
    signed = SignedUrl(hub.sign("good0"), 1e12)
    hub_client, downloader = client.HubClient(settings), download.Downloader(timeout_s=1.0, max_bytes=1_000)
    budget = Budget(settings)
    objects = (
        settings, settings.limits, signed, recording, hub_client, downloader, budget, hub,
        kn.Store(folder / "store"), Plan(settings=settings), Task("good0", recording, signed),
        Outcome(kn.Status.READY, signed=signed, recording=recording), transfer.Transfer(), kn.Status.READY,
        pd.DataFrame({"session_id": ["good0"], "audio": [recording], "recording_url": [signed.url]}).kataven,
    )  # fmt: skip
    for each in objects:
        channels.add("reprs of objects", repr(each), str(each), f"{each}")
        for name in ("_repr_html_", "_repr_mimebundle_", "_repr_json_"):
            if hasattr(each, name):
                channels.add("rich reprs of objects", getattr(each, name)())
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        channels.add("pickles of settings", pickle.dumps(settings, protocol), cloudpickle.dumps([settings]))
    for each in (hub_client, downloader, budget):
        each.close()


def export(channels: Channels, heard: pd.DataFrame, folder: Path) -> None:
    """Keep what lies beside exported sound, and the state of a player with its labels."""
    import ipywidgets  # noqa: PLC0415 - only here

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kn.to_audiofolder(heard, folder / "export", progress=False)
        for start in range(0, len(heard), 40):
            some = heard.iloc[start : start + 40]  # a page holds as many groups
            path = kn.report(some, folder / f"{start}.html", by="recording_error", metric="duration_s")
            channels.add("reports", path.read_bytes())
    channels.add("exported tables", *(f.read_bytes() for f in (folder / "export").glob("*") if f.is_file()))
    player = kn.player(heard, labels=["good"], save_to=folder / "labels.csv")
    player._book.add("good0", "good", note="a note")
    channels.add("labels files", (folder / "labels.csv").read_bytes())
    channels.add("widget state", json.dumps(ipywidgets.Widget.get_manager_state(), default=repr))
    channels.add(
        "reprs of players", repr(player), player._repr_mimebundle_() if hasattr(player, "_repr_mimebundle_") else ""
    )
    player.close()


def test_no_channel_shows_a_secret_or_sound(service, sound, tmp_path, monkeypatch, capfd) -> None:
    """Key, signatures, credentials and sound are looked for wherever text or bytes can go."""
    channels, kept, temporary = Channels(), Kept(), tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    root = logging.getLogger()
    root.addHandler(kept)
    names = ("", "httpx", "httpcore", "stamina", "asyncio", "kataven_notebook", "fsspec", "urllib3", "traitlets")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run_everything(service, channels, tmp_path / "run")
    finally:
        root.removeHandler(kept)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
    channels.add("logs at DEBUG", *kept.lines)
    channels.add("warnings", *(f"{each.message} {each.filename} {each.source!r}" for each in caught))
    shown = capfd.readouterr()
    channels.add("screen", shown.out, shown.err)
    channels.add_files("store but for its sound", tmp_path / "run" / "store", but="audio")
    channels.add_files("state directory", tmp_path / "run" / "state")
    channels.add_files("temporary files", temporary)
    assert any(line.startswith("httpcore") and "/sessions/" in line for line in kept.lines)
    assert "downloaded" in shown.err
    assert not leaks(channels, secrets_of(service) | sound_marks(sound))
    # The sound itself is where it was asked for, and holds no key.
    stored = Channels()
    stored.add_files("sound of the store", tmp_path / "run" / "store" / "audio")
    assert leaks(stored, sound_marks(sound))
    assert not leaks(stored, secrets_of(service))
    assert len(channels.found) == 23, sorted(channels.found)


class Spy(Executor):
    """An executor that keeps what would travel to a worker, and then does the work itself."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def submit(self, fn, /, *args, **kwargs) -> Future:  # noqa: ANN002 - the protocol of executors
        """Pickle as every executor of processes does."""
        sent = cloudpickle.dumps((fn, args, kwargs))
        self._channels.add("what workers are sent", sent)
        self._channels.add("reprs of what workers are sent", repr(args), repr(kwargs))
        future: Future = Future()
        fn, args, kwargs = cloudpickle.loads(sent)
        report = fn(*args, **kwargs)
        self._channels.add("what workers send back", cloudpickle.dumps(report), repr(report))
        future.set_result(report)
        return future


def environment_of(recording: kn.Recording) -> str:
    """All that a worker process knows of its own start."""
    parts = [json.dumps(dict(os.environ)), json.dumps(sys.argv)]
    for name in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            parts.append(Path(f"/proc/self/{name}").read_text(errors="replace"))
    parts += [thread.name for thread in threading.enumerate()]
    return "\n".join(parts)


def test_workers_get_one_url_and_never_the_key(service, sound, tmp_path) -> None:
    """A signed URL is what a worker needs; its repr, which schedulers log, shows not even that."""
    service.faults.clear()
    settings = service.settings
    channels = Channels()
    frame = frame_of("good0", "good1", "gone", "broken")
    kn.apply(frame, len_of, executor=Spy(channels), settings=settings, progress=False)
    assert not leaks(channels, {"api key": service.api_key.encode()})
    urls = Channels()
    urls.found = {name: found for name, found in channels.found.items() if name != "what workers are sent"}
    assert len(urls.found) == 2
    assert not leaks(urls, secrets_of(service) | sound_marks(sound))
    told = kn.apply(
        frame.head(2), environment_of, executor=lambda: ProcessPoolExecutor(1), settings=settings, progress=False
    )
    children = Channels()
    children.add("environment of workers", *told.drop(columns="session_id").astype(str).to_numpy().ravel())
    assert any(b"PATH" in each for each in children.found["environment of workers"])
    assert not leaks(children, secrets_of(service))


def len_of(recording: kn.Recording) -> int:
    """A measure; fails where it is told to."""
    if recording.session_id == "good1":
        raise ValueError("no such luck")
    return recording.frames


def test_the_logs_of_a_dask_cluster_hold_no_secret(service, sound) -> None:
    """Neither the workers' nor the scheduler's, also when functions fail."""
    distributed = pytest.importorskip("dask.distributed")
    service.faults.clear()
    channels = Channels()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            distributed.LocalCluster(
                n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster) as dask,
        ):
            frame = frame_of("good0", "good1", "gone", "broken")
            kn.apply(frame, len_of, executor=dask.get_executor(), settings=service.settings, progress=False)
            channels.add("logs of Dask's workers", *map(repr, dask.get_worker_logs().values()))
            channels.add("log of Dask's scheduler", repr(dask.get_scheduler_logs()))
            channels.add("Dask's events", repr(dask.get_events()))
    assert not leaks(channels, secrets_of(service) | sound_marks(sound))


NOTEBOOK = """
import os, warnings, logging
import pandas as pd
import kataven_notebook as kn
logging.basicConfig(level=logging.DEBUG)
kn.configure(api_key=os.environ.pop("SECRET_FOR_TEST"), base_url=os.environ["HUB_FOR_TEST"])
calls = kn.audio(pd.DataFrame({"session_id": ["good0", "good1", "gone", "broken", "storage-denied"]}))
---
kn.recordings(calls).drop(columns="recording_url")
---
calls
---
player = kn.player(calls)
player
---
calls["audio"][0].play()
---
kn.configure()
---
%xmode Verbose
---
kn.audio(calls.tail(1)[["session_id"]], errors="raise")
"""


def test_a_saved_notebook_holds_no_secret_and_no_sound(service, sound, tmp_path, monkeypatch) -> None:
    """Outputs, logs, a verbose traceback and the state of all widgets, as Jupyter saves them."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    service.faults.clear()
    service.faults.add("storage-denied", "storage:denied")
    monkeypatch.setenv("SECRET_FOR_TEST", service.api_key)
    monkeypatch.setenv("HUB_FOR_TEST", service.base_url)
    cells = [nbformat.v4.new_code_cell(each.strip()) for each in NOTEBOOK.split("---\n")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nbclient.NotebookClient(
            notebook, timeout=60, kernel_name="python3", allow_errors=True, store_widget_state=True,
            resources={"metadata": {"path": str(tmp_path)}},
        ).execute()  # fmt: skip
    saved = nbformat.writes(notebook)
    assert "widgets" in notebook.metadata
    assert "DownloadFailed" in saved
    assert re.search(r"\d:\d\d wav (mono|stereo)", saved)
    channels = Channels()
    channels.add("saved notebook", saved, saved.encode().decode("unicode_escape", "replace"))
    assert not leaks(channels, secrets_of(service) | sound_marks(sound))


def test_a_session_token_is_as_secret_as_a_key(service, tmp_path, caplog) -> None:
    """A JWT, accepted and refused."""
    service.faults.clear()
    token = service.jwt()
    settings = Settings(api_key=token, account_id="demo", base_url=service.base_url, state_dir=tmp_path / "state")
    channels = Channels()
    with caplog.at_level(logging.DEBUG):
        for account in ("demo", "admin"):
            used = Settings(api_key=token, account_id=account, base_url=service.base_url, state_dir=tmp_path / "state")
            channels.add("frames", kn.audio(frame_of("good0", "gone"), settings=used, progress=False).to_csv())
    channels.add("logs", *(record.getMessage() for record in caplog.records))
    channels.add("reprs", repr(settings), pickle.dumps(settings))
    channels.add_files("state", tmp_path / "state")
    assert not leaks(channels, secrets_of(service, token, token.split(".")[1], token.split(".")[2]))


def test_settings_leave_the_process_without_their_key() -> None:
    """All else of them does; a copy within the process keeps it, and what comes back says what is missing."""
    settings = Settings(api_key="sk_live_acme_0123456789", store="calls/", limits=kn.Limits(per_minute=5))
    for back in (pickle.loads(pickle.dumps(settings)), cloudpickle.loads(cloudpickle.dumps(settings))):  # noqa: S301 - our own
        assert back.api_key is None
        assert (back.store, back.limits) == (settings.store, settings.limits)
        with pytest.raises(kn.errors.ConfigurationError, match="there is no API key"):
            back.check_credentials()
    assert copy.copy(settings).api_key == copy.deepcopy(settings).api_key == settings.api_key


def test_a_failed_row_keeps_neither_its_answer_nor_its_sound(service) -> None:
    """A traceback would hold what its functions held: megabytes a row, and the URL."""
    service.faults.clear()
    heard = kn.audio(frame_of("broken", "gone"), settings=service.settings, progress=False)
    assert heard["recording_status"].tolist() == ["corrupt", "missing"]
    with pytest.raises(kn.errors.RecordingCorrupt) as caught:
        kn.audio(frame_of("broken"), settings=service.settings, errors="raise", progress=False)
    assert caught.value.__context__ is None
    names = {entry.frame.code.path.name for entry in caught.traceback}
    assert not names & {"download.py", "client.py", "decode.py"}


def test_key_shapes_are_not_in_messages_of_settings() -> None:
    """What is wrong with a key is said without it."""
    for key in ("pk_live_0123456789", "sk_live_a b", "eyJhbGciOi.x.y", "sk_live_ü"):
        with pytest.raises(kn.errors.ConfigurationError) as caught:
            Settings(api_key=key).check_credentials()
        assert key not in str(caught.value)
        assert not re.search(r"0123456789|hbGciOi", repr(caught.value))
