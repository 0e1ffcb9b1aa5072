"""The file of decisions: both of its forms, half-written lines, several players at once."""

from __future__ import annotations

import csv
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from kataven_notebook.desk.labels import LabelBook

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

# As the version before annotators wrote it.
EARLY = (
    "action,decision_id,session_id,label,start_s,end_s,note,labelled_at\n"
    "add,0a1b,s1,good,,,C:\\new \\t,2026-01-01T10:00:00+00:00\n"
    'add,0a1c,s2,bad,1.000,2.500,"two, words",2026-01-01T10:00:01+00:00\n'
    "remove,0a1b,s1,good,,,C:\\new \\t,2026-01-01T10:00:02+00:00\n"
    "add,0a1d,s1,gone from labels=,,,C:\\new \\t,2026-01-01T10:00:03+00:00\n"
)
NOTES = [
    "plain",
    "two\nlines, \\n and \\\\ kept",
    "tab\there",
    'quotes " and ,',
    "\\",
    "سلام\nabc \U0001f600",
    "<b>x</b>",
    "=cmd()",
]


def _state(book: LabelBook) -> list[tuple[object, ...]]:
    return [(each.decision_id, each.annotator, each.labelled_at, *each.content) for each in book._decisions.values()]


@pytest.mark.parametrize("start", ["", EARLY])
@pytest.mark.parametrize("annotator", [None, "anna, \t\\n ب"])
def test_what_one_player_writes_the_next_one_reads(tmp_path: Path, start: str, annotator: str | None) -> None:
    """Notes of any text and of many lines, who and when, changes and removals: a record a line, nothing rewritten."""
    path = tmp_path / "labels.csv"
    if start:
        path.write_text(start, encoding="utf-8")
    book = LabelBook("session_id", path, annotator=annotator)
    old = _state(book)
    for position, note in enumerate(NOTES):
        book.add("s1", "good", note=note, decision_id=f"n{position}")
    book.change("n0", "s1", "bad", start_s=1.0, end_s=2.25, note="moved\nand renamed")
    book.remove("n1")
    again = LabelBook("session_id", path)
    assert _state(again) == _state(book)
    assert _state(again)[: len(old)] == old
    assert [each.note for each in again.of("s1")][-6:] == NOTES[2:]
    text = path.read_text(encoding="utf-8")
    assert text.startswith(start)
    assert len(text.splitlines()) == 1 + (len(EARLY.splitlines()) - 1 if start else 0) + len(NOTES) + 2
    with path.open(encoding="utf-8", newline="") as file:
        assert {len(row) for row in csv.reader(file)} == {8 if start else 10}, "pandas reads it too"
    assert len(pd.read_csv(path)) == len(text.splitlines()) - 1


def test_notes_of_early_files_are_read_as_they_stand(tmp_path: Path) -> None:
    """A backslash was a backslash, and a label that is not on offer any more is kept."""
    path = tmp_path / "labels.csv"
    path.write_text(EARLY, encoding="utf-8")
    frame = LabelBook("session_id", path).to_frame()
    assert frame["note"].tolist() == ["two, words", "C:\\new \\t"]
    assert frame["label"].tolist() == ["bad", "gone from labels="]
    assert frame["annotator"].isna().all()


def test_the_history_of_a_decision_stays_in_the_file(tmp_path: Path) -> None:
    """Each move is a record of the same id; one that goes back is whose it was, and when."""
    path = tmp_path / "labels.csv"
    hers = LabelBook("session_id", path, annotator="anna").add("s", "good", start_s=1, end_s=2, decision_id="x")
    book = LabelBook("session_id", path, annotator="ben")
    moved = book.change("x", "s", "good", start_s=3, end_s=4)
    assert moved.annotator == "ben"
    book.remove("x")
    assert book.change("x", "s", "good", start_s=1, end_s=2) == hers
    rows = pd.read_csv(path)
    assert rows["action"].tolist() == ["add", "change", "remove", "add"]
    assert rows["annotator"].tolist() == ["anna", "ben", "ben", "anna"]
    assert rows["start_s"].tolist() == [1, 3, 3, 1]
    assert LabelBook("session_id", path).of("s") == [hers]


def test_a_change_whose_beginning_was_lost_is_a_decision(tmp_path: Path) -> None:
    """The line that added it was half written; and a record that stands twice counts once."""
    path = tmp_path / "labels.csv"
    book = LabelBook("session_id", path)
    book.add("s", "good", decision_id="x")
    book.change("x", "s", "bad")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], lines[1][:20] + "\n", lines[2], lines[2]]))
    with pytest.warns(UserWarning, match="1 half-written"):
        again = LabelBook("session_id", path)
    assert [each.label for each in again.of("s")] == ["bad"]


@pytest.mark.parametrize("start", ["", EARLY])
def test_two_players_write_to_one_file_at_once(tmp_path: Path, start: str) -> None:
    """Two processes, with lines of every length: all decisions are there, under one header."""
    path = tmp_path / "labels.csv"
    if start:
        path.write_text(start, encoding="utf-8")
    script = (
        "import sys; from kataven_notebook.desk.labels import LabelBook\n"
        "book = LabelBook('session_id', sys.argv[1], annotator=sys.argv[2])\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "for i in range(60): book.add(f's{i}', 'good', note='line\\n' * i, decision_id=f'{sys.argv[2]}-{i}')\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen([*command, name], **pipes) for name in ("anna", "ben")]  # type: ignore[call-overload]  # options in a dict
    for each in writers:
        assert each.stdout.readline() == "ready\n"
    for each in writers:
        each.stdin.write("go\n")
        each.stdin.flush()
    assert [each.wait(60) for each in writers] == [0, 0]
    for each in writers:
        each.stdin.close()
        each.stdout.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = LabelBook("session_id", path).to_frame()
    assert frame["annotator"].value_counts().to_dict() == {"anna": 60, "ben": 60}
    assert path.read_text().count("decision_id") == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["labels.csv"]


def test_a_second_header_is_no_decision_and_no_damage(tmp_path: Path) -> None:
    """Where there are no links in the file system, two players that begin at once may both write one."""
    path = tmp_path / "labels.csv"
    book = LabelBook("session_id", path)
    book.add("s", "good")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, *lines]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(LabelBook("session_id", path)) == 1


def test_what_was_saved_is_in_a_file_that_took_the_place_of_the_one_it_was_in(tmp_path: Path) -> None:
    """The file is removed, emptied, or replaced by an older copy meanwhile; nothing stands there twice."""
    path = tmp_path / "labels.csv"
    book = LabelBook("session_id", path)
    book.add("s1", "good", note="two\nlines")
    yesterday = path.read_bytes()
    book.add("s2", "bad", start_s=1.0, end_s=2.0)

    def copied() -> None:
        (tmp_path / "copy").write_bytes(yesterday)
        (tmp_path / "copy").replace(path)

    for position, fault in enumerate((path.unlink, copied, lambda: path.write_bytes(b""))):
        fault()
        book.add("s3", "good", decision_id=f"new{position}")
        assert sorted(map(str, _state(LabelBook("session_id", path)))) == sorted(map(str, _state(book)))
        assert path.read_text().count("two\\nlines") == 1
    path.unlink()
    book.remove("new1")
    assert len(LabelBook("session_id", path)) == len(book) == 4


def test_a_table_that_took_the_place_of_the_file_is_left_alone(tmp_path: Path) -> None:
    """The label is refused in words, and is written when the table is gone."""
    path = tmp_path / "labels.csv"
    book = LabelBook("session_id", path)
    book.add("s1", "good")
    table = "session_id,outcome\ns1,booked\n" * 50
    path.write_text(table)
    (tmp_path / "table").write_text(table)
    (tmp_path / "table").replace(path)
    with pytest.raises(OSError, match="no player's"):
        book.add("s2", "good")
    assert path.read_text() == table
    path.unlink()
    book.add("s2", "good")
    assert [each.session_id for each in LabelBook("session_id", path).to_frame().itertuples()] == ["s1", "s2"]


def test_players_on_one_file_know_of_each_other(tmp_path: Path) -> None:
    """What one decides, changes and takes back the other has too, without a second row; both from the first record."""
    path = tmp_path / "labels.csv"
    one, two = (LabelBook("session_id", path, annotator="anna") for _ in range(2))
    first = one.add("s1", "good", note="two\nlines")
    assert two.refresh() == {"s1"}
    assert two.same("s1", "good") == first
    two.change(first.decision_id, "s1", "bad", start_s=1.0, end_s=2.0)
    two.add("s2", "good")
    third = one.add("s3", "good")  # not having looked
    assert one.refresh() == {"s1", "s2", "s3"}
    one.remove(third.decision_id)
    assert two.refresh() == {"s3"}
    assert sorted(map(str, _state(one))) == sorted(map(str, _state(two)))
    assert [each.label for each in LabelBook("session_id", path)._decisions.values()] == ["bad", "good"]
    assert not one.refresh()
    assert not two.refresh()
    with path.open("a") as file:
        file.write("add,half,s4,go")
    assert not two.refresh()
    assert len(path.read_text().splitlines()) == 7
