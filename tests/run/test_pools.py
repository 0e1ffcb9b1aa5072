"""The executors that users pass: told from functions that make one, checked before they are used."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from kataven_notebook import demo
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.run.pools import check_executor, is_maker, make_executor, shut_down, submit, worker_count

pytestmark = pytest.mark.core


def test_a_function_or_a_class_makes_executors_and_an_executor_does_not() -> None:
    """Whatever else is passed is checked when it is called."""
    with ThreadPoolExecutor(1) as pool:
        assert not is_maker(pool)
    assert is_maker(functools.partial(ThreadPoolExecutor, 2))
    assert is_maker(ProcessPoolExecutor)


@pytest.mark.parametrize("made", ["four", None, 4])
def test_what_makes_no_executor_is_refused_by_its_type(made: object) -> None:
    """And so is what can't be called at all."""
    with pytest.raises(ConfigurationError, match=f"not a {type(made).__name__}"):
        make_executor(lambda: made)  # type: ignore[arg-type,return-value] # the mistake
    with pytest.raises(ConfigurationError, match=f"not a {type(made).__name__}"):
        make_executor(made)  # type: ignore[arg-type] # the mistake


def test_a_client_of_a_cluster_is_told_apart_from_its_executor() -> None:
    """The error names the method that returns it."""
    client = type("Client", (), {"get_executor": None})()
    with pytest.raises(ConfigurationError, match=r"pass client\.get_executor\(\)"):
        check_executor(client)


def test_an_executor_that_is_shut_down_says_what_to_pass_instead() -> None:
    """When it is checked, and when it is shut down later."""
    pool = ThreadPoolExecutor(1)
    assert check_executor(pool) is pool
    shut_down(pool, wait=True)
    with pytest.raises(ConfigurationError, match=r"takes no work any more.*make a new one"):
        submit(pool, int)
    with pytest.raises(ConfigurationError, match="takes no work any more"):
        check_executor(pool)


def test_making_an_executor_leaves_ctrl_c_as_it_was() -> None:
    """Only while its processes start they inherit that it is ignored."""
    seen = []

    def make() -> Executor:
        seen.append(signal.getsignal(signal.SIGINT))
        return ThreadPoolExecutor(3)

    # A process that was started in the background ignores it already.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with make_executor(make) as pool:
            assert worker_count(pool) == 3
        assert seen == [signal.SIG_IGN]
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_executor_that_is_broken_already_says_what_to_pass_instead() -> None:
    """A pool that one of its workers took down in an earlier cell."""
    pool = ProcessPoolExecutor(1)
    with pytest.raises(BrokenExecutor):
        pool.submit(os._exit, 9).result()
    with pytest.raises(ConfigurationError, match="takes no work any more"):
        check_executor(pool)
    shut_down(pool, wait=True)


ENDS = """
import os, sys
from concurrent.futures import ProcessPoolExecutor
import pandas as pd
import kataven_notebook as kn

def kill(recording):
    os._exit(9)

def run(executor):
    frame = pd.DataFrame({"session_id": ["s0", "s1"]})
    settings = kn.Settings(api_key=sys.argv[2], base_url=sys.argv[1])
    try:
        kn.apply(frame, kill, columns="x", settings=settings, executor=executor, progress=False)
    except kn.errors.ConfigurationError as error:
        print("end as they start" in str(error))

if __name__ == "__main__":
    run(lambda: ProcessPoolExecutor(1))
    run(ProcessPoolExecutor(1))
    # Who is last to hold the pool is a matter of microseconds.
    for _ in range(20):
        run(lambda: ProcessPoolExecutor(1, initializer=os._exit, initargs=(1,)))
"""


def test_a_process_whose_pools_broke_ends(wav, tmp_path) -> None:
    """From Python 3.12 on the end of such a pool can wait for itself."""
    script = tmp_path / "ends.py"
    script.write_text(ENDS)
    with demo.hub(sessions={"s0": wav, "s1": wav}) as hub:
        done = subprocess.run(
            [sys.executable, script, hub.base_url, hub.api_key],
            env={**os.environ, "KATAVEN_STATE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert done.stdout == 20 * "True\n"
