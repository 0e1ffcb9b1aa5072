"""What stands in the filter of the list: words, `column:value`, `column>1`, and `-` for what is not wanted."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype, is_timedelta64_dtype

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

_TERM = re.compile(
    r"""(?P<minus>-?)(?:(?P<name>"[^"]+"|[^\s":<>=!-][^\s":<>=!]*)(?P<sign>:[<>]=?|:=?|[<>]=?|!?=))?"""
    r"""(?P<value>(?:"[^"]*"?|[^\s"])*)"""
)
_ALTERNATIVE = re.compile(r'"([^"]*)"?|([^",]+)')
_MINUTES = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")
_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of a filter.

    Parameters
    ----------
    text
        As it was typed, without quotes and without the `-` in front.
    excluded
        Whether calls for which it holds are left out.
    name
        The column it is about; empty for a text in any column.
    sign
        ":" for a text within the value, "=" for the whole value, "!=", or one that compares.
    accepted
        Any of them will do, in lower case; none yet while it is being typed.
    is_quoted
        Whether the text stood in quotes, so that it is looked for as it stands.
    """

    text: str
    excluded: bool = False
    name: str = ""
    sign: str = ""
    accepted: tuple[str, ...] = ()
    is_quoted: bool = False


def parse(text: str) -> list[Term]:
    """Return the conditions of a filter, all of which are to hold.

    Examples
    --------
    >>> [(each.name, each.sign, each.accepted) for each in parse('agent:clinic duration_s>60 -"no answer"')]
    [('agent', ':', ('clinic',)), ('duration_s', '>', ('60',)), ('', '', ('no answer',))]
    """
    terms = []
    for found in _TERM.finditer(text):
        if not found[0].strip('- "'):
            # Nothing but what a longer one begins with.
            continue
        name, sign, value = (found["name"] or "").strip('"'), found["sign"] or "", found["value"]
        if len(sign) > 1 and sign[0] == ":":
            sign = sign[1:]
        if sign in (":", "=", "!="):
            values = tuple((quoted or plain).casefold() for quoted, plain in _ALTERNATIVE.findall(value))
        else:
            values = (value.replace('"', "").casefold(),) if value else ()
        whole = found[0][len(found["minus"]) :].replace('"', "")
        terms.append(Term(whole, bool(found["minus"]), name, sign, values, value.startswith('"') and not name))
    return terms


def holds(term: Term, column: pd.Series, texts: Sequence[str]) -> Mask | str:
    """Return where a condition holds, or in words why it can't be asked of this column.

    Parameters
    ----------
    term
        A condition with a name and a value.
    column
        The column of this name.
    texts
        The same as it is shown, in lower case.
    """
    if term.sign in _COMPARE:
        return _compared(term, column)
    numbers = column.to_numpy(dtype=float, na_value=np.nan) if _is_number(column) else None
    found = np.zeros(len(texts), dtype=bool)
    for value in term.accepted:
        if term.sign == ":" and value and numbers is None:
            found |= np.fromiter((value in each for each in texts), dtype=bool, count=len(texts))
        else:
            found |= np.fromiter((value == each for each in texts), dtype=bool, count=len(texts))
            wanted = _number(value)
            if numbers is not None and wanted is not None:
                found |= numbers == wanted
    return ~found if term.sign == "!=" else found


def _compared(term: Term, column: pd.Series) -> Mask | str:
    value = term.accepted[0]
    wanted: Any
    if is_datetime64_any_dtype(column):
        try:
            wanted = pd.Timestamp(value)
        except ValueError:
            return f"{term.text}: {term.name} holds times, so write one, such as {term.name}{term.sign}2026-01-31."
        if wanted.tzinfo is None:
            wanted = wanted.tz_localize(column.dt.tz)
        numbers = column if column.dt.tz is not None else column.dt.tz_localize(wanted.tz)
    else:
        wanted = _number(value)
        if wanted is None:
            return f"{term.text}: {term.sign} compares numbers, such as {term.name}{term.sign}60."
        numbers = column.dt.total_seconds() if is_timedelta64_dtype(column) else pd.to_numeric(column, errors="coerce")
        if column.notna().any() and not numbers.notna().any():
            return f"{term.text}: {term.name} holds no numbers; write {term.name}:{value} to look for a text."
    return np.asarray(_COMPARE[term.sign](numbers, wanted).fillna(value=False), dtype=bool)


def _is_number(column: pd.Series) -> bool:
    return bool(is_numeric_dtype(column)) and not is_bool_dtype(column) and column.dtype.kind != "c"


def _number(text: str) -> float | None:
    """Return a number, also one of minutes and seconds."""
    if found := _MINUTES.fullmatch(text):
        hours, minutes, seconds = found.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    try:
        return float(text)
    except ValueError:
        return None
