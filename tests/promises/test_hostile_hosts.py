"""Answers that no honest host gives: each ends in bounded time, as an outcome of its row."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.service.answers import SignedUrl
from kataven_notebook.service.download import Downloader
from kataven_notebook.service.transfer import Transfer
from kataven_notebook.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.core

KEY = "sk_live_demo_0123456789"
# Moves the cursor, names the window, and turns round what follows.
OBEYED = "\x1b[2J\x1b]0;mine\x07\u202eevil\u2028"


@contextlib.contextmanager
def host(answer: Callable[[socket.socket], object]) -> Iterator[tuple[str, list[bytes]]]:
    """A server on loopback that says what `answer` sends, byte by byte; its address, and what it was asked."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while head := connection.recv(65_536):
                asked.append(head)
                answer(connection)

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked


def said(code: int, body: str = "", **headers: str) -> Callable[[socket.socket], object]:
    """Send one answer."""
    lines = [f"HTTP/1.1 {code} Said", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda connection: connection.sendall("\r\n".join([*lines, "", body]).encode())


def dripping(start: bytes, drop: bytes) -> Callable[[socket.socket], object]:
    """Send a beginning, and then a little again and again, for ever."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        pause = threading.Event()
        while True:
            connection.sendall(drop)
            pause.wait(0.02)

    return answer


OK = b"HTTP/1.1 200 OK\r\n"
DRIPPING = {
    "a header": dripping(OK, b"x"),
    "interim answers": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a chunk's length": dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "trailers": dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"x"),
    "a refusal": dripping(b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
}


def outcome(hub_url: str) -> tuple[str, str]:
    """What becomes of one row."""
    settings = Settings(api_key=KEY, base_url=f"{hub_url}/v1", request_timeout_s=0.1)
    got = kn.audio(pd.DataFrame({"session_id": ["s1"]}), settings=settings, progress=False)
    return got["recording_status"][0], got["recording_error"][0]


@pytest.mark.parametrize("answer", DRIPPING.values(), ids=DRIPPING)
def test_a_storage_that_drips_is_given_up(answer) -> None:
    """Wherever it drips: each byte comes in time, and all of them never."""
    with (
        host(answer) as (url, _),
        Downloader(timeout_s=0.1, max_bytes=1_000, total_timeout_s=0.4) as downloader,
        pytest.raises(kn.errors.DownloadFailed),
    ):
        downloader.fetch(SignedUrl(f"{url}/s1.wav", time.time() + 300), Transfer())


@pytest.mark.parametrize("answer", DRIPPING.values(), ids=DRIPPING)
def test_a_hub_that_drips_is_given_up(answer) -> None:
    """The same."""
    with host(answer) as (url, _):
        assert outcome(url)[0] == "failed"


@pytest.mark.parametrize(
    "place", ["http://[bad", "//[x/", "mailto:somebody", "http://a:x/", "http://xn--\xff/", "\x01"]
)
def test_a_redirect_to_what_is_no_address_fails_its_row_alone(place) -> None:
    """By the Hub or by the storage: it is no error of the caller's program."""
    with host(said(302, Location=place)) as (url, _):
        assert outcome(url)[0] == "failed"
        with host(said(200, json.dumps({"url": f"{url}/s1.wav"}))) as (hub, _):
            assert outcome(hub)[0] == "failed"


@pytest.mark.parametrize("url", [f"https://{'a' * 70}.example/", f"https://a.example/{'b' * 70_000}", "https://a..b/"])
def test_a_signed_url_that_is_no_address_fails_its_row_alone(url) -> None:
    """Long past what a name or an address may be."""
    with host(said(200, json.dumps({"url": url}))) as (hub, _):
        assert outcome(hub)[0] == "failed"


def test_what_hosts_say_can_not_speak_to_the_terminal() -> None:
    """Their words are shown, without what a terminal or a reader's eyes would obey."""
    xml = f"<Error><Code>No{OBEYED}</Code><Message>said {OBEYED}</Message></Error>"
    with host(said(400, xml)) as (storage, _):
        answers = [
            said(404, f"gone {OBEYED}"),
            said(418, OBEYED),
            said(200, json.dumps({OBEYED: 1})),
            said(200, json.dumps({"url": f"{storage}/s1.wav"})),
        ]
        for answer in answers:
            with host(answer) as (hub, _):
                _, error = outcome(hub)
                assert error.isprintable()
                assert "evil" in error


def test_no_cookie_is_kept(wav) -> None:
    """Neither for the host that set it: rows are not to be told from one another."""
    kept = {"Set_Cookie": "id=7; Path=/; Max-Age=99999"}
    with (
        host(said(404, "gone", **kept)) as (storage, asked),
        host(said(200, json.dumps({"url": f"{storage}/s1.wav"}), **kept)) as (hub, asked_hub),
    ):
        settings = Settings(api_key=KEY, base_url=f"{hub}/v1", limits=kn.Limits(in_flight=1))
        kn.audio(pd.DataFrame({"session_id": ["s1", "s2", "s3"]}), settings=settings, progress=False)
    assert len(asked) >= 3
    assert len(asked_hub) == 3
    assert not [head for head in asked + asked_hub if b"cookie" in head.lower()]
