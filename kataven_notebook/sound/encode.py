"""From samples to encoded bytes: in the width that the sound needs, and no wider."""

from __future__ import annotations

import functools
import io
import itertools
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import soundfile as sf

from kataven_notebook.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

# What can be written: the container, and the codec where it holds no whole numbers.
CONTAINERS: Mapping[str, tuple[str, str | None]] = {
    "wav": ("WAV", None),
    "flac": ("FLAC", None),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
_RATES: Mapping[str, tuple[int, ...]] = {
    "mp3": (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "opus": (8_000, 12_000, 16_000, 24_000, 48_000),
}
# libvorbis crashes above its rate, and takes the process along.
_MOST_HZ: Mapping[str, int] = {"ogg": 192_000, "flac": 655_350}
_MOST_CHANNELS: Mapping[str, int] = {"mp3": 2, "flac": 8}
# libvorbis keeps what it is given on its stack, and a process that gives it minutes at once is gone.
_FRAMES_AT_ONCE = 8_192
MOST_FLAC_BITS = 24
_WIDTHS = (8, 16, 24, 32)
# Before the first chunk of samples, whatever the number of channels.
_WAV_HEAD_BYTES = 64
# Lossless ones that do not say in their name how many bits they hold.
_WIDE_CODECS = frozenset({"flac", "alac"})


def bits_of(codec: str) -> int | None:
    """Return how many bits a sample of a codec needs where it is written without loss, or None for floats.

    What lossy codecs and those of telephony decode to is worth 16.

    Examples
    --------
    >>> bits_of("pcm_24"), bits_of("ulaw"), bits_of("mp3"), bits_of("float")
    (24, 16, 16, None)
    """
    if codec in ("float", "double") or codec.startswith("pcm_f"):
        return None
    stated = re.match(r"pcm_[su]?(\d+)", codec)
    bits = int(stated[1]) if stated else 24 if codec in _WIDE_CODECS else 16
    return next((each for each in _WIDTHS if each >= bits), _WIDTHS[-1])


def as_wav(samples: Samples, sample_rate: int, bits: int | None) -> tuple[bytes, bool]:
    """Return a WAV file that decodes to exactly `samples`, and whether they fit into `bits`.

    Parameters
    ----------
    samples
        `(frames, channels)` float32.
    sample_rate
        Frames a second, Hz.
    bits
        Of a sample of the sound that they were made of; None, and whatever does not fit, is written as floats.
    """
    whole = None if bits is None else _whole(samples, bits)
    file = io.BytesIO()
    if whole is None:
        sf.write(file, samples, sample_rate, format="WAV", subtype="FLOAT")
        _take_out_the_time(file)
    else:
        assert bits is not None  # noqa: S101 - whole numbers were made of it
        sf.write(file, _left_justified(whole, bits), sample_rate, format="WAV", subtype=_pcm("WAV", bits))
    return file.getvalue(), whole is not None


def as_flac(samples: Samples, sample_rate: int, bits: int | None) -> tuple[bytes, bool]:
    """Return a FLAC file of the samples, rounded to `bits`, at most 24; what it can't hold, `lack_of` says."""
    file = io.BytesIO()
    write(file, [samples], "flac", sample_rate, samples.shape[1], bits=bits)
    return file.getvalue(), True


def _take_out_the_time(file: io.BytesIO) -> None:
    """Let the same samples be the same bytes at any time: libsndfile notes when it has looked for the peak."""
    with file.getbuffer() as data:
        # Chunk name, size and version; then the time.
        at = bytes(data[:_WAV_HEAD_BYTES]).find(b"PEAK")
        if at >= 0:
            data[at + 12 : at + 16] = bytes(4)


def lack_of(kind: str, sample_rate: int, channels: int = 1) -> str | None:
    """Return why a format can't hold sound of a rate and so many channels, or None where it can.

    Examples
    --------
    >>> lack_of("mp3", 16_000), lack_of("mp3", 3_000)
    (None, "mp3 can't hold 3,000 Hz")
    """
    if sample_rate not in _RATES.get(kind, (sample_rate,)) or sample_rate > _MOST_HZ.get(kind, sample_rate):
        return f"{kind} can't hold {sample_rate:,} Hz"
    if channels > _MOST_CHANNELS.get(kind, channels):
        return f"{kind} can't hold more than {_MOST_CHANNELS[kind]} channels"
    return None


def write(
    file: BinaryIO,
    blocks: Iterable[Samples],
    kind: str,
    sample_rate: int,
    channels: int,
    *,
    bits: int | None,
    compression: float | None = None,
) -> int:
    """Encode sound into a file, and return how many frames it was.

    Parameters
    ----------
    file
        Where to; it can be written and searched.
    blocks
        `(n, channels)` float32 each. What lies beyond full scale is limited, and NaN is silence, but in a WAV file
        of floats.
    kind, sample_rate, channels
        One of `CONTAINERS`, and what `lack_of` finds nothing against.
    bits
        Of a sample where the format holds whole numbers; None for floats, or 24 bits where it has none.
    compression
        How far a lossy format is to go at a constant bit rate, from 0 to below 1; by default as its encoder does, at
        a varying one.

    Raises
    ------
    ConfigurationError
        The encoder refuses such sound.
    OSError
        The file can't be written.
    """
    encode = functools.partial(
        _encoded, file, kind=kind, sample_rate=sample_rate, channels=channels, bits=bits, compression=compression
    )
    if threading.current_thread() is not threading.main_thread():
        return encode(blocks)
    # Ctrl-C comes up in the main thread, and in one of libsndfile's calls back it would be lost, with what was written.
    stopped = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(encode, itertools.takewhile(lambda _: not stopped.is_set(), blocks)).result()
        finally:
            stopped.set()


def _encoded(
    file: BinaryIO,
    blocks: Iterable[Samples],
    *,
    kind: str,
    sample_rate: int,
    channels: int,
    bits: int | None,
    compression: float | None,
) -> int:
    container, codec = CONTAINERS[kind]
    if codec is None and kind == "flac":
        bits = min(bits or MOST_FLAC_BITS, MOST_FLAC_BITS)
    subtype = codec or ("FLOAT" if bits is None else _pcm(container, bits))
    sink = _Sink(file)
    frames = 0
    how = {} if compression is None else {"compression_level": compression, "bitrate_mode": "CONSTANT"}
    try:
        with sf.SoundFile(sink, "w", sample_rate, channels, subtype=subtype, format=container, **how) as sound:
            for block in blocks:
                for start in range(0, len(block), _FRAMES_AT_ONCE):
                    sound.write(_as_written(block[start : start + _FRAMES_AT_ONCE], subtype, bits))
                frames += len(block)
    except sf.LibsndfileError as error:
        reason = str(error.error_string).rstrip(". ")
        raise ConfigurationError(
            f"{kind} can't hold {channels} channels at {sample_rate:,} Hz ({reason}): choose WAV"
        ) from None
    if sink.failure is not None:
        raise sink.failure
    return frames


class _Sink:
    """A file that keeps the first failure for later, as an exception can't pass through libsndfile."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write, or, after a failure, do as if."""
        try:
            if self.failure is None:
                self._file.write(data)
        except OSError as error:
            self.failure = error
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, which may write what is held back, and return the position."""
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            self.failure = self.failure or error
            return 0

    def tell(self) -> int:
        """Return the position."""
        return 0 if self.failure is not None else self._file.tell()


def _as_written(block: Samples, subtype: str, bits: int | None) -> npt.NDArray[np.int32] | Samples:
    if subtype == "FLOAT":
        return block
    limited = np.nan_to_num(block.astype(np.float64), nan=0.0)
    if bits is None or not subtype.startswith("PCM"):
        return limited.clip(-1.0, 1.0).astype(np.float32)
    limit = 2.0 ** (bits - 1)
    return _left_justified(np.rint(limited * limit).clip(-limit, limit - 1).astype(np.int32), bits)


def _whole(samples: Samples, bits: int) -> npt.NDArray[np.int32] | None:
    """Return samples as whole numbers of so many bits, or None where that would change one."""
    scaled = samples.astype(np.float64) * 2.0 ** (bits - 1)
    limit = 2.0 ** (bits - 1)
    # NaN is in no range.
    if not bool(np.all((scaled >= -limit) & (scaled < limit) & (scaled == np.rint(scaled)))):
        return None
    return scaled.astype(np.int32)


def _left_justified(whole: npt.NDArray[np.int32], bits: int) -> npt.NDArray[np.int32]:
    """Return the numbers as libsndfile takes them for every width, which scales nothing then."""
    return np.left_shift(whole, 32 - bits)


def _pcm(container: str, bits: int) -> str:
    if bits > 8:
        return f"PCM_{bits}"
    return "PCM_U8" if container == "WAV" else "PCM_S8"
