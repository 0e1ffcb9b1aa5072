"""What is asked of the service for a whole run: a refused account ends it, a refused session does not."""

from __future__ import annotations

import pytest
from frames import FREE, calls, statuses

import kataven_notebook as kn
from kataven_notebook import Limits
from kataven_notebook.service.budget_table import BudgetTable

pytestmark = pytest.mark.core


def test_a_wrong_key_costs_one_request(many) -> None:
    """401: the first row is refused, nobody else asks."""
    settings = kn.Settings(api_key="sk_live_demo_wrong", base_url=many.base_url, limits=FREE)
    found = kn.audio(many.sessions, settings=settings, progress=False)
    assert statuses(found) == {"refused": 1, "skipped": 99}
    assert many.requests.count() == 1
    assert found["recording_error"].str.contains("KATAVEN_API_KEY").all()


def test_a_wrong_key_with_a_store_is_refused_too_and_costs_one(many, tmp_path) -> None:
    """The store is not taken for the culprit."""
    settings = kn.Settings(api_key="sk_live_demo_wrong", base_url=many.base_url, limits=FREE)
    found = kn.audio(many.sessions, settings=settings, store=tmp_path / "calls", progress=False)
    assert statuses(found) == {"refused": 1, "skipped": 99}


def test_an_account_that_may_not_costs_two_requests(many) -> None:
    """A 403 is believed of the account when a second session confirms it."""
    many.faults.add("*", "api:forbidden")
    found = kn.audio(many.sessions, settings=many.settings, progress=False)
    assert statuses(found) == {"refused": 2, "skipped": 98}
    assert many.requests.count() == 2


def test_a_session_that_is_forbidden_stops_nobody(many) -> None:
    """Two 403 among rows that come are about those two."""
    many.faults.add(["s00", "s50"], "api:forbidden")
    assert statuses(kn.audio(many.sessions, settings=many.settings, progress=False)) == {
        "downloaded": 98, "refused": 2,
    }  # fmt: skip


def test_an_account_without_playback_stops_the_run(many) -> None:
    """503 with the service's text is about the account: one request, and it says so."""
    many.accounts.unconfigured.add(many.account)
    found = kn.audio(many.sessions, settings=many.settings, progress=False)
    assert statuses(found) == {"unconfigured": 1, "skipped": 99}
    assert many.requests.count() == 1


def test_a_400_that_names_the_account_stops_the_run(many) -> None:
    """An account name that the service does not take is account-wide."""
    many.faults.add("*", "api:status", status=400, text="X-Account-ID: invalid account name")
    assert statuses(kn.audio(many.sessions, settings=many.settings, progress=False)) == {"refused": 1, "skipped": 99}


def test_a_session_token_that_expires_in_mid_run_says_so(many) -> None:
    """What came stays, what was under way is refused, the rest is skipped; the error names the reason."""
    limits = Limits(per_minute=30, minute_s=1.0, per_hour=None, per_day=None)
    many.limiter.limits = limits
    settings = kn.Settings(api_key=many.jwt(life_s=2.0), account_id=many.account, base_url=many.base_url, limits=limits)
    found = kn.audio(many.sessions, settings=settings, progress=False)
    counts = statuses(found)
    assert counts["downloaded"] >= 30
    assert 1 <= counts["refused"] <= 20
    assert counts["skipped"] == 100 - counts["downloaded"] - counts["refused"]
    assert found["recording_error"].dropna().str.contains("about an hour: get a new one").all()
    # And calling again with a new one goes on.
    fresh = kn.Settings(api_key=many.jwt(), account_id=many.account, base_url=many.base_url, limits=FREE)
    many.limiter.limits = FREE
    assert statuses(kn.audio(found, settings=fresh, progress=False)) == {"downloaded": 100}


def test_those_who_wait_for_the_budget_learn_of_a_refused_account(many) -> None:
    """A key that is revoked while nineteen wait for the next minute: none of them asks."""
    limits = Limits(per_minute=10, minute_s=600.0, per_hour=None, per_day=None)
    settings = kn.Settings(api_key=many.api_key, base_url=many.base_url, limits=limits)
    many.faults.add("*", "api:unauthorized", skip=9)  # the last that the minute allows, whichever session it is of
    found = kn.audio(many.sessions, settings=settings, progress=False)
    assert statuses(found)["refused"] == 1
    assert many.requests.count("api") <= 10


def test_max_wait_leaves_the_rest_limited_with_the_time_to_come_back(many) -> None:
    """Forty of a hundred come; the others say when, cost nothing, and come with the next call."""
    limits = Limits(per_minute=40, minute_s=1.5, per_hour=None, per_day=None)
    many.limiter.limits = limits
    settings = kn.Settings(api_key=many.api_key, base_url=many.base_url, limits=limits)
    found = kn.audio(many.sessions, settings=settings, max_wait=0.2, progress=False)
    assert statuses(found) == {"downloaded": 40, "limited": 60}
    assert many.requests.count("api") == 40
    assert found["recording_error"].dropna().str.contains(r"call again at \d\d:\d\d:\d\d").all()
    again = kn.audio(found, settings=settings, progress=False)
    assert statuses(again) == {"downloaded": 100}
    assert (many.requests.count("api"), many.requests.refused) == (100, 0)


def test_thousands_of_limited_rows_do_not_ask_the_budget_one_by_one(many, monkeypatch) -> None:
    """Once the answer is known it holds for all."""
    asked = []
    reserve = BudgetTable.reserve
    monkeypatch.setattr(BudgetTable, "reserve", lambda self, now: (asked.append(1), reserve(self, now))[1])
    settings = kn.Settings(api_key=many.api_key, base_url=many.base_url, limits=Limits(per_minute=5))
    found = kn.audio(
        calls(*(f"s{number:05d}" for number in range(3_000))), settings=settings, max_wait=0, progress=False
    )
    assert statuses(found)["limited"] == 2_995
    assert len(asked) < 100
