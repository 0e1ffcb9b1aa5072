"""The counts of one account's requests, in an SQLite table that all processes of a machine share.

A window (`budget_window`) is taken to last until its first answer plus its length. Nothing is sent
while the service may already be in its next window, and a request that was in flight when the
window ended counts in both.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kataven_notebook.machine.database import Database
from kataven_notebook.machine.folders import make_private
from kataven_notebook.machine.process import is_alive, owner_name
from kataven_notebook.service.budget_learnt import Finding, Learnt, Note
from kataven_notebook.service.budget_window import CLOCK_STEP_S, UNLIMITED, Permit, Refusal, Usage, Wait, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kataven_notebook.settings import Limits

_SCHEMA = """
CREATE TABLE IF NOT EXISTS windows (
    scope TEXT NOT NULL, name TEXT NOT NULL,
    used INTEGER NOT NULL,          -- requests that the service may count in this window
    late INTEGER NOT NULL,          -- of these, answered when the service may have been in the next window
    granted INTEGER NOT NULL,       -- of these, answered otherwise than with 429
    began_at REAL NOT NULL,         -- requests sent from this time on are in no earlier window
    opened_min REAL NOT NULL,       -- the service opened the window no earlier
    opened_max REAL,                -- and no later: the first answer; NULL before one came
    settled_at REAL,                -- the last request that ended and did not show when the window opened
    PRIMARY KEY (scope, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (
    id INTEGER PRIMARY KEY, scope TEXT NOT NULL, owner TEXT NOT NULL, sent_at REAL NOT NULL,
    expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
    scope TEXT NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, noted_at REAL NOT NULL,
    until REAL NOT NULL, PRIMARY KEY (scope, name)) WITHOUT ROWID;
"""
_FILE = "budget-1.sqlite3"
# How long the service may still be busy with the request of a killed process, in seconds.
_DEAD_LEASE_S = 1.0
_LOOK_FOR_DEAD_S = 0.5
# Lease ids have 62 bits, times far fewer.
_MOST_NUMBER = 1 << 62
# The columns of a window beside its scope. The limit and the length come from the settings at each opening.
_STORED = ("name", "used", "late", "granted", "began_at", "opened_min", "opened_max", "settled_at")


class BudgetTable:
    """Counts requests of one scope (an account) against its limits.

    Parameters
    ----------
    directory
        Where the table is; None counts in memory, for this process alone.
    scope
        The account, or the hash of a key.
    limits
        What the service grants.
    lease_s
        After how many seconds a request that has not ended counts as lost.

    Raises
    ------
    OSError, sqlite3.Error
        The directory or the table can't be used.
    """

    def __init__(self, directory: Path | None, scope: str, limits: Limits, *, lease_s: float) -> None:
        self._scope = scope
        self._limits = limits
        self._lease_s = lease_s
        self._looked_for_dead_at = float("-inf")
        # The last state, for a process that has to count alone.
        self._last: list[Window] = []
        if directory is not None:
            make_private(directory)
        self._database = Database(None if directory is None else directory / _FILE, _SCHEMA, timeout_s=5.0)

    def close(self) -> None:
        """Close the table; what is counted stays."""
        self._database.close()

    def alone(self) -> BudgetTable:
        """Return a table in memory that continues from the last state of this one."""
        table = BudgetTable(None, self._scope, self._limits, lease_s=self._lease_s)
        with table._database.transaction() as db:
            table._save(db, self._last)
        return table

    def reserve(self, now: float) -> Permit | Wait:
        """Count one request that is sent now, or return why it may not be sent.

        Raises
        ------
        OSError, sqlite3.Error
            The table can't be used.
        """
        with self._database.transaction() as db:
            learnt = self._learnt(db, now)
            if (pause := learnt.pause(now)) is not None:
                return pause
            in_flight = self._live_leases(db, now)
            windows = self._load(db, now, in_flight, learnt)
            blocked = [wait for window in windows if (wait := window.blocked(now, in_flight))]
            if blocked:
                return max(blocked, key=lambda wait: wait.until or now)
            if (crowded := learnt.crowded(in_flight, now)) is not None:
                return crowded
            for window in windows:
                window.used += 1
            self._save(db, windows)
            # A random id, because an id that is used again would let a late answer end another request's lease.
            permit = Permit(secrets.randbits(62), now, in_flight + 1)
            lease = (permit.lease_id, self._scope, owner_name(), now, now + self._lease_s)
            db.execute("INSERT INTO leases VALUES (?, ?, ?, ?, ?)", lease).close()
            return permit

    def settle(
        self, permit: Permit, now: float, *, answered: bool, sent: bool = True, refusal: Refusal | None = None
    ) -> Finding | None:
        """Take a permit back, note how its request ended, and return what a refusal shows.

        Parameters
        ----------
        permit, now
            What `reserve` gave, and the time in seconds since the epoch.
        answered
            Whether an answer came, of any status.
        sent
            False where the request never left, so that the service can't have counted it.
        refusal
            What the answer said, where it was a 429.

        Raises
        ------
        OSError, sqlite3.Error
            The table can't be used.
        """
        with self._database.transaction() as db:
            db.execute("DELETE FROM leases WHERE id = ?", (permit.lease_id,)).close()
            windows = self._stored(db)
            for window in windows:
                if sent:
                    window.settle(permit, now, answered=answered, granted=answered and refusal is None)
                else:
                    window.used = max(0, window.used - 1)
            finding = None if not answered else self._learn(db, permit, now, windows, refusal)
            self._save(db, windows)
            return finding

    def _learn(
        self, db: sqlite3.Connection, permit: Permit, now: float, windows: list[Window], refusal: Refusal | None
    ) -> Finding | None:
        """Note what an answer shows of the limits."""
        learnt = self._learnt(db, now)
        finding = None
        if refusal is None:
            learnt.grant(permit, now, windows)
        else:
            query = "SELECT count(*), '' FROM leases WHERE scope = ?"
            in_flight = int(_rows(db, query, self._scope)[0][0])
            finding = learnt.refuse(refusal, permit, now, in_flight=in_flight, windows=windows)
            for window in windows:
                # A window that the service names is over when it says.
                if window.name == refusal.limit and refusal.retry_after_s > 0:
                    window.close(now + refusal.retry_after_s)
        self._keep(db, learnt)
        return finding

    def usage(self, now: float) -> tuple[float, list[Usage]]:
        """Return the end of a pause (now, if there is none) and the state of each window, for forecasts.

        Raises
        ------
        OSError, sqlite3.Error
            The table can't be used.
        """
        with self._database.transaction() as db:
            learnt = self._learnt(db, now)
            in_flight = self._live_leases(db, now)
            rows = []
            for window in self._load(db, now, in_flight, learnt):
                if window.limit >= UNLIMITED:
                    continue
                end = window.ends_at(in_flight=in_flight)
                end = now + window.length_s if end is None or not window.used else end
                rows.append(Usage(window.name, window.used, window.limit, window.length_s, end))
            pause = learnt.pause(now)
            return now if pause is None or pause.until is None else pause.until, rows

    def _live_leases(self, db: sqlite3.Connection, now: float) -> int:
        # A lease from the future means that the clock was set back: it then ends its length from now.
        db.execute(
            "UPDATE leases SET sent_at = ?, expires_at = ? WHERE scope = ? AND sent_at > ?",
            (now, now + self._lease_s, self._scope, now + CLOCK_STEP_S),
        ).close()
        found = _rows(db, "SELECT id, owner, expires_at FROM leases WHERE scope = ?", self._scope)
        if abs(now - self._looked_for_dead_at) > _LOOK_FOR_DEAD_S:
            self._looked_for_dead_at = now
            self._hasten_dead(db, now, {owner for _, owner, _ in found})
        gone = [(lease, expires_at) for lease, _, expires_at in found if expires_at <= now]
        if gone:
            db.executemany("DELETE FROM leases WHERE id = ?", [(lease,) for lease, _ in gone]).close()
            windows = self._stored(db)
            for window in windows:
                for _, expires_at in gone:  # at its own time: the machine may have slept since
                    window.end(expires_at)
            self._save(db, windows)
        return len(found) - len(gone)

    def _hasten_dead(self, db: sqlite3.Connection, now: float, owners: Iterable[str]) -> None:
        """Let the leases of killed processes expire soon: no process is left to return them."""
        db.executemany(
            "UPDATE leases SET expires_at = min(expires_at, ?) WHERE scope = ? AND owner = ?",
            [
                (now + _DEAD_LEASE_S, self._scope, owner)
                for owner in owners
                if owner != owner_name() and not is_alive(owner)
            ],
        ).close()

    def _learnt(self, db: sqlite3.Connection, now: float) -> Learnt:
        """Return what refusals have taught; what was noted in the future was noted before the clock was set back."""
        rows = _rows(db, "SELECT name, value, noted_at, until FROM notices WHERE scope = ?", self._scope)
        learnt = Learnt({name: Note(*values) for name, *values in rows}, self._limits)
        learnt.set_back(now)
        self._keep(db, learnt)
        return learnt

    def _keep(self, db: sqlite3.Connection, learnt: Learnt) -> None:
        for name in learnt.changed:
            note = learnt.notes.get(name)
            if note is None:
                db.execute("DELETE FROM notices WHERE scope = ? AND name = ?", (self._scope, name)).close()
            else:
                values = (self._scope, name, note.value, note.noted_at, note.until)
                db.execute("INSERT OR REPLACE INTO notices VALUES (?, ?, ?, ?, ?)", values).close()
        learnt.changed.clear()

    def _stored(self, db: sqlite3.Connection) -> list[Window]:
        lengths = {name: (limit or UNLIMITED, length_s) for name, limit, length_s in self._limits.windows}
        query = f"SELECT {', '.join(_STORED)} FROM windows WHERE scope = ?"  # noqa: S608 - our own names
        windows = [Window(*row) for row in _rows(db, query, self._scope) if row[0] in lengths]
        for window in windows:
            window.limit, window.length_s = lengths[window.name]
        return windows

    def _load(self, db: sqlite3.Connection, now: float, in_flight: int, learnt: Learnt) -> list[Window]:
        """Return the current window of each limit: where one has ended, the next."""
        stored = {window.name: window for window in self._stored(db)}
        windows = [
            stored.get(name) or Window.beginning(name, now, limit=limit or UNLIMITED, length_s=length_s)
            for name, limit, length_s in self._limits.windows
        ]
        learnt.apply(windows, now)
        # What follows from a clock set back is stored at once, or it would begin again with each request.
        set_back = [window.not_after(now) for window in windows]
        if any(set_back):
            self._save(db, windows)
        for window in windows:
            window.keep_up(now, in_flight)
        return windows

    def _save(self, db: sqlite3.Connection, windows: list[Window]) -> None:
        self._last = windows or self._last
        db.executemany(
            "INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(self._scope, *(getattr(window, name) for name in _STORED)) for window in windows],
        ).close()


@contextmanager
def _closing(cursor: sqlite3.Cursor) -> Iterator[sqlite3.Cursor]:
    try:
        yield cursor
    finally:
        cursor.close()


def _rows(db: sqlite3.Connection, query: str, *values: str) -> list[tuple[Any, ...]]:
    with _closing(db.execute(query, values)) as cursor:
        rows = cursor.fetchall()
    if not all(map(_is_sane, rows)):
        raise sqlite3.DatabaseError("it holds what this package never writes")
    return rows


def _is_sane(row: tuple[Any, ...]) -> bool:
    """Whether this package can have written a row: SQLite keeps any type in any column, and files get damaged."""
    # Each row has one text, a name or an owner; only the last two times of a window may be NULL.
    numbers = [value for value in row if isinstance(value, int | float) and abs(value) < _MOST_NUMBER]
    unknown = row[6:].count(None)
    return len(numbers) + unknown == len(row) - 1 and sum(isinstance(value, str) for value in row) == 1
