"""The proxy of the environment: chosen, held against what can work, and named where it is the cause of an error."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore

from kataven_notebook.errors import ConfigurationError, MissingExtra
from kataven_notebook.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCHEMES = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentProxy:
    """The proxy that https requests of this process take; plain http is for loopback alone and takes none.

    Parameters
    ----------
    url
        Its address, with the user and password that may stand in it.
    source
        Where the address stands: the name of a variable, or the system's settings.
    """

    url: str = field(repr=False)
    source: str

    @classmethod
    def find(cls) -> Self | None:
        """Return the proxy for https that the environment, or else the system, states; None where there is none."""
        stated = getproxies()
        scheme = next((each for each in ("https", "all") if stated.get(each, "").strip()), None)
        if scheme is None:
            return None
        url = stated[scheme].strip()
        names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
        source = next((name for name in names if os.environ.get(name)), "the system's settings")
        return cls(url=url if "://" in url else f"http://{url}", source=source)

    def __str__(self) -> str:
        """Return scheme, host, port and source: what may be shown."""
        scheme, _, rest = self.url.partition("://")
        # A user and a password end with the last @, whatever characters they hold.
        address = rest.rpartition("@")[2].partition("/")[0]
        return f"the proxy {one_line(f'{scheme}://{address}')} ({self.source})"

    def takes(self, host: str) -> bool:
        """Return whether requests to `host` go through it: NO_PROXY names those that do not."""
        return not proxy_bypass(host)

    @property
    def problem(self) -> ConfigurationError | MissingExtra | None:
        """The error that says why it can't be used, and what to do; None where it can."""
        scheme = self.url.partition("://")[0].lower()
        if scheme not in _SCHEMES:
            why = f"it begins with none of {', '.join(f'{each}://' for each in _SCHEMES)}"
        elif not _has_address(self.url):
            why = "it must be a host and a port from 1 to 65535"
        elif scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
            return MissingExtra.of("socks", str(self))
        else:
            return None
        return ConfigurationError(f"{self} can't be used: {why}; correct the proxy or remove it")


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        is_host = re.fullmatch(r"[\w.-]+", host, re.ASCII) is not None or bool(ipaddress.IPv6Address(host))
    except ValueError:
        return False
    is_host = is_host and "[" not in parts.netloc.rpartition("@")[2][1:]
    return is_host and url.isprintable() and " " not in url and port != 0


def check_proxy(url: str) -> None:
    """Raise where requests to `url` would take a proxy that can't be used, before one is sent.

    Raises
    ------
    ConfigurationError
        The address of the proxy is none.
    MissingExtra
        A SOCKS proxy without the extra that it needs.
    """
    parts = urlsplit(url)
    proxy = EnvironmentProxy.find()
    if proxy is None or parts.scheme != "https" or not proxy.takes(parts.hostname or ""):
        return
    if (problem := proxy.problem) is not None:
        raise problem


class ProxyBackend(httpcore.NetworkBackend):
    """Opens connections to a proxy, and says in errors that it is the proxy that can't be reached.

    Parameters
    ----------
    inner
        Opens the connections.
    proxy
        The proxy that they lead to.
    """

    def __init__(self, inner: httpcore.NetworkBackend, proxy: EnvironmentProxy) -> None:
        self._inner = inner
        self._proxy = proxy

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the proxy.

        Raises
        ------
        httpcore.ConnectError, httpcore.ConnectTimeout
            It can't be reached.
        """
        try:
            return self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise type(error)(f"{self._proxy} can't be reached: {error}") from None

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._inner.sleep(seconds)
