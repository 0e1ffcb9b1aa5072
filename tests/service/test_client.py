"""The one endpoint: what is read out of its answers, and which ids are never sent."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.service.answers import SignedUrl, parse_limit_text, parse_retry_after, read_signed_url
from kataven_notebook.service.budget_table import BudgetTable
from kataven_notebook.service.client import HubClient
from kataven_notebook.service.session_ids import check_session_id

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
    "bad",
    [None, float("nan"), "", "  ", "\t", ".", "..", "...", "a/b", "a\\b", "a\nb", "a\x00", "a\x7f", "a\x85", "x" * 513,
     "ä" * 257, "\ud800", 3, 3.0, b"a", ["a"]],
)  # fmt: skip
def test_ids_that_would_reach_another_route_are_never_sent(hub, bad) -> None:
    """Each is `invalid`, and no request is made."""
    with pytest.raises(errors.InvalidSessionId), HubClient(hub.settings) as client:
        client.sign(bad)
    assert hub.requests.count() == 0


@pytest.mark.parametrize(
    "good", ["agent_01HZ2N", "0001", "a.b", "..a", "a b", "ä", "%2F", "a?b=c", "a#b", "-", "x" * 512]
)
def test_any_other_id_is_one_path_segment(hub, wav, good) -> None:
    """It arrives as it is, whatever stands in it."""
    assert check_session_id(good) == good
    hub.add(good, wav)
    with HubClient(hub.settings) as client:
        assert client.sign(good).url.startswith(hub.storage_url)
    assert [each.session_id for each in hub.requests.api] == [good]


@pytest.mark.parametrize("mount", ["/v1", "/api/v1", "/hub-api", "/hub-api/v1/"])
def test_the_base_url_may_be_any_of_the_services(hub, mount) -> None:
    """With or without a slash at the end."""
    root = hub.base_url.rpartition("/v1")[0]
    with HubClient(kn.Settings(api_key=hub.api_key, base_url=root + mount)) as client:
        assert client.sign("s0").url


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0", 0.05), ("-1", 0.05), ("1.5", 1.5), (None, 1.0), ("", 1.0), ("soon", 1.0), ("nan", 1.0),
     ("9" * 30, 1.0), ("999999999", 172_800.0), ("Mon, 21 Sep 2026 12:00:09 GMT", 9.0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_or_ignored(value, seconds) -> None:
    """A date is held against the service's own clock; junk is a second; nothing is for ever."""
    date = "Mon, 21 Sep 2026 12:00:00 GMT"
    assert parse_retry_after(value, date, now=NOW) == seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate_limited: per-minute (60) exceeded", ("minute", 60)),
        ("rate_limited: per-day (10000) exceeded", ("day", 10_000)),
        ("Per Hour limit", ("hour", None)),
        ("rate_limited: in-flight (20) exceeded", (None, None)),
        ("too many", (None, None)),
    ],
)
def test_the_window_is_read_out_of_a_429s_text(text, expected) -> None:
    """In-flight is no window."""
    assert parse_limit_text(text) == expected


def test_a_service_that_is_not_there_is_failed_and_spends_nothing(hub) -> None:
    """No connection: tried four times, and the budget is as it was."""
    settings = kn.Settings(api_key="sk_live_a_1", base_url="http://127.0.0.1:9/v1")
    with HubClient(settings) as client, pytest.raises(errors.ServiceFailed, match="no connection"):
        client.sign("s0")
    assert client.budget.used() == {"minute": 0, "hour": 0, "day": 0}


def test_a_jwt_is_sent_with_its_account(hub) -> None:
    """Both headers; a reserved account is refused."""
    settings = kn.Settings(api_key=hub.jwt(), account_id="acme", base_url=hub.base_url)
    with HubClient(settings) as client:
        client.sign("s0")
    assert hub.requests.api[0].headers["x-account-id"] == "acme"
    reserved = kn.Settings(api_key=hub.jwt(), account_id="admin", base_url=hub.base_url)
    with HubClient(reserved) as client, pytest.raises(errors.AccessRefused, match="403"):
        client.sign("s0")


@pytest.mark.parametrize(("failures", "often"), [(0, "four times"), (2, "twice"), (3, "once")])
def test_a_refusal_says_how_often_the_service_refused(hub, failures, often) -> None:
    """Four requests in all; those that failed for another reason are no refusals."""
    if failures:
        hub.faults.add("s0", "api:server_error", times=failures)
    hub.faults.add("s0", "api:rate_limited", retry_after="0")
    with HubClient(hub.settings) as client, pytest.raises(errors.RateLimited, match=f"the service refused {often} "):
        client.sign("s0")
    assert hub.requests.count("api") == 4


def test_a_request_that_comes_too_late_is_not_sent(hub, monkeypatch) -> None:
    """Neither at first nor again: asking the budget once more would not help."""
    settings = kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=kn.Limits(per_minute=1))
    with HubClient(settings) as client:
        client.sign("s0")
        asked = []
        reserve = BudgetTable.reserve
        monkeypatch.setattr(BudgetTable, "reserve", lambda self, now: (asked.append(now), reserve(self, now))[1])
        with pytest.raises(errors.WaitTooLong, match="max_wait was over before the limits allowed a request"):
            client.sign("s1", deadline=time.time())
    assert (hub.requests.count("api"), len(asked)) == (1, 1)


def test_an_error_never_holds_the_key(hub) -> None:
    """Even a service that echoes it."""
    hub.faults.add("s0", "api:status", status=418, text=f"your key {hub.api_key} is a teapot")
    with HubClient(hub.settings) as client, pytest.raises(errors.ServiceFailed) as caught:
        client.sign("s0")
    assert hub.api_key not in str(caught.value)
    assert caught.value.__cause__ is None
