"""The budget: threads in turn, no request that a limit would refuse, no permitted one left waiting."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from kataven_notebook import Limits, Settings
from kataven_notebook.clock import clock_text
from kataven_notebook.errors import WaitTooLong
from kataven_notebook.service.budget import Budget
from kataven_notebook.signals import Stopped

pytestmark = pytest.mark.core

T0 = 1_790_000_000.0


@pytest.fixture
def budget(tmp_path):
    """Make budgets of one state directory; closed at the end."""
    made = []

    def make(limits: Limits, **options) -> Budget:
        made.append(Budget(Settings(api_key="sk_live_acme_1", state_dir=tmp_path, limits=limits), **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def used(count: int) -> dict[str, int]:
    """What `Budget.used` says after so many requests."""
    return {"minute": count, "hour": count, "day": count}


def test_two_processes_together_keep_the_limits(tmp_path) -> None:
    """Real processes with real threads: as many requests as one window holds, between them."""
    code = """
import json, sys, threading
from concurrent.futures import ThreadPoolExecutor
from kataven_notebook import Limits, Settings
from kataven_notebook.service.budget import Budget
from kataven_notebook.errors import WaitTooLong
import time
limits = Limits(per_minute=60, minute_s=3600.0)
budget = Budget(Settings(api_key="sk_live_acme_1", state_dir=sys.argv[1], limits=limits))
def one(_):
    try:
        with budget.request(deadline=time.time() + 5) as request:
            request.answered()
        return True
    except WaitTooLong:
        return False
with ThreadPoolExecutor(20) as pool:
    print(json.dumps(sum(pool.map(one, range(50)))))
budget.close()
"""
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert sum(json.loads(each.communicate()[0]) for each in running) == 60


def test_who_was_refused_goes_first(budget) -> None:
    """A row that is tried again does not queue behind all others."""
    limited = budget(Limits(None, None, None, 1))
    order: list[str] = []

    def ask(name: str, *, first: bool) -> None:
        with limited.request(first=first) as request:
            order.append(name)
            request.answered()

    with limited.request() as request:
        others = [threading.Thread(target=ask, args=(f"new {each}",), kwargs={"first": False}) for each in range(3)]
        for number, thread in enumerate(others):
            thread.start()
            wait_for(lambda number=number: len(limited._queue) == number + 1)
        again = threading.Thread(target=ask, args=("again",), kwargs={"first": True})
        again.start()
        wait_for(lambda: len(limited._queue) == 4)
        request.answered()
    for thread in (*others, again):
        thread.join()
    # Who was asking at that very moment is not overtaken; all others are, and keep their order.
    assert order.index("again") <= 1
    assert [name for name in order if name != "again"] == ["new 0", "new 1", "new 2"]


def wait_for(condition) -> None:
    """Wait until something holds."""
    for _ in range(2_000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never came to hold")


def test_max_wait_says_when_to_come_back(budget) -> None:
    """The error carries the time at which the next request is allowed."""
    limited = budget(Limits(per_minute=1))
    with limited.request() as request:
        request.answered()
    with pytest.raises(WaitTooLong, match="1/1 a minute used") as caught, limited.request(deadline=time.time() + 5):
        pass
    assert 0 < caught.value.retry_at - time.time() <= 60
    assert clock_text(caught.value.retry_at) in caught.value.message


def test_max_wait_ends_the_waiting_for_others_too(budget) -> None:
    """Twenty hanging requests do not hold a row beyond its time."""
    limited = budget(Limits(None, None, None, 1))
    with (
        limited.request(),
        pytest.raises(WaitTooLong, match=r"under way.*in a few seconds"),
        limited.request(deadline=time.time() + 0.05),
    ):
        pass


def test_a_stop_ends_the_waiting_at_once(budget) -> None:
    """Whoever waits for the next hour ends when the run is stopped, and counts nothing."""
    limited = budget(Limits(per_minute=1))
    with limited.request() as request:
        request.answered()
    stop, ended = threading.Event(), threading.Event()

    def ask() -> None:
        with pytest.raises(Stopped), limited.request(stop=stop):
            pass
        ended.set()

    threading.Thread(target=ask).start()
    wait_for(lambda: limited.waiting is not None)
    stop.set()
    assert ended.wait(5)
    assert limited.used() == used(1)


def test_a_request_that_is_no_longer_wanted_ends_its_waiting(budget) -> None:
    """It is asked at once when it has to wait, and then twice a second; nothing is counted."""
    limited = budget(Limits(per_minute=1))

    class Unwanted(Exception):  # noqa: N818 - a signal
        pass

    asked: list[float] = []

    def still_wanted() -> None:
        asked.append(time.monotonic())
        if len(asked) == 3:
            raise Unwanted

    with limited.request(still_wanted=still_wanted) as request:
        request.answered()
    assert asked == []
    with pytest.raises(Unwanted), limited.request(still_wanted=still_wanted):
        pass
    assert asked[2] - asked[0] >= 1.0
    assert limited.used() == used(1)
    assert limited.waiting is None


def test_a_forecast_says_how_many_go_now_and_when_all_are_done(budget) -> None:
    """5,000 at 60 a minute, 1,000 an hour: 1,000 now, and each hour; the last hour's in 17 minutes."""
    forecast = budget(Limits(), clock=lambda: T0).forecast(5_000)
    assert (forecast.now, forecast.then_count, forecast.then_every_s) == (1_000, 1_000, 3_600.0)
    assert forecast.done_at == pytest.approx(T0 + 4 * 3_600 + 16 * 60, abs=1)


def test_a_forecast_counts_what_is_used_and_a_pause(budget) -> None:
    """Half a window is spent and the service asked for ten minutes."""
    now = T0
    limited = budget(Limits(per_hour=None, per_day=None), clock=lambda: now)
    for _ in range(30):
        with limited.request() as request:
            request.answered()
    assert limited.forecast(31).done_at == pytest.approx(T0 + 60)
    with limited.request() as request:
        request.refused(600.0)
    assert limited.forecast(1).done_at >= T0 + 600


def test_a_forecast_of_what_fits_is_now(budget) -> None:
    """Sixty fit into one burst; without limits everything does."""
    assert budget(Limits(), clock=lambda: T0).forecast(60).done_at == T0
    assert budget(Limits(None, None, None, None), clock=lambda: T0).forecast(10**6).done_at == T0


def test_a_directory_that_cannot_be_used_is_one_warning(tmp_path) -> None:
    """The process counts alone, and says so once."""
    (tmp_path / "file").write_text("")
    settings = Settings(api_key="sk_live_acme_1", state_dir=tmp_path / "file" / "state")
    with pytest.warns(RuntimeWarning, match="counts alone"):
        budget = Budget(settings)
    with budget.request() as request:
        request.answered()
    assert budget.used() == used(1)
    budget.close()


def test_a_table_that_fails_in_mid_run_is_one_warning_and_nothing_is_forgotten(budget, tmp_path) -> None:
    """The file is gone bad: what was counted so far still counts, in memory."""
    limited = budget(Limits(per_minute=2))
    with limited.request() as request:
        request.answered()
    with sqlite3.connect(tmp_path / "budget-1.sqlite3") as other:
        other.execute("DROP TABLE leases")
    other.close()
    with pytest.warns(RuntimeWarning, match="counts alone"), limited.request() as request:
        request.answered()
    assert limited.used()["minute"] == 2


def test_the_table_is_private(budget, tmp_path) -> None:
    """Nobody else reads which account asked how often."""
    limited = budget(Limits())
    with limited.request() as request:
        request.answered()
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0}
