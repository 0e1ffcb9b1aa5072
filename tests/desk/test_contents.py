"""What the page is shown: what is saved, where it opens, and why a call is silent."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from pages import SECRET_URL, Page

from kataven_notebook.desk import contents
from kataven_notebook.desk.open import player
from kataven_notebook.status import Status

pytestmark = pytest.mark.core


def test_columns_are_shown_as_they_read_and_without_signed_queries(calls: pd.DataFrame) -> None:
    """Large numbers keep their digits; the first rows are saved, so a URL's signature is not among them."""
    frame = calls.assign(amount=14998.5, recording_url=SECRET_URL, duration_s="0:35")
    desk = player(frame, session="call", columns=["amount", "recording_url"])
    assert desk.first["rows"][0][4] == "14998.5"
    assert "0123456789abcdef" not in json.dumps(desk.get_state("first"))
    assert desk.first["opened"]["duration_s"] == 1.0, "of the sound"
    assert player(frame.assign(audio=None), session="call").first["opened"]["duration_s"] is None


def test_ten_thousand_calls_are_listed_without_being_sent() -> None:
    """What is saved of a list does not grow with it."""
    sizes = []
    for rows in (100, 10_000):
        frame = pd.DataFrame({"session_id": [f"call-{i:06}" for i in range(rows)], "agent": "a"})
        desk = player(frame, columns=["agent"])
        sizes.append(len(json.dumps(desk.get_state("first"))))
    assert sizes[1] - sizes[0] < 200


def test_long_texts_do_not_outgrow_a_saved_notebook() -> None:
    """Of wide rows and of wordy moments fewer are saved: 15 KB beside script and style, whatever the frame holds."""
    words = "the caller asks for Friday, is offered Monday, and hangs up; " * 5
    frame = pd.DataFrame({"session_id": [f"call-{i:06}" for i in range(1000)]})
    frame = frame.assign(**{f"summary {i}": words for i in range(8)})
    moments = frame[["session_id"]].assign(start_s=1.0, kind="dead_air", text=words)
    desk = player(frame, columns=list(frame.columns[1:]), moments=moments)
    state = {name: value for name, value in desk.get_state().items() if name not in ("_esm", "_css")}
    assert len(json.dumps(state)) <= 15_100, "the container comes on top"
    assert len(desk.first["rows"]) >= 6
    assert len(desk.first["moments"]) >= 25


def test_it_opens_on_the_worst_moment_with_a_run_up(calls: pd.DataFrame) -> None:
    """The first moment of a call that the frame has, two seconds before it."""
    moments = pd.DataFrame({"call": ["not here", "c"], "start_s": [1.0, 30.0], "kind": ["x", "dead_air"]})
    desk = player(calls, session="call", moments=moments)
    assert desk.session_id == "c"
    assert desk.position_s == 28.0


def test_rows_without_sound_say_why_and_what_to_do(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence in place of sound."""
    desk = player(calls, session="call")
    page = Page(desk, monkeypatch)
    page.say("ready")
    desk.select("d")
    content, _ = page.wait("call", lambda content: content["title"] == "d")
    assert content["reason"] == "No recording. There is nothing to do: the session has no recording."
    later = 'the recording is not uploaded yet: call again later, or pass poll_pending="10min" ("not yet")'
    frame = pd.DataFrame({"call": ["p"], "recording_status": ["pending"], "recording_error": [later]})
    reason = player(frame, session="call").first["opened"]["reason"]
    assert reason == f"T{later[1:]}.", "the advice is in it already"
    frame = pd.DataFrame({"call": ["f"], "recording_status": ["failed"], "recording_error": ["the storage hung up"]})
    assert player(frame, session="call").first["opened"]["facts"] == "failed · the storage hung up"


def test_every_status_says_whether_the_call_is_heard_asked_for_again_or_silent() -> None:
    """A new status has to be placed."""
    heard = {Status.READY, Status.DOWNLOADED}
    assert sorted([*contents._SILENT, *contents._RETRIED, *heard]) == sorted(Status)
