"""Large frames, large stores, many processes, and machines that misbehave."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import demo
from kataven_notebook.service.budget_table import BudgetTable
from kataven_notebook.service.budget_window import Permit
from kataven_notebook.settings import Settings
from kataven_notebook.store.entry import COLUMNS, Entry
from kataven_notebook.store.ledger import Ledger

pytestmark = pytest.mark.core

NO_WINDOWS = kn.Limits(None, None, None, 20)


def test_200_000_rows_of_few_sessions_cost_few_requests(hub) -> None:
    """Each session is asked for once; all its rows share one recording."""
    ids = np.array([f"s{number}" for number in range(10)], dtype=object)
    frame = pd.DataFrame({"session_id": ids[np.arange(200_000) % 10], "row": np.arange(200_000)})
    got = kn.audio(frame, settings=hub.settings, progress=False)
    assert hub.requests.count("api") == 10
    assert (got["recording_status"] == "downloaded").all()
    assert got["row"].equals(frame["row"])
    assert len({id(each) for each in got["audio"]}) == 10


def test_200_000_sessions_that_are_known_need_no_service(tmp_path) -> None:
    """A store that knows them all answers for the service, which is not even there."""
    fill(tmp_path / "calls", 200_000)
    frame = pd.DataFrame({"session_id": [f"call-{number:06d}" for number in range(200_000)]})
    settings = Settings(base_url="http://127.0.0.1:9/v1", state_dir=tmp_path / "state")
    got = kn.audio(frame, store=tmp_path / "calls", settings=settings, progress=False)
    assert (got["recording_status"] == "missing").all()
    assert got["recording_error"].iloc[-1] == "the session has no recording"


def fill(folder, sessions: int) -> None:
    """Write a ledger of many outcomes directly."""
    with kn.Store(folder):
        pass
    ledger = Ledger(folder / "ledger.sqlite3")
    entry = Entry("", "missing", "the session has no recording", first_at=1.0, updated_at=1.0)
    rest = tuple(getattr(entry, name) for name in COLUMNS[1:])
    ledger.take_over(Entry(f"call-{number:06d}", *rest) for number in range(sessions))
    ledger.close()


MANY = """
import os, sys, pandas as pd, kataven_notebook as kn, stamina
base_url, key, state, processes, rows = sys.argv[1:]
stamina.set_testing(True, attempts=4, cap=True)
limits = kn.Limits(per_minute=20, per_hour=None, per_day=None, in_flight=6, minute_s=0.25)
settings = kn.Settings(api_key=key, base_url=base_url, limits=limits, state_dir=state)
children = []
for number in range(int(processes)):
    if not (child := os.fork()):
        ids = [f"s{(number + row) % 10}" for row in range(int(rows))]
        got = kn.audio(pd.DataFrame({"session_id": ids}), settings=settings, progress=False)
        os._exit(0 if (got["recording_status"] == "downloaded").all() else 1)
    children.append(child)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks, to start twenty quickly")
def test_twenty_processes_share_one_budget(wav, tmp_path) -> None:
    """None of their hundred requests is refused, and none has to be made twice."""
    limits = kn.Limits(per_minute=20, per_hour=None, per_day=None, in_flight=6, minute_s=0.25)
    with demo.hub(sessions={f"s{number}": wav for number in range(10)}, limits=limits) as hub:
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", MANY, hub.base_url, hub.api_key]
        done = subprocess.run([*command, str(tmp_path / "state"), "20", "5"], check=False)
        assert done.returncode == 0
        assert hub.requests.refused == 0
        assert hub.requests.count("api") == 100
        assert hub.requests.most_in_flight("api") <= 6


@pytest.mark.parametrize("kind", ["a file", "below a file", "damaged"])
def test_a_state_directory_that_can_not_be_used_warns_once_and_works(wav, tmp_path, kind) -> None:
    """The process counts alone; all its runs together warn once."""
    place = tmp_path / "state"
    if kind == "damaged":
        place.mkdir()
        (place / "budget-1.sqlite3").write_bytes(b"not a database at all" * 100)
    else:
        place.write_text("somebody's file")
        place = place if kind == "a file" else place / "deeper"
    with demo.hub(sessions={"s1": wav}, limits=NO_WINDOWS) as hub:
        settings = Settings(api_key=hub.api_key, base_url=hub.base_url, state_dir=place)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(2):
                got = kn.audio(pd.DataFrame({"session_id": ["s1"]}), settings=settings, progress=False)
                assert got["recording_status"].tolist() == ["downloaded"]
    assert len([each for each in caught if "counts alone" in str(each.message)]) == 1


@pytest.mark.parametrize("jump_s", [-7_200.0, -30.0, 30.0, 7_200.0, 400 * 86_400.0, -400 * 86_400.0])
def test_a_clock_that_jumps_neither_blocks_nor_passes_a_limit(tmp_path, jump_s) -> None:
    """After it the next request waits a window's length at most, by the clock as it is now."""
    limits = kn.Limits(per_minute=5, per_hour=None, per_day=None)
    table = BudgetTable(tmp_path, "account:acme", limits, lease_s=30.0)
    sent: list[float] = []
    # The time that goes by, of which the clock tells what it likes.
    for passed_s in np.arange(0.0, 600.0, 0.25).tolist():
        now = 1_790_000_000.0 + passed_s + (jump_s if len(sent) >= 7 else 0.0)
        permit = table.reserve(now) if len(sent) < 12 else None
        if isinstance(permit, Permit):
            sent.append(passed_s)
            table.settle(permit, now + 0.1, answered=True)
    table.close()
    assert len(sent) == 12
    assert 60 <= sent[5] - sent[0] < 61
    assert np.diff(sent).max() < 61
    # After a jump forward a window may seem over that is not, once.
    in_any_window = max(sum(at <= other < at + 60 for other in sent) for at in sent)
    assert in_any_window <= 5 + (2 if jump_s > 0 else 0)


def test_a_network_that_comes_back_is_used_again(wav, tmp_path) -> None:
    """Where it was never there, the run ends and says so; the same call afterwards does what is left and no more."""
    sessions = {f"s{number}": wav for number in range(8)}
    frame = pd.DataFrame({"session_id": list(sessions)})
    with demo.hub(sessions=sessions, limits=NO_WINDOWS) as hub:
        ports = {"port": urlsplit(hub.base_url).port, "storage_port": urlsplit(hub.storage_url).port}
        first = kn.audio(frame.head(3), store=tmp_path / "calls", settings=hub.settings, progress=False)
        assert (first["recording_status"] == "downloaded").all()
        gone = hub.settings
        settings = Settings(
            api_key=gone.api_key, base_url=gone.base_url, limits=NO_WINDOWS, state_dir=tmp_path / "state"
        )
    lost = kn.audio(frame, store=tmp_path / "calls", settings=settings, progress=False)
    # Requests that are under way together may fail together.
    assert (lost["recording_status"].iloc[:3] == "downloaded").all()
    assert set(lost["recording_status"].iloc[3:]) <= {"failed", "skipped"}
    assert lost["recording_error"].dropna().str.contains("the Hub could not be asked: no connection").all()
    with demo.hub(sessions=sessions, limits=NO_WINDOWS, **ports) as hub:
        back = kn.audio(lost, store=tmp_path / "calls", settings=hub.settings, progress=False)
        assert (back["recording_status"] == "downloaded").all()
        assert sorted(each.session_id for each in hub.requests.api) == ["s3", "s4", "s5", "s6", "s7"]


def test_a_service_that_goes_away_in_the_middle_loses_nothing_that_was_done(wav, tmp_path) -> None:
    """Closed while a run is under way, and not back within `max_wait`: what was finished stays, the rest fails."""
    sessions = {f"s{number:03d}": wav for number in range(120)}
    frame = pd.DataFrame({"session_id": list(sessions)})
    hub = demo.hub(sessions=sessions, limits=NO_WINDOWS, api_latency_s=0.01)

    def close_soon() -> None:
        pause = threading.Event()
        while hub.requests.count("storage") < 30:
            pause.wait(0.002)
        hub.close()

    closing = threading.Thread(target=close_soon)
    closing.start()
    settings = Settings(api_key=hub.api_key, base_url=hub.base_url, limits=NO_WINDOWS, state_dir=tmp_path / "state")
    got = kn.audio(frame, store=tmp_path / "calls", settings=settings, max_wait=2, progress=False)
    closing.join()
    counts = got["recording_status"].value_counts()
    assert counts["downloaded"] + counts["failed"] == 120
    assert counts["downloaded"] >= 10
    assert counts["failed"] > 0
    kept = kn.Store(tmp_path / "calls").load(got.loc[got["recording_status"] == "downloaded", "session_id"].tolist())
    assert len(kept) == counts["downloaded"]
