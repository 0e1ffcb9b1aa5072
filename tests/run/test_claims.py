"""Several runs on one store: each session is asked for once, and all get all."""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from frames import FREE, calls, statuses

import kataven_notebook as kn
from kataven_notebook import Status, Store, demo
from kataven_notebook.frame import job, known
from kataven_notebook.run import claims as run_claims
from kataven_notebook.run.plan import Plan, Task
from kataven_notebook.run.run import Run
from kataven_notebook.store import claims
from kataven_notebook.store.claims import Standing

pytestmark = pytest.mark.core

ROWS = 100


@pytest.fixture
def slow(wav):
    """A Hub with a hundred sessions that takes its time, so that runs meet."""
    sessions = {f"s{number:02d}": wav for number in range(ROWS)}
    with demo.hub(sessions=sessions, limits=FREE, api_latency_s=0.05, storage_latency_s=0.05) as running:
        yield running


@pytest.fixture
def folder(tmp_path):
    """Where a test's store is."""
    return tmp_path / "calls"


def wait_for(condition) -> None:
    """Wait until something holds."""
    ends_at = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < ends_at, "it never came to hold"
        time.sleep(0.005)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("shared", [True, False])
def test_threads_of_one_process_ask_once_for_each_session(slow, folder, count, shared) -> None:
    """Whether they share the store's object or open one each; and all of them have all the sound."""
    stores = [folder] * count if shared else [Store(folder) for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        found = list(
            pool.map(lambda store: kn.audio(slow.sessions, settings=slow.settings, store=store, progress=False), stores)
        )
    assert [statuses(each) for each in found] == count * [{"downloaded": ROWS}]
    assert all(each["session_id"].tolist() == sorted(slow.sessions["session_id"]) for each in found)
    assert slow.requests.count("api") == slow.requests.count("storage") == ROWS


@pytest.mark.parametrize("count", [2])
def test_threads_that_refresh_ask_once_for_each_session(slow, folder, count) -> None:
    """What was known before is asked for again, and what one of them has refreshed is fresh for the others."""
    kn.audio(slow.sessions, settings=slow.settings, store=folder, progress=False)
    slow.requests.clear()
    ready = threading.Barrier(count)

    def refresh(_: int):
        ready.wait()
        return kn.audio(slow.sessions, settings=slow.settings, store=folder, refresh=True, progress=False)

    with ThreadPoolExecutor(count) as pool:
        found = list(pool.map(refresh, range(count)))
    assert [statuses(each) for each in found] == count * [{"downloaded": ROWS}]
    assert slow.requests.count("api") == ROWS


def test_what_is_settled_while_a_run_reads_the_store_is_not_asked_for(hub, folder, monkeypatch) -> None:
    """Reading a large store takes seconds, and the run begins after it."""

    def read_slowly(frame, sessions, plan, **options):
        found = known.split(frame, sessions, plan, **options)
        with Store(folder) as theirs:
            for each in hub.sessions["session_id"][:5]:
                theirs.note(each, Status.MISSING, "the session has no recording")
        return found

    monkeypatch.setattr(job, "split", read_slowly)
    found = kn.audio(hub.sessions, settings=hub.settings, store=folder, progress=False)
    assert found["recording_status"].tolist() == 5 * ["missing"] + 5 * ["downloaded"]
    assert hub.requests.count("api") == 5


def test_a_streaming_run_that_stands_still_holds_nobody_up(slow, folder) -> None:
    """Somebody looks at the first recordings of a stream, and fetches the rest meanwhile."""
    stream = kn.iter_recordings(slow.sessions, settings=slow.settings, store=folder, progress=False)
    next(stream)
    found = kn.audio(slow.sessions, settings=slow.settings, store=folder, progress=False)
    assert statuses(found) == {"downloaded": ROWS}
    assert len(list(stream)) == ROWS - 1
    assert slow.requests.count("api") == ROWS


def test_a_run_inside_a_run_s_function_waits_for_no_one_that_waits_for_it(slow, folder) -> None:
    """Each call is looked at beside all others, which the outer run is fetching."""

    def others(recording: kn.Recording) -> int:
        found = kn.audio(slow.sessions, settings=slow.settings, store=folder, progress=False)
        return int((found["recording_status"] == "downloaded").sum())

    found = kn.apply(
        slow.sessions.head(8), others, columns="there", settings=slow.settings, store=folder, progress=False
    )
    assert found["there"].tolist() == 8 * [ROWS]
    assert slow.requests.count("api") == ROWS


def test_what_another_run_waits_to_ask_for_is_waited_for_no_longer_than_max_wait(hub, folder) -> None:
    """The hour is used up for the one, and the other one has no time."""
    limits = kn.Limits(per_minute=2, per_hour=None, per_day=None, minute_s=3_600.0)
    settings = kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=limits)
    with Store(folder) as store, Run(Plan(settings=settings, store=store), [Task(f"s{n}") for n in range(10)]) as run:
        outcomes = run.outcomes()
        assert {next(outcomes)[1].status, next(outcomes)[1].status} == {Status.DOWNLOADED}
        wait_for(lambda: store._ledger._read("SELECT count(*) FROM claims WHERE until = 0", ()) == [(8,)])
        found = kn.audio(hub.sessions, settings=settings, store=store, max_wait="1s", progress=False)
    assert statuses(found) == {"downloaded": 2, "limited": 8}
    assert found.loc[found["recording_status"] == "limited", "recording_error"].str.contains("max_wait was over").all()
    assert hub.requests.count("api") == 2


def test_a_run_goes_on_when_another_one_gives_up(hub, folder) -> None:
    """An interrupted run hangs in a download: its session is free at once, and tried when it is free."""
    hub.faults.add("s0", "storage:stall", times=1)
    settings = kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=FREE, request_timeout_s=120.0)
    with Store(folder) as store, ThreadPoolExecutor(1) as pool:
        with Run(Plan(settings=settings, store=store), [Task("s0")]) as first:
            first._start_threads()
            wait_for(lambda: hub.requests.count("storage"))
            second = pool.submit(kn.audio, calls("s0", "s1"), settings=settings, store=store, progress=False)
            wait_for(lambda: store.load(["s1"]))
            assert not second.done()
            began = time.monotonic()
        assert statuses(second.result()) == {"downloaded": 2}
        assert time.monotonic() - began < run_claims._RETRY_S / 2
    assert hub.requests.count("api", "s0") == 2


def test_a_late_failure_does_not_hide_what_another_run_has_found(hub, folder) -> None:
    """A process was stopped while it downloaded, another one has done its session, and its own download fails."""
    hub.faults.add("s0", "storage:stall")
    settings = kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=FREE, request_timeout_s=0.5)
    with Store(folder) as store, ThreadPoolExecutor(1) as pool:
        found = pool.submit(kn.audio, calls("s0"), settings=settings, store=store, progress=False)
        wait_for(lambda: hub.requests.count("storage"))
        store.note("s0", Status.MISSING, "the session has no recording")
        assert found.result()["recording_status"].tolist() == ["missing"]
        assert store.load(["s0"])["s0"].status == "missing"


def test_sound_that_comes_late_does_not_replace_another_run_s(hub, folder, wav) -> None:
    """A process was stopped while it downloaded, and what another one has handed on can be read for ever."""
    hub.faults.add("s0", "storage:drip", bytes_per_s=40_000.0)
    with Store(folder) as store, ThreadPoolExecutor(1) as pool:
        found = pool.submit(kn.audio, calls("s0"), settings=hub.settings, store=store, progress=False)
        wait_for(lambda: hub.requests.count("storage"))
        theirs = wav[:-2] + b"xx"
        with store.part() as part:
            part.write(theirs)
            kept = store.keep("s0", part, hashlib.sha256(theirs).hexdigest())
        assert found.result()["audio"][0].encoded() == kept.encoded() == theirs


def test_a_run_that_was_stopped_asks_for_nothing_that_another_one_has_taken(hub, folder) -> None:
    """It waited for the next window, its sessions were taken meanwhile, and now the window is open."""
    limits = kn.Limits(per_minute=5, per_hour=None, per_day=None, minute_s=2.0)
    settings = kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=limits)
    with Store(folder) as store, ThreadPoolExecutor(1) as pool:
        theirs = store.claims()
        theirs.begin()
        run = pool.submit(kn.audio, hub.sessions, settings=settings, store=store, progress=False)
        # All that was granted is settled and given back; the rest waits for the window.
        wait_for(lambda: store._ledger._read("SELECT count(*), sum(until = 0) FROM claims", ()) == [(5, 5)])
        left = [each for (each,) in store._ledger._read("SELECT session_id FROM claims", ())]
        with store._ledger._transaction() as db:
            db.execute("DELETE FROM claims")
        assert {theirs.take(each, attempts=0, has_asked=True) for each in left} == {Standing.OURS}
        time.sleep(2.5)  # the next window opens: nothing else shows that nothing is sent in it
        assert hub.requests.count("api") == 5
        for each in left:
            store.note(each, Status.MISSING, "the session has no recording")
        assert statuses(run.result()) == {"downloaded": 5, "missing": 5}
        assert hub.requests.count("api") == 5


def test_without_a_thread_to_spare_a_run_still_shares(slow, folder, monkeypatch) -> None:
    """The thread that looks at others can't be started: the sessions' own threads look."""
    start = threading.Thread.start

    def start_most(thread: threading.Thread) -> None:
        if thread.name.endswith("claims"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_most)
    monkeypatch.setattr(run_claims, "_RETRY_S", 0.2)
    with ThreadPoolExecutor(2) as pool:
        found = [
            pool.submit(kn.audio, slow.sessions, settings=slow.settings, store=folder, progress=False) for _ in range(2)
        ]
        assert [statuses(each.result()) for each in found] == 2 * [{"downloaded": ROWS}]
    assert slow.requests.count("api") == ROWS
    with Store(folder) as store:
        assert store._ledger._read("SELECT owner FROM claims UNION SELECT owner FROM runs", ()) == []


def test_a_long_download_keeps_its_claim(hub, folder, monkeypatch) -> None:
    """It lasts much longer than a run may say nothing."""
    monkeypatch.setattr(claims, "SILENT_S", 0.4)
    monkeypatch.setattr(run_claims, "BEAT_S", 0.05)
    hub.faults.add("s0", "storage:drip", bytes_per_s=8_000.0)
    with ThreadPoolExecutor(2) as pool:
        found = [
            pool.submit(kn.audio, calls("s0", each), settings=hub.settings, store=folder, progress=False)
            for each in ("s1", "s2")
        ]
        assert [statuses(each.result()) for each in found] == 2 * [{"downloaded": 2}]
    assert hub.requests.count("api", "s0") == 1
