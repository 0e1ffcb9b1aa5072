"""Numbers from the shell: of sessions, incremental by nature, and of sound files without any service."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scripted_calls import FIRST, RATE, SECOND, sound

import kataven_notebook as kn
from kataven_notebook import demo, measure_command
from kataven_notebook.__main__ import main
from kataven_notebook.numbers import measures

pytestmark = pytest.mark.core


@pytest.fixture
def encoded() -> bytes:
    """A call of two parties."""
    return kn.Recording.from_samples(sound(FIRST, SECOND, duration_s=9.0), RATE).encoded()


@pytest.fixture
def hub(encoded, monkeypatch, tmp_path):
    """A Hub whose address and key stand in the environment."""
    with demo.hub(sessions={"s1": encoded, "s2": encoded}) as running:
        running.add("gone", state="missing")
        monkeypatch.setenv("KATAVEN_API_KEY", running.settings.api_key)
        monkeypatch.setenv("KATAVEN_BASE_URL", running.settings.base_url)
        monkeypatch.setenv("KATAVEN_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.chdir(tmp_path)
        yield running


@pytest.fixture
def nowhere(monkeypatch, tmp_path, encoded) -> Path:
    """A folder with a call, and no service at all."""
    monkeypatch.delenv("KATAVEN_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "one.wav").write_bytes(encoded)
    return tmp_path


def table(*ids: str) -> str:
    """A table of sessions in a file."""
    pd.DataFrame({"session_id": ids}).to_csv("calls.csv", index=False)
    return "calls.csv"


AGENT = ("--agent-channel", "0", "--speech", "energy", "--quiet")


def test_a_cron_line_measures_what_is_new(hub, monkeypatch, capsys) -> None:
    """The table is of all calls, each time."""
    heard: list[str] = []
    true = measures._measure
    monkeypatch.setattr(
        measures, "_measure", lambda recording, speech: heard.append(recording.session_id) or true(recording, speech)
    )
    assert main(["metrics", table("s1", "gone"), "--store", "store", "--out", "metrics.parquet", *AGENT]) == 0
    assert heard == ["s1"]
    assert main(["metrics", table("s1", "gone", "s2"), "--store", "store", "--out", "metrics.parquet", *AGENT]) == 0
    assert heard == ["s1", "s2"]
    found = pd.read_parquet("metrics.parquet")
    assert found["recording_status"].tolist() == ["downloaded", "missing", "downloaded"]
    assert found["speech_s"].notna().tolist() == [True, False, True]
    assert "2 66.7%" in capsys.readouterr().out
    for name in ("turns", "moments"):
        assert main([name, "calls.csv", "--store", "store", "--out", f"{name}.csv", *AGENT]) == 0
        assert set(pd.read_csv(f"{name}.csv")["session_id"]) == {"s1", "s2"}
    assert heard == ["s1", "s2"]
    assert hub.requests.count() == 3 + 2  # answers of the API, and of the storage


def test_a_call_that_could_not_be_fetched_is_code_1(hub, capsys) -> None:
    """As of fetch; the others have their numbers."""
    hub.faults.add("s2", "api:server_error")
    assert main(["metrics", table("s1", "s2"), "--store", "store", "--out", "metrics.csv", *AGENT]) == 1
    assert pd.read_csv("metrics.csv")["speech_s"].notna().tolist() == [True, False]
    assert "failed" in capsys.readouterr().err


def test_sessions_need_a_store(hub, capsys) -> None:
    """Without one each run would fetch and measure all of them."""
    assert main(["metrics", table("s1"), *AGENT]) == 2
    assert "--store is missing" in capsys.readouterr().err
    assert hub.requests.count() == 0


@pytest.mark.parametrize("command", ["metrics", "turns", "moments"])
def test_no_sessions_are_no_failure(hub, capsys, command) -> None:
    """As of fetch: a night without calls."""
    assert main([command, table(), "--store", "store", *AGENT]) == 0
    assert main([command, table("gone"), "--store", "store", *AGENT]) == 0
    assert "Empty DataFrame" not in capsys.readouterr().out


def test_columns_that_parquet_can_not_hold_are_one_sentence(hub, capsys) -> None:
    """And what was measured is in the store."""
    Path("calls.jsonl").write_text('{"session_id": "s1", "note": 1}\n{"session_id": "s2", "note": "x"}\n')
    assert main(["metrics", "calls.jsonl", "--store", "store", "--out", "metrics.parquet", *AGENT]) == 2
    err = capsys.readouterr().err
    assert "note" in err
    assert "a .csv holds any columns" in err
    assert err.count("\n") == 1


def test_a_file_is_answered_without_a_service(nowhere, capsys) -> None:
    """Its numbers stand below each other, with their units."""
    assert main(["metrics", "calls/one.wav", *AGENT]) == 0
    out = capsys.readouterr().out
    assert "duration_s                     9.000 s" in out
    assert "agent_channel                  0\n" in out


@pytest.mark.parametrize("place", ["calls", "calls/*.wav", "calls/one.wav"])
def test_folders_and_patterns_are_answered_too(nowhere, capsys, place) -> None:
    """As tables."""
    assert main(["turns", place, *AGENT]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["one", "0", "agent"]
    assert main(["moments", place, "--out", "moments.csv", *AGENT]) == 0
    assert "severity" in pd.read_csv("moments.csv")


def test_many_calls_show_what_is_asked_for_most(nowhere, capsys, encoded) -> None:
    """In lines that fit; what is no sound has its reason."""
    for number in range(45):
        (nowhere / "calls" / f"c{number}.wav").write_bytes(encoded)
    (nowhere / "calls" / "a.wav").write_bytes(b"no sound")
    assert main(["metrics", "calls", *AGENT]) == 1
    told = capsys.readouterr()
    assert "talk_ratio" in told.out
    assert max(map(len, told.out.splitlines())) <= 160
    assert "7 more: --out FILE writes all" in told.err
    assert "a: " in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.wav"], "nothing.wav is not there: name a table"),
        (["empty"], "no sound file lies in"),
        ([""], "'' is not there"),
        (["a" * 5_000], "is not there"),
        (["calls", "--store", "store"], "--store is for tables"),
        (["calls/one.wav", "--out", "x.txt"], "x.txt"),
        (["calls/one.wav", "--agent-channel", "left"], "agent_channel='left'"),
    ],
)
def test_what_can_not_work_is_one_sentence(nowhere, capsys, arguments, words) -> None:
    """With exit code 2."""
    (nowhere / "empty").mkdir()
    assert main(["metrics", *arguments]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="schedulers there end processes in another way")
def test_an_interrupted_run_has_written_what_it_measured(hub) -> None:
    """And says how to go on."""
    hub.faults.add("s2", "storage:stall")
    command = [sys.executable, "-m", "kataven_notebook", "metrics", table("s1", "s2"), "--store", "store", *AGENT]
    process = subprocess.Popen([*command, "--out", "out.csv"], stderr=subprocess.PIPE, text=True)
    ends_at = time.monotonic() + 60
    while not (Path("store/results-1.sqlite3").exists() and kn.Store("store").results.counts()):
        assert time.monotonic() < ends_at
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 130, log
    assert "interrupted: 1 of 2 are finished; run the same command again to go on" in log
    assert pd.read_csv("out.csv")["recording_status"].tolist() == ["downloaded", "skipped"]


def test_warnings_are_lines(nowhere) -> None:
    """Not places in the source."""
    command = [sys.executable, "-m", "kataven_notebook", "metrics", "calls/one.wav", "--speech", "energy"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "note: for 1 of 1 calls it is uncertain" in done.stderr
    assert "UserWarning" not in done.stderr
    assert np.all([measure_command.__name__ not in line for line in done.stderr.splitlines()])
