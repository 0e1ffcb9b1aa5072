"""What a user's function may know of a session besides its sound: the other columns of the frame."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.frame.columns import APPLY_ERROR, AUDIO, ERROR, EXPIRES_AT, STATUS, URL
from kataven_notebook.frame.kept_values import to_bytes
from kataven_notebook.frame.known import task_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    import pandas as pd

    from kataven_notebook.frame.sessions import Sessions

_HIDDEN = (AUDIO, URL, EXPIRES_AT)
_CHANGING = (STATUS, ERROR, APPLY_ERROR)
# What `audio` says of the sound, which counts by itself; a caller's own column may have one of these names, not all.
_OF_SOUND = ("recording_format", "duration_s", "sample_rate", "channels", "recording_bytes")
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
        self._prefix = prefix
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

    def digests(self, without: Collection[str]) -> dict[str, str]:
        """Return by session a short text that differs where a value does.

        Parameters
        ----------
        without
            Names, without prefix, of columns that do not count: those in which earlier results stand.

        Raises
        ------
        ConfigurationError
            A column holds something that can't be told from something else.
        """
        left_out = {self._prefix + name for name in (*_CHANGING, *without)}
        of_sound = {self._prefix + name for name in _OF_SOUND}
        if of_sound <= self._columns.keys():
            left_out |= of_sound
        return {session_id: self._digest(self[session_id], left_out) for session_id in self}

    def _digest(self, row: dict[Any, Any], left_out: set[str]) -> str:
        digest = hashlib.sha256()
        for name in sorted(row.keys() - left_out, key=str):
            try:
                digest.update(to_bytes([str(name), row[name]]))
            except TypeError as error:
                raise ConfigurationError(
                    f"keep= can't tell rows apart by the column {name!r}, which holds {error}: pass a frame without it"
                ) from None
        return digest.hexdigest()[:_DIGEST_CHARS]
