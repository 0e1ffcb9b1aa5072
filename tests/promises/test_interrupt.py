"""One press on stop: the call ends within a second and hands over what is finished."""

from __future__ import annotations

import itertools
import json
import linecache
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from jupyter_client import KernelManager

import kataven_notebook as kn
from kataven_notebook import demo, errors
from kataven_notebook.run import run, supervise

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

pytestmark = pytest.mark.core

CODE = """
import sys, json
import pandas as pd
import kataven_notebook as kn
base_url, api_key, store = {arguments}
limits = kn.Limits(per_minute=30, minute_s=3600.0, per_hour=None, per_day=None)
settings = kn.Settings(api_key=api_key, base_url=base_url, limits=limits)
frame = pd.DataFrame({{"session_id": [f"s{{number}}" for number in range(100)]}})
"""
RUN = "kn.audio(frame, settings=settings, store=store, progress=True)"


@pytest.fixture
def slow(wav):
    """A Hub of a hundred sessions, of which thirty may be asked for within the hour."""
    sessions = {f"s{number}": wav for number in range(100)}
    with demo.hub(sessions=sessions, limits=kn.Limits(None, None, None, 20), storage_latency_s=0.05) as running:
        yield running


def wait_for(condition) -> None:
    """Wait until something holds."""
    for _ in range(4_000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never came to hold")


def start(code: str) -> subprocess.Popen:
    """Run a script in a process of its own, whose bar can be read."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)


def wait_for_bar(process: subprocess.Popen, text: str) -> None:
    """Wait until the process's bar shows something."""
    shown = ""
    while text not in shown:
        more = process.stderr.read(1)
        assert more, f"it ended with {shown[-2_000:]!r}"
        shown += more


@pytest.mark.parametrize("with_store", [False, True])
def test_sigint_ends_a_run_that_waits_for_the_next_hour(slow, tmp_path, with_store) -> None:
    """The frame has the thirty sounds of this hour, the rest is skipped."""
    store = str(tmp_path / "calls") if with_store else None
    code = (
        CODE.format(arguments=repr((slow.base_url, slow.api_key, store)))
        + f"""
try:
    {RUN}
except kn.errors.Interrupted as error:
    counts = error.frame["recording_status"].value_counts()
    same = kn.interrupted() is error.frame
    print(json.dumps([int(counts["downloaded"]), int(counts["skipped"]), same, str(error)]))
"""
    )
    process = start(code)
    wait_for_bar(process, "30/100")
    process.send_signal(signal.SIGINT)
    downloaded, skipped, same, message = json.loads(process.communicate(timeout=60)[0])
    assert (downloaded, skipped, same, process.returncode) == (30, 70, True, 0)
    assert "30 of 100 are finished" in message
    assert ("store" in message) is with_store
    if with_store:
        with sqlite3.connect(tmp_path / "calls" / "ledger.sqlite3") as db:
            assert db.execute("SELECT count(*) FROM claims").fetchone() == (0,)
        db.close()


def test_sigint_waits_for_no_download_that_is_stuck(slow) -> None:
    """The call has ended, and the storage still keeps its threads waiting; their time-out is ten minutes."""
    slow.faults.add("s7", "storage:stall", after_bytes=100)
    code = (
        CODE.format(arguments=repr((slow.base_url, slow.api_key, None)))
        + f"""
settings = kn.Settings(api_key=api_key, base_url=base_url, limits=limits, request_timeout_s=600.0)
try:
    {RUN}
except kn.errors.Interrupted as error:
    print(int((error.frame["recording_status"] == "downloaded").sum()), flush=True)
    input()
"""
    )
    process = start(code)
    wait_for_bar(process, "29/100")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline().strip() == "29"
    assert slow.requests.in_flight("storage") == 1
    process.communicate("\n", timeout=60)
    assert process.returncode == 0


def test_an_interrupted_call_goes_on_where_it_was(slow) -> None:
    """The frame with what is finished, given to the same function, costs only what is left."""
    code = (
        CODE.format(arguments=repr((slow.base_url, slow.api_key, None)))
        + f"""
try:
    {RUN}
except KeyboardInterrupt:
    pass
free = kn.Settings(api_key=api_key, base_url=base_url, limits=kn.Limits(None, None, None, 20))
found = kn.audio(kn.interrupted(), settings=free, progress=False)
print((found["recording_status"] == "downloaded").sum())
"""
    )
    process = start(code)
    wait_for_bar(process, "30/100")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0].strip() == "100"
    assert slow.requests.count("api") == 100


def test_a_notebook_kernel_that_is_interrupted_keeps_what_is_finished(slow, tmp_path) -> None:
    """A real kernel, the stop button's own request, the next cell."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        run = client.execute(CODE.format(arguments=repr((slow.base_url, slow.api_key, str(tmp_path / "calls")))) + RUN)
        wait_for((tmp_path / "calls" / "ledger.sqlite3").exists)
        with kn.Store(tmp_path / "calls") as store:
            wait_for(lambda: (store.to_frame()["recording_status"] == "downloaded").sum() == 30)
        manager.interrupt_kernel()
        reply = reply_to(client, run)
        assert (reply["status"], reply["ename"]) == ("error", "Interrupted")
        asked = client.execute("", user_expressions={
            "rows": "int((kn.interrupted()['recording_status'] == 'downloaded').sum())",
        })  # fmt: skip
        told = reply_to(client, asked)["user_expressions"]["rows"]["data"]["text/plain"]
        assert told == "30"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def reply_to(client, message_id: str) -> dict:
    """Wait for the kernel's reply to one request."""
    while True:
        reply = client.get_shell_msg(timeout=30)
        if reply["parent_header"].get("msg_id") == message_id:
            return reply["content"]


def test_the_next_run_that_ends_lets_go_of_the_unfinished_frame(hub) -> None:
    """It may hold gigabytes of sound."""
    supervise.interruption(hub.sessions, 1, 2, has_store=False)
    assert kn.interrupted() is not None
    kn.audio(hub.sessions, settings=hub.settings, progress=False)
    assert kn.interrupted() is None


def interrupting(at: int) -> Callable[[FrameType, str, object], object]:
    """Return a trace function that interrupts at the `at`-th line of the run and of the locks under it.

    Not within `Event`: threads are started with one, which Python itself leaves locked when it is interrupted. And not
    at a line `with ...:`, which is traced once more between a block's last line and its end, where no signal is
    answered: an exception there would leave out the end.
    """
    left = [at]

    def line(frame: FrameType, event: str, _value: object) -> object:
        if event == "exception" or linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip()[:5] == "with ":
            return line
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return line

    def call(frame: FrameType, event: str, value: object) -> object:
        code = frame.f_code
        is_lock = code.co_qualname in {"Condition.__enter__", "Condition.__exit__"}
        is_lock = is_lock and not frame.f_back.f_code.co_qualname.startswith("Event.")
        is_run = code.co_filename in {run.__file__, supervise.__file__}
        return line(frame, event, value) if is_run or is_lock else None

    return call


@pytest.mark.parametrize("at", range(60, 460, 8))
def test_an_interrupt_at_any_line_leaves_no_thread_behind(at) -> None:
    """A lock that stays taken would hold up the threads of the run, and what they have open, for ever.

    And what the function made is in the frame, also where its row was just being handed over.
    """
    sound = kn.Recording.from_samples(np.zeros(80), 8000)
    frame = pd.DataFrame({"session_id": [f"s{number}" for number in range(20)], "audio": [sound] * 20})
    before = threading.enumerate()
    called = itertools.count()
    sys.settrace(interrupting(at))
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            kn.apply(frame, lambda _: {"number": next(called)}, columns={"number": float}, progress=False)
    finally:
        sys.settrace(None)
    if isinstance(caught.value, errors.Interrupted):
        assert caught.value.frame["number"].count() == next(called)
    wait_for(lambda: set(threading.enumerate()) <= set(before))
