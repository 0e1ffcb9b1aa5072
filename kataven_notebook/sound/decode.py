"""From encoded bytes to samples: whether a file's header can be true, its blocks, and whether it is whole.

The bytes come from the network. So a file's format is read from its first bytes and not from its
name, only formats of telephony reach a decoder, and the claims of a header are compared with the
size of the file before memory is allocated for them.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import soundfile as sf

from kataven_notebook.arguments import is_whole
from kataven_notebook.errors import RecordingCorrupt
from kataven_notebook.sound import ffmpeg
from kataven_notebook.sound.containers import check_whole, id3_bytes, is_streamed
from kataven_notebook.sound.formats import LOSSLESS, NEEDS_AV, describe, sniff
from kataven_notebook.sound.source import open_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

MAX_CHANNELS = 64
MAX_SAMPLE_RATE = 768_000
# Of all channels, a second. Without it a minute of silence, which takes no space in a file, would be gigabytes.
_MAX_SAMPLES_PER_S = MAX_CHANNELS * 48_000
# Digital silence is the densest honest sound: FLAC packs 65,535 frames of it in about 14 bytes.
_MAX_FRAMES_PER_BYTE = 8_192
MAX_DECODED_BYTES = 8 << 30
# The most memory that is allocated at once for what a header claims.
_PIECE_BYTES = 16 << 20
# What libsndfile says of FLAC that does not state its length.
_UNKNOWN_FRAMES = (1 << 63) - 1

_SNDFILE_FORMATS = {
    "WAV": "wav",
    "WAVEX": "wav",
    "RF64": "wav",
    "W64": "w64",
    "FLAC": "flac",
    "OGG": "ogg",
    "MP3": "mp3",
    "AIFF": "aiff",
    "AU": "au",
    "CAF": "caf",
}


@dataclass(frozen=True, slots=True)
class SoundInfo:
    """What a file's header says of its sound."""

    format: str
    codec: str
    sample_rate: int
    channels: int
    frames: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


def probe(source: bytes | Path, session_id: str | None = None) -> SoundInfo:
    """Read a header and compare its claims with the size of the file.

    Raises
    ------
    OSError
        The file can't be opened or read.
    RecordingCorrupt
        Empty, not audio, a header that can't be read, or claims that can't be true.
    FormatUnsupported
        Audio that libsndfile can't read, where the extra `[av]` is not installed.
    """
    with open_bytes(source) as file:
        size_bytes = file.seek(0, io.SEEK_END)
        file.seek(0)
        head = file.read(64)
        kind = sniff(head)
        if kind is None:
            raise RecordingCorrupt(describe(head), session_id=session_id)
        if kind == "wav":
            # libsndfile reads what is there without an error, and a WAV file of two empty chunks for minutes.
            check_whole(file, session_id)
        file.seek(0)
        try:
            info = _probe_sndfile(file, kind) if kind not in NEEDS_AV else None
        except sf.LibsndfileError as error:
            reason = str(error.error_string).rstrip(". ")
            if not re.search("unsupported|unimplemented|unknown", reason, re.IGNORECASE) and not is_streamed(file):
                raise RecordingCorrupt(f"the {kind} file can't be opened: {reason}", session_id=session_id) from None
            info = None
        if info is not None and info.frames == _UNKNOWN_FRAMES:
            info = None  # FLAC that was written to a pipe: libsndfile fails at its end
    if info is None:
        with open_bytes(source) as file:
            codec, rate, channels, frames = ffmpeg.probe(file, kind, session_id)
        info = SoundInfo(kind, codec if kind in NEEDS_AV else f"av:{codec}", rate, channels, frames)
    check_claims(info, size_bytes, session_id)
    return info


def _probe_sndfile(file: BinaryIO, kind: str) -> SoundInfo:
    with sf.SoundFile(file) as sound:
        codec = {"MPEG_LAYER_III": "mp3"}.get(sound.subtype, sound.subtype.lower())
        name, frames = _SNDFILE_FORMATS.get(sound.format, kind), sound.frames
        if name == "mp3" and not _states_length(file):
            # Without a Xing header libsndfile guesses the length from the first bit rate: 49 s for 20 s was seen.
            sound.seek(0)
            pieces = iter(lambda: len(_read(sound, 1 << 18)), 0)
            frames = sum(pieces)
        return SoundInfo(name, codec, sound.samplerate, sound.channels, frames)


def _states_length(file: BinaryIO) -> bool:
    """Whether an MP3 file begins with a header that states its length."""
    position = file.tell()
    file.seek(0)
    file.seek(id3_bytes(file.read(10)))
    first = file.read(256)
    file.seek(position)
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def check_claims(info: SoundInfo, size_bytes: int, session_id: str | None) -> None:
    """Compare what a header says, or whoever noted it, with what a recording of that size can be.

    Raises
    ------
    RecordingCorrupt
        It can't be true.
    """
    if not 1 <= info.channels <= MAX_CHANNELS:
        raise RecordingCorrupt(
            f"the header claims {info.channels} channels; {MAX_CHANNELS} is the most a recording can have here",
            session_id=session_id,
        )
    if not 1 <= info.sample_rate <= MAX_SAMPLE_RATE:
        raise RecordingCorrupt(f"the header claims a sample rate of {info.sample_rate} Hz", session_id=session_id)
    if info.channels * info.sample_rate > _MAX_SAMPLES_PER_S:
        raise RecordingCorrupt(
            f"the header claims {info.channels} channels at {info.sample_rate} Hz, more than a recording can have here",
            session_id=session_id,
        )
    if info.frames < 1:
        raise RecordingCorrupt("the file holds a header and no sound", session_id=session_id)
    # Compared before any decoder sees the number.
    if info.frames > size_bytes * _MAX_FRAMES_PER_BYTE:
        raise RecordingCorrupt(
            f"the header claims {info.frames:,} frames, which {size_bytes:,} bytes can't hold",
            session_id=session_id,
        )


def blocks(
    source: bytes | Path,
    info: SoundInfo,
    block_frames: int,
    *,
    start_frame: int = 0,
    session_id: str | None = None,
) -> Iterator[Samples]:
    """Decode in blocks of `(block_frames, channels)` float32, the last one shorter.

    Raises
    ------
    RecordingCorrupt
        The decoder fails; what was yielded before is good.
    FormatUnsupported
        The format needs the extra `[av]`, which is not installed.
    OSError
        The file can't be opened.
    """
    if info.format in NEEDS_AV or info.codec.startswith("av:"):
        with open_bytes(source) as file:
            pieces = ffmpeg.pieces(file, info.format, info.channels, session_id)
            yield from _rebuffer(pieces, block_frames, start_frame)
        return
    try:
        with open_bytes(source) as file, sf.SoundFile(file) as sound:
            _skip(sound, start_frame)
            while True:
                block = _read(sound, block_frames)
                if not len(block):
                    return
                yield block
    except sf.LibsndfileError as error:
        reason = str(error.error_string).rstrip(". ")
        raise RecordingCorrupt(f"the {info.format} file breaks off: {reason}", session_id=session_id) from None


def _read(sound: sf.SoundFile, frames: int) -> Samples:
    """Read up to `frames`, in pieces: memory is allocated for frames that exist, not for those that a header claims."""
    most = max(1, _PIECE_BYTES // (4 * sound.channels))
    pieces: list[Samples] = []
    while frames > 0:
        claimed = sound.frames - sound.tell() if sound.seekable() else frames
        # In damaged MP3 files the position has been seen behind the end.
        piece = np.empty((min(frames, most, max(claimed, 4_096)), sound.channels), np.float32)
        pieces.append(sound.read(out=piece))
        frames -= len(pieces[-1])
        if len(pieces[-1]) < len(piece):
            break
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _skip(sound: sf.SoundFile, frames: int) -> None:
    if frames and sound.seekable():
        sound.seek(frames)
        return
    # GSM can only be read from its beginning.
    while frames > 0:
        skipped = len(_read(sound, min(frames, 1 << 20)))
        if not skipped:
            return
        frames -= skipped


def read_part(
    source: bytes | Path, info: SoundInfo, first: int, last: int, *, session_id: str | None = None
) -> Samples:
    """Return the frames from `first` to `last`; only these are decoded, and not what comes before them.

    Raises
    ------
    RecordingCorrupt
        The file ends before `first`, or can't be decoded.
    FormatUnsupported, OSError
        As in `blocks`.
    """
    parts: list[Samples] = []
    wanted = last - first
    at_once = min(wanted, 60 * info.sample_rate)
    for block in blocks(source, info, at_once, start_frame=first, session_id=session_id):
        parts.append(block[:wanted])
        wanted -= len(parts[-1])
        if not wanted:
            break
    if not parts:
        raise RecordingCorrupt(
            f"the file ends before {first / info.sample_rate:.1f} s of {info.duration_s:.1f} s", session_id=session_id
        )
    return np.concatenate(parts)


def verify(source: bytes | Path, info: SoundInfo, *, full: bool, session_id: str | None = None) -> None:
    """Compare the length that the container states with the file, decode its ends or everything, and raise for a lack.

    Raises
    ------
    RecordingCorrupt
        A part can't be decoded, or the file ends before its container says so.
    FormatUnsupported
        The format needs the extra `[av]`, which is not installed.
    OSError
        The file can't be opened.
    """
    with open_bytes(source) as file:
        check_whole(file, session_id)
    second = info.sample_rate
    if full or info.frames <= 2 * second or info.format in NEEDS_AV:
        at_once = min(30 * second, _PIECE_BYTES // (4 * info.channels))
        decoded = sum(len(block) for block in blocks(source, info, at_once, session_id=session_id))
        expected = info.frames
    else:
        next(blocks(source, info, second, session_id=session_id), None)
        tail = blocks(source, info, second, start_frame=info.frames - second, session_id=session_id)
        decoded, expected = sum(len(block) for block in tail), second
    check_decoded(decoded, expected, info, session_id)


def check_decoded(frames: int, expected: int, info: SoundInfo, session_id: str | None) -> None:
    """Raise where fewer frames were decoded than a header promises.

    Raises
    ------
    RecordingCorrupt
        The file is cut short.
    """
    # Lossy formats round their length to packets; no packet is as long as a quarter of a second.
    allowed_missing = 0 if info.format in LOSSLESS else info.sample_rate // 4
    if frames < max(1, expected - allowed_missing):
        raise RecordingCorrupt(
            f"the file is cut short: {(expected - frames) / info.sample_rate:.1f} s that its header promises are not "
            "there",
            session_id=session_id,
        )


def _rebuffer(pieces: Iterator[Samples], block_frames: int, skip_frames: int) -> Iterator[Samples]:
    """Yield blocks of one size from a decoder's pieces, which are of any size."""
    held: list[Samples] = []
    count = 0
    for each in pieces:
        piece = each
        if skip_frames:
            dropped = min(skip_frames, len(piece))
            skip_frames -= dropped
            piece = piece[dropped:]
        held.append(piece)
        count += len(piece)
        while count >= block_frames:
            joined = np.concatenate(held)
            yield joined[:block_frames]
            held, count = [joined[block_frames:]], count - block_frames
    if count:
        yield np.concatenate(held)


def check_sample_rate(sample_rate: object) -> int:
    """Return a sample rate in Hz as a whole number.

    Raises
    ------
    ValueError
        It is not a whole number from 1 to 768,000.
    """
    if not is_whole(sample_rate) or not 1 <= sample_rate <= MAX_SAMPLE_RATE:
        raise ValueError(f"sample_rate={sample_rate!r}: pass a whole number from 1 to {MAX_SAMPLE_RATE} Hz")
    return int(sample_rate)


def as_frames(samples: npt.ArrayLike) -> Samples:
    """Return samples as `(frames, channels)` float32.

    Raises
    ------
    ValueError
        No frames, another shape, more than 64 channels, or whole numbers beyond [-1, 1].
    """
    array = np.asarray(samples)
    if array.dtype.kind in "iu" and array.size and max(-int(array.min()), int(array.max())) > 1:
        raise ValueError(
            f"samples of dtype {array.dtype} are whole numbers beyond [-1, 1]: divide 16-bit ones by 32768, "
            "32-bit ones by 2**31"
        )
    array = array.astype(np.float32)
    frames = array[:, np.newaxis] if array.ndim == 1 else array
    if frames.ndim != 2 or not frames.size:
        raise ValueError(f"samples of shape {array.shape}: pass (frames, channels) with at least one frame")
    if frames.shape[1] > MAX_CHANNELS:
        raise ValueError(
            f"samples of shape {array.shape}: {frames.shape[1]:,} channels are too many; pass (frames, channels), for "
            "instance samples.T"
        )
    return frames
