"""One window of a limit: between which times it ends, and what counts in the next one."""

from __future__ import annotations

import pytest

from kataven_notebook.service.budget_window import Permit, Wait, Window

pytestmark = pytest.mark.core

T0 = 1_790_000_000.0


def minute(used: int = 0, limit: int = 60) -> Window:
    """A window that begins at T0 with requests that have no answer yet."""
    window = Window.beginning("minute", T0, limit=limit, length_s=60.0)
    window.used = used
    return window


def test_the_first_answer_bounds_the_end() -> None:
    """Before it nobody can know; a later answer does not move it."""
    window = minute(used=2)
    assert window.ends_at(in_flight=2) is None
    window.settle(Permit(1, T0), T0 + 2, answered=True, granted=True)
    window.settle(Permit(2, T0), T0 + 5, answered=True, granted=True)
    assert window.ends_at(in_flight=0) == T0 + 62


def test_nothing_is_sent_between_the_earliest_and_the_latest_end() -> None:
    """A request might count in either window, although this one is not full."""
    window = minute(used=1)
    window.settle(Permit(1, T0), T0 + 2, answered=True, granted=True)
    assert window.blocked(T0 + 59.9, in_flight=0) is None
    assert window.blocked(T0 + 60, in_flight=0) == Wait("1/60 a minute used", T0 + 62)


def test_requests_in_flight_at_the_end_count_in_the_next_window_too() -> None:
    """The service may count them in either."""
    window = minute(used=5)
    window.settle(Permit(1, T0), T0 + 1, answered=True, granted=True)
    window.keep_up(T0 + 60.5, in_flight=3)
    assert window.used == 5
    window.keep_up(T0 + 61, in_flight=3)
    assert (window.used, window.began_at, window.ends_at(in_flight=3)) == (3, T0 + 61, None)


def test_an_answer_to_a_request_of_the_window_before_shows_nothing() -> None:
    """Only a request that was sent in the window can have opened it."""
    window = minute(used=1)
    window.settle(Permit(1, T0 - 5), T0 + 1, answered=True, granted=True)
    assert window.opened_max is None
    assert window.granted == 0


def test_requests_that_ended_late_count_in_the_next_window_too() -> None:
    """They ended when the service may have turned already."""
    window = minute(used=5)
    window.settle(Permit(1, T0), T0 + 1, answered=True, granted=True)
    window.end(T0 + 60.5)
    window.keep_up(T0 + 61, in_flight=1)
    assert window.used == 2
