"""Removes credentials and signed queries from any text before it is shown, logged or raised."""

from __future__ import annotations

import logging
import re

_URL = re.compile(r"[a-z][a-z0-9+.\-]{1,19}://[^\s\"'<>]*", re.IGNORECASE)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Parts of a query without their URL, as in httpcore's target or in an S3 error document.
    (
        re.compile(
            r"(?P<kept>\b(?:X-Amz-(?:Signature|Credential|Security-Token)|AWSAccessKeyId|Signature|sig)"
            r"(?:=|%3D|>|&gt;))[^\s&\"'<>]+",
            re.IGNORECASE,
        ),
        r"\g<kept>[redacted]",
    ),
    (re.compile(r"\b(?P<kept>sk_(?:live|test)_)[A-Za-z0-9_\-]+"), r"\g<kept>[redacted]"),
    (re.compile(r"\beyJ[A-Za-z0-9_\-]{6,}(?:\.[A-Za-z0-9_\-]*){0,4}"), "[redacted token]"),
    (re.compile(r"(?P<kept>\bBearer\s+)[^\s\"',;]+", re.IGNORECASE), r"\g<kept>[redacted]"),
)


def _without_secrets(found: re.Match[str]) -> str:
    """Remove user, password and query from a URL: only the storage knows which parameters are secret."""
    address, mark, _ = re.sub("[?#]", "?", found[0], count=1).partition("?")
    scheme, _, rest = address.partition("://")
    authority, slash, path = rest.partition("/")
    _, at, host = authority.rpartition("@")
    user = "[redacted]@" if at else ""
    return f"{scheme}://{user}{host}{slash}{path}" + ("?[redacted]" if mark else "")


def redact(text: str, *secrets: str | None) -> str:
    """Return `text` without keys, tokens and signed queries.

    Parameters
    ----------
    text
        Any text, for instance the message of an exception of the HTTP library.
    *secrets
        Values known to be secret; removed wherever they occur, whatever their shape.

    Examples
    --------
    >>> redact("GET https://bucket.s3.amazonaws.com/a.wav?X-Amz-Signature=0f3a failed")
    'GET https://bucket.s3.amazonaws.com/a.wav?[redacted] failed'
    """
    # First, while they are whole: a rule below may cut one short.
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[redacted]")
    text = _URL.sub(_without_secrets, text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def one_line(text: str, *secrets: str | None, most_chars: int = 200) -> str:
    r"""Return text from outside as one short line that is safe to show: redacted and without control characters.

    Terminals execute some control characters, and others reverse the order in which text is read.

    Parameters
    ----------
    text
        Any text, for instance the answer of a host.
    *secrets
        As for `redact`.
    most_chars
        The length at which the line is cut.

    Examples
    --------
    >>> one_line("no such thing\n\x1b]0;mine now\x07")
    'no such thing ]0;mine now'
    """
    words = "".join(each if each.isprintable() else " " for each in redact(text, *secrets)).split()
    return " ".join(words)[:most_chars]


def encodable(text: str) -> str:
    r"""Return text with half characters (lone surrogates) spelled out, since no column, file or page can hold them.

    Examples
    --------
    >>> encodable("caf\udce9")
    'caf\\udce9'
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


class RedactingFilter(logging.Filter):
    """Redacts the log records of libraries that log whole URLs and headers.

    httpx logs each URL at INFO and httpcore each target at DEBUG: both hold the signature.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and keep it."""
        record.msg = redact(record.getMessage())
        record.args = ()
        return True


_LOGGERS = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)


def guard_http_logging() -> None:
    """Add the filter to the loggers of the HTTP libraries, once.

    A filter sees only what is logged on its own logger and not on loggers below it, so each gets one.
    """
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, RedactingFilter) for each in logger.filters):
            logger.addFilter(RedactingFilter())
