"""The one endpoint: a session id in, a `SignedUrl` or a typed error out."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, quote, urlsplit

import stamina

from kataven_notebook import errors
from kataven_notebook.clock import clock_text
from kataven_notebook.redact import one_line
from kataven_notebook.service.budget import Budget, Request, shared_budget
from kataven_notebook.service.transport import exchange, explain, host_of, httpx, is_safe_url, open_client, read_bounded
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from kataven_notebook.settings import Settings

MAX_ID_BYTES = 512
# What nearly all ids are; only the others are looked at closely.
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,511}")
_MAX_BODY_BYTES = 1 << 20
_DEFAULT_LIFE_S = 300.0
_URL_KEYS = ("url", "recording_url", "presigned_url", "playback_url", "download_url")
_TIMEOUTS_IN_ALL = 2.9  # to connect, to wait and to read; less than the budget's lease
# One request and three retries, as the service asks for 429.
ATTEMPTS = 4
_LONGEST_PAUSE_S = 2 * 86_400.0


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A presigned URL and when it dies, in seconds since the epoch by this machine's clock.

    The URL is a secret: whoever has it can listen. It stands in no repr.
    """

    url: str = field(repr=False)
    expires_at: float

    def lives(self, at_least_s: float, *, now: float | None = None) -> bool:
        """Whether it will still be accepted in `at_least_s` seconds."""
        return self.expires_at - (time.time() if now is None else now) > at_least_s


def check_session_id(session_id: object) -> str:
    """Return a usable session id as it is, or say why it is never sent.

    Raises
    ------
    InvalidSessionId
        Missing, blank, not a string, longer than 512 bytes, or of a shape that would reach
        another route: slashes, backslashes, control characters, or dots only.
    """
    if isinstance(session_id, str) and _PLAIN_ID.fullmatch(session_id):
        return session_id
    if not isinstance(session_id, str):
        missing = session_id is None or type(session_id).__name__ in ("NAType", "NaTType")
        # Of numbers alone: an array in a cell would not say whether it differs from itself.
        missing = missing or (isinstance(session_id, float) and session_id != session_id)  # noqa: PLR0124 - NaN differs from itself
        kind = type(session_id).__name__
        raise errors.InvalidSessionId(
            "there is no session id: nothing was sent; fill it in, or leave the row as it is"
            if missing
            else f"the session id is of type {kind}, not text: it was not sent; write the id as text"
        )
    problem = None
    if not session_id.strip():
        problem = "the session id is blank"
    elif set(session_id.strip()) == {"."}:
        problem = "the session id is dots only, which reaches another route"
    elif re.search(r"[/\\\x00-\x1f\x7f-\x9f]", session_id):
        problem = "the session id holds a slash, a backslash or a control character"
    else:
        try:
            if len(session_id.encode()) > MAX_ID_BYTES:
                problem = f"the session id is longer than {MAX_ID_BYTES} bytes"
        except UnicodeEncodeError:
            problem = "the session id holds half a character (a lone surrogate)"
    if problem:
        raise errors.InvalidSessionId(f"{problem}: it was not sent; correct it in the frame", session_id=session_id)
    return session_id


class HubClient:
    """Asks the Hub for signed URLs, within the budget.

    Parameters
    ----------
    settings
        Credentials, base URL, limits and time-outs.
    budget
        Who counts; by default the one that all threads of the process share.
    clock
        The time in seconds since the epoch.

    Raises
    ------
    ConfigurationError
        Credentials that can't work.
    """

    def __init__(
        self, settings: Settings, *, budget: Budget | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        settings.check_credentials()
        self.budget = budget or shared_budget(settings)
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
        gate: Callable[[], object] | None = None,
    ) -> SignedUrl:
        """Return a fresh signed URL for one session's recording.

        Parameters
        ----------
        session_id
            Checked by `check_session_id`.
        stop, deadline, first
            As for `Budget.request`.
        gate
            Called when leave to send is there, just before sending; what it raises ends the call,
            and no request is counted.

        Raises
        ------
        InvalidSessionId, RecordingMissing, RecordingPending, AccessRefused, PlaybackUnconfigured
            As the service says.
        RateLimited
            `deadline` would be missed, or a 429 stayed after three retries.
        ServiceFailed
            5xx, time-outs, no connection, or malformed answers, also when tried again.
        """
        path = f"{self._settings.base_url}/sessions/{quote(check_session_id(session_id), safe='')}/recording"
        for attempt in stamina.retry_context(
            on=_backoff, attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=8.0
        ):
            with attempt:
                ahead = first or attempt.num > 1
                with self.budget.request(stop=stop, deadline=deadline, first=ahead) as request:
                    if gate is not None:
                        _pass_gate(gate, request)
                    return self._ask(path, session_id, request)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _ask(self, path: str, session_id: str, request: Request) -> SignedUrl:
        timeout_s = self._settings.request_timeout_s
        try:
            with exchange(self._http, path, ends_at=time.monotonic() + _TIMEOUTS_IN_ALL * timeout_s) as response:
                request.answered()
                body = read_bounded(response, _MAX_BODY_BYTES, timeout_s=timeout_s)
        except httpx.HTTPError as error:
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                request.not_sent()
            raise _Transient(
                f"the Hub could not be asked: {explain(error)}; call again", session_id=session_id
            ) from None
        if response.status_code == httpx.codes.OK:
            return self._read(body, response.headers, session_id)
        text = one_line((body or b"")[:2000].decode("utf-8", "replace"), self._settings.api_key, most_chars=2_000)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise self._limited(text, response.headers, session_id, request)
        raise self._refusal(response, text[:200], session_id)

    def _read(self, body: bytes | None, headers: Mapping[str, str], session_id: str) -> SignedUrl:
        # A service on the network has no business with what listens on this machine.
        leave_https = not self._settings.base_url.startswith("https:")
        try:
            return read_signed_url(body, headers, now=self._clock(), leave_https=leave_https)
        except ValueError as error:
            raise errors.ServiceFailed(
                f"the Hub answered 200 without a recording URL: {error}; tell the service's support",
                session_id=session_id,
                status_code=200,
            ) from None

    def _limited(self, text: str, headers: Mapping[str, str], session_id: str, request: Request) -> errors.RateLimited:
        now = self._clock()
        pause_s = parse_retry_after(headers.get("Retry-After"), headers.get("Date"), now=now)
        window, stated_limit = parse_limit_text(text)
        request.refused(pause_s, window=window, stated_limit=stated_limit)
        which = f"the limit a {window}" if window else "a limit"
        return errors.RateLimited(
            f"the service refused four times because {which} is used up, although the budget was kept: others "
            f"use the account; call again at {clock_text(now + pause_s, now=now)}",
            session_id=session_id,
            retry_at=now + pause_s,
        )

    def _refusal(self, response: httpx.Response, text: str, session_id: str) -> errors.ApiError:
        code = response.status_code
        said = f' ("{text}")' if text else ""
        kind, message = _explain_refusal(code, text, is_session_token=(self._settings.api_key or "").startswith("eyJ"))
        if 300 <= code < 400:
            said = f" (to {one_line(host_of(response.headers.get('Location', '')) or 'nowhere')})"
        return kind(message + said, session_id=session_id, status_code=code)


class _Transient(errors.ServiceFailed):
    """Worth another try."""


def _pass_gate(gate: Callable[[], object], request: Request) -> None:
    try:
        gate()
    except BaseException:
        request.not_sent()
        raise


def _backoff(error: Exception) -> bool | float:
    """Tell stamina what is worth another try; after a 429 the budget does the waiting."""
    if isinstance(error, errors.RateLimited):
        return 0.0 if error.session_id is not None else False
    return isinstance(error, _Transient)


def _explain_refusal(code: int, text: str, *, is_session_token: bool) -> tuple[type[errors.ApiError], str]:
    hint = "session tokens live about an hour: get a new one" if is_session_token else "check KATAVEN_API_KEY"
    lowered = text.lower()
    rules: tuple[tuple[bool, type[errors.ApiError], str], ...] = (
        # A page is a web server's or a proxy's 404: final for no session.
        (code == 404 and not text.startswith("<"), errors.RecordingMissing, "the session has no recording"),
        (
            code == 409,
            errors.RecordingPending,
            'the recording is not uploaded yet: call again later, or pass poll_pending="10min"',
        ),
        (code == 401, errors.AccessRefused, f"the Hub refuses the credentials (401): {hint}"),
        (
            code == 403,
            errors.AccessRefused,
            "the Hub does not allow this (403): check the key's account and rights",
        ),
        (
            code == 400 and "account" in lowered,
            errors.AccessRefused,
            "the Hub does not accept the account (400): check KATAVEN_ACCOUNT_ID",
        ),
        (
            code == 503 and "not configured" in lowered,
            errors.PlaybackUnconfigured,
            "recording playback is not configured for this account: ask for it to be",
        ),
        (code >= 500 or code == 408, _Transient, f"the Hub failed ({code}), also when asked again: call again later"),
        (
            300 <= code < 400,
            errors.ServiceFailed,
            f"the Hub redirects ({code}), which is not followed: check KATAVEN_BASE_URL",
        ),
    )
    unknown = f"the Hub answered {code}, which its contract does not know: check KATAVEN_BASE_URL"
    return next(((kind, message) for holds, kind, message in rules if holds), (errors.ServiceFailed, unknown))


def read_signed_url(
    body: bytes | None, headers: Mapping[str, str], *, now: float, leave_https: bool = True
) -> SignedUrl:
    """Find the URL and its moment of expiry in the body of a 200; plain http (on loopback) with `leave_https` alone.

    Raises
    ------
    ValueError
        No JSON object, none of the known fields, or no absolute URL that may be fetched.
    """
    if body is None:
        raise ValueError(f"the body is larger than {_MAX_BODY_BYTES >> 20} MiB, or can't be unpacked")
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise ValueError(f"the body is a JSON {type(parsed).__name__}, not an object")  # noqa: TRY004 - one kind of error
    inner = parsed.get("data")
    places: list[dict[str, Any]] = [parsed, inner] if isinstance(inner, dict) else [parsed]
    url = next((place[key] for place in places for key in _URL_KEYS if place.get(key) is not None), None)
    if url is None:
        found = sorted({one_line(str(key), most_chars=40) for place in places for key in place})[:12]
        raise ValueError(f"the body has none of {', '.join(_URL_KEYS)}; it has {', '.join(found) or 'no fields'}")
    if not isinstance(url, str) or not is_safe_url(url) or not (leave_https or urlsplit(url).scheme == "https"):
        raise ValueError("its URL is not an absolute https URL")
    return SignedUrl(url, now + _life_s(url, places, _server_now(headers, now)))


def _server_now(headers: Mapping[str, str], now: float) -> float:
    """Return the service's time, so that a wrong local clock does no harm."""
    return _parse_http_date(headers.get("Date")) or now


def _life_s(url: str, places: list[dict[str, Any]], server_now: float) -> float:
    query = {key.lower(): values[-1] for key, values in parse_qs(urlsplit(url).query).items()}
    try:
        signed_at = datetime.strptime(query["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        granted_s = float(query["x-amz-expires"])
        if 0 < granted_s <= 8 * 86_400:
            return max(0.0, min(granted_s, signed_at + granted_s - server_now))
    except (KeyError, ValueError, OverflowError):
        pass
    for place in places:
        for key, is_moment in (("expires_at", True), ("expires_in", False)):
            value = parse_moment(place.get(key)) if is_moment else _number(place.get(key))
            life_s = None if value is None else (value - server_now if is_moment else value)
            if life_s is not None and 0 < life_s <= 8 * 86_400:
                return life_s
    return _DEFAULT_LIFE_S


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if number == number and abs(number) < 1e14 else None  # noqa: PLR0124 - NaN differs from itself


def parse_moment(value: object) -> float | None:
    """Return an ISO 8601 text or an epoch (seconds or milliseconds) as seconds since the epoch."""
    number = _number(value)
    if number is not None:
        return number / 1000 if number > 1e11 else number
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _parse_http_date(value: str | None) -> float | None:
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def parse_retry_after(value: str | None, date: str | None, *, now: float) -> float:
    """Return for how many seconds a 429 asks us to wait; 1 where it does not say.

    Examples
    --------
    >>> parse_retry_after("7", None, now=0.0), parse_retry_after("soon", None, now=0.0)
    (7.0, 1.0)
    """
    seconds = _number(value)
    if seconds is None and (at := _parse_http_date(value)) is not None:
        seconds = at - (_parse_http_date(date) or now)
    if seconds is None:
        return 1.0
    return min(max(seconds, 0.05), _LONGEST_PAUSE_S)


def parse_limit_text(text: str) -> tuple[str | None, int | None]:
    """Return the window and the limit that a 429's text names.

    Examples
    --------
    >>> parse_limit_text("rate_limited: per-minute (60) exceeded")
    ('minute', 60)
    """
    window = re.search(r"per[-_ ]?(minute|hour|day)", text, re.IGNORECASE)
    number = re.search(r"\((\d{1,9})\)", text)
    return (window.group(1).lower() if window else None), (int(number.group(1)) if window and number else None)


__all__ = ["HubClient", "SignedUrl", "Stopped", "check_session_id"]
