"""FFmpeg: what libsndfile can't read is decoded, and nothing else is opened."""

from __future__ import annotations

import io
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from tones import amr, encoded, tone

from kataven_notebook import Recording
from kataven_notebook.errors import FormatUnsupported, RecordingCorrupt
from kataven_notebook.sound import ffmpeg

pytestmark = pytest.mark.core


def av_encoded(container: str, codec: str, rate: int) -> bytes:
    """Sound that libsndfile can't read."""
    av = pytest.importorskip("av")
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, layout="stereo")
        stream.bit_rate = 64_000  # WMA has no default
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
    [
        ("mp4", "aac", 16_000, "m4a"),
        ("webm", "libopus", 48_000, "webm"),
        ("adts", "aac", 16_000, "aac"),
        ("asf", "wmav2", 16_000, "wma"),
    ],
)
def test_the_av_extra_decodes_what_libsndfile_cannot(container: str, codec: str, rate: int, name: str) -> None:
    """AAC, WebM and WMA come out as sound of the right pitch, channels apart."""
    recording = Recording.from_bytes(av_encoded(container, codec, rate))
    assert (recording.format, recording.sample_rate, recording.channels) == (name, rate, 2)
    assert recording.duration_s == pytest.approx(2.0, abs=0.2)
    recording.verify()
    middle = recording.samples[rate // 2 : rate // 2 + rate]
    assert np.abs(np.fft.rfft(middle, axis=0)).argmax(axis=0).tolist() == pytest.approx([300, 500], abs=2)


def test_the_av_extra_decodes_amr() -> None:
    """A hundred frames of 20 ms are two seconds of one channel at 8 kHz."""
    pytest.importorskip("av")
    recording = Recording.from_bytes(amr(100))
    assert (recording.format, recording.sample_rate, recording.channels) == ("amr", 8_000, 1)
    assert recording.duration_s == pytest.approx(2.0)
    recording.verify(full=True)
    assert np.abs(recording.samples).max() > 0.01


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


def test_sound_of_another_format_than_its_first_bytes_is_refused() -> None:
    """FFmpeg looks further than the first bytes, and would choose any of its formats."""
    pytest.importorskip("av")
    with pytest.raises(RecordingCorrupt, match="the wma file can't be decoded"):
        Recording.from_bytes(HEADS["wma"] + encoded(tone(), "MP3", "MPEG_LAYER_III"))


def test_a_format_that_names_other_files_opens_none(tmp_path) -> None:
    """A playlist would play a file of this machine: that FFmpeg can follow it is seen first."""
    av = pytest.importorskip("av")
    other = tmp_path / "other.mp3"
    other.write_bytes(encoded(tone(), "MP3", "MPEG_LAYER_III"))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{other}\n#EXT-X-ENDLIST\n".encode()
    with av.open(io.BytesIO(playlist), format="hls") as followed:
        assert followed.streams.audio
    with pytest.raises(RecordingCorrupt, match="the hls file can't be decoded"):
        ffmpeg.probe(io.BytesIO(playlist), "hls", None)
