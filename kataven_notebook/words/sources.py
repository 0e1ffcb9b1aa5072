"""What callers pass as transcripts: files, folders, patterns, objects by session, a column; each with its session."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.from_files import made_ids
from kataven_notebook.frame.sessions import find_sessions, session_column
from kataven_notebook.hints import SOUND_ENDINGS
from kataven_notebook.words.formats import is_known

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SessionId = str | Callable[[Path], str] | None
# Of one transcript in several formats the first of these says most.
ENDINGS = (".json", ".jsonl", ".vtt", ".srt")
# The words of a day of speech, with all that a tool says of each, are a tenth of it.
_MAX_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """One transcript.

    Attributes
    ----------
    session_id : str
        Whose it is.
    name : str
        How messages call it.
    content : object
        A path, whose file is read when it is needed, or what the transcript is.
    """

    session_id: str
    name: str
    content: object

    def read(self) -> object:
        """Return the content; of a path the bytes of its file.

        Raises
        ------
        FrameError
            The file can't be read, or is too large; the message goes on from its name.
        """
        if not isinstance(self.content, Path):
            return self.content
        try:
            about = self.content.stat()
            if not stat.S_ISREG(about.st_mode):  # a pipe would be waited for
                raise FrameError("is no plain file")
            if about.st_size > _MAX_BYTES:
                raise FrameError(f"has {about.st_size / 1e6:,.0f} MB, more than any transcript")
            return self.content.read_bytes()
        except FileNotFoundError:
            raise FrameError("is not there") from None
        except OSError as error:
            raise FrameError(f"can't be read ({error.strerror or error})") from None


def find_sources(source: Any, *, session_id: SessionId, column: str, session: str) -> list[Source]:
    """Return the transcripts that a caller passes, as `read` takes them.

    Raises
    ------
    ConfigurationError
        Files that are not there, or an option that can't work.
    FrameError
        A frame without such a column, or what is no transcript at all.
    """
    _check_session_id(source, session_id)
    if isinstance(source, pd.DataFrame | pd.Series):
        return _of_column(source, column, session)
    if isinstance(source, str) and "\n" in source.strip():
        raise FrameError("source is the text of a transcript, which names no session: pass {'a session id': text}")
    if isinstance(source, str | os.PathLike):
        return _of_files(_found(source), session_id)
    if isinstance(source, list | tuple | set | frozenset) and _are_paths(source):
        return _of_files([absolute_path("source", each) for each in source], session_id)
    if isinstance(session_id, str):
        return [Source(session_id, f"the transcript of session {session_id!r}", source)]
    if is_known(source):
        raise FrameError("source is one transcript, which names no session: pass session_id='...' with it")
    if isinstance(source, Mapping):
        return [_of_object(key, each) for key, each in source.items() if not _is_missing(each)]
    if isinstance(source, list | tuple) and not source:
        return []
    raise FrameError(
        f"source is of type {type(source).__name__}: pass a file, a folder, a pattern, paths, {{'a session id': "
        "transcript}, a frame with column=, or one transcript with session_id="
    )


def _check_session_id(source: Any, session_id: SessionId) -> None:
    """Refuse a second answer to whose each transcript is."""
    is_frame = isinstance(source, pd.DataFrame | pd.Series)
    if is_frame and session_id is not None:
        raise ConfigurationError("session_id= is for files, and a frame says by session= whose its transcripts are")
    if isinstance(source, Mapping) and callable(session_id):
        raise ConfigurationError("session_id= is a function of a file, and a dict says itself whose each transcript is")


def _are_paths(values: Iterable[object]) -> bool:
    return bool(values) and all(isinstance(each, str | os.PathLike) for each in values)


def _of_object(key: object, content: Any) -> Source:
    if not isinstance(key, str):
        raise FrameError(f"source has the key {key!r}, and session ids are text: pass {{'a session id': transcript}}")
    return Source(key, f"the transcript of session {key!r}", _path_or_object(content))


def _of_column(source: pd.DataFrame | pd.Series[Any], column: str, session: str) -> list[Source]:
    frame = source.to_frame(column) if isinstance(source, pd.Series) else source
    sessions = find_sessions(frame, session)
    contents = session_column(frame, column, option="column").astype(object)
    found = []
    seen: set[tuple[str, int]] = set()
    for code, content in zip(sessions.codes, contents, strict=True):
        name = sessions.ids[code]
        # A session may stand in many rows, with one transcript.
        key = (str(name), hash(content) if isinstance(content, str) else id(content))
        if not isinstance(name, str) or _is_missing(content) or key in seen:
            continue
        seen.add(key)
        found.append(Source(name, f"the transcript of session {name!r}", _path_or_object(content)))
    return found


def _path_or_object(content: Any) -> object:
    """Return the path that a text is, or the content as it is."""
    if isinstance(content, os.PathLike):
        return absolute_path("source", content)
    if isinstance(content, str) and "\n" not in content and Path(content).suffix.lower() in ENDINGS:
        return absolute_path("source", content)
    return content


def _is_missing(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _of_files(paths: Sequence[Path], session_id: SessionId) -> list[Source]:
    if isinstance(session_id, str):
        if len(paths) != 1:
            raise ConfigurationError(f"session_id={session_id!r} is one id for {len(paths)} files: pass a function")
        return [Source(session_id, str(paths[0]), paths[0])]
    if session_id is None:
        # Some tools put their ending behind that of the sound.
        plain = {each: each.with_suffix("") for each in paths}
        names = {each: (at if at.suffix.lower() in SOUND_ENDINGS else each) for each, at in plain.items()}
        ids = made_ids(list(dict.fromkeys(names.values())), None)
        return [Source(ids[names[each]], str(each), each) for each in paths]
    return [Source(_called(session_id, each), str(each), each) for each in paths]


def _called(function: Callable[[Path], str], path: Path) -> str:
    if not callable(function):
        raise ConfigurationError(f"session_id={function!r}: pass text for one transcript, or a function of a path")
    found: object = function(path)
    if not isinstance(found, str) or not found:
        raise ConfigurationError(f"session_id= returned {found!r} for {path}: return the session id as text")
    return found


def _found(given: str | os.PathLike[str]) -> list[Path]:
    """Return a file, or the transcripts of a folder or a pattern, sorted; of one name the ending that says most."""
    text = os.fspath(given)
    place = absolute_path("source", text)
    if place.is_dir():
        found = _preferred(_below(place))
        nothing = f"no transcript lies in {place}; the endings of such are {', '.join(ENDINGS)}"
    elif place.exists() or not glob.has_magic(text):
        found = [place] if place.exists() else []
        nothing = f"there is no file and no folder {place}"
    else:
        matches = glob.iglob(str(Path(text).expanduser()), recursive=True)  # noqa: PTH207 - leaves hidden files out
        found = _preferred(path for each in matches if not (path := Path(each).absolute()).is_dir())
        nothing = "no file matches it"
    if not found:
        raise ConfigurationError(f"source={text!r}: {nothing}")
    return found


def _below(place: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(place):
        below[:] = [each for each in below if not each.startswith(".")]
        yield from (
            Path(folder, each) for each in names if not each.startswith(".") and Path(each).suffix.lower() in ENDINGS
        )


def _preferred(paths: Iterable[Path]) -> list[Path]:
    best: dict[Path, tuple[int, Path]] = {}
    for path in sorted(paths):
        ending = path.suffix.lower()
        if ending not in ENDINGS:
            best[path] = (0, path)
            continue
        rank = (ENDINGS.index(ending), path)
        name = path.with_suffix("")
        best[name] = min(best.get(name, rank), rank)
    return sorted(path for _, path in best.values())
