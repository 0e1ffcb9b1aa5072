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
from kataven_notebook.service.budget_window import CLOCK_STEP_S, Permit, Refusal, Usage, Wait, Window

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
# How long a lower limit that the service stated is believed, in seconds.
_LEARNT_LIMIT_S = 86_400.0
# For how many windows the share that another user of the account takes is left to them.
_STRANGER_WINDOWS = 4
# Whatever others spend, a window is tried up to this part of its limit.
_LEAST_SHARE = 0.25
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
            notices = self._notices(db, now)
            if "pause" in notices:
                return Wait("the service asked for a pause", notices["pause"][1])
            in_flight = self._live_leases(db, now)
            windows = self._load(db, now, in_flight, notices)
            blocked = [wait for window in windows if (wait := window.blocked(now, in_flight))]
            if blocked:
                return max(blocked, key=lambda wait: wait.until or now)
            if self._limits.in_flight is not None and in_flight >= self._limits.in_flight:
                return Wait(f"{in_flight} requests are under way", None)
            for window in windows:
                window.used += 1
            self._save(db, windows)
            # A random id, because an id that is used again would let a late answer end another request's lease.
            permit = Permit(secrets.randbits(62), now)
            lease = (permit.lease_id, self._scope, owner_name(), now, now + self._lease_s)
            db.execute("INSERT INTO leases VALUES (?, ?, ?, ?, ?)", lease).close()
            return permit

    def settle(
        self, permit: Permit, now: float, *, answered: bool, sent: bool = True, refusal: Refusal | None = None
    ) -> None:
        """Take a permit back, and note how its request ended.

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
            if refusal is not None:
                self._refuse(db, windows, now, refusal)
            self._save(db, windows)

    def _refuse(self, db: sqlite3.Connection, windows: list[Window], now: float, refusal: Refusal) -> None:
        """Let the whole scope wait, and note which limit or which other user ended the window."""
        until = now + refusal.pause_s
        self._notify(db, "pause", 0, now, until)
        for window in windows:
            if window.name != refusal.window:
                continue
            if refusal.stated_limit is not None and 1 <= refusal.stated_limit < window.limit:
                self._notify(db, f"limit:{window.name}", refusal.stated_limit, now, now + _LEARNT_LIMIT_S)
            elif window.name == "minute":
                # Another user of the account spends too: the next windows end at the same count. Long windows
                # end so rarely that a few refusals at their end cost less than waiting.
                share = max(1, window.granted, int(window.limit * _LEAST_SHARE))
                self._notify(db, "share:minute", share, now, until + _STRANGER_WINDOWS * window.length_s)
            window.close(until)

    def usage(self, now: float) -> tuple[float, list[Usage]]:
        """Return the end of a pause (now, if there is none) and the state of each window, for forecasts.

        Raises
        ------
        OSError, sqlite3.Error
            The table can't be used.
        """
        with self._database.transaction() as db:
            notices = self._notices(db, now)
            in_flight = self._live_leases(db, now)
            rows = []
            for window in self._load(db, now, in_flight, notices):
                end = window.ends_at(in_flight=in_flight)
                end = now + window.length_s if end is None or not window.used else end
                rows.append(Usage(window.name, window.used, window.limit, window.length_s, end))
            return notices.get("pause", (0.0, now))[1], rows

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

    def _notices(self, db: sqlite3.Connection, now: float) -> dict[str, tuple[float, float]]:
        """Return value and end of the notices in force; a notice from the future lasts its length from now."""
        rows = _rows(db, "SELECT name, value, noted_at, until FROM notices WHERE scope = ?", self._scope)
        for name, value, noted_at, until in rows:
            if noted_at > now:
                self._notify(db, name, value, now, now + (until - noted_at), extend=False)
        ends = [(name, value, until - max(0.0, noted_at - now)) for name, value, noted_at, until in rows]
        return {name: (value, until) for name, value, until in ends if until > now}

    def _notify(
        self, db: sqlite3.Connection, name: str, value: float, now: float, until: float, *, extend: bool = True
    ) -> None:
        db.execute(
            "INSERT INTO notices VALUES (?, ?, ?, ?, ?) ON CONFLICT (scope, name) DO UPDATE SET "
            "value = excluded.value, noted_at = excluded.noted_at, "
            "until = iif(?, max(until, excluded.until), excluded.until)",
            (self._scope, name, value, now, until, extend),
        ).close()

    def _stored(self, db: sqlite3.Connection) -> list[Window]:
        lengths = {name: (limit, length_s) for name, limit, length_s in self._limits.windows if limit is not None}
        query = f"SELECT {', '.join(_STORED)} FROM windows WHERE scope = ?"  # noqa: S608 - our own names
        windows = [Window(*row) for row in _rows(db, query, self._scope) if row[0] in lengths]
        for window in windows:
            window.limit, window.length_s = lengths[window.name]
        return windows

    def _load(
        self, db: sqlite3.Connection, now: float, in_flight: int, notices: dict[str, tuple[float, float]]
    ) -> list[Window]:
        """Return the current window of each limit: where one has ended, the next."""
        stored = {window.name: window for window in self._stored(db)}
        windows = []
        for name, limit, length_s in self._limits.windows:
            if limit is None:
                continue
            window = stored.get(name) or Window.beginning(name, now, limit=limit, length_s=length_s)
            learnt = [notices[key][0] for key in (f"limit:{name}", f"share:{name}") if key in notices]
            window.limit = max(1, min(limit, *map(int, learnt))) if learnt else limit
            windows.append(window)
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
