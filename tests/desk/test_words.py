"""What is said: read in order, by turn and speaker, and sent with the open call alone."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pages import Page

from kataven_notebook.desk.open import player
from kataven_notebook.desk.words import Words
from kataven_notebook.errors import FrameError

pytestmark = pytest.mark.core


def _words(**columns: Any) -> pd.DataFrame:
    count = len(columns["word"])
    start = np.arange(count) * 0.5
    return pd.DataFrame({"call": ["a"] * count, "start_s": start, "end_s": start + 0.4, **columns})


def _read(frame: pd.DataFrame, *, roles: tuple[str, ...] = (), duration_s: float | None = None) -> dict[str, Any]:
    (block,) = Words("call", frame).blocks("a", roles=roles, duration_s=duration_s)
    return block


def _turns(block: dict[str, Any]) -> list[tuple[str, str]]:
    words = iter(block["word"])
    return [(block["speakers"][who][0], " ".join(next(words) for _ in range(count))) for who, count in block["turns"]]


def test_a_call_is_read_by_turn_and_role_also_where_both_speak_at_once() -> None:
    """The words of each stay together; a pause that the other fills ends a turn, as does a long one."""
    frame = pd.DataFrame(
        {
            "call": "a",
            "word": ["how", "may", "I", "help", "mhm", "Friday", "fine", "well"],
            "start_s": [0.0, 0.5, 1.0, 1.5, 0.7, 3.0, 4.0, 9.0],
            "end_s": [0.4, 0.9, 1.4, 1.9, 1.1, 3.5, 4.5, 9.5],
            "channel": [0, 0, 0, 0, 1, 1, 0, 0],
        }
    )
    block = _read(frame.sample(frac=1, random_state=3), roles=("agent", "caller"))
    assert _turns(block) == [
        ("Agent", "how may I help"),
        ("Caller", "mhm"),
        ("Caller", "Friday"),
        ("Agent", "fine"),
        ("Agent", "well"),
    ]
    assert [role for _, role, _ in block["speakers"]] == ["agent", "caller"]


def test_speakers_are_named_by_the_frame_and_known_by_their_role() -> None:
    """A name of its own stays; who is the agent is known by the usual names too."""
    frame = _words(word=["a", "b", "c", "d"], speaker=["assistant", "Zoë", None, "customer"])
    speakers = _read(frame, roles=("agent", "caller"))["speakers"]
    assert speakers == [("Assistant", "agent", -1), ("Zoë", "", -1), ("", "", -1), ("Customer", "caller", -1)]
    stated = _words(word=["a", "b"], speaker=["SPEAKER_00", "SPEAKER_01"], role=["caller", None])
    assert _read(stated)["speakers"] == [("Caller", "caller", -1), ("Speaker 1", "", -1)]
    assert _read(_words(word=["a"], channel=["caller"]))["speakers"] == [("Caller", "caller", -1)]
    assert _read(_words(word=["a"], channel=["1"]), roles=("agent", "caller"))["speakers"] == [("Caller", "caller", 1)]
    assert _read(_words(word=["a"], channel=[7]))["speakers"] == [("Channel 7", "", 7)]
    counted = _read(_words(word=list("abcdef"), speaker=["0", "B", "SPEAKER_01", "spk_10", "Speaker 0 ", "SPEAKER_A"]))
    named = [name for name, _, _ in counted["speakers"]]
    assert named == ["Speaker 0", "Speaker B", "Speaker 1", "Speaker 10", "Speaker 0", "Speaker A"]


def test_words_without_time_stay_in_their_place_and_the_page_says_so() -> None:
    """After the row before them; those outside the call are counted too, and no NaN goes to the page."""
    frame = _words(
        word=["one", "two", "three", "four"], start_s=[0.0, None, 0.6, 99.0], end_s=[0.4, None, np.inf, 100.0]
    )
    block = _read(frame, duration_s=2.0)
    assert block["word"] == ["one", "two", "three", "four"]
    assert block["start"] == [0.0, -1.0, 0.6, 99.0]
    assert block["end"] == [0.4, -1.0, -1.0, 100.0]
    assert block["note"] == "Of 4 words 1 has no time and 1 lies outside the call: a click on such a word does nothing."
    json.dumps(block, allow_nan=False)
    nowhere = _read(_words(word=["x", "y"], start_s=None, end_s=None))
    assert nowhere["word"] == ["x", "y"]


def test_times_and_texts_of_other_types_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text, lengths of time, categories, numbers as words, gaps, line breaks and half characters."""
    frame = _words(word=pd.Categorical(["a", "b"]), start_s=pd.to_timedelta([0.5, 1], unit="s"), end_s=["1", "2"])
    assert _read(frame)["start"] == [0.5, 1.0]
    assert _read(_words(word=["a"], start_s=pd.Categorical(["0.25"])))["start"] == [0.25]
    odd = _words(word=[7, None, " two\nlines ", "\ud800", "", "é", "<b>x</b>", "مرحبا"])
    assert _read(odd)["word"] == ["7", "two lines", "\\ud800", "é", "<b>x</b>", "مرحبا"]
    unsure = _words(word=["a", "b", "c"], confidence=[0.9, 0.2, None])
    assert _read(unsure)["unsure"] == [1]
    assert _read(_words(word=["a", "b"]).set_index("call"))["word"] == ["a", "b"]
    assert (
        _read(pd.DataFrame(columns=["call", "start_s", "end_s", "word"]))["note"] == "There are no words of this call."
    )


def test_a_list_or_an_array_in_place_of_a_word_is_shown_as_text() -> None:
    """It has no one answer to whether it is missing; what is missing is left out."""
    word = pd.Series([np.array([1, 2]), ["a"], {"b": 1}, None, np.nan, pd.NA, pd.NaT, "word"], dtype=object)
    assert _read(_words(word=word))["word"] == ["[1 2]", "['a']", "{'b': 1}", "word"]


def test_what_can_not_be_words_is_refused_by_column_and_row(calls: pd.DataFrame) -> None:
    """Before anything is shown."""
    good = _words(word=["a", "b"], channel=[0, 1])
    for change, says in (
        ({"start_s": [0.0, "soon"]}, r"words= has 'soon' in 'start_s', row 1, that is no number"),
        ({"channel": [0, 1.5]}, r"words= says channel 1.5 in row 1"),
        ({"channel": [0, -1]}, r"channel -1 in row 1"),
        ({"channel": [10**9, 0]}, r"channel 1e\+09 in row 0: channels are whole numbers from 0 to 63"),
        ({"confidence": ["high", 1]}, r"'high' in 'confidence', row 0"),
    ):
        with pytest.raises(FrameError, match=says):
            player(calls, session="call", words=good.assign(**change))
    with pytest.raises(FrameError, match="lacks the column"):
        player(calls, session="call", words=good.drop(columns="end_s"))
    with pytest.raises(FrameError, match="several times"):
        player(calls, session="call", words=pd.concat([good, good[["word"]]], axis=1))
    with pytest.raises(FrameError, match="takes a frame"):
        player(calls, session="call", words=["hello"])  # type: ignore[arg-type]  # what is tested
    with pytest.warns(UserWarning, match=r"end_s of 0 before its start_s of 0.5 in row 1"):
        player(calls, session="call", words=good.assign(end_s=[1.0, 0.0]))
    with pytest.warns(UserWarning, match=r"names no session that the player's frame has \('zzz'"):
        player(calls, session="call", words=good.assign(call="zzz"))


def test_words_go_to_the_page_with_their_call_and_are_never_saved(
    calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks, for the open call; whatever happens to the frame meanwhile."""
    words = _words(word=["secret"] * 12_000)
    desk = player(calls, session="call", words=words, moments=words.assign(kind="x").head(1))
    words.loc[:, "word"] = "changed"
    page = Page(desk, monkeypatch)
    assert "secret" not in json.dumps({name: str(value) for name, value in desk.get_state().items()})
    page.say("ready")
    sent = [content for content, _ in page.messages if content["type"] == "words"]
    assert [len(each["word"]) for each in sent] == [5100, 5100, 1800]
    assert [each["first"] for each in sent] == [0, 5100, 10200]
    assert {each["total"] for each in sent} == {12_000}
    assert set(sent[0]["word"]) == {"secret"}
    assert desk.first["words"] is True
    assert player(calls, session="call").first["words"] is False


def test_a_hundred_thousand_words_of_a_thousand_calls_are_quick() -> None:
    """Before the first paint only their columns are checked; one call is put in order when it is opened."""
    count = 100_000
    start = np.tile(np.arange(100.0), count // 100)
    ids = np.repeat([f"call-{i:04}" for i in range(1000)], 100)
    frame = pd.DataFrame({"call": ids, "start_s": start, "end_s": start + 0.5, "word": "word", "channel": 0})
    began = time.process_time()
    words = Words("call", frame)
    assert time.process_time() - began < 0.5, "0.02 s on a quiet machine"
    (block,) = words.blocks("call-0500", roles=(), duration_s=None)
    assert block["total"] == 100
