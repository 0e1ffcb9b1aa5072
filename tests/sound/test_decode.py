"""From bytes to samples: formats known by their bytes, and claims compared with sizes."""

from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest
import soundfile as sf
from tones import RATE, encoded, tone

from kataven_notebook import Recording
from kataven_notebook.errors import DecodeError, RecordingCorrupt

pytestmark = pytest.mark.core

KINDS = [
    ("WAV", "PCM_16", "wav", 1e-4),
    ("WAV", "ULAW", "wav", 0.02),
    ("WAV", "ALAW", "wav", 0.02),
    ("WAV", "FLOAT", "wav", 0.0),
    ("WAV", "MS_ADPCM", "wav", 0.1),
    ("FLAC", "PCM_16", "flac", 1e-4),
    ("OGG", "VORBIS", "ogg", 0.15),
    ("OGG", "OPUS", "ogg", 0.15),
    ("MP3", "MPEG_LAYER_III", "mp3", 0.2),
    ("AIFF", "PCM_16", "aiff", 1e-4),
    ("AU", "ULAW", "au", 0.02),
    ("CAF", "PCM_16", "caf", 1e-4),
    ("W64", "PCM_16", "w64", 1e-4),
]


@pytest.mark.parametrize(("kind", "subtype", "name", "error"), KINDS, ids=[f"{k}-{s}" for k, s, *_ in KINDS])
def test_what_telephony_makes_is_decoded_as_it_was(kind: str, subtype: str, name: str, error: float) -> None:
    """Rate, channels, length and samples come back, within the loss of the codec."""
    sound = tone()
    recording = Recording.from_bytes(encoded(sound, kind, subtype), session_id="s1")
    assert (recording.format, recording.sample_rate, recording.channels) == (name, RATE, 2)
    assert recording.duration_s == pytest.approx(2.0, abs=0.15)
    samples = recording.samples
    assert samples.dtype == np.float32
    assert samples.shape == (recording.frames, 2)
    middle = slice(RATE // 2, RATE)
    assert np.abs(samples[middle] - sound[middle]).max() <= error + 1e-7 or name == "mp3"
    loudest = np.abs(np.fft.rfft(samples[:RATE], axis=0)).argmax(axis=0)
    assert loudest.tolist() == pytest.approx([300, 500], abs=2)
    recording.verify()
    recording.verify(full=True)


def test_an_mp3_that_does_not_state_its_length_is_counted() -> None:
    """Without a Xing header a guess from the bit rate was more than twice the truth."""
    data = encoded(np.concatenate([tone(3, 1) * 0, tone(3, 1)]), "MP3", "MPEG_LAYER_III")
    mark = max(data.find(b"Xing"), data.find(b"Info"))
    assert mark > 0
    start = mark
    while not (data[start] == 0xFF and data[start + 1] & 0xE0 == 0xE0):
        start += 1
    assert Recording.from_bytes(data[start:]).duration_s == pytest.approx(6.0, abs=0.2)


@pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_16"), ("WAV", "ULAW"), ("FLAC", "PCM_16")])
def test_a_file_that_is_cut_short_is_corrupt(kind: str, subtype: str) -> None:
    """Also where the decoder would read what is there without a word."""
    data = encoded(tone(4), kind, subtype)
    with pytest.raises(RecordingCorrupt, match=r"cut short|breaks off|opened"):
        Recording.from_bytes(data[: len(data) // 2]).verify()


@pytest.mark.parametrize("full", [False, True])
def test_sound_that_ends_before_its_stated_length_is_corrupt(full: bool) -> None:  # noqa: FBT001 - a parameter
    """An MP3 states its length at its beginning, and its decoder ends without an error where the file ends."""
    data = encoded(tone(4), "MP3", "MPEG_LAYER_III")
    recording = Recording.from_bytes(data[: len(data) // 2])
    assert recording.duration_s == pytest.approx(4.0, abs=0.2)
    with pytest.raises(RecordingCorrupt, match=r"cut short: .* promises"):
        recording.verify(full=full)


def test_a_streamed_wav_without_its_length_is_read() -> None:
    """Writers that stream leave a sentinel where the length belongs."""
    data = bytearray(encoded(tone(), "WAV", "PCM_16"))
    at = data.find(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", 0xFFFFFFFF)
    assert Recording.from_bytes(bytes(data)).duration_s == pytest.approx(2.0, abs=0.01)


def header(*, channels: int = 1, rate: int = RATE, data_bytes: int = 900, claimed: int | None = None) -> bytes:
    """A WAV file of our own making, whatever it claims."""
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * channels * 2, channels * 2 % 65536, 16)
    body = struct.pack("<4sI", b"data", data_bytes if claimed is None else claimed) + bytes(data_bytes)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(fmt) + len(body), b"WAVE") + fmt + body


@pytest.mark.parametrize(
    "data",
    [
        header(channels=1_000),
        header(rate=4_000_000),
        header(claimed=2_000_000_000),
        header(data_bytes=0, claimed=0),
        header()[:30],
    ],
    ids=["1000 channels", "4 MHz", "2 GB in 1 KB", "no sound", "no data"],
)
def test_absurd_claims_are_refused_before_memory_is_taken(data: bytes) -> None:
    """A kilobyte that claims gigabytes costs no more than a megabyte to refuse."""
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            Recording.from_bytes(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_flac_that_claims_hours_in_a_kilobyte_is_refused() -> None:
    """Its header's frame count is held against the size of the file."""
    data = bytearray(encoded(tone(0.05, 1), "FLAC", "PCM_16"))
    data[21] |= 0x0F  # the upper bits of the 36-bit number of frames
    data[22:26] = b"\xff" * 4
    with pytest.raises(RecordingCorrupt, match="can't hold"):
        Recording.from_bytes(bytes(data))


def silence(rate: int, channels: int, seconds: int) -> bytes:
    """Packed into next to nothing."""
    file = io.BytesIO()
    with sf.SoundFile(file, "w", rate, channels, format="FLAC", subtype="PCM_16") as sound:
        for _ in range(seconds):
            sound.write(np.zeros((rate, channels), np.int16))
    return file.getvalue()


def test_silence_at_an_absurd_rate_is_refused() -> None:
    """A few kilobytes, of which each second would be 20 MB."""
    with pytest.raises(RecordingCorrupt, match="8 channels at 655350 Hz"):
        Recording.from_bytes(silence(655_350, 8, 2))


def test_a_full_look_takes_little_memory_whatever_the_rate() -> None:
    """Half a minute of the most that is allowed would be 370 MB."""
    recording = Recording.from_bytes(silence(384_000, 8, 20))
    tracemalloc.start()
    recording.verify(full=True)
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_16"), ("AIFF", "PCM_16"), ("CAF", "PCM_16")])
def test_a_file_that_lost_its_end_after_it_was_opened_is_corrupt(tmp_path, kind, subtype, full) -> None:
    """Formats that count frames exactly may lack none: here a tenth of a second."""
    data = encoded(tone(4), kind, subtype)
    file = tmp_path / "call"
    file.write_bytes(data)
    recording = Recording.from_file(file)
    with file.open("r+b") as opened:
        opened.truncate(len(data) - RATE // 10 * 4)
    with pytest.raises(RecordingCorrupt, match=r"cut short: .* promises"):
        recording.verify(full=full)
