"""Deliveries of one call that overlap: numbered parts, of which one delivery's alone make a sound."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pages import Page

from kataven_notebook.desk import delivery as _delivery
from kataven_notebook.desk.delivery import Call, Delivery, peak_messages
from kataven_notebook.desk.open import player
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.core


class Joined:
    """What a page makes of the messages for one call: the newest delivery's, in their order, each once."""

    def __init__(self) -> None:
        self.sounds: list[bytes] = []
        self.peaks: dict[int, bytes] = {}
        self._delivery = 0
        self._parts: list[bytes] = []
        self._bins = 0

    def add(self, content: dict[str, Any], data: bytes) -> None:
        """Take a message as static/calls.js does."""
        if content["delivery"] > self._delivery:
            self._delivery, self._parts, self._bins = content["delivery"], [], 0
        if content["delivery"] != self._delivery:
            return
        if content["type"] == "peaks":
            assert content["first_bin"] == self._bins
            self._bins += len(data) // content["channels"]
            return
        assert content["part"] == len(self._parts)
        self._parts.append(data)
        if content["part"] == content["parts"] - 1:
            assert sum(map(len, self._parts)) == content["total_bytes"]
            self.sounds.append(b"".join(self._parts))


def _noise(seed: int) -> Recording:
    return Recording.from_samples(np.random.default_rng(seed).uniform(-1, 1, (4000, 2)), 8000)


def _joined(messages: Iterable[tuple[dict[str, Any], list[Any]]]) -> dict[int, Joined]:
    found: dict[int, Joined] = {}
    for content, buffers in list(messages):
        if content["type"] in ("sound", "peaks"):
            found.setdefault(content["key"], Joined()).add(content, bytes(buffers[0]))
    return found


def test_concurrent_deliveries_never_make_another_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight views at once open, want and decode eight calls again and again; each sound is the recording's."""
    monkeypatch.setattr(_delivery, "_PART_BYTES", 1000)
    sounds = [_noise(seed) for seed in range(8)]
    calls = pd.DataFrame({"session_id": [f"call {i}" for i in range(8)], "audio": sounds})
    desk = player(calls)
    page = Page(desk, monkeypatch)
    page.say("ready")
    feed = desk._feed

    def view(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(30):
            call = Call(key := int(random.integers(8)), f"call {key}")
            random.choice([feed.open, feed.fetch_ahead, feed.open])(call)  # type: ignore[arg-type]  # functions

    with ThreadPoolExecutor(8) as views:
        list(views.map(view, range(8)))
    for key in range(8):
        feed.open(Call(key, f"call {key}"))
        whole = sounds[key].encoded()
        page.wait("sound", lambda content, key=key: content["key"] == key and content["part"] == content["parts"] - 1)  # type: ignore[misc]  # one more parameter, with a default
        _until(lambda key=key, whole=whole: whole in _joined(page.messages)[key].sounds)  # type: ignore[misc]  # the same
    for key, joined in _joined(page.messages).items():
        assert set(joined.sounds) == {sounds[key].encoded()}


def _until(condition: Any) -> None:
    waits = threading.Event()
    for _ in range(1000):
        if condition():
            return
        waits.wait(0.01)
    pytest.fail("not within ten seconds")


def test_a_newer_delivery_ends_the_older_between_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody joins any more is not sent."""
    monkeypatch.setattr(_delivery, "_PART_BYTES", 1000)
    sent: list[dict[str, object]] = []
    one = Delivery(Call(0, "a"), 1, lambda content, _=None: sent.append(content), lambda _: len(sent) < 4)
    one.send_sound(_noise(0))
    assert [each["type"] for each in sent] == ["facts", "sound", "sound", "sound"]
    one.say("Nothing.")
    assert len(sent) == 4


@pytest.mark.parametrize(
    ("session_id", "name"),
    [("<b>x</b>", "b_x_b.wav"), ("😀", "call.wav"), ("שיחה 7", "שיחה_7.wav"), ("a\u202egpj", "a_gpj.wav")],
)
def test_a_file_is_named_by_what_of_the_id_every_system_takes(session_id: str, name: str) -> None:
    """Letters and digits of any script; no markup, no marks that turn the direction."""
    sent: list[dict[str, Any]] = []
    Delivery(Call(0, session_id), 1, lambda content, _=None: sent.append(content), lambda _: True).send_sound(_noise(0))
    assert sent[-1]["file"] == name


def test_blocks_of_peaks_follow_each_other_without_gaps() -> None:
    """Together they are all bins that the description names."""
    blocks = list(peak_messages(_noise(0), block_s=0.1))
    starts = np.cumsum([0, *(len(data) // 2 for _, data in blocks)])
    assert [content["first_bin"] for content, _ in blocks] == starts[:-1].tolist()
    assert {content["total_bins"] for content, _ in blocks} == {starts[-1]}
