"""Of what is asked for in quick succession the last is done."""

from __future__ import annotations

import threading

import pytest

from kataven_notebook.desk.latest import Latest

pytestmark = pytest.mark.core


def test_the_first_and_the_last_of_a_burst_are_done_in_order() -> None:
    """A single request waits for nothing; of two hundred quick ones those between are left out."""
    done: list[int] = []
    is_last = threading.Event()

    def work(number: int) -> None:
        done.append(number)
        if number == 199:
            is_last.set()

    latest = Latest(work, quiet_s=0.2)
    for number in range(200):
        latest(number)
        assert done == [0]
    assert is_last.wait(10)
    assert done == [0, 199]


def test_what_is_asked_for_after_a_pause_is_done_at_once() -> None:
    """Whoever goes from call to call at a listener's pace never waits."""
    done: list[int] = []
    latest = Latest(done.append, quiet_s=0.0)
    for number in range(3):
        latest(number)
    assert done == [0, 1, 2]
