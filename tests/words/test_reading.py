"""Transcripts of any tool are one tidy frame, and what can't be read costs nothing else."""

from __future__ import annotations

import json
import re
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.errors import ConfigurationError, FrameError

pytestmark = pytest.mark.core

DTYPES = {
    "session_id": "string",
    "start_s": "float64",
    "end_s": "float64",
    "word": "string",
    "channel": "Int64",
    "speaker": "string",
    "confidence": "float64",
}


def transcript(*words: tuple[Any, ...]) -> dict[str, Any]:
    """A transcript of Whisper's family with these words: text, start and end, and more."""
    return {
        "segments": [
            {"words": [dict(zip(("word", "start", "end", "score", "channel"), each, strict=False)) for each in words]}
        ]
    }


def test_the_frame_has_these_columns_whatever_is_read(tmp_path) -> None:
    """Also without a word."""
    (tmp_path / "a.json").write_text(json.dumps(transcript((" Hi", 0.5, 1.0, 0.9, 1))))
    words = kn.words.read(tmp_path, progress=False)
    assert words.to_numpy().tolist() == [["a", 0.5, 1.0, "Hi", 1, pd.NA, 0.9]]
    assert {name: str(dtype) for name, dtype in words.dtypes.items()} == DTYPES
    assert {name: str(dtype) for name, dtype in kn.words.read({}).dtypes.items()} == DTYPES
    assert list(kn.words.read({}, session="call")) == ["call", *list(DTYPES)[1:]]


def test_words_stand_by_session_and_start() -> None:
    """A word without a time stays behind the one before it; several transcripts of a session are put together."""
    first = transcript(("c", 3, 4), ("d", None, None), ("a", 1, 2))
    words = kn.words.read({"z": first, "b": transcript(("x", 0, 1))})
    assert words["word"].tolist() == ["a", "c", "d", "x"]
    assert words["session_id"].tolist() == ["z", "z", "z", "b"]


def test_a_session_in_many_rows_has_its_words_once() -> None:
    """Though each row has a transcript of its own, as after a merge and a Parquet file."""
    text = json.dumps(transcript(("Hi", 0, 1), ("you", None, None)))
    for make in (json.loads, str.encode, lambda each: each + " "):
        calls = pd.DataFrame({"session_id": ["a", "a", "b"], "transcript": [make(text) for _ in range(3)]})
        assert kn.words.read(calls)["word"].tolist() == ["Hi", "you"] * 2


def test_files_of_one_session_are_put_together(tmp_path) -> None:
    """As where each channel has a transcript of its own."""
    (tmp_path / "a-0.json").write_text(json.dumps(transcript(("one", 1, 2), ("three", 3, 4))))
    (tmp_path / "a-1.json").write_text(json.dumps(transcript(("two", 2, 3))))
    words = kn.words.read(tmp_path, session_id=lambda path: path.stem.partition("-")[0])
    assert words["word"].tolist() == ["one", "two", "three"]
    assert set(words["session_id"]) == {"a"}


def test_what_cannot_be_read_is_named_and_the_others_are_there(tmp_path) -> None:
    """One warning at the caller's line; "raise" raises the first; the only one is raised."""
    (tmp_path / "a.json").write_text(json.dumps(transcript(("Hi", 0, 1))))
    (tmp_path / "b.json").write_text('{"segments"')
    (tmp_path / "c.vtt").write_text("nothing")
    with pytest.warns(
        UserWarning, match=r"2 of 3 transcripts were not read: .*b\.json is broken JSON .*c\.vtt is no"
    ) as told:
        words = kn.words.read(tmp_path)
    assert told[0].filename == __file__
    assert words["word"].tolist() == ["Hi"]
    with pytest.raises(FrameError, match=r"b\.json is broken JSON"):
        kn.words.read(tmp_path, errors="raise")
    with pytest.raises(FrameError, match=r"c\.vtt is no transcript that is known"):
        kn.words.read(tmp_path / "c.vtt")


def test_a_warning_names_a_few_of_many() -> None:
    """And says how many more there are, and once what is known."""
    with pytest.warns(UserWarning, match=r"25 of 25 transcripts were not read: .*; and 5 more$") as told:
        kn.words.read({f"s{n}": {"a": n} for n in range(25)}, progress=False)
    assert str(told[0].message).count("Deepgram") == 1
    assert "'s19'" in str(told[0].message)


def test_calls_without_words_and_of_utterances_are_named() -> None:
    """What a row holds is not what one would think."""
    with pytest.warns(UserWarning, match="1 of 3 transcripts hold no words: 'b'"):
        words = kn.words.read({"a": transcript(("Hi", 0, 1)), "b": {"segments": []}, "c": transcript(("x", 0, 1))})
    assert len(words) == 2
    with pytest.warns(UserWarning, match=r"1 of 1 transcripts have times of utterances, .*\('a'\)"):
        words = kn.words.read({"a": "1\n00:00:01,000 --> 00:00:02,000\nHello there\n"})
    assert words[["word", "start_s", "end_s"]].to_numpy().tolist() == [["Hello there", 1.0, 2.0]]


def test_times_that_cannot_be_are_missing_and_counted() -> None:
    """Negative, infinite, no number, or an end before the start; and confidences and channels likewise."""
    answer = transcript(
        ("a", -1, 2),
        ("b", 3, 2),
        ("c", float("nan"), 4),
        ("d", 5, 1e999),
        ("e", 6, 7, 1.5, 99),
        ("f", "8", "9", "x", -1),
    )
    with pytest.warns(UserWarning, match=r"3 of 6 words have a time that can't be .*: in 's'"):
        words = kn.words.read({"s": answer})
    words = words.set_index("word").sort_index()
    nan = np.nan
    np.testing.assert_equal(words["start_s"].to_numpy(), [nan, 3, nan, 5, 6, 8])
    np.testing.assert_equal(words["end_s"].to_numpy(), [2, nan, 4, nan, 7, 9])
    assert words[["confidence", "channel"]].isna().all(axis=None)


def test_no_private_word_is_in_a_message(recwarn) -> None:
    """A warning ends in a notebook's output, which is saved."""
    answer = transcript(("private", -1, 2))
    kn.words.read({"a": answer, "b": {"unknown": "private"}, "c": "1\n00:00:01,000 --> 00:00:02,000\nprivate thing\n"})
    assert len(recwarn) == 3
    assert not any("private" in str(each.message) for each in recwarn)


def test_what_is_no_option_is_said() -> None:
    """Before anything is read."""
    with pytest.raises(ConfigurationError, match="errors='ignore'"):
        kn.words.read({}, errors="ignore")  # type: ignore[arg-type]
    with pytest.raises(FrameError, match="has a column 'word' of its own"):
        kn.words.read({}, session="word")


def test_letters_that_no_column_holds_are_spelled() -> None:
    """Half characters, as broken JSON may have them."""
    words = kn.words.read({"a": json.dumps(transcript(("caf\udce9", 0, 1)))})
    assert words["word"].tolist() == ["caf\\udce9"]


def test_the_player_takes_what_is_read() -> None:
    """With the same columns."""
    words = kn.words.read({"a": transcript(("Hi", 0.5, 1.0, 0.9, 1))})
    calls = pd.DataFrame({"session_id": ["a"], "audio": [kn.Recording.from_samples([[0.0, 0.1]] * 8_000, 8_000)]})
    player = kn.player(calls, words=words)
    player.close()


@pytest.mark.long
def test_many_files_and_large_ones_are_read_in_seconds(tmp_path) -> None:
    """10,000 files, and one of 50 MB."""
    text = json.dumps(transcript(*(("word", n, n + 0.5, 0.9) for n in range(20))))
    for n in range(10_000):
        (tmp_path / f"{n}.json").write_text(text)
    started = time.monotonic()
    assert len(kn.words.read(tmp_path)) == 200_000
    large = json.dumps({"segments": [json.loads(text)["segments"][0]] * 35_000})
    assert len(large) > 40e6
    assert len(kn.words.read({"a": large})) == 700_000
    assert time.monotonic() - started < 120


def test_nothing_is_said_where_all_is_well() -> None:
    """Warnings are errors here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert re.fullmatch("Hi", kn.words.read({"a": transcript(("Hi", 0, 1))})["word"].iloc[0])
