"""Sessions made of a folder of the user's own sound files, with what a CSV beside them says of each."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import soundfile as sf

from kataven_notebook.demo._world import StoredSession

if TYPE_CHECKING:
    from collections.abc import Iterator

# By their ending; what libsndfile does not read is served as it is.
CONTENT_TYPES = {
    **dict.fromkeys(("wav", "wave"), "audio/wav"),
    **dict.fromkeys(("ogg", "oga", "opus"), "audio/ogg"),
    **dict.fromkeys(("aif", "aiff"), "audio/aiff"),
    **dict.fromkeys(("m4a", "mp4"), "audio/mp4"),
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "au": "audio/basic",
    "caf": "audio/x-caf",
    "w64": "audio/x-w64",
    "aac": "audio/aac",
    "webm": "audio/webm",
    "amr": "audio/amr",
    "wma": "audio/x-ms-wma",
    "3gp": "audio/3gpp",
}
_LIBSNDFILE = frozenset({"wav", "wave", "ogg", "oga", "opus", "aif", "aiff", "mp3", "flac", "au", "caf", "w64"})
_FILE_COLUMNS = ("file_name", "file", "path", "audio_file")
_ID_COLUMN = "session_id"
_MOST_NAMED = 5


class OwnFiles(NamedTuple):
    """What a folder gives: sessions by id, and a sentence for each thing in it that is not served as it seems."""

    sessions: dict[str, StoredSession]
    notes: list[str]


def own_sessions(folder: str | os.PathLike[str]) -> OwnFiles:
    """Give a session for each sound file in a folder and the folders in it, by the file's name without its ending.

    Parameters
    ----------
    folder
        Hidden files and folders in it are left alone. A CSV in it, ``sessions.csv`` or the only one, may say more of
        the sessions: its rows are found by ``session_id``, or by ``file_name`` (``file``, ``path``), which may give
        files another ``session_id``.

    Raises
    ------
    ValueError
        There is no such folder, or no sound in it.
    OSError
        It can't be read.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise ValueError(f"calls={str(folder)!r} is no folder: pass one with sound files, or a number of calls.")
    notes: list[str] = []
    files = _by_id(root, notes)
    if not files:
        raise ValueError(
            f"calls={str(folder)!r}: there is no sound file in that folder"
            + (f" ({notes[0]})" if notes else "")
            + "; sound files end in .wav, .mp3, .ogg, .flac, .m4a or the like."
        )
    sessions = {
        session_id: StoredSession(session_id, content_type=CONTENT_TYPES[_ending(path)], path=path)
        for session_id, path in files.items()
    }
    table = _table_of(root, notes)
    return OwnFiles(sessions if table is None else _described(sessions, table, root, notes), notes)


def _by_id(root: Path, notes: list[str]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in _sound_files(root, notes):
        shown = path.relative_to(root).as_posix()
        problem, is_served = _problem(path)
        if problem:
            notes.append(f"{shown}: {problem}")
        if not is_served:
            continue
        session_id = path.stem
        if session_id in files:
            session_id = shown.replace("/", "-")
            notes.append(f"{shown}: another file is session {path.stem!r}, so this one is session {session_id!r}")
        files[session_id] = path
    return files


def _sound_files(root: Path, notes: list[str]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        notes.append(f"{error.filename}: the folder can't be read ({error.strerror}), and nothing of it is served")

    for place, folders, names in os.walk(root, onerror=note):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and _ending(Path(name)) in CONTENT_TYPES:
                yield Path(place, name)


def _ending(path: Path) -> str:
    return path.suffix.removeprefix(".").lower()


def _problem(path: Path) -> tuple[str, bool]:
    """Give what is wrong with a file, and whether it is served all the same."""
    if not path.is_file():
        return "it is no plain file, and is not served", False
    try:
        with path.open("rb") as file:
            if not file.read(1):
                return "the file is empty, and is not served", False
    except OSError as error:
        return f"it can't be read ({error.strerror or error}), and is not served", False
    if _ending(path) in _LIBSNDFILE:
        try:
            sf.info(path)
        except (sf.SoundFileError, OSError):
            # As the service would: what was uploaded is what comes.
            return "it holds no sound that can be read here; it is served as it is", True
    return "", True


def _table_of(root: Path, notes: list[str]) -> list[dict[str, str]] | None:
    tables = sorted(path for path in root.glob("*.csv") if not path.name.startswith("."))
    chosen = next((path for path in tables if path.name == "sessions.csv"), tables[0] if len(tables) == 1 else None)
    if chosen is None:
        if tables:
            shown = ", ".join(path.name for path in tables[:_MOST_NAMED])
            notes.append(f"of several tables ({shown}) none is read: name the one of the sessions sessions.csv")
        return None
    try:
        with chosen.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = [{name: value for name, value in row.items() if isinstance(value, str)} for row in reader]
            names = list(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        notes.append(f"{chosen.name}: it can't be read as CSV in UTF-8 ({error}), and is left out")
        return None
    if not {_ID_COLUMN, *_FILE_COLUMNS}.intersection(names):
        notes.append(f"{chosen.name}: it has no column session_id or file_name, and is left out")
        return None
    return rows


def _described(
    sessions: dict[str, StoredSession], rows: list[dict[str, str]], root: Path, notes: list[str]
) -> dict[str, StoredSession]:
    """Give the sessions with the details of their rows; rows without a file are sessions without a recording."""
    by_name: dict[str, StoredSession] = {}
    for each in sessions.values():
        if each.path is not None:
            shown = each.path.relative_to(root).as_posix()
            for name in (each.path.stem, each.path.name, shown, each.session_id):
                by_name.setdefault(name, each)
    described: dict[str, StoredSession] = {}
    without: list[str] = []
    taken: set[str] = set()
    for row in rows:
        file = next((row[name].strip() for name in _FILE_COLUMNS if row.get(name, "").strip()), "")
        named = row.get(_ID_COLUMN, "").strip()
        found = by_name.get(file or named) or by_name.get(Path(file).name)
        # Of two files with one name the second is a session of another name.
        session_id = named or (Path(file).stem if found is None else found.session_id)
        if not session_id or session_id in described:
            continue
        details = {name: value or None for name, value in row.items() if name and name != _ID_COLUMN}
        if found is None or found.session_id in taken:
            without.append(session_id)
            described[session_id] = StoredSession(session_id, state="missing", details=details)
        else:
            taken.add(found.session_id)
            described[session_id] = StoredSession(
                session_id, content_type=found.content_type, path=found.path, details=details
            )
    if without:
        more = f" and {len(without) - _MOST_NAMED:,} more" if len(without) > _MOST_NAMED else ""
        notes.append(f"no file for {', '.join(without[:_MOST_NAMED])}{more}: such a session has no recording")
    rest = {each.session_id: each for each in sessions.values() if each.session_id not in taken}
    return described | {name: each for name, each in rest.items() if name not in described}
