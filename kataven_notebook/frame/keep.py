"""`apply(keep=)`: finds what a user's function returned before, and keeps what it returns now."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.frame.kept_values import from_bytes, to_bytes
from kataven_notebook.frame.row_values import OfRow
from kataven_notebook.redact import encodable
from kataven_notebook.run.keeping import Keeper
from kataven_notebook.store.results import Subject

if TYPE_CHECKING:
    from kataven_notebook.frame.results import Shaped
    from kataven_notebook.frame.row_values import RowValues
    from kataven_notebook.run.plan import Outcome

_LONGEST_NAME_CHARS = 200


def value_keeper(keep: str | None, function: Shaped, rows: RowValues | None) -> Keeper:
    """Return what finds and keeps what a function returned under a name.

    Parameters
    ----------
    keep
        The name; None to find and keep nothing.
    function
        What was returned has its shape: another shape, or other columns, are another result.
    rows
        The rows, where it takes them: a value counts as long as what the function asked the row for stands there.

    Raises
    ------
    ConfigurationError
        `keep` is no name.
    """
    if keep is None:
        return Keeper(None, encode=to_bytes, decode=from_bytes)
    if not isinstance(keep, str) or not keep.strip() or len(keep) > _LONGEST_NAME_CHARS or encodable(keep) != keep:
        raise ConfigurationError(f'keep={keep!r:.100}: pass a name for what fn returns, such as "transcript-v2"')

    def encode(value: Any) -> bytes:
        untold = [name for name, digest in value.read.items() if digest is None] if isinstance(value, OfRow) else []
        if untold:
            raise ConfigurationError(
                f"{function.__name__} asks the row for {untold[0]!r}, and keep={keep!r} can't tell rows apart by what "
                "is there: make it of numbers, text or times, or leave keep= out"
            )
        try:
            return to_bytes(value.as_plain() if isinstance(value, OfRow) else value)
        except TypeError as error:
            raise ConfigurationError(
                f"{function.__name__} returned {error}, which keep={keep!r} can't keep: return numbers, text, times, "
                "lists, dicts, numpy arrays or frames, or leave keep= out"
            ) from None

    def decode(data: bytes) -> Any:
        return from_bytes(data) if rows is None else OfRow.of_plain(from_bytes(data))

    def fits(session_id: str, value: Any) -> bool:
        return rows is None or value.is_of(rows[session_id])

    names = "" if function.names is None else json.dumps(function.names)
    options = " ".join(each for each in (function.result, names, "" if rows is None else "of the row") if each)
    return Keeper(Subject(f"apply: {keep}", options), encode=encode, decode=decode, fits=fits)


def plain(value: Any) -> Any:
    """Return what the function returned, without what it asked the row for."""
    return value.value if isinstance(value, OfRow) else value


def plain_outcomes(outcomes: list[Outcome]) -> list[Outcome]:
    """Return outcomes with what the function returned."""
    return [replace(each, value=each.value.value) if isinstance(each.value, OfRow) else each for each in outcomes]
