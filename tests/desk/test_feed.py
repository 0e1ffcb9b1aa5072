"""Sound, pictures, URLs and errors on their way to the page."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from pages import SECRET_URL, Page, sound
from troubled_storage import TroubledStorage

from kataven_notebook.desk import delivery as _delivery
from kataven_notebook.desk import feed as _feed
from kataven_notebook.desk.open import player
from kataven_notebook.desk.widget import Player
from kataven_notebook.errors import ServiceFailed, UrlExpired

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


class _Storing:
    """Nothing but URLs of a storage, the first of which is dead where `first` names one."""

    def __init__(self, storage: TroubledStorage, *, first: str = "", signs: bool = True) -> None:
        self.storage, self.first, self.signs = storage, first, signs
        self.signed = 0

    def sound(self, _session_id: str) -> None:
        return None

    def signed_url(self, session_id: str, *, fresh: bool) -> tuple[str, float]:
        if fresh and not self.signs:
            raise UrlExpired("the signed URL has expired: run audio() on the frame", session_id=session_id)
        self.signed += fresh
        name = self.first if self.first and not self.signed else session_id
        return self.storage.url(name), 300.0


def _opened(source: _Storing, name: str, monkeypatch: pytest.MonkeyPatch) -> Page:
    page = Page(Player(pd.DataFrame({"session_id": [name]}), source=source), monkeypatch)
    page.say("ready")
    page.wait("url")
    # As if the URL had been signed a while ago.
    monkeypatch.setattr(_feed, "_JUST_SIGNED_S", 0.0)
    return page


def test_a_refused_url_is_signed_again_once_however_many_views_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each signature costs a request of the account."""
    with TroubledStorage(sound().encoded()) as storage:
        source = _Storing(storage, first="expired")
        page = _opened(source, "good", monkeypatch)
        page.messages.clear()
        for _ in range(20):
            page.say("url", key=0)
        assert page.wait("url")[0]["url"] == storage.url("good")
        assert source.signed == 1


@pytest.mark.parametrize("name", ["absent", "failing", "page"])
def test_trouble_of_the_storage_costs_no_signature(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A new URL would meet the same; the page is told what happened."""
    with TroubledStorage(sound().encoded()) as storage:
        source = _Storing(storage)
        page = _opened(source, name, monkeypatch)
        page.say("url", key=0)
        problem = page.wait("problem")[0]
        assert problem["is_silent"]
        assert "X-Amz" not in problem["text"]
        assert source.signed == 0


def test_a_url_that_can_not_be_renewed_is_said_to_have_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the frame's URL is all there is."""
    with TroubledStorage(sound().encoded()) as storage:
        page = _opened(_Storing(storage, signs=False), "expired", monkeypatch)
        page.say("url", key=0)
        assert page.wait("problem")[0]["text"].startswith("The signed URL has expired: run audio()")


def test_what_the_page_can_not_play_from_its_url_the_kernel_fetches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection may have died: once more the URL. Then the sound itself, decoded where the page asks for that."""
    with TroubledStorage(sound().encoded()) as storage:
        source = _Storing(storage)
        page = _opened(source, "good", monkeypatch)
        page.messages.clear()
        page.say("url", key=0, again=False)
        page.wait("url")
        page.say("url", key=0, again=True)
        content, buffers = page.wait("sound")
        assert bytes(buffers[0]) == storage.data
        assert not content["decoded"]
        page.say("decode", key=0)
        page.wait("sound", lambda content: content["decoded"])
        assert source.signed == 0
