"""The clips of a report."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.publish import sounds
from kataven_notebook.publish.clip_list import ClipList, clip_list
from kataven_notebook.publish.shown import Texts
from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core

SOUND = Recording.from_samples(np.full((16_000, 2), 0.1), 8_000)


def listed(texts: Texts | None = None, agents: dict[str, int] | None = None, **changes: Any) -> ClipList:
    """The list of one clip."""
    row = {
        "call": "call-one",
        "kind": "slow response",
        "role": "agent",
        "channel": 1,
        "start_s": 61.0,
        "end_s": 62.5,
        "text": "the agent <answers> after 1.5 s",
        "moment_id": "m123",
        "clip_start_s": 60.5,
        "clip_end_s": 62.5,
        "audio": SOUND,
        **changes,
    }
    clips = pd.DataFrame([row]).astype({"channel": "Int64"})
    return clip_list(
        clips, texts or Texts([], is_masked=False), session="call", agents=agents or {}, groups={"call-one": "<v2>"}
    )


def test_a_clip_says_what_where_and_which() -> None:
    """Kind and text, call, group, place and id; then sound."""
    html = listed().html
    assert "<h3>1. Slow response: the agent &lt;answers&gt; after 1.5 s</h3>" in html
    assert "call call-one · &lt;v2&gt; · at 1:01.0 · moment <code>m123</code>" in html
    assert 'aria-label="Clip 1, 1:00.5 to 1:02.5" src="data:audio/mpeg;base64,' in html
    assert "Sound from 1:00.5 to 1:02.5 of the call plays in the file" in html


@pytest.mark.parametrize(
    ("row", "agents", "lanes"),
    [
        ({"role": "agent", "channel": 1}, {}, ["caller", "agent"]),
        ({"role": "caller", "channel": 1}, {}, ["agent", "caller"]),
        ({"role": None, "channel": None}, {"call-one": 1}, ["caller", "agent"]),
        ({"role": None, "channel": None}, {}, ["channel0", "channel1"]),
    ],
)
def test_lanes_have_the_colours_of_their_parties(row: Any, agents: dict[str, int], lanes: list[str]) -> None:
    """As the moment says, else as the call does; else nobody's."""
    assert re.findall(r'path class="(\w+)"', listed(agents=agents, **row).html) == lanes


def test_masked_ids_are_not_in_the_list() -> None:
    """Not in the text of a moment either."""
    html = listed(Texts(["call-one"], is_masked=True), text="see call-one").html
    assert "call-one" not in html
    assert "see call 1" in html


def test_a_moment_without_sound_is_listed_and_says_so() -> None:
    """None, or a file that is gone."""
    for audio in (None, float("nan")):
        found = listed(audio=audio)
        assert found.playing == 0
        assert "<audio" not in found.html
        assert found.said == "1 moment; the sound of 1 is not here."
    why = listed(audio=None, recording_error="refused: <https://s3.example/a?X-Amz-Signature=1>").html
    assert "not here: refused: &lt;https://s3.example/a?[redacted]" in why


def test_a_file_that_is_gone_costs_its_clip_alone(tmp_path: Any) -> None:
    """The others play."""
    gone = Recording.from_file(SOUND.save(tmp_path / "a.wav"))
    (tmp_path / "a.wav").unlink()
    assert "can't be read" in listed(audio=gone).html


def test_a_long_clip_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is to be sent by mail."""
    monkeypatch.setattr(sounds, "MOST_S", 1.0)
    html = listed().html
    assert "The first 1 s of 2 s." in html
    assert "1:00.5 to 1:01.5" in html


def test_missing_columns_cost_their_part_alone() -> None:
    """A list of the user's own has neither kind nor id."""
    clips = pd.DataFrame({"call": ["a"], "start_s": [0.5], "audio": [SOUND]})
    found = clip_list(clips, Texts([], is_masked=False), session="call", agents={}, groups={})
    assert "<h3>1. Moment</h3>" in found.html
    assert found.playing == 1


def test_no_moments_are_a_sentence() -> None:
    """And no list."""
    empty = pd.DataFrame({"call": pd.Series(dtype="string")})
    found = clip_list(empty, Texts([], is_masked=False), session="call", agents={}, groups={})
    assert (found.html, found.playing) == ("", 0)
    assert "no sound in which a moment" in found.said
