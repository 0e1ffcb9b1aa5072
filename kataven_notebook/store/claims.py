"""Which run is at which session of a store, so that each session is asked for once, whoever shares the store."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from kataven_notebook.machine.process import is_alive, owner_name
from kataven_notebook.status import SETTLED
from kataven_notebook.store.failures import folder_errors
from kataven_notebook.store.sanity import SANE_SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from kataven_notebook.machine.database import Database
    from kataven_notebook.store.entry import Entry

# `until` is 0 while the owner waits for the budget, and afterwards the time that versions without `runs` go by.
CLAIMS_SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    session_id TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (owner TEXT PRIMARY KEY, beats INTEGER NOT NULL) WITHOUT ROWID;
"""
# How often a run says that it works, in seconds.
BEAT_S = 3.0
# For how long a run may say nothing until its sessions are free.
SILENT_S = 15.0
# Between two looks at a run no more than this counts as its silence: the machine, or who looks, may have slept.
_LOOK_S = 2.0
# How often it is looked whether the process of a silent run still exists.
_ALIVE_S = 1.0
_CLAIM_S = 1_800.0
_SANE = "typeof(session_id) = 'text' AND typeof(owner) = 'text' AND typeof(until) = 'real'"


class Standing(Enum):
    """Who is at a session."""

    OURS = "this run is"
    AWAITED = "another run is, and waits for the budget to ask for it"
    ASKED = "another run is, and has asked for it"
    SETTLED = "another run has settled it"


class Claims:
    """What one run is at, beside the others that share its store.

    A claim holds while its run lives. A run says so in a table, by counting; that it has stopped is seen by others as
    a count that stands still, so that no clock has to be right.

    Parameters
    ----------
    database, folder
        The store's ledger, and the place that errors name.
    load
        What the store knows of some sessions, without those whose sound is gone.
    clock
        Returns seconds that only ever grow.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        load: Callable[[Sequence[str]], dict[str, Entry]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._database = database
        self._folder = folder
        self._load = load
        machine, _, process = owner_name().partition("|")
        # Versions without `runs` take the machine of such a name for another one, and go by `until` alone.
        self._owner = f"{machine}#{secrets.token_hex(8)}|{process}"
        self._watched: dict[str, _Watched] = {}

    def begin(self) -> None:
        """Say that the run works, and remove what killed processes have left.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        with self._transaction() as db:
            owners = [row[0] for row in db.execute("SELECT owner FROM runs WHERE typeof(owner) = 'text'")]
            dead = [(each,) for each in owners if not is_alive(_process_of(each))]
            db.executemany("DELETE FROM claims WHERE owner = ?", dead)
            db.executemany("DELETE FROM runs WHERE owner = ?", dead)
        self.beat()

    def beat(self) -> None:
        """Say that the run still works; to be called each `BEAT_S` seconds.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        with self._transaction() as db:
            query = "INSERT INTO runs VALUES (?, 0) ON CONFLICT (owner) DO UPDATE SET beats = beats + 1"
            db.execute(query, (self._owner,))

    def end(self) -> None:
        """Give all back.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        with self._transaction() as db:
            db.execute("DELETE FROM claims WHERE owner = ?", (self._owner,))
            db.execute("DELETE FROM runs WHERE owner = ?", (self._owner,))

    def others(self) -> dict[str, Standing]:
        """Return what other runs are at, by session id.

        Raises
        ------
        StoreError
            The store can't be read.
        """
        with folder_errors(self._folder), self._database.connection() as db:
            query = f"SELECT session_id, owner, until FROM claims WHERE owner != ? AND {_SANE}"  # noqa: S608 - our own
            rows = db.execute(query, (self._owner,)).fetchall()
            beats = dict(db.execute("SELECT owner, beats FROM runs").fetchall())
        owners = {owner for _, owner, _ in rows}
        self._watch(owners, beats)
        now = time.time()
        working = {owner: self._watched[owner].works() for owner in owners}
        return {
            session_id: Standing.ASKED if until else Standing.AWAITED
            for session_id, owner, until in rows
            if working[owner] and not _is_over(owner, until, now)
        }

    def take(self, session_id: str, *, attempts: int, has_asked: bool = False) -> Standing:
        """Take a session for this run, unless another one is at it, or has settled it meanwhile.

        Parameters
        ----------
        session_id
            The session.
        attempts
            How many attempts the store had counted when this run looked at what it knows. What was settled by then is
            to be done again; a count, because clocks are set back.
        has_asked
            The request is sent now. Until then a version without `runs` may take the session.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        while True:
            # A look first: of many runs that want the same session, most need not wait for each other to write.
            with folder_errors(self._folder), self._database.connection() as db:
                outcome, holder = _outcome(db, session_id), self._holder(db, session_id)
            if self._is_news(session_id, outcome, attempts):
                return Standing.SETTLED
            if holder is not None:
                return holder
            with self._transaction() as db:
                if _outcome(db, session_id) != outcome:
                    continue  # just now: look again
                holder = self._holder(db, session_id)
                if holder is not None:
                    return holder
                until = time.time() + _CLAIM_S if has_asked else 0.0
                db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (session_id, self._owner, until))
                return Standing.OURS

    def settled(self, attempts: Mapping[str, int]) -> set[str]:
        """Return which sessions other runs have settled meanwhile, of those that are given with their attempts.

        Parameters
        ----------
        attempts
            By session id, as for `take`.

        Raises
        ------
        StoreError
            The store can't be read.
        """
        with folder_errors(self._folder), self._database.connection() as db:
            found = {each: _outcome(db, each) for each in attempts}
        return {each for each, outcome in found.items() if self._is_news(each, outcome, attempts[each])}

    def release(self, session_id: str) -> None:
        """Give a session back that came to nothing.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        mine = (session_id, self._owner)
        with folder_errors(self._folder), self._database.connection() as db:
            # Nearly always the outcome that was written has ended it.
            is_there = db.execute("SELECT 1 FROM claims WHERE session_id = ? AND owner = ?", mine).fetchone()
        if is_there:
            with self._transaction() as db:
                db.execute("DELETE FROM claims WHERE session_id = ? AND owner = ?", mine)

    def _is_news(self, session_id: str, outcome: tuple[int, bool] | None, attempts: int) -> bool:
        """Whether a session was settled after `attempts` were counted, and its sound, if it has any, is there."""
        if outcome is None:
            return False
        counted, is_settled = outcome
        return is_settled and counted != attempts and bool(self._load([session_id]))

    def _holder(self, db: sqlite3.Connection, session_id: str) -> Standing | None:
        query = f"SELECT owner, until FROM claims WHERE session_id = ? AND owner != ? AND {_SANE}"  # noqa: S608 - our own
        row = db.execute(query, (session_id, self._owner)).fetchone()
        if row is None:
            return None
        owner, until = row
        watched = self._watched.get(owner)
        is_silent = watched is not None and not watched.works()
        if is_silent or _is_over(owner, until, time.time()) or not is_alive(_process_of(owner)):
            return None
        return Standing.ASKED if until else Standing.AWAITED

    def _watch(self, owners: Collection[str], beats: dict[str, int]) -> None:
        now = self._clock()
        for each in owners:
            watched = self._watched.get(each) or _Watched(each, beats.get(each), now)
            watched.look(beats.get(each), now)
            self._watched[each] = watched

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with folder_errors(self._folder), self._database.transaction() as db:
            yield db


@dataclass(slots=True)
class _Watched:
    """What this run has seen of another one."""

    owner: str
    beats: int | None
    looked_at: float
    silent_s: float = 0.0
    asked_system_at: float = float("-inf")
    is_gone: bool = False

    def look(self, beats: int | None, now: float) -> None:
        if beats != self.beats:
            self.beats, self.silent_s = beats, 0.0
        else:
            self.silent_s += min(now - self.looked_at, _LOOK_S)
        self.looked_at = now
        if now - self.asked_system_at >= _ALIVE_S:
            self.asked_system_at = now
            self.is_gone = not is_alive(_process_of(self.owner))

    def works(self) -> bool:
        # A version without `runs` says nothing.
        return not self.is_gone and (self.silent_s < SILENT_S or not _has_run(self.owner))


def drop_own_claim(db: sqlite3.Connection, session_id: str) -> None:
    """Within the transaction that writes a session's outcome, end the claim of the process that writes it."""
    row = db.execute("SELECT owner FROM claims WHERE session_id = ?", (session_id,)).fetchone()
    if row is not None and isinstance(row[0], str) and _process_of(row[0]) == owner_name():
        db.execute("DELETE FROM claims WHERE session_id = ?", (session_id,))


def _outcome(db: sqlite3.Connection, session_id: str) -> tuple[int, bool] | None:
    """Return how many attempts at a session are counted, and whether it is settled."""
    query = f"SELECT attempts, status, file FROM outcomes WHERE session_id = ? AND {SANE_SQL}"  # noqa: S608 - our own
    row = db.execute(query, (session_id,)).fetchone()
    return None if row is None else (row[0], row[2] is not None or row[1] in SETTLED)


def _has_run(owner: str) -> bool:
    return "#" in owner.partition("|")[0]


def _process_of(owner: str) -> str:
    machine, separator, process = owner.partition("|")
    return machine.partition("#")[0] + separator + process


def _is_over(owner: str, until: float, now: float) -> bool:
    """Whether a claim of a version without `runs` has come to its end."""
    return not _has_run(owner) and not now < until < now + 2 * _CLAIM_S
