"""Every fault that a service or a storage can have, and what becomes of the row that meets it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from kataven_notebook import Limits, demo
from kataven_notebook.run.plan import Outcome, Plan, Task
from kataven_notebook.run.run import Run
from kataven_notebook.settings import Settings

pytestmark = pytest.mark.core

OTHERS = ("s1", "s2", "s3")
ALWAYS = None


@pytest.fixture(scope="module")
def service(wav):
    """One Hub for all faults."""
    sessions = dict.fromkeys(("bad", *OTHERS), wav)
    with demo.hub(sessions=sessions, limits=Limits(None, None, None, 20)) as running:
        yield running


def fault(kind: str, expected: str, api: int, storage: int, /, *, times: int | None = ALWAYS, **options: Any) -> Any:
    """One line of the matrix: the fault, and the status and the requests it leads to."""
    often = {ALWAYS: "always", 1: "once", 3: "thrice"}[times]
    told = "".join(f"-{value}" for value in options.values())[:40]
    return pytest.param(kind, times, options, (expected, api, storage), id=f"{kind}{told}-{often}")


def after(kind: str, api: int, storage: int, /, *, times: int = 1, **options: Any) -> Any:
    """A fault that passes: the row arrives all the same."""
    return fault(kind, "downloaded", api, storage, times=times, **options)


BROKEN = ("reset_before", "close_before", "reset_after_headers", "reset_middle", "truncated")
MATRIX = [
    # The connection breaks, or nothing comes: asked four times in all.
    *(fault(f"api:{each}", "failed", 4, 0) for each in (*BROKEN, "stall", "drip")),
    *(after(f"api:{each}", 2, 1) for each in BROKEN),
    *(fault(f"storage:{each}", "failed", 1, 4) for each in (*BROKEN, "stall")),
    *(after(f"storage:{each}", 1, 2) for each in BROKEN),
    after("storage:stall", 1, 2, after_bytes=1_000),
    after("storage:truncated", 1, 4, times=3),
    fault("storage:drip", "failed", 1, 1),
    # The service fails: four times, or until it is well.
    *(fault(f"api:{each}", "failed", 4, 0) for each in ("server_error", "bad_gateway", "unavailable")),
    *(after(f"api:{each}", 2, 1) for each in ("server_error", "bad_gateway", "unavailable")),
    *(after(f"api:{each}", 4, 1, times=3) for each in ("server_error", "bad_gateway", "unavailable")),
    fault("api:status", "failed", 4, 0, status=408),
    fault("api:status", "failed", 1, 0, status=418),
    *(fault(f"storage:{each}", "failed", 1, 4) for each in ("server_error", "bad_gateway", "unavailable", "slow_down")),
    *(after(f"storage:{each}", 1, 2) for each in ("server_error", "bad_gateway", "unavailable", "slow_down")),
    *(after(f"storage:{each}", 1, 4, times=3) for each in ("server_error", "bad_gateway", "unavailable", "slow_down")),
    # It answers, and the answer is final for this row.
    fault("api:missing", "missing", 1, 0),
    fault("api:pending", "pending", 1, 0),
    fault("api:forbidden", "refused", 1, 0),
    fault("api:status", "failed", 1, 0, status=400, text="bad request"),
    *(fault(f"storage:{each}", "failed", 1, 1) for each in ("missing", "denied", "bad_signature", "not_yet_valid")),
    fault("storage:status", "failed", 1, 1, status=418),
    # The URL has died: signed again, once.
    *(fault(f"storage:{each}", "expired", 2, 2) for each in ("expired", "expired_token")),
    *(after(f"storage:{each}", 2, 2) for each in ("expired", "expired_token")),
    # Refused for the limits, whatever `Retry-After` says.
    # The third refusal is believed for a minute.
    pytest.param(
        *after("api:rate_limited", 4, 1, times=3, retry_after="0").values,
        marks=pytest.mark.long,
        id="api:rate_limited-0-thrice",
    ),
    *(
        after("api:rate_limited", 2, 1, retry_after=value)
        for value in ("1", "0", "-3", "soon", None, timedelta(seconds=1), timedelta(days=-1))
    ),
    # A 200 that is none.
    *(
        fault(f"api:{each}", "failed", 1, 0)
        for each in (
            "empty", "html", "xml", "not_json", "json_list", "json_null", "no_url", "relative_url", "file_url",
            "url_not_text", "huge_json", "endless", "redirect", "redirect_loop",
        )
    ),
    *(fault(f"storage:{each}", "corrupt", 1, 1) for each in ("empty", "xml")),
    fault("storage:html", "failed", 1, 1),
    fault("storage:endless", "too_large", 1, 1),
    fault("api:gzip_bomb", "failed", 1, 0, size_bytes=20_000_000),
    fault("storage:gzip_bomb", "too_large", 1, 1, size_bytes=20_000_000),
    fault("storage:redirect_loop", "failed", 1, 4),
    after("storage:redirect", 1, 2),
    # Headers that lie, or are not there.
    *(fault(f"{side}:gzip", "downloaded", 1, 1) for side in ("api", "storage")),
    *(fault(f"{side}:no_content_length", "downloaded", 1, 1) for side in ("api", "storage")),
    *(fault(f"{side}:content_length", "downloaded", 1, 1) for side in ("api", "storage")),
    *(fault(f"{side}:content_type", "downloaded", 1, 1, value=value) for side in ("api", "storage")
      for value in (None, "text/html")),
    *(fault("api:date", "downloaded", 1, 1, value=value) for value in (None, "yesterday", timedelta(hours=1))),
    *(fault("storage:etag", "downloaded", 1, 1, value=value) for value in (None, "changing", "no quotes", 'W/"weak"')),
    fault("api:content_length", "failed", 4, 0, value="many"),
    fault("storage:content_length", "failed", 1, 4, value="many"),
    fault("api:wrong_content_length", "failed", 4, 0),
    fault("storage:wrong_content_length", "failed", 1, 4),
    fault("storage:wrong_content_length", "corrupt", 1, 1, delta_bytes=-1_000),
]  # fmt: skip


def run(hub, plan: Plan, *ids: str) -> dict[str, Outcome]:
    """Run some sessions to the end."""
    with Run(plan, [Task(each) for each in ids]) as running:
        return dict(running.outcomes())


@pytest.mark.parametrize(("kind", "times", "options", "expected"), MATRIX)
def test_a_fault_is_its_rows_alone(service, wav, kind, times, options, expected) -> None:
    """Status and number of requests are as listed; the other rows come whole, with one request each."""
    service.requests.clear()
    service.faults.clear()
    service.faults.add("bad", kind, times=times, **options)
    # Only where nothing comes are short time-outs needed; on a busy machine the others would meet them.
    is_slow = kind.endswith((":stall", ":drip"))
    settings = Settings(
        api_key=service.api_key,
        base_url=service.base_url,
        limits=service.settings.limits,
        request_timeout_s=0.4 if is_slow else 10.0,
    )
    plan = Plan(settings=settings, max_bytes=5_000_000, total_timeout_s=0.6 if kind == "storage:drip" else 60.0)
    outcomes = run(service, plan, "bad", *OTHERS)
    bad = outcomes["bad"]
    found = (str(bad.status), service.requests.count("api", "bad"), service.requests.count("storage", "bad"))
    assert found == expected, bad.error
    if bad.recording is not None:
        assert bad.recording.encoded() == wav
    else:
        assert bad.error
        assert "X-Amz-" not in bad.error
    for each in OTHERS:
        assert outcomes[each].recording is not None, outcomes[each].error
        assert outcomes[each].recording.encoded() == wav
        assert (service.requests.count("api", each), service.requests.count("storage", each)) == (1, 1)


@pytest.mark.parametrize("retry_after", ["0.05", "0", None, "soon"])
def test_a_session_that_is_always_refused_for_the_limits_is_limited_alone(service, wav, retry_after) -> None:
    """Others are granted meanwhile, so the refusals are its own; they come whole, with one request each."""
    service.requests.clear()
    service.faults.clear()
    service.faults.add("bad", "api:rate_limited", retry_after=retry_after)
    limits = Limits(None, None, None, 20, minute_s=3.0)
    settings = Settings(api_key=service.api_key, base_url=service.base_url, limits=limits)
    outcomes = run(service, Plan(settings=settings), "bad", *OTHERS)
    assert str(outcomes["bad"].status) == "limited"
    assert "although it granted others" in (outcomes["bad"].error or "")
    assert 4 <= service.requests.count("api", "bad") <= 8
    for each in OTHERS:
        assert outcomes[each].recording.encoded() == wav
        assert service.requests.count("api", each) == 1


def test_a_storage_host_never_receives_the_api_key(service) -> None:
    """Neither in the first request nor after a redirect."""
    service.requests.clear()
    service.faults.clear()
    service.faults.add("bad", "storage:redirect", times=1)
    run(service, Plan(settings=service.settings), "bad", *OTHERS)
    assert len(service.requests.storage) == 5
    for request in service.requests.storage:
        assert service.api_key not in str(request.headers)
        assert "authorization" not in {name.lower() for name in request.headers}


def test_a_redirect_of_the_api_is_not_followed_with_credentials(service) -> None:
    """Wherever it leads, nobody else gets the key."""
    service.requests.clear()
    service.faults.clear()
    service.faults.add("bad", "api:redirect", location=service.storage_url + "/steal")
    outcome = run(service, Plan(settings=service.settings), "bad")["bad"]
    assert "redirects (307)" in (outcome.error or "")
    assert service.requests.count("storage") == 0


def test_no_thread_outlives_its_run(service) -> None:
    """When the last outcome is there the threads have ended."""
    before = set(threading.enumerate())
    service.faults.clear()
    run(service, Plan(settings=service.settings), *OTHERS)
    assert set(threading.enumerate()) <= before
