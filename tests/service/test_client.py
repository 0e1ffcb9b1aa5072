"""The one endpoint: whom it is asked for, how often, and what its errors hold."""

from __future__ import annotations

import socketserver
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.service.budget_table import BudgetTable
from kataven_notebook.service.client import HubClient

pytestmark = pytest.mark.core


@pytest.mark.parametrize("mount", ["/v1", "/api/v1", "/hub-api", "/hub-api/v1/"])
def test_the_base_url_may_be_any_of_the_services(hub, mount) -> None:
    """With or without a slash at the end."""
    root = hub.base_url.rpartition("/v1")[0]
    with HubClient(kn.Settings(api_key=hub.api_key, base_url=root + mount)) as client:
        assert client.sign("s0").url


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


SCALED = kn.Limits(None, None, None, 20, minute_s=1.0)


def test_a_session_that_is_refused_while_others_are_granted_is_limited(hub) -> None:
    """Four times passed over; the message says that others were granted, and who may be to blame."""
    hub.faults.add("s0", "api:rate_limited", retry_after="0", text="Too Many Requests")
    settings = kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=SCALED)
    ended = threading.Event()
    with HubClient(settings) as client, ThreadPoolExecutor(1) as pool:
        others = pool.submit(lambda: [client.sign("s1") for _ in iter(ended.is_set, True)])
        with pytest.raises(errors.RateLimited, match=r"refused .* times \(429\), although it granted others") as caught:
            client.sign("s0")
        ended.set()
        assert others.result()
    assert "it does not say which limit is used up; call again at" in caught.value.message
    assert 4 <= hub.requests.count("api", "s0") <= 12


def test_a_session_loses_nothing_while_everything_is_refused(hub) -> None:
    """An outage of seven refusals, of a gateway that says nothing of when: then the session is signed."""
    hub.faults.add("*", "api:rate_limited", times=7, retry_after=None, text="<html>Too Many Requests</html>")
    with HubClient(kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=SCALED)) as client:
        assert client.sign("s0").url
    assert hub.requests.count("api") == 8


def test_a_service_that_refuses_for_ever_is_given_up(hub) -> None:
    """After ten of its minutes; the error says since when, and the wait before says so, too."""
    hub.faults.add("*", "api:rate_limited", retry_after="0")
    limits = kn.Limits(None, None, None, 20, minute_s=0.1)
    with (
        HubClient(kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=limits)) as client,
        pytest.raises(errors.WaitTooLong, match=r"has refused every request since .* \(429\): call again at"),
    ):
        client.sign("s0")
    assert 4 <= hub.requests.count("api") <= 20


def test_a_refusal_whose_body_is_cut_off_is_a_refusal() -> None:
    """Its status says enough: it is neither a failure of the service nor a grant."""
    url = b'{"url": "http://127.0.0.1:9/s0.wav"}'
    answers = [b"429 Too Many Requests\r\nContent-Length: 99\r\n\r\nrate"] * 5
    answers.append(b"200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(url), url))

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 " + answers.pop(0))

    with socketserver.TCPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever).start()
        settings = kn.Settings(
            api_key="sk_live_a_1", base_url=f"http://127.0.0.1:{server.server_address[1]}/v1", limits=SCALED
        )
        with HubClient(settings) as client:
            assert client.sign("s0").url
        server.shutdown()


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
