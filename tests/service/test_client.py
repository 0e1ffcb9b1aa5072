"""The one endpoint: whom it is asked for, how often, and what its errors hold."""

from __future__ import annotations

import time

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
