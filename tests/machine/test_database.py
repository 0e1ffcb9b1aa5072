"""SQLite files that many open at once: what one of them does takes nothing from the others."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import kataven_notebook as kn
from kataven_notebook.machine.database import Database
from kataven_notebook.service.budget import Budget
from kataven_notebook.service.budget_table import BudgetTable, Permit
from kataven_notebook.status import Status
from kataven_notebook.store.folder import Store
from kataven_notebook.store.ledger import Ledger

pytestmark = pytest.mark.core

# What another kernel does meanwhile: it opens the file, writes to it, and closes it as the last one would.
VISIT_BUDGET = """
import sys, time
from pathlib import Path
from kataven_notebook import Limits
from kataven_notebook.service.budget_table import BudgetTable
table = BudgetTable(Path(sys.argv[1]), "acme", Limits(), lease_s=30.0)
table.reserve(time.time())
table.close()
"""
VISIT_STORE = """
import sys
from kataven_notebook.status import Status
from kataven_notebook.store.folder import Store
with Store(sys.argv[1]) as store:
    store.note("theirs", Status.MISSING, "the session has no recording")
"""
OPEN_AT = """
import sys, time, warnings
from kataven_notebook.service.budget import Budget
from kataven_notebook.settings import Settings
warnings.simplefilter("error")
print("ready", flush=True)
for line in sys.stdin:
    folder, at_s = line.split()
    while time.time() < float(at_s):
        pass
    budget = Budget(Settings(api_key="sk_live_acme_1", state_dir=folder))
    with budget.request() as request:
        request.answered()
    budget.close()
    print("counted", flush=True)
"""


def visit(code: str, folder) -> None:
    """Run another process to its end."""
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


def test_requests_counted_beside_other_tables_and_processes_stay_counted(tmp_path) -> None:
    """Two accounts' tables in one process and a second process: each request is in the file for the next one."""
    tables = [BudgetTable(tmp_path, scope, kn.Limits(), lease_s=30.0) for scope in ("acme", "other")]
    assert isinstance(tables[0].reserve(time.time()), Permit)
    visit(VISIT_BUDGET, tmp_path)
    assert isinstance(tables[0].reserve(time.time()), Permit)
    tables.append(BudgetTable(tmp_path, "acme", kn.Limits(), lease_s=30.0))
    assert {each.name: each.used for each in tables[-1].usage(time.time())[1]}["minute"] == 3
    for table in tables:
        table.close()


def test_outcomes_written_beside_other_stores_and_processes_stay_written(tmp_path) -> None:
    """The same folder opened twice here and once elsewhere: what is noted afterwards is found by the next one."""
    with Store(tmp_path) as first, Store(tmp_path) as second:
        first.note("before", Status.MISSING, "the session has no recording")
        visit(VISIT_STORE, tmp_path)
        for store, session_id in ((first, "after"), (second, "last")):
            store.note(session_id, Status.MISSING, "the session has no recording")
        with Store(tmp_path) as third:
            assert set(third.load()) == {"before", "theirs", "after", "last"}


def test_processes_that_open_a_new_table_at_once_all_count_in_it(tmp_path) -> None:
    """Whoever comes while another makes the file waits for it; none goes on alone, uncounted by the others."""
    kernels = [
        subprocess.Popen([sys.executable, "-c", OPEN_AT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [kernel.stdout.readline() for kernel in kernels]
    for number in range(30):
        at_s = time.time() + 0.01
        for kernel in kernels:
            kernel.stdin.write(f"{tmp_path / str(number)} {at_s}\n")
            kernel.stdin.flush()
        told += [kernel.stdout.readline() for kernel in kernels]
    for kernel in kernels:
        kernel.communicate()
    assert told == ["ready\n"] * 3 + ["counted\n"] * 90
    used = Budget(kn.Settings(api_key="sk_live_acme_1", state_dir=tmp_path / "0"))
    assert used.used()["minute"] == 3
    used.close()


def test_deleted_rows_are_overwritten(tmp_path, monkeypatch) -> None:
    """On a connection that was opened again too: SQLite keeps the setting for each connection alone."""
    connect = sqlite3.connect

    def connect_as_built_elsewhere(*args: Any, **options: Any) -> sqlite3.Connection:
        # Some builds of SQLite overwrite without being asked, and would hide that nobody asks.
        connection = connect(*args, **options)
        connection.execute("PRAGMA secure_delete=OFF")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_as_built_elsewhere)
    database = Database(tmp_path / "a.sqlite3", "CREATE TABLE IF NOT EXISTS a (b TEXT);", timeout_s=1.0)
    for _ in range(2):
        with database.connection() as db:
            assert db.execute("PRAGMA secure_delete").fetchone() == (1,)
        database.suspend()
        database.resume()
    database.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_a_new_database_is_private_whatever_the_umask(tmp_path) -> None:
    """Nobody else reads which sessions there are, in the file or in its log."""
    with_log = Ledger(tmp_path / "ledger.sqlite3")
    with_log.set_meta("key", "value")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    with_log.close()
    assert modes == dict.fromkeys(("ledger.sqlite3", "ledger.sqlite3-shm", "ledger.sqlite3-wal"), 0o600)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_what_a_forked_child_writes_outlives_its_parents_store(tmp_path) -> None:
    """The child opens the store while its parent has it open, and goes on when the parent has closed it."""
    forking = multiprocessing.get_context("fork")
    ready, go_on = forking.Event(), forking.Event()

    def in_the_child() -> None:
        with Store(tmp_path) as theirs:
            theirs.note("first", Status.MISSING, "the session has no recording")
            ready.set()
            go_on.wait(30)
            theirs.note("second", Status.MISSING, "the session has no recording")

    with Store(tmp_path) as mine:
        mine.note("before", Status.MISSING, "the session has no recording")
        child = forking.Process(target=in_the_child)
        child.start()
        assert ready.wait(30)
        mine.note("after", Status.MISSING, "the session has no recording")
    go_on.set()
    child.join(30)
    with Store(tmp_path) as store:
        assert set(store.load()) == {"before", "first", "after", "second"}


def start(child: multiprocessing.process.BaseProcess) -> None:
    """Fork; again where filelock, which other tests import, refuses that two threads fork at once."""
    while child.pid is None:
        try:
            child.start()
        except RuntimeError as error:
            if "filelock" not in str(error):
                raise


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forks_in_the_middle_of_writing_lose_nothing(tmp_path) -> None:
    """Threads write while the process forks again and again, and each child writes through what it inherited."""
    forking = multiprocessing.get_context("fork")
    with Store(tmp_path) as store:

        def write(prefix: str) -> None:
            for number in range(50):
                store.note(f"{prefix}-{number}", Status.MISSING, "the session has no recording")

        with ThreadPoolExecutor(4) as threads:
            running = [threads.submit(write, f"thread{number}") for number in range(4)]
            children = [forking.Process(target=write, args=(f"child{number}",)) for number in range(6)]
            # At once: forks of several threads must not get in each other's way.
            forkers = [threading.Thread(target=start, args=(child,)) for child in children]
            for each in forkers:
                each.start()
            for each in forkers:
                each.join()
            for child in children:
                child.join(60)
            for each in running:
                each.result()
        assert [child.exitcode for child in children] == [0] * 6
        assert len(store.load()) == 500
    with pytest.raises(kn.errors.StoreError, match="closed"):
        store.note("late", Status.MISSING, "the session has no recording")
