"""The one endpoint: a session id in, a `SignedUrl` or a typed error out."""

from __future__ import annotations

import functools
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from kataven_notebook import errors
from kataven_notebook.clock import clock_text
from kataven_notebook.redact import one_line
from kataven_notebook.service.answers import (
    MAX_BODY_BYTES,
    HubUnreachable,
    SignedUrl,
    Transient,
    explain_refusal,
    parse_limit_text,
    parse_retry_after,
    read_signed_url,
)
from kataven_notebook.service.budget import Budget, Request, shared_budget
from kataven_notebook.service.hosts import ConnectionLost, Hosts, StillAway
from kataven_notebook.service.proxies import check_proxy
from kataven_notebook.service.retries import retry_context
from kataven_notebook.service.session_ids import check_session_id
from kataven_notebook.service.transport import exchange, explain, host_of, httpx, open_client, read_bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from kataven_notebook.service.budget_learnt import Finding
    from kataven_notebook.settings import Settings

# To connect, to wait and to read; less than the budget's lease, which would end first.
_TIMEOUTS_IN_ALL = 2.9
# One request and three retries, for failures and, as the service asks, for 429.
ATTEMPTS = 4
# A host that has never answered on this machine gets this long: it will not come back.
_UNKNOWN_HOST_S = 30.0
_TIMES = {4: "four times", 5: "five times", 6: "six times"}
# After how many refusals, while others were granted, a session is taken to be refused for itself.
_PASSED_OVER = 2


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked for, and what holds for each request: `requests` is the budget's, with stop and deadline."""

    path: str
    session_id: str
    requests: Callable[..., AbstractContextManager[Request]]
    gate: Callable[[], object] | None
    still_wanted: Callable[[], object] | None


class HubClient:
    """Asks the Hub for signed URLs, within the budget.

    Parameters
    ----------
    settings
        Credentials, base URL, limits and timeouts.
    budget
        Counts the requests; by default the one that all threads of the process share.
    hosts
        What is known of the hosts; by default nothing, and nobody waits for one that is away.
    clock
        Returns the time in seconds since the epoch.

    Raises
    ------
    ConfigurationError
        Credentials, or a proxy, that can't work.
    MissingExtra
        A SOCKS proxy without the extra that it needs.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        budget: Budget | None = None,
        hosts: Hosts | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        settings.check_credentials()
        check_proxy(settings.base_url)
        self.budget = budget or shared_budget(settings)
        self._hosts = hosts
        self._settings = settings
        self._clock = clock
        headers = {"Authorization": f"Bearer {settings.api_key}", "Accept": "application/json"}
        if settings.account_id:
            headers["X-Account-ID"] = settings.account_id
        self._http = open_client(timeout_s=settings.request_timeout_s, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def sign(
        self,
        session_id: str,
        *,
        stop: threading.Event | None = None,
        deadline: float | None = None,
        first: bool = False,
        still_wanted: Callable[[], object] | None = None,
        gate: Callable[[], object] | None = None,
    ) -> SignedUrl:
        """Return a fresh signed URL for one session's recording.

        Parameters
        ----------
        session_id
            Checked by `check_session_id`.
        stop, deadline, first, still_wanted
            As for `Budget.request`.
        gate
            Called when the budget permits a request, just before it is sent; an exception that it
            raises passes through, and no request is counted.

        Raises
        ------
        InvalidSessionId
            The id is never sent, see `check_session_id`.
        RecordingMissing, RecordingPending, AccessRefused, PlaybackUnconfigured
            As the service answers.
        RateLimited
            The service refused with 429, also when asked again, although it granted others.
        WaitTooLong
            The next permitted request is after `deadline`, or the service has refused all for very long.
        ServiceFailed
            5xx, timeouts, no connection, or malformed answers, after all retries.
        Stopped
            `stop` was set.
        """
        path = f"{self._settings.base_url}/sessions/{quote(check_session_id(session_id), safe='')}/recording"
        requests = functools.partial(self.budget.request, stop=stop, deadline=deadline, since=self._clock())
        asking = _Asking(path, session_id, requests, gate, still_wanted)
        began_at = time.monotonic()
        for attempt in retry_context(
            on=_is_worth_retrying, attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=8.0
        ):
            with attempt:
                ask = functools.partial(self._within_limits, asking, first=first or attempt.num > 1)
                return self._through(asking, ask, stop or threading.Event(), began_at)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _through(
        self, asking: _Asking, ask: Callable[[], SignedUrl], stop: threading.Event, began_at: float
    ) -> SignedUrl:
        """Ask, and where the Hub is away, wait for it and ask again."""
        path, session_id = asking.path, asking.session_id
        try:
            return ask() if self._hosts is None else self._hosts.through(path, ask, stop)
        except StillAway as away:
            raise errors.ServiceFailed(
                f"the Hub could not be asked: {away}, and max_wait is over; call again", session_id=session_id
            ) from None
        except ConnectionLost as lost:
            text = f"the Hub could not be asked: {lost.reason}"
            if self._hosts is None or not self._hosts.is_unknown(path):
                raise Transient(f"{text}; call again", session_id=session_id) from None
            raise HubUnreachable(
                f"{text}; {lost.host} has never answered on this machine: check KATAVEN_BASE_URL, proxy and VPN",
                session_id=session_id,
                is_worth_another=time.monotonic() - began_at < _UNKNOWN_HOST_S,
            ) from None

    def _within_limits(self, asking: _Asking, *, first: bool) -> SignedUrl:
        """Ask until the service grants the request, or has passed this session over too often.

        A refusal counts against the session only where the service granted others meanwhile: while it
        refuses everything, the budget waits and the session loses nothing.
        """
        refusals = passed_over = 0
        while True:
            with asking.requests(first=first, still_wanted=asking.still_wanted) as request:
                if asking.gate is not None:
                    _pass_gate(asking.gate, request)
                signed = self._ask(asking, request)
            if signed is not None:
                return signed
            assert request.finding is not None  # noqa: S101 - the budget found out what the refusal shows
            refusals += 1
            # One that was passed over twice is refused for itself, whether or not others ask meanwhile.
            passed_over += request.finding.others_granted or passed_over >= _PASSED_OVER
            if passed_over >= ATTEMPTS:
                raise self._limited(asking.session_id, refusals, request.finding)
            # It goes first once; if it is refused again alone, another session shows whether all are.
            first = request.finding.others_granted

    def _ask(self, asking: _Asking, request: Request) -> SignedUrl | None:
        """Send one request; return None where it is refused for the limits."""
        timeout_s = self._settings.request_timeout_s
        began_at = time.monotonic()
        try:
            with exchange(self._http, asking.path, ends_at=began_at + _TIMEOUTS_IN_ALL * timeout_s) as response:
                request.answered()
                if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    self._note_refusal(request, response.headers)
                body = read_bounded(response, MAX_BODY_BYTES, timeout_s=timeout_s)
        except httpx.HTTPError as error:
            if request.refusal is not None:
                return None
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
                # The service can't have counted it.
                request.not_sent()
            raise ConnectionLost(asking.path, explain(error), began_at, session_id=asking.session_id) from None
        if self._hosts is not None:
            self._hosts.answered(asking.path, ask_again=functools.partial(self._ask_again, asking))
        if response.status_code == httpx.codes.OK:
            return self._read(body, response.headers, asking.session_id)
        text = one_line((body or b"")[:2000].decode("utf-8", "replace"), self._settings.api_key, most_chars=2_000)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            self._note_refusal(request, response.headers, text)
            return None
        raise self._refusal(response, text[:200], asking.session_id)

    def _ask_again(self, asking: _Asking) -> None:
        """Repeat a request that was answered; an answer of any kind shows that the Hub is there."""
        with asking.requests(first=True) as request:
            self._ask(asking, request)

    def _read(self, body: bytes | None, headers: Mapping[str, str], session_id: str) -> SignedUrl:
        # A service on the network must not make this machine send requests to its own ports.
        leave_https = not self._settings.base_url.startswith("https:")
        try:
            return read_signed_url(body, headers, now=self._clock(), leave_https=leave_https)
        except ValueError as error:
            raise errors.ServiceFailed(
                f"the Hub answered 200 without a recording URL: {error}; tell the service's support",
                session_id=session_id,
                status_code=200,
            ) from None

    def _note_refusal(self, request: Request, headers: Mapping[str, str], text: str = "") -> None:
        limit, stated_limit = parse_limit_text(text)
        pause_s = parse_retry_after(headers.get("Retry-After"), headers.get("Date"), now=self._clock())
        request.refused(pause_s, limit=limit, stated_limit=stated_limit)

    def _limited(self, session_id: str, refusals: int, finding: Finding) -> errors.RateLimited:
        return errors.RateLimited(
            f"the service refused {_TIMES.get(refusals, f'{refusals} times')} (429), although it granted others: "
            f"{finding.reason}; call again at {clock_text(finding.until, now=self._clock())}",
            session_id=session_id,
            retry_at=finding.until,
        )

    def _refusal(self, response: httpx.Response, text: str, session_id: str) -> errors.ApiError:
        code = response.status_code
        said = f' ("{text}")' if text else ""
        kind, message = explain_refusal(code, text, is_session_token=(self._settings.api_key or "").startswith("eyJ"))
        if 300 <= code < 400:
            said = f" (to {one_line(host_of(response.headers.get('Location', '')) or 'nowhere')})"
        return kind(message + said, session_id=session_id, status_code=code)


def _pass_gate(gate: Callable[[], object], request: Request) -> None:
    try:
        gate()
    except BaseException:
        request.not_sent()
        raise


def _is_worth_retrying(error: Exception) -> bool:
    if isinstance(error, HubUnreachable):
        return error.is_worth_another
    return isinstance(error, Transient)
