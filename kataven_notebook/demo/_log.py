"""What the demo Hub was asked: one entry a request, on the API and on storage."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Side = Literal["api", "storage"]


@dataclass
class Request:
    """One request.

    Attributes
    ----------
    side
        ``"api"`` or ``"storage"``.
    session_id
        The session it was for; None where the path names none.
    method, path
        As sent; the path without its query, so that no signature is kept.
    time_s
        Seconds since the hub started.
    status
        The answer's status; None while there is none, and where a fault prevents one.
    fault
        The fault that was applied, if any.
    account
        Whose request it was, on the API, where the credentials were good.
    """

    side: Side
    session_id: str | None
    method: str
    path: str
    time_s: float
    raw_headers: Sequence[tuple[bytes, bytes]] = field(default=(), repr=False)
    status: int | None = None
    fault: str | None = None
    account: str | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Request headers, names in lower case."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self.raw_headers}


class RequestLog:
    """All requests since the start or the last `clear`, safe to read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started_s = time.monotonic()
        self._entries: list[Request] = []
        self._in_flight: Counter[str] = Counter()
        self._most_in_flight: Counter[str] = Counter()

    def now_s(self) -> float:
        """Seconds since the hub started: the clock of `Request.time_s`."""
        return time.monotonic() - self._started_s

    def begin(self, entry: Request) -> None:
        """Add a request that has just come."""
        with self._lock:
            self._entries.append(entry)
            self._in_flight[entry.side] += 1
            most = max(self._most_in_flight[entry.side], self._in_flight[entry.side])
            self._most_in_flight[entry.side] = most

    def end(self, entry: Request) -> None:
        """Note that it was answered, or that its connection has gone."""
        with self._lock:
            self._in_flight[entry.side] -= 1

    def clear(self) -> None:
        """Forget what was asked so far."""
        with self._lock:
            self._entries.clear()
            self._most_in_flight = Counter(self._in_flight)

    def of(self, side: Side | None = None, session_id: str | None = None) -> list[Request]:
        """Give the requests in order of arrival, of one side or one session where these are given."""
        with self._lock:
            entries = list(self._entries)
        return [entry for entry in entries if side in (None, entry.side) and session_id in (None, entry.session_id)]

    @property
    def api(self) -> list[Request]:
        """Requests to the API."""
        return self.of("api")

    @property
    def storage(self) -> list[Request]:
        """Requests to storage."""
        return self.of("storage")

    @property
    def refused(self) -> int:
        """API requests that were answered 429."""
        return sum(entry.status == 429 for entry in self.api)

    def count(self, side: Side | None = None, session_id: str | None = None) -> int:
        """Count requests, of one side or one session where these are given."""
        return len(self.of(side, session_id))

    def in_flight(self, side: Side) -> int:
        """Count the requests that are being answered now."""
        with self._lock:
            return self._in_flight[side]

    def most_in_flight(self, side: Side) -> int:
        """Give the most requests that were ever being answered at once."""
        with self._lock:
            return self._most_in_flight[side]

    def to_dict(self) -> dict[str, Any]:
        """Sum up as plain values: counts, statuses, refusals, most in flight."""
        sides: tuple[Side, ...] = ("api", "storage")
        summary: dict[str, Any] = {"refused": self.refused}
        for side in sides:
            entries = self.of(side)
            statuses = Counter(str(entry.status) for entry in entries)
            summary[side] = {
                "requests": len(entries),
                "sessions": len({entry.session_id for entry in entries}),
                "statuses": dict(statuses),
                "most_in_flight": self.most_in_flight(side),
            }
        return summary
