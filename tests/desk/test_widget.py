"""The player as Python has it: state, labels as frames, selection."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

import anywidget
import numpy as np
import pandas as pd
import pytest
from pages import SECRET_URL, Page, sound

from kataven_notebook.desk.open import player
from kataven_notebook.desk.widget import Player, play_one
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


def test_no_url_no_sound_and_no_error_query_is_in_state_or_repr(calls: pd.DataFrame) -> None:
    """What a notebook would save holds no signed URL and no sound."""
    frame = calls.assign(recording_url=SECRET_URL, recording_error=f"failed: {SECRET_URL}")
    desk = player(frame, session="call")
    saved = json.dumps(desk.get_state(), default=str) + json.dumps(desk.get_state(), default=str)
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
    assert [(each["label"], each["start_s"], each["end_s"]) for each in listed] == [
        ("good", None, None),
        ("bad", 0.1, 0.5),
    ]
    assert desk.labels["note"].iloc[0] == "two\nlines"
    assert list(desk.labels.columns) == ["call", "label", "start_s", "end_s", "note", "annotator", "labelled_at"]
    assert str(desk.labels["labelled_at"].dtype) == "datetime64[us, UTC]"
    joined = desk.frame
    assert joined.index.tolist() == calls.index.tolist()
    assert joined["label"].tolist()[::5] == ["good", "good"]
    assert joined["label_regions"].tolist() == [1, 0, 0, 0, 0, 1]
    assert "label" not in calls.columns
    assert player(joined, session="call").frame["label"].isna().all()


def test_python_labels_calls_and_regions_as_the_listener_does(
    calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the open call or a named one, once however often the cell runs; the page shows it."""
    desk = player(calls, session="call", labels=["good", "bad"], annotator=" anna ")
    page = Page(desk, monkeypatch)
    page.say("ready")
    for _ in range(2):
        desk.add_label("good")
        desk.add_label("bad", session_id="a", start_s=1, end_s=2.5, note="one\ntwo")
    desk.add_label("", session_id="a", note="<b>note</b>")
    assert desk.labels["call"].tolist() == ["b", "a", "a"]
    assert desk.labels["annotator"].tolist() == ["anna"] * 3
    assert desk.labels["note"].tolist()[1:] == ["one\ntwo", "<b>note</b>"]
    content, _ = page.wait("labels", lambda content: content["key"] == 1)
    assert [each["end_s"] for each in content["labels"]] == [2.5]
    for wrong in ({"start_s": 1}, {"start_s": 2, "end_s": 1}, {"start_s": -1, "end_s": 1}, {"note": "x" * 60_000}):
        with pytest.raises(ValueError, match="pass"):
            desk.add_label("good", session_id="c", **wrong)
    with pytest.raises(ValueError, match="a label, or a note"):
        desk.add_label("", note=" \n")
    with pytest.raises(ConfigurationError, match="did you mean 'good'"):
        desk.add_label("goood")
    with pytest.raises(FrameError, match="'nobody'"):
        desk.add_label("good", session_id="nobody")
    assert len(desk.labels) == 3


def test_python_sets_the_speed_and_reads_what_the_listener_chose(
    calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of those that the page offers."""
    desk = player(calls, session="call")
    assert desk.speed == 1.0
    desk.speed = 2
    page = Page(desk, monkeypatch)
    page.say("ready")
    assert page.wait("command")[0]["speed"] == desk.speed == 2.0
    page.say("state", key=0, position_s=0.0, playing=False, speed=1.5)
    assert desk.speed == 1.5
    for wrong in (0, 1.1, "fast", None):
        with pytest.raises(ValueError, match=r"0\.5, 0\.75, 1"):
            desk.speed = wrong  # type: ignore[assignment]  # what users type


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
    rows = desk._calls.window(0, 3, labels=lambda _: "")
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
    far = player(calls, session="call")
    far.seek(99)
    assert far.position_s == 1.0, "no further than the end"
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


def test_a_frame_that_changes_under_its_player_does_not_break_it(
    calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows dropped, columns overwritten or gone, sound replaced: what was opened is played, listed and sorted."""
    first = calls["audio"].iloc[0].encoded()
    desk = player(calls, session="call", columns=["score"], labels=["good"])
    page = Page(desk, monkeypatch)
    calls["audio"] = None
    calls.iloc[:, calls.columns.get_loc("score")] = -1.0
    calls["score"] = "text \u202e😀"
    calls["call"] = "another"
    del calls["recording_status"]
    with warnings.catch_warnings(action="ignore"):
        calls.drop(calls.index, inplace=True)  # noqa: PD002 - what users do
    page.say("ready")
    content, buffers = page.wait("sound")
    assert (content["key"], bytes(buffers[0])) == (0, first)
    view = {"sort": "0", "descending": True, "status": "downloaded", "text": ""}
    page.say("rows", start=0, count=50, request=1, view=view)
    assert page.wait("rows")[0]["total"] == 3
    page.say("open", key=4, request=1)
    page.wait("sound", lambda content: content["key"] == 4)
    page.say("label", key=4, label="good", note="", start_s=None, end_s=None)
    assert page.wait("labels")[0]["label_text"] == "good"
    assert len(desk.frame) == 6


def test_a_file_that_is_gone_or_another_one_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame holds a path; what lies there may have changed since."""
    files = [tmp_path / "שיחה 😀.wav", tmp_path / "<b>call<b>.wav"]
    for file in files:
        file.write_bytes(sound(2.0).encoded())
    calls = pd.DataFrame({"session_id": ["a", "b"], "audio": [Recording.from_file(file) for file in files]})
    page = Page(player(calls), monkeypatch)
    files[0].unlink()
    files[1].write_bytes(sound(1.0, channels=1).encoded())
    page.say("ready")
    assert "No such file" in page.wait("problem")[0]["text"]
    page.say("open", key=1, request=1)
    assert "has changed" in page.wait("problem", lambda content: content["key"] == 1)[0]["text"]


def test_its_public_names_are_few() -> None:
    """What page and kernel say to each other is no promise; `first` and `decided` are what the page reads."""
    own = {name for name in set(dir(Player)) - set(dir(anywidget.AnyWidget)) if not name.startswith("_")}
    methods = {"select", "play", "pause", "seek", "add_label", "on_select"}
    assert own == methods | {"session_id", "position_s", "speed", "labels", "frame", "first", "decided"}
