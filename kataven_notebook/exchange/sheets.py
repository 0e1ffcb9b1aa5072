"""The table beside exported sound: written and read in three formats, dtypes kept."""

from __future__ import annotations

import contextlib
import csv
import importlib.util
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import ConfigurationError, MissingExtra
from kataven_notebook.frame.columns import as_array, table_with_texts_spelled
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("csv", "jsonl", "parquet")


def check_kind(kind: str) -> None:
    """Make sure that a format of the table can be written.

    Raises
    ------
    ConfigurationError
        It is none of them.
    MissingExtra
        Parquet without pyarrow.
    """
    if kind not in KINDS:
        raise ConfigurationError(f"metadata={kind!r}: pass " + " or ".join(repr(each) for each in KINDS))
    if kind == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise MissingExtra.of("parquet", "metadata='parquet'")


def encode(table: pd.DataFrame, kind: str) -> bytes:
    """Return a table as the bytes of a file.

    Raises
    ------
    ConfigurationError
        Parquet can't hold a column.
    """
    table = table_with_texts_spelled(table)
    if kind == "csv":
        text = table.to_csv(index=False, lineterminator="\n")
        if "\r" in text:
            # A bare carriage return ends a line to readers, and pandas does not quote it.
            text = table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        return encodable(text).encode()
    if kind == "parquet":
        file = io.BytesIO()
        table.attrs = {}
        try:
            table.to_parquet(file, index=False)
        except (ValueError, TypeError) as error:  # also what pyarrow raises
            raise ConfigurationError(
                f"the table can't be written as Parquet ({error}): make that column's values of one kind, drop it, or "
                "pass metadata='jsonl'"
            ) from None
        return file.getvalue()
    names = list(table.columns)
    lines = (
        json.dumps({name: _plain(value) for name, value in zip(names, row, strict=True)}, ensure_ascii=False)
        for row in table.astype(object).itertuples(index=False, name=None)
    )
    return encodable("".join(line + "\n" for line in lines)).encode()


def decode(data: bytes, kind: str, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Return the table of a file, with the dtypes that it had.

    Raises
    ------
    ConfigurationError
        It is no such table.
    MissingExtra
        Parquet without pyarrow.
    """
    try:
        if kind == "csv":
            table = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, na_values=[""])
        elif kind == "parquet":
            table = pd.read_parquet(io.BytesIO(data))
            # pyarrow looks at texts when they are asked for: now, and not in somebody's cell.
            table.astype(object)
        else:
            # Not `splitlines`: texts may hold what Unicode calls the end of a line, too.
            rows = [json.loads(line) for line in data.decode().split("\n") if line.strip()]
            table = pd.DataFrame(rows, dtype=object)
    except ImportError:
        raise MissingExtra.of("parquet", f"a metadata.{kind}") from None
    except Exception as error:  # noqa: BLE001 - pyarrow and its C++ parts have kinds of their own
        raise ConfigurationError(f"the metadata.{kind} can't be read: {type(error).__name__}: {error}") from None
    for name, dtype in dtypes.items():
        if name in table.columns and kind != "parquet":
            # What was changed by hand and is no number or time any more stays as it is read.
            with contextlib.suppress(ValueError, TypeError, AttributeError, OverflowError):
                table[name] = _restored(table[name], dtype)
    if not dtypes:
        # Another program's table: ids stay text, numbers become numbers.
        table = table.convert_dtypes() if kind != "csv" else table.apply(_numbers)
    return table


def is_flat(column: pd.Series[Any]) -> bool:
    """Whether every cell is one value, which every format can hold."""
    if column.dtype != object:
        return True
    return all(each is None or isinstance(each, str | bool | int | float | np.generic) for each in column)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple | dict):
        return value
    if value is None or pd.isna(value):
        return None
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | bool | int | float) else str(value)


def _restored(column: pd.Series[Any], dtype: Any) -> Any:
    """Give a column of texts or plain values its dtype back."""
    plain = column.astype(object).where(column.notna(), None)
    if dtype == "object":
        return plain
    if dtype == "status":
        return as_array(plain.tolist(), "status")
    if dtype in ("bool", "boolean"):
        return column.map({"True": True, "False": False, True: True, False: False}).astype(dtype)
    if dtype.startswith("datetime64"):
        # Summer and winter have other offsets: read as UTC, the zone is the dtype's.
        return pd.to_datetime(column, format="ISO8601", utc="," in dtype).astype(dtype)
    if dtype.startswith("timedelta64"):
        return pd.to_timedelta(column).astype(dtype)
    values: Any = column
    if dtype.startswith(("Int", "UInt")):
        # Not by way of floats, which hold no more than 53 bits.
        values = pd.Series([None if each is None else int(each) for each in plain], dtype=object, index=column.index)
    elif dtype.lower().startswith(("int", "uint", "float")):
        values = pd.to_numeric(column.astype(object).where(column.notna(), np.nan))
    return values.astype(dtype)


def _numbers(column: pd.Series[Any]) -> Any:
    # A leading zero makes an id of digits: it would be gone in a number.
    if column.dropna().str.match(r"0\d").any():
        return column
    numbers = pd.to_numeric(column, errors="coerce")
    return column if (numbers.isna() & column.notna()).any() else numbers.convert_dtypes()
