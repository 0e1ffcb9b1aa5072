"""Writes recordings as files of a folder: safe names, as recorded or converted, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from kataven_notebook.frame.silences import Silences
from kataven_notebook.machine.folders import atomic
from kataven_notebook.sound.encode import lack_of, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from kataven_notebook.sound.recording import Recording

FOLDER = "audio"
# Hidden, so that other tools pass it over: which sessions are written, a line for each.
_WRITTEN = ".kataven-written.jsonl"
# What is converted to, with 16 bits a sample, which are more than telephony has.
ENCODINGS = ("wav", "flac", "ogg", "mp3")
# Formats that go out as they came; the readers of such folders know no others.
_AS_RECORDED = frozenset({"wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64", "webm", "wma"})
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
# Readers of such folders take these words in a file's name for the name of a split of the data.
_SPLIT_WORDS = re.compile(r"(?i)train|test|eval|val|dev")


def file_stem(session_id: object) -> str:
    """Return the name of a session's file, safe on every file system and the same every time.

    Examples
    --------
    >>> file_stem("agent_01JX7C4V01"), file_stem("test: call/7")
    ('agent_01JX7C4V01', 'call-07c23801da4df5a3')
    """
    plain = isinstance(session_id, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,99}", session_id)
    if plain and not _RESERVED.match(str(session_id)) and not _SPLIT_WORDS.search(str(session_id)):
        return str(session_id)
    return hashed_stem(session_id)


def hashed_stem(session_id: object) -> str:
    """Return a name that holds nothing of the id."""
    text = session_id if isinstance(session_id, str) else f"\x00{session_id!r}"
    return "call-" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def alike(session_ids: Iterable[object]) -> dict[str, str]:
    """Return names for those ids that only case tells apart: many file systems do not.

    Examples
    --------
    >>> alike(["call_A", "call_a", "call_b"])
    {'call_A': 'call-ad6e6204477a3119', 'call_a': 'call-05f49740f9329fd0'}
    """
    texts = [each for each in session_ids if isinstance(each, str)]
    counts = Counter(file_stem(each).casefold() for each in texts)
    return {each: hashed_stem(each) for each in texts if counts[file_stem(each).casefold()] > 1}


@dataclass(frozen=True, slots=True)
class _Entry:
    """Of which sound a session's files are, how long they are, and what was taken out of it."""

    source: str
    sizes: Mapping[str, int]
    silence: str


def _is_file_of(stem: str, name: str) -> bool:
    return re.fullmatch(rf"{FOLDER}/{re.escape(stem)}(_\d+)?\.\w+", name) is not None


class Written:
    """Remembers which sessions of a folder are written, so that nothing is fetched or converted twice.

    Parameters
    ----------
    folder
        The folder; what is remembered lies in a hidden file in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / _WRITTEN
        self._lock = threading.Lock()
        self._known: dict[str, _Entry] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in self._path.read_bytes().split(b"\n"):
                # The last line of a killed process may be half a line.
                with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
                    self._learn(json.loads(line))

    def _learn(self, entry: dict[str, Any]) -> None:
        sizes = {str(name): int(size) for name, size in entry["files"].items()}
        self._known[str(entry["name"])] = _Entry(str(entry["source"]), sizes, str(entry.get("silence", "")))

    def files(self, stem: str, source: str | None = None, *, silence: str = "") -> list[str] | None:
        """Return a session's files where all are there and whole, and come from that source, if one is named.

        What was taken out of them must be the same, too.
        """
        known = self._known.get(stem)
        if known is None or source not in (None, known.source) or silence != known.silence:
            return None
        for name, size in known.sizes.items():
            target = self._folder / name
            if not _is_file_of(stem, name) or not target.is_file() or target.stat().st_size != size:
                return None
        return list(known.sizes)

    def drop_others(self, silences: Mapping[str, str]) -> None:
        """Remove the files of sessions of which something else was taken out: what is to be silent now may be in them.

        Parameters
        ----------
        silences
            By the name of a session's files, what tells its intervals from others.

        Raises
        ------
        OSError
            The file system refuses.
        """
        good = {
            name
            for stem, known in self._known.items()
            if silences.get(stem, known.silence) == known.silence
            for name in known.sizes
        }
        # Those too that a killed process wrote and could not note.
        for file in (self._folder / FOLDER).glob("*.*"):
            stems = {file.stem, re.sub(r"_\d+$", "", file.stem)}
            if stems & silences.keys() and f"{FOLDER}/{file.name}" not in good:
                file.unlink(missing_ok=True)

    def note(self, stem: str, source: str, names: list[str], *, silence: str = "") -> None:
        """Remember files that are on the disk."""
        entry = {
            "name": stem,
            "source": source,
            "files": {name: (self._folder / name).stat().st_size for name in names},
            **({"silence": silence} if silence else {}),
        }
        with self._lock:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                # After half a line of a killed process this one is whole.
                file.write(b"\n" + json.dumps(entry).encode() + b"\n")
            self._learn(entry)


def _source_of(recording: Recording) -> str:
    """Tell one sound from another: by its content, or by its file where it has one."""
    if recording.path is not None:
        state = recording.path.stat()
        return f"{state.st_size}-{state.st_mtime_ns}"
    return hashlib.sha256(recording.encoded()).hexdigest()


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
    written
        What is there already.
    names
        The file's name by session, where it is not the usual one.
    silences
        What is to be taken out of the sound of which session.
    failure
        The first thing that the file system refused.
    """

    folder: Path
    format: str | None
    sample_rate: int | None
    channels: str | None
    written: Written
    names: dict[str, str] = field(default_factory=dict)
    silences: Silences = field(default_factory=lambda: Silences(None, ""))
    failure: OSError | None = None

    def __call__(self, recording: Recording, row: Mapping[str, Any]) -> list[str]:
        """Write the files that are not there yet, and return all their names below the folder.

        Parameters
        ----------
        recording
            The sound as it is, silenced by nobody yet.
        row
            Whose it is, under "session_id": a recording that somebody made knows of no session.

        Raises
        ------
        OSError
            The file system refuses.
        DecodeError
            The sound has to be converted and can't be decoded.
        ValueError
            What is to be taken out lies outside of the sound.
        """
        session_id = row["session_id"]
        stem, silence = self.stem(session_id), self.silences.digest(session_id)
        try:
            source = _source_of(recording)
            there = self.written.files(stem, source, silence=silence)
            if there is not None:
                return there
            # Bytes as they were recorded have all that was said.
            if self._keeps(recording) and not silence:
                names = self._kept(recording, stem)
            else:
                names = self._converted(self.silences.applied(recording, session_id), stem)
            self.written.note(stem, source, names, silence=silence)
        except OSError as error:
            self.failure = self.failure or error
            raise
        return names

    def there_already(self, session_id: str) -> list[str] | None:
        """Return the files of a session that an earlier call has written, whatever sound it has by now."""
        return self.written.files(self.stem(session_id), silence=self.silences.digest(session_id))

    def drop_what_was_silenced_otherwise(self, session_ids: Iterable[object]) -> None:
        """Remove the files of those sessions of which something else is to be taken out now.

        Raises
        ------
        OSError
            The file system refuses.
        """
        if self.silences.session_ids:
            # Under each name that they may have had: beside an id that case alone tells apart it is another.
            names = {name: each for each in session_ids for name in (file_stem(each), hashed_stem(each))}
            self.written.drop_others({name: self.silences.digest(each) for name, each in names.items()})

    def stem(self, session_id: object) -> str:
        """Return what a session's files are called, but for the channel and the ending."""
        usual = file_stem(session_id)
        return self.names.get(session_id, usual) if isinstance(session_id, str) else usual

    def _kept(self, recording: Recording, stem: str) -> list[str]:
        # With "split" every file says its channel: "a_0" alone might be the first channel of "a".
        suffix = "_0" if self.channels == "split" else ""
        name = f"{FOLDER}/{stem}{suffix}.{recording.format}"
        self._write(name, lambda file: _copy(recording, file))
        return [name]

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
            self._write(name, self._encoder(part, kind))
        return names

    def _encoder(self, part: Recording, kind: str) -> Callable[[BinaryIO], None]:
        def encode(file: BinaryIO) -> None:
            sound = part.resample(self.sample_rate) if self.sample_rate else part
            lack = lack_of(kind, sound.sample_rate, sound.channels)
            if lack is not None:
                raise ValueError(f"{lack}: pass sample_rate= or channels=, or format='wav'")
            write(file, sound.blocks(), kind, sound.sample_rate, sound.channels, bits=16)

        return encode

    def _write(self, name: str, fill: Callable[[BinaryIO], None]) -> None:
        with atomic(self.folder / name) as file:
            fill(file)


def _copy(recording: Recording, file: BinaryIO) -> None:
    file.write(recording.encoded())
