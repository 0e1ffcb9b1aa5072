"""What refusals teach: few of them for each wrong belief, whatever the service says and whatever it leaves out."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field

import pytest

from kataven_notebook import Limits
from kataven_notebook.service.budget_learnt import Learnt, Note
from kataven_notebook.service.budget_table import BudgetTable
from kataven_notebook.service.budget_window import Permit, Refusal, Wait, Window

pytestmark = pytest.mark.core

T0 = 1_790_000_000.0
FREE = Limits(None, None, None, 20)


@dataclass
class Service:
    """A service in virtual time, whose limits are its own."""

    limits: Limits
    names_it: bool = True
    retry_after: bool = True
    in_flight: int = 0
    refused: int = 0
    windows: dict[str, tuple[float, int]] = field(default_factory=dict)

    def arrive(self, now: float) -> Refusal | None:
        """Count a request in every window, refused ones too, and take it in where the limits allow."""
        full: tuple[str, int, float] | None = None
        for name, limit, length_s in self.limits.windows:
            opened, count = self.windows.get(name, (now, 0))
            if now >= opened + length_s:
                opened, count = now, 0
            self.windows[name] = (opened, count + 1)
            if limit is not None and count >= limit:
                full = (name, limit, opened + length_s - now)
        if full is None and self.in_flight >= (self.limits.in_flight or 99):
            full = ("in-flight", self.limits.in_flight or 0, 1.0)
        if full is None:
            self.in_flight += 1
            return None
        self.refused += 1
        wait_s = float(-(-full[2] // 1)) if self.retry_after else 0.0
        return Refusal(wait_s, full[0], full[1]) if self.names_it else Refusal(wait_s)


def run(service: Service, tables: list[BudgetTable], rows: int, *, seed: int = 1, until: float = T0 + 1e6) -> float:
    """Send requests until so many are granted, and return when that was."""
    rng = random.Random(seed)  # noqa: S311 - a test's dice
    now, granted, under_way, order = T0, 0, 0, itertools.count()
    events: list[tuple[float, int, str, BudgetTable, Permit, Refusal | None]] = []
    while granted < rows:
        assert now < until, "the rows never came"
        table = tables[rng.randrange(len(tables))]
        answer = table.reserve(now) if granted + under_way < rows else None
        if isinstance(answer, Permit):
            under_way += 1
            heapq.heappush(events, (now + rng.random() * 0.02, next(order), "arrive", table, answer, None))
            continue
        soonest = answer.until if isinstance(answer, Wait) and answer.until is not None else now + 0.5
        now = max(now, min(soonest, events[0][0]) if events else soonest) + 1e-6
        while events and events[0][0] <= now:
            at, _, what, owner, permit, refusal = heapq.heappop(events)
            if what == "arrive":
                refusal = service.arrive(at)
                answered_at = at + 0.02 if refusal else at + 0.1 + rng.random() * 0.1
                heapq.heappush(events, (answered_at, next(order), "answer", owner, permit, refusal))
                continue
            owner.settle(permit, at, answered=True, refusal=refusal)
            under_way -= 1
            service.in_flight -= refusal is None
            granted += refusal is None
    return now - T0


@pytest.fixture
def tables(tmp_path):
    """Two processes' tables on one file."""
    opened = [BudgetTable(tmp_path, "account:acme", Limits(), lease_s=30.0) for _ in range(2)]
    yield opened
    for table in opened:
        table.close()


WORDS = [(True, True), (True, False), (False, True), (False, False)]


@pytest.mark.parametrize(("names_it", "retry_after"), WORDS)
@pytest.mark.parametrize("granted", [10, 3, 1])
def test_fewer_at_once_than_believed_cost_few_refusals(tables, granted, names_it, retry_after) -> None:
    """Also where the 429 names nothing and says nothing of when: all rows come, hardly later than they could."""
    service = Service(Limits(None, None, None, granted), names_it, retry_after)
    took_s = run(service, tables, 270)
    assert service.refused <= 30
    # Refusals count too: at 60 a minute no more than 300 requests are sent, 20 or fewer a second.
    assert took_s < 4 * 60 + 60 / granted * 0.2 + 5


@pytest.mark.parametrize(("names_it", "retry_after"), WORDS)
@pytest.mark.parametrize("granted", [59, 30, 12])
def test_fewer_a_minute_than_believed_cost_few_refusals(tables, granted, names_it, retry_after) -> None:
    """Twenty are under way when the first is refused; then one now and then, to see whether it still is so."""
    service = Service(Limits(granted, None, None, 20), names_it, retry_after)
    took_s = run(service, tables, 8 * granted)
    assert service.refused <= 40
    assert took_s < 7 * 60 + 60


@pytest.mark.parametrize(("names_it", "retry_after"), WORDS)
def test_fewer_an_hour_than_believed_cost_few_refusals(tables, names_it, retry_after) -> None:
    """The hour is found out although minutes turn in it."""
    service = Service(Limits(60, 300, None, 20), names_it, retry_after)
    took_s = run(service, tables, 700)
    assert service.refused <= 50
    assert took_s < 2 * 3_600 + 2 * 400


@pytest.mark.parametrize(("names_it", "retry_after"), WORDS)
def test_two_wrong_beliefs_at_once_cost_two_times_as_many(tables, names_it, retry_after) -> None:
    """Three at once and thirty a minute."""
    service = Service(Limits(30, None, None, 3), names_it, retry_after)
    assert run(service, tables, 240) < 7 * 60 + 120
    assert service.refused <= 60


@pytest.mark.long
@pytest.mark.parametrize("names_it", [True, False])
def test_a_raised_number_at_once_is_found_within_minutes(tmp_path, names_it) -> None:
    """A passing disturbance does not leave the account slow for hours."""
    table = BudgetTable(tmp_path, "account:acme", FREE, lease_s=30.0)
    service = Service(Limits(None, None, None, 1), names_it)
    run(service, [table], 100)
    service.limits, service.refused = FREE, 0
    # A hundred seconds, at ten a second and twenty times as many.
    assert run(service, [table], 20_000) < 20_000 / 20 * 0.25
    assert service.refused == 0
    table.close()


def test_a_raised_limit_a_minute_is_found_and_costs_nothing(tables) -> None:
    """Stated as 30 and raised to 60: tried with care after four windows, and then used whole."""
    service = Service(Limits(30, None, None, 20))
    run(service, tables, 60)
    refused = service.refused
    service.limits = Limits(60, None, None, 20)
    service.windows.clear()
    assert run(service, tables, 900, seed=2) < 20 * 60
    assert service.refused == refused


@pytest.fixture
def table(tables):
    """One of them."""
    return tables[0]


def refuse(table: BudgetTable, at: float, **refusal) -> None:
    """Send one request that is refused at once."""
    permit = table.reserve(at)
    assert isinstance(permit, Permit)
    table.settle(permit, at + 0.01, answered=True, refusal=Refusal(**refusal))


def pause_s(table: BudgetTable, at: float) -> float:
    """Return how long the pause is that holds now."""
    wait = table.reserve(at)
    assert isinstance(wait, Wait)
    assert wait.until is not None
    return wait.until - at


def test_after_a_refusal_requests_go_one_at_a_time_until_one_is_granted(table) -> None:
    """Whatever the pause was for, no burst follows it."""
    refuse(table, T0, retry_after_s=1.0)
    permit = table.reserve(T0 + 1.1)
    assert table.reserve(T0 + 1.1) == Wait("after a refusal, requests go one at a time", None)
    table.settle(permit, T0 + 1.2, answered=True)
    assert all(isinstance(table.reserve(T0 + 1.2), Permit) for _ in range(15))


def test_pauses_double_while_refusals_go_on(table) -> None:
    """`Retry-After` of nothing is no reason to ask a hundred times; a longer one than ours is kept."""
    now, pauses = T0, []
    for retry_after_s in (0.0, 0.0, 0.0, 0.0, 60.0):
        refuse(table, now, retry_after_s=retry_after_s)
        pauses.append(pause_s(table, now + 0.01))
        now += 0.02 + pauses[-1]
    assert pauses == pytest.approx([0.5, 1.0, 2.0, 4.0, 60.0])


def test_a_service_that_refuses_everything_is_given_up_after_ten_minutes(table) -> None:
    """Not before, since an outage passes; and not with one refusal, since an hour's pause is an hour's pause."""
    now, waits = T0, []
    while not waits or waits[-1].given_up_at is None:
        refuse(table, now, retry_after_s=0.0)
        waits.append(table.reserve(now + 0.02))
        now = waits[-1].until + 0.01
    assert 600 < now - T0 < 1_300
    assert "the service has refused every request since" in waits[-1].reason
    # A later run may ask once more, and is well where the service is.
    permit = table.reserve(now)
    table.settle(permit, now + 1, answered=True)
    assert isinstance(table.reserve(now + 1), Permit)


def test_what_a_refusal_shows_says_who_is_to_blame() -> None:
    """Other programs only where a limit was reached before our own count did."""

    def reason(seen: int, refusal: Refusal) -> str:
        learnt = Learnt({}, Limits())
        permit = Permit(1, T0, seen + 1)
        return learnt.refuse(refusal, permit, T0 + 1, in_flight=seen, windows=windows_after(seen)).reason

    assert reason(10, Refusal(1, "in-flight", 10)) == "it grants 10 requests at once"
    assert "another program uses the account" in reason(5, Refusal(1, "in-flight", 20))
    assert reason(31, Refusal(1, "minute", 30)) == "it grants 30 requests a minute"
    assert "another program uses the account" in reason(12, Refusal(1, "minute", 60))
    assert reason(60, Refusal(1, "minute", 60)) == "its limit per minute is used up"
    assert reason(5, Refusal(1)) == "it does not say which limit is used up"


def windows_after(seen: int) -> list[Window]:
    """Return windows that have counted so many requests, and one more."""
    windows = [Window.beginning(name, T0, limit=limit or 0, length_s=s) for name, limit, s in Limits().windows]
    for window in windows:
        window.used = seen + 1
    return windows


def test_more_is_tried_at_growing_intervals() -> None:
    """A limit that holds costs a refusal after 1, 2, 4, 8, then each 16 minutes."""
    learnt = Learnt({}, Limits())
    gaps, now = [], T0
    for _ in range(7):
        learnt._learn("minute", 30, None, now)
        note = learnt.notes["limit:minute"]
        gaps.append((note.until - note.noted_at) / 60)
        now = note.until
    assert gaps == [1, 2, 4, 8, 16, 16, 16]
    learnt._learn("minute", 40, None, now)
    assert learnt.notes["limit:minute"] == Note(40, now, now + 60)
