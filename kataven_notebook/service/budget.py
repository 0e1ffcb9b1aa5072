"""The service's limits, kept and used to the full: which request may be sent next, and when.

One `Budget` serves all threads of a process; its counts are in a table that all processes of the
machine share (`budget_table`). Threads queue here, so that one thread at a time asks the table,
requests that were refused go first, and no thread polls while the time of the next request is known.
"""

from __future__ import annotations

import atexit
import heapq
import itertools
import os
import random
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from kataven_notebook.clock import clock_text
from kataven_notebook.errors import WaitTooLong
from kataven_notebook.notices import warn_caller
from kataven_notebook.service.budget_table import BudgetTable
from kataven_notebook.service.budget_window import Permit, Refusal, Wait
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kataven_notebook.service.budget_learnt import Finding
    from kataven_notebook.settings import Settings

_T = TypeVar("_T")
# A waiting thread looks at least this often where no end is known: another process's request may have ended.
_POLL_S = 0.02
# And at least this often where one is known, so that a stop is seen soon.
_STOP_POLL_S = 0.2
# How often a waiting thread asks whether its request is still wanted.
_WANTED_POLL_S = 0.5
# No request lasts this many timeouts; a lease that does belongs to a dead process.
_LEASE_TIMEOUTS = 3.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """When `requests` requests will have been sent: `now` at once, then `then_count` every `then_every_s` seconds."""

    requests: int
    now: int
    done_at: float
    then_every_s: float | None
    then_count: int | None


class Budget:
    """Grants permission to send requests, within the limits and in order.

    Parameters
    ----------
    settings
        The account, its limits, and the directory of the table.
    clock
        Returns the time in seconds since the epoch; tests pass their own.

    Examples
    --------
    >>> import tempfile
    >>> from kataven_notebook.settings import Settings
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     budget = Budget(Settings(api_key="sk_live_acme_1", state_dir=folder))
    ...     with budget.request() as request:
    ...         request.answered()
    ...     print(budget.used())
    ...     budget.close()
    {'minute': 1, 'hour': 1, 'day': 1}
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._queue: list[tuple[int, int, threading.Event]] = []
        self._waiting: Wait | None = None
        lease_s = max(30.0, settings.request_timeout_s * _LEASE_TIMEOUTS)
        self._place = settings.state_path
        self._is_closed = False
        self._table = _open_table(settings, lease_s)

    @property
    def waiting(self) -> Wait | None:
        """What the queue waits for now, or None; for progress displays."""
        return self._waiting

    @contextmanager
    def request(
        self,
        *,
        stop: threading.Event | None = None,
        deadline: float | None = None,
        first: bool = False,
        still_wanted: Callable[[], object] | None = None,
        since: float | None = None,
    ) -> Iterator[Request]:
        """Wait for permission to send one request, and return it at the end.

        Parameters
        ----------
        stop
            Ends the wait when set.
        deadline
            The latest time to wait until, in seconds since the epoch; None waits as long as it takes.
        first
            Go ahead of requests that wait already; for a session that was refused before.
        still_wanted
            Called twice a second while the request waits; what it raises ends the waiting.
        since
            When the session was first asked for, in seconds since the epoch; None for now. What waits since
            before the last refusal of a service that has refused all for very long is given up.

        Yields
        ------
        Request
            Takes how it ended: `answered`, `refused` or `not_sent`; without any of them it counts
            as sent and not answered. After a refusal its `finding` says what that shows.

        Raises
        ------
        WaitTooLong
            `deadline` comes before the next request is allowed, or the service has refused everything
            for very long.
        Stopped
            `stop` was set.
        """
        since = self._clock() if since is None else since
        permit = self._acquire(stop or threading.Event(), deadline, since, first=first, still_wanted=still_wanted)
        request = Request()
        try:
            yield request
        finally:
            request.finding = self._with_table(
                lambda table: table.settle(
                    permit,
                    self._clock(),
                    answered=request.was_answered,
                    sent=request.was_sent,
                    refusal=request.refusal,
                )
            )
            self._wake_next()

    def used(self) -> dict[str, int]:
        """Return how many requests are counted in each window."""
        _, windows = self._with_table(lambda table: table.usage(self._clock()))
        return {window.name: window.used for window in windows}

    def forecast(self, requests: int) -> Forecast:
        """Return when `requests` requests will have been sent, if no other process spends the budget."""
        now = self._clock()
        at, usage = self._with_table(lambda table: table.usage(now))
        windows = [_Meter(each.used, each.limit, each.length_s, each.end) for each in usage]
        left, at_once = requests, requests
        bottleneck: _Meter | None = None
        while left > 0 and windows:
            take = min(left, *(window.free(at) for window in windows))
            for window in windows:
                window.used += take
            left -= take
            if not left:
                break
            full = [window for window in windows if window.used >= window.limit]
            slowest = max(full, key=lambda window: window.length_s)
            if bottleneck is None or slowest.length_s > bottleneck.length_s:
                # What goes before the slowest window is full is what goes "now".
                bottleneck, at_once = slowest, requests - left
            at = max(window.end for window in full)
        if bottleneck is None:
            return Forecast(requests, at_once, at, None, None)
        return Forecast(requests, at_once, at, bottleneck.length_s, bottleneck.limit)

    def close(self) -> None:
        """Close the table; what is counted stays."""
        with self._lock:
            self._is_closed = True
            self._table.close()

    def _acquire(
        self,
        stop: threading.Event,
        deadline: float | None,
        since: float,
        *,
        first: bool,
        still_wanted: Callable[[], object] | None,
    ) -> Permit:
        turn = threading.Event()
        ask_wanted_at = 0.0
        place = (0 if first else 1, next(self._order), turn)
        with self._lock:
            heapq.heappush(self._queue, place)
            self._call_head()
        try:
            while True:
                if stop.is_set():
                    raise Stopped
                is_late = deadline is not None and self._clock() >= deadline
                if turn.wait(0.0 if is_late else _STOP_POLL_S) or is_late:
                    turn.clear()
                    answer = self._with_table(lambda table: table.reserve(self._clock()))
                    if isinstance(answer, Permit):
                        return answer
                    if answer.given_up_at is not None and answer.given_up_at >= since:
                        raise _given_up(answer)
                    if is_late or (deadline is not None and answer.until is not None and answer.until > deadline):
                        raise _too_late(answer)
                    self._hold(answer, turn, deadline)
                if still_wanted is not None and time.monotonic() >= ask_wanted_at:
                    still_wanted()
                    ask_wanted_at = time.monotonic() + _WANTED_POLL_S
        finally:
            with self._lock:
                self._queue.remove(place)
                heapq.heapify(self._queue)
                self._waiting = None
                self._call_head()

    def _hold(self, wait: Wait, turn: threading.Event, deadline: float | None) -> None:
        """Sleep at the head of the queue until it is time to ask again, or another request goes ahead."""
        self._waiting = wait
        now = self._clock()
        pause_s = _POLL_S if wait.until is None else wait.until - now
        if deadline is not None:
            pause_s = min(pause_s, deadline - now)
        # Short sleeps, so that a clock that jumps, a laptop that wakes or a stop is noticed soon. A request
        # of this process that ends wakes the head at once.
        turn.wait(min(max(pause_s, 0.0005), _STOP_POLL_S))
        self._wake_next()

    def _with_table(self, use: Callable[[BudgetTable], _T]) -> _T:
        """Use the table; where it fails during a run (locked, disk full), count in memory from its last state."""
        table = self._table
        try:
            return use(table)
        # SQLite quotes what it found in the file, and damaged text can't be decoded.
        except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
            with self._lock:
                if self._is_closed:
                    raise
                if self._table is table:
                    self._table = table.alone()
                    _warn_alone(self._place, error)
            return use(self._table)

    def _wake_next(self) -> None:
        with self._lock:
            self._call_head()

    def _call_head(self) -> None:
        if self._queue:
            self._queue[0][2].set()


@dataclass(slots=True)
class _Meter:
    """A window in a forecast."""

    used: int
    limit: int
    length_s: float
    end: float

    def free(self, at: float) -> int:
        """Begin the next window if this one has ended by `at`, and return how many requests are left."""
        if self.end <= at:
            self.used, self.end = 0, at + self.length_s
        return max(0, self.limit - self.used)


class Request:
    """One request in flight; takes how it ended."""

    __slots__ = ("finding", "refusal", "was_answered", "was_sent")

    def __init__(self) -> None:
        self.was_answered = False
        self.was_sent = True
        self.refusal: Refusal | None = None
        self.finding: Finding | None = None

    def answered(self) -> None:
        """Note that an answer came, of whatever status."""
        self.was_answered = True

    def not_sent(self) -> None:
        """Note that the request never reached the service: no connection was made."""
        self.was_sent = False

    def refused(self, retry_after_s: float, *, limit: str | None = None, stated_limit: int | None = None) -> None:
        """Note a 429: all requests of the account wait, with up to a tenth of jitter added.

        Parameters
        ----------
        retry_after_s, limit, stated_limit
            As for `Refusal`.
        """
        self.was_answered = True
        pause_s = retry_after_s * (1 + random.random() / 10)  # noqa: S311 - jitter is not cryptography
        self.refusal = Refusal(pause_s, limit, stated_limit)


def _too_late(wait: Wait) -> WaitTooLong:
    when = "in a few seconds" if wait.until is None else f"at {clock_text(wait.until)}"
    return WaitTooLong(
        f"max_wait was over before the limits allowed a request ({wait.reason}); call again {when}",
        retry_at=wait.until,
    )


def _given_up(wait: Wait) -> WaitTooLong:
    when = "later" if wait.until is None else f"at {clock_text(wait.until)}"
    return WaitTooLong(f"{wait.reason}: call again {when}", retry_at=wait.until)


def _open_table(settings: Settings, lease_s: float) -> BudgetTable:
    try:
        return BudgetTable(settings.state_path, settings.budget_scope, settings.limits, lease_s=lease_s)
    except (OSError, sqlite3.Error, UnicodeDecodeError) as error:
        _warn_alone(settings.state_path, error)
        return BudgetTable(None, settings.budget_scope, settings.limits, lease_s=lease_s)


def _warn_alone(place: Path, error: Exception) -> None:
    warn_caller(
        f"the request budget can't be kept in {place} ({error}): this process counts alone, so do not run others "
        "on the same account; pass state_dir= or set KATAVEN_STATE_DIR to a folder that can be written",
        RuntimeWarning,
    )


_budgets: dict[tuple[object, ...], Budget] = {}
_budgets_lock = threading.Lock()


def shared_budget(settings: Settings) -> Budget:
    """Return this process's one budget for the settings' account, limits and state directory."""
    key = (os.getpid(), settings.state_path, settings.budget_scope, settings.limits)
    with _budgets_lock:
        if key not in _budgets:
            _budgets[key] = Budget(settings)
        return _budgets[key]


@atexit.register
def _close_budgets() -> None:
    for (pid, *_), budget in _budgets.items():
        # A forked child must leave its parent's connections alone.
        if pid == os.getpid():
            budget.close()
