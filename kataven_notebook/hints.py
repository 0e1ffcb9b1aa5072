"""What to do with an argument of the wrong kind: another library's frame, names of files, a name with a slip in it."""

from __future__ import annotations

import difflib
import itertools
import os
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from kataven_notebook.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# By the library: what makes a frame of pandas of its frames. Any other is asked whether it has one of the usual names.
_CONVERSIONS = {"dask": ".compute()", "modin": ".modin.to_pandas()", "pyspark": ".toPandas()", "duckdb": ".df()"}
_USUAL = {"to_pandas": ".to_pandas()", "collect": ".collect().to_pandas()", "toPandas": ".toPandas()"}
SOUND_ENDINGS = frozenset(
    f".{each}"
    for each in (
        *("wav", "wave", "flac", "ogg", "oga", "opus", "mp3", "aiff", "aif", "aifc", "au", "snd", "caf", "w64"),
        *("m4a", "mp4", "aac", "webm", "weba", "amr", "wma"),
    )
)
_TABLES = {".csv": "read_csv", ".tsv": "read_csv", ".parquet": "read_parquet", ".xlsx": "read_excel"}
# How other systems call what is a session here, without what is no letter.
SESSION_NAMES = (
    *("sessionid", "session", "callid", "call", "conversationid", "interactionid", "contactid"),
    *("recordingid", "callsid", "uuid", "id"),
)
# Below this likeness a suggestion misleads more often than it helps.
_LIKENESS = 0.7
_MOST_LOOKED_AT = 100


def is_sound_file(value: object) -> bool:
    """Whether a value reads as the name of a sound file, by its ending.

    Examples
    --------
    >>> is_sound_file("calls/a.WAV"), is_sound_file("a.b"), is_sound_file(7)
    (True, False, False)
    """
    return isinstance(value, str | os.PathLike) and PurePath(os.fspath(value)).suffix.lower() in SOUND_ENDINGS


def are_sound_files(values: Iterable[object]) -> bool:
    """Whether more than half of the first hundred values read as names of sound files.

    Examples
    --------
    >>> are_sound_files(["a.wav", "b.mp3", None]), are_sound_files([])
    (True, False)
    """
    first = list(itertools.islice(values, _MOST_LOOKED_AT))
    return sum(map(is_sound_file, first)) > len(first) / 2


def no_frame(needed: str, value: object) -> str:
    """Return the sentence that refuses what is no frame of pandas, and says how to make one of it.

    Parameters
    ----------
    needed
        What is needed, such as "a DataFrame with one row a session".
    value
        What was given.

    Examples
    --------
    >>> no_frame("a DataFrame", ["a", "b"])
    "a DataFrame is needed, not list: pass pd.DataFrame({'session_id': [...]})"
    """
    kind = type(value)
    library = kind.__module__.partition(".")[0].lstrip("_")
    if (conversion := _conversion(kind, library)) is not None:
        return f"{needed} is needed, not the {kind.__name__} of {library}: call {conversion} on it first"
    return f"{needed} is needed, not {kind.__name__}{_way_to_a_frame(value)}"


def _conversion(kind: type, library: str) -> str | None:
    if library in _CONVERSIONS:
        return _CONVERSIONS[library]
    return next((call for name, call in _USUAL.items() if callable(getattr(kind, name, None))), None)


def _way_to_a_frame(value: object) -> str:
    kind = type(value).__name__
    if isinstance(value, str | os.PathLike):
        shown = one_line(repr(os.fspath(value)), most_chars=80)
        reader = _TABLES.get(PurePath(str(value)).suffix.lower())
        made = f"from_files({shown}) makes one of a folder, a pattern or a file of sound"
        return f": {made}" if reader is None else f": read it first, pd.{reader}({shown})"
    if isinstance(value, list | tuple | set | frozenset) or kind in ("Series", "ndarray", "Index"):
        if are_sound_files(value):  # type: ignore[arg-type]  # all of these can be gone through
            return ": from_files(...) makes one of files"
        return ": call .to_frame() on it first" if kind == "Series" else ": pass pd.DataFrame({'session_id': [...]})"
    return ": pass pd.DataFrame({'session_id': ['a name'], 'audio': [recording]})" if kind == "Recording" else ""


def did_you_mean(name: object, names: Iterable[object], *, known_as: Collection[str] = ()) -> str:
    """Return " (did you mean 'call_id'?)" where one of the names is near, else nothing.

    Parameters
    ----------
    name
        The name that is not there.
    names
        Those that are.
    known_as
        Other names for the same thing, in small letters without anything between, the likeliest first.

    Examples
    --------
    >>> did_you_mean("agent_chanel", ["call_id", "agent_channel"]), did_you_mean("x", ["call_id"])
    (" (did you mean 'agent_channel'?)", '')
    """
    plain = {_plain(each): each for each in reversed([each for each in names if isinstance(each, str)])}
    wanted = _plain(name)
    near = [wanted] if wanted in plain else difflib.get_close_matches(wanted, plain, n=1, cutoff=_LIKENESS)
    near += [each for each in known_as if each in plain]
    return f" (did you mean {plain[near[0]]!r}?)" if near else ""


def _plain(name: object) -> str:
    return re.sub(r"[\W_]+", "", str(name)).casefold()
