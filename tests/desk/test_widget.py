"""The player as Python has it: state, labels as frames, selection."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from pages import SECRET_URL, Page, sound

from kataven_notebook.desk.open import player
from kataven_notebook.desk.widget import play_one
from kataven_notebook.errors import FrameError

pytestmark = pytest.mark.core


def test_no_url_no_sound_and_no_error_query_is_in_state_or_repr(calls: pd.DataFrame) -> None:
    """What a notebook would save holds no signed URL and no sound."""
    frame = calls.assign(recording_url=SECRET_URL, recording_error=f"failed: {SECRET_URL}")
    desk = player(frame, session="call")
    saved = json.dumps(desk.get_state(), default=str) + json.dumps(desk.children[0].get_state(), default=str)
    assert "X-Amz" not in saved
    assert "UklGR" not in saved
    assert "X-Amz" not in repr(desk)


def test_labels_are_frames_and_join_row_by_row(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row in, one row out: index kept, both rows of a session have its label."""
    desk = player(calls, session="call", labels=["good", "bad"])
    page = Page(desk, monkeypatch)
    page.say("label", key=0, label="good", note=" two\nlines ", start_s=None, end_s=None)
    page.say("label", key=0, label="bad", note="", start_s=0.1, end_s=0.5)
    page.say("label", key=1, label="no such label", note="", start_s=None, end_s=None)
    assert desk.labels["label"].tolist() == ["good", "bad"]
    listed = [each[0]["labels"] for each in page.messages if each[0]["type"] == "labels" and each[0]["key"] == 0][-1]
    assert [each["text"] for each in listed] == ["good · two lines", "bad · 0:00.1 to 0:00.5"]
    assert desk.labels["note"].iloc[0] == "two lines"
    assert list(desk.labels.columns) == ["call", "label", "start_s", "end_s", "note", "labelled_at"]
    assert str(desk.labels["labelled_at"].dtype) == "datetime64[us, UTC]"
    joined = desk.frame
    assert joined.index.tolist() == calls.index.tolist()
    assert joined["label"].tolist()[::5] == ["good", "good"]
    assert joined["label_regions"].tolist() == [1, 0, 0, 0, 0, 1]
    assert "label" not in calls.columns
    assert player(joined, session="call").frame["label"].isna().all()


def test_rows_without_an_id_have_no_labels(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even those of a call that is named as missing values are written."""
    desk = player(calls.assign(call=["nan", np.nan, None, "None", pd.NA, "b"]), session="call", labels=["good"])
    page = Page(desk, monkeypatch)
    for key in (0, 3):
        page.say("label", key=key, label="good", note="", start_s=None, end_s=None)
    assert desk.frame["label"].notna().tolist() == [True, False, False, True, False, False]


def test_a_frame_that_is_changed_in_place_stays_as_it_was_opened(calls: pd.DataFrame) -> None:
    """A column that the caller takes away is still listed."""
    desk = player(calls, session="call", columns=["score"])
    del calls["score"]
    rows = desk.children[0]._calls.window(0, 3, labels=lambda _: "")
    assert [(row[2], row[4]) for row in rows] == [("b", "2.5"), ("a", "1.0"), ("d", "")]
    assert desk.frame["score"].tolist()[:2] == [2.5, 1.0]


def test_a_column_of_the_callers_is_not_overwritten(calls: pd.DataFrame) -> None:
    """A frame with its own `label` is told of `prefix=`."""
    with pytest.raises(FrameError, match="prefix="):
        _ = player(calls.assign(label="mine"), session="call").frame
    joined = player(calls.assign(label="mine"), session="call", prefix="my_").frame
    assert set(joined["label"]) == {"mine"}


def test_python_selects_seeks_and_hears_of_choices(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands given before there is a page reach it when it comes."""
    desk = player(calls, session="call")
    chosen: list[str] = []
    desk.on_select(chosen.append)
    desk.select("a")
    desk.seek(0.5)
    desk.play()
    page = Page(desk, monkeypatch)
    page.say("ready")
    far = player(calls.assign(duration_s=1.5), session="call")
    far.seek(99)
    assert far.position_s == 1.5, "no further than the end"
    commands = [content["name"] for content, _ in page.messages if content["type"] == "command"]
    assert commands == ["seek", "play"]
    page.say("open", key=4, request=1)
    page.say("state", key=4, position_s=0.25, playing=False, speed=1.0)
    assert chosen == ["a", "c"]
    assert desk.position_s == 0.25
    desk.on_select(chosen.append, remove=True)
    desk.select("a")
    assert chosen == ["a", "c"]


@pytest.mark.parametrize("session", ["call", "call_in_index"])
def test_frames_without_rows_or_ids_are_shown(calls: pd.DataFrame, session: str) -> None:
    """No rows, ids that are missing, ids in the index."""
    frame = calls.rename(columns={"call": session})
    assert player(frame.iloc[:0], session=session).session_id == ""
    assert player(frame.assign(**{session: None}), session=session).session_id == ""
    assert player(frame.set_index(session), session=session).session_id == "b"


def test_one_recording_has_a_player_of_its_own() -> None:
    """Without a session id it still has a name."""
    assert play_one(sound()).session_id == "recording"
    assert sound().play().session_id == "recording"
