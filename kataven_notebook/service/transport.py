"""What both HTTP clients share: trust, proxies, time-outs, quiet logs, and bounded bodies."""

from __future__ import annotations

import logging
import ssl
import threading
import time
import zlib
from contextlib import ExitStack, contextmanager
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx as httpx  # noqa: PLC0414 - the others take it from here, so that another client is one line
import truststore

from kataven_notebook._version import __version__
from kataven_notebook.redact import guard_http_logging, one_line
from kataven_notebook.service.deadline import DeadlineBackend, until
from kataven_notebook.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# S3 closes idle connections after about 20 s; ours go first.
_KEEPALIVE_S = 15.0
_PIECE_BYTES = 1 << 20
THREAD_PREFIX = "kataven-"


class _QuietRetries(logging.Filter):
    """Keeps stamina's line per retry out of the notebook: the row's outcome tells what became of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Drop what comes from our own threads."""
        return not (record.threadName or threading.current_thread().name).startswith(THREAD_PREFIX)


@cache
def _trust() -> ssl.SSLContext:
    # The system's trust store, where companies put their own authorities.
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def open_client(*, timeout_s: float, headers: Mapping[str, str] | None = None) -> httpx.Client:
    """Return a client for many threads: certificates verified, no redirect followed, nothing secret logged."""
    guard_http_logging()
    stamina_log = logging.getLogger("stamina")
    if not any(isinstance(each, _QuietRetries) for each in stamina_log.filters):
        stamina_log.addFilter(_QuietRetries())
    client = httpx.Client(
        headers={
            "User-Agent": f"kataven-notebook/{__version__}",
            "Accept-Encoding": "identity",
            **(headers or {}),
        },
        timeout=httpx.Timeout(timeout_s, pool=None),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=_KEEPALIVE_S),
        verify=_trust(),
        # Plain http is for loopback alone: no proxy of the environment has a part in it.
        mounts={"http://": None},
        follow_redirects=False,
    )
    # Nothing here needs a session of a host's: cookies would only tell one row's request from another's.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    _keep_deadlines(client)
    return client


def _keep_deadlines(client: httpx.Client) -> None:
    # Proxies of the environment come in no other way, and httpx does not hand on httpcore's own parameter. Should
    # a later httpx name these otherwise, time-outs for each read are left.
    for transport in (getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()):
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if pool is not None and backend is not None:
            pool._network_backend = DeadlineBackend(backend)  # noqa: SLF001 - see above


@contextmanager
def exchange(
    client: httpx.Client,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    head_s: float = float("inf"),
    ends_at: float,
) -> Iterator[httpx.Response]:
    """Send a GET and yield its answer, of which the head is read.

    Parameters
    ----------
    client, url, headers
        Who asks for what.
    head_s
        How long it may take until the head is there, seconds, however alive the connection looks.
    ends_at
        When all has to be over, by `time.monotonic`.

    Raises
    ------
    httpx.HTTPError
        The exchange failed, or took too long.
    """
    with ExitStack() as stack:
        try:
            with until(min(ends_at, time.monotonic() + head_s)):
                response = stack.enter_context(client.stream("GET", url, headers=headers))
        except (httpx.InvalidURL, ValueError):
            # What httpx finds wrong with an address, the one of a redirect included, is no HTTPError to it.
            raise httpx.UnsupportedProtocol("") from None
        with until(ends_at):
            yield response


def unpacked(response: httpx.Response) -> Iterator[bytes]:
    """Yield a streamed body in pieces, unpacked where it was sent compressed, though that was not asked for.

    In bounded pieces: a few bytes can claim to be gigabytes.

    Raises
    ------
    ValueError
        It is encoded as something else, or can't be unpacked.
    """
    encoding = response.headers.get("Content-Encoding", "identity").lower().strip()
    if encoding in ("", "identity"):
        # As it arrives: given a size, httpx holds back until so much is there, and a body that drips has no end.
        yield from response.iter_raw()
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise ValueError(f"it is encoded as {encoding[:40]!r}")
    unpacker = zlib.decompressobj(47 if "gzip" in encoding else 15)
    try:
        for chunk in response.iter_raw():
            packed = chunk
            while packed:
                yield unpacker.decompress(packed, _PIECE_BYTES)
                packed = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error:
        raise ValueError("it is compressed and can't be unpacked") from None
    if not unpacker.eof:
        raise ValueError("it is compressed and ends in the middle")


def read_bounded(response: httpx.Response, max_bytes: int, *, timeout_s: float) -> bytes | None:
    """Return a streamed body, or None where it is larger than `max_bytes` or can't be unpacked.

    Raises
    ------
    httpx.ReadTimeout
        It takes more than `timeout_s`; a body that drips would else hold its thread for ever.
    """
    body = bytearray()
    ends_at = time.monotonic() + timeout_s
    try:
        with until(ends_at):
            for chunk in unpacked(response):
                body += chunk
                if len(body) > max_bytes:
                    return None
                if time.monotonic() > ends_at:
                    raise httpx.ReadTimeout(f"the answer was not whole after {timeout_s:g} s")
    except ValueError:
        return None
    return bytes(body)


def is_safe_url(url: str) -> bool:
    """Whether `url` is absolute and can be fetched without being overheard: https, or http on loopback."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def host_of(url: str) -> str | None:
    """Return the host of an address, or None where it names none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def explain(error: httpx.HTTPError) -> str:
    """Say what went wrong with a connection, in words and without the URL."""
    kinds: tuple[tuple[type[httpx.HTTPError], str], ...] = (
        (httpx.ConnectTimeout, "no connection within the time-out"),
        (httpx.TimeoutException, "no answer within the time-out"),
        (httpx.ConnectError, "no connection"),
        (httpx.ProxyError, "the proxy refused"),
        (httpx.UnsupportedProtocol, "an address that can't be used"),
        (httpx.RemoteProtocolError, "the connection broke off"),
        (httpx.NetworkError, "the connection broke off"),
    )
    words = next((text for kind, text in kinds if isinstance(error, kind)), type(error).__name__)
    detail = one_line(str(error)).rstrip(".")
    return f"{words} ({detail})" if detail else words
