"""How the values of a column stand in the list of calls: numbers under each other, lengths as minutes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from kataven_notebook.clock import duration_text
from kataven_notebook.desk.marks import text_of

if TYPE_CHECKING:
    import pandas as pd

_SIGNIFICANT = 4
# Numbers outside of these would need more digits than a column has room for.
_SMALLEST, _LARGEST = 1e-3, 1e10


def decimals_of(column: pd.Series) -> int | None:
    """Return how many decimals all numbers of a column get, so that their points stand under each other.

    As few as show its numbers exactly, and no more than make the largest one four digits long,
    but one of those above a thousand.

    Parameters
    ----------
    column
        Any column.

    Returns
    -------
    int or None
        None for a column that does not hold numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> decimals_of(pd.Series([2.5, 10.0])), decimals_of(pd.Series([0.123456])), decimals_of(pd.Series(["2.5"]))
    (1, 4, None)
    """
    if not is_numeric_dtype(column) or is_bool_dtype(column) or column.dtype.kind == "c":
        return None
    values = column.to_numpy(dtype=float, na_value=np.nan)
    values = values[np.isfinite(values)]
    largest = float(np.abs(values).max(initial=0.0))
    most = min(_SIGNIFICANT, max(1, _SIGNIFICANT - 1 - math.floor(math.log10(largest)))) if largest else 0
    exact = (each for each in range(most) if np.allclose(values, np.round(values, each), rtol=1e-9, atol=1e-12))
    return next(exact, most)


def number_text(value: object, decimals: int) -> str:
    """Return a number with so many decimals; empty for a missing one.

    Examples
    --------
    >>> number_text(10, 1), number_text(float("nan"), 1), number_text(1e-7, 4)
    ('10.0', '', '1e-07')
    """
    if not isinstance(value, int | float) or not math.isfinite(value):
        return text_of(value)
    in_reach = value == 0 or _SMALLEST <= abs(value) < _LARGEST
    return f"{value:.{decimals}f}" if in_reach else text_of(value)


def length_text(value: object) -> str:
    """Return the length of a call, in seconds, as minutes and seconds.

    Examples
    --------
    >>> length_text(95.2), length_text(None)
    ('1:35', '')
    """
    if isinstance(value, int | float) and math.isfinite(value):
        return duration_text(float(value))
    return text_of(value)
