"""Limits that are not the ones believed: all rows come, and few requests are refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import demo

pytestmark = [pytest.mark.core, pytest.mark.long]

BELIEVED = kn.Limits(60, 1_000, 10_000, 20, minute_s=2.0, hour_s=120.0, day_s=2_880.0)
ROWS = 50
PAGE = "<html><h1>429 Too Many Requests</h1></html>"


def fetch(wav: bytes, grants: dict[str, Any], options: dict[str, Any], *, rows: int = ROWS) -> tuple[pd.Series, int]:
    """Ask a service that grants other limits for some rows; return their statuses and the refusals."""
    sessions = {f"s{number:03d}": wav for number in range(rows)}
    with demo.hub(sessions=sessions, limits=replace(BELIEVED, **grants), api_latency_s=0.05, **options) as hub:
        settings = replace(hub.settings, limits=BELIEVED)
        got = kn.audio(pd.DataFrame({"session_id": list(sessions)}), settings=settings, progress=False)
        return got["recording_status"], hub.requests.refused


@pytest.mark.parametrize(
    ("in_flight", "options"),
    [(10, {}), (3, {}), (1, {}), (3, {"limit_text": PAGE}), (3, {"retry_after": "0"}), (10, {"retry_after": None}),
     (1, {"limit_text": PAGE, "retry_after": None})],
)  # fmt: skip
def test_fewer_at_once_than_believed(wav, in_flight, options) -> None:
    """Named or not, with a `Retry-After` or without one."""
    statuses, refused = fetch(wav, {"in_flight": in_flight}, options)
    assert (statuses == "downloaded").all()
    assert 1 <= refused <= 30


@pytest.mark.parametrize("options", [{}, {"limit_text": PAGE}, {"retry_after": "soon"}])
def test_fewer_a_minute_than_believed(wav, options) -> None:
    """Three windows of thirty; refused requests count too, so there may be a fourth."""
    statuses, refused = fetch(wav, {"per_minute": 30}, options, rows=90)
    assert (statuses == "downloaded").all()
    assert 1 <= refused <= 30


def test_two_wrong_beliefs_at_once_of_a_service_that_says_nothing(wav) -> None:
    """Three at once, thirty a minute, no words and no `Retry-After`."""
    statuses, refused = fetch(wav, {"in_flight": 3, "per_minute": 30}, {"limit_text": PAGE, "retry_after": None})
    assert (statuses == "downloaded").all()
    assert 1 <= refused <= 45


def test_a_stranger_who_holds_places_costs_no_row(wav) -> None:
    """Fifteen of twenty are taken, and given back in the end."""
    sessions = {f"s{number:03d}": wav for number in range(ROWS)}
    free = kn.Limits(None, None, None, 20, minute_s=2.0)
    with demo.hub(sessions=sessions, limits=free, api_latency_s=0.05) as hub:
        for _ in range(15):
            assert hub.limiter.enter(hub.account) is None
        got = kn.audio(pd.DataFrame({"session_id": list(sessions)}), settings=hub.settings, progress=False)
        assert (got["recording_status"] == "downloaded").all()
        assert hub.requests.refused <= 30


def test_a_limit_that_is_lowered_in_the_middle_costs_no_row(wav) -> None:
    """Twenty at once, and from the twentieth request on two."""
    sessions = {f"s{number:03d}": wav for number in range(80)}
    free = kn.Limits(None, None, None, 20, minute_s=2.0)
    with demo.hub(sessions=sessions, limits=free, api_latency_s=0.05) as hub:

        def lower() -> None:
            pause = threading.Event()
            while hub.requests.count("api") < 20:
                pause.wait(0.002)
            hub.limiter.limits = replace(free, in_flight=2)

        lowering = threading.Thread(target=lower)
        lowering.start()
        got = kn.audio(pd.DataFrame({"session_id": list(sessions)}), settings=hub.settings, progress=False)
        lowering.join()
        assert (got["recording_status"] == "downloaded").all()
        assert hub.requests.refused <= 45


def test_a_service_that_refuses_everything_is_given_up_for_all_rows(wav, tmp_path) -> None:
    """After ten of its minutes, with few requests; nothing is noted, and the same call goes on when it is well."""
    sessions = {f"s{number:03d}": wav for number in range(ROWS)}
    frame = pd.DataFrame({"session_id": list(sessions)})
    limits = kn.Limits(None, None, None, 20, minute_s=0.1)
    with demo.hub(sessions=sessions, limits=limits) as hub:
        hub.faults.add("*", "api:rate_limited", retry_after=None, text=PAGE)
        got = kn.audio(frame, settings=hub.settings, store=tmp_path / "calls", progress=False)
        assert (got["recording_status"] == "limited").all()
        assert got["recording_error"].str.contains("has refused every request since").all()
        assert hub.requests.refused <= 40
        assert not kn.Store(tmp_path / "calls").load(list(sessions))
        hub.faults.clear()
        again = kn.audio(got, settings=hub.settings, store=tmp_path / "calls", progress=False)
        assert (again["recording_status"] == "downloaded").all()


OTHER = """
import sys, pandas as pd, kataven_notebook as kn
base_url, key, state, first = sys.argv[1:]
limits = kn.Limits(60, 1_000, 10_000, 20, minute_s=2.0, hour_s=120.0, day_s=2_880.0)
settings = kn.Settings(api_key=key, base_url=base_url, limits=limits, state_dir=state)
ids = [f"s{number:03d}" for number in range(int(first), int(first) + 25)]
got = kn.audio(pd.DataFrame({"session_id": ids}), settings=settings, progress=False)
sys.exit(0 if (got["recording_status"] == "downloaded").all() else 1)
"""


def test_what_one_process_learns_all_of_the_machine_know(wav, tmp_path) -> None:
    """Two at the same time, of which each would have learnt it at the cost of twenty refusals."""
    sessions = {f"s{number:03d}": wav for number in range(ROWS)}
    with demo.hub(sessions=sessions, limits=replace(BELIEVED, in_flight=3), api_latency_s=0.05) as hub:
        command = [sys.executable, "-c", OTHER, hub.base_url, hub.api_key, str(tmp_path / "state")]
        running = [subprocess.Popen([*command, first]) for first in ("0", "25")]
        assert [each.wait() for each in running] == [0, 0]
        assert hub.requests.refused <= 30
