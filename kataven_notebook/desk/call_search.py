"""Finds the calls that a filter lets through, in any column of the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kataven_notebook.desk.call_filter import Term, holds, parse
from kataven_notebook.desk.marks import text_of
from kataven_notebook.hints import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

# A transcript is looked through whole; in the list it is cut.
_MAX_TEXT = 100_000


class CallSearch:
    """The rows of a frame, as a filter looks at them.

    A column is read when it is named for the first time, and no other.

    Parameters
    ----------
    frame
        Whose columns can be named; where two have one name, the first.
    texts
        Returns what is shown of each row, in lower case; asked once.
    own
        What can be named besides, by its name in lower case: values, a row each.
    """

    def __init__(
        self, frame: pd.DataFrame, texts: Callable[[], list[str]], own: Mapping[str, Callable[[], pd.Series]]
    ) -> None:
        self._frame, self._make_texts, self._own = frame, texts, own
        self._texts: list[str] | None = None
        self._positions: dict[str, int] | None = None
        self._columns: dict[str, tuple[pd.Series, list[str]]] = {}

    def find(self, text: str, keys: npt.NDArray[np.intp], labels: Sequence[str]) -> tuple[npt.NDArray[np.intp], str]:
        """Return the rows for which all conditions hold, and what could not be understood.

        Words side by side are looked for as they stand; where no row has them so, each by itself.

        Parameters
        ----------
        text
            The filter, see `call_filter.parse`.
        keys
            The rows to look at.
        labels
            The labels of each of them.
        """
        self._texts = self._make_texts() if self._texts is None else self._texts
        texts = self._texts
        rows = [
            f"{texts[key]}\n{label.casefold()}" if label else texts[key]
            for key, label in zip(keys.tolist(), labels, strict=True)
        ]
        left = np.ones(len(keys), dtype=bool)
        words: list[str] = []
        notes: list[str] = []
        for term in [*parse(text), Term("", is_quoted=True)]:
            found = self._of_column(term, keys, labels)
            plain = found is None or (isinstance(found, str) and not term.excluded and _any(rows, term.text))
            if plain and not term.excluded and not term.is_quoted:
                words.append(term.text.casefold())
                continue
            left &= _with_words(rows, words)
            words.clear()
            if isinstance(found, str):
                notes.append(found)
                continue
            if found is None:
                found = _with(rows, term.text.casefold())
            left &= ~found if term.excluded else found
        return keys[left], " ".join(notes)

    def _of_column(self, term: Term, keys: npt.NDArray[np.intp], labels: Sequence[str]) -> Mask | str | None:
        """Return where the value of a column is as wanted; None for a condition that names no column."""
        if not term.name or term.name[0].isdecimal():
            return None
        column = self._named(term.name.casefold())
        if column is None and term.name.casefold() not in ("label", "labels"):
            names = [*map(str, self._frame.columns), *self._own]
            return f"There is no column {term.name!r}{did_you_mean(term.name, names)}, so {term.text} is left out."
        if not term.accepted:
            # It is being typed.
            return np.ones(len(keys), dtype=bool) if not term.excluded else np.zeros(len(keys), dtype=bool)
        if column is None:
            return holds(term, pd.Series(labels, dtype=object), [each.casefold() for each in labels])
        values, texts = column
        return holds(term, values.iloc[keys], [texts[key] for key in keys.tolist()])

    def _named(self, name: str) -> tuple[pd.Series, list[str]] | None:
        if name not in self._columns:
            if self._positions is None:
                names = [str(each).casefold() for each in self._frame.columns]
                self._positions = dict(zip(reversed(names), reversed(range(len(names))), strict=True))
            if name in self._positions:
                column = self._frame.iloc[:, self._positions[name]]
            elif name in self._own:
                column = self._own[name]()
            else:
                return None
            self._columns[name] = column, [text_of(each, max_length=_MAX_TEXT).casefold() for each in column.tolist()]
        return self._columns[name]


def _any(rows: Sequence[str], text: str) -> bool:
    folded = text.casefold()
    return any(folded in each for each in rows)


def _with(rows: Sequence[str], text: str) -> Mask:
    return np.fromiter((text in each for each in rows), dtype=bool, count=len(rows))


def _with_words(rows: Sequence[str], words: Sequence[str]) -> Mask:
    together = _with(rows, " ".join(words))
    if len(words) < 2 or together.any():
        return together
    return np.asarray(np.logical_and.reduce([_with(rows, each) for each in words]), dtype=bool)
