"""From a signed URL to bytes: without API credentials, limited in size, resumed by range, whole or an error."""

from __future__ import annotations

import functools
import re
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

from kataven_notebook import errors
from kataven_notebook.redact import one_line
from kataven_notebook.service.client import ATTEMPTS
from kataven_notebook.service.hosts import ConnectionLost, StillAway
from kataven_notebook.service.retries import retry_context
from kataven_notebook.service.transfer import Clock, Transfer
from kataven_notebook.service.transport import (
    exchange,
    explain,
    httpx,
    is_safe_url,
    open_client,
    read_bounded,
    unpacked,
)
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kataven_notebook.service.answers import SignedUrl
    from kataven_notebook.service.hosts import Hosts

_REDIRECTS = 3
_ERROR_BODY_BYTES = 64 << 10
_ERROR_BODY_S = 10.0
# Attempts that get so much further are worth as many again.
_FURTHER_BYTES = 64 << 10
# A download may be slow, but not slower than a line that can hardly carry the sound of a call.
DEFAULT_TOTAL_TIMEOUT_S = 900.0


class Downloader:
    """Downloads from signed URLs; one for all threads of a run.

    Its HTTP client is separate from the API's, so that no credential of the API can reach a storage
    host.

    Parameters
    ----------
    timeout_s
        How long to wait for the next byte, seconds.
    max_bytes
        A larger recording raises `RecordingTooLarge`, before it is downloaded if its length is stated.
    total_timeout_s
        How long one download may take in all, seconds, so that a slow storage can't hold up a run.
    hosts
        What is known of the hosts; by default nothing, and nobody waits for one that is away.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        max_bytes: int,
        total_timeout_s: float = DEFAULT_TOTAL_TIMEOUT_S,
        hosts: Hosts | None = None,
    ) -> None:
        self._http = open_client(timeout_s=timeout_s)
        self._hosts = hosts
        self._max_bytes = max_bytes
        self._total_timeout_s = total_timeout_s
        # To connect, for the TLS handshake and for the head: up to a timeout each.
        self._head_s = 3 * timeout_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def fetch(
        self,
        signed: SignedUrl,
        transfer: Transfer,
        *,
        session_id: str | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Complete `transfer`, from where it stopped.

        Parameters
        ----------
        signed, transfer
            The URL, and what has arrived so far.
        session_id
            The session, for messages.
        stop
            Ends the download when set.

        Raises
        ------
        UrlExpired
            The storage says that the URL has expired, or refuses it after its expiry.
        RecordingTooLarge
            The recording is larger than `max_bytes`.
        RecordingCorrupt
            The storage sent it compressed, and it can't be unpacked.
        DownloadFailed
            The storage refuses, fails after all retries, or takes too long.
        Stopped
            `stop` was set.
        """
        stop = stop or threading.Event()
        clock = Clock(self._total_timeout_s)
        while True:
            reached_bytes = transfer.reached_bytes
            try:
                for attempt in retry_context(
                    on=_Again, attempts=ATTEMPTS, timeout=None, wait_initial=0.3, wait_max=8.0
                ):
                    with attempt:
                        self._through(signed, transfer, session_id, clock, stop)
            except _Again:
                # On a network that flaps each attempt brings a part: that is no failure.
                if transfer.reached_bytes - reached_bytes < _FURTHER_BYTES:
                    raise
            else:
                return

    def _through(
        self, signed: SignedUrl, transfer: Transfer, session_id: str | None, clock: Clock, stop: threading.Event
    ) -> None:
        """Try once, and where the storage is away, wait for it and try again."""

        def send() -> None:
            with clock:
                self._once(signed, transfer, session_id, clock.ends_at, stop)

        try:
            if self._hosts is None:
                send()
            else:
                self._hosts.through(signed.url, send, stop)
        except StillAway as away:
            raise errors.DownloadFailed(
                f"the download failed: {away}, and max_wait is over; call again", session_id=session_id
            ) from None
        except ConnectionLost as lost:
            if clock.is_over:
                raise self._too_slow(transfer, session_id) from None
            is_unknown = self._hosts is not None and self._hosts.is_unknown(lost.origin)
            advice = "call again"
            if is_unknown:
                advice = f"{lost.host} has never answered on this machine: check the proxy and the VPN"
            raise StorageLost(
                f"the download failed: {lost.reason}; {advice}", session_id=session_id, lost=lost, is_unknown=is_unknown
            ) from None

    def _once(
        self, signed: SignedUrl, transfer: Transfer, session_id: str | None, ends_at: float, stop: threading.Event
    ) -> None:
        if stop.is_set():
            raise Stopped
        headers = {}
        if transfer.received_bytes and transfer.etag:
            headers = {"Range": f"bytes={transfer.received_bytes}-", "If-Match": transfer.etag}
        elif transfer.received_bytes:
            # Without a strong ETag the rest may be of another object.
            transfer.restart()
        # Never the bare text of the URL: a traceback with variables would show it.
        at = signed
        began_at = time.monotonic()
        try:
            for _ in range(_REDIRECTS + 1):
                with exchange(self._http, at.url, headers=headers, head_s=self._head_s, ends_at=ends_at) as response:
                    self._note_answer(at)
                    if not response.has_redirect_location:
                        self._receive(response, transfer, signed, session_id, ends_at, stop)
                        self._note_answer(at, is_whole=True)
                        return
                    at = replace(at, url=redirected(at.url, response.headers["Location"], session_id))
        except httpx.HTTPError as error:
            raise ConnectionLost(at.url, explain(error), began_at, session_id=session_id) from None
        raise errors.DownloadFailed(
            f"the storage redirects in a circle (more than {_REDIRECTS} times)", session_id=session_id
        )

    def _note_answer(self, at: SignedUrl, *, is_whole: bool = False) -> None:
        """Note that the storage is there; to be asked again are those whose sound came whole, which did not break."""
        if self._hosts is not None:
            self._hosts.answered(at.url, ask_again=functools.partial(self.ask_again, at) if is_whole else None)

    def ask_again(self, signed: SignedUrl) -> None:
        """Ask for what was answered before, and read the head alone; an expired URL is answered, too.

        Raises
        ------
        ConnectionLost
            No answer came.
        """
        began_at = time.monotonic()
        try:
            with exchange(self._http, signed.url, ends_at=began_at + self._head_s):
                pass
        except httpx.HTTPError as error:
            raise ConnectionLost(signed.url, explain(error), began_at) from None

    def _receive(
        self,
        response: httpx.Response,
        transfer: Transfer,
        signed: SignedUrl,
        session_id: str | None,
        ends_at: float,
        stop: threading.Event,
    ) -> None:
        if response.status_code not in (200, 206):
            raise _refusal(response, transfer, signed, session_id)
        resumed = response.status_code == 206 and _continues(response, transfer)
        if not resumed:
            if response.status_code == 206:
                transfer.restart()
                raise _Again("the storage sent another part than was asked for; call again", session_id=session_id)
            transfer.restart()
            transfer.total_bytes = _stated_length(response)
            transfer.etag = _strong_etag(response)
        self._check_size(max(transfer.received_bytes, transfer.total_bytes or 0), session_id)
        for chunk in _sound(response, session_id):
            if not transfer.received_bytes and _is_page(response, chunk):
                raise errors.DownloadFailed(
                    "a web page came in place of sound: a network that asks to sign in, or a proxy, answers for the "
                    "storage; call again when that is settled",
                    session_id=session_id,
                )
            transfer.write(chunk)
            self._check_size(transfer.received_bytes, session_id)
            if stop.is_set():
                raise Stopped
            if time.monotonic() > ends_at:
                raise self._too_slow(transfer, session_id)
        if transfer.total_bytes is not None and transfer.received_bytes < transfer.total_bytes:
            raise _Again(
                f"{transfer.received_bytes:,} of {transfer.total_bytes:,} bytes arrived; call again",
                session_id=session_id,
            )

    def _too_slow(self, transfer: Transfer, session_id: str | None) -> errors.DownloadFailed:
        how_long = f"more than {self._total_timeout_s:.0f} s for {transfer.received_bytes:,} bytes"
        return errors.DownloadFailed(f"the download took {how_long}: call again", session_id=session_id)

    def _check_size(self, size_bytes: int, session_id: str | None) -> None:
        if size_bytes > self._max_bytes:
            raise errors.RecordingTooLarge(
                f"the recording has at least {size_bytes:,} bytes, and max_bytes is {self._max_bytes:,}: pass a larger "
                "max_bytes",
                session_id=session_id,
            )


def _sound(response: httpx.Response, session_id: str | None) -> Iterator[bytes]:
    try:
        yield from unpacked(response)
    except ValueError as error:
        raise errors.RecordingCorrupt(f"the storage sent no readable sound: {error}", session_id=session_id) from None


def _is_page(response: httpx.Response, start: bytes) -> bool:
    """Return whether somebody answers with a page: that says nothing about the recording, and is not final."""
    is_stated = response.headers.get("Content-Type", "").lower().startswith("text/html")
    return is_stated and start.lstrip()[:16].lower().startswith((b"<!doctype", b"<html"))


class _Again(errors.DownloadFailed):
    """A failure that another try may pass."""


class StorageLost(_Again):
    """No answer came from the storage, or it broke off.

    Parameters
    ----------
    message, session_id
        As for `SessionError`.
    lost
        Whose answer, and why.
    is_unknown
        Whether the storage has never answered on this machine.
    """

    def __init__(
        self,
        message: str,
        *,
        session_id: str | None = None,
        lost: ConnectionLost | None = None,
        is_unknown: bool = False,
    ) -> None:
        super().__init__(message, session_id=session_id)
        self.origin, self.reason = (lost.origin, lost.reason) if lost is not None else ("", "")
        self.is_unknown = is_unknown


def redirected(url: str, location: str, session_id: str | None) -> str:
    """Return where a redirect leads.

    Raises
    ------
    DownloadFailed
        To an address that is not safe to fetch.
    """
    try:
        target = urljoin(url, location)
    except ValueError:
        target = ""
    # Over plain http anybody on the way could listen.
    if not is_safe_url(target) or (urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https"):
        raise errors.DownloadFailed(
            "the storage redirects to an address that is not https, which is not followed: tell the service's support",
            session_id=session_id,
        )
    return target


def _continues(response: httpx.Response, transfer: Transfer) -> bool:
    stated = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    if stated is None or int(stated[1]) != transfer.received_bytes:
        return False
    return stated[3] == "*" or transfer.total_bytes in (None, int(stated[3]))


def _stated_length(response: httpx.Response) -> int | None:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    text = response.headers.get("Content-Length", "")
    return int(text) if re.fullmatch(r"\d{1,18}", text) else None


def _strong_etag(response: httpx.Response) -> str | None:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    etag: str = response.headers.get("ETag", "")
    return etag if re.fullmatch(r'"[\x21\x23-\x7e]{1,200}"', etag) else None


def _refusal(
    response: httpx.Response, transfer: Transfer, signed: SignedUrl, session_id: str | None
) -> errors.SessionError:
    # S3's error document names the reason; of any other body only the status counts.
    code = response.status_code
    text = (read_bounded(response, _ERROR_BODY_BYTES, timeout_s=_ERROR_BODY_S) or b"").decode("utf-8", "replace")
    s3_code = xml_text(text, "Code")
    said = xml_text(text, "Message")
    what = f"{code} {s3_code}".strip() + (f": {said.rstrip('.')}" if said else "")
    if code in (412, 416):
        transfer.restart()
        return _Again("the recording changed while it was downloaded; call again", session_id=session_id)
    expired = s3_code in ("ExpiredToken", "RequestExpired") or "expired" in said.lower()
    if code in (400, 401, 403) and (expired or (code == 403 and not signed.lives(0.0))):
        return errors.UrlExpired(
            f"the storage says that the URL has expired ({what}); call again", session_id=session_id
        )
    if code >= 500 or code in (408, 429) or s3_code == "SlowDown":
        return _Again(f"the storage failed ({what}), also when asked again; call again later", session_id=session_id)
    if code == 404:
        return errors.DownloadFailed(
            f"the storage has no such object ({what}), although the Hub signed a URL for it: call again later",
            session_id=session_id,
        )
    return errors.DownloadFailed(f"the storage refuses the URL ({what}): call again", session_id=session_id)


def xml_text(text: str, tag: str) -> str:
    """Return the text of a tag in a storage's error document, or an empty text."""
    found = re.search(rf"<{tag}>([^<]{{0,500}})</{tag}>", text)
    return one_line(found[1]) if found else ""
