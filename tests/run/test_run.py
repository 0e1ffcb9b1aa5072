"""Whole runs: how many at once, what they cost in requests, and what goes on."""

from __future__ import annotations

import gc
import threading
import warnings

import pytest
from frames import statuses

import kataven_notebook as kn
from kataven_notebook import Limits
from kataven_notebook.run.plan import Plan, Task
from kataven_notebook.run.run import Run

pytestmark = pytest.mark.core


def test_one_request_a_recording_and_twenty_at_most_at_once(many) -> None:
    """A hundred rows are a hundred requests, full use is made of the twenty, and of no more."""
    many.options.api_latency_s, many.options.storage_latency_s = 0.2, 0.02
    found = kn.audio(many.sessions, settings=many.settings, progress=False)
    assert statuses(found) == {"downloaded": 100}
    assert (many.requests.count("api"), many.requests.count("storage"), many.requests.refused) == (100, 100, 0)
    assert 15 <= many.requests.most_in_flight("api") <= 20
    assert many.requests.most_in_flight("storage") <= 20


@pytest.mark.parametrize("in_flight", [2, 20])
def test_a_slow_storage_leaves_no_request_waiting(many, in_flight) -> None:
    """All are asked for while the first sound is still to come; no more at once than the limits say."""
    limits = Limits(None, None, None, in_flight)
    many.limiter.limits = limits
    many.options.api_latency_s, many.options.storage_latency_s = 0.01, 3.0
    settings = kn.Settings(api_key=many.api_key, base_url=many.base_url, limits=limits)
    found = kn.audio(many.sessions, settings=settings, progress=False)
    assert statuses(found) == {"downloaded": 100}
    assert many.requests.most_in_flight("storage") == 100
    assert many.requests.most_in_flight("api") <= in_flight
    assert (many.requests.count("api"), many.requests.refused) == (100, 0)


def test_no_more_sound_arrives_at_once_than_one_line_carries(many) -> None:
    """Bodies that come slowly share the line: what is not signed yet waits."""
    many.faults.add("*", "storage:drip", bytes_per_s=8_000.0)
    most = []

    def watch() -> None:
        while not done.wait(0.02):
            most.append(many.requests.in_flight("storage"))

    done = threading.Event()
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        found = kn.audio(many.sessions, settings=many.settings, progress=False)
    finally:
        done.set()
        watching.join()
    assert statuses(found) == {"downloaded": 100}
    # Those that were asked for before the first byte came are under way, too.
    assert 32 <= max(most) < 90


def test_a_callers_own_number_is_the_most_that_are_under_way(many) -> None:
    """`in_flight=3` is three at the API and at the storage."""
    many.options.storage_latency_s = 0.05
    found = kn.audio(many.sessions, settings=many.settings, in_flight=3, progress=False)
    assert statuses(found) == {"downloaded": 100}
    assert many.requests.most_in_flight("storage") <= 3


def test_windows_are_used_to_the_full_and_nothing_is_refused(many) -> None:
    """A hundred rows at forty a window are three bursts; the budget is asked, not the service."""
    # Long enough that forty requests start in it on the busiest machine.
    window_s = 3.0
    limits = Limits(per_minute=40, minute_s=window_s, per_hour=1_000, per_day=None)
    many.limiter.limits = limits
    settings = kn.Settings(api_key=many.api_key, base_url=many.base_url, limits=limits)
    found = kn.audio(many.sessions, settings=settings, progress=False)
    assert statuses(found) == {"downloaded": 100}
    assert (many.requests.count("api"), many.requests.refused) == (100, 0)
    starts = [request.time_s for request in many.requests.api]
    assert sum(at - starts[0] < window_s for at in starts) == 40


def test_all_rows_arrive_beside_a_stranger_on_the_account(many) -> None:
    """Somebody uses up half of each window: slower, some refusals, and no row lost."""
    limits = Limits(per_minute=40, minute_s=1.0, per_hour=None, per_day=None)
    many.limiter.limits = limits
    settings = kn.Settings(api_key=many.api_key, base_url=many.base_url, limits=limits)
    done = threading.Event()

    def spend() -> None:
        while not done.wait(0.25):
            many.spend(5)

    many.spend(20)
    stranger = threading.Thread(target=spend)
    stranger.start()
    try:
        found = kn.audio(many.sessions, settings=settings, progress=False)
    finally:
        done.set()
        stranger.join()
    assert statuses(found) == {"downloaded": 100}
    assert many.requests.refused > 0


def test_a_programming_error_of_the_work_is_nobodys_row(hub) -> None:
    """What is no `Exception` of a row comes out of the call, and the threads end."""

    def work(_session_id, _recording, _stop):
        raise ZeroDivisionError("mine")

    plan = Plan(settings=hub.settings, work=work)
    with pytest.raises(ZeroDivisionError, match="mine"), Run(plan, [Task("s0")]) as run:
        list(run.outcomes())


def test_a_run_leaves_no_socket_and_no_thread(hub) -> None:
    """Nothing is left for the garbage collector to warn about."""
    before = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        kn.audio(hub.sessions, settings=hub.settings, progress=False)
        gc.collect()
    assert set(threading.enumerate()) <= before
