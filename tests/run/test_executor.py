"""Work on processes and on a cluster: bounded, without the key, and through workers' deaths."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import psutil
import pytest
import soundfile as sf

import kataven_notebook as kn
from kataven_notebook import demo, errors
from kataven_notebook.frame.apply import apply

# Forking a process that has threads is warned of from Python 3.12 on; these tests start afresh.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def wav(seconds: float = 0.25) -> bytes:
    """Stereo noise as WAV."""
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(0).normal(0, 0.1, (round(8_000 * seconds), 2)), 8_000, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def service():
    """Twelve good sessions, one missing and one broken."""
    with demo.hub(sessions={}, limits=kn.Limits(per_minute=None, per_hour=None, per_day=None)) as running:
        data = wav()
        for number in range(12):
            running.add(f"s{number:02d}", data)
        running.add("gone", state="missing")
        running.add("broken", b"<html>")
        yield running


@pytest.fixture
def hub(service):
    """The module's Hub as it was at first."""
    service.requests.clear()
    service.faults.clear()
    service.options.url_life_s = 300.0
    return service


@pytest.fixture
def frame() -> pd.DataFrame:
    """One row a session."""
    return pd.DataFrame({"session_id": [*(f"s{number:02d}" for number in range(12)), "gone", "broken"]})


@pytest.fixture
def run(hub, frame):
    """Apply to the frame with the Hub's settings."""

    def run(fn, df=None, **options):
        return apply(frame if df is None else df, fn, settings=hub.settings, progress=False, **options)

    return run


def two_processes() -> ProcessPoolExecutor:
    """A pool of two."""
    return ProcessPoolExecutor(2)


@pytest.fixture(scope="module")
def cluster():
    """A Dask cluster of two worker processes on this machine, with its log."""
    distributed = pytest.importorskip("dask.distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=logging.ERROR
        )
        client = distributed.Client(running)
    yield client
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client.close()
        running.close()


def test_processes_fetch_and_work_themselves(run, hub) -> None:
    """The same frame as threads make, from other processes: notebook functions are sent as they are."""
    factor = 2

    def look(recording: kn.Recording) -> dict[str, object]:
        return {"frames": recording.frames * factor, "pid": os.getpid()}

    found = run(look, executor=two_processes)
    assert found["frames"].tolist()[:12] == [4_000] * 12
    assert found["recording_status"].tolist()[12:] == ["missing", "corrupt"]
    assert os.getpid() not in found["pid"].dropna().tolist()
    pd.testing.assert_frame_equal(found.drop(columns="pid"), run(lambda r: {"frames": r.frames * 2}), check_names=False)


def test_an_executor_of_threads_works_too(run) -> None:
    """Without pickling: what the function changes is changed here."""
    seen: list[str | None] = []
    with ThreadPoolExecutor(2) as pool:
        found = run(lambda r: seen.append(r.session_id), executor=pool)
        assert pool.submit(int).result() == 0, "an executor that was given is not shut down"
    assert len(seen) == 12
    assert found["apply_error"].isna().all()


def test_a_pool_that_a_dead_worker_broke_is_made_anew(run) -> None:
    """The row that kills says so; those that were under way are tried again and are done."""

    def kills(recording: kn.Recording) -> int:
        if recording.session_id == "s05":
            os._exit(9)
        return 1

    found = run(kills, executor=two_processes)
    assert found["kills"].fillna(0).tolist() == [*[1] * 5, 0, *[1] * 6, 0, 0]
    row = found.iloc[5]
    assert row["recording_status"] == "failed"
    assert "worker process died while kills ran on it, also when tried alone" in row["recording_error"]


def test_a_given_pool_that_breaks_says_so(run, hub) -> None:
    """The rows it took down name the remedy, the rest is skipped, and no request is spent on it."""

    def kills(recording: kn.Recording) -> int:
        if recording.session_id == "s01":
            os._exit(9)
        time.sleep(0.05)
        return 1

    with ProcessPoolExecutor(1) as pool:
        found = run(kills, executor=pool, in_flight=1)
    states = found["recording_status"].tolist()
    assert states[:2] == ["downloaded", "failed"]
    assert set(states[2:]) == {"skipped"}
    assert "pass a function that makes an executor" in found["recording_error"][1]
    assert hub.requests.count("api") == 2


def test_exceptions_come_back_from_other_processes(run) -> None:
    """As the row's sentence, or whole with errors="raise"."""

    def fails(recording: kn.Recording) -> int:
        raise LookupError(recording.session_id)

    line = fails.__code__.co_firstlineno + 1
    found = run(fails, executor=two_processes)
    assert found["apply_error"][3] == f"LookupError: s03 (line {line} of fails)"
    good = pd.DataFrame({"session_id": ["s00", "s01"]})
    with pytest.raises(errors.WorkFailed, match="fails failed") as caught:
        run(fails, good, executor=two_processes, errors="raise")
    assert isinstance(caught.value.__cause__, LookupError)
    assert "in fails" in caught.value.__cause__.__notes__[0]


def test_a_call_that_hangs_in_a_worker_is_left_behind(run) -> None:
    """The row is marked, and the run goes on."""
    with pytest.warns(UserWarning, match="hangs took more than .* on 1 recording"):
        found = run(hangs, pd.DataFrame({"session_id": ["s00", "s01"]}), executor=two_processes, fn_timeout_s=0.5)
    assert found["hangs"].fillna(0).tolist() == [0, 1]
    assert "fn_timeout_s=0.5" in found["apply_error"][0]


def hangs(recording: kn.Recording) -> int:
    """Never end on one session."""
    while recording.session_id == "s00":
        time.sleep(0.05)
    return 1


def test_what_cant_be_pickled_is_one_error_beforehand(run, hub) -> None:
    """A function that holds a lock can't travel; a value that can't is its row's error."""
    lock = threading.Lock()
    with pytest.raises(errors.ConfigurationError, match="can't be sent to the executor's workers"):
        run(lambda r: lock, executor=two_processes)
    assert hub.requests.count() == 0
    found = run(lambda r: threading.Lock(), executor=two_processes, result="object", columns="lock")
    assert "can't be sent back" in found["apply_error"][0]


def test_what_cant_be_read_here_is_its_rows_error(run) -> None:
    """A value that comes back from a worker and can't be made again takes no other row down."""
    home = os.getpid()

    class Fragile:
        def __reduce__(self) -> tuple[object, tuple[int]]:
            return remade, (home,)

    def remade(pid: int) -> int:
        if os.getpid() == pid:
            raise LookupError("not here")
        return 1

    found = run(
        lambda r: Fragile() if r.session_id == "s02" else 1, executor=two_processes, result="object", columns="it"
    )
    assert found["it"].count() == 11
    assert "can't be read here: LookupError: not here" in found["apply_error"][2]


def test_a_class_makes_executors_too(run) -> None:
    """As the warning of calls that hang advises."""
    assert run(lambda r: os.getpid(), columns="pid", executor=ProcessPoolExecutor)["pid"].count() == 12


def test_a_function_that_exits_leaves_its_worker_alive(run, cluster) -> None:
    """In a pool and on a cluster: the row says so, and nothing has to be made anew."""

    def leaves(recording: kn.Recording) -> int:
        if recording.session_id == "s03":
            sys.exit(3)
        return os.getpid()

    before = set(cluster.run(os.getpid).values())
    for executor in (two_processes, cluster.get_executor()):
        found = run(leaves, executor=executor)
        assert found["leaves"].count() == 11
        assert "SystemExit: 3" in found["apply_error"][3]
    assert set(cluster.run(os.getpid).values()) == before


def test_processes_that_end_as_they_start_are_one_error(run, hub) -> None:
    """Before a request is spent: a script without its guard, or an initializer that fails."""
    for executor in (lambda: ProcessPoolExecutor(1, initializer=os._exit, initargs=(1,)),):
        with pytest.raises(errors.ConfigurationError, match="end as they start"):
            run(lambda r: 1, executor=executor)
    with (
        ProcessPoolExecutor(1, initializer=os._exit, initargs=(1,)) as pool,
        pytest.raises(errors.ConfigurationError, match="end as they start"),
    ):
        run(lambda r: 1, executor=pool)
    assert hub.requests.count() == 0


def test_executors_that_take_no_work_are_one_clear_error(run, hub) -> None:
    """Shut down, or none at all."""
    pool = ProcessPoolExecutor(1)
    pool.shutdown()
    for wrong in (pool, lambda: pool):
        with pytest.raises(errors.ConfigurationError, match=r"takes no work any more.*make a new one"):
            run(lambda r: 1, executor=wrong)
    for nothing in (4, "threads", lambda: 4):
        with pytest.raises(errors.ConfigurationError, match="executor= takes"):
            run(lambda r: 1, executor=nothing)
    assert hub.requests.count() == 0


def test_a_pool_that_is_shut_down_midway_ends_the_run(run) -> None:
    """With the same clear error, not with a row each."""
    with ThreadPoolExecutor(1) as pool:

        def look(recording: kn.Recording) -> None:
            pool.shutdown(wait=False)

        with pytest.raises(errors.ConfigurationError, match="takes no work any more"):
            run(look, executor=pool, in_flight=1)


@pytest.mark.long
def test_no_url_dies_in_the_queue(run, hub, frame, monkeypatch) -> None:
    """With calls slower than URLs live, what died is signed again, once per need, and all are done."""
    for module in ("run", "session"):  # scaled down with the life of URLs
        monkeypatch.setattr(f"kataven_notebook.run.{module}.URL_MARGIN_S", 0.5)
    hub.options.url_life_s = 2.0  # signed in whole seconds: from one to two are left

    def slow(recording: kn.Recording) -> int:
        time.sleep(2.3)
        return 1

    with ThreadPoolExecutor(2) as pool:
        found = run(slow, frame.iloc[:6], executor=pool)
    assert found["slow"].tolist() == [1] * 6
    statuses = [each.status for each in hub.requests.storage]
    assert statuses.count(200) == 6
    # Those that waited behind others died there, and each was signed again for it, no more.
    assert 1 <= statuses.count(403) <= 4
    assert hub.requests.count("api") == 6 + statuses.count(403)


def test_only_so_many_are_under_way(run, hub) -> None:
    """Two for each worker: so that none waits for long with a URL that ages."""
    release = threading.Event()

    def waits(recording: kn.Recording) -> int:
        release.wait(30)
        return 1

    with ThreadPoolExecutor(2) as pool:
        thread = threading.Thread(target=run, args=(waits,), kwargs={"executor": pool})
        thread.start()
        ends_at = time.monotonic() + 20
        while hub.requests.count("api") < 4:
            assert time.monotonic() < ends_at
            time.sleep(0.02)
        time.sleep(0.2)
        assert hub.requests.count("api") == 4
        release.set()
        thread.join(30)
    assert hub.requests.count("api") == 14


def test_a_local_store_is_filled_by_this_process_and_read_by_workers(run, hub, tmp_path) -> None:
    """Recordings travel as their paths; the second analysis needs no service."""
    found = run(lambda r: r.path is not None, columns="from_file", executor=two_processes, store=tmp_path / "calls")
    assert found["from_file"].tolist()[:12] == [True] * 12
    hub.requests.clear()
    assert (
        run(lambda r: r.frames, columns="frames", executor=two_processes, store=tmp_path / "calls")["frames"].count()
        == 12
    )
    assert hub.requests.count() == 0


def test_a_store_in_memory_is_not_for_other_processes(run, hub) -> None:
    """They would fill their own memory, and the notebook would believe that the sound is kept."""
    with pytest.raises(errors.ConfigurationError, match="memory of this process"):
        run(lambda r: 1, executor=two_processes, store="memory://elsewhere")
    assert hub.requests.count() == 0


def test_sound_in_the_frame_is_worked_on_elsewhere(run, hub, frame) -> None:
    """Encoded bytes travel, and nothing is fetched."""
    calls = kn.audio(frame, settings=hub.settings, progress=False)
    hub.requests.clear()
    found = run(lambda r: os.getpid(), calls, columns="pid", executor=two_processes)
    assert found["pid"].count() == 12
    assert os.getpid() not in found["pid"].dropna().tolist()
    assert hub.requests.count() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C there reaches processes in another way")
def test_workers_leave_ctrl_c_to_the_notebook(run) -> None:
    """A terminal and Jupyter send it to all processes: workers of a made pool go on."""

    def interrupted(recording: kn.Recording) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return 1

    assert run(interrupted, executor=two_processes)["interrupted"].count() == 12


def test_metrics_on_processes_are_those_of_threads() -> None:
    """To the last digit."""
    with demo.hub() as hub:
        calls = kn.audio(hub.sessions.iloc[:2], settings=hub.settings, progress=False)
    pd.testing.assert_frame_equal(
        kn.metrics(calls, agent_channel=1, progress=False),
        kn.metrics(calls, agent_channel=1, executor=two_processes, progress=False),
    )


def test_dask_runs_it_on_its_workers(run, cluster, caplog) -> None:
    """Each session once, no URL in any log."""

    def look(recording: kn.Recording) -> dict[str, int]:
        if recording.session_id == "s02":
            raise LookupError("no luck")
        return {"frames": recording.frames, "pid": os.getpid()}

    found = run(look, executor=cluster.get_executor())
    assert found["frames"].count() == 11
    assert "LookupError: no luck" in found["apply_error"][2]
    workers = {worker["pid"] for worker in cluster.run(lambda: {"pid": os.getpid()}).values()}
    assert set(found["pid"].dropna()) <= workers
    logs = str(cluster.get_worker_logs()) + str(cluster.get_scheduler_logs()) + caplog.text
    assert "X-Amz" not in logs


def test_a_dask_worker_that_dies_costs_a_retry_of_its_rows(run, cluster) -> None:
    """One of two is killed in the middle: all rows are done all the same."""

    def slow(recording: kn.Recording) -> int:
        time.sleep(0.2)
        return os.getpid()

    pids = list(cluster.run(os.getpid).values())

    def kill() -> None:
        time.sleep(0.5)
        psutil.Process(pids[0]).kill()

    killer = threading.Thread(target=kill)
    killer.start()
    found = run(slow, executor=cluster.get_executor())
    killer.join()
    assert found["slow"].count() == 12
    assert pids[0] not in cluster.run(os.getpid).values()


def test_a_function_that_kills_every_dask_worker_ends_as_its_rows_error(run, cluster, monkeypatch) -> None:
    """Not as an endless loop of new workers; who was on the same worker is done all the same."""
    monkeypatch.setattr(cluster.cluster.scheduler, "allowed_failures", 0)  # three otherwise: the same, more slowly

    def kills(recording: kn.Recording) -> int:
        if recording.session_id == "s01":
            os._exit(9)
        return 1

    good = pd.DataFrame({"session_id": ["s00", "s01", "s02", "s03"]})
    found = run(kills, good, executor=cluster.get_executor())
    assert found["kills"].fillna(0).tolist() == [1, 0, 1, 1]
    assert "worker process died while kills ran on it, also when tried alone" in found["recording_error"][1]
    cluster.wait_for_workers(2, timeout=60)


def test_a_dask_executor_that_is_closed_is_one_error(run, cluster) -> None:
    """And a client is no executor: the error says how to get one."""
    executor = cluster.get_executor()
    executor.shutdown()
    with pytest.raises(errors.ConfigurationError, match="takes no work any more"):
        run(lambda r: 1, executor=executor)
    client = type(cluster)(cluster.cluster.scheduler_address)

    def closes(recording: kn.Recording) -> int:
        time.sleep(0.5)
        return 1

    closing = threading.Timer(0.3, client.close)
    closing.start()
    with pytest.raises(errors.ConfigurationError, match="takes no work any more"):
        run(closes, executor=client.get_executor())
    closing.join()
    with pytest.raises(errors.ConfigurationError, match=r"pass client.get_executor\(\)"):
        run(lambda r: 1, executor=cluster)
