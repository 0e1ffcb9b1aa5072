"""Hostile bytes: nothing but the package's own errors may come out, whatever comes in.

A short, repeatable run; `benchmarks/fuzz.py` tries the same generators for as long as one likes.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import resource
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import fuzzing
import numpy as np
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kataven_notebook import Recording, Store, errors
from kataven_notebook.desk.labels import LabelBook
from kataven_notebook.service.session_ids import check_session_id
from kataven_notebook.sound.ffmpeg import has_av
from kataven_notebook.sound.formats import FORMATS, NEEDS_AV

pytestmark = pytest.mark.core

# How many seeds of each target: what fits into some seconds.
EXAMPLES = {"sound files": 1_000, "ledgers": 60, "budget tables": 150, "labels files": 250, "exported folders": 80}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(["url", "data"]), inner),
    max_leaves=8,
)
QUICK = settings(
    derandomize=True, deadline=None, database=None, max_examples=200, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("target", fuzzing.TARGETS, ids=lambda each: each.name.replace(" ", "-"))
def test_only_our_own_errors_come_out(target) -> None:
    """Mutated files and odd texts are refused with a reason, or read as what they say they are."""

    @settings(QUICK, max_examples=EXAMPLES.get(target.name, 1_000))
    @given(st.integers(0, 2**48))
    def try_one(seed: int) -> None:
        fuzzing.run_seed(target, seed)

    try_one()


@QUICK
@given(JSON, st.text(), st.sampled_from([0.0, 1.7e9]))
def test_any_json_is_a_url_or_a_reason(value, date, now) -> None:
    """Hypothesis makes bodies that no list of odd values holds."""
    fuzzing.run_answer((json.dumps(value).encode(), {"Date": date}, now))


@QUICK
@given(st.text(max_size=600))
def test_any_text_is_a_path_segment_or_refused(text) -> None:
    """An id that passes stays one segment, and comes back whole from the path."""
    fuzzing.run_id(text)


@QUICK
@given(st.text(), st.text())
def test_a_key_is_taken_out_of_any_text(before, after) -> None:
    """Whatever stands around it."""
    fuzzing.run_redact((before, after))


def flac_claiming(frames: int, channels: int) -> bytes:
    """A FLAC file of a kilobyte whose header claims as much as one likes."""
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(0).normal(0, 0.1, (1_000, 2)), 8_000, format="FLAC")
    data = bytearray(file.getvalue())
    packed = int.from_bytes(data[18:26], "big")
    packed = (packed & ~((1 << 36) - 1) & ~(7 << 41)) | frames | (channels - 1) << 41
    data[18:26] = packed.to_bytes(8, "big")
    return bytes(data)


def wav_claiming(channels: int, sample_rate: int) -> bytes:
    """A WAV file of a kilobyte with absurd numbers in its format."""
    sound = b"\0" * 1_000
    head = struct.pack("<HHIIHH", 1, channels, sample_rate, sample_rate * 2 & 0xFFFFFFFF, channels * 2 & 0xFFFF, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(sound)) + b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + (
        struct.pack("<I", len(sound)) + sound
    )  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [flac_claiming(2_000_000_000, 8), wav_claiming(1_000, 8_000), wav_claiming(2, 4_000_000_000), wav_claiming(0, 0)],
    ids=["2 billion frames", "1,000 channels", "4 GHz", "no channels"],
)
def test_absurd_claims_are_refused_before_memory_is_taken(data) -> None:
    """The reason is said, and nothing was allocated by what a header claims."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(errors.RecordingCorrupt):
        Recording.from_bytes(data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_decoding_takes_no_memory_that_a_header_merely_claims() -> None:
    """Claims that pass as possible (8 million frames in a kilobyte) do not fit into a bounded process otherwise."""
    data = flac_claiming(8_000_000, 8)
    assert len(data) > 1_000
    script = (
        "import resource, sys\n"
        "from kataven_notebook import Recording, errors\n"
        "import psutil\n"
        "now = psutil.Process().memory_info().vms\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + (100 << 20), now + (100 << 20)))\n"
        "try:\n"
        "    recording = Recording.from_bytes(sys.stdin.buffer.read())\n"
        "    sum(len(block) for block in recording.blocks(3_600.0))\n"
        "except errors.RecordingCorrupt as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2_000:]


def test_a_wav_of_nothing_but_empty_parts_is_refused_at_once() -> None:
    """Millions of them would keep a thread busy for minutes."""
    parts = b"JUNK\0\0\0\0" * 200_000
    with pytest.raises(errors.RecordingCorrupt, match="data part is missing"):
        Recording.from_bytes(b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WAVE" + parts)


def test_a_big_endian_wav_is_read() -> None:
    """RIFX has its lengths the other way round."""
    head = struct.pack(">HHIIHH", 1, 1, 8_000, 16_000, 2, 16)
    sound = struct.pack(">4h", 0, 8_192, -8_192, 0) * 100
    data = b"RIFX" + struct.pack(">I", 36 + len(sound)) + b"WAVEfmt " + struct.pack(">I", 16) + head
    recording = Recording.from_bytes(data + b"data" + struct.pack(">I", len(sound)) + sound)
    recording.verify(full=True)
    np.testing.assert_allclose(recording.samples[:3, 0], [0, 0.25, -0.25])


def test_cells_that_are_arrays_are_no_session_ids() -> None:
    """An array does not say whether it differs from itself."""
    for cell in (np.array([1, 2]), np.datetime64("NaT", "ns"), [1], object()):
        with pytest.raises(errors.InvalidSessionId):
            check_session_id(cell)


def test_a_ledger_can_not_make_a_store_touch_other_files(tmp_path) -> None:
    """A path that somebody wrote into the table is neither opened nor removed."""
    outside = tmp_path / "private.wav"
    sf.write(outside, np.zeros(800), 8_000)
    with Store(tmp_path / "calls") as store, store.part() as part:
        part.write(outside.read_bytes())
        store.keep("s1", part, "0" * 64)
    for name in (str(outside), "../private.wav", "audio/../../private.wav"):
        fuzzing._put_values(tmp_path / "calls" / "ledger.sqlite3", [("file", "s1", name)])
        with Store(tmp_path / "calls") as store:
            assert store.load(["s1"]) == {}
            store.forget(["s1"])
            assert outside.exists()


def test_a_labels_file_with_a_broken_quote_loses_that_line_alone(tmp_path) -> None:
    """What was half written by a dead kernel does not swallow the decisions after it."""
    path = Path(tmp_path) / "labels.csv"
    lines = fuzzing._LABELS.splitlines(keepends=True)
    path.write_text(lines[0] + 'add,0a1d,s9,good,,,"half a no\n' + lines[1] + lines[2], encoding="utf-8")
    with pytest.warns(UserWarning, match=r"1 half-written"):
        book = LabelBook("session_id", path)
    assert book.to_frame()["session_id"].tolist() == ["s1", "s2"]


def test_labels_that_are_no_text_are_refused_or_left_out(tmp_path) -> None:
    """Bytes of another encoding, endless numbers, twice the same id."""
    path = Path(tmp_path) / "labels.csv"
    path.write_bytes(
        fuzzing._LABELS.encode() + b"add,0a1c,s3,good,nan,inf,x,2026-01-01\nadd,\xff,s4,ok,,,\x8a,2026-01-01\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = LabelBook("session_id", path)
    assert book.to_frame()["session_id"].tolist() == ["s2", "s4"]
    path.write_bytes(b"\x8a\x8b,\n")
    with pytest.raises(errors.ConfigurationError):
        LabelBook("session_id", path)


def test_the_generators_are_repeatable() -> None:
    """A seed that a long run reports makes the same input again."""
    for target in fuzzing.TARGETS:
        first, second = (repr(target.make(random.Random(7))) for _ in range(2))  # noqa: S311 - repeatable inputs, not keys
        assert first == second or " at 0x" in first


def test_seeds_hold_every_format_that_is_read() -> None:
    """So that each decoder gets its share of mutated files."""
    found = set()
    for data in fuzzing.sound_seeds().values():
        with contextlib.suppress(errors.FormatUnsupported):
            found.add(Recording.from_bytes(data).format)
    assert found == (FORMATS if has_av() else FORMATS - NEEDS_AV)


@pytest.mark.parametrize(
    ("name", "seed"),
    [("exported folders", 540_012), ("exported folders", 1_080_009), ("ledgers", 169), ("budget tables", 327)],
)
def test_what_a_long_run_found_stays_fixed(name, seed) -> None:
    """A table that pyarrow gives up on, texts that are no UTF-8, a limit of 0 that never let a forecast end."""
    fuzzing.run_seed(next(each for each in fuzzing.TARGETS if each.name == name), seed)
