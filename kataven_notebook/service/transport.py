"""What the clients of the API and of the storage share: trust, proxies, timeouts, and bounded bodies."""

from __future__ import annotations

import ssl
import time
import zlib
from contextlib import ExitStack, contextmanager
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx as httpx  # noqa: PLC0414 - others import it from here, so that the library is named once
import truststore

from kataven_notebook._version import __version__
from kataven_notebook.redact import guard_http_logging, one_line
from kataven_notebook.service.deadline import DeadlineBackend, until
from kataven_notebook.service.proxies import EnvironmentProxy, ProxyBackend
from kataven_notebook.settings import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# S3 closes idle connections after about 20 s; ours are closed before.
_KEEPALIVE_S = 15.0
_PIECE_BYTES = 1 << 20
# Nobody took the connection, so the host can't have seen the request.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


@cache
def _trust() -> ssl.SSLContext:
    # The system's trust store, to which companies add their own authorities.
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def open_client(*, timeout_s: float, headers: Mapping[str, str] | None = None) -> httpx.Client:
    """Return a client for many threads: certificates verified, no redirect followed, nothing secret logged.

    Parameters
    ----------
    timeout_s
        How long to wait for a connection or for the next byte, seconds.
    headers
        Sent with each request, beside those that name this package.
    """
    guard_http_logging()
    direct, proxy = _transport(), EnvironmentProxy.find()
    mounts: dict[str, httpx.BaseTransport] = {}
    if proxy is not None:
        # Plain http is for loopback alone, and must not pass a proxy of the environment.
        mounts["https://"] = ByProxy(proxy, direct=direct, through=None if proxy.problem else _transport(proxy))
    client = httpx.Client(
        headers={
            "User-Agent": f"kataven-notebook/{__version__}",
            "Accept-Encoding": "identity",
            **(headers or {}),
        },
        timeout=httpx.Timeout(timeout_s, pool=None),
        transport=direct,
        mounts=mounts,
        # What httpx would take from the environment are the proxies, and it refuses to start where one is wrong.
        trust_env=False,
        follow_redirects=False,
    )
    # No host needs cookies here: they would only link the requests of one row with those of another.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return client


def _transport(proxy: EnvironmentProxy | None = None) -> httpx.HTTPTransport:
    transport = httpx.HTTPTransport(
        verify=_trust(),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=_KEEPALIVE_S),
        proxy=None if proxy is None else _checked(proxy),
    )
    # httpcore takes a network backend as a documented parameter, but httpx.HTTPTransport does not pass it on, so it
    # is set here. Where a later httpx names these attributes otherwise, the timeouts of single reads still hold, and
    # the tests of hosts that drip fail.
    pool = getattr(transport, "_pool", None)
    backend = getattr(pool, "_network_backend", None)
    if pool is not None and backend is not None:
        backend = DeadlineBackend(backend)
        pool._network_backend = backend if proxy is None else ProxyBackend(backend, proxy)  # noqa: SLF001 - see above
    return transport


def _checked(proxy: EnvironmentProxy) -> httpx.Proxy:
    # A proxy on https shows a certificate of its own, which the same authorities vouch for.
    return httpx.Proxy(proxy.url, ssl_context=_trust() if proxy.url.lower().startswith("https:") else None)


class ByProxy(httpx.BaseTransport):
    """Sends requests through a proxy, and directly to the hosts that NO_PROXY names.

    Parameters
    ----------
    proxy
        The proxy; its name stands in the errors of requests that take it.
    direct
        Sends the other requests; whoever made it closes it.
    through
        Sends requests through the proxy; None where the proxy can't be used.
    """

    def __init__(
        self, proxy: EnvironmentProxy, *, direct: httpx.BaseTransport, through: httpx.BaseTransport | None
    ) -> None:
        self._proxy = proxy
        self._direct = direct
        self._through = through

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises
        ------
        httpx.TransportError
            It failed; the message names the proxy where the request took it.
        """
        if not self._proxy.takes(request.url.host):
            return self._direct.handle_request(request)
        if self._through is None:
            raise httpx.UnsupportedProtocol(str(self._proxy.problem))
        try:
            return self._through.handle_request(request)
        except httpx.TransportError as error:
            text = str(error)
            by = "" if str(self._proxy) in text else f"through {self._proxy}"
            raise type(error)(", ".join(part for part in (text, by) if part)) from None

    def close(self) -> None:
        """Close the connections to the proxy."""
        if self._through is not None:
            self._through.close()


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
        The client that sends the request, its address, and further headers.
    head_s
        How long the head of the answer may take in all, seconds.
    ends_at
        The deadline of the whole exchange, by `time.monotonic`.

    Yields
    ------
    httpx.Response
        The answer; its body is not read yet.

    Raises
    ------
    httpx.HTTPError
        The exchange failed or passed a deadline; `UnsupportedProtocol` for an unusable address.
    """
    with ExitStack() as stack:
        try:
            with until(min(ends_at, time.monotonic() + head_s)):
                response = stack.enter_context(client.stream("GET", url, headers=headers))
        except (httpx.InvalidURL, ValueError):
            # httpx raises these for unusable addresses, those of redirects included.
            raise httpx.UnsupportedProtocol("") from None
        with until(ends_at):
            yield response


def unpacked(response: httpx.Response) -> Iterator[bytes]:
    """Yield a streamed body in pieces, unpacked where a host compressed it unasked.

    The pieces are bounded, since a few bytes can unpack to gigabytes.

    Raises
    ------
    ValueError
        The encoding is unknown, or the body can't be unpacked.
    httpx.HTTPError
        The connection failed, or passed its deadline.
    """
    encoding = response.headers.get("Content-Encoding", "identity").lower().strip()
    if encoding in ("", "identity"):
        # As it arrives: given a size, httpx waits until as much is there, and a slow body would have no end.
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
        The body takes more than `timeout_s` in all.
    httpx.HTTPError
        The connection failed.
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
    """Whether `url` is absolute and safe to fetch: https, or http on loopback."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def host_of(url: str) -> str | None:
    """Return the host of an address, or None where it has none."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def explain(error: httpx.HTTPError) -> str:
    """Return what went wrong with a connection, in words and without the URL."""
    kinds: tuple[tuple[type[httpx.HTTPError], str], ...] = (
        (httpx.ConnectTimeout, "no connection within the timeout"),
        (httpx.TimeoutException, "no answer within the timeout"),
        (httpx.ConnectError, "no connection"),
        (httpx.ProxyError, "the proxy refused"),
        (httpx.UnsupportedProtocol, "an address that can't be used"),
        (httpx.RemoteProtocolError, "the connection broke off"),
        (httpx.NetworkError, "the connection broke off"),
    )
    words = next((text for kind, text in kinds if isinstance(error, kind)), type(error).__name__)
    detail = one_line(str(error)).rstrip(".")
    return f"{words} ({detail})" if detail else words
