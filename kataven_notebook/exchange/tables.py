"""Tables of sessions as files: read whatever program wrote them, and written whole or not at all."""

from __future__ import annotations

import codecs
import csv
import io
import lzma
import os
import re
import sys
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import fsspec
import pandas as pd

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import ConfigurationError, MissingExtra
from kataven_notebook.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKED = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}
_SEPARATORS = (",", ";", "\t", "|")
# UTF-32's mark for little endian begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE_AGAIN = (
    'save it as UTF-8 (in Excel: "CSV UTF-8"), or convert it, for instance with iconv -f WINDOWS-1252 -t UTF-8'
)


def read_table(name: str, session: str) -> pd.DataFrame:
    """Return the frame in a file: CSV, Parquet or JSON lines, by its ending; "-" is CSV on the standard input.

    Text is UTF-8, or what its byte order mark says. The separator of a CSV file is a comma, or the one of semicolon,
    tab and bar by which its first line names the column of sessions.

    Parameters
    ----------
    name
        The file.
    session
        The column that holds the session ids, which are text whatever they look like.

    Raises
    ------
    ConfigurationError
        No such file, another format, or not what its ending says.
    MissingExtra
        Parquet without pyarrow.
    """
    kind = "csv" if name == "-" else table_kind(name)
    try:
        if kind == "parquet":
            return pd.read_parquet(name)
        text = _decoded(_content(name), session)
        if kind == "jsonl":
            return pd.read_json(io.StringIO(text), lines=True, dtype=False)
        return _read_csv(text, session)
    except ImportError as error:
        if kind == "parquet":
            raise MissingExtra.of("parquet", "a Parquet file") from None
        raise ConfigurationError(f"{name} can't be read as {kind}: {error}; or unpack it") from None
    except (OSError, ValueError, EOFError, csv.Error, zlib.error, lzma.LZMAError) as error:
        raise ConfigurationError(f"{name} can't be read as {kind}: {one_line(str(error), most_chars=400)}") from None


def _content(name: str) -> bytes:
    if name == "-":
        # What stands in for the standard input may be text already.
        source = getattr(sys.stdin, "buffer", sys.stdin)
        if source is None:
            raise ValueError("the standard input is closed; name a file")
        content = source.read()
        return content if isinstance(content, bytes) else str(content).encode()
    with fsspec.open(name, "rb", compression=_PACKED.get(Path(name).suffix.lower())) as file:
        return bytes(file.read())


def _decoded(content: bytes, session: str) -> str:
    """Return the text, without a mark.

    Raises
    ------
    ValueError
        There is none, or it is in another encoding, which can't be told for certain.
    """
    marked = next((encoding for mark, encoding in _MARKS if content.startswith(mark)), None)
    if marked is None and b"\0" in content[:4_096]:
        raise ValueError(f"it holds zero bytes, as UTF-16 without a byte order mark does: {_SAVE_AGAIN}")
    try:
        text = content.decode(marked or "utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        where = f"byte 0x{content[error.start]:02x} in line {line}"
        raise ValueError(f"it is not {marked or 'UTF-8'} text ({where}): {_SAVE_AGAIN}") from None
    if not text.strip():
        raise ValueError(f"it is empty; its first line names the columns, one of which is {session!r}")
    return text


def _read_csv(text: str, session: str) -> pd.DataFrame:
    # Excel's own hint, in a line above the names.
    hint = re.match(r"sep=(.)\r?\n", text)
    if hint is not None:
        text = text[hint.end() :]
    names = {each: _names(text, each) for each in ([hint[1]] if hint is not None else _SEPARATORS)}
    separator = max(names, key=lambda each: (session in names[each], len(names[each])))
    if (count := names[separator].count(session)) > 1:
        raise ValueError(f"{count} of its columns have the name {session!r}: rename all but one")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            # Ids are text: 007 must not become 7. Without `index_col` rows that end with a separator would move
            # all values one column to the left.
            return pd.read_csv(io.StringIO(text), sep=separator, dtype={session: str}, index_col=False)
        except pd.errors.ParserWarning:
            raise ValueError("its rows have more fields than its first line has names: give each field one") from None


def _names(text: str, separator: str) -> list[str]:
    """Return what the first line that is not blank names, split by a separator."""
    # Any line end, also the one of old Macs.
    rows: Iterator[list[str]] = csv.reader(io.StringIO(text, newline=None), delimiter=separator)
    return next((row for row in rows if any(each.strip() for each in row)), [])


def check_writable(name: str) -> None:
    """Find now, and not after hours of fetching, that a file can't be written.

    Raises
    ------
    ConfigurationError
        Its ending is none of a table, or its folder is missing or not the user's to write.
    """
    table_kind(name)
    folder = absolute_path("--report", name).parent
    if Path(name).is_dir() or not os.access(folder, os.W_OK):
        raise ConfigurationError(f"{name} can't be written: there is no folder {folder}, or it is not yours to write")


def write_table(frame: pd.DataFrame, name: str) -> None:
    """Write a frame to a file, in the format of its ending; the file that was there stays until the new one is whole.

    Raises
    ------
    ConfigurationError
        It can't be written.
    MissingExtra
        Parquet without pyarrow.
    """
    kind = table_kind(name)
    target = Path(os.path.realpath(name))
    # It keeps the ending, by which pandas packs it.
    part = target.with_name(f".{os.getpid()}.{target.name}")
    try:
        if kind == "parquet":
            frame.to_parquet(part, index=False)
        elif kind == "jsonl":
            frame.to_json(part, orient="records", lines=True, date_format="iso")
        else:
            frame.to_csv(part, index=False)
        part.replace(target)
    except ImportError:
        raise MissingExtra.of("parquet", "a Parquet file") from None
    except OSError as error:
        raise ConfigurationError(f"{name} can't be written: {error}") from None
    except (ValueError, TypeError, OverflowError) as error:  # pyarrow's: a column of numbers and texts, for instance
        raise ConfigurationError(
            f"{name} can't be written as {kind}: {one_line(str(error), most_chars=200)}; a .csv holds any columns"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def table_kind(name: str) -> str:
    """Return "csv", "jsonl" or "parquet" by a file's ending.

    Raises
    ------
    ConfigurationError
        Another ending.
    """
    endings = [each.lower() for each in Path(name).suffixes]
    if endings and endings[-1] in _PACKED:
        endings.pop()
    kinds = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet"}
    kind = kinds.get(endings[-1] if endings else "")
    if kind is None:
        raise ConfigurationError(f"{name}: the ending tells the format, and must be .csv, .jsonl, .ndjson or .parquet")
    return kind
