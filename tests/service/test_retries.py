"""Retries: quiet in every process and thread, and those of the user's own code as loud as before."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
import stamina
from stamina import instrumentation

from kataven_notebook import demo
from kataven_notebook.service.retries import retry_context

pytestmark = pytest.mark.core


@pytest.fixture
def heard():
    """The names of what was retried, as a hook of the user's hears them."""
    names: list[str] = []
    instrumentation.set_on_retry_hooks([lambda details: names.append(details.name)])
    yield names
    instrumentation.set_on_retry_hooks(None)


def fail_twice(attempts) -> int:
    """Fail in the first two attempts, and return how many were made."""
    for attempt in attempts:
        with attempt:
            if attempt.num < 3:
                raise LookupError
    return attempt.num


def test_our_retries_call_no_hook_and_those_of_others_do(heard) -> None:
    """In one thread and in one process, whoever comes first."""
    assert fail_twice(retry_context(on=LookupError, attempts=4)) == 3
    assert heard == []
    assert fail_twice(stamina.retry_context(on=LookupError, attempts=4)) == 3
    assert len(heard) == 2


def test_what_a_user_retries_within_an_attempt_of_ours_is_his(heard) -> None:
    """As a function given to `apply` does, in the middle of a session."""
    for attempt in retry_context(on=LookupError, attempts=4):
        with attempt:
            fail_twice(stamina.retry_context(on=LookupError, attempts=4))
            if attempt.num == 1:
                raise LookupError
    assert len(heard) == 4


def test_hooks_that_are_set_later_hear_nothing_of_ours_either(heard) -> None:
    """Another cell may set them between two attempts."""
    later: list[object] = []
    for attempt in retry_context(on=LookupError, attempts=4):
        with attempt:
            instrumentation.set_on_retry_hooks([later.append])
            if attempt.num < 3:
                raise LookupError
    fail_twice(stamina.retry_context(on=LookupError, attempts=4))
    assert (len(heard), len(later)) == (0, 2)


def test_another_threads_retries_are_heard_while_ours_wait(heard) -> None:
    """Whose retry it is, is a matter of the thread and of the moment."""
    inside, done = threading.Event(), threading.Event()

    def wait_within_ours(_error: Exception) -> bool:
        inside.set()
        assert done.wait(30)
        return True

    def ours() -> None:
        for attempt in retry_context(on=wait_within_ours, attempts=2):
            with attempt:
                if attempt.num == 1:
                    raise LookupError

    thread = threading.Thread(target=ours)
    thread.start()
    assert inside.wait(30)
    fail_twice(stamina.retry_context(on=LookupError, attempts=4))
    done.set()
    thread.join(30)
    assert len(heard) == 2


def fail_always(attempts, kind: type[Exception]) -> None:
    """Fail in every attempt, and say in which."""
    for attempt in attempts:
        with attempt:
            raise kind(attempt.num)


def test_the_last_error_is_raised_as_it_is() -> None:
    """And an error that is not to be tried again at once."""
    with pytest.raises(LookupError, match="3"):
        fail_always(retry_context(on=LookupError, attempts=3), LookupError)
    with pytest.raises(ZeroDivisionError, match="1"):
        fail_always(retry_context(on=LookupError, attempts=3), ZeroDivisionError)


WORKERS = """
import logging, sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
import pandas as pd
import kataven_notebook as kn

base_url, api_key, kind, configured = sys.argv[1:]
if configured == "configured":
    logging.basicConfig(level=logging.WARNING)
make = ThreadPoolExecutor if kind == "threads" else lambda n: ProcessPoolExecutor(n, get_context(kind))
settings = kn.Settings(api_key=api_key, base_url=base_url)
frame = pd.DataFrame({"session_id": ["s0", "s1"]})
options = {"settings": settings, "executor": lambda: make(1), "progress": False}
found = kn.apply(frame, lambda r: r.duration_s, columns="x", **options)
print(found["recording_status"].tolist())
"""


@pytest.mark.skipif(os.name == "nt", reason="fork")
@pytest.mark.parametrize("configured", ["configured", "bare"])
@pytest.mark.parametrize("kind", ["threads", "fork", "spawn"])
def test_workers_of_an_executor_retry_in_silence(wav, tmp_path, kind, configured) -> None:
    """Whether logging is configured or not: what stays on the standard error is nothing."""
    with demo.hub(sessions={"s0": wav, "s1": wav}) as hub:
        hub.faults.add("s0", "storage:server_error", times=1)
        hub.faults.add("s1", "api:server_error", times=1)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", WORKERS, hub.base_url, hub.api_key, kind, configured],
            env={**os.environ, "KATAVEN_STATE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert hub.requests.count("storage") == 3
    assert done.stderr == ""
    assert done.stdout.strip() == "['downloaded', 'downloaded']"
