"""SQLite files that many open at once: what one of them does takes nothing from the others."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

import kataven_notebook as kn
from kataven_notebook._budget_table import BudgetTable, Permit
from kataven_notebook._ledger import Ledger
from kataven_notebook.status import Status
from kataven_notebook.store import Store

pytestmark = pytest.mark.core

# What another kernel does meanwhile: it opens the file, writes to it, and closes it as the last one would.
VISIT_BUDGET = """
import sys, time
from pathlib import Path
from kataven_notebook import Limits
from kataven_notebook._budget_table import BudgetTable
table = BudgetTable(Path(sys.argv[1]), "acme", Limits(), lease_s=30.0)
table.reserve(time.time())
table.close()
"""
VISIT_STORE = """
import sys
from kataven_notebook.status import Status
from kataven_notebook.store import Store
with Store(sys.argv[1]) as store:
    store.note("theirs", Status.MISSING, "the session has no recording")
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_a_new_database_is_private_whatever_the_umask(tmp_path) -> None:
    """Nobody else reads which sessions there are, in the file or in its log."""
    with_log = Ledger(tmp_path / "ledger.sqlite3")
    with_log.set_meta("key", "value")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    with_log.close()
    assert modes == dict.fromkeys(("ledger.sqlite3", "ledger.sqlite3-shm", "ledger.sqlite3-wal"), 0o600)
