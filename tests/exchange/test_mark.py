"""The file that marks a folder as an export."""

from __future__ import annotations

import pytest

from kataven_notebook.errors import ConfigurationError, StoreError
from kataven_notebook.exchange.mark import mark_of, prepared, write_mark

pytestmark = pytest.mark.core


def test_a_new_folder_is_marked_and_known_again(tmp_path) -> None:
    """With the same options alone; what the table needs stays in it."""
    folder = prepared(tmp_path / "new", {"format": "wav"})
    write_mark(folder, options={"format": "wav"}, session="call_id")
    assert prepared(folder, {"format": "wav"}) == folder
    assert mark_of(folder) == {"version": 1, "options": {"format": "wav"}, "session": "call_id"}
    with pytest.raises(ConfigurationError, match="export with other options"):
        prepared(folder, {"format": "flac"})


def test_a_folder_of_somebody_else_is_refused(tmp_path) -> None:
    """Before anything is written in it."""
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ConfigurationError, match="something else in it"):
        prepared(tmp_path, {})
    assert mark_of(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("text", ['{"version": 2}', "[]", '{"version": 1, "dtypes": 3}'])
def test_a_mark_of_another_version_is_one_sentence(tmp_path, text) -> None:
    """And so is a damaged one."""
    (tmp_path / ".kataven-export.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"another version, or its .* is damaged"):
        mark_of(tmp_path)


def test_a_place_that_can_not_be_written_is_one_sentence(tmp_path) -> None:
    """A file where a folder is needed."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="choose another"):
        prepared(tmp_path / "file" / "export", {})
