"""What callers pass as transcripts, and whose each is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.words.sources import Source, find_sources

pytestmark = pytest.mark.core


def found(
    source: object, *, session_id: object = None, session: str = "call", column: str = "transcript"
) -> list[Source]:
    """Return the transcripts of it."""
    return find_sources(source, session_id=session_id, column=column, session=session)


def ids(source: object, **options: object) -> list[str]:
    """Return whose the transcripts are."""
    return [each.session_id for each in found(source, **options)]


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of transcripts, one in three formats, and of files of other kinds."""
    for name in ("b.json", "b.vtt", "b.srt", "b.txt", "sub/c.SRT", "sub/d.wav.json", ".hidden.json", ".no/e.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    return tmp_path


def test_a_folder_holds_each_transcript_once(folder) -> None:
    """In the format that says most, sorted, without hidden ones and without the ending of the sound in an id."""
    sources = found(folder)
    assert [Path(each.name).relative_to(folder).as_posix() for each in sources] == [
        "b.json",
        "sub/c.SRT",
        "sub/d.wav.json",
    ]
    assert [each.session_id for each in sources] == ["b", "c", "d"]
    assert ids(str(folder / "**" / "*.[sv][rt]t")) == ["b"]
    assert ids(str(folder / "b.*")) == ["b.json", "b.txt"]


def test_files_of_one_name_are_told_apart_by_their_folders(folder) -> None:
    """Two calls are never taken for one."""
    (folder / "sub" / "b.json").write_text("x")
    assert sorted(ids(folder)) == ["b", "c", "d", "sub/b"]


def test_a_function_says_whose_a_file_is(folder) -> None:
    """Several files may be of one session."""
    assert ids(folder, session_id=lambda path: path.stem[0].upper()) == ["B", "C", "D"]
    assert ids([folder / "b.json", folder / "b.vtt"], session_id=lambda _: "one") == ["one", "one"]
    assert ids(folder / "b.vtt", session_id="mine") == ["mine"]
    with pytest.raises(ConfigurationError, match="one id for 3 files"):
        ids(folder, session_id="mine")
    with pytest.raises(ConfigurationError, match=r"session_id= returned 5 for .*b\.json"):
        ids(folder, session_id=lambda _: 5)
    with pytest.raises(ConfigurationError, match="session_id=5"):
        ids(folder, session_id=5)


@pytest.mark.parametrize("session_id", ["mine", lambda _: "mine"])
def test_a_frame_says_itself_whose_its_transcripts_are(session_id) -> None:
    """Two answers to one question are none."""
    frame = pd.DataFrame({"call": ["a"], "transcript": [{"segments": []}]})
    with pytest.raises(ConfigurationError, match="session_id="):
        ids(frame, session_id=session_id)
    with pytest.raises(ConfigurationError, match="session_id= is a function of a file"):
        ids({"a": {"segments": []}}, session_id=lambda _: "mine")


def test_objects_may_stand_by_session_or_in_a_column(folder) -> None:
    """What is missing is passed over, and a session in many rows is there once."""
    path = str(folder / "b.json")
    by_session = {"a": {"segments": []}, "b": path, "c": None, "d": "WEBVTT", "e": folder / "b.vtt"}
    sources = found(by_session)
    assert [each.session_id for each in sources] == ["a", "b", "d", "e"]
    assert sources[1].read() == b"x"
    frame = pd.DataFrame({"call": ["a", "a", "b", None], "transcript": [path, path, np.nan, path]}, index=[1, 1, 2, 2])
    assert ids(frame) == ["a"]
    assert ids(frame.set_index("call")) == ["a"]
    assert ids(frame.set_index("call")["transcript"]) == ["a"]
    assert ids(frame.rename(columns={"transcript": "json"}), column="json") == ["a"]
    with pytest.raises(FrameError, match=r"no column and no index level 'transcript'.*pass column="):
        ids(frame.rename(columns={"transcript": "json"}))


def test_one_transcript_names_its_session() -> None:
    """An object, or what a library returned; never a collection of transcripts by mistake."""
    assert ids({"segments": []}, session_id="a") == ["a"]
    assert ids(iter([]), session_id="a") == ["a"]
    with pytest.raises(FrameError, match="source is one transcript"):
        ids({"segments": [], "language": "en"})
    with pytest.raises(FrameError, match=re.escape("pass {'a session id': text}")):
        ids("WEBVTT\n\n00:01.000 --> 00:02.000\nHi")
    assert ids([]) == []
    assert ids({}) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (7, "source is of type int"),
        ({7: {}}, "source has the key 7, and session ids are text"),
        (iter([]), "list_iterator"),
    ],
)
def test_what_holds_no_transcripts_says_what_to_pass(source, said) -> None:
    """One sentence."""
    with pytest.raises(FrameError, match=re.escape(said)):
        found(source)


def test_what_is_not_there_is_said(tmp_path, folder) -> None:
    """A file, a folder without transcripts, a pattern that matches nothing."""
    (tmp_path / "empty").mkdir()
    for name, said in (
        ("gone.json", "there is no file"),
        ("empty", "no transcript lies in"),
        ("*.x", "no file matches"),
    ):
        with pytest.raises(ConfigurationError, match=said):
            found(str(tmp_path / name))


def test_a_file_that_cannot_be_read_says_why(tmp_path) -> None:
    """In a sentence that goes on from its name."""
    missing, place = found([tmp_path / "gone.json"])[0], Source("a", "a", tmp_path)
    with pytest.raises(FrameError, match="is not there"):
        missing.read()
    with pytest.raises(FrameError, match="is no plain file"):
        place.read()
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(600_000_000)  # holds no blocks on the disk
    with pytest.raises(FrameError, match="has 600 MB, more than any transcript"):
        Source("a", "a", large).read()
