"""What a user's function returned, as JSON that says of each value what it was: reading it runs nobody's code."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

_TAG = "$"
_DEEPEST = 50
# Of numpy's kinds: booleans, whole numbers, floats, complex numbers, times, text, bytes.
_PLAIN_KINDS = "biufcMmUS"


def to_bytes(value: Any) -> bytes:
    """Return a value as bytes for `from_bytes`.

    Text, numbers, times, missing values, bytes, lists, tuples, dicts, numpy arrays and frames are kept, within each
    other too.

    Raises
    ------
    TypeError
        It is something else; the message names what.

    Examples
    --------
    >>> from_bytes(to_bytes({"words": 3, "at": pd.Timestamp("2026-01-31", tz="UTC")}))
    {'words': 3, 'at': Timestamp('2026-01-31 00:00:00+0000', tz='UTC')}
    """
    try:
        return json.dumps(_plain(value, 0), separators=(",", ":")).encode()
    except ValueError:  # Python writes no more than 4,300 digits, and reads no more
        raise TypeError("a whole number of thousands of digits") from None


def from_bytes(data: bytes) -> Any:
    """Return the value in bytes that `to_bytes` made.

    Raises
    ------
    ValueError
        These are other bytes.
    """
    try:
        return _value(json.loads(data))
    except (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, ImportError) as error:
        raise ValueError(f"no value: {type(error).__name__}") from None


def _plain(value: Any, depth: int) -> Any:
    """Return a value in JSON's own types; what these can't say has a tag that names what it is."""
    if depth > _DEEPEST:
        raise TypeError("values within values, more than 50 deep")
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [_plain(each, depth + 1) for each in value]
    if type(value) is dict and _TAG not in value and all(type(key) is str for key in value):
        return {key: _plain(each, depth + 1) for key, each in value.items()}
    # Types that were derived from these, such as masked arrays, hold more than is written here.
    if type(value) in (np.ndarray, pd.DataFrame, dict, tuple) or isinstance(value, np.generic):
        return _plain_collection(value, depth)
    for kind, (types, write, _) in _SCALARS.items():
        if type(value) in types:
            return {_TAG: kind, "value": write(value)}
    raise _unknown(value)


def _plain_collection(value: Any, depth: int) -> dict[str, Any]:
    if type(value) is dict:
        return {_TAG: "dict", "items": [[_plain(each, depth + 1) for each in pair] for pair in value.items()]}
    if type(value) is tuple:
        return {_TAG: "tuple", "items": [_plain(each, depth + 1) for each in value]}
    if type(value) is pd.DataFrame:
        return _plain_frame(value, depth)
    if type(value) is np.ndarray and value.dtype.kind in _PLAIN_KINDS + "O":
        return _plain_array(value, depth)
    if isinstance(value, np.generic) and value.dtype.kind in _PLAIN_KINDS:
        return {**_plain_array(np.asarray(value), depth), _TAG: "scalar"}
    raise _unknown(value)


def _unknown(value: Any) -> TypeError:
    return TypeError(f"a {type(value).__module__}.{type(value).__qualname__}".replace("builtins.", ""))


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _written_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _duration(value: dt.timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


# By name: which types, how they are written, and how they are read.
_SCALARS: dict[str, tuple[tuple[type, ...], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "bytes": ((bytes,), _written_bytes, _bytes),
    "NA": ((type(pd.NA),), lambda _: None, lambda _: pd.NA),
    "NaT": ((type(pd.NaT),), lambda _: None, lambda _: pd.NaT),
    "Timestamp": ((pd.Timestamp,), lambda value: [value.isoformat(), _zone(value)], lambda pair: _timestamp(*pair)),
    "Timedelta": ((pd.Timedelta,), lambda value: value.isoformat(), pd.Timedelta),
    "datetime": ((dt.datetime,), lambda value: _fixed(value).isoformat(), dt.datetime.fromisoformat),
    "date": ((dt.date,), lambda value: value.isoformat(), dt.date.fromisoformat),
    "time": ((dt.time,), lambda value: _fixed(value).isoformat(), dt.time.fromisoformat),
    "timedelta": ((dt.timedelta,), _duration, lambda parts: dt.timedelta(*parts)),
    "Decimal": ((decimal.Decimal,), str, decimal.Decimal),
    "complex": ((complex,), lambda value: [value.real, value.imag], lambda parts: complex(*parts)),
}


def _zone(value: pd.Timestamp) -> str | None:
    name = None if value.tz is None else str(value.tz)
    try:
        _timestamp(value.isoformat(), name)
    except (LookupError, ValueError):
        raise TypeError("a time in a time zone without a name: call tz_convert() with one, such as 'UTC'") from None
    return name


def _timestamp(text: str, zone: str | None) -> pd.Timestamp:
    found = pd.Timestamp(text)
    return found if zone is None else found.tz_convert(zone)


def _fixed(value: Any) -> Any:
    if value.tzinfo is None or isinstance(value.tzinfo, dt.timezone):
        return value
    raise TypeError("a time in a named time zone: make it a pandas.Timestamp, or UTC")


def _plain_array(value: np.ndarray[Any, Any], depth: int) -> dict[str, Any]:
    if value.dtype.kind == "O":
        items = [_plain(each, depth + 1) for each in value.ravel()]
        return {_TAG: "objects", "shape": value.shape, "items": items}
    data = _written_bytes(np.ascontiguousarray(value).tobytes())
    return {_TAG: "array", "dtype": value.dtype.str, "shape": value.shape, "value": data}


def _plain_frame(frame: pd.DataFrame, depth: int) -> dict[str, Any]:
    index = frame.index
    if not (isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1 and index.name is None):
        raise TypeError("a DataFrame with an index of its own: call reset_index() on it")
    columns = [
        [_plain(name, depth + 1), _plain_column(frame.iloc[:, position], depth)]
        for position, name in enumerate(frame.columns)
    ]
    return {_TAG: "frame", "rows": len(frame), "columns": columns, "attrs": _plain(dict(frame.attrs), depth + 1)}


def _plain_column(column: pd.Series, depth: int) -> dict[str, Any]:
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return {"dtype": None, "values": _plain_array(column.to_numpy(), depth)}
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _plain_column(pd.Series(dtype.categories), depth)
        codes = _plain_array(column.cat.codes.to_numpy(), depth)
        return {"dtype": "category", "values": codes, "categories": categories, "ordered": bool(dtype.ordered)}
    values = np.empty(len(column), dtype=object)
    values[:] = [None if each is pd.NA else each for each in column]
    made = pd.api.types.pandas_dtype(str(dtype))
    if made != dtype:
        raise TypeError(f"a DataFrame with a column of dtype {dtype}")
    return {"dtype": str(dtype), "values": _plain_array(values, depth)}


def _value(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_value(each) for each in plain]
    if not isinstance(plain, dict):
        return plain
    kind = plain.get(_TAG)
    if kind is None:
        return {key: _value(each) for key, each in plain.items()}
    if kind in _SCALARS:
        return _SCALARS[kind][2](plain["value"])
    return _PARTS[kind](plain)


def _array(plain: dict[str, Any]) -> np.ndarray[Any, Any]:
    dtype = np.dtype(str(plain["dtype"]))
    if dtype.kind not in _PLAIN_KINDS:
        raise ValueError("an array of another kind")
    data = _bytes(plain["value"])
    return np.frombuffer(data, dtype).reshape(plain["shape"]).copy()


def _objects(plain: dict[str, Any]) -> np.ndarray[Any, Any]:
    found = np.empty(len(plain["items"]), dtype=object)
    found[:] = [_value(each) for each in plain["items"]]
    return found.reshape(plain["shape"])


def _frame(plain: dict[str, Any]) -> pd.DataFrame:
    columns = [(_value(name), _column(column)) for name, column in plain["columns"]]
    frame = (
        pd.concat([column for _, column in columns], axis=1) if columns else pd.DataFrame(index=range(plain["rows"]))
    )
    frame.columns = pd.Index([name for name, _ in columns])
    frame.attrs = dict(_value(plain["attrs"]))
    return frame


def _column(plain: dict[str, Any]) -> pd.Series:
    values = _value(plain["values"])
    if plain["dtype"] == "category":
        dtype = pd.CategoricalDtype(pd.Index(_column(plain["categories"])), ordered=plain["ordered"])
        return pd.Series(pd.Categorical.from_codes(values, dtype=dtype))
    found: pd.Series = pd.Series(values, dtype=plain["dtype"] or values.dtype)
    return found


_PARTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dict": lambda plain: {_value(key): _value(each) for key, each in plain["items"]},
    "tuple": lambda plain: tuple(_value(each) for each in plain["items"]),
    "array": _array,
    "objects": _objects,
    "scalar": lambda plain: _array(plain)[()],
    "frame": _frame,
}
