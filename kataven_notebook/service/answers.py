"""What an answer of the service means: a signed URL and when it expires, or an error."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import parse_qs, urlsplit

from kataven_notebook import errors
from kataven_notebook.redact import one_line
from kataven_notebook.service.transport import is_safe_url

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES = 1 << 20
# A URL that expires sooner than this is signed again before it is used.
URL_MARGIN_S = 5.0
# Of a URL that does not state its own, seconds.
_DEFAULT_LIFE_S = 300.0
_URL_KEYS = ("url", "recording_url", "presigned_url", "playback_url", "download_url")
_AT_ONCE = re.compile(r"in[-_ ]?flight|concurren(?:t|cy)|simultaneous|parallel|at once", re.IGNORECASE)
# The number of a limit stands in brackets, or behind a word for limit.
_STATED = re.compile(
    r"\((\d{1,9})\)|(?<![a-z])(?:limit|maximum|max|allowed)(?![a-z])[^\d<>]{0,12}(\d{1,9})\b", re.IGNORECASE
)
# The longest window is a day; a longer pause is no answer of this service.
_LONGEST_PAUSE_S = 2 * 86_400.0


@dataclass(frozen=True, slots=True)
class SignedUrl:
    """A presigned URL and when it expires, in seconds since the epoch by this machine's clock.

    The URL is a secret: anybody who has it can download the sound. No repr shows it.
    """

    url: str = field(repr=False)
    expires_at: float

    def lives(self, at_least_s: float, *, now: float | None = None) -> bool:
        """Whether the URL will still be valid in `at_least_s` seconds."""
        return self.expires_at - (time.time() if now is None else now) > at_least_s


class Transient(errors.ServiceFailed):
    """A failure that another try may pass."""


class HubUnreachable(Transient):
    """The Hub can't be reached and has never answered on this machine: a wrong address, a proxy, a VPN.

    Parameters
    ----------
    message, session_id
        As for `SessionError`.
    is_worth_another
        Whether it has not been tried for long.
    """

    def __init__(self, message: str, *, session_id: str | None = None, is_worth_another: bool = False) -> None:
        super().__init__(message, session_id=session_id)
        self.is_worth_another = is_worth_another


_ABOUT_SESSION: Mapping[int, tuple[type[errors.ApiError], str]] = {
    404: (errors.RecordingMissing, "the session has no recording"),
    409: (
        errors.RecordingPending,
        'the recording is not uploaded yet: call again later, or pass poll_pending="10min"',
    ),
}


def explain_refusal(code: int, text: str, *, is_session_token: bool) -> tuple[type[errors.ApiError], str]:
    """Return the class of the error that an answer means, and its message.

    Parameters
    ----------
    code
        The HTTP status: neither 200 nor 429.
    text
        The body, as far as it was read.
    is_session_token
        Whether the credentials were a session token, which needs other advice than a key.
    """
    refused = _explain_access(code, text, is_session_token=is_session_token)
    if refused is not None:
        return errors.AccessRefused, refused
    # A page is a web server's or a proxy's answer: it says nothing about the session.
    if code in _ABOUT_SESSION and not text.startswith("<"):
        return _ABOUT_SESSION[code]
    if code >= 500 or code == 408:
        return _explain_failure(code, text)
    if 300 <= code < 400:
        return errors.ServiceFailed, f"the Hub redirects ({code}), which is not followed: check KATAVEN_BASE_URL"
    return (
        errors.ServiceFailed,
        f"the Hub gave an unexpected answer ({code}): check KATAVEN_BASE_URL",
    )


def _explain_access(code: int, text: str, *, is_session_token: bool) -> str | None:
    """Return what is wrong with the credentials, or None where the answer is not about them."""
    if code == 401:
        hint = "session tokens live about an hour: get a new one" if is_session_token else "check KATAVEN_API_KEY"
        return f"the Hub refuses the credentials (401): {hint}"
    if code == 403:
        return "the Hub does not allow this (403): check the key's account and rights"
    if code == 400 and "account" in text.lower():
        return "the Hub does not accept the account (400): check KATAVEN_ACCOUNT_ID"
    return None


def _explain_failure(code: int, text: str) -> tuple[type[errors.ApiError], str]:
    """Return the error of a 5xx: of the account's settings, which stays, or of a failure that another try may pass."""
    if code == 503 and "not configured" in text.lower():
        return (
            errors.PlaybackUnconfigured,
            "recording playback is not configured for this account: ask for it to be",
        )
    return Transient, f"the Hub failed ({code}), also when asked again: call again later"


def read_signed_url(
    body: bytes | None, headers: Mapping[str, str], *, now: float, leave_https: bool = True
) -> SignedUrl:
    """Return the URL in the body of a 200, and when it expires.

    Parameters
    ----------
    body
        The body; None where it was too large or could not be unpacked.
    headers
        Of the answer; `Date` is the service's time.
    now
        This machine's time, in seconds since the epoch.
    leave_https
        Whether the URL may be plain http on loopback; False where the service itself is on https.

    Raises
    ------
    ValueError
        No JSON object, none of the known fields, or no absolute URL that may be fetched.
    """
    if body is None:
        raise ValueError(f"the body is larger than {MAX_BODY_BYTES >> 20} MiB, or can't be unpacked")
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise ValueError(f"the body is a JSON {type(parsed).__name__}, not an object")  # noqa: TRY004 - callers catch one class
    inner = parsed.get("data")
    places: list[dict[str, Any]] = [parsed, inner] if isinstance(inner, dict) else [parsed]
    url = next((place[key] for place in places for key in _URL_KEYS if place.get(key) is not None), None)
    if url is None:
        found = sorted({one_line(str(key), most_chars=40) for place in places for key in place})[:12]
        raise ValueError(f"the body has none of {', '.join(_URL_KEYS)}; it has {', '.join(found) or 'no fields'}")
    if not may_be_fetched(url, leave_https=leave_https):
        raise ValueError("its URL is not an absolute https URL")
    return SignedUrl(url, now + _life_s(url, places, _server_now(headers, now)))


def may_be_fetched(url: object, *, leave_https: bool) -> TypeGuard[str]:
    """Return whether `url` is absolute and https, or where it may leave https, http on loopback."""
    return isinstance(url, str) and is_safe_url(url) and (leave_https or urlsplit(url).scheme == "https")


def _server_now(headers: Mapping[str, str], now: float) -> float:
    """Return the service's time: a life measured by it is right although the local clock is wrong."""
    return _parse_http_date(headers.get("Date")) or now


def _life_s(url: str, places: list[dict[str, Any]], server_now: float) -> float:
    # First the URL itself: its signature makes it the storage's own word.
    query = {key.lower(): values[-1] for key, values in parse_qs(urlsplit(url).query).items()}
    try:
        signed_at = datetime.strptime(query["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        granted_s = float(query["x-amz-expires"])
        if 0 < granted_s <= 8 * 86_400:
            return max(0.0, min(granted_s, signed_at + granted_s - server_now))
    except (KeyError, ValueError, OverflowError):
        pass
    for place in places:
        for key, is_time in (("expires_at", True), ("expires_in", False)):
            value = parse_time(place.get(key)) if is_time else _number(place.get(key))
            life_s = None if value is None else (value - server_now if is_time else value)
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
    # NaN is below no number.
    return number if abs(number) < 1e14 else None


def parse_time(value: object) -> float | None:
    """Return an ISO 8601 text or an epoch (in seconds or milliseconds) as seconds since the epoch, else None."""
    number = _number(value)
    if number is not None:
        # 1e11 seconds are in the year 5138: a larger number is of milliseconds.
        return number / 1000 if number > 1e11 else number
    if not isinstance(value, str):
        return None
    try:
        time_of = datetime.fromisoformat(value.strip())
        return (time_of if time_of.tzinfo else time_of.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _parse_http_date(value: str | None) -> float | None:
    if not value:
        return None
    try:
        time_of = parsedate_to_datetime(value)
        return (time_of if time_of.tzinfo else time_of.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def parse_retry_after(value: str | None, date: str | None, *, now: float) -> float:
    """Return how many seconds a 429 asks to wait; 0 where it does not say.

    Parameters
    ----------
    value, date
        The headers `Retry-After` and `Date`; None where there is none.
    now
        This machine's time, in seconds since the epoch.

    Examples
    --------
    >>> parse_retry_after("7", None, now=0.0), parse_retry_after("soon", None, now=0.0)
    (7.0, 0.0)
    """
    seconds = _number(value)
    # A date is compared with the service's own clock, where it states one.
    if seconds is None and (at := _parse_http_date(value)) is not None:
        seconds = at - (_parse_http_date(date) or now)
    return 0.0 if seconds is None else min(max(seconds, 0.0), _LONGEST_PAUSE_S)


def parse_limit_text(text: str) -> tuple[str | None, int | None]:
    """Return the limit and the number that the text of a 429 names; None where it names none.

    Examples
    --------
    >>> parse_limit_text("rate_limited: per-minute (60) exceeded")
    ('minute', 60)
    >>> parse_limit_text("rate_limited: concurrent (20) exceeded")
    ('in-flight', 20)
    """
    # A page is a gateway's: what it says in passing names no limit of the service.
    if text.lstrip().startswith("<"):
        return None, None
    window = re.search(r"(?:per|/)[-_ ]?(minute|hour|day)", text, re.IGNORECASE)
    name = window.group(1).lower() if window else ("in-flight" if _AT_ONCE.search(text) else None)
    number = _STATED.search(text) if name else None
    return name, (next(int(each) for each in number.groups() if each) if number else None)
