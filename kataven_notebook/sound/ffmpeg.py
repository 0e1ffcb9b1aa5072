"""Formats that libsndfile can't read, by the extra `[av]`: FFmpeg, limited to the format that the bytes indicate."""

from __future__ import annotations

import contextlib
import importlib.util
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from kataven_notebook.errors import FormatUnsupported, MissingExtra, RecordingCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

# Formats that FFmpeg knows by another name.
_DEMUXERS = {"m4a": "mov", "webm": "matroska", "wma": "asf"}


def has_av() -> bool:
    """Whether the extra `[av]` is installed."""
    return importlib.util.find_spec("av") is not None


def probe(file: BinaryIO, kind: str, session_id: str | None) -> tuple[str, int, int, int]:
    """Return codec, sample rate, channels and frames of a sound file.

    Raises
    ------
    RecordingCorrupt
        The file can't be read.
    FormatUnsupported
        The extra is not installed.
    """
    with _opened(file, kind, session_id) as (container, stream):
        rate, channels, codec = int(stream.rate or 0), int(stream.channels or 0), stream.codec_context.name
        if stream.duration and stream.time_base:
            duration_s = float(stream.duration * stream.time_base)
        elif container.duration:
            duration_s = container.duration / 1e6
        else:
            # A live recording in WebM has no length in its header: the end of its last packet is the length.
            ends = [
                float((p.pts + (p.duration or 0)) * p.time_base) for p in container.demux(stream) if p.pts is not None
            ]
            duration_s = max(ends, default=0.0)
        return codec, rate, channels, round(duration_s * rate)


def pieces(file: BinaryIO, kind: str, channels: int, session_id: str | None) -> Iterator[Samples]:
    """Decode in pieces of `(n, channels)` float32, as long as the decoder makes them.

    Raises
    ------
    RecordingCorrupt
        The decoder fails, or the number of channels changes; what was yielded before is good.
    FormatUnsupported
        The extra is not installed.
    """
    with _opened(file, kind, session_id) as (container, stream):
        for decoded in container.decode(stream):
            array = decoded.to_ndarray()
            planar = array if decoded.format.is_planar else array.reshape(-1, len(decoded.layout.channels)).T
            if len(planar) != channels:
                raise RecordingCorrupt(
                    f"the {kind} file changes from {channels} to {len(planar)} channels in the middle",
                    session_id=session_id,
                )
            if planar.dtype.kind == "f":
                yield np.ascontiguousarray(planar.T, dtype=np.float32)
            else:
                middle = 128.0 if planar.dtype.kind == "u" else 0.0
                scale = float(1 << (8 * planar.dtype.itemsize - 1))
                yield np.ascontiguousarray((planar.T.astype(np.float32) - middle) / scale, dtype=np.float32)


@contextlib.contextmanager
def _opened(file: BinaryIO, kind: str, session_id: str | None) -> Iterator[tuple[Any, Any]]:
    av = _import_av(kind, session_id)
    try:
        # Without a given format FFmpeg guesses, and takes a few lines of text for a network stream to listen to,
        # or for a list of URLs to fetch. The whitelist keeps formats that name other files from opening them.
        with av.open(
            file,
            mode="r",
            format=_DEMUXERS.get(kind, kind),
            options={"protocol_whitelist": "none"},
            **_lenient(av),
        ) as container:
            if not container.streams.audio:
                raise RecordingCorrupt(f"the {kind} file holds no audio", session_id=session_id)
            yield container, container.streams.audio[0]
    except (av.FFmpegError, EOFError, ValueError, AttributeError, ArithmeticError) as error:
        # A stream of an unknown codec has no rate at all, which is an AttributeError.
        if isinstance(error, RecordingCorrupt):
            raise
        raise RecordingCorrupt(
            f"the {kind} file can't be decoded: {type(error).__name__}", session_id=session_id
        ) from None


def _lenient(av: Any) -> dict[str, str]:
    # Names of songs in other encodings than UTF-8 spoil no sound; from PyAV 19 on this is not even asked.
    return {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}


def _import_av(kind: str, session_id: str | None) -> Any:
    if not has_av():
        needs = MissingExtra.of("av", f"decoding {kind}")
        raise FormatUnsupported(f"libsndfile can't read it: {needs}", session_id=session_id)
    import av  # noqa: PLC0415 - an extra, and slow to import

    return av
