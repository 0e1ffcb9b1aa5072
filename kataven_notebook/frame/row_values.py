"""What a user's function may know of a session besides its sound: the other columns of the frame."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from kataven_notebook.frame.columns import AUDIO, EXPIRES_AT, URL
from kataven_notebook.frame.kept_values import to_bytes
from kataven_notebook.frame.known import task_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from kataven_notebook.frame.sessions import Sessions
    from kataven_notebook.sound.recording import Recording

_HIDDEN = (AUDIO, URL, EXPIRES_AT)
# Which of them a function asked for is not known where it looks at all of them.
_ALL = "all of the row"
_DIGEST_CHARS = 16


def takes_row(fn: Callable[..., Any]) -> bool:
    """Whether a function's second parameter is named `row`.

    Examples
    --------
    >>> takes_row(lambda recording, row: row["agent"]), takes_row(lambda recording: 1), takes_row(print)
    (True, False, False)
    """
    try:
        names = list(inspect.signature(fn).parameters)
    except (ValueError, TypeError):  # a class or function of C that doesn't say
        return False
    return names[1:2] == ["row"]


class RowValues(Mapping[str, dict[Any, Any]]):
    """By session the values of its first row, without sound and the URLs that open it; made when asked.

    Parameters
    ----------
    frame, sessions, prefix
        The caller's frame, its sessions, and the prefix of our columns.
    """

    def __init__(self, frame: pd.DataFrame, sessions: Sessions, prefix: str) -> None:
        hidden = {prefix + name for name in _HIDDEN}
        named: list[tuple[Any, Any]] = [
            (name, frame.index.get_level_values(at)) for at, name in enumerate(frame.index.names) if name is not None
        ]
        named += [(name, frame.iloc[:, at]) for at, name in enumerate(frame.columns) if name not in hidden]
        self._columns = {name: values.array for name, values in named}
        self._rows = {
            task_name(session_id, position): int(row)
            for position, (session_id, row) in enumerate(zip(sessions.ids, sessions.first_rows(), strict=True))
        }

    def __getitem__(self, session_id: str) -> dict[Any, Any]:
        row = self._rows[session_id]
        return {name: values[row] for name, values in self._columns.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


@dataclass(frozen=True, slots=True)
class OfRow:
    """What a function made of a recording and its row.

    Parameters
    ----------
    value
        What it returned.
    read
        What it asked the row for: names of columns, each with a short text that differs where the value does, or
        None where values can't be told apart.
    """

    value: Any
    read: dict[Any, str | None]

    @classmethod
    def of_plain(cls, plain: Any) -> Self:
        """Return what `as_plain` made plain.

        Raises
        ------
        ValueError
            It is something else.
        """
        if not isinstance(plain, list) or len(plain) != 2 or not isinstance(plain[1], dict):
            raise ValueError("no value of a row")
        return cls(*plain)

    def as_plain(self) -> list[Any]:
        """Return it as values that can be kept."""
        return [self.value, self.read]

    def is_of(self, row: Mapping[Any, Any]) -> bool:
        """Whether another row would have answered the same."""
        return all(digest is not None and _digest(row, name) == digest for name, digest in self.read.items())


@dataclass(frozen=True, slots=True)
class Noting:
    """A function that takes the row, and what it asked the row for beside what it returned."""

    fn: Any

    @property
    def __name__(self) -> str:
        return str(self.fn.__name__)

    @property
    def user_function(self) -> Callable[..., Any]:
        """The function whose lines an error names."""
        found: Callable[..., Any] = self.fn.user_function
        return found

    def __call__(self, recording: Recording, row: Mapping[Any, Any]) -> OfRow:
        """Call it, and note what it asked for."""
        noted = _NotedRow(row)
        value = self.fn(recording, row=noted)
        return OfRow(value, {name: _digest(row, name) for name in noted.asked})


class _NotedRow(dict[Any, Any]):
    """A row that notes what it is asked for; where it is gone through, all of it."""

    def __init__(self, values: Mapping[Any, Any]) -> None:
        super().__init__(values)
        self.asked: set[Any] = set()


# Everything that a dict can be asked. To change it says nothing of the row.
_OF_ONE = ("__contains__", "__getitem__", "get", "pop", "setdefault")
_OF_ALL = (
    *("__eq__", "__ne__", "__iter__", "__reversed__", "__len__", "__repr__", "__or__", "__ror__"),
    *("copy", "items", "keys", "popitem", "values"),
)


def _noting(method: Callable[..., Any], *, is_of_all: bool) -> Callable[..., Any]:
    @functools.wraps(method)
    def noted(row: _NotedRow, *arguments: Any) -> Any:
        row.asked.add(_ALL if is_of_all else arguments[0])
        return method(row, *arguments)

    return noted


for _name in (*_OF_ONE, *_OF_ALL):
    setattr(_NotedRow, _name, _noting(getattr(dict, _name), is_of_all=_name in _OF_ALL))


def _digest(row: Mapping[Any, Any], name: Any) -> str | None:
    """Return a short text that differs where what a row says under a name does; None where that can't be told."""
    if name == _ALL:
        said: Any = sorted(([str(each), value] for each, value in row.items()), key=lambda pair: str(pair[0]))
    else:
        said = [row[name]] if name in row else []
    try:
        return hashlib.sha256(to_bytes(said)).hexdigest()[:_DIGEST_CHARS]
    except TypeError:
        return None
