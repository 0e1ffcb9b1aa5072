"""Which run is at which session: one at a time, for as long as it lives, whatever the clocks say."""

from __future__ import annotations

import sqlite3
import time

import pytest

from kataven_notebook import Status, Store
from kataven_notebook.machine.process import owner_name
from kataven_notebook.store import ledger
from kataven_notebook.store.claims import SILENT_S, Standing

pytestmark = pytest.mark.core


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


@pytest.fixture
def store(folder):
    """A store of the test's own."""
    with Store(folder) as opened:
        yield opened


@pytest.fixture
def clock():
    """A clock of the test's own."""
    return Clock()


@pytest.fixture
def pair(store, clock):
    """Two runs of one process on one store; the second one has the test's clock."""
    first, second = store.claims(), store.claims()
    second._clock = clock
    first.begin()
    second.begin()
    return first, second


def test_two_runs_of_one_process_are_never_at_the_same_session(pair) -> None:
    """The other one learns whether the request has been sent."""
    first, second = pair
    assert first.take("s0", attempts=0) is Standing.OURS
    assert second.take("s0", attempts=0) is Standing.AWAITED
    assert first.take("s0", attempts=0, has_asked=True) is Standing.OURS
    assert second.take("s0", attempts=0) is Standing.ASKED
    assert second.others() == {"s0": Standing.ASKED}
    assert first.others() == {}
    first.release("s0")
    assert second.take("s0", attempts=0) is Standing.OURS


def test_what_one_run_settles_is_not_done_twice(pair, store) -> None:
    """By a run that looked before; one that looked afterwards, and wants it again, does it again."""
    first, second = pair
    first.take("s0", attempts=0)
    store.note("s0", Status.MISSING, "the session has no recording")
    assert second.others() == {}, "the outcome ends the claim"
    assert second.settled({"s0": 0, "s1": 0}) == {"s0"}
    assert second.take("s0", attempts=0) is Standing.SETTLED
    assert second.take("s0", attempts=store.attempts(["s0"])["s0"]) is Standing.OURS


def test_a_clock_that_is_set_back_doubles_nothing(pair, store, monkeypatch) -> None:
    """What was settled since is told by counting, whatever time is written beside it."""
    first, second = pair
    store.note("s0", Status.MISSING, "the session has no recording")
    seen = store.attempts(["s0"])["s0"]
    monkeypatch.setattr(ledger.time, "time", lambda: 1_000_000.0)
    first.take("s0", attempts=seen)
    store.note("s0", Status.MISSING, "the session has no recording")
    assert second.take("s0", attempts=seen) is Standing.SETTLED


def test_what_failed_is_free_at_once(pair, store) -> None:
    """It is not settled."""
    first, second = pair
    first.take("s0", attempts=0)
    store.note("s0", Status.FAILED, "the Hub failed")
    assert second.take("s0", attempts=0) is Standing.OURS


def test_settled_sound_that_is_gone_is_asked_for_again(pair, store, wav) -> None:
    """The ledger names a file that somebody removed."""
    _, second = pair
    with store.part() as part:
        part.write(wav)
        kept = store.keep("s0", part, "0" * 64)
    assert second.take("s0", attempts=0) is Standing.SETTLED
    kept.path.unlink()
    assert second.take("s0", attempts=0) is Standing.OURS


def test_a_killed_process_has_nothing(pair, store) -> None:
    """Its sessions are free at once, and the next run removes what it left."""
    first, second = pair
    first._owner = f"{first._owner.partition('|')[0]}|1|0.00"
    first.begin()
    first.take("s0", attempts=0, has_asked=True)
    first.take("s1", attempts=0, has_asked=True)
    assert second.others() == {}
    assert second.take("s0", attempts=0) is Standing.OURS
    store.claims().begin()
    assert store._ledger._read("SELECT session_id FROM claims", ()) == [("s0",)]


def test_a_run_that_says_nothing_loses_its_sessions(pair, clock) -> None:
    """And one that speaks keeps them, however long it works."""
    first, second = pair
    first.take("s0", attempts=0, has_asked=True)
    for _ in range(1_000):
        first.beat()
        clock.now += 1.0
        assert second.others() == {"s0": Standing.ASKED}
    silent_from = clock.now
    while second.others():
        clock.now += 1.0
        assert clock.now < silent_from + 2 * SILENT_S
    assert clock.now - silent_from >= SILENT_S
    assert second.take("s0", attempts=0) is Standing.OURS
    assert first.take("s0", attempts=0, has_asked=True) is Standing.AWAITED, "it woke, and another one has it"
    first.release("s0")
    assert first.others() == {"s0": Standing.AWAITED}, "it gives back only what it has"


def test_a_machine_that_slept_takes_nobody_for_silent(pair, clock) -> None:
    """All its runs wake together, and none of them has spoken."""
    first, second = pair
    first.take("s0", attempts=0, has_asked=True)
    second.others()
    clock.now += 8 * 3_600.0
    assert second.others() == {"s0": Standing.ASKED}
    assert second.take("s0", attempts=0) is Standing.ASKED


def test_the_end_of_a_run_gives_all_back(pair, store) -> None:
    """Nothing of it is left in the tables."""
    first, second = pair
    first.take("s0", attempts=0)
    second.take("s1", attempts=0)
    first.end()
    assert second.others() == {}
    second.end()
    assert store._ledger._read("SELECT owner FROM claims UNION SELECT owner FROM runs", ()) == []


def test_a_previous_version_on_the_same_store_is_respected(pair, store) -> None:
    """It writes the end of a claim and counts no beats; what it has it keeps until then, unless its process is gone."""
    _, second = pair
    theirs = "INSERT OR REPLACE INTO claims VALUES (?, ?, ?)"
    with store._ledger._transaction() as db:
        db.execute(theirs, ("s0", owner_name(), time.time() + 1_800.0))
        db.execute(theirs, ("s1", owner_name(), time.time() - 1.0))
        db.execute(theirs, ("s2", f"{owner_name().partition('|')[0]}|1|0.00", time.time() + 1_800.0))
        db.execute(theirs, ("s3", owner_name(), time.time() + 1e7))
    assert second.others() == {"s0": Standing.ASKED}
    assert [second.take(f"s{number}", attempts=0) for number in range(4)] == [Standing.ASKED] + 3 * [Standing.OURS]


def test_a_previous_version_opens_the_ledger(pair, folder) -> None:
    """It takes a claim of ours for one of another machine, and so goes by the time in it."""
    first, _ = pair
    first.take("waits", attempts=0)
    first.take("asked", attempts=0, has_asked=True)
    with sqlite3.connect(folder / "ledger.sqlite3") as db:
        assert db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone() == ("1",)
        claims = {name: (owner, until) for name, owner, until in db.execute("SELECT * FROM claims")}
    db.close()
    assert claims["waits"][1] == 0.0, "free for it"
    assert claims["asked"][1] > time.time() + 1_000.0
    assert claims["asked"][0].partition("|")[0] != owner_name().partition("|")[0]
