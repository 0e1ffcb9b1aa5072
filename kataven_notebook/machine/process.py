"""Names of processes, by which other processes of the machine find out whether they still run."""

from __future__ import annotations

import os
import socket

import psutil

_names: dict[int, str] = {}


def owner_name() -> str:
    """Return this process's name: machine, id and start time, since ids are used again."""
    pid = os.getpid()
    if pid not in _names:
        _names[pid] = f"{socket.gethostname()}|{pid}|{psutil.Process().create_time():.2f}"
    return _names[pid]


def is_alive(owner: str) -> bool:
    """Whether the process of that name still runs; a process of another machine is taken to run."""
    host, _, rest = owner.partition("|")
    pid, _, created = rest.partition("|")
    if host != socket.gethostname() or not pid.isdigit():
        return True
    try:
        process = psutil.Process(int(pid))
        # A zombie: killed, and not yet waited for by its parent.
        return f"{process.create_time():.2f}" == created and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
