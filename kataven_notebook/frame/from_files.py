"""`from_files`: a frame of recordings from files of this machine, without the service."""

from __future__ import annotations

import glob
import os
import stat
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.arguments import absolute_path
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, DecodeError, FrameError
from kataven_notebook.frame.columns import AUDIO, ERROR, SOUND, STATUS, as_array, check_names, sound_frame
from kataven_notebook.frame.sessions import find_sessions, session_column
from kataven_notebook.hints import SOUND_ENDINGS, is_sound_file, no_frame
from kataven_notebook.run.plan import Outcome
from kataven_notebook.settings import configured_name
from kataven_notebook.sound.containers import check_whole
from kataven_notebook.sound.recording import Recording
from kataven_notebook.sound.source import open_bytes
from kataven_notebook.status import Status
from kataven_notebook.store.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kataven_notebook.frame.sessions import Sessions

    PathLike = str | os.PathLike[str]

_SESSION = "session_id"
# The lengths of a made id: 0 is the name alone, 1 the path without its ending, 2 the path.
_LONGEST = 2


@with_configured_names
def from_files(
    files: PathLike | Iterable[Any] | pd.DataFrame,
    *,
    path: str = "path",
    session: str | None = None,
    root: PathLike | None = None,
    prefix: str = "",
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return a frame with the recordings in files of this machine, as `audio` does for sessions of the service.

    No service, no key and no settings are needed, then or later: `metrics`, `turns`, `apply` and `player` work on
    the frame. Only headers are read here, so that ten thousand files take seconds; recordings read their file when
    they are used.

    Parameters
    ----------
    files
        A folder (all sound files below it, hidden ones left out), a pattern such as "calls/**/*.wav", one file, any
        number of paths, or a frame with a column of paths, whose rows, index and other columns stay.
    path
        The column of paths in a frame; for anything else the name of the column that is made.
    session
        The column of session ids, by default `configure`'s or "session_id". Where a frame has none of the default
        name, and for anything but a frame, it is made: of a file's name without its ending, of its path below
        `root` where two files have the same name, and with the ending where only that tells them apart.
    root
        The folder that relative paths start from; by default the current one. Without it made ids start from the
        folder that all files have in common.
    prefix, progress
        As for `audio`.

    Returns
    -------
    pandas.DataFrame
        A row a file, sorted by path where a folder or a pattern was given, with what `audio` adds: `audio`,
        `recording_status`, `recording_error`, `recording_format`, `duration_s`, `sample_rate`, `channels` and
        `recording_bytes`. A file that is there is `downloaded`; one that is not is `missing`, one that is no sound
        or is cut short `corrupt`, one that can't be read `failed`, each with the reason.

    Raises
    ------
    FrameError
        The frame has no such column, columns of its own with our names, or a session with two files.
    ConfigurationError
        A folder or pattern in which there is nothing, or what is no path.

    Notes
    -----
    Where ids are made they are no sessions of the service, and no store takes the recordings for such. Ids that a
    frame gives are taken at their word.

    Examples
    --------
    >>> import tempfile
    >>> tone = Recording.from_samples([0.1] * 8000, 8000)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = [tone.save(f"{folder}/{name}.wav") for name in ("b", "a")]
    ...     calls = from_files(folder)
    >>> calls[["session_id", "recording_status", "duration_s"]].values.tolist()
    [['a', 'downloaded', 1.0], ['b', 'downloaded', 1.0]]
    """
    folder = Path.cwd() if root is None else absolute_path("root", root)
    frame = _as_frame(files, path, folder)
    paths = [_path_of(value, folder) for value in session_column(frame, path, option="path").astype(object)]
    name = session or configured_name("session") or _SESSION
    is_given = isinstance(files, pd.DataFrame) and (session is not None or name in [*frame.columns, *frame.index.names])
    if not is_given and name == path:
        raise FrameError(f"path= and session= are both {name!r}: give one of the two columns another name")
    if not is_given:
        ids = made_ids([each for each in paths if isinstance(each, Path)], None if root is None else folder)
        made = [ids.get(each) if isinstance(each, Path) else None for each in paths]
        frame = frame.copy(deep=False)
        frame.insert(0, name, as_array(made, "string"))
    sessions = find_sessions(frame, name)
    check_names(frame, (AUDIO, STATUS, ERROR, *SOUND), prefix=prefix, own_session=path)
    outcomes = _opened(_file_of_each(sessions, paths), sessions.ids, is_given=is_given, progress=progress)
    return sound_frame(frame, sessions, outcomes, prefix)


def _as_frame(files: Any, path: str, root: Path) -> pd.DataFrame:
    """Return what was given as a frame with a column of paths."""
    if isinstance(files, pd.DataFrame):
        return files
    if isinstance(files, pd.Series):
        return files.to_frame(path)
    if isinstance(files, str | os.PathLike):
        found: list[Any] = _found(files, root)
    elif hasattr(files, "__iter__") and not isinstance(files, bytes | dict) and not hasattr(files, "columns"):
        found = list(files)
    else:
        raise FrameError(no_frame("a folder, a pattern, paths or a DataFrame with a column of them", files))
    cells = [os.fspath(each) if isinstance(each, os.PathLike) else each for each in found]
    return pd.DataFrame({path: pd.Series(cells, dtype=object)})


def _found(given: PathLike, root: Path) -> list[Path]:
    """Return the files of a folder or a pattern, sorted.

    Raises
    ------
    ConfigurationError
        There are none.
    """
    text = os.fspath(given)
    place = absolute_path("files", text if text.startswith("~") else root / text)
    if place.is_dir():
        found = list(_below(place))
        nothing = f"no sound file lies in {place}; the endings of such are {', '.join(sorted(SOUND_ENDINGS))}"
    elif place.exists() or not glob.has_magic(text):
        # A name may hold the signs of a pattern.
        found = [place] if place.exists() else []
        nothing = f"there is no file and no folder {place}"
    else:
        # Unlike pathlib's, it leaves hidden files out.
        matches = glob.iglob(str(Path(text).expanduser()), root_dir=root, recursive=True)  # noqa: PTH207
        found = [root / each for each in matches if not (root / each).is_dir()]
        nothing = f"no file of {root} matches it"
    if not found:
        raise ConfigurationError(f"files={text!r}: {nothing}")
    return sorted(found)


def _below(place: Path) -> Iterator[Path]:
    """Yield the sound files of a folder, by their endings, without hidden ones and what hidden folders hold."""
    for folder, below, names in os.walk(place):
        below[:] = [each for each in below if not each.startswith(".")]
        yield from (Path(folder, each) for each in names if not each.startswith(".") and is_sound_file(each))


def _path_of(value: Any, root: Path) -> Path | str:
    """Return the file that a cell names, or why it names none."""
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str) or not os.fspath(value):
        is_missing = value == "" if isinstance(value, str) else pd.api.types.is_scalar(value) and pd.isna(value)
        kind = type(value).__name__
        return "the row names no file" if is_missing else f"the row holds {kind}, no path: write the path as text"
    try:
        given = os.fspath(value)
        # As text: of ten thousand files, making a `Path` of each part takes most of the time.
        path = absolute_path("path", given) if given.startswith("~") else Path(os.path.normpath(root / given))
        path.lstat()
    except OSError:
        pass  # whoever opens it says why that can't be
    except (ConfigurationError, ValueError):
        return f"{os.fspath(value)!r} is no path: write it in full"
    return path


def made_ids(paths: Sequence[Path], root: Path | None) -> dict[Path, str]:
    """Return a session id of each file: no longer than it takes to tell them apart.

    Parameters
    ----------
    paths
        The files, each once.
    root
        The folder from which longer ids start; None for the one that all files have in common.

    Examples
    --------
    >>> list(made_ids([Path("a/1.wav"), Path("b/1.wav"), Path("b/2.wav")], None).values())
    ['a/1', 'b/1', '2']
    """
    ids = {each: each.stem for each in paths}
    base = _common(list(ids)) if root is None else root
    levels = dict.fromkeys(ids, 0)
    alike = list(ids)
    while alike:
        # The longer name of one may be the short name of another.
        counts = Counter(ids.values())
        alike = [each for each in ids if counts[ids[each]] > 1 and levels[each] < _LONGEST]
        for each in alike:
            levels[each] += 1
            below = Path(os.path.relpath(each, base) if base is not None else each)
            ids[each] = (below if levels[each] == _LONGEST else below.with_suffix("")).as_posix()
    return ids


def _common(paths: Sequence[Path]) -> Path | None:
    try:
        return Path(os.path.commonpath([each.parent for each in paths]))
    except ValueError:  # none at all, or on several drives
        return None


def _file_of_each(sessions: Sessions, paths: Sequence[Path | str]) -> list[Path | str]:
    """Return the file of each session.

    Raises
    ------
    FrameError
        A session has two.
    """
    first = sessions.first_rows()
    files = [paths[row] for row in first]
    for row, code in enumerate(sessions.codes):
        if paths[row] != files[code]:
            raise FrameError(
                f"session {sessions.ids[code]!r} has two files, {str(files[code])!r} and {str(paths[row])!r}: give "
                "each file a session of its own, or put a call's channels into one file"
            )
    return files


def _opened(files: Sequence[Path | str], ids: Sequence[Any], *, is_given: bool, progress: bool | None) -> list[Outcome]:
    outcomes = np.empty(len(files), dtype=object)

    def opened(position: int) -> Outcome:
        file, session_id = files[position], ids[position]
        if isinstance(file, str):
            return Outcome(Status.MISSING, error=file)
        return _opened_file(file, session_id if isinstance(session_id, str) else None, is_given=is_given)

    for position, outcome in sweep(opened, range(len(files)), label="Opening", progress=progress):
        outcomes[position] = outcome
    return list(outcomes)


def _opened_file(file: Path, session_id: str | None, *, is_given: bool) -> Outcome:
    try:
        mode = file.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe would be waited for
            what = "a folder" if stat.S_ISDIR(mode) else "no plain file"
            return Outcome(Status.FAILED, error=f"{file} is {what}: name a sound file")
        recording = Recording.from_file(file, session_id=session_id)
        if recording.format != "wav":  # of which the header's reader has made sure
            with open_bytes(file) as sound:
                check_whole(sound, session_id)
    except DecodeError as error:
        return Outcome.of_error(error)
    except (FileNotFoundError, NotADirectoryError):
        return Outcome(Status.MISSING, error=f"there is no file {file}")
    except OSError as error:
        return Outcome(Status.FAILED, error=f"{file} can't be read ({error.strerror or error})")
    # Made-up ids are no sessions of the service: no store may take the sound for one's.
    return Outcome(Status.DOWNLOADED, recording=recording if is_given else recording.derived())
