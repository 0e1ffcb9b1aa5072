"""Decisions on disk: appended, private, read again."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from kataven_notebook.desk.labels import LabelBook
from kataven_notebook.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


def test_decisions_are_on_disk_at_once_and_the_next_player_continues(tmp_path: Path) -> None:
    """Appended and private; a removal is a row too; read again it is as it was."""
    path = tmp_path / "labels.csv"
    book = LabelBook("session_id", path)
    kept = book.add("=cmd()", "good", note='with "quotes", commas')
    gone = book.add("b", "bad", start_s=1.0, end_s=2.5)
    book.remove(gone.decision_id)
    assert len(path.read_text().splitlines()) == 4
    again = LabelBook("session_id", path)
    assert [each.decision_id for each in again.of("=cmd()")] == [kept.decision_id]
    assert again.of("=cmd()")[0].note == 'with "quotes", commas'
    assert again.of("b") == []
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_half_a_line_of_a_killed_kernel_costs_that_line_alone(tmp_path: Path) -> None:
    """The rest is read, with a warning, and the next decision does not join the half one."""
    path = tmp_path / "labels.csv"
    LabelBook("session_id", path).add("a", "good")
    with path.open("a") as file:
        file.write("add,123,b,go")
    with pytest.warns(UserWarning, match="half-written"):
        book = LabelBook("session_id", path)
    book.add("c", "good")
    with pytest.warns(UserWarning, match="half-written"):
        again = LabelBook("session_id", path)
    assert again.to_frame()["session_id"].tolist() == ["a", "c"]


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """One clear error, and not a byte changed."""
    path = tmp_path / "mine.csv"
    path.write_text("name,age\nx,1\n")
    with pytest.raises(ConfigurationError, match="save_to="):
        LabelBook("session_id", path)
    assert path.read_text() == "name,age\nx,1\n"


def test_half_a_character_in_a_note_costs_no_decision(tmp_path: Path) -> None:
    """A page sends them where a text was cut in the middle of an emoji."""
    path = tmp_path / "labels.csv"
    LabelBook("session_id", path).add("a", "good", note="so \ud83d")
    again = LabelBook("session_id", path)
    assert again.to_frame()["note"].tolist() == ["so \\ud83d"]


def test_a_label_that_a_full_disk_takes_half_of_is_refused(tmp_path, monkeypatch) -> None:
    """The first write that meets the end of the disk is short, and only the next one fails."""
    book = LabelBook("session_id", tmp_path / "labels.csv")
    book.add("s1", "good")
    write, is_full = os.write, False

    def nearly_full(descriptor: int, data: bytes) -> int:
        nonlocal is_full
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        is_full = True
        return write(descriptor, data[:10])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", nearly_full)
        with pytest.raises(OSError, match="No space left"):
            book.add("s2", "bad")
    assert len(book) == 1
    book.add("s3", "good")
    again = LabelBook("session_id", tmp_path / "labels.csv")
    assert pd.read_csv(tmp_path / "labels.csv")["session_id"].tolist() == ["s1", "s3"], "no half of it is left"
    assert again.to_frame()["session_id"].tolist() == book.to_frame()["session_id"].tolist() == ["s1", "s3"]
