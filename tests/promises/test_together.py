"""Several processes on one store: each session is asked for once, also where one is stopped, and wakes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

import kataven_notebook as kn
from kataven_notebook import Store, demo

pytestmark = pytest.mark.core

ROWS = 120
CODE = """
import sys
import pandas as pd
import kataven_notebook as kn
from kataven_notebook.store import claims
claims.SILENT_S = 4.0
base_url, api_key, store = sys.argv[1:]
settings = kn.Settings(api_key=api_key, base_url=base_url, limits=kn.Limits(None, None, None, 20))
frame = pd.DataFrame({"session_id": [f"s{number:03d}" for number in range(120)]})
print("ready", flush=True)
sys.stdin.readline()
found = kn.audio(frame, settings=settings, store=store, progress=False)
print((found["recording_status"] == "downloaded").sum())
"""


@pytest.fixture
def slow(wav):
    """A Hub that takes its time, so that processes meet."""
    sessions = {f"s{number:03d}": wav for number in range(ROWS)}
    limits = kn.Limits(None, None, None, 20)
    with demo.hub(sessions=sessions, limits=limits, api_latency_s=0.1, storage_latency_s=0.3) as running:
        yield running


def start(hub, store) -> subprocess.Popen:
    """Start a process, and return when it is about to begin."""
    command = [sys.executable, "-c", CODE, hub.base_url, hub.api_key, str(store)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def begin(*processes: subprocess.Popen) -> None:
    """Let processes begin together."""
    for each in processes:
        each.stdin.write("\n")
        each.stdin.flush()


def test_processes_ask_once_for_each_session(slow, tmp_path) -> None:
    """Five of them begin at the same time with the same frame."""
    processes = [start(slow, tmp_path / "calls") for _ in range(5)]
    begin(*processes)
    assert [each.communicate()[0].strip() for each in processes] == 5 * [str(ROWS)]
    assert slow.requests.count("api") == slow.requests.count("storage") == ROWS


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped here")
def test_a_stopped_process_holds_nobody_up_and_does_no_harm_when_it_wakes(slow, tmp_path) -> None:
    """What it was at is another one's soon; it wakes, and finds all done."""
    stopped, other = (start(slow, tmp_path / "calls") for _ in range(2))
    try:
        begin(stopped)
        while slow.requests.count("storage") < 20:
            time.sleep(0.005)
        stopped.send_signal(signal.SIGSTOP)
        begin(other)
        assert other.communicate(timeout=60)[0].strip() == str(ROWS)
        with Store(tmp_path / "calls") as store:
            before = store.to_frame().set_index("session_id")["recording_status"]
            stopped.send_signal(signal.SIGCONT)
            assert stopped.communicate(timeout=60)[0].strip() == str(ROWS)
            assert store.to_frame().set_index("session_id")["recording_status"].equals(before)
            assert store._ledger._read("SELECT owner FROM claims UNION SELECT owner FROM runs", ()) == []
    finally:
        stopped.kill()
    # What was asked for, waited for the storage or was being written when it was stopped.
    under_way = 20 + slow.requests.most_in_flight("storage") + 20
    assert ROWS <= slow.requests.count("api") <= ROWS + under_way
    assert sum(path.is_file() for path in (tmp_path / "calls" / "audio").rglob("*")) == ROWS
