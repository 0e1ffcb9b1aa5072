"""What a user's function returns, made into the cells of a row, and many of them into columns."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import numbers
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.frame.columns import as_array, table_with_texts_spelled
from kataven_notebook.redact import encodable
from kataven_notebook.run.invoke import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kataven_notebook.sound.recording import Recording

    Dtypes = dict[str, Any]

_SCALARS = (str, bytes, numbers.Number, dt.date, dt.timedelta, decimal.Decimal, enum.Enum, np.generic)
# Any row may be without a value, which plain integers and booleans can't say.
_NULLABLE = {
    "int": "Int64",
    **{f"{sign}int{bits}": f"{sign.upper()}Int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "bool": "boolean",
    "float": "float64",
    "str": "string",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Shaped:
    """A user's function whose value is brought into shape where it runs, so that a wrong one is its row's error.

    Parameters
    ----------
    fn
        The user's function.
    result
        "columns", "table" or "object".
    names
        Which columns are wanted; None for whatever is returned.
    """

    fn: Callable[..., Any]
    result: str
    names: tuple[str, ...] | None

    @property
    def __name__(self) -> str:
        return name_of(self.fn)

    @property
    def user_function(self) -> Callable[..., Any]:
        """The function whose lines an error names."""
        return self.fn

    def __call__(self, recording: Recording, **more: Any) -> Any:
        """Call, and bring what came back into shape."""
        value = self.fn(recording, **more)
        if self.result == "object":
            return value
        if self.result == "table":
            return _table(value)
        return _cells(value, self.names, self.__name__)


def _table(value: Any) -> pd.DataFrame | None:
    if value is None:
        return None
    if not isinstance(value, pd.DataFrame):
        raise TypeError(
            f"returned a {type(value).__name__}; with result='table' return a DataFrame, or None for no rows"
        )
    # The index of one call says nothing among others: it is left out where it has no name.
    table = value.reset_index(drop=all(name is None for name in value.index.names))
    if table.columns.nlevels > 1 or not table.columns.is_unique:
        raise TypeError("returned a frame with columns of several levels or of one name: give each column one name")
    return table_with_texts_spelled(table).rename(columns=_spelled)


def _spelled(value: Any) -> Any:
    return encodable(value) if isinstance(value, str) else value


def _cells(value: Any, names: tuple[str, ...] | None, fallback: str) -> dict[str, Any]:
    """Return the cells of one row by column name.

    Examples
    --------
    >>> _cells(0.5, None, "loudness"), _cells({"a": 1, "b": 2}, ("b",), "loudness")
    ({'loudness': 0.5}, {'b': 2})
    """
    if value is None or value is pd.NA:
        return {}
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, _SCALARS):
        if names is not None and len(names) != 1:
            raise TypeError(f"returned one value, and columns= names {len(names)}: return a dict")
        return {names[0] if names else fallback: _spelled(value)}
    found = {_spelled(str(name)): _spelled(each) for name, each in _as_mapping(value).items()}
    return {name: each for name, each in found.items() if names is None or name in names}


def _as_mapping(value: Any) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, pd.Series):
        return value.to_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        named: Mapping[Any, Any] = value._asdict()
        return named
    raise TypeError(
        f"returned a {type(value).__name__}; with result='columns' return a scalar, a dict or a dataclass, or pass "
        "result='object' (one value a row) or result='table' (a DataFrame a call)"
    )


def wanted_columns(columns: str | Sequence[str] | Mapping[str, Any] | None) -> Dtypes | None:
    """Return the columns that a caller names, each with its dtype or None.

    Raises
    ------
    ConfigurationError
        They are no names, or a dtype that pandas does not know.

    Examples
    --------
    >>> wanted_columns({"words": int, "text": str}), wanted_columns("score")
    ({'words': 'Int64', 'text': 'string'}, {'score': None})
    """
    if columns is None:
        return None
    if isinstance(columns, str):
        return {encodable(columns): None}
    named = isinstance(columns, Iterable)
    found = (dict(columns) if isinstance(columns, Mapping) else dict.fromkeys(columns)) if named else {}
    if not found or not all(isinstance(name, str) and name for name in found):
        raise ConfigurationError(f'columns={columns!r}: pass names, or names with dtypes such as {{"words": "Int64"}}')
    return {encodable(name): None if dtype is None else _dtype(name, dtype) for name, dtype in found.items()}


def _dtype(name: str, dtype: Any) -> Any:
    text = dtype.__name__ if isinstance(dtype, type) else str(dtype)
    if text in _NULLABLE:
        return _NULLABLE[text]
    try:
        return pd.api.types.pandas_dtype(dtype)
    except TypeError:
        raise ConfigurationError(f"columns= gives {name!r} the dtype {dtype!r}, which pandas does not know") from None


def column(values: Sequence[Any], dtype: Any) -> tuple[Any, dict[int, str]]:
    """Make a column's array of one value a session, None where there is none.

    Parameters
    ----------
    values
        Plain values.
    dtype
        What it must be, or None for what the values are: `Int64`, `float64`, `boolean`, `string`,
        times, else `object`.

    Returns
    -------
    tuple
        The array, and which positions hold what can't be of the dtype, with a sentence each.
    """
    plain = [None if _is_missing(value) else value for value in values]
    if dtype is None:
        dtype = _inferred([value for value in plain if value is not None])
    plainly = str(dtype) in ("object", "float64", "string", "Int64", "boolean")
    make: Callable[[Sequence[Any], Any], Any] = as_array if plainly else _any_array
    try:
        return make(plain, _name(dtype)), {}
    except Exception:  # noqa: BLE001 - values of any library are compared here, and raise what they like
        wrong = {position: text for position, value in enumerate(plain) if (text := _misfit(value, dtype, make))}
        return make([None if position in wrong else value for position, value in enumerate(plain)], _name(dtype)), wrong


def _name(dtype: Any) -> Any:
    return dtype if not isinstance(dtype, np.dtype) or dtype.kind == "M" else str(dtype)


def _any_array(values: Sequence[Any], dtype: Any) -> Any:
    return pd.Series(list(values), dtype=object).astype(dtype).array


def _misfit(value: Any, dtype: Any, make: Callable[..., Any]) -> str | None:
    try:
        make([value], _name(dtype))
    except Exception:  # noqa: BLE001 - as in `column`
        return f"{_shown(value)} can't be of dtype {dtype}"
    return None


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.100}"
    except Exception:  # noqa: BLE001 - the repr is the caller's code, too
        return f"a {type(value).__name__}"


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)  # noqa: PLR0124 - NaN


def _inferred(values: Sequence[Any]) -> Any:
    if any(isinstance(each, np.timedelta64) for each in values):  # to numpy a whole number, too
        return (
            "timedelta64[ns]" if all(isinstance(each, np.timedelta64 | dt.timedelta) for each in values) else "object"
        )
    kinds: tuple[tuple[tuple[type, ...], str], ...] = (
        ((bool, np.bool_), "boolean"),
        ((int, np.integer), "Int64"),
        ((int, float, np.integer, np.floating), "float64"),
        ((str,), "string"),
    )
    for types, dtype in kinds:
        # A bool is an int to Python, and no count to anybody else.
        if all(isinstance(each, types) and (bool in types or not isinstance(each, bool)) for each in values):
            if dtype == "Int64" and not all(-(2**63) <= each < 2**63 for each in values):
                return "object"
            return dtype if dtype != "boolean" or values else "float64"
    if all(isinstance(each, dt.datetime) for each in values):
        try:
            return pd.Series(values).dtype
        except (TypeError, ValueError):
            return "object"
    return "object"
