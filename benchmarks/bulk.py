"""Bulk work at the service's limits: this package beside a plain loop and a sensible script.

    python benchmarks/bulk.py                 # everything, about six minutes
    python benchmarks/bulk.py limits speed    # some of: limits shared speed memory frames imports

The demo Hub runs in a process of its own, and so does each client: CPU and peak memory are the
client's alone. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SIZE_BYTES = 262_144
LATENCY = ["--api-latency-s", "0.03", "--storage-latency-s", "0.06"]
# The service's windows, thirty times as fast: 60 a 2 s; a URL lives five windows, as there.
SCALED = ["--per-minute", "60", "--minute-s", "2", "--hour-s", "120", "--day-s", "2880", "--url-life-s", "10"]
UNLIMITED = ["--per-minute", "0", "--per-hour", "0", "--per-day", "0"]


# The service, in a process of its own


class Service:
    """A demo Hub in a process of its own, and its counts."""

    def __init__(self, rows: int, *options: str) -> None:
        command = [sys.executable, "-m", "kataven_notebook.demo", "--serve", "--synthetic", str(rows)]
        command += ["--synthetic-bytes", str(SIZE_BYTES), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address: dict[str, str] = json.loads(pipe(self._process.stdout).readline())
        root = self.address["base_url"].rpartition("/v1")[0]
        headers = {"Authorization": f"Bearer {self.address['api_key']}"}
        self._control = httpx.Client(base_url=f"{root}/_demo", headers=headers, timeout=60)

    def stats(self) -> dict[str, Any]:
        """Return requests and refusals since the last `reset`."""
        found: dict[str, Any] = self._control.get("/stats").raise_for_status().json()
        return found

    def reset(self) -> None:
        """Forget what was counted, and close the limits' windows."""
        self._control.delete("/stats").raise_for_status()

    def close(self) -> None:
        """End it."""
        self._control.close()
        self._process.terminate()
        self._process.communicate()


@contextlib.contextmanager
def service(rows: int, *options: str) -> Iterator[Service]:
    """Run a demo Hub with `rows` sessions of noise."""
    running = Service(rows, *options)
    try:
        yield running
    finally:
        running.close()


# The clients, each in a process of its own


def ours(address: dict[str, str], ids: list[str], options: dict[str, Any]) -> int:
    """Run `kn.audio`; returns the rows that came."""
    import pandas as pd  # noqa: PLC0415 - each client loads what it needs

    import kataven_notebook as kn  # noqa: PLC0415 - the same

    limits = kn.Limits(**options["limits"])
    settings = kn.Settings(
        api_key=address["api_key"], base_url=address["base_url"], limits=limits, state_dir=options["state_dir"]
    )
    calls = kn.audio(pd.DataFrame({"session_id": ids}), settings=settings, store=options.get("store"), progress=False)
    return int((calls["recording_status"] == "downloaded").sum())


def loop(address: dict[str, str], ids: list[str], _options: dict[str, Any]) -> int:
    """Sign and download one after the other, waiting where a 429 says so."""
    with _api(address) as api, httpx.Client(timeout=30) as storage:
        return sum(_fetched(storage, _signed(api, each)) for each in ids)


def two_phase(address: dict[str, str], ids: list[str], _options: dict[str, Any]) -> int:
    """Sign all in 16 threads with Retry-After, then download all in 16 threads."""
    with _api(address) as api, httpx.Client(timeout=30) as storage, ThreadPoolExecutor(16) as pool:
        urls = list(pool.map(lambda each: _signed(api, each), ids))
        return sum(pool.map(lambda url: _fetched(storage, url), urls))


def stranger(address: dict[str, str], ids: list[str], options: dict[str, Any]) -> int:
    """Spend half of each window on the same account, knowing nothing of anybody, until told to stop."""
    spent, pause_s = 0, options["limits"]["minute_s"] / (options["limits"]["per_minute"] / 2)
    with _api(address) as api:
        while not Path(options["stop_file"]).exists():
            spent += api.get(f"/sessions/{random.choice(ids)}/recording").status_code == 200  # noqa: S311 - a load
            time.sleep(pause_s)
    return spent


def _api(address: dict[str, str]) -> httpx.Client:
    headers = {"Authorization": f"Bearer {address['api_key']}"}
    return httpx.Client(base_url=address["base_url"], headers=headers, timeout=30)


def _signed(api: httpx.Client, session_id: str) -> str:
    while True:
        answer = api.get(f"/sessions/{session_id}/recording")
        if answer.status_code == 429:
            time.sleep(float(answer.headers["Retry-After"]))
            continue
        return str(answer.raise_for_status().json()["url"])


def _fetched(storage: httpx.Client, url: str) -> bool:
    answer = storage.get(url)
    return answer.status_code == 200 and len(answer.content) > SIZE_BYTES - 4


CLIENTS: dict[str, Callable[[dict[str, str], list[str], dict[str, Any]], int]] = {
    "ours": ours,
    "loop": loop,
    "two_phase": two_phase,
    "stranger": stranger,
}


def be_client() -> None:
    """Run one client as told on standard input; report on standard output."""
    told = json.loads(sys.stdin.readline())
    if told["client"] == "ours":
        import kataven_notebook  # noqa: F401, PLC0415 - what importing costs is measured by itself
    before, began = time.process_time(), time.perf_counter()
    rows = CLIENTS[told["client"]](told["address"], told["ids"], told["options"])
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - before
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "took_s": took_s, "cpu_s": cpu_s, "peak_mb": peak_mb}))


def start(client: str, address: dict[str, str], ids: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    """Start a client in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, __file__, "--client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    told = {"client": client, "address": address, "ids": list(ids), "options": options}
    told_to = pipe(process.stdin)
    told_to.write(json.dumps(told) + "\n")
    told_to.flush()
    return process


def pipe(end: IO[str] | None) -> IO[str]:
    """Return the end of a pipe that was asked for."""
    if end is None:
        raise RuntimeError("the process was started without a pipe")
    return end


def finish(process: subprocess.Popen[str]) -> dict[str, float]:
    """Wait for a client, and return its report."""
    out, _ = process.communicate()
    report: dict[str, float] = json.loads(out)
    return report


# The measurements

LIMITS = {"per_minute": 60, "per_hour": 1_000, "per_day": 10_000, "minute_s": 2.0, "hour_s": 120.0, "day_s": 2_880.0}
NO_LIMITS = {"per_minute": None, "per_hour": None, "per_day": None}


def table(title: str, rows: list[dict[str, str]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + " --- |" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(row.values()) + " |", flush=True)


def _row(name: str, report: dict[str, float], stats: dict[str, Any], rows: int, least_s: float) -> dict[str, str]:
    return {
        "client": name,
        "rows": f"{report['rows']:.0f} of {rows}",
        "API requests a recording": f"{stats['api']['requests'] / rows:.2f}",
        "refused": str(stats["refused"]),
        "time / least possible": f"{report['took_s'] / least_s:.3f}",
        "CPU a recording": f"{report['cpu_s'] / rows * 1e3:.1f} ms",
        "peak memory": f"{report['peak_mb']:.0f} MB",
    }


def limits() -> None:
    """600 sessions against windows scaled down thirtyfold: ours beside the other two."""
    ids, least_s, rows = [f"call-{number:05d}" for number in range(600)], 18.0, []
    with service(len(ids), *SCALED, *LATENCY) as hub:
        for client in ("loop", "two_phase", "ours"):
            with tempfile.TemporaryDirectory() as folder:
                hub.reset()
                report = finish(start(client, hub.address, ids, limits=LIMITS, state_dir=folder))
                rows.append(_row(client, report, hub.stats(), len(ids), least_s))
    table("600 sessions of 256 KB, 60 requests per 2 s, URLs live 10 s, 30 ms and 60 ms latency", rows)


def shared() -> None:
    """Run the same with a second process on the same account, and beside a stranger."""
    ids, rows = [f"call-{number:05d}" for number in range(600)], []
    with service(len(ids), *SCALED, *LATENCY) as hub:
        with tempfile.TemporaryDirectory() as folder:
            hub.reset()
            began = time.perf_counter()
            both = [start("ours", hub.address, half, limits=LIMITS, state_dir=folder) for half in (ids[::2], ids[1::2])]
            reports = [finish(each) for each in both]
            total = {name: sum(report[name] for report in reports) for name in reports[0]}
            # Starting two interpreters is not the budget's doing.
            total["took_s"] = max(report["took_s"] for report in reports)
            rows.append(_row("two processes, 300 each", total, hub.stats(), len(ids), 18.0))
            print(f"(two processes with their start: {time.perf_counter() - began:.1f} s)")
        with tempfile.TemporaryDirectory() as folder:
            hub.reset()
            stop_file = str(Path(folder) / "stop")
            other = start("stranger", hub.address, ids, limits=LIMITS, stop_file=stop_file)
            report = finish(start("ours", hub.address, ids, limits=LIMITS, state_dir=folder))
            Path(stop_file).touch()
            spent = finish(other)["rows"]
            stats = hub.stats()
            row = _row(f"beside a stranger who got {spent:.0f}", report, stats, len(ids), 18.0)
            rows.append({**row, "API requests a recording": f"(together {stats['api']['requests']})"})
    table("The same account used by others", rows)


def speed() -> None:
    """300 sessions, limits out of the way."""
    ids, rows = [f"call-{number:05d}" for number in range(300)], []
    with service(len(ids), *UNLIMITED, *LATENCY) as hub:
        reports = {}
        for client in ("loop", "ours"):
            with tempfile.TemporaryDirectory() as folder:
                hub.reset()
                reports[client] = finish(start(client, hub.address, ids, limits=NO_LIMITS, state_dir=folder))
        for client, report in reports.items():
            rows.append(
                {
                    "client": client,
                    "rows": f"{report['rows']:.0f}",
                    "seconds": f"{report['took_s']:.2f}",
                    "times as fast": f"{reports['loop']['took_s'] / report['took_s']:.1f}",
                }
            )
    table("300 sessions of 256 KB, no limits but 20 in flight, 30 ms and 60 ms latency", rows)


def memory() -> None:
    """Peak memory through a store, against the number of recordings."""
    rows = []
    with service(5_000, *UNLIMITED) as hub:
        for count in (50, 500, 5_000):
            with tempfile.TemporaryDirectory() as folder:
                hub.reset()
                ids = [f"call-{number:05d}" for number in range(count)]
                store = str(Path(folder) / "calls")
                report = finish(start("ours", hub.address, ids, limits=NO_LIMITS, state_dir=folder, store=store))
                rows.append(
                    {
                        "recordings": f"{count:,}",
                        "rows": f"{report['rows']:.0f}",
                        "peak memory": f"{report['peak_mb']:.0f} MB",
                        "CPU a recording": f"{report['cpu_s'] / count * 1e3:.1f} ms",
                        "seconds": f"{report['took_s']:.1f}",
                    }
                )
    table("Through a store: peak memory of the process", rows)


def frames() -> None:
    """Time large frames where next to nothing is to be done."""
    import numpy as np  # noqa: PLC0415 - here alone
    import pandas as pd  # noqa: PLC0415 - the same

    import kataven_notebook as kn  # noqa: PLC0415 - the same
    from kataven_notebook.store.entry import COLUMNS  # noqa: PLC0415 - the same

    rows = []
    with tempfile.TemporaryDirectory() as folder, kn.demo.hub(sessions={}) as hub:
        known = pd.DataFrame({"session_id": [f"s{number:06d}" for number in range(100_000)]})
        known["recording_status"] = "missing"
        began = time.perf_counter()
        kn.audio(known, settings=hub.settings, progress=False)
        took = f"{time.perf_counter() - began:.2f} s"
        rows.append({"frame": "100,000 rows, all known to be missing", "audio() takes": took})

        folder_path = Path(folder) / "calls"
        sound = kn.Recording.from_samples(np.zeros((80, 1), "float32"), 8_000).encoded()
        ids = [f"call-{number:06d}" for number in range(200_000)]
        with kn.Store(folder_path) as store:
            store.bind(hub.settings)
            for each in ids[:10]:
                with store.part() as part:
                    part.write(sound)
                    store.keep(each, part, "0" * 64)
            _multiply(store, ids[10:199_000], COLUMNS)
        for each in ids[199_000:]:
            hub.add(each, state="missing")
        hub.limiter.limits = kn.Limits(None, None, None, 20)
        settings = kn.Settings(
            api_key=hub.api_key, base_url=hub.base_url, limits=kn.Limits(None, None, None, 20), state_dir=Path(folder)
        )
        calls = pd.DataFrame({"session_id": ids})
        began = time.perf_counter()
        result = kn.audio(calls, settings=settings, store=folder_path, max_wait=0, progress=False)
        took_s = time.perf_counter() - began
        began = time.perf_counter()
        kn.audio(calls[:199_000], settings=settings, store=folder_path, progress=False)
        took = f"{time.perf_counter() - began:.2f} s; with the 1,000 others asked for {took_s:.2f} s"
        rows.append({"frame": "200,000 rows, 199,000 of them in a local store", "audio() takes": took})
        if (result["recording_status"] == "downloaded").sum() != 199_000:
            raise RuntimeError("rows are missing")
    table("Large frames", rows)


def _multiply(store: Any, ids: list[str], columns: Sequence[str]) -> None:
    """Give many sessions an entry and a file, without the time that verifying takes."""
    entry = next(store._ledger.entries())  # noqa: SLF001 - a store of that size takes minutes otherwise
    first = store.path / entry.file
    values = []
    for number, each in enumerate(ids):
        name = hashlib.sha256(each.encode()).hexdigest()
        file = f"audio/{name[:2]}/{name[:40]}-{'0' * 16}.wav"
        target = store.path / file
        target.parent.mkdir(exist_ok=True)
        if number % 50_000:  # file systems bound how many names one file may have
            os.link(first, target)
        else:
            shutil.copyfile(first, target)
            first = target
        own = {"session_id": each, "file": file}
        values.append(tuple(own.get(name, getattr(entry, name)) for name in columns))
    with store._ledger._transaction() as db:  # noqa: SLF001 - the same
        db.executemany(f"INSERT INTO outcomes VALUES ({', '.join('?' * len(columns))})", values)  # noqa: S608 - marks


def imports() -> None:
    """Time importing above pandas, the median of five fresh interpreters each."""

    def seconds(statement: str) -> float:
        code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
        runs = [float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
        return sorted(runs)[2]

    pandas_s, both_s = seconds("import pandas"), seconds("import pandas, kataven_notebook")
    table(
        "Import",
        [
            {
                "pandas": f"{pandas_s:.2f} s",
                "pandas and kataven_notebook": f"{both_s:.2f} s",
                "difference": f"{both_s - pandas_s:.2f} s",
            }
        ],
    )


MEASUREMENTS = {
    "limits": limits,
    "shared": shared,
    "speed": speed,
    "memory": memory,
    "frames": frames,
    "imports": imports,
}


def run_chosen(
    description: str | None, measurements: dict[str, Callable[[], None]], client: Callable[[], None]
) -> None:
    """Run the measurements that the command line names, by default all; or be a client of one."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(measurements)}; all by default")
    parser.add_argument("--client", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.client:
        client()
        return
    unknown = set(chosen.names) - set(measurements)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    for name in chosen.names or measurements:
        measurements[name]()


if __name__ == "__main__":
    run_chosen(__doc__, MEASUREMENTS, be_client)
