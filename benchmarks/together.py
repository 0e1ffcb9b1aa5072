"""Several runs on one store and one account: requests per row, and time over the least possible.

    python benchmarks/together.py                    # everything, about four minutes
    python benchmarks/together.py threads processes  # some of: threads latecomer stopped processes

The demo Hub runs in a process of its own, and so does each client. The clock starts when all clients have imported
what they need. Prints Markdown tables.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bulk import LATENCY, LIMITS, SCALED, Service, pipe, run_chosen, service, table

if TYPE_CHECKING:
    from collections.abc import Sequence

KNOWN = 200_000


class Client:
    """Runs `kn.audio` in a process of its own, in as many threads as there are lists of sessions."""

    def __init__(
        self, hub: Service, folder: str, lists: Sequence[Sequence[str]], *, limits: dict[str, Any] = LIMITS
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        told = {"address": hub.address, "folder": folder, "lists": [list(each) for each in lists], "limits": limits}
        self._say(json.dumps(told))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def begin(self) -> Self:
        """Let it begin."""
        self._say("begin")
        return self

    def wait_until_ready(self) -> None:
        """Wait until it has imported what it needs."""
        self._hear()

    def report(self) -> dict[str, float]:
        """Wait for its end: its rows, and when it began and ended."""
        found: dict[str, float] = json.loads(self._hear())
        return found

    def send(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def _say(self, text: str) -> None:
        to = pipe(self._process.stdin)
        to.write(text + "\n")
        to.flush()

    def _hear(self) -> str:
        return pipe(self._process.stdout).readline()


def be_client() -> None:
    """Run as told on standard input; report on standard output."""
    told = json.loads(sys.stdin.readline())
    import pandas as pd  # noqa: PLC0415 - the parent process needs none of it

    import kataven_notebook as kn  # noqa: PLC0415 - the same

    settings = kn.Settings(
        api_key=told["address"]["api_key"],
        base_url=told["address"]["base_url"],
        limits=kn.Limits(**told["limits"]),
        state_dir=told["folder"],
    )
    store = str(Path(told["folder"]) / "calls")

    def run(frame: pd.DataFrame) -> int:
        calls = kn.audio(frame, settings=settings, store=store, progress=False)
        return int((calls["recording_status"] == "downloaded").sum())

    frames = [pd.DataFrame({"session_id": each}) for each in told["lists"]]
    print("ready", flush=True)
    sys.stdin.readline()
    began, before = time.time(), time.process_time()
    with ThreadPoolExecutor(len(frames)) as pool:
        rows = list(pool.map(run, frames))
    cpu_s = time.process_time() - before
    print(json.dumps({"rows": min(rows), "began": began, "ended": time.time(), "cpu_s": cpu_s}), flush=True)
    sys.stdin.readline()


def _ids(count: int) -> list[str]:
    return [f"call-{number:05d}" for number in range(count)]


def _row(
    name: str,
    rows: int,
    reports: list[dict[str, float]],
    stats: dict[str, Any],
    *,
    minute_s: float = LIMITS["minute_s"],
) -> dict[str, str]:
    least_s = (math.ceil(rows / LIMITS["per_minute"]) - 1) * minute_s
    took_s = max(each["ended"] for each in reports) - min(each["began"] for each in reports)
    return {
        "runs": name,
        "rows": f"{min(each['rows'] for each in reports):.0f} of {rows} in each",
        "API requests a row": f"{stats['api']['requests'] / rows:.3f}",
        "refused": str(stats["refused"]),
        "seconds": f"{took_s:.1f}",
        "time / least possible": f"{took_s / least_s:.2f}",
        "CPU a row": f"{sum(each['cpu_s'] for each in reports) / rows * 1e3:.1f} ms",
    }


def threads() -> None:
    """Measure two and three threads of one process, all of them with the same 200 sessions."""
    ids, rows = _ids(200), []
    with service(len(ids), *SCALED, *LATENCY) as hub:
        for count in (1, 2, 3):
            hub.reset()
            with tempfile.TemporaryDirectory() as folder, Client(hub, folder, [ids] * count) as client:
                client.wait_until_ready()
                report = client.begin().report()
                rows.append(_row(f"{count} in threads of one process", len(ids), [report], hub.stats()))
    table("The same 200 sessions in several threads, 60 requests per 2 s", rows)


def latecomer() -> None:
    """Measure a process that reads 200,000 known rows while another one is at the 600 that are left."""
    import kataven_notebook as kn  # noqa: PLC0415 - clients import it themselves
    from kataven_notebook.store.entry import Entry  # noqa: PLC0415 - the same

    ids, known = _ids(600), [f"known-{number:06d}" for number in range(KNOWN)]
    with service(len(ids), *SCALED, *LATENCY) as hub, tempfile.TemporaryDirectory() as folder:
        with kn.Store(Path(folder) / "calls") as store:
            now = time.time()
            entries = (Entry(each, "missing", "no recording", first_at=now, updated_at=now) for each in known)
            store._ledger.take_over(entries)  # noqa: SLF001 - a store of that size takes hours otherwise
        with Client(hub, folder, [ids]) as early, Client(hub, folder, [known + ids]) as late:
            for each in (early, late):
                each.wait_until_ready()
            reports = [each.report() for each in (early.begin(), late.begin())]
            row = _row("a process, and one with 200,000 known rows", len(ids), reports, hub.stats())
    table("A latecomer: 600 sessions, 60 requests per 2 s", [row])


def stopped() -> None:
    """Measure two processes of which one is stopped in the middle, and wakes when the other has ended."""
    ids = _ids(600)
    with (
        service(len(ids), *SCALED, *LATENCY) as hub,
        tempfile.TemporaryDirectory() as folder,
        Client(hub, folder, [ids]) as first,
        Client(hub, folder, [ids]) as second,
    ):
        for each in (first, second):
            each.wait_until_ready()
        first.begin()
        second.begin()
        while hub.stats()["api"]["requests"] < len(ids) / 3:
            time.sleep(0.05)
        first.send(signal.SIGSTOP)
        rows = [_row("the one that goes on", len(ids), [second.report()], hub.stats())]
        first.send(signal.SIGCONT)
        rows.append(_row("the one that was stopped", len(ids), [first.report()], hub.stats()))
    table("Two processes, one of them stopped after a third of 600 sessions, 60 requests per 2 s", rows)


def processes() -> None:
    """Measure up to twenty processes, all of them with the same 600 sessions, also with windows that end quickly."""
    ids, rows = _ids(600), []
    for minute_s in (2.0, 0.5):
        limits = {**LIMITS, "minute_s": minute_s}
        options = list(SCALED)
        options[options.index("--minute-s") + 1] = str(minute_s)
        with service(len(ids), *options, *LATENCY) as hub:
            for count in (1, 2, 20):
                hub.reset()
                with contextlib.ExitStack() as stack:
                    folder = stack.enter_context(tempfile.TemporaryDirectory())
                    clients = [stack.enter_context(Client(hub, folder, [ids], limits=limits)) for _ in range(count)]
                    for each in clients:
                        each.wait_until_ready()
                    for each in clients:
                        each.begin()
                    reports = [each.report() for each in clients]
                name = f"{count} in processes, 60 per {minute_s:g} s"
                rows.append(_row(name, len(ids), reports, hub.stats(), minute_s=minute_s))
    table(f"The same 600 sessions in several processes, {os.cpu_count()} cores", rows)


MEASUREMENTS = {"threads": threads, "latecomer": latecomer, "stopped": stopped, "processes": processes}


if __name__ == "__main__":
    run_chosen(__doc__, MEASUREMENTS, be_client)
