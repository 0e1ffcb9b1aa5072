"""The demo's object storage: it enforces what S3 enforces, and so does SeaweedFS beside it."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import botocore.auth  # type: ignore[import-untyped]  # it ships no types
import botocore.awsrequest  # type: ignore[import-untyped]  # the same
import botocore.credentials  # type: ignore[import-untyped]  # the same
import httpx
import pytest

from kataven_notebook import demo
from kataven_notebook.demo import _sigv4
from kataven_notebook.demo._sigv4 import Credentials, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from weed import Seaweed

    from kataven_notebook.demo import Hub

DATA = bytes(range(256)) * 40
CREDENTIALS = Credentials("DEMOKEY", "demo-secret/with+signs")
NOW = datetime(2026, 5, 17, 12, 30, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[Hub]:
    """One hub for the module; each test adds sessions of its own."""
    with demo.hub(sessions={"call-1": DATA}, storage_latency_s=0.0) as hub:
        yield hub


@pytest.fixture
def hub(running: Hub) -> Iterator[Hub]:
    """Give the module's hub, without faults before and after."""
    running.faults.clear()
    running.requests.clear()
    yield running
    running.faults.clear()
    running.options.cors = False
    running.options.clock_offset_s = 0.0


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Give a client with a short patience."""
    with httpx.Client(timeout=5.0, trust_env=False) as opened:
        yield opened


def code_of(response: httpx.Response) -> str:
    """Find the error code in S3's XML."""
    assert response.headers["Content-Type"] == "application/xml"
    return response.text.split("<Code>")[1].split("</Code>")[0]


def botocore_url(url: str, expires_s: int) -> str:
    """Have botocore sign the same request."""
    credentials = botocore.credentials.Credentials(CREDENTIALS.access_key, CREDENTIALS.secret_key)
    signer = botocore.auth.S3SigV4QueryAuth(credentials, "s3", CREDENTIALS.region, expires=expires_s)
    request = botocore.awsrequest.AWSRequest(method="GET", url=url)
    signer.add_auth(request)
    signed: str = request.url
    return signed


@pytest.mark.parametrize(
    "path", ["/b/recordings/call-1", "/b/k%20with%20space", "/b/%C3%BC/%25/~x_y.z-1", "/b/a%2Bb%3Dc%26d%40e%3A1"]
)
@pytest.mark.parametrize("expires_s", [1, 300, 604_800])
def test_signature_equals_botocore(path: str, expires_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our presigned URL has botocore's signature, for plain and for odd keys."""
    url = f"http://127.0.0.1:4711{path}"
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))
    ours = parse_qs(urlsplit(_sigv4.presign(url, CREDENTIALS, now=NOW, expires_s=expires_s)).query)
    theirs = parse_qs(urlsplit(botocore_url(url, expires_s)).query)
    assert ours == theirs


def test_url_signed_by_botocore_is_accepted() -> None:
    """The verifier takes what botocore signs, not only what our own signer signs."""
    parts = urlsplit(botocore_url("http://127.0.0.1:4711/b/k%20k", 60))
    headers = {"host": "127.0.0.1:4711"}
    _sigv4.verify("GET", parts.path, parts.query, headers, CREDENTIALS, now=datetime.now(UTC))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"method": "HEAD"}, "SignatureDoesNotMatch"),
        ({"path": "/b/other"}, "SignatureDoesNotMatch"),
        ({"query": ("Expires=60", "Expires=6000")}, "SignatureDoesNotMatch"),
        ({"query": ("X-Amz-Date=20260517", "X-Amz-Date=20260516")}, "AuthorizationQueryParametersError"),
        ({"query": ("us-east-1", "eu-west-1")}, "SignatureDoesNotMatch"),
        ({"query": ("DEMOKEY", "OTHERKEY")}, "InvalidAccessKeyId"),
        ({"query": ("&X-Amz-Signature=", "&extra=1&X-Amz-Signature=")}, "SignatureDoesNotMatch"),
        ({"query": ("X-Amz-Expires=60", "X-Amz-Expires=junk")}, "AuthorizationQueryParametersError"),
        ({"headers": {"host": "localhost:4711"}}, "SignatureDoesNotMatch"),
        ({"now": NOW + timedelta(seconds=61)}, "AccessDenied"),
        ({"now": NOW - timedelta(minutes=16)}, "AccessDenied"),
    ],
)
def test_whatever_is_signed_can_not_be_changed(change: dict[str, object], code: str) -> None:
    """Method, path, host, every parameter and the time are enforced."""
    parts = urlsplit(_sigv4.presign("http://127.0.0.1:4711/b/k", CREDENTIALS, now=NOW, expires_s=60))
    request: dict[str, object] = {
        "method": "GET",
        "path": parts.path,
        "query": ("", ""),
        "headers": {"host": "127.0.0.1:4711"},
        "now": NOW + timedelta(seconds=60),
    }
    request |= change
    query = parts.query.replace(*request.pop("query"))  # type: ignore[misc]  # pairs of text, as listed above
    with pytest.raises(StorageError) as raised:
        _sigv4.verify(raw_query=query, credentials=CREDENTIALS, **request)  # type: ignore[arg-type]  # as listed
    assert raised.value.code == code


def test_object_arrives_with_its_headers(hub: Hub, client: httpx.Client) -> None:
    """A signed GET gives the bytes, their length, an ETag and the service's date."""
    response = client.get(hub.sign("call-1"))
    assert (response.status_code, response.content) == (200, DATA)
    assert response.headers["ETag"] == f'"{hashlib.md5(DATA, usedforsecurity=False).hexdigest()}"'
    assert response.headers["Content-Length"] == str(len(DATA))
    assert response.headers["Content-Type"] == "audio/wav"
    assert response.headers["Date"].endswith("GMT")


@pytest.mark.parametrize(
    ("value", "status", "expected"),
    [
        ("bytes=10-19", 206, DATA[10:20]),
        ("bytes=10000-", 206, DATA[10_000:]),
        ("bytes=-7", 206, DATA[-7:]),
        ("bytes=0-999999", 206, DATA),
        ("bytes=0-1,5-6", 200, DATA),
        ("pages=1-2", 200, DATA),
        ("bytes=999999-", 416, None),
        ("bytes=9-3", 416, None),
    ],
)
def test_ranges(hub: Hub, client: httpx.Client, value: str, status: int, expected: bytes | None) -> None:
    """One range a request is honoured; what is no range gives the whole, what lies outside 416."""
    response = client.get(hub.sign("call-1"), headers={"Range": value})
    assert response.status_code == status
    if expected is None:
        assert code_of(response) == "InvalidRange"
        assert response.headers["Content-Range"] == f"bytes */{len(DATA)}"
    else:
        assert response.content == expected
    if status == 206:
        first = DATA.index(expected[:20]) if expected is not None and len(expected) >= 256 else None
        assert response.headers["Content-Range"].endswith(f"/{len(DATA)}")
        assert first in (None, 0, int(response.headers["Content-Range"].split()[1].split("-")[0]) % 256)


def test_if_match_notices_a_changed_object(hub: Hub, client: httpx.Client) -> None:
    """A range of an object that was replaced since is refused with 412."""
    hub.add("call-2", b"first version")
    url = hub.sign("call-2")
    etag = client.get(url).headers["ETag"]
    assert client.get(url, headers={"If-Match": etag, "Range": "bytes=6-"}).content == b"version"
    hub.add("call-2", b"other version")
    changed = client.get(url, headers={"If-Match": etag, "Range": "bytes=6-"})
    assert (changed.status_code, code_of(changed)) == (412, "PreconditionFailed")


def test_urls_really_expire(hub: Hub, client: httpx.Client) -> None:
    """A URL works until its life is over, then it is refused as S3 words it."""
    url = hub.sign("call-1", life_s=1)
    deadline_s = time.monotonic() + 10
    response = client.get(url)
    while response.status_code == 200 and time.monotonic() < deadline_s:
        response = client.get(url)
    assert (response.status_code, code_of(response)) == (403, "AccessDenied")
    assert "<Message>Request has expired</Message>" in response.text
    assert "<Expires>" in response.text
    assert "<ServerTime>" in response.text


def test_expiry_counts_when_the_request_starts(hub: Hub, client: httpx.Client) -> None:
    """A download that has begun outlives its URL."""
    hub.faults.add("call-1", "storage:drip", bytes_per_s=8_000)
    url = hub.sign("call-1", life_s=1)
    with client.stream("GET", url) as running:
        assert running.status_code == 200
        while client.get(url, headers={"Range": "bytes=0-0"}).status_code != 403:
            hub.faults.clear()
        assert running.read() == DATA


@pytest.mark.parametrize("offset_s", [3_600.0, -3_600.0])
def test_clock_of_the_service_decides(hub: Hub, client: httpx.Client, offset_s: float) -> None:
    """With a service clock an hour off, its own URLs work, and its Date says what its clock says."""
    hub.options.clock_offset_s = offset_s
    response = client.get(hub.sign("call-1"))
    assert response.status_code == 200
    date = parsedate_to_datetime(response.headers["Date"])
    assert abs((date - datetime.now(UTC)).total_seconds() - offset_s) < 60


def test_refusals_of_other_requests(hub: Hub, client: httpx.Client) -> None:
    """HEAD, an Authorization header, unsigned x-amz headers, no signature, a missing key: as S3 answers."""
    url = hub.sign("call-1")
    assert client.head(url).status_code == 403
    both = client.get(url, headers={"Authorization": "Bearer something"})
    assert (both.status_code, code_of(both)) == (400, "InvalidArgument")
    extra = client.get(url, headers={"x-amz-meta-a": "1"})
    assert (extra.status_code, code_of(extra)) == (403, "AccessDenied")
    assert "<HeadersNotSigned>x-amz-meta-a</HeadersNotSigned>" in extra.text
    bare = client.get(url.split("?")[0])
    assert (bare.status_code, code_of(bare)) == (403, "AccessDenied")
    missing = client.get(hub.sign("nobody"))
    assert (missing.status_code, code_of(missing)) == (404, "NoSuchKey")


def test_cors_is_off_unless_asked_for(hub: Hub, client: httpx.Client) -> None:
    """Pages of other origins may read only when the hub is told to let them."""
    headers = {"Origin": "http://127.0.0.1:8888"}
    assert "Access-Control-Allow-Origin" not in client.get(hub.sign("call-1"), headers=headers).headers
    hub.options.cors = True
    assert client.get(hub.sign("call-1"), headers=headers).headers["Access-Control-Allow-Origin"] == "*"
    assert client.options(hub.sign("call-1"), headers=headers).status_code == 200


def test_odd_session_ids_have_recordings_too(hub: Hub, client: httpx.Client) -> None:
    """Ids with spaces, percent signs and letters of other scripts lead to their own object."""
    for number, session_id in enumerate(["with space", "100%", "a+b&c=d?e#f", "gespräch-ü", "通話"]):
        hub.add(session_id, b"%d" % number)
        assert client.get(hub.sign(session_id)).content == b"%d" % number
        assert hub.requests.count("storage", session_id) == 1


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("expired", 403, "AccessDenied"),
        ("denied", 403, "AccessDenied"),
        ("not_yet_valid", 403, "AccessDenied"),
        ("bad_signature", 403, "SignatureDoesNotMatch"),
        ("expired_token", 400, "ExpiredToken"),
        ("missing", 404, "NoSuchKey"),
        ("slow_down", 503, "SlowDown"),
        ("server_error", 500, "InternalError"),
        ("unavailable", 503, "ServiceUnavailable"),
        ("xml", 200, "InternalError"),
    ],
)
def test_storage_errors_on_demand(hub: Hub, client: httpx.Client, name: str, status: int, code: str) -> None:
    """Each refusal has S3's status and code, happens as often as asked, and then is over."""
    hub.faults.add("call-1", f"storage:{name}", times=1)
    response = client.get(hub.sign("call-1"))
    assert (response.status_code, code_of(response)) == (status, code)
    assert client.get(hub.sign("call-1")).content == DATA
    assert [entry.fault for entry in hub.requests.storage] == [f"storage:{name}", None]


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("reset_before", {}, httpx.ReadError),
        ("close_before", {}, httpx.RemoteProtocolError),
        ("reset_after_headers", {}, httpx.ReadError),
        ("reset_middle", {"at_bytes": 5_000}, httpx.ReadError),
        ("truncated", {}, httpx.RemoteProtocolError),
        ("wrong_content_length", {"delta_bytes": 10}, httpx.RemoteProtocolError),
        ("stall", {}, httpx.ReadTimeout),
        ("stall", {"after_bytes": 100}, httpx.ReadTimeout),
    ],
)
def test_broken_connections(
    hub: Hub, client: httpx.Client, name: str, options: dict[str, int], error: type[Exception]
) -> None:
    """Each way in which a connection can break looks to the client like the real one."""
    hub.faults.add("call-1", f"storage:{name}", **options)
    with pytest.raises(error):
        client.get(hub.sign("call-1"), timeout=httpx.Timeout(5.0, read=0.3))


@pytest.mark.parametrize(("name", "expected"), [("reset_middle", 5_000), ("truncated", 5_000), ("stall", 5_000)])
def test_bytes_before_the_break_arrive(hub: Hub, client: httpx.Client, name: str, expected: int) -> None:
    """What was sent before the break reaches the client, so that it can go on from there."""
    key = "after_bytes" if name == "stall" else "at_bytes"
    hub.faults.add("call-1", f"storage:{name}", **{key: expected})
    received = b""
    with client.stream("GET", hub.sign("call-1"), timeout=httpx.Timeout(5.0, read=0.3)) as response:
        assert response.headers["Content-Length"] == str(len(DATA))
        pieces = response.iter_raw()
        with contextlib.suppress(httpx.TransportError):
            for chunk in pieces:
                received += chunk
            pytest.fail("the answer was whole")
    assert received == DATA[:expected]


def test_break_within_a_resumed_range(hub: Hub, client: httpx.Client) -> None:
    """A ranged request is cut within its range, and says so in its length."""
    hub.faults.add("call-1", "storage:truncated", at_bytes=10)
    with client.stream("GET", hub.sign("call-1"), headers={"Range": "bytes=100-199"}) as response:
        assert (response.status_code, response.headers["Content-Length"]) == (206, "100")
        with pytest.raises(httpx.RemoteProtocolError):
            response.read()


def test_drip_gives_a_few_bytes_at_a_time(hub: Hub, client: httpx.Client) -> None:
    """A dripping answer is never silent for long, and far from done."""
    hub.faults.add("call-1", "storage:drip", bytes_per_s=20)
    pieces = []
    with client.stream("GET", hub.sign("call-1")) as response:
        for chunk in response.iter_raw():
            pieces.append(chunk)
            if len(pieces) == 4:
                break
    assert b"".join(pieces) == DATA[: sum(map(len, pieces))]
    assert max(map(len, pieces)) <= 8


def test_other_things_than_sound(hub: Hub, client: httpx.Client) -> None:
    """Nothing, HTML, and any other body, each with status 200."""
    for name in ("empty", "html"):
        hub.faults.add("call-1", f"storage:{name}", times=1)
    hub.faults.add("call-1", "storage:body", times=1, body=b"\x00\x01", content_type="audio/ogg", status=203)
    empty, html, body = (client.get(hub.sign("call-1")) for _ in range(3))
    assert (empty.status_code, empty.content) == (200, b"")
    assert html.headers["Content-Type"].startswith("text/html")
    assert b"<html" in html.content or b"<!doctype html>" in html.content
    assert (body.status_code, body.content, body.headers["Content-Type"]) == (203, b"\x00\x01", "audio/ogg")


def test_compressed_bodies(hub: Hub, client: httpx.Client) -> None:
    """An honest gzip body decodes to the recording; a bomb is a thousandth of what it unpacks to."""
    hub.faults.add("call-1", "storage:gzip", times=1)
    hub.faults.add("call-1", "storage:gzip_bomb", times=1, size_bytes=20_000_000)
    assert client.get(hub.sign("call-1")).content == DATA
    with client.stream("GET", hub.sign("call-1")) as response:
        packed = b"".join(response.iter_raw())
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(packed) < 40_000
    assert len(gzip.decompress(packed)) == 20_000_000


def test_endless_body_begins_like_the_real_one(hub: Hub, client: httpx.Client) -> None:
    """An endless body has no length, starts with the recording, and ends when the client leaves."""
    hub.faults.add("call-1", "storage:endless")
    received = 0
    with client.stream("GET", hub.sign("call-1")) as response:
        assert "Content-Length" not in response.headers
        for number, chunk in enumerate(response.iter_raw()):
            if number == 0:
                assert DATA.startswith(chunk[: len(DATA)])
            received += len(chunk)
            if received > 20_000_000:
                break
    deadline_s = time.monotonic() + 10
    while hub.requests.in_flight("storage") and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert hub.requests.in_flight("storage") == 0


def test_missing_and_wrong_headers(hub: Hub, client: httpx.Client) -> None:
    """Content-Length, ETag, Content-Type and Date can be absent, wrong, or change."""
    faults: list[tuple[str, dict[str, Any]]] = [
        ("no_content_length", {}),
        ("content_length", {}),
        ("content_length", {"value": "abc"}),
        ("wrong_content_length", {"delta_bytes": -10}),
        ("etag", {}),
        ("etag", {}),
        ("etag", {"value": None}),
        ("content_type", {}),
        ("content_type", {"value": "video/mp4"}),
        ("date", {}),
        ("date", {"value": timedelta(hours=-1)}),
    ]
    for name, options in faults:
        hub.faults.add("call-1", f"storage:{name}", times=1, **options)
    chunked, until_close = (client.get(hub.sign("call-1")) for _ in range(2))
    assert chunked.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in until_close.headers
    assert chunked.content == until_close.content == DATA
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(hub.sign("call-1"))
    assert client.get(hub.sign("call-1")).content == DATA[:-10]
    first, second, none = (client.get(hub.sign("call-1")).headers.get("ETag") for _ in range(3))
    assert first != second
    assert none is None
    assert "Content-Type" not in client.get(hub.sign("call-1")).headers
    assert client.get(hub.sign("call-1")).headers["Content-Type"] == "video/mp4"
    assert "Date" not in client.get(hub.sign("call-1")).headers
    date = parsedate_to_datetime(client.get(hub.sign("call-1")).headers["Date"])
    assert abs((date - datetime.now(UTC)).total_seconds() + 3_600) < 60


def test_wrong_range_claims_other_bytes(hub: Hub, client: httpx.Client) -> None:
    """A 206 can say that it holds other bytes than were asked for."""
    hub.faults.add("call-1", "storage:wrong_range", shift_bytes=-100)
    response = client.get(hub.sign("call-1"), headers={"Range": "bytes=200-299"})
    assert (response.status_code, response.headers["Content-Range"]) == (206, f"bytes 100-199/{len(DATA)}")


def test_redirects(hub: Hub, client: httpx.Client) -> None:
    """A redirect leads to the object at another host name; a loop leads to itself."""
    hub.faults.add("call-1", "storage:redirect", times=1)
    url = hub.sign("call-1")
    redirect = client.get(url)
    assert redirect.status_code == 307
    assert urlsplit(redirect.headers["Location"]).hostname == "localhost"
    assert client.get(redirect.headers["Location"]).content == DATA
    hub.faults.add("call-1", "storage:redirect_loop")
    with pytest.raises(httpx.TooManyRedirects):
        client.get(url, follow_redirects=True)


def test_hub_hands_out_urls_of_a_real_store(seaweed: Seaweed, client: httpx.Client) -> None:
    """With `signer`, the Hub's URLs are botocore's for SeaweedFS, and the object comes from there."""
    seaweed.put("call-9", DATA)
    with demo.hub(sessions={"call-9": b""}, signer=lambda session_id: seaweed.presign(session_id, 60)) as hub:
        headers = {"Authorization": f"Bearer {hub.api_key}"}
        url = client.get(f"{hub.base_url}/sessions/call-9/recording", headers=headers).json()["url"]
        assert url.startswith(seaweed.endpoint)
        assert client.get(url).content == DATA
        assert hub.requests.storage == []


def test_seaweedfs_enforces_signature_and_expiry(seaweed: Seaweed, client: httpx.Client) -> None:
    """The real store refuses a changed signature, HEAD, and a URL whose life is over."""
    seaweed.put("call-8", DATA)
    url = seaweed.presign("call-8", expires_s=1)
    wrong = client.get(url[:-1] + ("0" if url[-1] != "0" else "1"))
    assert (wrong.status_code, code_of(wrong)) == (403, "SignatureDoesNotMatch")
    assert client.head(seaweed.presign("call-8", 60)).status_code == 403
    assert client.get(seaweed.presign("call-8", 60)).content == DATA
    deadline_s = time.monotonic() + 20
    response = client.get(url)
    while response.status_code == 200 and time.monotonic() < deadline_s:
        time.sleep(0.05)
        response = client.get(url)
    assert response.status_code == 403
