"""SIGKILL at random moments, again and again, and then the end: every row once."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import random
import subprocess
import sys
import time

import psutil
import pytest

import kataven_notebook as kn
from kataven_notebook import Store, demo

pytestmark = pytest.mark.core

ROWS = 120
CODE = """
import sys
import pandas as pd
import kataven_notebook as kn
base_url, api_key, store = sys.argv[1:]
settings = kn.Settings(api_key=api_key, base_url=base_url, limits=kn.Limits(None, None, None, 20))
frame = pd.DataFrame({"session_id": [f"s{number:03d}" for number in range(120)]})
found = kn.audio(frame, settings=settings, store=store, progress=False)
print((found["recording_status"] == "downloaded").sum())
"""


def test_kill_at_any_moment_loses_no_finished_row(tmp_path, wav) -> None:
    """Files equal by checksum; requests are the rows and what was under way at the kills, and nothing more."""
    rng = random.Random(7)  # noqa: S311 - a test's dice
    # Each session has sound of its own: a file that stands under the wrong name would be seen.
    sessions = {f"s{number:03d}": wav[:-2] + number.to_bytes(2, "little") for number in range(ROWS)}
    store = tmp_path / "calls"
    limits = kn.Limits(None, None, None, 20)
    with demo.hub(sessions=sessions, limits=limits, api_latency_s=0.05, storage_latency_s=0.1) as hub:
        command = [sys.executable, "-c", CODE, hub.base_url, hub.api_key, str(store)]
        kills = 0
        for _ in range(5):
            asked = hub.requests.count("api")
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            while process.poll() is None and hub.requests.count("api") < asked + 5:
                time.sleep(0.005)
            time.sleep(rng.random() * 0.25)
            kills += process.poll() is None
            process.kill()
            process.wait()
            if store.exists():
                with Store(store) as opened:
                    for entry in opened.load().values():
                        kept = (store / entry.file).read_bytes()
                        assert hashlib.sha256(kept).hexdigest() == entry.sha256
                        assert kept == sessions[entry.session_id]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(ROWS)
        assert kills >= 3
        # Asked for, waiting for the storage, and being written.
        under_way = 20 + hub.requests.most_in_flight("storage") + 20
        assert ROWS <= hub.requests.count("api") <= ROWS + under_way * kills
        assert hub.requests.refused == 0
    with Store(store) as opened:
        table = opened.to_frame()
        assert sorted(table["session_id"]) == sorted(sessions)
        assert {
            each: (store / file).read_bytes() for each, file in zip(table["session_id"], table["file"], strict=True)
        } == sessions
    assert list((store / "parts").iterdir()) == []
    assert sum(path.is_file() for path in (store / "audio").rglob("*")) == ROWS


# Three workers, of which one has work that never ends.
POOLS = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
import pandas as pd
import kataven_notebook as kn

def make():
    if kind == "loky":
        import loky
        return loky.ProcessPoolExecutor(3)
    return ProcessPoolExecutor(3, multiprocessing.get_context(kind))

def begin(recording):
    print(os.getpid(), flush=True)
    while True:
        time.sleep(0.01)

if __name__ == "__main__":
    base_url, api_key, kind, whose = sys.argv[1:]
    frame = pd.DataFrame({"session_id": ["s0"]})
    settings = kn.Settings(api_key=api_key, base_url=base_url)
    executor = make if whose == "made" else make()
    kn.apply(frame, begin, columns="x", settings=settings, executor=executor, progress=False)
"""
KINDS = ["fork", "forkserver", "spawn", *(["loky"] if importlib.util.find_spec("loky") else [])]


@pytest.mark.skipif(os.name == "nt", reason="starts processes by spawn alone")
@pytest.mark.parametrize(("kind", "whose"), [*((kind, "made") for kind in KINDS), ("spawn", "users")])
def test_no_worker_is_left_of_a_notebook_that_was_killed(tmp_path, wav, kind, whose) -> None:
    """Neither one in the middle of a function nor, in a pool that was made for the run, one that waits for work.

    What a pool of the user's own does besides is the user's.
    """
    script = tmp_path / "notebook.py"
    script.write_text(POOLS, encoding="utf-8")
    environment = {**os.environ, "KATAVEN_STATE_DIR": str(tmp_path)}
    with demo.hub(sessions={"s0": wav}) as hub:
        command = [sys.executable, str(script), hub.base_url, hub.api_key, kind, whose]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            busy = psutil.Process(int(process.stdout.readline()))
            workers = psutil.Process(process.pid).children(recursive=True)
            assert busy in workers
            process.kill()
            process.wait(30)
            ends_at = time.monotonic() + 30
            due = [busy] if whose == "users" else workers
            while any(map(is_running, due)) and time.monotonic() < ends_at:
                time.sleep(0.05)
            alive = [each for each in workers if is_running(each)]
            for each in alive:
                each.kill()
            assert not set(alive) & set(due)


def is_running(process: psutil.Process) -> bool:
    """Whether it runs: what was killed stays as a zombie until the machine's first process has asked for it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
