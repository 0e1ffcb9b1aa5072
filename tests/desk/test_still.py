"""The still picture of a call."""

from __future__ import annotations

import re
import threading
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING
from urllib.parse import unquote

import numpy as np
import pytest

from kataven_notebook.desk.still import bars, still
from kataven_notebook.desk.widget import Player
from kataven_notebook.errors import UrlExpired
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.core

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture: str) -> ET.Element:
    """The picture that the image's source holds."""
    source = re.search(r'src="data:image/svg\+xml,([^"]*)"', picture)
    assert source is not None
    return ET.fromstring(unquote(source[1]))  # noqa: S314 - our own picture


def test_each_channel_is_shown_by_its_own_loudest() -> None:
    """A quiet agent beside a loud caller is no thread, and silence stays flat."""
    ramp = np.linspace(0.0, 1.0, 8_000)
    levels = bars(Recording.from_samples(np.stack([ramp, 0.01 * ramp, 0 * ramp], axis=1), 8_000))
    assert levels.shape[0] == 3
    assert levels[0][-1] == levels[1][-1] == 1.0
    assert levels[0][50] == pytest.approx(levels[1][50], abs=0.1)
    assert not levels[2].any()


@pytest.mark.parametrize("frames", [1, 79, 80, 8_000, 400_000])
def test_any_length_is_drawn_in_a_few_kilobytes(frames) -> None:
    """From one sample on; an image without script, request or sound."""
    noise = np.random.default_rng(0).normal(0, 0.1, (frames, 2))
    recording = Recording.from_samples(noise, 8_000)
    picture = still(bars(recording), recording.duration_s, title="a-1")
    assert len(picture) < 16_000
    assert len(drawn(picture).findall(f"{SVG}path")) == 2
    assert "http" not in unquote(picture).replace("http://www.w3.org/2000/svg", "")


def test_marks_stand_where_they_are_and_stay_in_the_picture() -> None:
    """Labels are named, markup in them is text, and what lies outside the call is left out."""
    marks = [
        {"kind": "label", "label": "<b>& \u05e9\u05dc\u05d5\u05dd", "start_s": 5.0, "end_s": 20.0},
        {"kind": "silence", "label": "dead air", "start_s": 1.0, "end_s": None},
        {"kind": "mark", "label": "later", "start_s": 11.0, "end_s": 12.0},
    ]
    picture = drawn(still(np.ones((1, 10)), 10.0, marks=marks))
    boxes = [each.attrib for each in picture.findall(f"{SVG}rect")]
    assert [(each["x"], each["width"]) for each in boxes[::2]] == [("480", "480"), ("96", "2")]
    texts = [each.text for each in picture.findall(f"{SVG}text")]
    assert texts == ["<b>& \u05e9\u05dc\u05d5\u05dd", "0:00", "0:02", "0:04", "0:06", "0:08", "0:10"]


def test_a_title_with_markup_stays_text() -> None:
    """An id may hold quotes and tags."""
    picture = still(np.ones((1, 10)), 10.0, title='"><script>x</script>')
    assert "<script" not in picture
    assert picture.count('"') % 2 == 0


def test_agent_and_caller_have_the_same_colours_whichever_channel_is_theirs() -> None:
    """And what is of nobody known has others."""

    def colours(*roles: str) -> list[str]:
        paths = drawn(still(np.ones((2, 10)), 10.0, roles=roles)).findall(f"{SVG}path")
        return [each.attrib["stroke"] for each in paths]

    agent, caller = colours("agent", "caller")
    assert colours("caller", "agent") == [caller, agent]
    assert not {agent, caller} & set(colours())


def test_a_player_does_not_wait_for_the_picture_of_sound_that_takes_long(calls: pd.DataFrame) -> None:
    """The card is there without it, and has it once the sound was read."""
    let = threading.Event()

    class Slow:
        def sound(self, _: str) -> Recording:
            assert let.wait(10)
            return Recording.from_samples(np.ones((800, 1)), 8_000)

        def signed_url(self, session_id: str, **_: bool) -> tuple[str, float]:
            raise UrlExpired("none", session_id=session_id)

    desk = Player(calls, session="call", source=Slow())
    assert "<img" not in desk._as_card(0.01)["text/html"]
    let.set()
    assert "<img" in desk._as_card()["text/html"]
    desk.close()
