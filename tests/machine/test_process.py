"""Names of processes: whether the one that a name stands for still runs; and their limits."""

from __future__ import annotations

import socket
import subprocess
import sys

import psutil
import pytest

from kataven_notebook.machine.process import is_alive, most_open_files, owner_name

pytestmark = pytest.mark.core
NAME = "from kataven_notebook.machine.process import owner_name; print(owner_name(), flush=True); input()"


def test_a_process_lives_until_it_is_killed() -> None:
    """Also before its parent has asked how it ended."""
    assert is_alive(owner_name())
    with subprocess.Popen(
        [sys.executable, "-c", NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        name = other.stdout.readline().strip()
        assert name != owner_name()
        assert is_alive(name)
        other.kill()
        while psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        assert not is_alive(name)
    assert not is_alive(name)


def test_an_id_that_another_process_has_now_is_not_the_same_process() -> None:
    """Ids are used again; the time of the start tells them apart."""
    machine, pid, created = owner_name().split("|")
    assert not is_alive(f"{machine}|{pid}|{float(created) - 1:.2f}")


@pytest.mark.parametrize("name", ["another-machine|1|0.00", "{here}|x|0.00", "", "{here}"])
def test_a_process_that_can_not_be_looked_up_is_taken_to_run(name) -> None:
    """Its work is left to it: what it holds runs out by itself."""
    assert is_alive(name.format(here=socket.gethostname()))


def test_the_limit_of_open_files_is_the_shells() -> None:
    """As `ulimit -n` sets it."""
    asks = "from kataven_notebook.machine.process import most_open_files; print(most_open_files())"
    found = subprocess.run(
        ["sh", "-c", f"ulimit -n 99; exec {sys.executable} -c '{asks}'"], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "99"
    assert most_open_files() != 99
