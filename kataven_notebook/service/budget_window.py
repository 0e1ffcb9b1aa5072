"""One fixed window of the service's limits: what counts in it, and between which times it ends.

The first request opens the service's window. That time is known only between bounds: not before
the first request was sent, and not after the first answer came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

# A smaller difference between two times is no clock that was set back.
CLOCK_STEP_S = 1.0
A_WINDOW = {"minute": "a minute", "hour": "an hour", "day": "a day"}
# The name of the limit that is no window: requests under way at once.
IN_FLIGHT = "in-flight"
# The limit of a window that has none: it is counted all the same, since a refusal may show that there is one.
UNLIMITED = 1 << 40


@dataclass(frozen=True, slots=True)
class Permit:
    """Permission to send one request, the `in_flight`th at once; must be returned with `BudgetTable.settle`."""

    lease_id: int
    sent_at: float
    in_flight: int = 1


@dataclass(frozen=True, slots=True)
class Wait:
    """Why no request may be sent now, and until when.

    `until` is None where only an answer shows it. `given_up_at` is the time of the last refusal of a
    service that has refused everything for very long: who has waited since before need not go on.
    """

    reason: str
    until: float | None
    given_up_at: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a 429 says.

    Parameters
    ----------
    retry_after_s
        How many seconds it asks to wait; 0 where it does not say.
    limit
        The limit that is exceeded ("minute", "hour", "day", "in-flight"), where it names one.
    stated_limit
        The number that it names for that limit.
    """

    retry_after_s: float = 0.0
    limit: str | None = None
    stated_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The state of one window; `end` is the latest possible, in seconds since the epoch."""

    name: str
    used: int
    limit: int
    length_s: float
    end: float


@dataclass(slots=True)
class Window:
    """A window as it is stored, and the rules by which it changes."""

    name: str
    used: int
    late: int
    granted: int
    began_at: float
    opened_min: float
    opened_max: float | None
    settled_at: float | None
    limit: int = 0
    length_s: float = 0.0
    # Above this count the service has refused before: there it is asked a few at a time.
    careful_from: int | None = None

    @classmethod
    def beginning(cls, name: str, now: float, *, limit: int, length_s: float) -> Self:
        """Return a window that begins now, with nothing used."""
        return cls(
            name=name,
            used=0,
            late=0,
            granted=0,
            began_at=now,
            opened_min=now,
            opened_max=None,
            settled_at=None,
            limit=limit,
            length_s=length_s,
        )

    def ends_at(self, *, in_flight: int) -> float | None:
        """Return when the service's window has ended at the latest; None where only an answer shows it."""
        if self.opened_max is not None:
            return self.opened_max + self.length_s
        if in_flight:
            return None
        return (self.settled_at if self.settled_at is not None else self.began_at) + self.length_s

    def may_have_turned(self, now: float) -> bool:
        """Whether the service may be in its next window."""
        return now > self.opened_min + self.length_s

    def turn(self, now: float, in_flight: int) -> None:
        """Begin the next window; it counts the requests that were in flight at that time."""
        carried = self.late + in_flight
        opened_min = min(now, self.opened_min + self.length_s) if carried else now
        self.used, self.late, self.granted, self.began_at, self.opened_min = carried, 0, 0, now, opened_min
        self.opened_max, self.settled_at = None, ((now if in_flight else self.settled_at) if carried else None)

    def keep_up(self, now: float, in_flight: int) -> None:
        """Move on to the current window; the one after a window that ended may have ended too."""
        for _ in range(2):
            end = self.ends_at(in_flight=in_flight)
            if self.used and (end is None or end > now):
                return
            self.turn(now, in_flight if self.used else 0)

    def not_after(self, now: float) -> bool:
        """Return whether the clock was set back; the window then ends at most its length from now."""
        times = (self.began_at, self.opened_min, self.opened_max, self.settled_at)
        # Another process may have written while this one waited for the table: that is no clock set back.
        if not any(each is not None and each > now + CLOCK_STEP_S for each in times):
            return False
        self.began_at, self.opened_min = min(self.began_at, now), min(self.opened_min, now)
        self.opened_max = None if self.opened_max is None else min(self.opened_max, now)
        self.settled_at = None if self.settled_at is None else min(self.settled_at, now)
        return True

    def settle(self, permit: Permit, now: float, *, answered: bool, granted: bool) -> None:
        """Note how one of its requests ended."""
        # Only the answer to a request of this window bounds when the service opened it.
        shows_opening = answered and permit.sent_at >= self.began_at
        if shows_opening:
            self.opened_max = now if self.opened_max is None else min(self.opened_max, now)
            self.granted += granted
        self.end(now, shows_opening=shows_opening)

    def end(self, now: float, *, shows_opening: bool = False) -> None:
        """Note that a request ended, and whether its answer shows when the service opened the window."""
        is_late = self.may_have_turned(now)
        self.late += is_late
        if is_late or not shows_opening:
            self.settled_at = now if self.settled_at is None else max(now, self.settled_at)

    def close(self, until: float) -> None:
        """Mark the window as full until a time that the service named."""
        self.used, self.late = max(self.used, self.limit), 0
        self.opened_min = self.opened_max = until - self.length_s
        self.began_at = min(self.began_at, self.opened_min)

    def blocked(self, now: float, in_flight: int) -> Wait | None:
        """Return why this window allows no request now, or None."""
        if self.limit >= UNLIMITED and self.careful_from is None:
            return None
        # Between the earliest and the latest end of the window, a request may fall into either window.
        if self.used >= self.limit or (self.used and now >= self.opened_min + self.length_s):
            text = f"{min(self.used, self.limit)}/{self.limit} {A_WINDOW[self.name]} used"
            return Wait(text, self.ends_at(in_flight=in_flight))
        if self.careful_from is not None and self.used >= self.careful_from:
            # One at first, then as many as were answered: a limit that still holds costs one refusal.
            answered = self.used - in_flight - self.careful_from
            if in_flight > max(0, answered):
                return Wait(f"trying more than {self.careful_from} {A_WINDOW[self.name]}", None)
        return None
