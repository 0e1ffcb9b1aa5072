"""What is said is found as moments, over words and across their punctuation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.errors import ConfigurationError, FrameError

pytestmark = pytest.mark.core

DTYPES = {
    "session_id": "string",
    "moment_id": "string",
    "kind": "string",
    "role": "string",
    "channel": "Int64",
    "speaker": "string",
    "start_s": "float64",
    "end_s": "float64",
    "match": "string",
    "text": "string",
}


def said(text: str, **columns: object) -> pd.DataFrame:
    """A call's words, a second each."""
    words = text.split()
    starts = np.arange(len(words), dtype=float)
    return pd.DataFrame({"session_id": "a", "start_s": starts, "end_s": starts + 0.8, "word": words, **columns})


def found(words: pd.DataFrame, pattern: str, **options: object) -> list[tuple[str, float, float]]:
    """Return match, start and end of each moment."""
    moments = kn.words.find(words, pattern, **options)
    return list(moments[["match", "start_s", "end_s"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("pattern", "match"),
    [
        ("refund|cancel", ["Refund."]),
        ("want a refund", ["want, a Refund."]),
        ("want, a", ["want, a"]),
        (r"refund\.", ["Refund."]),
        (r"\bre\w+", ["Refund."]),
        ("STRASSE", ["Straße"]),
        ("now$", ["now"]),
        ("^i", ["I"]),
        (r"\s+a\s+", ["a"]),
        ("fun", ["Refund."]),
        ("€5", ["€5,"]),
        ("nothing", []),
        ("x*", []),
    ],
)
def test_words_and_phrases_are_found_in_running_text(pattern, match) -> None:
    """Whatever their case, accents and punctuation."""
    words = said("I want, a Refund. Straße €5, now")
    assert [each for each, *_ in found(words, pattern)] == match


def test_a_moment_says_when_and_by_whom_and_what_stands_around() -> None:
    """With the columns of `moments()` that it can have, and the dtypes that are promised, also without a row."""
    words = said("one two three Refund, please five six", channel=1, speaker="customer")
    moments = kn.words.find(words, "refund please", context_words=2)
    assert moments.drop(columns="moment_id").to_numpy().tolist() == [
        ["a", "said", "caller", 1, "customer", 3.0, 4.8, "Refund, please", "… two three Refund, please five six"]
    ]
    assert {name: str(dtype) for name, dtype in moments.dtypes.items()} == DTYPES
    assert {name: str(dtype) for name, dtype in kn.words.find(words, "nothing").dtypes.items()} == DTYPES
    assert {name: str(dtype) for name, dtype in kn.words.find(words.iloc[:0], "x").dtypes.items()} == DTYPES


def test_a_moment_has_a_name_that_is_the_same_in_every_run() -> None:
    """Of the session, the words that are found, whose they are, and when; none where the words have no time."""
    words = said("a refund please")
    ids = [
        kn.words.find(each, pattern)["moment_id"].iloc[0]
        for each, pattern in [
            (words, "refund"),
            (words.sample(frac=1, random_state=1), "REFUND"),
            (words, "a refund"),
            (words.assign(session_id="b"), "refund"),
            (words.assign(start_s=words["start_s"] + 1), "refund"),
            (words.assign(channel=1), "refund"),
        ]
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5
    twice = words.iloc[:1].assign(word="no no")
    assert kn.words.find(twice, "no")["moment_id"].is_unique


def test_each_voice_is_searched_by_itself() -> None:
    """What the other says in between does not part a phrase, and makes none."""
    words = said("I want mhm a refund", channel=[0, 0, 1, 0, 0])
    assert found(words, "want a refund") == [("want a refund", 1.0, 4.8)]
    assert found(words, "mhm a") == []


def test_a_long_pause_ends_a_line() -> None:
    """A phrase does not go on behind it, and a dot does not reach beyond it."""
    words = said("never again thanks bye").assign(start_s=[0, 1, 9, 10.0], end_s=[0.8, 1.8, 9.8, 10.8])
    assert found(words, "again thanks") == []
    assert found(words, "^.*$") == [("never again", 0.0, 1.8), ("thanks bye", 9.0, 10.8)]


def test_literal_text_is_no_pattern() -> None:
    """Its signs are what is looked for, and a space is one between words."""
    words = said("it costs 5.50 (really) C++ Déjà vu")
    assert [each for each, *_ in found(words, "5.50 (real", literal=True)] == ["5.50 (really)"]
    assert [each for each, *_ in found(words, "c++", literal=True)] == ["C++"]
    assert [each for each, *_ in found(words, "deja  VU", literal=True)] == ["Déjà vu"]
    assert found(words, "5x50", literal=True) == []


def test_moments_stand_by_session_and_time() -> None:
    """Sessions as in the words, times over all voices."""
    words = pd.concat([said("no yes no", channel=[0, 1, 1]).assign(session_id="z"), said("no")])
    moments = kn.words.find(words, "yes|no")
    assert moments["session_id"].tolist() == ["z", "z", "z", "a"]
    assert moments["start_s"].tolist() == [0.0, 1.0, 2.0, 0.0]


def test_an_utterance_is_searched_word_by_word() -> None:
    """Its moment has its times; the context is of words all the same."""
    words = pd.DataFrame(
        {"session_id": "a", "start_s": [1.0], "end_s": [9.0], "word": ["I want, you see, a refund now"]}
    )
    moments = kn.words.find(words, "see a refund", context_words=1)
    assert moments[["start_s", "end_s", "match", "text"]].to_numpy().tolist() == [
        [1.0, 9.0, "see, a refund", "… you see, a refund now"]
    ]


def test_words_without_times_lie_between_those_beside_them() -> None:
    """All of a number that is taken out by these times is gone; where no word has one the moment has none."""
    words = said("seat 14 25 please").assign(start_s=[1.0, np.nan, np.nan, 4.0], end_s=[1.5, np.nan, np.nan, np.nan])
    assert found(words, "14 25") == [("14 25", 1.5, 4.0)]
    assert found(words, "seat 14") == [("seat 14", 1.0, 4.0)]
    assert found(words, "25 please")[0][:2] == ("25 please", 1.5)
    assert np.isnan(found(words, "25 please")[0][2]), "nobody knows when it ends"
    starts = words.assign(start_s=[1.0, 2.0, 3.0, 4.0], end_s=np.nan)
    assert found(starts, "14 25") == [("14 25", 2.0, 4.0)], "the last digit is of it"
    ends = words.assign(start_s=[1.0, np.nan, np.nan, 4.0], end_s=[1.5, 2.5, 3.5, 7.0])
    assert found(ends, "25") == [("25", 2.5, 3.5)]
    with pytest.warns(UserWarning, match="1 of 1 moments have no time"):
        moments = kn.words.find(words.assign(start_s=np.nan, end_s=np.nan), "please")
    assert moments[["start_s", "moment_id"]].isna().all(axis=None)


def test_moments_go_to_the_player() -> None:
    """As those of `moments()` do."""
    calls = pd.DataFrame({"session_id": ["a"], "audio": [kn.Recording.from_samples([[0.0, 0.1]] * 8_000, 8_000)]})
    player = kn.player(calls, moments=kn.words.find(said("a refund"), "refund"))
    player.close()


@pytest.mark.parametrize("pattern", ["", "  ", None, 5, "(", "[a", "a{2,1}", "*"])
def test_what_is_no_pattern_is_said(pattern) -> None:
    """With what to pass."""
    with pytest.raises(ConfigurationError, match="pattern="):
        kn.words.find(said("a"), pattern)


def test_other_wrong_arguments_are_said() -> None:
    """One sentence each."""
    with pytest.raises(ConfigurationError, match="context_words=-1"):
        kn.words.find(said("a"), "a", context_words=-1)
    with pytest.raises(FrameError, match="has a column 'text' of its own"):
        kn.words.find(said("a"), "a", session="text")
    with pytest.raises(FrameError, match="words= takes a frame"):
        kn.words.find("a", "a")  # type: ignore[arg-type]


def test_many_words_are_searched_at_once() -> None:
    """Over two hundred calls."""
    words = pd.concat([said("one two three four five six seven eight nine ten " * 10)] * 200, ignore_index=True)
    words["session_id"] = np.repeat(np.arange(200), 100).astype(str)
    assert len(kn.words.find(words, "ten one")) == 1_800
