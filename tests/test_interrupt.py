"""One press on stop: the call ends within a second and hands over what is finished."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from jupyter_client import KernelManager

import kataven_notebook as kn
from kataven_notebook import demo

pytestmark = pytest.mark.core

CODE = """
import sys, json, time
import pandas as pd
import kataven_notebook as kn
base_url, api_key, store = {arguments}
limits = kn.Limits(per_minute=30, minute_s=3600.0, per_hour=None, per_day=None)
settings = kn.Settings(api_key=api_key, base_url=base_url, limits=limits)
frame = pd.DataFrame({{"session_id": [f"s{{number}}" for number in range(100)]}})
"""
RUN = "kn.audio(frame, settings=settings, store=store, progress=False)"


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


def thirty_are_done(hub) -> None:
    """Wait until the window is spent and its rows are there."""
    wait_for(lambda: sum(request.status == 200 for request in hub.requests.storage) == 30)
    time.sleep(0.1)


@pytest.mark.parametrize("with_store", [False, True])
def test_sigint_ends_a_run_within_a_second_with_what_is_finished(slow, tmp_path, with_store) -> None:
    """A process that waits for the next hour: the frame has thirty sounds, the rest is skipped."""
    store = str(tmp_path / "calls") if with_store else None
    code = (
        CODE.format(arguments=repr((slow.base_url, slow.api_key, store)))
        + f"""
try:
    {RUN}
except kn.errors.Interrupted as error:
    ended = time.time()
    counts = error.frame["recording_status"].value_counts()
    same = kn.interrupted() is error.frame
    print(json.dumps([int(counts["downloaded"]), int(counts["skipped"]), same, ended, str(error)]))
"""
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    thirty_are_done(slow)
    pressed = time.time()
    process.send_signal(signal.SIGINT)
    downloaded, skipped, same, ended, message = json.loads(process.communicate(timeout=20)[0])
    assert (downloaded, skipped, same, process.returncode) == (30, 70, True, 0)
    assert ended - pressed < 1.0
    assert "30 of 100 are finished" in message
    assert ("store" in message) is with_store
    if with_store:
        with sqlite3.connect(tmp_path / "calls" / "ledger.sqlite3") as db:
            assert db.execute("SELECT count(*) FROM claims").fetchone() == (0,)
        db.close()


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
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    thirty_are_done(slow)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[0].strip() == "100"
    assert slow.requests.count("api") == 100


def test_a_notebook_kernel_that_is_interrupted_keeps_what_is_finished(slow) -> None:
    """A real kernel, the stop button's own request, the next cell."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        run = client.execute(CODE.format(arguments=repr((slow.base_url, slow.api_key, None))) + RUN)
        thirty_are_done(slow)
        pressed = time.monotonic()
        manager.interrupt_kernel()
        reply = reply_to(client, run)
        took_s = time.monotonic() - pressed
        assert (reply["status"], reply["ename"]) == ("error", "Interrupted")
        # A second for the run; the kernel's own way of ending a cell on top.
        assert took_s < 2.0
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
