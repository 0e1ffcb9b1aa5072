"""Names processes so that others on the machine can tell whether they still live."""

from __future__ import annotations

import os
import socket

import psutil

_names: dict[int, str] = {}


def owner_name() -> str:
    """Name this process by machine, id and start, so that a later process of the same id is another one."""
    pid = os.getpid()
    if pid not in _names:
        _names[pid] = f"{socket.gethostname()}|{pid}|{psutil.Process().create_time():.2f}"
    return _names[pid]


def is_alive(owner: str) -> bool:
    """Whether the process of that name still runs; of another machine's nobody can tell: assume it."""
    host, _, rest = owner.partition("|")
    pid, _, created = rest.partition("|")
    if host != socket.gethostname() or not pid.isdigit():
        return True
    try:
        process = psutil.Process(int(pid))
        # A killed process that nobody has waited for yet does nothing any more.
        return f"{process.create_time():.2f}" == created and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
