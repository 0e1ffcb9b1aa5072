"""What the page gets for a closer look."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pages import SECRET_URL, Page, sound

from kataven_notebook.desk.closeup import CloseUps
from kataven_notebook.desk.open import player
from kataven_notebook.desk.widget import Player
from kataven_notebook.errors import RecordingCorrupt

if TYPE_CHECKING:
    from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


def _wish(what: str, from_s: float, to_s: float, columns: int, **more: object) -> dict[str, Any]:
    return {"key": 0, "what": what, "view": 0.5, "from_s": from_s, "to_s": to_s, "columns": columns, **more}


def test_single_samples_are_the_samples(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """As close as it gets a bin is a sample, at its own place."""
    page = Page(player(calls, session="call"), monkeypatch)
    page.say("look", **_wish("detail", 0.25, 0.26, 1000))
    found, (data,) = page.wait("look")
    values = np.frombuffer(data, "<i2").reshape(2, 2, found["bins"])
    assert found["is_finest"]
    assert (found["bins_per_s"], found["view"], found["first_bin"]) == (8000, 0.5, 2000)
    expected = calls["audio"].iloc[0].samples[2000:2080].T
    assert np.abs(values[:, 0] / 32767 - expected).max() < 1e-4
    assert (values[:, 0] == values[:, 1]).all()


def test_a_spectrogram_says_what_its_bytes_are(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page draws it where and as it is told."""
    page = Page(player(calls, session="call"), monkeypatch)
    page.say("look", **_wish("spectrum", 0.0, 1.0, 100))
    found, (data,) = page.wait("look")
    assert len(bytes(data)) == found["channels"] * found["rows"] * found["columns"] == 2 * 128 * 100
    assert (found["from_s"], found["to_s"], found["top_hz"]) == (0.0, 1.0, 4000)


def test_of_many_wishes_of_a_view_the_last_is_answered() -> None:
    """Who zooms on gets no pictures of what was before; another view of the player gets its own."""
    is_asked, may_go_on, is_answered = threading.Event(), threading.Event(), threading.Event()
    answers: list[tuple[object, object]] = []

    class Slow:
        def sound(self, _session_id: str) -> Recording:
            is_asked.set()
            assert may_go_on.wait(10)
            return sound()

        def signed_url(self, _session_id: str, **_: bool) -> tuple[str, float]:
            raise AssertionError

    def post(content: dict[str, object], _buffers: list[memoryview]) -> None:
        answers.append((content["view"], content["from_s"]))
        if len(answers) == 3:
            is_answered.set()

    closeups = CloseUps(post, Slow())
    closeups.ask("a", _wish("detail", 0.0, 0.5, 10))
    assert is_asked.wait(10)
    for from_s in (0.1, 0.2, 0.3):
        closeups.ask("a", _wish("detail", from_s, 0.5, 10))
    closeups.ask("a", _wish("detail", 0.4, 0.5, 10, view=0.7))
    may_go_on.set()
    assert is_answered.wait(10)
    assert answers == [(0.5, 0.0), (0.5, 0.3), (0.7, 0.4)]


def test_without_sound_or_with_damaged_sound_the_page_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words and without secrets; finer peaks are only a finer picture, so nothing is said of them."""

    class Broken:
        def sound(self, session_id: str) -> None:
            if session_id == "a":
                raise RecordingCorrupt(f"it breaks off: {SECRET_URL}", session_id=session_id)

        def signed_url(self, _session_id: str, **_: bool) -> tuple[str, float]:
            raise AssertionError

    page = Page(Player(pd.DataFrame({"session_id": ["a", "b"]}), source=Broken()), monkeypatch)
    page.say("look", **_wish("detail", 0.0, 1.0, 100))
    page.say("look", **_wish("spectrum", 0.0, 1.0, 100))
    text = page.wait("problem")[0]["text"]
    assert "it breaks off" in text
    assert "0123456789abcdef" not in text
    page.say("look", **_wish("spectrum", 0.0, 1.0, 100, key=1))
    assert "run audio()" in page.wait("problem", lambda content: content["key"] == 1)[0]["text"]
    assert sum(content["type"] == "problem" for content, _ in page.messages) == 2
