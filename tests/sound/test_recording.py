"""`Recording`: formats known by their bytes, claims held against sizes, sound as it was."""

from __future__ import annotations

import io
import json
import pickle
import socket
import struct
import threading
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from kataven_notebook import Recording
from kataven_notebook.errors import DecodeError, FormatUnsupported, RecordingCorrupt

pytestmark = pytest.mark.core
RATE = 8_000


def tone(seconds: float = 2.0, channels: int = 2, rate: int = RATE) -> np.ndarray:
    """A different sine on each channel."""
    t = np.arange(round(seconds * rate)) / rate
    return np.column_stack([0.5 * np.sin(2 * np.pi * (300 + 200 * c) * t) for c in range(channels)]).astype(np.float32)


def encoded(samples: np.ndarray, kind: str, subtype: str, rate: int = RATE) -> bytes:
    """The bytes of a sound file."""
    file = io.BytesIO()
    sf.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


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


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<html><body>Not found</body></html>", "HTML"),
        (b'<?xml version="1.0"?><Error/>', "XML"),
        (b'{"error": 1}', "JSON"),
        (bytes(4_000), "zero bytes"),
        (b"hello, this is no sound at all", "not audio"),
    ],
)
def test_what_is_no_audio_is_named_for_what_it_is(data: bytes, says: str) -> None:
    """The error says what the bytes look like."""
    with pytest.raises(RecordingCorrupt, match=says):
        Recording.from_bytes(data)


@pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_16"), ("WAV", "ULAW"), ("FLAC", "PCM_16")])
def test_a_file_that_is_cut_short_is_corrupt(kind: str, subtype: str) -> None:
    """Also where the decoder would read what is there without a word."""
    data = encoded(tone(4), kind, subtype)
    with pytest.raises(RecordingCorrupt, match=r"cut short|breaks off|opened"):
        Recording.from_bytes(data[: len(data) // 2]).verify()


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


def test_blocks_join_to_the_whole_and_overlap_as_asked() -> None:
    """Every frame comes once, plus the overlap."""
    recording = Recording.from_samples(tone(2.3), RATE)
    blocks = list(recording.blocks(0.5))
    assert {len(block) for block in blocks[:-1]} == {RATE // 2}
    assert np.array_equal(np.concatenate(blocks), recording.samples)
    overlapping = list(recording.blocks(0.5, overlap_s=0.1))
    assert all(np.array_equal(a[-800:], b[:800]) for a, b in pairwise(overlapping))
    assert np.array_equal(np.concatenate([overlapping[0], *(b[800:] for b in overlapping[1:])]), recording.samples)


def test_an_hour_in_blocks_needs_no_more_memory_than_a_minute() -> None:
    """Only one block is in memory at a time."""
    silence = np.zeros((RATE * 600, 2), dtype=np.int16)
    recording = Recording.from_bytes(encoded(silence, "FLAC", "PCM_16"))
    del silence
    tracemalloc.start()
    frames = sum(len(block) for block in recording.blocks(10.0))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames == 600 * RATE
    assert peak_bytes < 5 << 20


def test_parts_are_recordings_too() -> None:
    """A channel, the mean, a part and another rate, each with the right sound."""
    sound = tone()
    recording = Recording.from_samples(sound, RATE, session_id="s1")
    assert np.array_equal(recording.channel(1).samples[:, 0], sound[:, 1])
    assert np.array_equal(recording.channel(-1).samples, recording.channel(1).samples)
    assert np.allclose(recording.mono().samples[:, 0], sound.mean(axis=1), atol=1e-6)
    assert np.array_equal(recording.slice(0.5, 1.0).samples, sound[4_000:8_000])
    assert recording.slice(1.5, 99).duration_s == pytest.approx(0.5)
    doubled = recording.resample(16_000)
    assert (doubled.sample_rate, doubled.frames) == (16_000, 32_000)
    assert np.abs(np.fft.rfft(doubled.samples[:16_000, 0])).argmax() == pytest.approx(300, abs=1)
    assert doubled.session_id == "s1"
    assert recording.resample(RATE) is recording


def test_wrong_arguments_are_named() -> None:
    """An IndexError or ValueError says what was wrong."""
    recording = Recording.from_samples(tone(), RATE)
    with pytest.raises(IndexError, match="channel 2: there are 2"):
        recording.channel(2)
    with pytest.raises(ValueError, match="nothing lies between"):
        recording.slice(5, 6)
    with pytest.raises(ValueError, match="sample_rate=0"):
        recording.resample(0)
    with pytest.raises(ValueError, match="block_s"):
        next(recording.blocks(0))
    with pytest.raises(ValueError, match="at least one frame"):
        Recording.from_samples(np.zeros((0, 2)), RATE)


def test_pandas_keeps_it_whole_and_it_shows_no_sound() -> None:
    """No length, no sequence; repr and JSON hold no sample; equality is identity."""
    recording = Recording.from_samples(tone(), RATE)
    frame = pd.DataFrame({"audio": [recording, None]})
    assert frame.loc[0, "audio"] is recording
    assert not hasattr(recording, "__len__")
    assert not hasattr(recording, "__array__")
    assert repr(recording) == "<Recording 2.0 s, 8000 Hz, 2 channels, wav>"
    assert recording == recording  # noqa: PLR0124 - identity is the point
    assert recording != Recording.from_bytes(recording.encoded())
    assert len(frame.to_html()) < 2_000
    with pytest.raises((TypeError, OverflowError, ValueError)):
        json.dumps(recording)


def test_it_pickles_as_its_path_where_it_has_one(tmp_path) -> None:
    """Sound is not copied about between processes that share a disk."""
    path = tmp_path / "call.wav"
    path.write_bytes(encoded(tone(), "WAV", "PCM_16"))
    filed = Recording.from_file(path, session_id="s1")
    assert len(pickle.dumps(filed)) < 1_000
    again = pickle.loads(pickle.dumps(filed))  # noqa: S301 - our own
    assert (again.path, again.session_id) == (path, "s1")
    assert np.array_equal(again.samples, filed.samples)
    held = Recording.from_bytes(path.read_bytes())
    assert pickle.loads(pickle.dumps(held)).encoded() == path.read_bytes()  # noqa: S301 - our own


def av_encoded(container: str, codec: str, rate: int) -> bytes:
    """Sound that libsndfile can't read."""
    av = pytest.importorskip("av")
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone(2, 2, rate).T), format="fltp", layout="stereo")
        frame.sample_rate = rate
        fifo = av.AudioFifo()
        fifo.write(frame)
        while (piece := fifo.read(stream.codec_context.frame_size or 1024)) is not None:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("container", "codec", "rate", "name"),
    [("mp4", "aac", 16_000, "m4a"), ("webm", "libopus", 48_000, "webm"), ("adts", "aac", 16_000, "aac")],
)
def test_the_av_extra_decodes_what_libsndfile_cannot(container: str, codec: str, rate: int, name: str) -> None:
    """AAC and WebM come out as sound of the right pitch, channels apart."""
    recording = Recording.from_bytes(av_encoded(container, codec, rate))
    assert (recording.format, recording.sample_rate, recording.channels) == (name, rate, 2)
    assert recording.duration_s == pytest.approx(2.0, abs=0.2)
    recording.verify()
    middle = recording.samples[rate // 2 : rate // 2 + rate]
    assert np.abs(np.fft.rfft(middle, axis=0)).argmax(axis=0).tolist() == pytest.approx([300, 500], abs=2)


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


HEADS = {"m4a": b"<!--ftypjp2 ", "aac": b"\xff\xf1", "webm": b"\x1aE\xdf\xa3", "wma": b"0&\xb2u"}
DESCRIPTION = "\nv=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n"


@pytest.mark.skipif(not Path("/proc/net/udp").exists(), reason="Linux tells there which ports are open")
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_recording_can_not_open_a_connection(head: bytes) -> None:
    """Text that describes a stream of the network, behind the first bytes of a sound file, is refused."""
    pytest.importorskip("av")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1] & ~1
    refused: list[RecordingCorrupt] = []

    def read() -> None:
        try:
            Recording.from_bytes(head + DESCRIPTION.format(port=port).encode())
        except RecordingCorrupt as error:
            refused.append(error)

    # It would wait for what never comes.
    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    while reading.is_alive():
        assert f":{port:04X} " not in Path("/proc/net/udp").read_text(encoding="ascii")
        reading.join(0.02)
    assert len(refused) == 1


def test_without_the_av_extra_the_error_names_it(monkeypatch) -> None:
    """Unsupported, with the command that helps."""
    monkeypatch.setattr("kataven_notebook.sound.ffmpeg.has_av", lambda: False)
    with pytest.raises(FormatUnsupported, match=r'pip install "kataven-notebook\[av\]"'):
        Recording.from_bytes(b"\x00\x00\x00\x20ftypM4A " + bytes(100))


def test_errors_name_the_session() -> None:
    """Whoever reads a traceback sees which call it was."""
    with pytest.raises(RecordingCorrupt, match="session 's42'"):
        Recording.from_bytes(b"", session_id="s42")
