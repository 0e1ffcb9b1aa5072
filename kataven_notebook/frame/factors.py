"""The groups of a frame: which rows belong to which, what each is called, and which is the reference of which."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import with_texts_spelled
from kataven_notebook.hints import did_you_mean
from kataven_notebook.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The groups that one or several columns make.

    Attributes
    ----------
    names : DataFrame
        One row a group, in sorting order: the columns' values, of the columns' dtypes.
    rows : list of ndarray of intp
        For each group the positions of its rows.
    """

    names: pd.DataFrame
    rows: list[npt.NDArray[np.intp]]

    def references(self, reference: Any) -> list[int | None]:
        """Return for each group which one it is compared with; None where that one is not there.

        Parameters
        ----------
        reference
            The value of the one column; for several columns one value for each, which is one group for all, or a
            mapping of some columns to values, which is the group with these values and the same others. None is the
            first group that has rows.

        Raises
        ------
        ConfigurationError
            There is no such group.
        """
        count = len(self.rows)
        if reference is None or not count:
            # A category of rows that were filtered out is still one of the dtype.
            return [next((at for at, rows in enumerate(self.rows) if len(rows)), 0)] * count
        columns = list(self.names.columns)
        wanted = self._wanted(reference, columns)
        unknown = [name for name in wanted if name not in columns]
        if unknown:
            raise ConfigurationError(
                f"reference={reference!r}: {unknown[0]!r} is none of the columns of by="
                f"{did_you_mean(unknown[0], columns)}"
            )
        values = {name: self.names[name].tolist() for name in columns}
        chosen = [at for at in range(count) if all(_same(values[name][at], wanted[name]) for name in wanted)]
        if not chosen:
            raise ConfigurationError(f"reference={reference!r}: there is no such group{self._listed()}")
        others = [name for name in columns if name not in wanted]
        beside = {tuple(values[name][at] for name in others): at for at in chosen}
        return [beside.get(tuple(values[name][at] for name in others)) for at in range(count)]

    def _wanted(self, reference: Any, columns: list[Any]) -> dict[Any, Any]:
        if isinstance(reference, Mapping):
            if not reference:
                raise ConfigurationError("reference={}: name the column and the value of the reference")
            return dict(reference)
        if len(columns) == 1:
            return {columns[0]: reference}
        if isinstance(reference, tuple | list) and len(reference) == len(columns):
            return dict(zip(columns, reference, strict=True))
        example = {columns[0]: "..."}
        raise ConfigurationError(
            f"reference={reference!r}: by= has {len(columns)} columns; pass one value for each, which is one group "
            f"for all, or reference={example!r}, which is the group beside each"
        )

    def _listed(self) -> str:
        shown = self.names.head(_MOST_NAMED).itertuples(index=False, name=None)
        named = [one_line(repr(each[0] if len(each) == 1 else each)) for each in shown]
        more = f" and {len(self.rows) - _MOST_NAMED:,} more" if len(self.rows) > _MOST_NAMED else ""
        return f", only {', '.join(named)}{more}"


def find_groups(df: pd.DataFrame, by: Sequence[Hashable]) -> Groups:
    """Return the groups that columns make; rows where one of them is missing belong to none.

    One column of categories makes a group of each, in their order, also where it has no rows; of several columns, the
    combinations that occur.

    Parameters
    ----------
    df
        The frame.
    by
        Columns that are there once.

    Raises
    ------
    FrameError
        A column holds what can't be told apart, such as lists.
    """
    columns = {name: with_texts_spelled(df[name]) for name in by}
    if len(by) == 1 and isinstance(columns[by[0]].dtype, pd.CategoricalDtype):
        return _of_categories(by[0], columns[by[0]])
    # Called by numbers: a column may have any name, and a name may be a tuple.
    frame = pd.DataFrame({at: each.array for at, each in enumerate(columns.values())})
    try:
        codes = frame.groupby(list(frame.columns), sort=True, observed=True, dropna=True).ngroup().to_numpy()
    except TypeError:
        names = ", ".join(repr(name) for name in by)
        raise FrameError(
            f"by={names}: the column holds values that can't be compared with each other, such as lists: make text of "
            "them first, as in df[name].astype(str)"
        ) from None
    codes = np.where(np.isnan(codes), -1, codes).astype(np.intp)
    rows = _rows_by_code(codes, int(codes.max(initial=-1)) + 1)
    first = np.array([each[0] for each in rows], dtype=np.intp)
    taken = {name: each.iloc[first].reset_index(drop=True) for name, each in columns.items()}
    return Groups(_frame_of(taken), rows)


def _of_categories(name: Hashable, column: pd.Series[Any]) -> Groups:
    codes = column.cat.codes.to_numpy(dtype=np.intp)
    named = pd.Series(column.cat.categories).astype(column.dtype)
    return Groups(_frame_of({name: named}), _rows_by_code(codes, len(named)))


def _frame_of(columns: dict[Any, pd.Series[Any]]) -> pd.DataFrame:
    frame = pd.concat(list(columns.values()), axis=1)
    frame.columns = pd.Index(list(columns), tupleize_cols=False)
    return frame


def _rows_by_code(codes: npt.NDArray[np.integer[Any]], count: int) -> list[npt.NDArray[np.intp]]:
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(count + 1))
    return [order[start:end] for start, end in itertools.pairwise(bounds)]


def _same(value: Any, wanted: Any) -> bool:
    try:
        return bool(value == wanted)
    except (TypeError, ValueError):
        return False
