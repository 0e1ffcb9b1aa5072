"""A caller's frame of words is checked, and its words put in order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.errors import FrameError
from kataven_notebook.words.table import said_in

pytestmark = pytest.mark.core

WORDS = pd.DataFrame(
    {
        "call": ["b", "a", "b", "b", None, "a"],
        "start_s": [2.0, 1.0, np.nan, 1.0, 0.0, 0.5],
        "end_s": [2.5, 1.5, np.nan, 1.5, 1.0, 0.9],
        "word": ["second", " Hi  you ", "third", "first", "of nobody", None],
        "channel": [0, 1, 0, 0, 0, 0],
        "speaker": ["agent", None, "agent", "Bot", "agent", "agent"],
    },
    index=[3, 3, 1, 0, 0, 7],
)


def test_words_stand_by_session_and_start() -> None:
    """One without a time behind the one before it; what has no word or session is left out."""
    said = said_in(WORDS, "call")
    assert said["session_id"].tolist() == ["b", "b", "b", "a"]
    assert said["word"].tolist() == ["first", "second", "third", "Hi you"]
    assert said["role"].tolist() == ["agent", "agent", "agent", ""]
    assert said["channel"].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("dtype", ["category", "string", object])
def test_dtypes_do_not_matter(dtype) -> None:
    """Nor does an index, or a session column that is one."""
    frame = WORDS.astype({"call": dtype, "word": dtype, "speaker": dtype})
    pd.testing.assert_frame_equal(said_in(frame, "call"), said_in(WORDS, "call"))
    pd.testing.assert_frame_equal(said_in(frame.set_index("call"), "call"), said_in(WORDS, "call"))


def test_channels_may_be_names_and_columns_missing() -> None:
    """As the player takes them."""
    named = said_in(WORDS.drop(columns="speaker").assign(channel="agent"), "call")
    assert named["role"].unique().tolist() == ["agent"]
    assert named["channel"].isna().all()
    bare = said_in(WORDS[["call", "start_s", "end_s", "word"]], "call")
    assert bare[["channel"]].isna().all(axis=None)
    assert bare["speaker"].eq("").all()
    by_role = said_in(WORDS.rename(columns={"speaker": "role"}), "call")
    assert by_role["role"].tolist() == ["agent", "agent", "agent", ""]


def test_a_stated_role_comes_before_the_tools_name() -> None:
    """A counted speaker whom somebody has found to be the caller is the caller."""
    both = said_in(WORDS.assign(role=["caller", "caller", None, "x", "caller", "caller"], speaker="Bot"), "call")
    assert both["word"].tolist() == ["first", "second", "third", "Hi you"]
    assert both["role"].tolist() == ["agent", "caller", "agent", "caller"]


def test_what_comes_twice_by_a_merge_is_there_once() -> None:
    """The same voice says nothing twice at one time; what has no time may be said again."""
    twice = said_in(pd.concat([WORDS, WORDS]), "call")
    assert sorted(twice["word"]) == ["Hi you", "first", "second", "third", "third"]
    other = said_in(pd.concat([WORDS, WORDS.assign(speaker="caller")]), "call")
    assert len(other) == 2 * len(said_in(WORDS, "call"))


def test_no_rows_are_no_words() -> None:
    """With the same columns."""
    assert said_in(WORDS.iloc[:0], "call").columns.tolist() == said_in(WORDS, "call").columns.tolist()
    assert len(said_in(WORDS.iloc[:0], "call")) == 0


def test_what_is_no_such_frame_is_refused() -> None:
    """In a sentence that names what is lacking."""
    with pytest.raises(FrameError, match=r"words= lacks the column\(s\) word"):
        said_in(WORDS.drop(columns="word"), "call")
    with pytest.raises(FrameError, match="words= takes a frame"):
        said_in([1], "call")  # type: ignore[arg-type]
