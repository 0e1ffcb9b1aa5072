"""Hostile inputs and what they are fed to; `test_fuzz.py` tries some, `benchmarks/fuzz.py` many.

Each target makes an input from a seed and runs it. Only the package's own errors may come out, and
the answers hold the promises (channels as stated, lengths bounded).
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import math
import random
import shutil
import sqlite3
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import soundfile as sf
from tones import amr

from kataven_notebook import Recording, Store, errors
from kataven_notebook.desk.labels import LabelBook
from kataven_notebook.exchange.audiofolder import read_audiofolder, to_audiofolder
from kataven_notebook.redact import redact
from kataven_notebook.service import client
from kataven_notebook.service.answers import read_signed_url
from kataven_notebook.service.budget import Budget
from kataven_notebook.service.session_ids import check_session_id
from kataven_notebook.settings import Settings
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What a decoder may be asked for in one input: a bomb is not unpacked to its end.
_MOST_FRAMES = 2_000_000
_NUMBERS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_SECRET = "sk_live_fuzz_0123456789abcdef"


@dataclass(frozen=True)
class Target:
    """One kind of input: made from a seed, and run."""

    name: str
    make: Callable[[random.Random], Any]
    run: Callable[[Any], None]


def mutated(rng: random.Random, data: bytes, *, others: tuple[bytes, ...] = ()) -> bytes:
    """Change bytes as a broken disk, a broken upload or somebody hostile would."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5, 9, 20))):
        if not out:
            break
        # Headers decide what is allocated: half of all changes go there.
        at = rng.randrange(min(len(out), 256)) if rng.random() < 0.5 else rng.randrange(len(out))
        _CHANGES[rng.randrange(len(_CHANGES))](rng, out, at, others)
    return bytes(out)


def _flip(rng: random.Random, out: bytearray, at: int, _: tuple[bytes, ...]) -> None:
    out[at] ^= 1 << rng.randrange(8)


def _set(rng: random.Random, out: bytearray, at: int, _: tuple[bytes, ...]) -> None:
    out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def _number(rng: random.Random, out: bytearray, at: int, _: tuple[bytes, ...]) -> None:
    size = rng.choice((2, 4, 8))
    value = rng.choice((*_NUMBERS, rng.getrandbits(32))) & ((1 << 8 * size) - 1)
    out[at : at + size] = value.to_bytes(size, rng.choice(("little", "big")))


def _cut(rng: random.Random, out: bytearray, at: int, _: tuple[bytes, ...]) -> None:
    del out[at if rng.random() < 0.3 else rng.randrange(len(out)) :]


def _remove(rng: random.Random, out: bytearray, at: int, _: tuple[bytes, ...]) -> None:
    del out[at : at + rng.choice((1, 2, 4, 16, 200))]


def _double(rng: random.Random, out: bytearray, at: int, _: tuple[bytes, ...]) -> None:
    piece = out[at : at + rng.choice((1, 4, 16, 64, 500))]
    out[at:at] = piece * rng.choice((1, 1, 3, 40))


def _splice(rng: random.Random, out: bytearray, at: int, others: tuple[bytes, ...]) -> None:
    other = rng.choice(others) if others else rng.randbytes(64)
    start = rng.randrange(len(other))
    out[at:] = other[start:]


def _noise(rng: random.Random, out: bytearray, at: int, _: tuple[bytes, ...]) -> None:
    noise = rng.randbytes(rng.choice((4, 16, 64)))
    out[at : at + len(noise)] = noise


_CHANGES = (_flip, _set, _number, _number, _cut, _remove, _double, _splice, _noise)


# -- sound ---------------------------------------------------------------------------------------


@functools.cache
def sound_seeds() -> dict[str, bytes]:
    """Small good files of all formats and codecs that can be written here."""
    rng = np.random.default_rng(1)
    stereo = rng.normal(0, 0.1, (2_400, 2)).astype(np.float32)
    kinds = {
        "wav": ("WAV", ("PCM_16", "PCM_U8", "PCM_24", "ULAW", "ALAW", "FLOAT", "IMA_ADPCM", "MS_ADPCM", "GSM610")),
        "wavex": ("WAVEX", ("PCM_16",)), "rf64": ("RF64", ("PCM_16",)), "w64": ("W64", ("PCM_16",)),
        "flac": ("FLAC", ("PCM_16",)), "ogg": ("OGG", ("VORBIS", "OPUS")), "mp3": ("MP3", ("MPEG_LAYER_III",)),
        "aiff": ("AIFF", ("PCM_16", "ULAW")), "au": ("AU", ("PCM_16", "ULAW")), "caf": ("CAF", ("PCM_16", "ALAC_16")),
    }  # fmt: skip
    seeds = {}
    for name, (container, codecs) in kinds.items():
        for codec in codecs:
            file = io.BytesIO()
            samples = stereo[:, :1] if codec == "GSM610" else stereo
            with contextlib.suppress(sf.LibsndfileError):  # builds without this codec
                sf.write(file, samples, 8_000, format=container, subtype=codec)
                seeds[f"{name}-{codec.lower()}"] = file.getvalue()
    return seeds | dict(_av_seeds(stereo))


def _av_seeds(stereo: np.ndarray) -> Iterator[tuple[str, bytes]]:
    try:
        import av  # noqa: PLC0415 - an extra
    except ImportError:
        return
    for container, codec in (("mp4", "aac"), ("webm", "libopus"), ("adts", "aac"), ("asf", "wmav2")):
        file = io.BytesIO()
        with contextlib.suppress(av.FFmpegError, ValueError):
            with av.open(file, "w", format=container) as output:
                rate = 48_000 if codec == "libopus" else 16_000
                stream = output.add_stream(codec, rate=rate, layout="stereo")
                stream.bit_rate = 64_000  # WMA has no default
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stereo.T), format="fltp", layout="stereo")
                frame.sample_rate = rate
                output.mux(stream.encode(frame))
                output.mux(stream.encode(None))
            yield f"{container}-{codec}", file.getvalue()
    yield "amr", amr(15)


def make_sound(rng: random.Random) -> bytes:
    """Make a file that was good once."""
    seeds = sound_seeds()
    data = seeds[rng.choice(sorted(seeds))]
    return mutated(rng, data, others=tuple(seeds.values()))


def run_sound(data: bytes) -> None:
    """Open, verify and decode in every way; what is given out is as the header says."""
    with contextlib.suppress(errors.KatavenError):
        recording = Recording.from_bytes(data, session_id="s")
        assert 1 <= recording.channels <= 64
        assert recording.frames >= 1
        assert math.isfinite(recording.duration_s)
        with contextlib.suppress(errors.KatavenError):
            recording.verify()
        with contextlib.suppress(errors.KatavenError):
            _blocks(recording)
        if recording.frames * recording.channels < _MOST_FRAMES:
            assert recording.samples.shape[1] == recording.channels
            with contextlib.suppress(ValueError):  # less than a frame, where a header claims 1 Hz
                recording.slice(0.0, 0.05)


def _blocks(recording: Recording) -> None:
    seen = 0
    for block in recording.blocks(0.25, overlap_s=0.05):
        assert block.dtype == np.float32
        assert block.ndim == 2
        assert block.shape[1] == recording.channels
        seen += len(block)
        if seen > _MOST_FRAMES:
            break


# -- the Hub's answers ---------------------------------------------------------------------------

_URL = "https://bucket.example/a.wav?X-Amz-Date=20260101T000000Z&X-Amz-Expires=300&X-Amz-Signature=0f3a"
_TEXTS = (
    "", " ", "300", "-1", "0", "1e400", "nan", "inf", "NaN", "1_000", "0x10", "٣", "9" * 5_000, "2026-01-01",
    "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "Thu, 01 Jan 1970 00:00:00 GMT",
    "Mon, 99 Foo 99999 99:99:99 +9999", "Fri, 31 Dec 9999 23:59:59 -2359", "Sat, 01 Jan 0001 00:00:00 +2359", ",", ";",
    _URL, "http://[::1", "https://", "https://a b/", "//x/y", "http://127.0.0.1:99999/", "javascript:alert(1)",
    "https://user:pw@h/?q#f", "\x00", "\ud800", "\u2028", "..", "%2e%2e", "rate_limited: per-minute (60) exceeded",
    "per-day (99999999999)", "per hour ()", "(5)",
)  # fmt: skip


def make_text(rng: random.Random) -> str:
    """Make a text that somebody thought to be harmless."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(_TEXTS)
    if kind == 1:
        text = rng.choice(_TEXTS) or "x"
        at = rng.randrange(len(text))
        return text[:at] + chr(rng.choice((0, 9, 10, 32, 0x30, 0x7F, 0xE9, 0x2028, 0xD800, 0x1F600))) + text[at + 1 :]
    if kind == 2:
        return rng.choice(_TEXTS) + rng.choice(_TEXTS)
    return "".join(chr(rng.choice((rng.randrange(128), rng.randrange(0x110000)))) for _ in range(rng.randrange(30)))


def make_json(rng: random.Random, depth: int = 0) -> Any:
    """Make a JSON value that resembles an answer."""
    kind = rng.randrange(8 if depth < 3 else 5)
    if kind < 3:
        return make_text(rng)
    if kind == 3:
        return rng.choice((None, True, False, 0, -1, 1e308, 10**400, float("nan"), float("inf"), 1_700_000_000_000))
    if kind == 4:
        return rng.choice((rng.random() * 1e12, rng.getrandbits(70), _URL))
    if kind == 5:
        return [make_json(rng, depth + 1) for _ in range(rng.randrange(4))]
    keys = ("url", "recording_url", "data", "expires_at", "expires_in", "presigned_url", make_text(rng))
    return {rng.choice(keys): make_json(rng, depth + 1) for _ in range(rng.randrange(5))}


def make_answer(rng: random.Random) -> tuple[bytes, dict[str, str], float]:
    """Make the body, the headers and the moment of an answer."""
    body = {"url": _URL, "expires_at": make_json(rng), "expires_in": make_json(rng)}
    value = make_json(rng) if rng.random() < 0.5 else body | {rng.choice(("url", "data", "x")): make_json(rng)}
    data = json.dumps(value).encode()
    if rng.random() < 0.3:
        data = mutated(rng, data)
    if rng.random() < 0.02:
        data = rng.choice((b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"9" * 6_000))
    headers = {} if rng.random() < 0.3 else {"Date": make_text(rng)}
    return data, headers, rng.choice((0.0, 1.7e9, 4e9))


def run_answer(given: tuple[bytes, dict[str, str], float]) -> None:
    """Read it: a URL with a bounded life, or a ValueError that becomes `ServiceFailed`."""
    body, headers, now = given
    try:
        signed = read_signed_url(body, headers, now=now)
    except ValueError as error:
        assert type(error) is ValueError, repr(error)  # noqa: PT017 - or it is read: both are fine
        assert "X-Amz-Signature=0f3a" not in str(error)  # noqa: PT017 - the same
    else:
        assert 0 <= signed.expires_at - now <= 8 * 86_400
        assert signed.url.lower().startswith(("https://", "http://"))
        assert signed.url not in repr(signed)


def make_texts(rng: random.Random) -> tuple[str, str]:
    """Make two texts, for what has a partner."""
    return make_text(rng), make_text(rng)


def run_retry_after(given: tuple[str, str]) -> None:
    """Read a pause: some seconds or none, never for ever."""
    assert 0 <= client.parse_retry_after(*given, now=1.7e9) <= 2 * 86_400
    window, limit = client.parse_limit_text(given[0])
    assert window in (None, "minute", "hour", "day", "in-flight")
    assert limit is None or 0 <= limit < 10**9


def run_redact(given: tuple[str, str]) -> None:
    """Take a key and a signed URL out of whatever stands around them."""
    before, after = given
    secret_url = "https://bucket.example/a.wav?X-Amz-Signature=0f3a55c0ffee"
    shown = redact(f"{before} {_SECRET} {secret_url} {after}")
    assert _SECRET not in shown
    assert "0f3a55c0ffee" not in shown


def make_id(rng: random.Random) -> Any:
    """Make what may stand in a session column."""
    if rng.random() < 0.7:
        return make_text(rng) * rng.choice((1, 1, 1, 40))
    values = (
        None,
        1,
        1.5,
        float("nan"),
        b"a",
        [1],
        (),
        np.array([1, 2]),
        np.nan,
        np.datetime64("NaT", "ns"),
        object(),
        {},
        (),
    )
    return rng.choice(values)


def run_id(given: Any) -> None:
    """Check an id: what passes is one path segment, all else is `InvalidSessionId`."""
    try:
        kept = check_session_id(given)
    except errors.InvalidSessionId:
        return
    assert isinstance(kept, str)
    assert kept.strip()
    assert set(kept.strip()) != {"."}
    assert not set(kept) & set("/\\\r\n\x00")
    assert len(kept.encode()) <= 512


# -- files of our own ----------------------------------------------------------------------------


@functools.cache
def _store_seed() -> Path:
    """A small store, closed, whose ledger is one file."""
    folder = Path(tempfile.mkdtemp(prefix="kataven-fuzz-"))
    import atexit  # noqa: PLC0415 - only where the seed is made

    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with Store(folder / "seed") as store:
        for number in range(4):
            with store.part() as part:
                part.write(sound_seeds()["wav-pcm_16"])
                store.keep(f"s{number}", part, f"{number:064x}")
        store.note("gone", Status.MISSING, "the session has no recording")
        store.claims().take("taken", attempts=0)
    _flatten(folder / "seed" / "ledger.sqlite3")
    return folder / "seed"


def _flatten(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        db.execute("PRAGMA journal_mode=DELETE").fetchall()
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


_VALUES: tuple[Any, ...] = (
    None, "", "x", -1, 0, 2**62, 1e308, float("inf"), b"\xff\x00", "../../../etc/passwd", "/etc/hostname", "audio/..",
    "downloaded", "missing", "nonsense", "audio/00/x", "9" * 1_000, "\x00", 1.5,
)  # fmt: skip


def make_ledger(rng: random.Random) -> bytes | list[tuple[str, str, Any]]:
    """Make a ledger's bytes, or values that somebody put in its rows."""
    if rng.random() < 0.5:
        return mutated(rng, (_store_seed() / "ledger.sqlite3").read_bytes())
    names = ("session_id", "status", "error", "attempts", "file", "size_bytes", "sha256", "format", "codec",
             "sample_rate", "channels", "frames", "first_at", "updated_at")  # fmt: skip
    return [(rng.choice(names), f"s{rng.randrange(4)}", rng.choice(_VALUES)) for _ in range(rng.randrange(1, 5))]


def run_ledger(given: bytes | list[tuple[str, str, Any]]) -> None:
    """Use a store whose ledger is damaged: it works, or says that it is damaged, and touches nothing else."""
    with tempfile.TemporaryDirectory(prefix="kataven-fuzz-") as name:
        folder = Path(name) / "calls"
        shutil.copytree(_store_seed(), folder)
        outside = Path(name) / "outside.txt"
        outside.write_text("stays")
        if isinstance(given, bytes):
            (folder / "ledger.sqlite3").write_bytes(given)
        else:
            _put_values(folder / "ledger.sqlite3", given)
        with contextlib.suppress(errors.StoreError), Store(folder) as store:
            _use_store(store)
        assert outside.read_text() == "stays"


def _put_values(path: Path, values: list[tuple[str, str, Any]]) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for column, session_id, value in values:
            with contextlib.suppress(sqlite3.Error):
                db.execute(f"UPDATE outcomes SET {column} = ? WHERE session_id = ?", (value, session_id))  # noqa: S608 - names of our own


def _use_store(store: Store) -> None:
    uses: tuple[Callable[[], object], ...] = (
        lambda: repr(store),
        lambda: store.bind(Settings(api_key=_SECRET)),
        store.to_frame,
        lambda: store.note("gone", Status.MISSING, "again"),
        lambda: store.claims().take("s1", attempts=0),
        lambda: store.claims().others(),
        lambda: store.check(full=True, progress=False),
        lambda: store.forget(["s0", "../../outside.txt"]),
    )
    for use in uses:
        with contextlib.suppress(errors.StoreError):
            use()
    for entry in store.load().values():
        Status(entry.status)
        if entry.file is not None:
            recording = store.recording(entry)
            assert recording.path is not None
            assert recording.path.resolve().is_relative_to((store.path / "audio").resolve())
            with contextlib.suppress(errors.KatavenError, OSError):
                repr(recording)
                recording.verify()


@functools.cache
def _budget_seed() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        budget = Budget(Settings(api_key=_SECRET, state_dir=Path(folder)))
        with budget.request() as request:
            request.answered()
        budget.close()
        path = next(Path(folder).glob("*.sqlite3"))
        _flatten(path)
        return path.read_bytes()


def make_budget(rng: random.Random) -> bytes | list[tuple[str, str, Any]]:
    """Make a budget table's bytes, or values that somebody put in its rows."""
    if rng.random() < 0.5:
        return mutated(rng, _budget_seed())
    columns = {
        "windows": ("used", "late", "granted", "began_at", "opened_min", "opened_max", "settled_at", "name"),
        "leases": ("owner", "sent_at", "expires_at"),
        "notices": ("name", "value", "noted_at", "until"),
    }
    found = []
    for _ in range(rng.randrange(1, 5)):
        table = rng.choice(sorted(columns))
        found.append((table, rng.choice(columns[table]), rng.choice(_VALUES)))
    return found


def run_budget(given: bytes | list[tuple[str, str, Any]]) -> None:
    """Count requests with a damaged table: leave comes or it is said when, and no limit is passed."""
    settings_of = functools.partial(Settings, api_key=_SECRET)
    with tempfile.TemporaryDirectory(prefix="kataven-fuzz-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings = settings_of(state_dir=Path(folder))
        path = Path(folder) / "budget-1.sqlite3"
        path.write_bytes(given if isinstance(given, bytes) else _budget_seed())
        if not isinstance(given, bytes):
            _put_budget(path, settings.budget_scope, given)
        budget = Budget(settings)
        try:
            for _ in range(3):
                with contextlib.suppress(errors.RateLimited), budget.request(deadline=0.0) as request:
                    request.answered()
            used = budget.used()
            assert set(used) == {"minute", "hour", "day"}
            assert math.isfinite(budget.forecast(90).done_at)
        finally:
            budget.close()


def _put_budget(path: Path, scope: str, values: list[tuple[str, str, Any]]) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO leases VALUES (7, ?, 'nobody|1|0.00', 1.0, 2.0)", (scope,))
        db.execute("INSERT INTO notices VALUES (?, 'limit:minute', 5, 1.0, 9e9)", (scope,))
        for table, column, value in values:
            with contextlib.suppress(sqlite3.Error):
                db.execute(f"UPDATE {table} SET {column} = ?", (value,))  # noqa: S608 - names of our own


_LABELS = (
    "action,decision_id,session_id,label,start_s,end_s,note,labelled_at\n"
    "add,0a1b,s1,good,,,fine,2026-01-01T10:00:00+00:00\n"
    'add,0a1c,s2,bad,1.000,2.500,"two, words",2026-01-01T10:00:01+00:00\n'
    "remove,0a1b,s1,good,,,fine,2026-01-01T10:00:02+00:00\n"
)


def make_labels(rng: random.Random) -> bytes:
    """Make a labels file."""
    if rng.random() < 0.6:
        return mutated(rng, _LABELS.encode())
    lines = _LABELS.split("\n")
    cells = [rng.choice(("add", "remove", "nan", "inf", "-1", make_text(rng))) for _ in range(rng.choice((8, 8, 8, 3)))]
    return "\n".join([lines[0], *lines[1:3], ",".join(cells)]).encode("utf-8", "surrogatepass")


def run_labels(given: bytes) -> None:
    """Go on with a damaged labels file: what is whole is read, nothing is lost by adding to it."""
    with tempfile.TemporaryDirectory(prefix="kataven-fuzz-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "labels.csv"
        path.write_bytes(given)
        with contextlib.suppress(errors.KatavenError):
            book = LabelBook("session_id", path)
            before = len(book)
            book.add("s3", "good", note="a note")
            assert len(book) == before + 1
            book.to_frame()
            book.per_session(["s1", "s2", "s3"])
            assert len(LabelBook("session_id", path)) >= 1


# -- exported folders ----------------------------------------------------------------------------


@functools.cache
def _exported() -> dict[str, dict[str, bytes]]:
    """Exported folders of three calls, one a kind of table, as names and bytes."""
    sound = Recording.from_bytes(sound_seeds()["wav-pcm_16"])
    calls = pd.DataFrame({
        "session_id": ["007", "s2", "s3"],
        "audio": [sound] * 3,
        "started_at": pd.to_datetime(["2026-01-01", "2026-01-02", None], utc=True),
        "turns": pd.array([3, None, 5], dtype="Int64"),
        "outcome": pd.Categorical(["sold", "lost", "sold"]),
    })  # fmt: skip
    found = {}
    for kind in ("csv", "jsonl", "parquet"):
        with tempfile.TemporaryDirectory(prefix="kataven-fuzz-") as name:
            try:
                to_audiofolder(calls, Path(name) / "out", metadata=kind)
            except errors.MissingExtra:
                continue
            root = Path(name) / "out"
            found[kind] = {
                str(each.relative_to(root)): each.read_bytes() for each in sorted(root.rglob("*")) if each.is_file()
            }
    return found


def make_folder(rng: random.Random) -> dict[str, bytes]:
    """Make an exported folder of which one file was changed or lost."""
    kinds = _exported()
    files = dict(kinds[rng.choice(sorted(kinds))])
    tables = [name for name in files if not name.endswith(".wav")]
    name = rng.choice(tables if rng.random() < 0.8 else sorted(files))
    if rng.random() < 0.05:
        del files[name]
    elif rng.random() < 0.1 and name.endswith((".csv", ".jsonl", ".json")):
        files[name] = files[name].replace(b".wav", rng.choice((b"/../../../x", b".txt", b"\x00", b"")))
    else:
        files[name] = mutated(rng, files[name])
    return files


def run_folder(given: dict[str, bytes]) -> None:
    """Read it: a frame whose files lie in the folder, or an error of ours."""
    with tempfile.TemporaryDirectory(prefix="kataven-fuzz-") as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = Path(name) / "out"
        for path, data in given.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        with contextlib.suppress(errors.KatavenError):
            found = read_audiofolder(root)
            for recording in found["audio"]:
                assert recording is None or recording.path.resolve().is_relative_to(root.resolve())


TARGETS = (
    Target("sound files", make_sound, run_sound),
    Target("answers of the Hub", make_answer, run_answer),
    Target("Retry-After and limit texts", make_texts, run_retry_after),
    Target("redaction", make_texts, run_redact),
    Target("session ids", make_id, run_id),
    Target("ledgers", make_ledger, run_ledger),
    Target("budget tables", make_budget, run_budget),
    Target("labels files", make_labels, run_labels),
    Target("exported folders", make_folder, run_folder),
)


def run_seed(target: Target, seed: int) -> None:
    """Make the input of a seed, and run it."""
    target.run(target.make(random.Random(seed)))  # noqa: S311 - repeatable inputs, not keys
