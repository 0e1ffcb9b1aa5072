"""Parts of a recording by its signed URL: a look at its beginning, and ranges as they are needed."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kataven_notebook.errors import DownloadFailed
from kataven_notebook.service.download import redirected, xml_text
from kataven_notebook.service.transport import exchange, explain, host_of, httpx, open_client, read_bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

_REDIRECTS = 3
_LOOK_BYTES = 64
_ERROR_BODY_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Look:
    """What a storage answers for the beginning of a recording.

    Attributes
    ----------
    host
        Who was asked.
    status
        The HTTP status; None where no answer came.
    head
        The first bytes, where it gave any.
    is_page, is_expired
        Whether it calls its answer a web page; whether it says that the URL has expired.
    is_silent
        Whether it took the connection, or may have, and has not answered in time.
    problem
        Why no answer came, without the URL.
    """

    host: str
    status: int | None = None
    head: bytes = b""
    is_page: bool = False
    is_expired: bool = False
    is_silent: bool = False
    problem: str = ""


def look(url: str, *, timeout_s: float) -> Look:
    """Ask for the first bytes of a recording, and return what came of it; never raises for the storage.

    Parameters
    ----------
    url
        Signed; it stands in no text.
    timeout_s
        How long the answer may take in all, seconds.
    """
    host = host_of(url) or "the storage"
    ends_at = time.monotonic() + timeout_s
    try:
        with (
            open_client(timeout_s=timeout_s) as http,
            _answer(http, url, f"bytes=0-{_LOOK_BYTES - 1}", ends_at) as response,
        ):
            status = response.status_code
            if status in (200, 206):
                is_page = response.headers.get("Content-Type", "").lower().startswith("text/html")
                return Look(host, status, head=_first(response), is_page=is_page)
            body = read_bounded(response, _ERROR_BODY_BYTES, timeout_s=timeout_s) or b""
            text = body.decode("utf-8", "replace")
            said = f"{xml_text(text, 'Code')} {xml_text(text, 'Message')}".lower()
            return Look(host, status, is_expired="expired" in said)
    except httpx.TimeoutException as error:
        # Slow to connect or slow to answer: it may still come.
        return Look(host, is_silent=True, problem=explain(error))
    except httpx.HTTPError as error:
        return Look(host, problem=explain(error))
    except DownloadFailed as error:
        return Look(host, problem=error.message)


def _first(response: httpx.Response) -> bytes:
    head = bytearray()
    # A host that ignores the range sends all: the rest is left with the connection.
    for chunk in response.iter_raw():
        head += chunk
        if len(head) >= _LOOK_BYTES:
            break
    return bytes(head[:_LOOK_BYTES])


@dataclass(frozen=True, slots=True)
class Part:
    """A range of a recording: its bytes, where they begin, and how many the recording has in all."""

    data: bytes
    first_byte: int
    total_bytes: int
    etag: str


class RangeReader:
    """Reads ranges of recordings; keeps its connections, so that many ranges cost one handshake.

    Parameters
    ----------
    timeout_s
        How long to wait for the next byte, seconds.
    """

    def __init__(self, *, timeout_s: float) -> None:
        self._http = open_client(timeout_s=timeout_s)
        self._timeout_s = timeout_s

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def read(self, url: str, first_byte: int, count: int, *, max_whole_bytes: int) -> Part:
        """Return `count` bytes from `first_byte` on, fewer at the end.

        A storage that knows no ranges sends all; that is returned as one part.

        Parameters
        ----------
        url
            Signed.
        first_byte, count
            Which range.
        max_whole_bytes
            How large a recording may be that comes whole.

        Raises
        ------
        DownloadFailed
            The storage refuses or fails, sends another range or too much, or the connection fails.
        """
        ends_at = time.monotonic() + 3 * self._timeout_s + count / 20_000
        try:
            with _answer(self._http, url, f"bytes={first_byte}-{first_byte + count - 1}", ends_at) as response:
                if response.status_code not in (200, 206):
                    raise DownloadFailed(f"the storage answers {response.status_code}")
                is_whole = response.status_code == 200
                data = read_bounded(response, max_whole_bytes if is_whole else count, timeout_s=3 * self._timeout_s)
                if data is None:
                    why = "the storage knows no ranges and the recording is large" if is_whole else "too much came"
                    raise DownloadFailed(why)
                stated = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", "").strip())
                etag = response.headers.get("ETag", "")
        except httpx.HTTPError as error:
            raise DownloadFailed(f"the storage sent no more: {explain(error)}") from None
        if is_whole:
            return Part(data, 0, len(data), etag)
        if stated is None or int(stated[1]) != first_byte or int(stated[2]) - first_byte + 1 != len(data):
            raise DownloadFailed("the storage sent another range than was asked for")
        return Part(data, first_byte, int(stated[3]), etag)


@contextmanager
def _answer(http: httpx.Client, url: str, wanted: str, ends_at: float) -> Iterator[httpx.Response]:
    """Yield the answer for a range, by way of a few safe redirects."""
    for _ in range(_REDIRECTS + 1):
        with exchange(http, url, headers={"Range": wanted}, ends_at=ends_at) as response:
            if not response.has_redirect_location:
                yield response
                return
            url = redirected(url, response.headers["Location"], None)
    raise DownloadFailed(f"the storage redirects in a circle (more than {_REDIRECTS} times)")
