"""Sound, pictures, URLs and errors on their way to the page."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from pages import SECRET_URL, Page, sound

from kataven_notebook.desk import delivery as _delivery
from kataven_notebook.desk import feed as _feed
from kataven_notebook.desk.open import player
from kataven_notebook.desk.widget import Player
from kataven_notebook.errors import ServiceFailed

if TYPE_CHECKING:
    from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


def test_sound_comes_whole_and_peaks_follow(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's greeting is answered by the open call, its bytes and its picture."""
    desk = player(calls, session="call")
    page = Page(desk, monkeypatch)
    page.say("ready")
    content, buffers = page.wait("sound")
    assert bytes(buffers[0]) == calls["audio"].iloc[0].encoded()
    assert content["mime"] == "audio/wav"
    peaks, data = page.wait("peaks")
    assert peaks["total_bins"] == 100
    assert len(bytes(data[0])) == 200


def test_large_sound_is_sent_in_parts_after_its_picture(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the parts the page can be answered; together they are the file."""
    monkeypatch.setattr(_delivery, "_PART_BYTES", 5000)
    monkeypatch.setattr(_feed, "_SOUND_FIRST_BYTES", 1000)
    page = Page(player(calls, session="call"), monkeypatch)
    page.say("ready")
    page.wait("sound", lambda content: content["part"] == content["parts"] - 1)
    kinds = [content["type"] for content, _ in page.messages]
    assert kinds.index("peaks") < kinds.index("sound")
    sounds = [(content, data) for content, data in page.messages if content["type"] == "sound"]
    # The next call's sound may follow, fetched ahead.
    parts = [bytes(data[0]) for _, data in sounds[: sounds[0][0]["parts"]]]
    assert b"".join(parts) == calls["audio"].iloc[0].encoded()


def test_a_url_is_renewed_before_it_ends_while_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pushed from a thread; nobody listening, no request."""

    class Signing:
        signed = 0

        def sound(self, _session_id: str) -> None:
            return None

        def signed_url(self, _session_id: str, **_: bool) -> tuple[str, float]:
            self.signed += 1
            return f"{SECRET_URL}{self.signed}", 1.2

    source = Signing()
    desk = Player(pd.DataFrame({"session_id": ["a"], "recording_status": ["ready"]}), source=source)
    page = Page(desk, monkeypatch)
    page.say("ready")
    page.wait("url", lambda content: content["url"].endswith("2"))
    desk.close()


def test_an_error_reaches_the_page_in_words_and_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our errors as sentences, redacted."""

    class Failing:
        def sound(self, session_id: str) -> None:
            raise ServiceFailed(f"the Hub failed at {SECRET_URL}", session_id=session_id)

        def signed_url(self, _session_id: str, **_: bool) -> tuple[str, float]:
            raise AssertionError

    page = Page(Player(pd.DataFrame({"session_id": ["a"]}), source=Failing()), monkeypatch)
    page.say("ready")
    text = page.wait("problem")[0]["text"]
    assert text.startswith("The Hub failed at")
    assert "0123456789abcdef" not in text


def test_a_call_that_is_left_while_its_sound_is_read_is_not_sent(
    calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page has another call open by then."""
    is_read, is_left = threading.Event(), threading.Event()
    readers: list[threading.Thread] = []

    class Slow:
        def sound(self, session_id: str) -> Recording:
            if session_id == "b":
                readers.append(threading.current_thread())
                is_read.set()
                assert is_left.wait(10)
            return sound()

        def signed_url(self, _session_id: str, **_: bool) -> tuple[str, float]:
            raise AssertionError

    page = Page(Player(calls, session="call", source=Slow()), monkeypatch)
    page.say("ready")
    assert is_read.wait(10)
    page.say("open", key=4, request=1)
    page.wait("peaks", lambda content: content["key"] == 4)
    is_left.set()
    readers[0].join(10)
    assert not readers[0].is_alive()
    assert [content["type"] for content, _ in page.messages if content["key"] == 0] == ["call"]
