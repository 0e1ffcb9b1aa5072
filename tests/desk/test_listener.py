"""Where the listener is between two reports of the page, and whether somebody listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kataven_notebook.desk.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.core


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the listener's clock on by some seconds."""
    now = [1000.0]
    monkeypatch.setattr("kataven_notebook.desk.listener.time.monotonic", lambda: now[0])

    def later(seconds: float) -> None:
        now[0] += seconds

    return later


def test_a_playing_call_moves_on_at_its_speed_up_to_its_end(advance: Callable[[float], None]) -> None:
    """Paused it stands; opening another call pauses."""
    listener = Listener()
    listener.play(10.0, is_playing=True, speed=2.0)
    advance(3.0)
    assert listener.position_s(None) == 16.0
    assert listener.position_s(12.5) == 12.5
    listener.open(4.0)
    advance(3.0)
    assert listener.position_s(None) == 4.0


def test_nobody_listens_after_ten_idle_minutes_unless_a_call_plays(advance: Callable[[float], None]) -> None:
    """A call that has reached its end plays no more."""
    listener = Listener()
    advance(599.0)
    assert listener.listens(None)
    advance(2.0)
    assert not listener.listens(None)
    listener.play(0.0, is_playing=True, speed=1.0)
    assert listener.listens(60.0)
    advance(61.0)
    assert not listener.listens(60.0)
    listener.act()
    assert listener.listens(60.0)


def test_a_view_that_does_not_play_does_not_speak_for_the_one_that_does() -> None:
    """A second view of the player lies still, and reports that when a label is set."""
    listener = Listener()
    listener.open(2.0)
    listener.play(9.0, is_playing=True, speed=1.0, view="a")
    listener.play(2.0, is_playing=False, speed=1.0, view="b")
    assert listener.position_s(60.0) == pytest.approx(9.0, abs=0.5)
    listener.play(15.0, is_playing=False, speed=1.0, view="a")
    listener.play(2.0, is_playing=False, speed=1.0, view="b")
    assert listener.position_s(60.0) == 15.0
    listener.play(30.0, is_playing=False, speed=1.0, view="b")
    assert listener.position_s(60.0) == 30.0, "somebody has moved it there"


def test_what_is_done_in_a_paused_view_counts() -> None:
    """The only view may change its speed; another one may, too, and its position comes with it."""
    listener = Listener()
    listener.open(2.0)
    listener.play(2.0, is_playing=False, speed=1.5, view="a")
    listener.play(2.0, is_playing=True, speed=1.5, view="a")
    listener.play(9.0, is_playing=False, speed=1.5, view="a")
    listener.play(2.0, is_playing=False, speed=1.5, view="b")
    assert listener.position_s(60.0) == 9.0
    listener.play(2.0, is_playing=False, speed=2.0, view="b")
    assert listener.position_s(60.0) == 2.0
