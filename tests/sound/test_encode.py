"""What is made of sound has the width that the sound needs, and the samples that it had."""

from __future__ import annotations

import io
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile as sf
from tones import RATE, encoded, tone

from kataven_notebook import Recording
from kataven_notebook.sound.encode import as_wav, bits_of, write

pytestmark = pytest.mark.core


def whole(data: bytes) -> np.ndarray:
    """The samples as the file's whole numbers, 32 bits wide."""
    return sf.read(io.BytesIO(data), dtype="int32", always_2d=True)[0]


def noise(channels: int = 2) -> np.ndarray:
    """A second in which every 16-bit number up to full scale may stand, both ends included."""
    sound = np.random.default_rng(0).integers(-(1 << 31), (1 << 31) - 1, (RATE, channels), np.int32)
    sound[:2] = [[-(1 << 31)] * channels, [(1 << 31) - 1] * channels]
    return sound


@pytest.mark.parametrize(
    ("container", "subtype", "codec"),
    [
        ("WAV", "PCM_U8", "pcm_u8"),
        ("WAV", "PCM_16", "pcm_16"),
        ("WAV", "PCM_24", "pcm_24"),
        ("FLAC", "PCM_S8", "pcm_u8"),
        ("FLAC", "PCM_16", "pcm_16"),
        ("FLAC", "PCM_24", "pcm_24"),
        ("AIFF", "PCM_16", "pcm_16"),
        ("CAF", "PCM_24", "pcm_24"),
        ("AU", "PCM_S8", "pcm_u8"),
        ("WAV", "ULAW", "pcm_16"),
        ("AU", "ALAW", "pcm_16"),
        ("WAV", "IMA_ADPCM", "pcm_16"),
        ("WAV", "MS_ADPCM", "pcm_16"),
    ],
)
def test_parts_and_channels_are_the_same_whole_numbers_in_their_own_width(container, subtype, codec) -> None:
    """Bit by bit, up to full scale; mu-law and A-law are 16 bits."""
    data = encoded(noise(), container, subtype)
    recording = Recording.from_bytes(data)
    part, channel = recording.slice(0.25, 0.75), recording.channel(1)
    assert (part.format, part.codec, channel.codec) == ("wav", codec, codec)
    assert np.array_equal(whole(part.encoded()), whole(data)[2_000:6_000])
    assert np.array_equal(whole(channel.encoded()), whole(data)[:, [1]])
    again = part.channel(0).slice(0, 0.1)
    assert again.codec == codec
    assert np.array_equal(whole(again.encoded()), whole(data)[2_000:2_800, [0]])


@pytest.mark.parametrize(
    ("data", "codec"),
    [
        (encoded(tone(), "MP3", "MPEG_LAYER_III"), "float"),
        (encoded(tone(), "OGG", "VORBIS"), "float"),
        (encoded(tone(), "WAV", "FLOAT"), "float"),
        (encoded(np.full((RATE, 2), 1.5, np.float32), "WAV", "FLOAT"), "float"),
        (encoded(np.full((RATE, 2), np.nan, np.float32), "WAV", "FLOAT"), "float"),
    ],
    ids=["mp3", "vorbis", "float", "beyond full scale", "nan"],
)
def test_what_whole_numbers_would_change_stays_as_it_was_decoded(data, codec) -> None:
    """Lossy codecs decode to floats, which may lie beyond full scale."""
    recording = Recording.from_bytes(data)
    part = recording.slice(0.25, 0.75)
    assert part.codec == codec
    assert np.array_equal(part.samples, recording.samples[2_000:6_000], equal_nan=True)


def test_what_is_computed_is_whole_only_where_that_loses_nothing() -> None:
    """A mean of equal channels is as whole as they are; any other mean, and another rate, are not."""
    sound = np.random.default_rng(0).integers(-32_768, 32_767, (RATE, 1), np.int16)
    twice = Recording.from_bytes(encoded(np.repeat(sound, 2, axis=1), "WAV", "PCM_16"))
    assert twice.mono().codec == "pcm_16"
    assert np.array_equal(twice.mono().samples, twice.samples[:, :1])
    other = Recording.from_bytes(encoded(np.column_stack([sound, sound[::-1]]), "WAV", "PCM_16"))
    assert np.array_equal(other.mono().samples[:, 0], other.samples.mean(axis=1, dtype=np.float32))
    assert other.mono().codec == other.resample(16_000).codec == "float"


def test_samples_that_were_given_stay_floats() -> None:
    """Also where they would fit into 16 bits, and in their parts."""
    made = Recording.from_samples([0.0, 0.5] * 4_000, RATE)
    assert (made.codec, made.slice(0, 0.5).codec, made.channel(0).codec) == ("float",) * 3


def test_a_part_of_a_bit_width_survives_a_pickle() -> None:
    """As frames are handed to other processes."""
    part = Recording.from_bytes(encoded(noise(), "WAV", "PCM_16")).resample(16_000)
    again = pickle.loads(pickle.dumps(part))  # noqa: S301 - our own
    assert again.encoded() == part.encoded()
    assert again.derived().slice(0, 0.1).codec == "float"


@pytest.mark.parametrize(
    ("codec", "bits"),
    [("pcm_s16le", 16), ("pcm_s24be", 24), ("pcm_f32le", None), ("pcm_mulaw", 16), ("flac", 24), ("double", None)],
)
def test_names_of_other_decoders_say_the_width_too(codec, bits) -> None:
    """Files from a pipe are read by FFmpeg, which has names of its own."""
    assert bits_of(codec) == bits


def test_whole_numbers_that_do_not_fit_are_floats() -> None:
    """A sample of full scale is one more than 16 bits hold."""
    for level in (1.0, 1 / 65_536):
        data, fits = as_wav(np.full((8, 1), level, np.float32), RATE, 16)
        assert not fits
        assert Recording.from_bytes(data).samples[0, 0] == np.float32(level)


def test_minutes_of_vorbis_at_once_do_not_end_the_process() -> None:
    """Libvorbis keeps what it is given on its stack."""
    code = (
        "import io, numpy as np\n"
        "from kataven_notebook.sound.encode import write\n"
        "print(write(io.BytesIO(), [np.zeros((23_040_000, 2), np.float32)], 'ogg', 48_000, 2, bits=16))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "23040000\n"), done.stderr


@pytest.mark.parametrize("channels", [1, 2, 8, 64])
def test_the_same_samples_are_the_same_bytes_at_any_time(channels) -> None:
    """A file of floats notes its peaks and the time at which they were looked for, which would be another checksum."""
    data, _ = as_wav(np.full((80, channels), 0.5, np.float32), RATE, None)
    peak = data.index(b"PEAK")
    assert data[peak + 12 : peak + 16] == bytes(4)
    assert Recording.from_bytes(data).samples.tolist() == [[0.5] * channels] * 80


@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_a_stop_while_sound_is_written_stops(kind: str) -> None:
    """Libsndfile calls back to write, and loses what is raised in there: the stop, and a part of the sound."""

    class Interrupted(io.BytesIO):
        is_stopped = False

        def write(self, data: object) -> int:
            if not self.is_stopped:
                self.is_stopped = True
                signal.raise_signal(signal.SIGINT)
            return super().write(data)  # type: ignore[arg-type] # bytes

    with pytest.raises(KeyboardInterrupt):
        write(Interrupted(), [tone(1.0, 1)] * 3, kind, RATE, 1, bits=None)
