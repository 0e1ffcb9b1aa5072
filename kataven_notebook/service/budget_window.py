"""One fixed window of the service's limits: what is counted in it, and between which bounds it ends.

The service's window is opened by its first request. When that was is known only between bounds:
not before the first request was sent, and not after the first answer came.
"""

from __future__ import annotations

from dataclasses import dataclass

# Clocks of one machine that differ by less were not set.
CLOCK_STEP_S = 1.0
_A_WINDOW = {"minute": "a minute", "hour": "an hour", "day": "a day"}


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


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a 429 says.

    Parameters
    ----------
    pause_s
        For how many seconds everybody on the account is to wait.
    window
        Which window is full ("minute", "hour", "day"), where the service named it: it then ends
        with the pause.
    stated_limit
        The limit that the service named; a lower one than ours is believed for a day.
    """

    pause_s: float
    window: str | None = None
    stated_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """One window as it stands: its end is the latest it can be, in seconds since the epoch."""

    name: str
    used: int
    limit: int
    length_s: float
    end: float


@dataclass(slots=True)
class Window:
    """A window as it is stored, and what follows from it."""

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

    def ends_at(self, *, in_flight: int) -> float | None:
        """Say when the service's window has surely ended; None where only an answer tells."""
        if self.opened_max is not None:
            return self.opened_max + self.length_s
        if in_flight:
            return None
        return (self.settled_at if self.settled_at is not None else self.began_at) + self.length_s

    def may_have_turned(self, now: float) -> bool:
        """Whether the service may be in its next window already."""
        return now > self.opened_min + self.length_s

    def turn(self, now: float, in_flight: int) -> None:
        """Begin the next window; what was under way at the turn may stand in it."""
        carried = self.late + in_flight
        opened_min = min(now, self.opened_min + self.length_s) if carried else now
        self.used, self.late, self.granted, self.began_at, self.opened_min = carried, 0, 0, now, opened_min
        self.opened_max, self.settled_at = None, ((now if in_flight else self.settled_at) if carried else None)

    def keep_up(self, now: float, in_flight: int) -> None:
        """Turn to the window that holds now; what stands in the next one at most may be over, too."""
        for _ in range(2):
            end = self.ends_at(in_flight=in_flight)
            if self.used and (end is None or end > now):
                return
            self.turn(now, in_flight if self.used else 0)

    def not_after(self, now: float) -> bool:
        """After a clock was set back, let it end no later than its length from now; say whether that was so."""
        moments = (self.began_at, self.opened_min, self.opened_max, self.settled_at)
        # Another process may have written while we waited for our turn: that is no clock set back.
        if not any(moment is not None and moment > now + CLOCK_STEP_S for moment in moments):
            return False
        self.began_at, self.opened_min = min(self.began_at, now), min(self.opened_min, now)
        self.opened_max = None if self.opened_max is None else min(self.opened_max, now)
        self.settled_at = None if self.settled_at is None else min(self.settled_at, now)
        return True

    def settle(self, permit: Permit, now: float, *, answered: bool, granted: bool) -> None:
        """Note how one of its requests ended."""
        told = answered and permit.sent_at >= self.began_at
        if told:
            self.opened_max = now if self.opened_max is None else min(self.opened_max, now)
            self.granted += granted
        self.end_untold(now, told=told)

    def end_untold(self, now: float, *, told: bool = False) -> None:
        """Note a request that ended by then, without telling when the service's window opened."""
        is_late = self.may_have_turned(now)
        self.late += is_late
        if is_late or not told:
            self.settled_at = now if self.settled_at is None else max(now, self.settled_at)

    def close(self, until: float) -> None:
        """Take it for full until then: the service said so."""
        self.used, self.late = max(self.used, self.limit), 0
        self.opened_min = self.opened_max = until - self.length_s
        self.began_at = min(self.began_at, self.opened_min)

    def blocked(self, now: float, in_flight: int) -> Wait | None:
        """Say why no request may be sent now, as far as this window goes."""
        # Between its earliest and latest end nobody can know which window a request would fall in.
        if self.used < self.limit and not (self.used and now >= self.opened_min + self.length_s):
            return None
        text = f"{min(self.used, self.limit)}/{self.limit} {_A_WINDOW[self.name]} used"
        return Wait(text, self.ends_at(in_flight=in_flight))
