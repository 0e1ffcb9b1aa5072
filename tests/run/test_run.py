"""Whole runs: what stops one, what waits, what goes on, and what it costs in requests."""

from __future__ import annotations

import gc
import threading
import warnings

import pandas as pd
import psutil
import pytest

import kataven_notebook as kn
from kataven_notebook import Limits, demo
from kataven_notebook.run.plan import Plan, Task
from kataven_notebook.run.run import Run
from kataven_notebook.service.budget_table import BudgetTable

pytestmark = pytest.mark.core

FREE = Limits(None, None, None, 20)


def calls(*ids: str) -> pd.DataFrame:
    """A frame of sessions."""
    return pd.DataFrame({"session_id": list(ids)})


def statuses(frame: pd.DataFrame) -> dict[str, int]:
    """How many rows have which status."""
    counts = frame["recording_status"].value_counts()
    return {name: count for name, count in counts.items() if count}


@pytest.fixture
def many(wav):
    """A Hub with a hundred sessions."""
    with demo.hub(sessions={f"s{number:02d}": wav for number in range(100)}, limits=FREE) as running:
        yield running


def test_one_request_a_recording_and_twenty_at_most_at_once(many) -> None:
    """A hundred rows are a hundred requests, full use is made of the twenty, and of no more."""
    many.options.api_latency_s, many.options.storage_latency_s = 0.2, 0.02
    found = kn.audio(many.sessions, settings=many.settings, progress=False)
    assert statuses(found) == {"downloaded": 100}
    assert (many.requests.count("api"), many.requests.count("storage"), many.requests.refused) == (100, 100, 0)
    assert 15 <= many.requests.most_in_flight("api") <= 20
    assert many.requests.most_in_flight("storage") <= 20


def test_windows_are_used_to_the_full_and_nothing_is_refused(many) -> None:
    """A hundred rows at forty a window are three bursts; the budget is asked, not the service."""
    # Long enough that forty requests start in it on the busiest machine.
    window_s = 3.0
    limits = Limits(per_minute=40, minute_s=window_s, per_hour=1_000, per_day=None)
    many.limiter.limits = limits
    settings = kn.Settings(api_key=many.api_key, base_url=many.base_url, limits=limits)
    found = kn.audio(many.sessions, settings=settings, progress=False)
    assert statuses(found) == {"downloaded": 100}
    assert (many.requests.count("api"), many.requests.refused) == (100, 0)
    starts = [request.time_s for request in many.requests.api]
    assert sum(at - starts[0] < window_s for at in starts) == 40


def test_all_rows_arrive_beside_a_stranger_on_the_account(many) -> None:
    """Somebody uses up half of each window: slower, some refusals, and no row lost."""
    limits = Limits(per_minute=40, minute_s=1.0, per_hour=None, per_day=None)
    many.limiter.limits = limits
    settings = kn.Settings(api_key=many.api_key, base_url=many.base_url, limits=limits)
    done = threading.Event()

    def spend() -> None:
        while not done.wait(0.25):
            many.spend(5)

    many.spend(20)
    stranger = threading.Thread(target=spend)
    stranger.start()
    try:
        found = kn.audio(many.sessions, settings=settings, progress=False)
    finally:
        done.set()
        stranger.join()
    assert statuses(found) == {"downloaded": 100}
    assert many.requests.refused > 0


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


def test_pending_rows_are_asked_for_again_until_they_are_there(hub, wav) -> None:
    """`poll_pending` waits for what is being uploaded, and gives up on what is not when the time is over."""
    hub.add("late", state="pending")
    hub.add("never", state="pending")
    uploads = threading.Timer(0.6, hub.add, ("late", wav))
    uploads.start()
    found = kn.audio(calls("late", "never", "s1"), settings=hub.settings, poll_pending=1.5, progress=False)
    uploads.join()
    assert found["recording_status"].tolist() == ["downloaded", "pending", "downloaded"]
    assert 3 <= hub.requests.count("api", "never") <= 8
    assert hub.requests.count("api", "s1") == 1


def test_without_poll_pending_a_pending_row_is_asked_once(hub) -> None:
    """By default nobody waits."""
    hub.add("late", state="pending")
    assert kn.audio(calls("late"), settings=hub.settings, progress=False)["recording_status"].tolist() == ["pending"]
    assert hub.requests.count() == 1


def test_a_url_in_the_frame_is_used_if_it_lives_and_signed_again_if_not(hub) -> None:
    """A live URL costs no request; one that is dead or about to die costs one."""
    signed = kn.recordings(calls("s0", "s1"), settings=hub.settings, progress=False)
    signed.loc[1, "recording_expires_at"] = pd.Timestamp.now(tz="UTC") + pd.Timedelta("1s")
    hub.requests.clear()
    found = kn.audio(signed, settings=hub.settings, progress=False)
    assert statuses(found) == {"downloaded": 2}
    assert (hub.requests.count("api", "s0"), hub.requests.count("api", "s1")) == (0, 1)


@pytest.mark.parametrize("offset_s", [-3_600.0, 3_600.0])
def test_a_local_clock_an_hour_off_changes_nothing(hub, offset_s) -> None:
    """The service's `Date` is what counts: 1.00 requests a row, and URLs live their five minutes."""
    hub.options.clock_offset_s = offset_s
    signed = kn.recordings(hub.sessions, settings=hub.settings, progress=False)
    left_s = (signed["recording_expires_at"] - pd.Timestamp.now(tz="UTC")).dt.total_seconds()
    assert left_s.between(290, 301).all()
    assert statuses(kn.audio(signed, settings=hub.settings, progress=False)) == {"downloaded": 10}
    assert hub.requests.count("api") == 10


def test_a_long_download_that_outlives_its_url_is_signed_again_and_resumed(hub, wav) -> None:
    """The line drops when the URL has died: a new one, and the rest from where it was."""
    hub.options.url_life_s = 1
    hub.faults.add("s0", "storage:truncated", times=1)
    hub.faults.add("s0", "storage:expired", times=1)
    found = kn.audio(calls("s0"), settings=hub.settings, progress=False)
    assert found["audio"][0].encoded() == wav
    assert (hub.requests.count("api"), hub.requests.count("storage")) == (2, 3)
    assert hub.requests.storage[-1].headers["range"] == f"bytes={len(wav) // 2}-"


def test_a_programming_error_of_the_work_is_nobodys_row(hub) -> None:
    """What is no `Exception` of a row comes out of the call, and the threads end."""

    def work(_recording, _stop):
        raise ZeroDivisionError("mine")

    plan = Plan(settings=hub.settings, work=work)
    with pytest.raises(ZeroDivisionError, match="mine"), Run(plan, [Task("s0")]) as run:
        list(run.outcomes())


def test_an_iterator_that_is_left_early_fetches_no_more(many) -> None:
    """Memory and requests are bounded by what is in flight."""
    found = kn.iter_recordings(many.sessions, settings=many.settings, in_flight=2)
    next(found)
    found.close()
    assert many.requests.count("api") <= 8


def test_a_run_leaves_no_socket_and_no_thread(hub) -> None:
    """Nothing is left for the garbage collector to warn about."""
    before = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        kn.audio(hub.sessions, settings=hub.settings, progress=False)
        gc.collect()
    assert set(threading.enumerate()) <= before


def test_retries_leave_nothing_in_the_log(hub, caplog) -> None:
    """A row's outcome tells what became of it; a line for each retry would bury the notebook."""
    hub.faults.add("s0", "api:server_error", times=2)
    kn.audio(hub.sessions, settings=hub.settings, progress=False)
    assert [record for record in caplog.records if record.name.startswith("stamina")] == []


def test_memory_that_will_not_do_is_said_in_time(hub, monkeypatch) -> None:
    """Before the sound fills half of what is free, a warning names the store."""
    free = type("Memory", (), {"available": 100_000})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.warns(UserWarning, match='store="calls/"'):
        kn.audio(hub.sessions, settings=hub.settings, progress=False)
