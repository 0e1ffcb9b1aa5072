"""The counts of one account's requests, in an SQLite table that all processes of a machine share.

The service counts in fixed windows that their first request opens. When that was is known only
between bounds: not before the first request was sent, and not after the first answer came. So a
window is taken to last until the earliest answer plus its length, nothing is sent while the
service might already be in its next window, and a request that was under way at the turn is
counted in both.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kataven_notebook.settings import Limits

_SCHEMA = """
CREATE TABLE IF NOT EXISTS windows (
    scope TEXT NOT NULL, name TEXT NOT NULL,
    used INTEGER NOT NULL,          -- requests that may stand in the service's window
    late INTEGER NOT NULL,          -- of these, answered when the service might have turned the window
    began_at REAL NOT NULL,         -- requests sent from here on stand in no earlier window
    opened_min REAL NOT NULL,       -- the service opened the window no earlier
    opened_max REAL,                -- and no later: the first answer; NULL before one came
    settled_at REAL,                -- the last request that ended without telling
    PRIMARY KEY (scope, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (
    id INTEGER PRIMARY KEY, scope TEXT NOT NULL, sent_at REAL NOT NULL, expires_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
    scope TEXT NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, until REAL NOT NULL,
    PRIMARY KEY (scope, name)) WITHOUT ROWID;
"""
_FILE = "budget-1.sqlite3"
# How long a lower limit that the service stated is believed, in seconds.
_LEARNT_LIMIT_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one request; must be given back with `BudgetTable.settle`."""

    lease_id: int
    sent_at: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Why no request may be sent now, and until when; `until` is None where only an answer tells."""

    reason: str
    until: float | None


@dataclass(slots=True)
class _Window:
    name: str
    limit: int
    length_s: float
    used: int
    late: int
    began_at: float
    opened_min: float
    opened_max: float | None
    settled_at: float | None

    def ends_at(self, *, in_flight: int) -> float | None:
        if self.opened_max is not None:
            return self.opened_max + self.length_s
        if in_flight:
            return None
        return (self.settled_at if self.settled_at is not None else self.began_at) + self.length_s

    def turn(self, now: float, in_flight: int) -> None:
        """Begin the next window; what was under way at the turn may stand in it."""
        carried = self.late + in_flight
        opened_min = min(now, self.opened_min + self.length_s) if carried else now
        self.used, self.late, self.began_at, self.opened_min = carried, 0, now, opened_min
        self.opened_max, self.settled_at = None, (now if carried else None)


class BudgetTable:
    """Counts requests of one scope (an account) against its limits.

    Parameters
    ----------
    directory
        Where the table is; None counts in memory, for this process alone.
    scope
        Whose budget.
    limits
        What the service grants.
    lease_s
        After how many seconds a request that never ended is taken for dead.

    Raises
    ------
    OSError, sqlite3.Error
        The directory or the table can't be used.
    """

    def __init__(self, directory: Path | None, scope: str, limits: Limits, *, lease_s: float) -> None:
        self._scope = scope
        self._limits = limits
        self._lease_s = lease_s
        self._lock = threading.Lock()
        if directory is None:
            target = ":memory:"
        else:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            target = str(directory / _FILE)
            os.close(os.open(target, os.O_CREAT | os.O_RDWR, 0o600))
        self._connection = sqlite3.connect(target, timeout=5.0, isolation_level=None, check_same_thread=False)
        try:
            # WAL with NORMAL: survives a killed process without waiting for the disk at each request.
            self._connection.execute("PRAGMA journal_mode=WAL").close()
            self._connection.execute("PRAGMA synchronous=NORMAL").close()
            self._connection.executescript(_SCHEMA)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the table; what is counted stays."""
        with self._lock:
            self._connection.close()

    def reserve(self, now: float) -> Permit | Wait:
        """Count one request that is sent now, or say why it may not be sent."""
        with self._transaction() as db:
            in_flight = self._live_leases(db, now)
            until = self._notice(db, "pause", now)
            if until is not None:
                return Wait("the service asked for a pause", until)
            windows = self._load(db, now, in_flight)
            blocked = [wait for window in windows if (wait := self._blocked(window, now, in_flight))]
            if blocked:
                return max(blocked, key=lambda wait: wait.until or now)
            if self._limits.in_flight is not None and in_flight >= self._limits.in_flight:
                return Wait(f"{in_flight} requests are under way", None)
            for window in windows:
                window.used += 1
            self._save(db, windows)
            cursor = db.execute(
                "INSERT INTO leases (scope, sent_at, expires_at) VALUES (?, ?, ?)",
                (self._scope, now, now + self._lease_s),
            )
            return Permit(cursor.lastrowid or 0, now)

    def settle(self, permit: Permit, now: float, *, answered: bool, sent: bool = True) -> None:
        """Take a permit back.

        Parameters
        ----------
        permit, now
            What `reserve` gave, and the time in seconds since the epoch.
        answered
            An answer came, of whatever status.
        sent
            False where the request surely never left, so that the service can't have counted it.
        """
        with self._transaction() as db:
            db.execute("DELETE FROM leases WHERE id = ?", (permit.lease_id,))
            windows = self._stored(db)
            for window in windows:
                if not sent:
                    window.used = max(0, window.used - 1)
                    continue
                if now > window.opened_min + window.length_s:
                    window.late += 1
                if answered and permit.sent_at >= window.began_at:
                    window.opened_max = now if window.opened_max is None else min(window.opened_max, now)
                else:
                    window.settled_at = max(now, window.settled_at or now)
            self._save(db, windows)

    def pause(self, now: float, pause_s: float, *, window: str | None = None, stated_limit: int | None = None) -> None:
        """Hold everybody of the scope back after a 429.

        Parameters
        ----------
        now, pause_s
            The time, and for how many seconds.
        window
            Which window is full ("minute", "hour", "day"), where the service named it: it then
            ends with the pause.
        stated_limit
            The limit that the service named; a lower one than ours is believed for a day.
        """
        until = now + pause_s
        with self._transaction() as db:
            self._notify(db, "pause", 0, until)
            for each in self._stored(db):
                if each.name != window:
                    continue
                each.used = max(each.used, each.limit)
                each.late = 0
                each.opened_min = each.opened_max = until - each.length_s
                each.began_at = min(each.began_at, each.opened_min)
                self._save(db, [each])
                if stated_limit is not None and 1 <= stated_limit < each.limit:
                    self._notify(db, f"limit:{window}", stated_limit, now + _LEARNT_LIMIT_S)

    def usage(self, now: float) -> list[tuple[str, int, int, float, float]]:
        """Return name, used, limit, length and end (at the latest) of each window, for forecasts."""
        with self._transaction() as db:
            in_flight = self._live_leases(db, now)
            until = self._notice(db, "pause", now) or now
            rows = []
            for window in self._load(db, now, in_flight):
                end = window.ends_at(in_flight=in_flight)
                end = now + window.length_s if end is None or not window.used else end
                rows.append((window.name, window.used, window.limit, window.length_s, max(end, until)))
            return rows

    def _blocked(self, window: _Window, now: float, in_flight: int) -> Wait | None:
        end = window.ends_at(in_flight=in_flight)
        text = f"{min(window.used, window.limit)}/{window.limit} a {window.name} used"
        if window.used >= window.limit:
            return Wait(text, end)
        # Between these bounds nobody can know which window a request would fall in.
        if window.used and now >= window.opened_min + window.length_s:
            return Wait(text, end)
        return None

    def _live_leases(self, db: sqlite3.Connection, now: float) -> int:
        # A lease from the future means that the clock was set back: let it end in due time.
        db.execute(
            "UPDATE leases SET sent_at = ?1, expires_at = ?2 WHERE scope = ?3 AND sent_at > ?1",
            (now, now + self._lease_s, self._scope),
        )
        gone = db.execute(
            "DELETE FROM leases WHERE scope = ? AND expires_at <= ? RETURNING id", (self._scope, now)
        ).fetchall()
        if gone:
            db.execute(
                "UPDATE windows SET settled_at = ?1, late = late + ?2 WHERE scope = ?3",
                (now, len(gone), self._scope),
            )
        return int(db.execute("SELECT count(*) FROM leases WHERE scope = ?", (self._scope,)).fetchone()[0])

    def _notice(self, db: sqlite3.Connection, name: str, now: float) -> float | None:
        row = db.execute(
            "SELECT value, until FROM notices WHERE scope = ? AND name = ?", (self._scope, name)
        ).fetchone()
        if row is None or row[1] <= now:
            return None
        return float(row[1]) if name == "pause" else float(row[0])

    def _notify(self, db: sqlite3.Connection, name: str, value: float, until: float) -> None:
        db.execute(
            "INSERT INTO notices VALUES (?, ?, ?, ?) ON CONFLICT (scope, name) DO UPDATE "
            "SET value = excluded.value, until = max(until, excluded.until)",
            (self._scope, name, value, until),
        )

    def _stored(self, db: sqlite3.Connection) -> list[_Window]:
        lengths = {name: (limit, length_s) for name, limit, length_s in self._limits.windows if limit is not None}
        rows = db.execute(
            "SELECT name, used, late, began_at, opened_min, opened_max, settled_at FROM windows WHERE scope = ?",
            (self._scope,),
        ).fetchall()
        return [_Window(row[0], *lengths[row[0]], *row[1:]) for row in rows if row[0] in lengths]

    def _load(self, db: sqlite3.Connection, now: float, in_flight: int) -> list[_Window]:
        """Return all limited windows as they are now, those that ended turned to the next."""
        stored = {window.name: window for window in self._stored(db)}
        windows = []
        for name, limit, length_s in self._limits.windows:
            if limit is None:
                continue
            learnt = self._notice(db, f"limit:{name}", now)
            window = stored.get(name) or _Window(name, limit, length_s, 0, 0, now, now, None, None)
            window.limit = limit if learnt is None else min(limit, int(learnt))
            # After a clock was set back, a window still ends no later than its length from now.
            window.began_at, window.opened_min = min(window.began_at, now), min(window.opened_min, now)
            window.opened_max = None if window.opened_max is None else min(window.opened_max, now)
            window.settled_at = None if window.settled_at is None else min(window.settled_at, now)
            end = window.ends_at(in_flight=in_flight)
            if not window.used or (end is not None and end <= now):
                window.turn(now, in_flight if window.used else 0)
            windows.append(window)
        return windows

    def _save(self, db: sqlite3.Connection, windows: list[_Window]) -> None:
        db.executemany(
            "INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (self._scope, w.name, w.used, w.late, w.began_at, w.opened_min, w.opened_max, w.settled_at)
                for w in windows
            ],
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            with closing(self._connection.execute("BEGIN IMMEDIATE")):
                pass
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
