"""SIGKILL at random moments, again and again, and then the end: every row once."""

from __future__ import annotations

import hashlib
import random
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
