"""`kataven-notebook check`: the audit of a store, for shells and schedulers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.__main__ import main
from kataven_notebook.store.objects import ObjectFolder

pytestmark = pytest.mark.core


@pytest.fixture
def store(hub, tmp_path, monkeypatch):
    """A store of three recordings."""
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"session_id": ["s0", "s1", "s2"]})
    kn.audio(frame, store="calls", settings=hub.settings, progress=False)
    return kn.Store("calls")


def file_of(store, session_id: str):
    """Return the path of a session's sound."""
    return store.path / store.load([session_id])[session_id].file


def test_a_whole_store_is_exit_code_0(store, capsys) -> None:
    """Without credentials, and in one line."""
    assert main(["check", "calls", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.out == "3 recordings compared with their sizes: all are whole\n"
    assert said.err == ""


def test_damage_is_exit_code_1_and_named(hub, store, capsys) -> None:
    """With checksums where they are asked for; the report is a table, and the next run fetches."""
    path = file_of(store, "s1")
    path.write_bytes(path.read_bytes()[:-4_096] + bytes(4_096))
    assert main(["check", "calls"]) == 0
    capsys.readouterr()
    assert main(["check", "calls", "--full", "--report", "damaged.csv"]) == 1
    said = capsys.readouterr()
    assert "3 recordings read, and compared with their checksums: 1 wrong_checksum" in said.out
    assert "wrong_checksum: session s1, audio/" in said.err
    report = pd.read_csv("damaged.csv")
    assert report[["session_id", "problem"]].to_numpy().tolist() == [["s1", "wrong_checksum"]]
    hub.requests.clear()
    kn.audio(pd.DataFrame({"session_id": ["s0", "s1"]}), store="calls", settings=hub.settings, progress=False)
    assert [each.session_id for each in hub.requests.of("api")] == ["s1"]
    assert main(["check", "calls", "--full"]) == 0


def test_sound_that_nothing_names_is_told_and_no_damage(store, capsys) -> None:
    """A killed process leaves such files, and no run would change that. A long list ends in a word."""
    for number in range(25):
        path = file_of(store, "s0").with_name(f"{number:040d}-{'0' * 16}.wav")
        path.write_bytes(b"RIFF")
    assert main(["check", "calls"]) == 0
    said = capsys.readouterr()
    assert "25 unnamed_sound" in said.out
    assert "5 more: --report FILE lists all" in said.err


def test_a_bucket_is_checked_too(hub, capsys) -> None:
    """By its URL."""
    url = f"memory://{uuid.uuid4().hex}"
    kn.audio(pd.DataFrame({"session_id": ["s0"]}), store=url, settings=hub.settings, progress=False)
    assert main(["check", url]) == 0
    objects = ObjectFolder(url)
    objects.remove(objects.sound_of("s0"))
    assert main(["check", url]) == 1
    assert "1 gone" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no store in nowhere"),
        (["calls", "--report", "nowhere/damaged.csv"], "can't be written"),
        (["calls", "--report", "damaged.xlsx"], "must be .csv"),
        (["nonsense://calls"], "can't be opened"),
        (["memory://nowhere"], "there is no store in memory://nowhere"),
    ],
)
def test_what_cant_work_is_exit_code_2(store, tmp_path, arguments, message, capsys) -> None:
    """In one sentence; no folder is made for a store that is not there."""
    assert main(["check", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
def test_a_scheduler_can_stop_it(store) -> None:
    """Exit code 130; what was found is noted and in the report."""
    file_of(store, "s0").unlink()
    large = 1_500_000_000  # takes a second to read
    os.truncate(file_of(store, "s1"), large)
    with store._ledger._transaction() as db:
        db.execute("UPDATE outcomes SET size_bytes = ? WHERE session_id = 's1'", (large,))
    process = subprocess.Popen(
        [sys.executable, "-m", "kataven_notebook", "check", "calls", "--full", "--report", "damaged.csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while store.to_frame()["recording_status"].ne("failed").all() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "of 3 recordings are checked" in said
    assert pd.read_csv("damaged.csv")["session_id"].tolist() == ["s0"]
