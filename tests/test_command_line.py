"""The command line: the same engine for those who live in shells and schedulers."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import kataven_notebook as kn
from kataven_notebook import command_line, demo
from kataven_notebook.__main__ import main

pytestmark = pytest.mark.core
needs_pyarrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="reads Parquet")


@pytest.fixture(scope="module")
def sound() -> bytes:
    """Half a second of stereo noise as WAV."""
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(0).normal(0, 0.1, (4_000, 2)), 8_000, format="WAV")
    return file.getvalue()


@pytest.fixture
def hub(sound, monkeypatch, tmp_path):
    """A Hub whose address and key stand in the environment; ids with leading zeros among them."""
    with demo.hub(sessions={"007": sound, "s1": sound, "s2": sound}) as running:
        running.add("gone", state="missing")
        monkeypatch.setenv("KATAVEN_API_KEY", running.settings.api_key)
        monkeypatch.setenv("KATAVEN_BASE_URL", running.settings.base_url)
        monkeypatch.setenv("KATAVEN_STATE_DIR", str(tmp_path / "state"))
        monkeypatch.delenv("KATAVEN_ACCOUNT_ID", raising=False)
        monkeypatch.chdir(tmp_path)
        yield running


def table(name: str, *ids: str) -> str:
    """Write a file of sessions in the format of its ending."""
    frame = pd.DataFrame({"session_id": pd.Series(ids, dtype=object), "note": "x"})
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
        frame.to_parquet(name)
    elif name.endswith("jsonl"):
        frame.to_json(name, orient="records", lines=True)
    else:
        frame.to_csv(name, index=False)
    return name


@pytest.mark.parametrize("name", ["calls.csv", "calls.csv.gz", "calls.parquet", "calls.jsonl"])
def test_fetch_fills_a_store_from_any_table(hub, name, capsys) -> None:
    """Exit code 0 where all is good or final, and the summary on the standard output."""
    assert main(["fetch", table(name, "007", "s1", "gone"), "--store", "store"]) == 0
    assert kn.Store("store").load()["007"].status == "downloaded"
    out = capsys.readouterr().out
    assert re.search(r"downloaded +2 ", out)
    assert re.search(r"missing +1 ", out)


def test_fetch_goes_on_where_it_was(hub, capsys) -> None:
    """The second run asks for what is new alone."""
    main(["fetch", table("calls.csv", "s1", "gone"), "--store", "store"])
    hub.requests.clear()
    assert main(["fetch", table("calls.csv", "s1", "gone", "s2"), "--store", "store"]) == 0
    assert [each.session_id for each in hub.requests.api] == ["s2"]


def test_the_exit_code_tells_that_some_are_left(hub, capsys) -> None:
    """And the report tells which, without any URL."""
    report = ["--report", "left.csv"]
    hub.add("later", state="pending")
    assert main(["fetch", table("calls.csv", "s1", "later"), "--store", "store", *report]) == 1
    left = pd.read_csv("left.csv", dtype={"session_id": str})
    assert left["recording_status"].tolist() == ["downloaded", "pending"]
    assert left["note"].tolist() == ["x", "x"]
    assert "audio" not in left.columns
    assert "X-Amz" not in Path("left.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv"], "can't be read as csv"),
        (["calls.xlsx"], "must be .csv"),
        (["calls.csv", "--session", "id"], "no column and no index level 'id'"),
        (["calls.csv", "--max-wait", "soon"], "max_wait='soon'"),
        (["calls.csv", "--base-url", "http://example.com"], "plain http"),
        pytest.param(["broken.parquet"], "can't be read as parquet", marks=needs_pyarrow),
    ],
)
def test_what_cant_work_is_exit_code_2_and_one_sentence(hub, arguments, message, capsys) -> None:
    """Before any request, and without a traceback."""
    table("calls.csv", "s1")
    Path("broken.parquet").write_bytes(b"no parquet")
    assert main(["fetch", *arguments, "--store", "store"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("kataven-notebook: ")
    assert message in said
    assert "Traceback" not in said
    assert hub.requests.count() == 0


def test_a_store_that_cant_be_made_is_exit_code_2(hub, capsys) -> None:
    """A file stands where the folder should be."""
    table("calls.csv", "s1")
    assert main(["fetch", "calls.csv", "--store", "calls.csv/store"]) == 2
    assert "the store" in capsys.readouterr().err


def test_without_a_key_the_error_says_what_to_set(hub, monkeypatch, capsys) -> None:
    """The key is never an argument, where other users of the machine could read it."""
    monkeypatch.delenv("KATAVEN_API_KEY")
    assert main(["fetch", table("calls.csv", "s1"), "--store", "store"]) == 2
    err = capsys.readouterr().err
    assert "KATAVEN_API_KEY" in err
    assert "0 of 1" not in err  # no line about a run that never was
    with pytest.raises(SystemExit) as caught:
        main(["fetch", "calls.csv", "--store", "store", "--api-key", "sk_live_x"])
    assert caught.value.code == 2


def run(*arguments: str, **options) -> subprocess.Popen[str]:
    """Start the command as a shell would."""
    command = [sys.executable, "-m", "kataven_notebook", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", **options
    )


def test_a_log_holds_plain_lines(hub) -> None:
    """No bar, no carriage returns: what was done stands in lines with the time."""
    process = run("fetch", table("calls.csv", "s1", "s2"), "--store", "store")
    out, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d Downloading: 2 of 2 · 2 downloaded$", log, re.MULTILINE)
    assert "\r" not in log
    assert "downloaded" in out


needs_signals = pytest.mark.skipif(os.name == "nt", reason="schedulers there end processes in another way")


def wait_for(condition) -> None:
    """Wait until something holds."""
    ends_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def run_that_stalls(hub, *options: str, **popen) -> subprocess.Popen[str]:
    """Start a run of two, of which one is in the store and the other's download never ends."""
    hub.faults.add("s2", "storage:stall")
    process = run("fetch", table("calls.csv", "s1", "s2"), "--store", "store", *options, **popen)
    wait_for(lambda: {each.session_id for each in hub.requests.storage} == {"s1", "s2"})
    wait_for(lambda: "s1" in kn.Store("store").load())
    return process


def reported(name: str = "left.csv") -> list[str]:
    """The statuses in a report."""
    return pd.read_csv(name)["recording_status"].tolist()


@needs_signals
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_run_that_is_stopped_loses_nothing(hub, name) -> None:
    """Exit code 130; what is finished is in the store, the report tells what is left, and it says how to go on."""
    process = run_that_stalls(hub, "--report", "left.csv")
    process.send_signal(getattr(signal, name))
    _, log = process.communicate(timeout=30)
    assert process.returncode == 130, log
    assert "interrupted: 1 of 2 are finished; run the same command again to go on" in log
    assert "Traceback" not in log
    assert reported() == ["downloaded", "skipped"]
    hub.faults.clear()
    assert main(["fetch", "calls.csv", "--store", "store"]) == 0


@needs_signals
def test_impatience_does_not_destroy_the_report(hub) -> None:
    """The second Ctrl-C, and the third, find a run that is ending."""
    process = run_that_stalls(hub, "--report", "left.csv")
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    _, log = process.communicate(timeout=30)
    # In its last moments Python takes no signals any more, and the system ends it: to a shell this is 130 too.
    assert process.returncode in (130, -signal.SIGINT), log
    assert "interrupted: 1 of 2 are finished" in log
    assert reported() == ["downloaded", "skipped"]


@needs_signals
def test_a_signal_before_the_run_begins_leaves_a_report_too(hub, monkeypatch, capsys) -> None:
    """All are skipped: while the sessions are looked for, nothing is known of them."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(command_line, "_fetched", lambda *_: signal.raise_signal(signal.SIGTERM))
    assert main(["fetch", table("calls.csv", "s1", "s2"), "--store", "store", "--report", "left.csv"]) == 130
    assert reported() == ["skipped", "skipped"]
    assert "interrupted; run the same command again to go on" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) is before


@needs_signals
def test_a_signal_that_comes_after_the_run_changes_nothing(hub, monkeypatch, capsys) -> None:
    """While the report is written."""
    written = command_line.write_table

    def write(frame, name) -> None:
        signal.raise_signal(signal.SIGINT)
        written(frame, name)

    monkeypatch.setattr(command_line, "write_table", write)
    assert main(["fetch", table("calls.csv", "s1"), "--store", "store", "--report", "left.csv"]) == 0
    assert reported() == ["downloaded"]


@needs_signals
def test_what_is_started_to_outlive_its_terminal_does(hub) -> None:
    """As by `nohup`: a signal that is ignored stays ignored."""
    hub.faults.add("s1", "storage:stall")
    command = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", sys.executable, "-m", "kataven_notebook"]
    process = subprocess.Popen([*command, "fetch", table("calls.csv", "s1"), "--store", "store", "--quiet"])
    wait_for(lambda: hub.requests.count("storage") == 1)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 130


# A shell on a terminal of its own, whose child this process becomes.
ON_A_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
termios.tcsetwinsize(0, (24, 80))
os.execv(sys.executable, [sys.executable, "-m", "kataven_notebook", *sys.argv[1:]])
"""


@needs_signals
def test_a_terminal_that_is_closed_leaves_a_report(hub) -> None:
    """Where the bar was drawn nothing can be written any more."""
    hub.faults.add("s2", "storage:stall")
    arguments = ["fetch", table("calls.csv", "s1", "s2"), "--store", "store", "--report", "left.csv"]
    ours, theirs = os.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL, *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while b"1/2" not in shown:
            shown += os.read(ours, 4_096)
        os.close(ours)
        assert process.wait(30) == 130
    assert reported() == ["downloaded", "skipped"]


def test_the_standard_input_is_a_table_too(hub) -> None:
    """For pipes."""
    process = run("fetch", "-", "--store", "store", "--quiet", stdin=subprocess.PIPE)
    out, log = process.communicate("session_id\n007\n", timeout=60)
    assert process.returncode == 0, log
    assert not log
    assert "downloaded" in out


def test_the_demo_shows_the_main_job(hub, capsys) -> None:
    """Sessions with statuses and numbers, the summary, what to open next; nothing wider than a terminal."""
    assert main(["demo"]) == 0
    out = capsys.readouterr().out
    assert "agent_01JX7C4V01" in out
    assert "level_dbfs" in out
    assert re.search(
        r'^agent_01JX7C4V14  the recording is not uploaded yet: .*poll_pending="10min"$', out, re.MULTILINE
    )
    assert "what_to_do" in out
    assert "--lab" in out
    assert max(map(len, out.splitlines())) <= 100
    assert not hub.requests.count()


def test_the_demo_can_be_left_running() -> None:
    """It prints its address and key, and ends when told to."""
    process = run("demo", "--serve", "--synthetic", "1")
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["base_url"].startswith("http://127.0.0.1:")
    finally:
        process.send_signal(signal.SIGTERM if os.name != "nt" else signal.CTRL_BREAK_EVENT)
        process.communicate(timeout=30)


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_the_demo_that_is_left_running_tells_people_how_to_use_it() -> None:
    """On a terminal, where nobody reads JSON: what to set, and how to end it."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kataven_notebook", "demo", "--serve"], stdout=subprocess.PIPE, stderr=theirs, text=True
    )
    os.close(theirs)
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        hint = ""
        while "Ctrl-C" not in hint:
            hint += os.read(ours, 1_000).decode()
        assert f"export KATAVEN_API_KEY={told['api_key']} KATAVEN_BASE_URL={told['base_url']}" in hint
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        os.close(ours)


def test_help_is_documentation() -> None:
    """Every option says what it does; the environment, the exit codes and examples stand there too."""
    help_of = {}
    for command in ("fetch", "check", "demo"):
        process = run(command, "--help", env={**os.environ, "COLUMNS": "100"})
        help_of[command], _ = process.communicate(timeout=60)
        assert process.returncode == 0
        for option in re.findall(r"^  (--[a-z-]+(?: [A-Z]+)?)(.*)", help_of[command], re.MULTILINE):
            following = help_of[command].split(option[0], 2)[-1]
            assert re.search(r"[a-z]{3,}", option[1] or following.splitlines()[1]), option
    for word in ("KATAVEN_API_KEY", "exit codes:", "130", "examples:", "s3://", "--store", "--report"):
        assert word in help_of["fetch"]
    with pytest.raises(SystemExit):
        main([])
    with pytest.raises(SystemExit):
        main(["demo", "--nonsense"])


def test_the_version_is_the_packages(capsys) -> None:
    """As in Python."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == f"kataven-notebook {kn.__version__}"


def test_credentials_that_are_refused_are_exit_code_2(hub, monkeypatch, capsys) -> None:
    """As the help says: to run it again changes nothing."""
    monkeypatch.setenv("KATAVEN_API_KEY", "sk_live_0123456789abcdef0123456789abcdef")
    assert main(["fetch", table("calls.csv", "s1", "s2"), "--store", "store"]) == 2
    err = capsys.readouterr().err
    assert "refused: " in err
    assert "0123456789abcdef" not in err


@pytest.mark.parametrize("name", ["calls.csv", "calls.parquet", "calls.jsonl"])
def test_a_file_without_any_usable_id_is_exit_code_2(hub, name, capsys) -> None:
    """No other run of it can be better; the report tells why, and nothing was asked for."""
    code = main(["fetch", table(name, " ", "..", "a/b"), "--store", "store", "--report", "left.csv"])
    assert code == 2
    assert reported() == ["invalid"] * 3
    assert "invalid: " in capsys.readouterr().err
    assert hub.requests.count() == 0


def test_single_ids_that_are_unusable_are_named_and_no_failure(hub, capsys) -> None:
    """Blank cells are in every other sheet, and what can be had is here."""
    assert main(["fetch", table("calls.csv", "s1", " "), "--store", "store"]) == 0
    assert "invalid: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ids", "code"), [((), 0), (("gone",), 0), (("gone", "s1"), 0), (("s1", "later"), 1), (("gone", "broken"), 1)]
)
def test_the_exit_code_of_what_is_left(hub, ids, code, capsys) -> None:
    """Nothing to do and nothing to be had are done; what another run may bring is not."""
    hub.add("later", state="pending")
    hub.faults.add("broken", "api:server_error")
    assert main(["fetch", table("calls.csv", *ids), "--store", "store"]) == code
    assert ("there are no sessions" in capsys.readouterr().out) is not ids


def test_sheets_of_excel_are_read_as_they_are(hub, capsys) -> None:
    """Semicolons, UTF-16, and a name with an accent; another encoding is one sentence with the remedy."""
    text = "name;session_id\nJosé;007\n"
    Path("calls.csv").write_text(text, encoding="utf-16")
    assert main(["fetch", "calls.csv", "--store", "store", "--report", "left.csv"]) == 0
    assert pd.read_csv("left.csv", dtype=str)[["name", "session_id"]].to_numpy().tolist() == [["José", "007"]]
    Path("calls.csv").write_text(text, encoding="cp1252")
    assert main(["fetch", "calls.csv", "--store", "store"]) == 2
    assert "kataven-notebook: calls.csv can't be read as csv: it is not UTF-8 text" in capsys.readouterr().err


@pytest.mark.parametrize("report", ["left.txt", "nowhere/left.csv", "."])
def test_a_report_that_cant_be_written_is_refused_before_the_run(hub, report, capsys) -> None:
    """Not after hours of fetching."""
    assert main(["fetch", table("calls.csv", "s1"), "--store", "store", "--report", report]) == 2
    assert capsys.readouterr().err.startswith(f"kataven-notebook: {report}")
    assert hub.requests.count() == 0


def test_a_packed_table_that_is_cut_off_is_one_sentence(hub, capsys) -> None:
    """And a packing that this Python can't open is no missing Parquet."""
    Path("calls.csv.gz").write_bytes(gzip.compress(b"session_id\n" + os.urandom(2_000).hex().encode())[:300])
    Path("calls.csv.zst").write_bytes(b"nothing")
    for name in ("calls.csv.gz", "calls.csv.zst"):
        assert main(["fetch", name, "--store", "store"]) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"kataven-notebook: {name} can't be read as csv")
        assert "Parquet" not in err


@pytest.mark.skipif(os.name == "nt", reason="pipes break in another way there")
def test_a_reader_that_leaves_takes_nothing_along(hub) -> None:
    """The exit code is that of the run, without a traceback."""
    process = run("fetch", table("calls.csv", "s1"), "--store", "store")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr:
        log = process.stderr.read()
    assert process.wait(60) == 0
    assert "Traceback" not in log
    assert "BrokenPipe" not in log


@pytest.mark.skipif(os.name == "nt", reason="shells close streams in another way there")
@pytest.mark.parametrize(
    ("streams", "code"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), ("2>/dev/full >/dev/full", 0), ("- <&-", 2)]
)
def test_streams_that_are_closed_or_full_change_no_exit_code(hub, streams, code) -> None:
    """Schedulers start processes without them, and the disk of a log may be full."""
    if "/dev/full" in streams and not Path("/dev/full").exists():
        pytest.skip("there is no such device")
    table("calls.csv", "007", "gone")
    name = "" if code else "calls.csv"
    shell = f"{sys.executable} -m kataven_notebook fetch {name} {streams} --store calls --report report.csv"
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert ("name a file" in done.stderr) if code else len(pd.read_csv("report.csv")) == 2
