"""Where connections go: certificates, proxies of the environment, redirects, and who sees the key."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Self

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import demo
from kataven_notebook.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.core

KEY = "sk_live_demo_0123456789"
ONE = pd.DataFrame({"session_id": ["s1"]})
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")


class Server:
    """A small HTTP(S) server on loopback that answers as it is told and keeps what it was asked."""

    def __init__(self, answers: dict[str, tuple[int, dict[str, str], bytes]], *, files: Path | None = None) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        seen = self.seen

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
                path = self.path.partition("?")[0]
                code, headers, body = answers.get(path, (404, {}, b"no such thing"))
                self.send_response(code)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        scheme = "http"
        if files is not None:
            scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files / "cert.pem", files / "key.pem")
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A folder with a self-signed certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificate")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=127.0.0.1"
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:TRUE"]
    subprocess.run([*command.split(), *more], cwd=folder, check=True, capture_output=True)
    return folder


def signed(url: str) -> tuple[int, dict[str, str], bytes]:
    """An answer of the Hub."""
    return (200, {"Content-Type": "application/json"}, json.dumps({"url": url}).encode())


@contextlib.contextmanager
def https_service(
    certificate: Path, wav: bytes, **storage: tuple[int, dict[str, str], bytes]
) -> Iterator[tuple[Server, Server]]:
    """A Hub and a storage on https; the storage's answers can be replaced."""
    answers = {"/s1.wav": (200, {}, wav)} | {f"/{name}.wav": answer for name, answer in storage.items()}
    with Server(answers, files=certificate) as store:
        hub_answers = {"/v1/sessions/s1/recording": signed(f"{store.url}/s1.wav?X-Amz-Signature=0f3a")}
        with Server(hub_answers, files=certificate) as hub:
            yield hub, store


def child(hub: Server, tmp_path: Path, **environment: str) -> dict[str, object]:
    """Fetch s1 in a process of its own, whose trust and proxies are those of its environment; return the row."""
    script = (
        "import sys, json, pandas as pd, kataven_notebook as kn\n"
        "import stamina; stamina.set_testing(True, attempts=2)\n"
        "got = kn.audio(pd.DataFrame({'session_id': ['s1']}), progress=False)\n"
        "print(got[['recording_status', 'recording_error']].astype(object).iloc[0].to_json())\n"
    )
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and "SSL_" not in name}
    own = {"KATAVEN_API_KEY": KEY, "KATAVEN_BASE_URL": f"{hub.url}/v1", "KATAVEN_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=kept | own | environment, capture_output=True, text=True, check=True
    )
    assert KEY not in done.stdout + done.stderr
    return json.loads(done.stdout)


@needs_openssl
def test_a_certificate_that_nobody_vouches_for_is_refused(certificate, wav, tmp_path) -> None:
    """Before anything was sent: neither key nor path."""
    with https_service(certificate, wav) as (hub, store):
        row = child(hub, tmp_path)
        assert row["recording_status"] == "failed"
        assert "certificate" in row["recording_error"].lower()
        assert not hub.seen
        assert not store.seen


@needs_openssl
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own store decides")
def test_an_authority_of_the_environment_is_trusted(certificate, wav, tmp_path) -> None:
    """SSL_CERT_FILE names it, as everywhere on Linux; the key goes to the API alone."""
    with https_service(certificate, wav) as (hub, store):
        row = child(hub, tmp_path, SSL_CERT_FILE=str(certificate / "cert.pem"))
        assert row == {"recording_status": "downloaded", "recording_error": None}
        assert hub.seen[0][2]["authorization"] == f"Bearer {KEY}"
        assert [path for _, path, _ in store.seen] == ["/s1.wav?X-Amz-Signature=0f3a"]
        assert not {"authorization", "cookie", "x-account-id"} & set(store.seen[0][2])
        assert KEY not in str(store.seen)


@needs_openssl
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own store decides")
def test_the_trust_store_of_the_system_decides(certificate, wav, tmp_path) -> None:
    """As OpenSSL reads it, file and folder both; a list of authorities that comes with a package knows neither."""
    name = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", certificate / "cert.pem"],
        capture_output=True,
        text=True,
        check=True,
    )
    (tmp_path / "authorities").mkdir()
    shutil.copy(certificate / "cert.pem", tmp_path / "authorities" / f"{name.stdout.strip()}.0")
    (tmp_path / "none.pem").touch()
    trust = {"SSL_CERT_FILE": str(tmp_path / "none.pem"), "SSL_CERT_DIR": str(tmp_path / "authorities")}
    with https_service(certificate, wav) as (hub, _):
        assert child(hub, tmp_path, **trust)["recording_status"] == "downloaded"


@needs_openssl
@pytest.mark.skipif(sys.platform != "linux", reason="trust by SSL_CERT_FILE")
@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/s1.wav", "http://example.com/s1.wav", "ftp://127.0.0.1/s1.wav"]
)
def test_a_redirect_never_leaves_https(certificate, wav, tmp_path, place) -> None:
    """Not even to loopback: what listens there is no storage."""
    with Server({"/s1.wav": (200, {}, wav)}) as plain:
        away = (307, {"Location": place.format(port=plain.port)}, b"")
        with https_service(certificate, wav, s1=away) as (hub, store):
            row = child(hub, tmp_path, SSL_CERT_FILE=str(certificate / "cert.pem"))
            assert row["recording_status"] == "failed"
            assert "not https" in row["recording_error"]
            assert len(store.seen) == 1
            assert not plain.seen


@needs_openssl
@pytest.mark.skipif(sys.platform != "linux", reason="trust by SSL_CERT_FILE")
def test_a_hub_on_https_can_not_send_to_plain_http(certificate, wav, tmp_path) -> None:
    """A service on the network has no business with what listens on this machine."""
    with Server({"/s1.wav": (200, {}, wav)}) as plain:
        answers = {"/v1/sessions/s1/recording": signed(f"{plain.url}/s1.wav?X-Amz-Signature=0f3a")}
        with Server(answers, files=certificate) as hub:
            row = child(hub, tmp_path, SSL_CERT_FILE=str(certificate / "cert.pem"))
        assert row["recording_status"] == "failed"
        assert not plain.seen


class Proxy:
    """A proxy on loopback that tunnels, and keeps the heads of what it was sent."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._tunnel, args=(connection,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head and (piece := client.recv(4_096)):
                head += piece
            self.heads.append(head.decode())
            if not head.startswith(b"CONNECT "):
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as target:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                sending = threading.Thread(target=_pump, args=(client, target))
                sending.start()
                _pump(target, client)
                sending.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy."""
    running = Proxy()
    yield running
    running.close()


@needs_openssl
@pytest.mark.skipif(sys.platform != "linux", reason="trust by SSL_CERT_FILE")
def test_a_proxy_of_the_environment_is_used_and_sees_no_secret(certificate, wav, tmp_path, proxy) -> None:
    """API and storage go through its tunnel: it learns the hosts, and neither key nor signature."""
    with https_service(certificate, wav) as (hub, store):
        row = child(
            hub, tmp_path, SSL_CERT_FILE=str(certificate / "cert.pem"), HTTPS_PROXY=proxy.url, HTTP_PROXY=proxy.url
        )
        assert row["recording_status"] == "downloaded"
        assert sorted(head.split()[1] for head in proxy.heads) == sorted(
            f"127.0.0.1:{each.port}" for each in (hub, store)
        )
        assert KEY not in str(proxy.heads)
        assert "0f3a" not in str(proxy.heads)


def test_plain_http_on_loopback_passes_no_proxy(wav, proxy, monkeypatch) -> None:
    """It would carry the key, readable, to another machine."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    with demo.hub(sessions={"s1": wav}) as hub:
        got = kn.audio(ONE, settings=hub.settings, progress=False)
    assert got["recording_status"].tolist() == ["downloaded"]
    assert not proxy.heads


@pytest.mark.parametrize("url", ["http://api.kataven.ai/v1", "http://10.0.0.1/v1", "http://127.0.0.1.example.com/v1",
                                 "http://localhost.example.com", "ftp://127.0.0.1/", "http://0.0.0.0/"])  # fmt: skip
def test_plain_http_is_for_loopback_alone(url) -> None:
    """A key is never sent readable over a network."""
    with pytest.raises(kn.errors.ConfigurationError):
        Settings(api_key=KEY, base_url=url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://localhost:8000/v1", "http://[::1]:8000", "https://a.example"]
)
def test_loopback_and_https_may_be_used(url) -> None:
    """For the demo Hub and for tests of one's own."""
    assert Settings(api_key=KEY, base_url=url).base_url == url


def test_the_api_is_not_followed_elsewhere(wav) -> None:
    """A redirect of the API is an answer, not a way: the key stays where it was sent."""
    with Server({}) as elsewhere:
        away = (307, {"Location": f"{elsewhere.url}/v1/sessions/s1/recording"}, b"")
        with Server({"/v1/sessions/s1/recording": away}) as hub:
            settings = Settings(api_key=KEY, base_url=f"{hub.url}/v1")
            got = kn.audio(ONE, settings=settings, progress=False)
        assert got["recording_status"].tolist() == ["failed"]
        assert "redirects" in got["recording_error"][0]
        assert len(hub.seen) == 1
        assert not elsewhere.seen


def test_a_redirect_of_the_storage_carries_nothing_of_ours(wav) -> None:
    """Another host gets the path that it is named and no header that says who asks; no cookie comes back either."""
    with Server({"/other.wav": (200, {}, wav)}) as second:
        away = (
            307,
            {"Location": f"{second.url.replace('127.0.0.1', 'localhost')}/other.wav", "Set-Cookie": "id=7"},
            b"",
        )
        with Server({"/s1.wav": away}) as first:
            answers = {"/v1/sessions/s1/recording": signed(f"{first.url}/s1.wav?X-Amz-Signature=0f3a")}
            with Server(answers) as hub:
                settings = Settings(api_key=KEY, account_id="demo", base_url=f"{hub.url}/v1")
                got = kn.audio(ONE, settings=settings, progress=False)
        assert got["recording_status"].tolist() == ["downloaded"]
        assert second.seen[0][1] == "/other.wav"
        for server in (first, second):
            _, _, headers = server.seen[0]
            assert not {"authorization", "x-account-id", "cookie", "referer", "proxy-authorization"} & set(headers)
            assert KEY not in str(server.seen)
        assert "0f3a" not in str(second.seen)
