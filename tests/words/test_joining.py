"""Each turn comes back with what was said in it, beside its response latency."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.errors import ConfigurationError, FrameError

pytestmark = pytest.mark.core

TURNS = pd.DataFrame(
    {
        "session_id": ["a", "a", "a", "b"],
        "turn": [0, 1, 2, 0],
        "role": ["agent", "caller", "agent", "agent"],
        "channel": [0, 1, 0, 0],
        "start_s": [0.5, 3.0, 5.5, 0.5],
        "end_s": [2.0, 5.0, 8.0, 1.0],
        "gap_before_s": [np.nan, 1.0, 0.5, np.nan],
    },
    index=[4, 4, 2, 0],
)
WORDS = pd.DataFrame(
    {
        "session_id": ["a"] * 5,
        "start_s": [0.5, 1.0, 3.0, 3.2, 5.4],
        "end_s": [0.9, 1.4, 3.4, 3.6, 6.0],
        "word": ["Good", "morning.", "Hi", "mhm", "Who?"],
        "channel": [0, 0, 1, 0, 0],
    }
)


def quietly(turns: pd.DataFrame, words: pd.DataFrame, **options: object) -> pd.DataFrame:
    """Join, whatever is warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kn.words.join(turns, words, **options)


def test_each_turn_has_its_words_beside_its_latency() -> None:
    """In the caller's order, with the caller's index and columns, and the dtypes that are promised."""
    before = TURNS.copy()
    talk = quietly(TURNS, WORDS)
    assert talk["text"].fillna("-").tolist() == ["Good morning.", "Hi", "Who?", "-"]
    assert talk["word_count"].fillna(-1).tolist() == [2, 1, 1, -1]
    assert (str(talk["text"].dtype), str(talk["word_count"].dtype)) == ("string", "Int64")
    pd.testing.assert_frame_equal(talk[TURNS.columns], before)
    pd.testing.assert_frame_equal(TURNS, before)


def test_a_turn_in_several_rows_has_its_words_in_each() -> None:
    """As a merge makes them: no row of it is without words."""
    talk = quietly(pd.concat([TURNS, TURNS.assign(label="x")]), WORDS)
    assert talk["text"].fillna("-").tolist() == ["Good morning.", "Hi", "Who?", "-"] * 2
    assert quietly(TURNS, pd.concat([WORDS, WORDS]))["word_count"].fillna(-1).tolist() == [2, 1, 1, -1]


def test_words_in_no_turn_are_counted() -> None:
    """With where most of them are; none where all have a place."""
    with pytest.warns(
        UserWarning, match="of 5 words 1 lie in no turn of their channel or role, .* session 'a', 1"
    ) as told:
        kn.words.join(TURNS, WORDS)
    assert "mhm" not in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kn.words.join(TURNS, WORDS.drop(index=3))


def test_a_tolerance_takes_what_lies_beside_a_turn() -> None:
    """And not more than that."""
    late = WORDS.assign(start_s=WORDS["start_s"] + [0, 1.2, 0, 0, 0], end_s=WORDS["end_s"] + [0, 1.2, 0, 0, 0])
    assert quietly(TURNS, late)["text"].iloc[0] == "Good morning."
    assert quietly(TURNS, late, tolerance_s=0.1)["text"].iloc[0] == "Good"


def test_who_speaks_may_be_said_by_name_or_not_at_all() -> None:
    """A role decides where there is no channel; time alone where there is neither."""
    named = WORDS.drop(columns="channel").assign(speaker=["Bot", "bot", "USER", "agent", "assistant"])
    assert quietly(TURNS, named)["text"].iloc[:3].tolist() == ["Good morning.", "Hi", "Who?"]
    unnamed = WORDS.drop(columns="channel")
    assert quietly(TURNS, unnamed)["text"].iloc[:3].tolist() == ["Good morning.", "Hi mhm", "Who?"]
    assert quietly(TURNS.drop(columns=["role", "channel"]), WORDS)["text"].iloc[1] == "Hi mhm"


def test_a_turn_without_words_is_empty_where_the_call_has_some() -> None:
    """And missing where the call has no transcript."""
    talk = quietly(TURNS, WORDS.iloc[:2])
    assert talk["text"].fillna("-").tolist() == ["Good morning.", "", "", "-"]
    assert talk["word_count"].fillna(-1).tolist() == [2, 0, 0, -1]
    assert quietly(TURNS, WORDS.iloc[:0])["text"].isna().all()
    assert len(quietly(TURNS.iloc[:0], WORDS)) == 0


def test_words_of_sessions_that_are_not_there_are_told() -> None:
    """In another sentence where none is there, as ids may be of another form."""
    stranger = WORDS.assign(session_id="x").iloc[:2]
    with pytest.warns(UserWarning, match=r"turns= lacks 1 of the 2 sessions in words=, such as 'x': .* \(2 words\)"):
        kn.words.join(TURNS, pd.concat([WORDS.drop(index=3), stranger]))
    with pytest.warns(UserWarning, match="words= names no session that turns= has"):
        talk = kn.words.join(TURNS, stranger)
    assert talk["text"].isna().all()


def test_utterances_count_their_words() -> None:
    """Where a row holds several."""
    whole = WORDS.iloc[:1].assign(word="Good morning to you.", end_s=2.0)
    assert quietly(TURNS, whole)["word_count"].iloc[0] == 4


def test_joining_again_takes_the_place_of_what_was_joined() -> None:
    """A column of the caller's own is not overwritten."""
    once = quietly(TURNS, WORDS.iloc[:2])
    pd.testing.assert_frame_equal(quietly(once, WORDS), quietly(TURNS, WORDS))
    with pytest.raises(FrameError, match="turns= has a column 'text' of its own"):
        kn.words.join(TURNS.assign(text="mine"), WORDS)
    both = quietly(TURNS.assign(text="mine"), WORDS, prefix="said_")
    assert both["text"].eq("mine").all()
    assert both["said_text"].iloc[0] == "Good morning."
    with pytest.raises(FrameError, match="the session ids stand in 'text'"):
        kn.words.join(TURNS.rename(columns={"session_id": "text"}), WORDS, session="text")


@pytest.mark.parametrize("tolerance_s", [-1, np.nan, np.inf, "1", True])
def test_a_tolerance_is_seconds(tolerance_s) -> None:
    """Before anything is joined."""
    with pytest.raises(ConfigurationError, match="tolerance_s="):
        kn.words.join(TURNS, WORDS, tolerance_s=tolerance_s)


def test_frames_of_any_make_are_joined() -> None:
    """Sessions in the index, categories, and dtypes of numbers that may be missing."""
    turns = TURNS.astype({"session_id": "category", "channel": "Int64", "role": "category"}).set_index("session_id")
    words = WORDS.astype({"session_id": "category", "word": "category", "channel": "Int64"})
    assert quietly(turns, words)["text"].iloc[:3].tolist() == ["Good morning.", "Hi", "Who?"]
    with pytest.raises(FrameError, match="turns= takes a frame"):
        kn.words.join([], WORDS)  # type: ignore[arg-type]


def test_a_hundred_thousand_words_are_joined_in_seconds() -> None:
    """Over a thousand calls."""
    calls = np.repeat(np.arange(1_000), 100).astype(str)
    starts = np.tile(np.arange(100) * 0.5, 1_000)
    words = pd.DataFrame({"session_id": calls, "start_s": starts, "end_s": starts + 0.4, "word": "word", "channel": 0})
    turns = pd.DataFrame({"session_id": calls[::10], "start_s": starts[::10], "end_s": starts[::10] + 5, "channel": 0})
    assert kn.words.join(turns, words)["word_count"].eq(10).all()
