"""How many sessions and jobs are under way for an executor, and which waits for which."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from kataven_notebook.run.slots import Slots
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

pytestmark = pytest.mark.core

NEVER = threading.Event()


def entered(slot: Callable[[], AbstractContextManager[None]]) -> tuple[threading.Event, threading.Event]:
    """Enter a slot in a thread; return what is set when it is there, and what lets it leave."""
    there, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with slot():
            there.set()
            leave.wait(30)

    threading.Thread(target=stay, daemon=True).start()
    return there, leave


def test_a_session_waits_until_another_one_ends() -> None:
    """No more are signed than may be under way."""
    slots = Slots(workers=1, sessions=1)
    with slots.session(NEVER):
        there, leave = entered(lambda: slots.session(NEVER))
        assert not there.wait(0.05)
    assert there.wait(10)
    leave.set()


def test_where_urls_expire_in_the_queue_nothing_waits_in_it() -> None:
    """There are as many sessions then as workers."""
    slots = Slots(workers=1, sessions=2)
    slots.queue_nothing()
    with slots.session(NEVER):
        there, leave = entered(lambda: slots.session(NEVER))
        assert not there.wait(0.05)
    assert there.wait(10)
    leave.set()


def test_a_job_that_runs_alone_waits_for_the_others_and_they_for_it() -> None:
    """What dies then was to blame for it."""
    slots = Slots(workers=2, sessions=4)
    with slots.job(alone=False, stop=NEVER):
        alone, end_alone = entered(lambda: slots.job(alone=True, stop=NEVER))
        assert not alone.wait(0.05)
    assert alone.wait(10)
    beside, end_beside = entered(lambda: slots.job(alone=False, stop=NEVER))
    assert not beside.wait(0.05)
    end_alone.set()
    assert beside.wait(10)
    end_beside.set()


def test_a_reserved_worker_is_free_again_with_the_end_of_its_session() -> None:
    """Also where the session needs no second job."""
    slots = Slots(workers=1, sessions=2)
    with slots.session(NEVER):
        slots.reserve(NEVER)
    with slots.session(NEVER):
        slots.reserve(NEVER)  # would wait for ever


def test_a_stop_ends_every_wait() -> None:
    """For a session, for a worker, and for the other jobs to end."""
    slots = Slots(workers=1, sessions=1)
    stop = threading.Event()
    stop.set()
    with slots.session(NEVER), slots.job(alone=False, stop=NEVER):
        with pytest.raises(Stopped):
            slots.reserve(stop)
        for waiting in (slots.session(stop), slots.job(alone=True, stop=stop)):
            with pytest.raises(Stopped):
                waiting.__enter__()
