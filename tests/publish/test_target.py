"""Where a report is written."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from kataven_notebook.errors import ConfigurationError, StoreError
from kataven_notebook.publish.page import MARK
from kataven_notebook.publish.target import checked_target, write

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


def test_a_report_is_private_and_makes_its_folders_so(tmp_path: Path) -> None:
    """0600 and 0700."""
    target = checked_target(tmp_path / "new" / "deep" / "report.html")
    write(target, "text")
    assert target.read_text() == "text"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700
    assert [each.name for each in target.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("name", ["report.pdf", "report", "report.html.txt"])
def test_a_name_that_says_something_else_is_refused(tmp_path: Path, name: str) -> None:
    """A page is no PDF; the sentence says how one is made."""
    with pytest.raises(ConfigurationError, match=r"ends in \.html"):
        checked_target(tmp_path / name)


@pytest.mark.parametrize("path", [None, 7, b"a.html", "a\0.html", "~nobody-at-all/a.html"])
def test_what_is_no_path_is_refused(path: Any) -> None:
    """As everywhere in the package."""
    with pytest.raises((ConfigurationError, TypeError)):
        checked_target(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """Also one that is called like a page."""
    (tmp_path / "a.html").mkdir()
    with pytest.raises(ConfigurationError, match="is a folder: name a file in it"):
        checked_target(tmp_path / "a.html")


def test_a_file_of_another_kind_stays(tmp_path: Path) -> None:
    """A report of before is replaced."""
    target = tmp_path / "a.html"
    target.write_text("<html>a thesis</html>")
    with pytest.raises(ConfigurationError, match="is no report: choose another name"):
        checked_target(target)
    target.write_text(f"<html>{MARK}")
    assert checked_target(target) == target


def test_what_is_no_file_is_neither_waited_for_nor_replaced(tmp_path: Path) -> None:
    """A pipe, to which nobody writes; a name that no disk takes."""
    os.mkfifo(tmp_path / "a.html")
    with pytest.raises(ConfigurationError, match="is no report"):
        checked_target(tmp_path / "a.html")
    with pytest.raises(StoreError, match="choose another name"):
        checked_target(tmp_path / ("a" * 300 + ".html"))


def test_a_link_stays_one(tmp_path: Path) -> None:
    """The file that it leads to is written."""
    (tmp_path / "link.html").symlink_to(tmp_path / "there.html")
    write(checked_target(tmp_path / "link.html"), "text")
    assert (tmp_path / "there.html").read_text() == "text"
    assert (tmp_path / "link.html").is_symlink()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A file where a folder is needed; nothing is left behind."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"can't be written .*choose another folder"):
        write(tmp_path / "file" / "a.html", "text")
