"""Marks and moments: tables of several shapes, and those of the metrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pages import Page

import kataven_notebook as kn
from kataven_notebook.desk.open import player
from kataven_notebook.errors import FrameError
from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


def test_marks_of_other_shapes_are_drawn_or_refused_in_words(calls: pd.DataFrame) -> None:
    """Lengths of time, a session index, gaps; not texts, times of day or names of channels."""
    marks = pd.DataFrame({"call": ["b", "b"], "start_s": [0.5, None], "end_s": [np.inf, 1.0], "label": ["x", "y"]})
    drawn = player(calls, session="call", marks=marks)._contents.about(0)["marks"]
    assert [(each["label"], each["start_s"], each["end_s"]) for each in drawn] == [("x", 0.5, 0.5)]
    as_time = marks.assign(start_s=pd.to_timedelta([0.5, 0.7], unit="s"), end_s=["1", "2"])
    both = as_time.set_index("call", drop=False)
    assert len(player(calls, session="call", marks=both, moments=both)._contents.about(0)["marks"]) == 4
    noon = pd.to_datetime(["2026-01-01 12:00"] * 2)
    for change in ({"start_s": ["soon", "late"]}, {"start_s": noon}, {"channel": ["agent", "caller"]}):
        with pytest.raises(FrameError, match="no number: pass"):
            player(calls, session="call", marks=marks.assign(**change))
    with pytest.raises(FrameError, match="takes a frame"):
        player(calls, session="call", moments=[{"call": "b"}])  # type: ignore[arg-type]  # what is tested


def test_what_is_not_passed_comes_from_the_metrics() -> None:
    """A choice of moments takes no speech off the picture, and turns take no moments out of the list."""
    time_s = np.arange(18 * 8000) / 8000
    talk = np.column_stack([np.sin(2 * np.pi * 440 * time_s) * (time_s % 6 < 3), np.zeros(len(time_s))])
    calls = pd.DataFrame({"session_id": ["a"], "audio": [Recording.from_samples(0.1 * talk, 8000)]})

    def speech(_: Any, __: int) -> list[tuple[float, float]]:
        return [(0.0, 3.0), (10.0, 13.0)]

    measured = kn.metrics(calls, agent_channel=0, speech=speech, progress=False)
    told = player(measured)
    assert told.first["moments"]
    assert told._contents.about(0)["speech"]
    chosen = pd.DataFrame({"session_id": ["a"], "start_s": [5.0], "kind": ["mine"]})
    desk = player(measured, moments=chosen)
    assert [each["kind"] for each in desk.first["moments"]] == ["mine"]
    assert desk._contents.about(0)["speech"] == told._contents.about(0)["speech"]
    turns = pd.DataFrame({"session_id": ["a"], "channel": [0], "start_s": [1.0], "end_s": [2.0]})
    desk = player(measured, turns=turns)
    assert desk.first["moments"] == told.first["moments"]
    assert desk._contents.about(0)["speech"] == [[(1.0, 2.0)]]


def test_marks_are_of_the_numbers_in_the_frame() -> None:
    """And not of the detector that was asked last."""
    time_s = np.arange(18 * 8000) / 8000
    talk = np.column_stack([np.sin(2 * np.pi * 440 * time_s) * (time_s % 6 < 3), np.zeros(len(time_s))])
    calls = pd.DataFrame({"session_id": ["a"], "audio": [Recording.from_samples(0.1 * talk, 8000)]})
    measured = kn.metrics(calls, agent_channel=0, speech="energy", progress=False)
    told = player(measured)._contents.about(0)["speech"]
    kn.metrics(calls, agent_channel=0, speech=lambda *_: [(17.0, 18.0)], progress=False)
    kn.metrics(calls, agent_channel=0, progress=False)
    assert told[0][0][0] < 1
    assert player(measured)._contents.about(0)["speech"] == told


def test_what_any_process_measured_is_marked_where_the_sound_is_stored(tmp_path) -> None:
    """In a frame that was written to a file and read again, too."""
    time_s = np.arange(18 * 8000) / 8000
    talk = np.column_stack([np.sin(2 * np.pi * 440 * time_s) * (time_s % 6 < 3), np.zeros(len(time_s))])
    encoded = Recording.from_samples(0.1 * talk, 8000).encoded()
    calls = pd.DataFrame({"session_id": ["a"], "audio": [Recording.from_bytes(encoded, session_id="a")]})
    options = {"store": tmp_path / "calls", "settings": kn.Settings(api_key="sk_test_of_nobody"), "progress": False}
    measured = kn.metrics(calls, agent_channel=0, speech="energy", **options)
    stored = kn.audio(calls, **options)  # other objects, of which this process has measured none
    shown = player(measured.assign(audio=stored["audio"]))
    assert len(shown._contents.about(0)["speech"][0]) == 3


def test_the_player_and_the_numbers_have_one_dead_air_and_one_slow_response() -> None:
    """Dead air before an answer has that name alone; a thinking caller is not slow, nor is an agent that goes on."""
    spoken = [[(3.5, 5), (11, 12), (14, 15), (19, 20)], [(6.9, 8), (17, 17.5)]]
    calls = pd.DataFrame({"session_id": ["a"], "audio": [Recording.from_samples([[0.1, 0.2]] * 240_000, 10_000)]})
    measured = kn.metrics(
        calls, agent_channel=0, speech=lambda x, _: spoken[round(float(x[0]) * 10) - 1], progress=False
    )
    listed = kn.moments(calls, agent_channel=0, speech=lambda x, _: spoken[round(float(x[0]) * 10) - 1], progress=False)
    contents = player(measured)._contents
    drawn = [mark for mark in contents.about(0)["marks"] if mark["kind"] in ("silence", "slow")]
    kinds = {"silence": "dead air", "slow": "slow response"}
    assert [(kinds[mark["kind"]], mark["start_s"], mark["end_s"]) for mark in drawn] == [
        ("dead air", 0, 3.5),
        ("dead air", 8, 11),
        ("slow response", 17.5, 19),
        ("dead air", 20, 24),
    ]
    silent = listed[listed["kind"].isin(kinds.values())].sort_values("start_s")
    assert silent["start_s"].tolist() == [mark["start_s"] for mark in drawn]
    assert silent["kind"].tolist() == [kinds[mark["kind"]] for mark in drawn]
    assert measured["dead_air_count"].tolist() == [3]
    assert ("silence", "dead air") in contents.about(0)["legend"]


def test_every_kind_of_moment_is_drawn_once_with_or_without_turns(calls: pd.DataFrame) -> None:
    """Kinds of the caller's own too; a moment that the turns tell of is not drawn twice."""
    kinds = ["slow_response", "interruption", "dead_air", "clipping", "hold music"]
    moments = pd.DataFrame({"call": "b", "start_s": [1.0, 2.0, 5.0, 9.0, 11.0], "kind": kinds})
    moments = moments.assign(end_s=moments["start_s"] + 3, channel=[0, 0, None, 1, None])
    about = player(calls, session="call", moments=moments)._contents.about(0)
    assert [each["kind"] for each in about["marks"]] == ["slow", "interruption", "silence", "clipping", "moment"]
    assert [name for _, name in about["legend"]] == ["interruption", "dead air", "slow response", "clipping", "moment"]
    assert about["marks"][4]["label"] == "hold music"
    turns = pd.DataFrame({"call": "b", "channel": [0, 1], "start_s": [0.0, 8.0], "end_s": [5.0, 9.0]})
    turns["role"] = ["agent", "caller"]
    both = player(calls, session="call", moments=moments, turns=turns)._contents.about(0)["marks"]
    assert [each["start_s"] for each in both if each["kind"] == "silence"] == [5.0]


def test_ten_thousand_moments_are_listed_as_they_are_asked_for(
    calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first fifty at once, the rest by the window; those of other calls are not counted."""
    count = 10_000
    moments = pd.DataFrame({"call": "a", "start_s": np.arange(count, dtype=float), "kind": "dead_air", "text": "quiet"})
    moments.loc[0, "call"] = "not here"
    desk = player(calls, session="call", moments=moments)
    first = desk.first
    assert first["moments_total"] == count - 1
    assert first["moments_title"] == "Moments, worst first"
    assert first["moments"][0]["at"] == "0:01"
    page = Page(desk, monkeypatch)
    page.say("moments", start=9_990, count=100)
    content, _ = page.wait("moments")
    assert [each["from_s"] for each in content["moments"]][:2] == [9989.0, 9990.0]
    assert len(content["moments"]) == 9


def test_marks_alone_give_a_list_and_do_not_choose_the_call(calls: pd.DataFrame) -> None:
    """They are in no order of badness."""
    marks = pd.DataFrame({"call": ["c", "a"], "start_s": [1.0, 2.0], "end_s": [2.0, 3.0], "label": ["<b>x</b>", "y"]})
    desk = player(calls, session="call", marks=marks)
    first = desk.first
    assert [(each["session"], each["kind"]) for each in first["moments"]] == [("c", "<b>x</b>"), ("a", "y")]
    assert first["moments_title"] == "Marks"
    assert desk.session_id == "b"
    moments = pd.DataFrame({"call": ["a"], "start_s": [5.0], "kind": ["x"]})
    both = player(calls, session="call", marks=marks, moments=moments).first
    assert [each["kind"] for each in both["moments"]] == ["x", "<b>x</b>", "y"]
    assert both["moments_title"] == "Moments, worst first, and marks"
