"""What an answer of the service means: a URL and its expiry, a pause, a limit."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from kataven_notebook.service.answers import SignedUrl, parse_limit_text, parse_retry_after, read_signed_url

pytestmark = pytest.mark.core

NOW = 1_790_000_000.0
URL = "https://bucket.s3.amazonaws.com/a.wav?X-Amz-Signature=0f"


def signed(body: object, **headers: str) -> SignedUrl:
    """Read one body of a 200."""
    return read_signed_url(json.dumps(body).encode(), headers, now=NOW)


@pytest.mark.parametrize("field", ["url", "recording_url", "presigned_url", "playback_url", "download_url"])
@pytest.mark.parametrize("nested", [False, True])
def test_the_url_is_found_under_any_known_name(field, nested) -> None:
    """At the top level or under `data`."""
    body = {field: URL}
    assert signed({"data": body} if nested else body).url == URL


@pytest.mark.parametrize(
    "body",
    [None, [], "text", 3, {}, {"data": []}, {"url": None}, {"url": 3}, {"url": "/a.wav"}, {"url": "file:///etc/passwd"},
     {"url": "http://bucket.example/a.wav"}, {"url": "https://"}, {"url": "https://[::1"}, {"url": "https://a b/"},
     {"url": "https://ä.example/"}, {"url": "https://x\n.example/"}],
)  # fmt: skip
def test_a_body_without_a_usable_url_is_refused(body) -> None:
    """Relative, readable on the way, or no URL at all."""
    with pytest.raises(ValueError, match=r"body|URL"):
        signed(body)


def test_the_error_names_the_keys_that_were_found() -> None:
    """Whoever reads it can tell the service's support."""
    with pytest.raises(ValueError, match="it has link, size"):
        signed({"link": URL, "size": 3})


@pytest.mark.parametrize(
    ("body", "life_s"),
    [
        ({"url": URL + "&X-Amz-Date=20260921T125320Z&X-Amz-Expires=120", "expires_in": 999}, 120.0),
        ({"url": URL, "expires_in": 60, "expires_at": NOW + 90}, 90.0),
        ({"url": URL, "expires_at": datetime.fromtimestamp(NOW + 45, UTC).isoformat()}, 45.0),
        ({"url": URL, "expires_at": (NOW + 30) * 1000}, 30.0),
        ({"data": {"url": URL, "expires_in": "60"}}, 60.0),
        ({"url": URL}, 300.0),
        ({"url": URL, "expires_in": "soon", "expires_at": "never"}, 300.0),
        ({"url": URL, "expires_in": -5, "expires_at": True}, 300.0),
        ({"url": URL + "&X-Amz-Date=junk&X-Amz-Expires=1e9"}, 300.0),
    ],
)
def test_the_moment_of_expiry_is_found_in_the_contracts_order(body, life_s) -> None:
    """The query of the URL first, then the body, then five minutes."""
    at = datetime.fromtimestamp(NOW, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    url = body.get("url", "").replace("20260921T125320Z", datetime.fromtimestamp(NOW, UTC).strftime("%Y%m%dT%H%M%SZ"))
    found = signed({**body, "url": url} if url else body, Date=at)
    assert found.expires_at - NOW == pytest.approx(life_s, abs=1e-3)


def test_a_signed_url_is_in_no_repr() -> None:
    """Whoever has it can listen."""
    assert "0f" not in repr(SignedUrl(URL, 1.5))
    assert str(SignedUrl(URL, 1.5)) == "SignedUrl(expires_at=1.5)"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0", 0.0), ("-1", 0.0), ("1.5", 1.5), (None, 0.0), ("", 0.0), ("soon", 0.0), ("nan", 0.0),
     ("9" * 30, 0.0), ("999999999", 172_800.0), ("Mon, 21 Sep 2026 12:00:09 GMT", 9.0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_or_ignored(value, seconds) -> None:
    """A date is held against the service's own clock; junk says nothing; nothing is for ever."""
    date = "Mon, 21 Sep 2026 12:00:00 GMT"
    assert parse_retry_after(value, date, now=NOW) == seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate_limited: per-minute (60) exceeded", ("minute", 60)),
        ("rate_limited: per-day (10000) exceeded", ("day", 10_000)),
        ("Per Hour limit", ("hour", None)),
        ("rate_limited: per_minute_limit=30", ("minute", 30)),
        ("limit of 30 requests/minute", ("minute", 30)),
        ("rate_limited: in-flight (20) exceeded", ("in-flight", 20)),
        ("rate_limited: concurrent (3) exceeded", ("in-flight", 3)),
        ('{"error": "max_in_flight", "limit": 10}', ("in-flight", 10)),
        ("Concurrency limit reached", ("in-flight", None)),
        ("too many simultaneous requests, maximum: 5", ("in-flight", 5)),
        ("too many", (None, None)),
        ("Too Many Requests (429)", (None, None)),
        ("<html>429 Too Many Requests, at most 5 per minute (5)</html>", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_limit_is_read_out_of_a_429s_text(text, expected) -> None:
    """A window or the number at once, in any usual words; a gateway's page names nothing."""
    assert parse_limit_text(text) == expected
