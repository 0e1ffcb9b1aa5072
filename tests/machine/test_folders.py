"""Folders and files that only their owner can read, and files that are whole or not there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kataven_notebook.machine.folders import atomic, make_private, part_prefix, remove_dead_parts

pytestmark = pytest.mark.core


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_all_folders_that_are_made_are_private_and_others_stay_as_they_are(tmp_path) -> None:
    """`mkdir(parents=True)` would leave those in between open to everybody."""
    tmp_path.chmod(0o755)
    deep = tmp_path / "state" / "stores" / "one"
    make_private(deep)
    make_private(deep)
    made = (deep, deep.parent, deep.parent.parent)
    assert [folder.stat().st_mode & 0o777 for folder in made] == [0o700] * 3
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_file_of_that_name_is_an_error(tmp_path) -> None:
    """Nothing is removed to make room."""
    (tmp_path / "state").write_text("mine")
    with pytest.raises(FileExistsError):
        make_private(tmp_path / "state")
    assert (tmp_path / "state").read_text() == "mine"


def test_a_file_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch) -> None:
    """What has the name is whole, whatever fails next."""
    done, fsync, replace = [], os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: done.append(os.fstat(file).st_size) or fsync(file))
    monkeypatch.setattr(Path, "replace", lambda path, target: done.append(target.name) or replace(path, target))
    with atomic(tmp_path / "whole") as file:
        file.write(b"sound")
    assert done == [5, "whole"]


def test_what_a_killed_process_left_is_removed_and_what_is_being_written_is_not(tmp_path) -> None:
    """Of a process elsewhere nobody knows: a day later it is dead."""
    mine, host = part_prefix(), part_prefix().partition("~")[0]
    dead, strange, old = (tmp_path / f".{name}.part" for name in (f"{host}~1~0.00~x", "elsewhere~1~0.00~x", "y"))
    for each in (dead, strange, old):
        each.write_bytes(b"sound")
    os.utime(old, (0, 0))
    with atomic(tmp_path / "whole"):
        remove_dead_parts(tmp_path)
        left = {each.name for each in tmp_path.iterdir()}
        assert dead.name not in left
        assert old.name not in left
        assert strange.name in left
        assert [each for each in left if each.startswith("." + mine)], "it is being written"
    remove_dead_parts(tmp_path / "not there")
