"""Files of sessions: what a spreadsheet made of them is read where that is certain, and else named with a remedy."""

from __future__ import annotations

import codecs
import gzip
import importlib.util
import io
import sys
from pathlib import Path

import pandas as pd
import pytest

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.exchange.tables import check_writable, read_table, table_kind, write_table

pytestmark = pytest.mark.core

TEXT = "session_id,name,n\n007,José,1.5\ns2,Zoë,2\n"
SHEET = "session_id;name;n\n007;José, B.;1,5\ns2;Zoë;2\n"


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch) -> None:
    """Names of files are short here."""
    monkeypatch.chdir(tmp_path)


def read(content: bytes, name: str = "calls.csv", session: str = "session_id") -> pd.DataFrame:
    """Write a file and read it."""
    Path(name).write_bytes(content)
    return read_table(name, session)


def refusal(content: bytes, name: str = "calls.csv") -> str:
    """What is said of a file that can't be read."""
    with pytest.raises(ConfigurationError) as caught:
        read(content, name)
    said = str(caught.value)
    assert said.startswith(f"{name} can't be read as ")
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.replace("\n", "\r\n").encode(),
        f"\n{TEXT}\n\n".encode(),
        codecs.BOM_UTF8 + TEXT.replace("session_id", '"session_id"').encode(),
    ],
    ids=["utf-8", "a mark", "utf-16", "utf-16-be", "utf-32", "windows", "blank lines", "a mark before a quote"],
)
def test_text_is_read_in_the_encoding_that_is_certain(content) -> None:
    """UTF-8, or what the byte order mark says; names are whole, and ids are text."""
    frame = read(content)
    assert frame.columns.tolist() == ["session_id", "name", "n"]
    assert frame["session_id"].tolist() == ["007", "s2"]
    assert frame["name"].tolist() == ["José", "Zoë"]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac-roman"])
def test_another_encoding_names_the_line_and_the_remedy(encoding) -> None:
    """Which of many it is can't be told: nothing is read wrongly."""
    said = refusal(TEXT.encode(encoding))
    assert "it is not UTF-8 text (byte 0x" in said
    assert "in line 2): save it as UTF-8" in said
    assert "iconv" in said


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_wide_text_without_a_mark_names_the_remedy(encoding) -> None:
    """Zeros between letters are no UTF-8."""
    assert "without a byte order mark does: save it as UTF-8" in refusal(TEXT.encode(encoding))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_another_separator_is_taken_where_the_names_tell(separator) -> None:
    """The column of sessions stands alone between two of them; commas within fields stay."""
    frame = read(SHEET.replace(";", separator).encode())
    assert frame.columns.tolist() == ["session_id", "name", "n"]
    assert frame["session_id"].tolist() == ["007", "s2"]
    assert frame["name"][0] == "José, B."
    assert frame["n"].tolist() == ["1,5", "2"]


def test_line_ends_of_old_macs_are_read() -> None:
    """The csv module alone refuses them."""
    assert read(SHEET.replace("\n", "\r").encode(), "calls.csv").equals(read(SHEET.encode(), "calls.csv"))


def test_a_name_that_is_too_long_is_no_programming_error() -> None:
    """As in a file that is no table, or whose first quote is never closed."""
    with pytest.raises(ConfigurationError, match="field larger"):
        read(("session_id," + "x" * 200_000 + "\n").encode(), "calls.csv")


def test_a_line_by_which_excel_finds_the_separator_is_no_row() -> None:
    """It stands above the names."""
    assert read(f"sep=;\n{SHEET}".encode())["session_id"].tolist() == ["007", "s2"]


def test_names_that_hold_no_session_are_split_all_the_same() -> None:
    """The error that follows lists the columns there are."""
    assert read(SHEET.encode(), session="id").columns.tolist() == ["session_id", "name", "n"]
    assert read(b"id\ns1\n").columns.tolist() == ["id"]


@pytest.mark.parametrize("content", [b"", b"\n \n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
@pytest.mark.parametrize("name", ["calls.csv", "calls.jsonl"])
def test_an_empty_file_says_what_its_first_line_is_for(content, name) -> None:
    """It is no table, while names without rows are one."""
    assert "it is empty; its first line names the columns, one of which is 'session_id'" in refusal(content, name)
    assert len(read(b"session_id,name\n")) == 0


def test_two_columns_of_sessions_are_refused() -> None:
    """Which one is meant can't be told; other names that stand twice do no harm."""
    assert "2 of its columns have the name 'session_id': rename all but one" in refusal(b"session_id,session_id\na,b\n")
    assert read(b"session_id,x,x\na,1,2\n")["session_id"].tolist() == ["a"]


@pytest.mark.parametrize("content", [b"session_id,x\na,1,\nb,2,\n", b"session_id\na,\nb,\n"])
def test_a_separator_at_the_end_of_rows_moves_nothing(content) -> None:
    """Taken as they stand, every value would be one column further left, the ids among them."""
    assert read(content)["session_id"].tolist() == ["a", "b"]


def test_rows_with_more_fields_than_names_are_refused() -> None:
    """Which of them has no name can't be told."""
    assert "more fields than its first line has names" in refusal(b"session_id,x\na,1,3\nb,2,4\n")


def test_a_row_that_is_longer_than_the_others_is_named() -> None:
    """By its line."""
    assert "line 3" in refusal(b"session_id,x\na,1\nb,2,3\n")


def test_packed_and_json_lines_are_read_alike() -> None:
    """The same text."""
    assert read(gzip.compress(SHEET.encode("utf-16")), "calls.csv.gz")["session_id"].tolist() == ["007", "s2"]
    assert read(codecs.BOM_UTF8 + b'{"session_id": "007"}\n', "calls.jsonl")["session_id"].tolist() == ["007"]
    assert "save it as UTF-8" in refusal('{"session_id": "José"}\n'.encode("cp1252"), "calls.jsonl")


def test_the_standard_input_is_read_by_the_same_rules(monkeypatch) -> None:
    """Bytes, or text where something stands in for it."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SHEET.encode("utf-16"))))
    assert read_table("-", "session_id")["session_id"].tolist() == ["007", "s2"]
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXT))
    assert read_table("-", "session_id")["session_id"].tolist() == ["007", "s2"]


@pytest.mark.parametrize("name", ["left.csv", "left.csv.gz", "left.jsonl", "left.parquet"])
def test_a_table_comes_back_and_leaves_nothing_beside_it(name) -> None:
    """Through a link too, which stays one."""
    if name.endswith("parquet") and importlib.util.find_spec("pyarrow") is None:
        return
    Path("kept").mkdir()
    Path(name).symlink_to(Path("kept") / name)
    write_table(pd.DataFrame({"session_id": ["007", "s2"]}), name)
    assert read_table(name, "session_id")["session_id"].tolist() == ["007", "s2"]
    assert Path(name).is_symlink()
    assert [each.name for each in Path("kept").iterdir()] == [name]


def test_a_table_that_can_not_be_written_leaves_the_one_that_was_there() -> None:
    """The report of last night is better than half of this one."""
    write_table(pd.DataFrame({"session_id": ["a"]}), "left.csv")

    class Odd:
        def __str__(self) -> str:
            raise OSError("no space left")

    with pytest.raises(ConfigurationError, match=r"left\.csv can't be written: no space left"):
        write_table(pd.DataFrame({"session_id": ["b", Odd()]}), "left.csv")
    assert read_table("left.csv", "session_id")["session_id"].tolist() == ["a"]
    assert [each.name for each in Path().iterdir()] == ["left.csv"]


@pytest.mark.parametrize("name", ["left.txt", "nowhere/left.csv", "."])
def test_a_place_that_can_not_be_written_is_known_before(name) -> None:
    """Its ending, its folder, or a folder in its place."""
    with pytest.raises(ConfigurationError):
        check_writable(name)


def test_the_ending_tells_the_format() -> None:
    """Under that of a packer, in any case."""
    names = ["a.CSV", "a.ndjson.gz", "a.b.pq", "a.parquet"]
    assert [table_kind(each) for each in names] == ["csv", "jsonl", "parquet", "parquet"]
