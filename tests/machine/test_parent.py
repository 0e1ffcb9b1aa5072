"""Processes whose parent is killed: they end while they are bound to it, and not before or after."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import psutil
import pytest

from kataven_notebook.machine.parent import was_made_by

pytestmark = pytest.mark.core

# A parent whose child binds itself as `{bind}` does, says its process id, and waits.
PARENT = """
import multiprocessing, os, sys, time
from kataven_notebook.machine.parent import end_with, ending_with, was_made_by

def child(parent):
    assert was_made_by(parent)
    assert not was_made_by(os.getpid())
    {bind}
    print(os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    process = multiprocessing.get_context("{method}").Process(target=child, args=(os.getpid(),))
    process.start()
    process.join()
"""
METHODS = ["spawn"] if os.name == "nt" else ["spawn", "fork", "forkserver"]


def start(folder, bind: str, method: str) -> tuple[subprocess.Popen, psutil.Process]:
    """Start a parent, and return it and its child."""
    script = folder / "parent.py"
    script.write_text(PARENT.format(bind=bind, method=method), encoding="utf-8")
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    return parent, psutil.Process(int(parent.stdout.readline()))


def kill(parent: subprocess.Popen) -> None:
    """Kill a parent, and leave its children."""
    parent.kill()
    parent.wait(30)


def wait_for_end(process: psutil.Process) -> None:
    """Wait until it runs no more; nobody may have asked for it since, and then it stays as a zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.05)


@pytest.mark.parametrize("method", METHODS)
def test_a_process_that_is_bound_ends_with_its_parent(tmp_path, method) -> None:
    """By every start method: a server of forks is not the parent that counts."""
    parent, child = start(tmp_path, "end_with(parent, None)", method)
    with parent:
        kill(parent)
        wait_for_end(child)


def test_the_initializer_of_the_user_is_called_too() -> None:
    """With its values, in the process that is bound."""
    code = "import os; from kataven_notebook.machine.parent import end_with; end_with(os.getppid(), print, 'begun', 2)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "begun 2\n"


def test_a_context_that_is_left_binds_no_more(tmp_path) -> None:
    """What a process does after a job is not a matter of the job."""
    parent, child = start(tmp_path, "with ending_with(parent): pass", "spawn")
    with parent:
        kill(parent)
        # The thread looks twice a second while it is there.
        with pytest.raises(psutil.TimeoutExpired):
            child.wait(2)
        child.kill()


def test_a_parent_that_is_gone_before_is_noticed() -> None:
    """Its process id names nobody, and nothing waits for that to change."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    code = "import time; from kataven_notebook.machine.parent import end_with; end_with({}, None); time.sleep(600)"
    done = subprocess.run([sys.executable, "-c", code.format(gone.pid)], check=False, timeout=60)
    assert done.returncode == 1


def test_a_process_that_multiprocessing_did_not_make_has_no_parent_of_that_kind() -> None:
    """A notebook's kernel, or a worker of another machine."""
    assert not was_made_by(os.getppid())
