"""Files are for their owner alone, nothing is left in temporary folders, and what is forgotten is gone."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import demo
from kataven_notebook.desk.labels import LabelBook
from kataven_notebook.service.budget import Budget
from kataven_notebook.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(os.name != "posix", reason="modes are Unix's; elsewhere the user's folder is private"),
]

IDS = [f"s{number}" for number in range(10)]


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request):
    """The loosest, the usual and the strictest."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """The modes of a folder and of all below it, where others may do anything at all."""
    every = [folder, *folder.rglob("*")]
    assert len(every) > 1
    return {str(path.relative_to(folder)): oct(stat.S_IMODE(path.lstat().st_mode)) for path in every
            if stat.S_IMODE(path.lstat().st_mode) & 0o077}  # fmt: skip


def fetched(hub, folder: Path) -> pd.DataFrame:
    """A frame of ten calls whose sound is in a store."""
    frame = pd.DataFrame({"session_id": [*IDS, "nobody"]})
    return kn.audio(frame, store=folder, settings=hub.settings, progress=False)


def test_a_store_is_private_whatever_the_umask(hub, tmp_path, umask) -> None:
    """Folders 0700, files 0600: sound, ledger, and what SQLite lays beside it while it is open."""
    with kn.Store(tmp_path / "calls") as store:
        fetched(hub, store.path)
        names = {path.name for path in store.path.iterdir()}
        assert {"ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm", "audio", "parts"} <= names
        assert modes(store.path) == {}
    assert modes(tmp_path / "calls") == {}


def test_the_state_directory_is_private_whatever_the_umask(tmp_path, umask) -> None:
    """Account and times of requests are nobody else's."""
    budget = Budget(Settings(api_key="sk_live_acme_1", state_dir=tmp_path / "state"))
    with budget.request() as request:
        request.answered()
        assert len(list((tmp_path / "state").iterdir())) == 3
        assert modes(tmp_path / "state") == {}
    budget.close()


def test_labels_are_private_whatever_the_umask(tmp_path, umask) -> None:
    """Notes about calls are as private as the calls."""
    (tmp_path / "labels").mkdir(mode=0o700)
    LabelBook("session_id", tmp_path / "labels" / "labels.csv").add("s1", "good", note="about somebody")
    assert modes(tmp_path / "labels") == {}


def test_an_exported_folder_is_private_whatever_the_umask(hub, tmp_path, umask) -> None:
    """It holds the same sound; whoever shares it can say so with chmod."""
    frame = fetched(hub, tmp_path / "calls").head(2)
    kn.to_audiofolder(frame, tmp_path / "export", progress=False)
    assert modes(tmp_path / "export") == {}


@pytest.mark.filterwarnings("ignore:the report has no figures:UserWarning")
def test_a_report_is_private_whatever_the_umask(hub, tmp_path, umask) -> None:
    """Its folder too, which may hold clips of the same sound."""
    calls = fetched(hub, tmp_path / "calls").head(1)
    kn.report(calls, tmp_path / "out" / "report.html", clips=calls[["session_id"]].assign(start_s=0.0), progress=False)
    assert modes(tmp_path / "out") == {}


def left_behind(folder: Path) -> list[str]:
    """What is in a temporary folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


RUN = """
import sys, tempfile, pandas as pd, kataven_notebook as kn
from concurrent.futures import ProcessPoolExecutor
base_url, key, where, how = sys.argv[1:]
kn.configure(api_key=key, base_url=base_url, state_dir=where + "/state")
calls = pd.DataFrame({"session_id": [f"s{n}" for n in range(10)] + ["nobody", "slow"]})
def length(recording):
    return recording.frames
try:
    print("started", flush=True)
    kn.audio(calls, store=where + "/store", progress=False, errors="raise" if how == "failure" else "capture")
    heard = kn.audio(calls.head(3), progress=False)
    kn.to_audiofolder(heard, where + "/export", format="flac", sample_rate=16_000, progress=False)
    kn.apply(calls.head(3), length, executor=lambda: ProcessPoolExecutor(1), progress=False)
except kn.errors.SessionError as error:
    print("failed:", type(error).__name__)
"""


BUCKET = """
import sys, pandas as pd, kataven_notebook as kn
base_url, key, where = sys.argv[1:]
settings = kn.Settings(api_key=key, base_url=base_url, state_dir=where + "/state")
kn.audio(pd.DataFrame({"session_id": ["slow"]}), store="file://" + where + "/bucket", settings=settings, progress=False)
"""


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_sound_on_its_way_to_a_bucket_is_not_left_behind(hub, wav, tmp_path, how) -> None:
    """A process that is ended in the midst of a transfer has nothing in temporary folders."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    hub.add("slow", wav)
    hub.faults.add("slow", "storage:stall", after_bytes=4_000)
    hub.requests.clear()
    command = [sys.executable, "-c", BUCKET, hub.base_url, hub.api_key, str(tmp_path)]
    process = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(temporary)})
    try:
        wait_for(lambda: hub.requests.count("storage") > 0)
        process.send_signal(getattr(signal, how))
        process.wait(timeout=60)
    finally:
        process.kill()
    assert left_behind(temporary) == []


@pytest.mark.parametrize("how", ["success", "failure", "SIGTERM", "SIGKILL"])
def test_nothing_is_left_in_temporary_folders(hub, wav, tmp_path, how) -> None:
    """A process that ends well, fails, is told to end or is killed; and its store holds no half recording."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    hub.add("slow", wav)
    if how.startswith("SIG"):
        hub.faults.add("slow", "storage:stall", after_bytes=4_000)
    command = [sys.executable, "-c", RUN, hub.base_url, hub.api_key, str(tmp_path), how]
    process = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(temporary)}, stdout=subprocess.PIPE, text=True)
    try:
        if how.startswith("SIG"):
            # In the midst of a transfer: part of the sound is on the disk.
            wait_for(lambda: any(part.stat().st_size for part in (tmp_path / "store" / "parts").glob("*.part")))
            process.send_signal(getattr(signal, how))
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert ("failed: RecordingMissing" in output) == (how == "failure")
    assert left_behind(temporary) == []
    with kn.Store(tmp_path / "store") as store:
        assert left_behind(store.path / "parts") == []
        kept = {entry.file for entry in store.load().values()} - {None}
        on_disk = {str(f.relative_to(store.path)) for f in (store.path / "audio").rglob("*") if f.is_file()}
        assert kept <= on_disk


def wait_for(condition) -> None:
    """Until it holds; the test's own time-out ends it otherwise."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.02)


def found_in(folder: Path, *pieces: bytes) -> list[str]:
    """Files whose bytes or names hold one of the pieces."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if any(
            piece in (path.read_bytes() if path.is_file() else b"") or piece in path.name.encode() for piece in pieces
        )
    ]


def test_what_is_forgotten_is_gone_from_every_byte_of_the_store(tmp_path) -> None:
    """Id, message and sound: from the files, the table, its free pages and its write-ahead log, while it is open."""
    rng = np.random.default_rng(5)
    calls = {f"person-{number:03d}-{'x' * 40}": sound_of(rng) for number in range(40)}
    forgotten = list(calls)[::4]
    with demo.hub(sessions=calls, limits=kn.Limits(None, None, None)) as hub:
        hub.add("person-gone-yyyy", state="missing")
        kn.audio(pd.DataFrame({"session_id": [*calls, "person-gone-yyyy"]}), store=tmp_path, settings=hub.settings,
                 progress=False)  # fmt: skip
    store = kn.Store(tmp_path)
    marks = [calls[each][3_000:3_040] for each in forgotten] + [each.encode() for each in forgotten]
    assert len(found_in(tmp_path, *marks)) > len(forgotten)
    removed = store.forget([*forgotten, "person-gone-yyyy", "never heard of"])
    assert sorted(removed["session_id"]) == sorted([*forgotten, "person-gone-yyyy"])
    assert removed.set_index("session_id").loc[forgotten[0], "recording_bytes"] == len(calls[forgotten[0]])
    assert found_in(tmp_path, *marks, b"person-gone-yyyy") == []
    kept = [each for each in calls if each not in forgotten]
    assert sorted(store.load()) == sorted(kept)
    assert store.recording(store.load()[kept[0]]).encoded() == calls[kept[0]]
    store.close()
    assert found_in(tmp_path, *marks, b"person-gone-yyyy") == []


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_sound_that_nothing_names_is_forgotten_too(tmp_path, kind) -> None:
    """A process that was killed between sound and outcome leaves it, as does an outcome that was damaged."""
    place = tmp_path / "calls"
    with demo.hub(sessions={"s1": sound_of(np.random.default_rng(6)), "s2": b""}) as hub:
        store = kn.Store(place if kind == "folder" else f"file://{place}")
        kn.audio(pd.DataFrame({"session_id": ["s1"]}), store=store, settings=hub.settings, progress=False)
    (whole,) = [path for path in (place / "audio").rglob("*") if path.is_file()]
    whole.with_name(whole.name.partition("-")[0] + "-" + "0" * 16 + ".wav").write_bytes(b"orphaned")
    assert store.forget(["s1", None, float("nan"), "half \ud800"])["session_id"].tolist() == ["s1"]
    assert not [path for path in (place / "audio").rglob("*") if path.is_file()]
    with pytest.raises(kn.errors.ConfigurationError, match="session ids are text"):
        store.forget([12345])
    store.close()


def test_a_link_in_a_databases_place_is_not_followed(hub, tmp_path) -> None:
    """Somebody who could write to the folder before may have laid it; the budget is counted without it."""
    for folder, name in (("calls", "ledger.sqlite3"), ("state", "budget-1.sqlite3")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(kn.errors.StoreError, match="a link stands in the file's place"):
        kn.Store(tmp_path / "calls")
    with pytest.warns(RuntimeWarning, match="a link stands in the file's place"):
        Budget(Settings(api_key="sk_live_acme_1", state_dir=tmp_path / "state")).close()
    assert not (tmp_path / "elsewhere").exists()


def test_folders_above_are_private_too(hub, tmp_path, umask) -> None:
    """Where they were not there: the names in them tell of calls."""
    fetched(hub, tmp_path / "work" / "of" / "calls")
    kn.to_audiofolder(fetched(hub, tmp_path / "calls").head(1), tmp_path / "out" / "of" / "calls", progress=False)
    assert modes(tmp_path / "work") == modes(tmp_path / "out") == {}


def test_a_folder_that_exists_keeps_its_mode(hub, tmp_path) -> None:
    """It may be shared on purpose; what is made in it is private all the same."""
    (tmp_path / "calls").mkdir(mode=0o755)
    (tmp_path / "calls").chmod(0o755)
    fetched(hub, tmp_path / "calls")
    assert modes(tmp_path / "calls") == {".": "0o755"}


def test_what_is_known_of_a_bucket_is_private_whatever_the_umask(hub, tmp_path, umask, monkeypatch) -> None:
    """The cache of its outcomes holds session ids."""
    monkeypatch.setenv("KATAVEN_STATE_DIR", str(tmp_path / "state"))
    store = kn.Store(f"file://{tmp_path / 'calls'}")
    kn.audio(pd.DataFrame({"session_id": IDS[:2]}), store=store, settings=hub.settings, progress=False)
    assert [path.suffix for path in (tmp_path / "state" / "stores").iterdir() if path.suffix == ".sqlite3"]
    assert modes(tmp_path / "state") == {}
    store.close()


def sound_of(rng: np.random.Generator) -> bytes:
    """A quarter of a second of noise like no other."""
    return kn.Recording.from_samples(rng.normal(0, 0.1, 2_000), 8_000).encoded()
