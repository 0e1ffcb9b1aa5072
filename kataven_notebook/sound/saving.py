"""Writes a recording to a file of the user's choice: unchanged where it can be, and whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import ConfigurationError, KatavenError, RecordingCorrupt, StoreError
from kataven_notebook.machine.folders import atomic
from kataven_notebook.sound.decode import check_decoded
from kataven_notebook.sound.encode import CONTAINERS, lack_of, write

if TYPE_CHECKING:
    from kataven_notebook.sound.recording import Recording

# Other endings of the same formats.
_ALSO = {"wave": "wav", "oga": "ogg", "aif": "aiff", "aifc": "aiff", "snd": "au", "mp4": "m4a", "weba": "webm"}


def save(
    recording: Recording, path: str | os.PathLike[str], *, bits: int | None, is_computed: bool, made_of: str | None
) -> Path:
    """Write `recording` to `path`, in the format of its ending, as `Recording.save` says.

    Parameters
    ----------
    recording, path
        What and where to.
    bits
        Of a sample, where the format holds whole numbers; None for floats.
    is_computed
        The recording is kept as floats, and a file of it needs only `bits`.
    made_of
        The file that the recording is read from, or that it was made of.
    """
    target = absolute_path("path", path)
    kind = _kind(recording, target)
    if target.exists() and not target.is_file():
        what = "a folder: name a file in it" if target.is_dir() else "no plain file: choose another name"
        raise ConfigurationError(f"{target} is {what}")
    is_kept = not is_computed and kind in _kinds_of(recording)
    if made_of is not None and target.exists() and Path(made_of).exists() and target.samefile(made_of):
        if is_kept and recording.path is not None:
            return target  # it is there already
        raise ConfigurationError(f"{target} is the file that the recording is made of: choose another name")
    lack = None if is_kept else lack_of(kind, recording.sample_rate, recording.channels)
    if lack is not None:
        raise ConfigurationError(f"{lack}: resample() it, take a channel(), or choose a name that ends in .wav")
    # Before anything is written: what can't be read is another error than what can't be written.
    data = _unchanged(recording) if is_kept else _readable(recording)
    try:
        # A link stays one, and the file that it leads to is written.
        with atomic(Path(os.path.realpath(target))) as file:
            if is_kept:
                file.write(data)
            else:
                rate, channels = recording.sample_rate, recording.channels
                frames = write(file, recording.near().blocks(), kind, rate, channels, bits=bits)
                check_decoded(frames, recording.frames, recording.info, recording.session_id)
    except KatavenError:
        raise
    except OSError as error:
        raise StoreError(
            f"{target} can't be written ({error.strerror or error}): what was there is as it was; make room, or "
            "choose another folder"
        ) from None
    return target


def _kind(recording: Recording, target: Path) -> str:
    """Return the format that a file's ending names.

    Raises
    ------
    ConfigurationError
        It names none that can be written.
    """
    ending = target.suffix.lower().removeprefix(".")
    kind = _ALSO.get(ending, ending)
    if kind in CONTAINERS or kind in _kinds_of(recording):
        return kind
    good = ", ".join(f".{each}" for each in dict.fromkeys([*CONTAINERS, recording.format]))
    said = f"it ends in .{ending}" if ending else "it has no ending"
    raise ConfigurationError(f"path={str(target)!r} does not say in which format: {said}; choose one of {good}")


def _kinds_of(recording: Recording) -> set[str]:
    """Return the formats of which its bytes are a file already."""
    return {recording.format, *(["opus"] if recording.codec == "opus" and recording.format == "ogg" else [])}


def _unchanged(recording: Recording) -> bytes:
    data = recording.encoded()
    if len(data) != recording.size_bytes:
        raise RecordingCorrupt(
            f"its file has {len(data):,} bytes, and had {recording.size_bytes:,} when it was opened: open it again",
            session_id=recording.session_id,
        )
    return data


def _readable(recording: Recording) -> bytes:
    if recording.path is not None:
        with recording.path.open("rb"):
            pass
    return b""
