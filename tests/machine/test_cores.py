"""Cores: how many there are, and linear algebra limited to one of them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np  # noqa: F401 - loads a library of linear algebra
import pytest
import threadpoolctl

from kataven_notebook.machine.cores import one_core, processors

pytestmark = pytest.mark.core


def limits() -> set[int]:
    """How many threads each loaded library of linear algebra may use."""
    return {each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"}


@pytest.fixture
def two_threads():
    """Libraries that would use two cores, whatever this machine has."""
    if not limits():
        pytest.skip("no library of linear algebra whose threads can be limited")
    # In threads that end: the limits belong to the thread that last set them as long as it lives.
    with ThreadPoolExecutor(1) as pool:
        limit = pool.submit(threadpoolctl.threadpool_limits, 2, user_api="blas").result()
    yield
    with ThreadPoolExecutor(1) as pool:
        pool.submit(limit.restore_original_limits).result()


def test_the_limit_holds_until_the_last_thread_has_left(two_threads) -> None:
    """A thread that ends first must not give the others' products more cores."""
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with one_core():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=other)
    with one_core():
        thread.start()
        assert inside.wait(30)
        assert limits() == {1}
    assert limits() == {1}
    leave.set()
    thread.join()
    assert limits() == {2}


def test_afterwards_every_thread_can_set_limits_of_its_own(two_threads) -> None:
    """What the package did must not make a later limit of the user's silently ignored."""
    inside, leave = threading.Event(), threading.Event()

    def worker() -> None:
        with one_core():
            pass
        inside.set()
        leave.wait(30)

    thread = threading.Thread(target=worker)
    thread.start()
    assert inside.wait(30)
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        assert limits() == {1}
    leave.set()
    thread.join()
    assert limits() == {2}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system can't keep a process to some cores")
def test_only_the_processors_of_this_process_count() -> None:
    """In a container or under taskset these are fewer than the machine has."""
    code = (
        "import os; from kataven_notebook.machine.cores import processors;"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); print(processors())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
    assert processors() >= 1
