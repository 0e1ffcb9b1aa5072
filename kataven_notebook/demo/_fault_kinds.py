"""What each fault does to an answer: one function a kind, in a table with its sides and options."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import zlib
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from kataven_notebook.demo._asgi import Answer, Endless, Raw, Responder, pieces_of
from kataven_notebook.demo._fault_table import BOTH, Context, date_of, kind, sized, without
from kataven_notebook.demo._sigv4 import StorageError, expired
from kataven_notebook.demo._xml import error_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from starlette.types import Receive, Scope, Send

HTML = b"<!doctype html><title>Sign in</title><p>Please sign in to the network.</p>"
MEGABYTE = 1_000_000


def _cut_at(options: Mapping[str, Any], answer: Answer) -> int:
    at_bytes = options["at_bytes"]
    return len(answer.body) // 2 if at_bytes is None else min(int(at_bytes), len(answer.body))


# Connections that break.


@kind("reset_before")
def _reset_before(_options: Mapping[str, Any], _answer: Answer, _context: Context) -> Responder:
    return Raw(None, ending="reset")


@kind("close_before")
def _close_before(_options: Mapping[str, Any], _answer: Answer, _context: Context) -> Responder:
    return Raw(None, ending="close")


@kind("reset_after_headers")
def _reset_after_headers(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return Raw(answer.status, sized(answer), ending="reset")


@kind("reset_middle", at_bytes=None)
def _reset_middle(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return Raw(answer.status, sized(answer), [answer.body[: _cut_at(options, answer)]], ending="reset")


@kind("truncated", at_bytes=None)
def _truncated(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return Raw(answer.status, sized(answer), [answer.body[: _cut_at(options, answer)]], ending="close")


@kind("stall", after_bytes=None)
def _stall(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    # None: not even the status line; a number: head and that many bytes, then silence.
    after_bytes = options["after_bytes"]
    if after_bytes is None:
        return Raw(None, ending="hold")
    return Raw(answer.status, sized(answer), [answer.body[: int(after_bytes)]], ending="hold")


@kind("drip", bytes_per_s=4.0)
def _drip(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    # Up to ten pieces a second: slow by total time, but never silent long enough for a read time-out.
    rate = float(options["bytes_per_s"])
    piece_bytes = max(1, round(rate / 10))
    pieces = pieces_of(answer.body, piece_bytes)
    return Raw(answer.status, sized(answer, Connection="close"), pieces, pause_s=piece_bytes / rate, ending="close")


# Other things than what was asked for.


@kind("empty")
def _empty(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return Answer(200, without(answer.headers, "Content-Range"), b"")


@kind("html")
def _html(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return Answer(200, {**date_of(answer), "Content-Type": "text/html; charset=utf-8"}, HTML)


@kind("xml")
def _xml(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    refusal = StorageError(200, "InternalError", "We encountered an internal error. Please try again.")
    return error_answer(refusal, date_of(answer))


@kind("body", body=b"", status=200, content_type="application/octet-stream", headers=None)
def _body(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    headers = {**date_of(answer), "Content-Type": options["content_type"], **(options["headers"] or {})}
    return Answer(options["status"], headers, options["body"])


@kind("status", status=500, text=None, headers=None)
def _status(options: Mapping[str, Any], answer: Answer, context: Context) -> Responder:
    status = options["status"]
    headers = {**date_of(answer), **(options["headers"] or {})}
    if context.side == "storage" and options["text"] is None:
        return error_answer(StorageError(status, *STORAGE_ERRORS.get(status, STORAGE_ERRORS[500])), headers)
    text = options["text"] if options["text"] is not None else API_TEXTS.get(status, "error\n")
    return Answer(status, {"Content-Type": "text/plain; charset=utf-8", **headers}, text.encode())


API_TEXTS = {
    400: "X-Account-ID: invalid account name\n",
    401: "unauthorized: invalid or revoked API key\n",
    403: "forbidden: not a member of this account\n",
    404: "recording not found for this session\n",
    409: "recording is not uploaded yet\n",
    500: "internal error\n",
    502: "bad gateway\n",
    503: "service unavailable\n",
    504: "gateway timeout\n",
}
UNCONFIGURED_TEXT = "recording playback is not configured for this account\n"
STORAGE_ERRORS = {
    403: ("AccessDenied", "Access Denied"),
    404: ("NoSuchKey", "The specified key does not exist."),
    500: ("InternalError", "We encountered an internal error. Please try again."),
    503: ("ServiceUnavailable", "Service is unable to handle request."),
}


def _plain_status(name: str, status: int, sides: tuple[str, ...] = BOTH) -> None:
    @kind(name, sides)
    def build(_options: Mapping[str, Any], answer: Answer, context: Context) -> Responder:
        return _status({"status": status, "text": None, "headers": None}, answer, context)


_plain_status("unauthorized", 401, ("api",))
_plain_status("forbidden", 403, ("api",))
_plain_status("missing", 404)
_plain_status("pending", 409, ("api",))
_plain_status("server_error", 500)
_plain_status("bad_gateway", 502)
_plain_status("unavailable", 503)
_plain_status("denied", 403, ("storage",))


@kind("unconfigured", ("api",))
def _unconfigured(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return Answer(503, {**date_of(answer), "Content-Type": "text/plain"}, UNCONFIGURED_TEXT.encode())


@kind("rate_limited", retry_after="1", text="rate_limited: per-minute (60) exceeded\n")
def _rate_limited(options: Mapping[str, Any], answer: Answer, context: Context) -> Responder:
    # retry_after is sent as it stands; a timedelta becomes an HTTP date by the service's clock.
    headers = {**date_of(answer), "Content-Type": "text/plain; charset=utf-8"}
    value = options["retry_after"]
    if isinstance(value, timedelta):
        value = (context.now + value).strftime("%a, %d %b %Y %H:%M:%S GMT")
    if value is not None:
        headers["Retry-After"] = str(value)
    return Answer(429, headers, options["text"].encode())


# Refusals of storage.


@kind("slow_down", ("storage",))
def _slow_down(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return error_answer(StorageError(503, "SlowDown", "Please reduce your request rate."), date_of(answer))


@kind("expired", ("storage",))
def _expired(_options: Mapping[str, Any], answer: Answer, context: Context) -> Responder:
    return error_answer(expired(context.now - timedelta(seconds=1), context.now, 300), date_of(answer))


@kind("expired_token", ("storage",))
def _expired_token(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return error_answer(StorageError(400, "ExpiredToken", "The provided token has expired."), date_of(answer))


@kind("not_yet_valid", ("storage",))
def _not_yet_valid(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return error_answer(StorageError(403, "AccessDenied", "Request is not yet valid"), date_of(answer))


@kind("bad_signature", ("storage",))
def _bad_signature(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    message = "The request signature we calculated does not match the signature you provided."
    return error_answer(StorageError(403, "SignatureDoesNotMatch", message), date_of(answer))


# Bodies that are too much.


@kind("gzip")
def _gzip(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return Answer(answer.status, {**answer.headers, "Content-Encoding": "gzip"}, gzip.compress(answer.body))


@dataclass
class _Later:
    """An answer that takes a while to make: made in another thread, so that the hub goes on serving."""

    status: int
    make: Callable[[], Answer]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await asyncio.to_thread(self.make)
        await answer(scope, receive, send)


@kind("gzip_bomb", size_bytes=1_000 * MEGABYTE)
def _gzip_bomb(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    return _Later(200, lambda: Answer(200, headers, zeros_gzipped(int(options["size_bytes"]) // MEGABYTE)))


@lru_cache(maxsize=4)
def zeros_gzipped(megabytes: int) -> bytes:
    """Compress that many megabytes of zeros into about a thousandth, as one gzip member."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MEGABYTE)
    return b"".join([*(compressor.compress(zeros) for _ in range(megabytes)), compressor.flush()])


@kind("endless")
def _endless(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    # Begins as the real body does, so that only its size gives it away.
    chunks = itertools.chain([answer.body], itertools.repeat(bytes(65_536)))
    return Endless(answer.status, answer.headers, filter(None, chunks))


# Headers that are missing or wrong.


@kind("no_content_length")
def _no_content_length(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    # Chunked: the end is marked, the length is not known beforehand.
    return Endless(answer.status, answer.headers, filter(None, [answer.body]))


@kind("wrong_content_length", delta_bytes=1_000)
def _wrong_content_length(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    length = max(0, len(answer.body) + int(options["delta_bytes"]))
    # Said to be the last answer: bytes beyond the length must not be taken for the next one's.
    headers = sized(answer, **{"Content-Length": str(length), "Connection": "close"})
    return Raw(answer.status, headers, [answer.body], ending="close")


@kind("content_length", value=None)
def _content_length(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    # Any text, or none at all: then the body ends where the connection does.
    headers = without(sized(answer), "Content-Length") | {"Connection": "close"}
    if options["value"] is not None:
        headers["Content-Length"] = str(options["value"])
    return Raw(answer.status, headers, [answer.body], ending="close")


_counter = itertools.count()


@kind("etag", ("storage",), value="changing")
def _etag(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    headers = without(answer.headers, "ETag")
    if options["value"] == "changing":
        headers["ETag"] = f'"{next(_counter):032x}"'
    elif options["value"] is not None:
        headers["ETag"] = options["value"]
    return Answer(answer.status, headers, answer.body)


@kind("content_type", value=None)
def _content_type(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    headers = without(answer.headers, "Content-Type")
    if options["value"] is not None:
        headers["Content-Type"] = options["value"]
    return Answer(answer.status, headers, answer.body)


@kind("date", value=None)
def _date_header(options: Mapping[str, Any], answer: Answer, context: Context) -> Responder:
    # A text as it stands, a timedelta added to the service's clock, or none.
    headers = without(answer.headers, "Date")
    value = options["value"]
    if isinstance(value, timedelta):
        value = (context.now + value).strftime("%a, %d %b %Y %H:%M:%S GMT")
    if value is not None:
        headers["Date"] = value
    return Answer(answer.status, headers, answer.body)


@kind("wrong_range", ("storage",), shift_bytes=-1_000)
def _wrong_range(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    # Says 206 for another range than was asked for; a whole answer stays as it is.
    content_range = answer.headers.get("Content-Range")
    if answer.status != 206 or content_range is None:
        return answer
    span, _, total = content_range.removeprefix("bytes ").partition("/")
    first, last = (max(0, int(edge) + int(options["shift_bytes"])) for edge in span.split("-"))
    return Answer(206, {**answer.headers, "Content-Range": f"bytes {first}-{last}/{total}"}, answer.body)


# Redirects.


@kind("redirect", location=None, status=307)
def _redirect(options: Mapping[str, Any], answer: Answer, context: Context) -> Responder:
    location = options["location"] if options["location"] is not None else context.elsewhere()
    return Answer(options["status"], {**date_of(answer), "Location": location})


@kind("redirect_loop", status=307)
def _redirect_loop(options: Mapping[str, Any], answer: Answer, context: Context) -> Responder:
    return Answer(options["status"], {**date_of(answer), "Location": context.url})


# Bodies of the API that are no use.


def _json_kind(name: str, value: Any) -> None:
    @kind(name, ("api",))
    def build(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
        return Answer(200, answer.headers, json.dumps(value).encode())


_json_kind("json_list", ["https://storage.example/recording"])
_json_kind("json_null", None)
_json_kind("no_url", {"id": "rec_1", "status": "done"})
_json_kind("relative_url", {"url": "/recordings/1.wav"})
_json_kind("file_url", {"url": "file:///etc/hostname"})
_json_kind("url_not_text", {"url": 42})


@kind("not_json", ("api",))
def _not_json(_options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    return Answer(200, answer.headers, b'{"url": "https://storage.exa')


@kind("huge_json", ("api",), size_bytes=50 * MEGABYTE)
def _huge_json(options: Mapping[str, Any], answer: Answer, _context: Context) -> Responder:
    def chunks() -> Iterator[bytes]:
        yield b'{"padding": "'
        for _ in range(int(options["size_bytes"]) // 65_536):
            yield b"x" * 65_536
        yield b'", ' + answer.body.lstrip(b"{")

    return Endless(200, answer.headers, chunks())
