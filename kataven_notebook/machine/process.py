"""What the system says of processes: names, by which others find out whether one still runs, and limits."""

from __future__ import annotations

import os
import socket
import sys

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


def most_open_files() -> int | None:
    """Return how many files and connections this process may have open at once; None where the system has no limit."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - not on Windows

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if limit == resource.RLIM_INFINITY else limit
