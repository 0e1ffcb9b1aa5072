"""The proxy of the environment: one that can't work is one clear error, and its password is never shown."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook.service.budget import shared_budget
from kataven_notebook.service.proxies import EnvironmentProxy, check_proxy
from kataven_notebook.service.transport import exchange, explain, httpx, open_client

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.core

HTTPS = kn.Settings(api_key="sk_live_acme_0123456789", base_url="https://127.0.0.1:9/v1")
SECRETS = ("alice", "s3cret")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch) -> None:
    """Start without the proxies of the machine that runs the tests."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextlib.contextmanager
def listener(*answers: bytes, asked: list[bytes] | None = None) -> Iterator[int]:
    """A port that sends the same answers to whoever connects and asks, and keeps what it was asked."""
    kept = [] if asked is None else asked
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        for answer in answers:
                            kept.append(connection.recv(4_096))
                            connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def failure(url: str) -> str:
    """What is said of a request that fails."""
    with (
        open_client(timeout_s=5.0) as client,
        pytest.raises(httpx.HTTPError) as caught,
        exchange(client, url, ends_at=time.monotonic() + 30),
    ):
        pass
    return explain(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("HTTPS_PROXY", "htp://x", "the proxy htp://x (HTTPS_PROXY) can't be used: it begins with none of http://"),
        ("https_proxy", "proxy:99999", "the proxy http://proxy:99999 (https_proxy) can't be used: it must be a host"),
        ("HTTPS_PROXY", "proxy:none", "the proxy http://proxy:none (HTTPS_PROXY) can't be used: it must be a host"),
        ("HTTPS_PROXY", "http://proxy:0", "from 1 to 65535"),
        ("ALL_PROXY", "http://:3128", "the proxy http://:3128 (ALL_PROXY) can't be used: it must be a host"),
        ("ALL_PROXY", "socks4://proxy:1080", "the proxy socks4://proxy:1080 (ALL_PROXY) can't be used"),
        ("HTTPS_PROXY", "http://][::3128/", "(HTTPS_PROXY) can't be used"),
        ("HTTPS_PROXY", "http://pröxy:3128", "(HTTPS_PROXY) can't be used"),
        ("HTTPS_PROXY", "http://[::1", "(HTTPS_PROXY) can't be used"),
        ("HTTPS_PROXY", "http://pro xy:1", "(HTTPS_PROXY) can't be used"),
        ("HTTPS_PROXY", "htp://alice:s3cret@x", "the proxy htp://x (HTTPS_PROXY)"),
        ("HTTPS_PROXY", "alice:s3cret@proxy:99999", "the proxy http://proxy:99999 (HTTPS_PROXY)"),
        ("HTTPS_PROXY", "http://alice:s3cret/@x@proxy:none/s3cret", "the proxy http://proxy:none (HTTPS_PROXY)"),
    ],
)
def test_a_proxy_that_cant_be_used_is_one_error_that_names_it(monkeypatch, name, value, says) -> None:
    """Before any row, and without user and password."""
    monkeypatch.setenv(name, value)
    with pytest.raises(kn.errors.ConfigurationError) as caught:
        kn.audio(calls("s0", "s1"), settings=HTTPS, progress=False)
    assert says in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS)
    assert not any(secret in repr(EnvironmentProxy.find()) for secret in SECRETS)


def test_a_socks_proxy_is_used_where_its_extra_is_installed(monkeypatch) -> None:
    """It is asked for the host by name; `test_bare_install.py` has what is said without the extra."""
    if importlib.util.find_spec("socksio") is None:
        return
    asked: list[bytes] = []
    with listener(b"\x05\x00", b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00", asked=asked) as port:
        monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{port}")
        said = failure("https://api.example/v1")
    assert b"api.example" in asked[1]
    assert said.endswith(f", through the proxy socks5://127.0.0.1:{port} (ALL_PROXY))")


@pytest.mark.parametrize("value", ["socks5://127.0.0.1:9", "htp://x", "proxy:99999", "http://127.0.0.1:9"])
def test_loopback_is_left_alone_whatever_the_proxy(hub, monkeypatch, value) -> None:
    """A demo, and a Hub behind a tunnel, need none."""
    for name in ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, value)
    assert set(kn.audio(hub.sessions, settings=hub.settings, progress=False)["recording_status"]) == {"downloaded"}


def test_a_proxy_that_cant_be_reached_is_named(monkeypatch, closed_port) -> None:
    """In the row, since a proxy may come back: and it is not the service that is away."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://alice:s3cret@127.0.0.1:{closed_port}")
    row = kn.audio(calls("s0"), settings=HTTPS, progress=False).iloc[0]
    assert row["recording_status"] == "failed"
    says = f"no connection (the proxy http://127.0.0.1:{closed_port} (HTTPS_PROXY) can't be reached: "
    assert says in row["recording_error"]
    assert not any(secret in row["recording_error"] for secret in SECRETS)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "the proxy refused (407"),
        (b"SSH-2.0-OpenSSH_9.7\r\n", "the connection broke off"),
        (b"", "the connection broke off"),
    ],
    ids=["refuses", "no proxy at all", "hangs up"],
)
def test_an_error_on_the_way_through_a_proxy_names_it(monkeypatch, answer, says) -> None:
    """Whoever reads it looks at the proxy too."""
    with listener(answer) as port:
        monkeypatch.setenv("ALL_PROXY", f"alice:s3cret@127.0.0.1:{port}")
        said = failure("https://api.example/v1")
    assert said.startswith(says)
    assert said.endswith(f", through the proxy http://127.0.0.1:{port} (ALL_PROXY))")


def test_a_request_that_the_proxy_refused_is_not_counted(monkeypatch) -> None:
    """It never reached the service."""
    with listener(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        kn.audio(calls("s0"), settings=HTTPS, progress=False)
    assert shared_budget(HTTPS).forecast(60).now == 60


def test_a_storage_behind_a_broken_proxy_is_its_rows_error(monkeypatch, closed_port) -> None:
    """Where the service itself needs no proxy, and on a worker whose machine has another."""
    monkeypatch.setenv("HTTPS_PROXY", "htp://alice:s3cret@x")
    said = failure(f"https://127.0.0.1:{closed_port}/a.wav")
    assert "the proxy htp://x (HTTPS_PROXY) can't be used" in said
    assert "s3cret" not in said


@pytest.mark.parametrize("broken", ["http://127.0.0.1:9", "htp://x"])
def test_hosts_that_no_proxy_names_are_asked_directly(monkeypatch, closed_port, broken) -> None:
    """Also where the proxy could not be used at all."""
    monkeypatch.setenv("HTTPS_PROXY", broken)
    monkeypatch.setenv("NO_PROXY", "example.com, 127.0.0.1")
    check_proxy("https://127.0.0.1/v1")
    check_proxy("https://api.example.com/v1")
    said = failure(f"https://127.0.0.1:{closed_port}/a.wav")
    assert said.startswith("no connection")
    assert "proxy" not in said


def test_the_variable_for_https_comes_before_the_one_for_all(monkeypatch) -> None:
    """And an address without a scheme is that of an HTTP proxy."""
    assert EnvironmentProxy.find() is None
    monkeypatch.setenv("ALL_PROXY", "socks5://one:1")
    assert str(EnvironmentProxy.find()) == "the proxy socks5://one:1 (ALL_PROXY)"
    monkeypatch.setenv("https_proxy", " two:2 ")
    assert str(EnvironmentProxy.find()) == "the proxy http://two:2 (https_proxy)"
    monkeypatch.setenv("HTTP_PROXY", "http://three:3")
    assert str(EnvironmentProxy.find()) == "the proxy http://two:2 (https_proxy)"
    assert EnvironmentProxy(url="http://two:2", source="").problem is None
    assert EnvironmentProxy(url="https://a:b@[::1]:2", source="").problem is None
