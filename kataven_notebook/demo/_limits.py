"""The service's rate limits: fixed windows that the first request opens, and requests in flight."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class LimitNumbers(Protocol):
    """What the limiter reads: requests a window (None for no limit) and the windows' lengths in seconds."""

    @property
    def per_minute(self) -> int | None: ...
    @property
    def per_hour(self) -> int | None: ...
    @property
    def per_day(self) -> int | None: ...
    @property
    def in_flight(self) -> int | None: ...
    @property
    def minute_s(self) -> float: ...
    @property
    def hour_s(self) -> float: ...
    @property
    def day_s(self) -> float: ...


@dataclass(frozen=True)
class Excess:
    """A refused request: which limit it ran into, and when to come back."""

    limit: str
    allowed: int
    retry_after_s: int


@dataclass
class _Account:
    in_flight: int = 0
    # Per window: when it opened and how many requests came since.
    windows: dict[str, tuple[float, int]] = field(default_factory=dict)


class Limiter:
    """Counts requests per account and refuses those above the limits.

    Every request counts in every window, refused ones too. A window opens with the first request after the
    last one has ended, and ends exactly its length later, however the requests are spread within it.

    Parameters
    ----------
    limits
        The numbers; may be replaced while running, counts are kept.
    clock_s
        Monotonic seconds.
    """

    def __init__(self, limits: LimitNumbers, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock_s = clock_s
        self._accounts: dict[str, _Account] = {}
        self._lock = threading.Lock()

    def enter(self, account: str) -> Excess | None:
        """Count a request that begins; give the reason where it is refused (then do not call `leave`)."""
        with self._lock:
            state = self._accounts.setdefault(account, _Account())
            excess = self._count(state, 1)
            allowed = self.limits.in_flight
            if excess is None and allowed is not None and state.in_flight >= allowed:
                excess = Excess("in-flight", allowed, 1)
            if excess is None:
                state.in_flight += 1
            return excess

    def leave(self, account: str) -> None:
        """Note that a request which was let in has been answered, or its client has gone."""
        with self._lock:
            self._accounts[account].in_flight -= 1

    def spend(self, account: str, requests: int) -> None:
        """Count requests of somebody else on the account."""
        with self._lock:
            self._count(self._accounts.setdefault(account, _Account()), requests)

    def reset(self) -> None:
        """Close all windows; requests in flight stay counted."""
        with self._lock:
            for state in self._accounts.values():
                state.windows.clear()

    def used(self, account: str) -> dict[str, int]:
        """Give the requests counted in each window that is open now."""
        now_s = self._clock_s()
        with self._lock:
            windows = self._accounts.get(account, _Account()).windows
            return {
                name: windows[name][1] if name in windows and now_s < windows[name][0] + length_s else 0
                for name, _, length_s in self._windows()
            }

    def _windows(self) -> tuple[tuple[str, int | None, float], ...]:
        limits = self.limits
        return (
            ("per-minute", limits.per_minute, limits.minute_s),
            ("per-hour", limits.per_hour, limits.hour_s),
            ("per-day", limits.per_day, limits.day_s),
        )

    def _count(self, state: _Account, requests: int) -> Excess | None:
        now_s = self._clock_s()
        excess: Excess | None = None
        for name, allowed, length_s in self._windows():
            opened_s, count = state.windows.get(name, (now_s, 0))
            if now_s >= opened_s + length_s:
                opened_s, count = now_s, 0
            count += requests
            state.windows[name] = (opened_s, count)
            if allowed is not None and count > allowed:
                # The longest window that is full decides when a request can succeed again.
                excess = Excess(name, allowed, max(1, math.ceil(opened_s + length_s - now_s)))
        return excess
