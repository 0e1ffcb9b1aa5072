"""Waveforms of calls that only the page plays, from a storage on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pages import Page, sound
from troubled_storage import TroubledStorage

from kataven_notebook.desk.delivery import peak_messages
from kataven_notebook.desk.widget import Player

if TYPE_CHECKING:
    from collections.abc import Iterator


class Signing:
    """Nothing but URLs; counts them."""

    def __init__(self, storage: TroubledStorage) -> None:
        self.storage = storage
        self.signed = 0

    def sound(self, _session_id: str) -> None:
        """Return None: the kernel has no sound."""

    def signed_url(self, session_id: str, **_: bool) -> tuple[str, float]:
        """Return the URL of a name."""
        self.signed += 1
        return self.storage.url(session_id), 300.0


@pytest.fixture
def storage() -> Iterator[TroubledStorage]:
    """Forty seconds of sound, in all kinds of trouble."""
    with TroubledStorage(sound(40.0).encoded()) as running:
        yield running


def _page(storage: TroubledStorage, names: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Page, Signing, Player]:
    source = Signing(storage)
    desk = Player(pd.DataFrame({"session_id": names}), source=source)
    return Page(desk, monkeypatch), source, desk


def _says_of_wave(text: str) -> Any:
    return lambda content: text in content["facts"].get("wave", "?") if text else content["facts"].get("wave") == ""


def test_a_call_from_a_url_gets_its_waveform_once(storage: TroubledStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said to be read until it is whole; each byte is fetched once, nothing is signed for it, and it is kept."""
    page, source, _ = _page(storage, ["good", "good-2"], monkeypatch)
    page.say("ready")
    page.wait("facts", _says_of_wave("being read"))
    page.wait("facts", _says_of_wave(""))
    blocks = [bytes(data[0]) for content, data in page.messages if content["type"] == "peaks"]
    assert blocks == [data for _, data in peak_messages(sound(40.0), block_s=30.0)]
    assert page.wait("facts", lambda content: "duration_s" in content["facts"])[0]["facts"]["channels"] == 2
    assert storage.sent_bytes["good"] == len(storage.data)
    page.messages.clear()
    page.say("ready")
    page.wait("facts", _says_of_wave(""))
    assert storage.sent_bytes["good"] == len(storage.data), "a second view gets what was read"
    assert sum(content["type"] == "peaks" for content, _ in page.messages) == len(blocks)
    assert source.signed == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [("absent", "answers 404"), ("cut", "the storage sent no more"), ("page", "HTML page"), ("refused", "answers 403")],
)
def test_why_there_is_no_waveform_is_said(
    storage: TroubledStorage, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    """In place of a flat line that looks like silence, without the URL and after one request."""
    page, _, _ = _page(storage, [name], monkeypatch)
    page.say("ready")
    text = page.wait("facts", _says_of_wave("No waveform"))[0]["facts"]["wave"]
    assert words in text
    assert "X-Amz" not in text
    assert storage.asked[name] == 1


def test_it_ends_when_the_listener_moves_on(storage: TroubledStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of calls that are passed by nothing is fetched."""
    storage.data = sound(2.0).encoded()
    names = [f"good-{i}" for i in range(30)]
    page, _, _ = _page(storage, names, monkeypatch)
    page.say("ready")
    for key in range(30):
        page.say("open", key=key, request=key, viewer="")
    page.wait("facts", lambda content: content["facts"].get("wave") == "")
    assert page.messages[-1][0]["key"] == 29
    assert set(storage.asked) == {"good-29"}


def test_a_storage_without_ranges_is_read_whole(storage: TroubledStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once."""
    page, _, _ = _page(storage, ["whole"], monkeypatch)
    page.say("ready")
    page.wait("facts", _says_of_wave(""))
    assert storage.asked["whole"] == 1
    data = b"".join(bytes(data[0]) for content, data in page.messages if content["type"] == "peaks")
    assert np.frombuffer(data, np.uint8).max() > 100
