"""Which hosts answer: tells a network that is away from one session's trouble, and waits for its end as one.

A connection that fails says little by itself: the network may be gone, or this one answer breaks. So the host is
asked for something else. Where that fails too, the host is away, and nobody spends an attempt on it: one thread
asks again at growing intervals, and all others wait for its answer.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from kataven_notebook.clock import clock_text
from kataven_notebook.errors import SessionError
from kataven_notebook.machine.database import Database
from kataven_notebook.machine.folders import make_private
from kataven_notebook.service.transport import NEVER_SENT, exchange, explain, httpx, open_client
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kataven_notebook.settings import Settings

_T = TypeVar("_T")
_FILE = "hosts-1.sqlite3"
_SCHEMA = "CREATE TABLE IF NOT EXISTS hosts (origin TEXT PRIMARY KEY, answered_at REAL NOT NULL) WITHOUT ROWID;"
_FIRST_PAUSE_S = 0.5
# Of the time that a host has been away: nobody waits much longer than the outage was, and hours take few probes.
_PAUSE_RATIO = 0.125
# Long enough not to be a burden on a service that comes back, short beside the outages that last this long.
_LONGEST_PAUSE_S = 60.0
_POLL_S = 0.2
# How long no session begins while a host is away: at first, of the time that it has been away, and at most. Each that
# begins in vain may cost a request.
_AHEAD_S = 10.0
_AHEAD_RATIO = 0.25
_LONGEST_AHEAD_S = 600.0
# A probe takes no longer, whatever time the requests themselves have.
_LONGEST_PROBE_S = 10.0
# Where the deadline is near or over, a probe gets no more than this: nobody is to wait long for it.
_LATE_PROBE_S = 2.0
# So many sessions without any answer are no coincidence, where nobody has had one in this run.
_MANY_LOST = 8


class ConnectionLost(Exception):  # noqa: N818 - a signal, not an error
    """No answer came, or it broke off; the clients make an error of it where the host is there.

    Parameters
    ----------
    url
        What was asked for.
    reason
        How the connection failed, in words.
    began_at
        When the request began, by `time.monotonic`.
    session_id
        The session that it was about.
    """

    def __init__(self, url: str, reason: str, began_at: float, *, session_id: str | None = None) -> None:
        super().__init__()
        # No more than the origin: a signed URL in an exception is shown by tracebacks with variables.
        self.origin, self.reason, self.began_at, self.session_id = origin_of(url), reason, began_at, session_id

    @property
    def host(self) -> str:
        """Host and port, as messages show them."""
        return _host_of(self.origin)


class StillAway(Exception):  # noqa: N818 - a signal, not an error
    """The host is still away at the deadline; the message says since when, and why."""


@dataclass(eq=False)
class _Host:
    """What is known of one origin."""

    origin: str
    # By `time.monotonic`; what it answered does not matter.
    answered_at: float = float("-inf")
    # Whether it has answered this process, be it a probe.
    is_there: bool = False
    # Repeats a request that was answered; raises `ConnectionLost` where no answer comes.
    ask_again: Callable[[], object] | None = None
    # The sessions that got no answer since the last one came.
    lost: set[str | None] = field(default_factory=set)
    # By `time.time`, as people read it: since when it is away, and when it is asked again.
    away_since: float | None = None
    next_at: float = 0.0
    pause_s: float = _FIRST_PAUSE_S
    reason: str = ""
    # When it was last found to give no answer, by `time.monotonic`, without having given one on this machine.
    missed_at: float = float("-inf")
    # Whether the last probe found somebody to connect to, whatever came then.
    is_connected: bool = False
    # One object for each thread that waits, in order: where nobody does, nobody asks either.
    waiting: dict[object, None] = field(default_factory=dict)
    judging: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """Host and port, as messages show them."""
        return _host_of(self.origin)


class Hosts:
    """What is known of the hosts that a run asks; all its threads share one.

    Parameters
    ----------
    settings
        Where to keep which hosts have answered on this machine, and how long a request waits.
    deadline
        The latest time to wait until, in seconds since the epoch; None waits as long as it takes.
    """

    def __init__(self, settings: Settings, *, deadline: float | None = None) -> None:
        self._deadline = deadline
        self._probe_s = min(settings.request_timeout_s, _LONGEST_PROBE_S)
        self._directory = settings.state_path
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}
        self._client: httpx.Client | None = None
        # When the last session began, by `time.time`.
        self._ahead_at = 0.0

    def close(self) -> None:
        """Close the connections of the probes."""
        with self._lock:
            # What repeats a request refers to its client, and that to this object.
            self._hosts.clear()
            if self._client is not None:
                self._client.close()
                self._client = None

    def answered(self, url: str, *, ask_again: Callable[[], object] | None = None) -> None:
        """Note that the host of `url` has answered.

        Parameters
        ----------
        url
            What it was asked for.
        ask_again
            Repeats the request; raises `ConnectionLost` where no answer comes, and a `SessionError` for some answers.
            None where the answer may still break off: what was to be repeated before stays.
        """
        host = self._host(url)
        if host.answered_at == float("-inf"):
            _remember(self._directory, host.origin)
        host.is_there, host.answered_at = True, time.monotonic()
        host.ask_again = ask_again or host.ask_again
        host.away_since = None
        if host.lost:
            host.lost.clear()

    def through(self, url: str, send: Callable[[], _T], stop: threading.Event) -> _T:
        """Return what `send` returns; where a host is away, wait for it and send again.

        Parameters
        ----------
        url
            What `send` asks for first.
        send
            Sends a request; raises `ConnectionLost` where no answer comes.
        stop
            Ends the wait when set.

        Raises
        ------
        ConnectionLost
            The host is there, so it is this request's trouble; or it has never answered on this machine.
        StillAway
            The deadline has passed.
        Stopped
            `stop` was set.
        """
        host = self._host(url)
        while True:
            self._wait(host, stop)
            try:
                return send()
            except ConnectionLost as lost:
                # Not always the host that was asked first: a storage may redirect.
                host = self._host(lost.origin)
                if not self._is_away(host, lost):
                    raise

    def is_unknown(self, url: str) -> bool:
        """Return whether the host of `url` has never answered on this machine."""
        host = self._host(url)
        return not host.is_there and not _is_remembered(self._directory, host.origin)

    def _is_away(self, host: _Host, lost: ConnectionLost) -> bool:
        """Return whether nobody gets an answer, so that no session is at fault."""
        with host.judging:
            if host.away_since is not None:
                return True
            # An answer to others after this request began shows that the host is there.
            if host.answered_at > lost.began_at:
                return False
            # It was asked for others while this request waited: to ask for each takes a time-out each.
            if host.missed_at > lost.began_at:
                return False
            host.lost.add(lost.session_id)
            host.reason = lost.reason
            began_at = time.time()
            if self._answers(host):
                return False
            if self.is_unknown(host.origin):
                host.missed_at = time.monotonic()
                return False
            host.pause_s = _FIRST_PAUSE_S
            host.away_since = host.next_at = began_at
            return True

    def _wait(self, host: _Host, stop: threading.Event) -> None:
        """Wait while a host is away."""
        if host.away_since is None:
            return
        me = object()
        host.waiting[me] = None
        try:
            while (since := host.away_since) is not None:
                if stop.is_set():
                    raise Stopped
                if self._deadline is not None and time.time() >= self._deadline:
                    raise StillAway(f"{host.name} has not answered since {clock_text(since)}, {host.reason}")
                if next(iter(list(host.waiting)), me) is not me:
                    stop.wait(_POLL_S)
                elif self._ask_when_due(host, stop):
                    return
        finally:
            del host.waiting[me]

    def outage(self) -> str | None:
        """Return which host is away, since when and until when nobody asks it, as progress displays say it."""
        away = [(host, since) for host in list(self._hosts.values()) if (since := host.away_since) is not None]
        if not away:
            return None
        host, since = min(away, key=lambda each: each[1])
        return f"no connection to {host.name} since {clock_text(since)}, next try at {clock_text(host.next_at)}"

    def is_any_away(self, *, but: str) -> bool:
        """Return whether nothing is to begin: somebody waits for a host other than that of `but`, and none answers."""
        mine = self._host(but)
        others = [host for host in list(self._hosts.values()) if host is not mine]
        since = max((since for host in others if host.waiting and (since := host.away_since) is not None), default=None)
        if since is None:
            return False
        now = time.time()
        if any(time.monotonic() - host.answered_at <= now - since for host in others):
            return False
        # The next session may have its sound on a host that is there: one goes ahead now and then.
        last_at = max(since, self._ahead_at)
        return now - last_at < min(max(_AHEAD_S, (last_at - since) * _AHEAD_RATIO), _LONGEST_AHEAD_S)

    def go_ahead(self) -> None:
        """Note that a session begins, be it while a host is away."""
        self._ahead_at = time.time()

    def _host(self, url: str) -> _Host:
        origin = origin_of(url)
        with self._lock:
            return self._hosts.setdefault(origin, _Host(origin))

    def _ask_when_due(self, host: _Host, stop: threading.Event) -> bool:
        """Wait for the next time and ask; where no answer comes, the next time is later.

        Returns whether the thread is to send its own request, since nothing else can show that the host is back. One
        whose request fails comes back as the last of those that wait: a broken answer holds up nobody else.
        """
        left_s = host.next_at - time.time()
        if left_s > 0:
            # Short sleeps by the clock on the wall: a laptop that wakes asks at once.
            stop.wait(min(left_s, _POLL_S))
            return False
        if self._answers(host):
            host.away_since = None
            return False
        host.next_at = time.time() + host.pause_s
        away_s = host.next_at - (host.away_since or host.next_at)
        host.pause_s = min(max(_FIRST_PAUSE_S, away_s * _PAUSE_RATIO), _LONGEST_PAUSE_S)
        return host.is_connected and host.ask_again is None

    def _answers(self, host: _Host) -> bool:
        """Ask the host for its root, without credentials, and where that shows too little, for more.

        Where it answers that and yet two sessions have got no answer, ask also for what it has answered before: a
        gateway may be there while what is behind it is not. The same where it takes the connection and gives no
        answer: some hosts never answer for their root.
        """
        broken = self._break_of_root(host)
        if broken is not None:
            host.reason = broken
            if not host.is_connected:
                return False
        elif len(host.lost) <= 1:
            return True
        if host.ask_again is None:
            is_gateway = len(host.lost) >= _MANY_LOST and _is_remembered(self._directory, host.origin)
            return broken is None and not is_gateway
        try:
            with contextlib.suppress(SessionError):
                host.ask_again()
        except ConnectionLost as lost:
            host.reason = lost.reason
            return False
        host.answered_at = time.monotonic()
        host.lost.clear()
        return True

    def _break_of_root(self, host: _Host) -> str | None:
        """Ask for the root, and return how that failed, in words; None where an answer came."""
        left_s = float("inf") if self._deadline is None else self._deadline - time.time()
        most_s = min(self._probe_s, max(_LATE_PROBE_S, left_s))
        try:
            with exchange(self._probes(), f"{host.origin}/", ends_at=time.monotonic() + most_s):
                host.is_there = host.is_connected = True
        except httpx.HTTPError as error:
            host.is_connected = not isinstance(error, NEVER_SENT)
            if isinstance(error, httpx.TimeoutException) and left_s < self._probe_s:
                host.is_connected = False  # no time is left to ask for more
            return explain(error)
        return None

    def _probes(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                self._client = open_client(timeout_s=self._probe_s)
            return self._client


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address.

    Examples
    --------
    >>> origin_of("https://calls.s3.amazonaws.com/a.wav?X-Amz-Signature=0")
    'https://calls.s3.amazonaws.com'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _host_of(origin: str) -> str:
    return origin.partition("://")[2]


def _remember(directory: Path, origin: str) -> None:
    with contextlib.suppress(OSError, sqlite3.Error):
        make_private(directory)
        with contextlib.closing(_table(directory)) as table, table.transaction() as db:
            db.execute("INSERT OR REPLACE INTO hosts VALUES (?, ?)", (origin, time.time())).close()


def _is_remembered(directory: Path, origin: str) -> bool:
    if not (directory / _FILE).exists():
        return False
    with (
        contextlib.suppress(OSError, sqlite3.Error, UnicodeDecodeError),
        contextlib.closing(_table(directory)) as table,
        table.connection() as db,
        contextlib.closing(db.execute("SELECT 1 FROM hosts WHERE origin = ?", (origin,))) as found,
    ):
        return found.fetchone() is not None
    return False


def _table(directory: Path) -> Database:
    return Database(directory / _FILE, _SCHEMA, timeout_s=2.0)
