"""Writes recordings as files of a folder: safe names, as recorded or converted, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import soundfile as sf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kataven_notebook.recording import Recording

FOLDER = "audio"
# What is written, and the codec in it: 16 bits are more than telephony has.
ENCODINGS = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "mp3": "MPEG_LAYER_III"}
# Formats that go out as they came; the readers of such folders know no others.
_AS_RECORDED = frozenset({"wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64", "webm", "wma"})
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
# Readers of such folders take these words in a file's name for the name of a split of the data.
_SPLIT_WORDS = re.compile(r"(?i)train|test|eval|val|dev")


def file_stem(session_id: str) -> str:
    """Return the name of a session's file, safe on every file system and the same every time.

    Examples
    --------
    >>> file_stem("agent_01JX7C4V01"), file_stem("test: call/7")
    ('agent_01JX7C4V01', 'call-07c23801da4df5a3')
    """
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,99}", session_id)
    if plain and not _RESERVED.match(session_id) and not _SPLIT_WORDS.search(session_id):
        return session_id
    return "call-" + hashlib.sha256(session_id.encode()).hexdigest()[:16]


@dataclass(slots=True)
class SoundFiles:
    """Writes one recording after the other, and returns the files of each.

    Parameters
    ----------
    folder
        Where to; the files go into its folder `audio`.
    format
        "wav", "flac", "ogg" or "mp3"; None for the bytes as they are, where nothing is converted.
    sample_rate
        What to convert to, Hz, or None.
    channels
        None, "mono" or "split" (a file a channel).
    stems
        The file's name by the identity of the recording, where that is not of its session.
    failure
        The first thing that the file system refused.
    """

    folder: Path
    format: str | None
    sample_rate: int | None
    channels: str | None
    stems: dict[int, str] = field(default_factory=dict)
    failure: OSError | None = None

    def __call__(self, recording: Recording) -> list[str]:
        """Write the files that are not there yet, and return all their names below the folder.

        Raises
        ------
        OSError
            The file system refuses.
        DecodeError
            The sound has to be converted and can't be decoded.
        """
        stem = self.stems.get(id(recording)) or file_stem(recording.session_id or "")
        try:
            if self._keeps(recording):
                name = f"{FOLDER}/{stem}.{recording.format}"
                self._write(name, lambda file: _copy(recording, file), size_bytes=recording.size_bytes)
                return [name]
            return self._converted(recording, stem)
        except OSError as error:
            self.failure = self.failure or error
            raise

    def _keeps(self, recording: Recording) -> bool:
        same_rate = self.sample_rate in (None, recording.sample_rate)
        same_channels = self.channels is None or recording.channels == 1
        same_format = self.format == recording.format if self.format else recording.format in _AS_RECORDED
        return same_rate and same_channels and same_format

    def _converted(self, recording: Recording, stem: str) -> list[str]:
        kind = self.format or "wav"
        whole = recording.mono() if self.channels == "mono" else recording
        parts = [whole]
        names = [f"{FOLDER}/{stem}.{kind}"]
        if self.channels == "split":
            parts = [whole.channel(index) for index in range(whole.channels)]
            names = [f"{FOLDER}/{stem}_{index}.{kind}" for index in range(whole.channels)]
        for name, part in zip(names, parts, strict=True):
            frames = round(part.frames * (self.sample_rate or part.sample_rate) / part.sample_rate)
            self._write(name, self._encoder(part, kind), frames=frames)
        return names

    def _encoder(self, part: Recording, kind: str) -> Callable[[BinaryIO], None]:
        def encode(file: BinaryIO) -> None:
            sound = part.resample(self.sample_rate) if self.sample_rate else part
            # Above full scale, integers would wrap around.
            samples = np.clip(sound.samples, -1.0, 1.0)
            sf.write(file, samples, sound.sample_rate, format=kind.upper(), subtype=ENCODINGS[kind])

        return encode

    def _write(
        self, name: str, fill: Callable[[BinaryIO], None], *, size_bytes: int | None = None, frames: int | None = None
    ) -> None:
        target = self.folder / name
        if _is_there(target, size_bytes, frames):
            return
        with atomic(target) as file:
            fill(file)


def _copy(recording: Recording, file: BinaryIO) -> None:
    file.write(recording.encoded())


def _is_there(target: Path, size_bytes: int | None, frames: int | None) -> bool:
    """Whether an earlier run has written this very file: names appear only when a file is whole."""
    if not target.is_file():
        return False
    if size_bytes is not None:
        return target.stat().st_size == size_bytes
    with contextlib.suppress(sf.LibsndfileError):
        # Lossy codecs pad to whole packets.
        return bool(abs(sf.info(target).frames - (frames or 0)) <= 4_096)
    return False


@contextlib.contextmanager
def atomic(target: Path) -> Iterator[BinaryIO]:
    """Yield a file that gets its name when the block ends well, and never stands there half-written."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(".part", ".", target.parent)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
