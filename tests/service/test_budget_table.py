"""The table of counts: no request that a limit would refuse, in any process, at any time."""

from __future__ import annotations

import heapq
import random
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from kataven_notebook import Limits
from kataven_notebook.service.budget_table import BudgetTable
from kataven_notebook.service.budget_window import Permit, Refusal, Wait

pytestmark = pytest.mark.core

T0 = 1_790_000_000.0
LATENCY_S = 0.03


@pytest.fixture
def open_table(tmp_path):
    """Open tables on one file, as several processes would; closed at the end."""
    opened = []

    def make(limits: Limits | None = None, **options) -> BudgetTable:
        options = {"lease_s": 30.0, **options}
        opened.append(BudgetTable(tmp_path, "account:acme", limits or Limits(), **options))
        return opened[-1]

    yield make
    for table in opened:
        table.close()


def spend(table: BudgetTable, count: int, at: float) -> None:
    """Send requests and have them answered in time."""
    for _ in range(count):
        permit = table.reserve(at)
        assert isinstance(permit, Permit)
        table.settle(permit, at + LATENCY_S, answered=True)


def until(table: BudgetTable, at: float) -> float:
    """Say when the next request is allowed, which it is not now."""
    wait = table.reserve(at)
    assert isinstance(wait, Wait)
    assert wait.until is not None
    return wait.until


def test_a_full_burst_goes_at_once_and_the_next_when_the_window_ends(open_table) -> None:
    """60 now, and 60 more a minute after the first answer; nothing in between."""
    table = open_table()
    spend(table, 60, T0)
    assert until(table, T0 + 1) == pytest.approx(T0 + 60 + LATENCY_S)
    assert isinstance(table.reserve(T0 + 59.9), Wait)
    spend(table, 60, T0 + 60.04)
    assert isinstance(table.reserve(T0 + 61), Wait)


def test_the_hour_is_kept_across_a_restart(open_table) -> None:
    """1,000 in an hour, also when the kernel was restarted in between."""
    table = open_table(Limits(per_minute=None))
    spend(table, 600, T0)
    table.close()
    table = open_table(Limits(per_minute=None))
    spend(table, 400, T0 + 1_800)
    assert until(table, T0 + 1_801) == pytest.approx(T0 + 3_600 + LATENCY_S)
    spend(table, 1_000, T0 + 3_601)


def test_the_day_is_kept_although_hours_turn(open_table) -> None:
    """10,000 in a day, ten hours' worth; the eleventh hour waits for the next day."""
    table = open_table(Limits(per_minute=None, per_hour=100, per_day=250))
    for hour, count in enumerate((100, 100, 50)):
        spend(table, count, T0 + hour * 3_601)
    assert until(table, T0 + 4 * 3_601) == pytest.approx(T0 + 86_400 + LATENCY_S)


def test_a_laptop_that_slept_goes_on_at_once(open_table) -> None:
    """The windows ended while it slept, and so did requests that were cut off: nothing of them is left."""
    table = open_table()
    spend(table, 40, T0)
    for _ in range(20):
        assert isinstance(table.reserve(T0), Permit)
    later = T0 + 8 * 3_600
    spend(table, 60, later)
    assert until(table, later + 1) == pytest.approx(later + 60 + LATENCY_S)


def test_a_clock_set_back_delays_by_a_window_at_most(open_table) -> None:
    """An hour back: the window ends a minute from now, not in 61; a pause lasts its length."""
    table = open_table()
    spend(table, 60, T0)
    assert until(table, T0 - 3_600) <= T0 - 3_600 + 60
    spend(table, 60, T0 - 3_600 + 60.1)
    permit = table.reserve(T0 - 3_600 + 121)
    table.settle(permit, T0 - 3_479, answered=True, refusal=Refusal(30.0))
    assert until(table, T0 - 7_200) == pytest.approx(T0 - 7_170)
    assert isinstance(table.reserve(T0 - 7_200 + 60.1), Permit)


def test_a_clock_set_back_lets_leases_end_in_due_time(open_table) -> None:
    """A request that never ended is forgotten after its time-out, also by the new clock."""
    table = open_table(Limits(None, None, None, 1))
    assert isinstance(table.reserve(T0), Permit)
    assert isinstance(table.reserve(T0 - 3_600), Wait)
    assert isinstance(table.reserve(T0 - 3_600 + 30.1), Permit)


def test_a_clock_set_forward_is_like_time_that_passed(open_table) -> None:
    """An hour forward: the next burst goes, and the windows count from there."""
    table = open_table()
    spend(table, 60, T0)
    spend(table, 60, T0 + 3_601)
    assert isinstance(table.reserve(T0 + 3_602), Wait)


def test_twenty_are_in_flight_and_no_more(open_table) -> None:
    """The 21st waits for an answer, whoever gets it."""
    table = open_table()
    permits = [table.reserve(T0) for _ in range(20)]
    assert table.reserve(T0) == Wait("20 requests are under way", None)
    table.settle(permits[0], T0 + 1, answered=True)
    assert isinstance(table.reserve(T0 + 1), Permit)


def test_a_request_that_was_not_sent_is_given_back(open_table) -> None:
    """No connection, no count."""
    table = open_table(Limits(per_minute=1))
    table.settle(table.reserve(T0), T0 + 1, answered=False, sent=False)
    assert isinstance(table.reserve(T0 + 1), Permit)


def test_a_request_without_an_answer_closes_the_window_by_its_time_out(open_table) -> None:
    """Nobody knows when the service opened the window: it is taken to be at the latest moment."""
    table = open_table(Limits(per_minute=1))
    table.settle(table.reserve(T0), T0 + 10, answered=False)
    assert until(table, T0 + 11) == pytest.approx(T0 + 70)


def test_nothing_is_sent_while_the_service_may_be_in_its_next_window(open_table) -> None:
    """Between the earliest and the latest end of a window no request would be counted for certain."""
    table = open_table(Limits(per_minute=5))
    table.settle(table.reserve(T0), T0 + 2, answered=True)
    assert isinstance(table.reserve(T0 + 59.9), Permit)
    assert until(table, T0 + 60.5) == pytest.approx(T0 + 62)


def test_a_429_pauses_everybody_and_ends_the_window_it_names(open_table) -> None:
    """`Retry-After` holds for all processes; the minute ends with it."""
    one, other = open_table(), open_table()
    one.settle(one.reserve(T0), T0 + 0.1, answered=True, refusal=Refusal(17.0, "minute", 60))
    assert until(other, T0 + 1) == pytest.approx(T0 + 17.1)
    assert isinstance(other.reserve(T0 + 17.2), Permit)


def test_a_lower_limit_that_the_service_states_is_believed_for_a_day(open_table) -> None:
    """An account may have less than the default: after one refusal its own limit is kept."""
    table = open_table()
    spend(table, 30, T0)
    table.settle(table.reserve(T0 + 1), T0 + 1.1, answered=True, refusal=Refusal(59.0, "minute", 30))
    for minute in range(1, 5):
        spend(table, 30, T0 + minute * 61)
        assert isinstance(table.reserve(T0 + minute * 61 + 1), Wait)
    spend(table, 60, T0 + 2 * 86_400)


def test_what_a_stranger_on_the_account_takes_is_left_to_him_for_a_while(open_table) -> None:
    """Refused after 30 of 60, the next window stops at 30; in the one after more is tried, with care."""
    table = open_table()
    spend(table, 30, T0)
    table.settle(table.reserve(T0 + 1), T0 + 1.1, answered=True, refusal=Refusal(59.0, "minute", 60))
    spend(table, 30, T0 + 60.2)
    assert isinstance(table.reserve(T0 + 61.2), Wait)
    spend(table, 30, T0 + 121)
    one = table.reserve(T0 + 121.2)
    assert table.reserve(T0 + 121.2) == Wait("trying more than 30 a minute", None)
    table.settle(one, T0 + 121.3, answered=True)
    assert [isinstance(table.reserve(T0 + 121.4), Permit) for _ in range(3)] == [True, True, False]


def test_a_killed_process_gives_its_places_back_within_seconds(open_table, tmp_path) -> None:
    """Its twenty requests in flight do not hold up who comes after it for a whole time-out."""
    code = (
        "import sys, os; from pathlib import Path; from kataven_notebook import Limits;"
        "from kataven_notebook.service.budget_table import BudgetTable;"
        "table = BudgetTable(Path(sys.argv[1]), 'account:acme', Limits(), lease_s=30.0);"
        f"[table.reserve({T0}) for _ in range(20)]; os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    table = open_table()
    assert isinstance(table.reserve(T0 + 0.1), Wait)
    assert isinstance(table.reserve(T0 + 1.2), Permit)


def test_a_permit_that_outlived_its_lease_ends_no_other(open_table) -> None:
    """Ids never come again: a very late answer frees nobody else's place."""
    table = open_table(Limits(None, None, None, 1))
    old = table.reserve(T0)
    new = table.reserve(T0 + 31)
    assert isinstance(new, Permit)
    table.settle(old, T0 + 32, answered=True)
    assert isinstance(table.reserve(T0 + 33), Wait)


@dataclass
class Service:
    """The service as its contract has it, in virtual time."""

    limits: Limits
    in_flight: int = 0
    most_in_flight: int = 0
    refused: int = 0
    windows: dict[str, tuple[float, int]] = field(default_factory=dict)

    def arrive(self, now: float) -> None:
        """Count a request, and whether it would be refused."""
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        for name, limit, length_s in self.limits.windows:
            opened, count = self.windows.get(name, (now, 0))
            if now >= opened + length_s:
                opened, count = now, 0
            self.windows[name] = (opened, count + 1)
            self.refused += limit is not None and count >= limit


@pytest.mark.parametrize("seed", range(12))
def test_no_timing_makes_a_request_that_would_be_refused(open_table, seed) -> None:
    """Two processes, random latencies, some answers lost: never refused, and hardly slower than possible."""
    rng = random.Random(seed)  # noqa: S311 - a test's dice
    limits = Limits(per_minute=7, per_hour=40, per_day=70, in_flight=3, minute_s=10.0, hour_s=100.0, day_s=1_000.0)
    service, tables = Service(limits), [open_table(limits, lease_s=5.0), open_table(limits, lease_s=5.0)]
    slowest_s = rng.choice((0.05, 1.0, 4.0))
    now, sent, order = T0, 0, 0
    events: list[tuple[float, int, str, BudgetTable, Permit]] = []
    while sent < 75 or events:
        table = tables[rng.randrange(2)]
        answer = table.reserve(now) if sent < 75 else None
        if isinstance(answer, Permit):
            sent += 1
            arrives = now + rng.random() * slowest_s / 2
            leaves = arrives + rng.random() * slowest_s / 2
            for at, what in ((arrives, "arrive"), (leaves, "leave"), (leaves + 0.01, "answer")):
                order += 1
                heapq.heappush(events, (at, order, what, table, answer))
            continue
        soonest = answer.until if isinstance(answer, Wait) and answer.until is not None else now + 0.5
        now = max(now, min(soonest, events[0][0]) if events else soonest) + 1e-6
        while events and events[0][0] <= now:
            at, _, what, owner, permit = heapq.heappop(events)
            if what == "arrive":
                service.arrive(at)
            elif what == "leave":
                service.in_flight -= 1
            else:
                owner.settle(permit, at, answered=rng.random() > 0.1)
    assert (service.refused, service.most_in_flight <= 3) == (0, True)
    # 70 in the first day's window, at 40 an hour; the other five a day later.
    assert now - T0 < 1_000 + 3 * slowest_s + 15
