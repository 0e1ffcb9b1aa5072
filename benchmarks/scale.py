"""How metrics and apply scale: threads, processes, a Dask cluster; and the memory of the notebook's process.

Run it with nothing else going on:

    python benchmarks/scale.py                 # 200 calls; about two minutes
    python benchmarks/scale.py --calls 50      # sooner
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kataven_notebook as kn
from kataven_notebook import demo

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

UNLIMITED = kn.Limits(per_minute=None, per_hour=None, per_day=None)
_PEAK = """
import json, sys
from pathlib import Path
import pandas as pd
import kataven_notebook as kn
told, count = json.loads(sys.argv[1]), int(sys.argv[2])
settings = kn.Settings(api_key=told["api_key"], base_url=told["base_url"], state_dir=sys.argv[3],
                       limits=kn.Limits(per_minute=None, per_hour=None, per_day=None))
calls = pd.DataFrame({"session_id": [f"call-{number:05d}" for number in range(count)]})
found = kn.apply(calls, lambda recording: recording.frames, columns="frames", settings=settings, progress=False)
assert found["frames"].count() == count
# The highest since this program began; getrusage would tell the highest of what started it, too.
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024)
"""


def nothing(_recording: kn.Recording) -> None:
    """Take no time: what is left is overhead."""


def filled_store(folder: Path, count: int) -> tuple[pd.DataFrame, kn.Settings, float]:
    """Fetch `count` calls, made of the demo's twelve, into a store; return its frame and the seconds of sound."""
    with demo.hub() as samples:
        sounds = [samples.data(session_id) for session_id in samples.truth]
    sessions = {f"call-{number:05d}": sounds[number % len(sounds)] for number in range(count)}
    with demo.hub(sessions=sessions, limits=UNLIMITED) as hub:
        calls = kn.audio(hub.sessions[["session_id"]], store=folder, settings=hub.settings, progress=False)
        return calls[["session_id"]], hub.settings, float(calls["duration_s"].sum())


def timed(work: Callable[[], Any]) -> float:
    """Return how many seconds something takes, wall clock."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure_executors(count: int) -> None:
    """Print the time of metrics, and the overhead of calls that do nothing, for each kind of worker."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calls, settings, sound_s = filled_store(Path(folder), count)
        options: dict[str, Any] = {"store": folder, "settings": settings, "progress": False}
        print(
            f"metrics of {count} calls, {sound_s / 60:.0f} minutes of sound, from a local store, {os.cpu_count()} CPUs"
        )
        base_s = 0.0
        with cluster() as client:
            kinds: dict[str, Any] = {
                "1 thread": lambda: ThreadPoolExecutor(1),
                "2 threads": lambda: ThreadPoolExecutor(2),
                "2 processes": lambda: ProcessPoolExecutor(2),
                "Dask, 2 workers": client.get_executor(),
            }
            for name, executor in kinds.items():
                # Workers import on their first call, which is no part of the rate.
                kn.metrics(calls.iloc[:4], executor=executor, **options)
                metrics_s = timed(functools.partial(kn.metrics, calls, executor=executor, **options))
                empty = functools.partial(kn.apply, calls, nothing, columns="n")
                empty_s = timed(functools.partial(empty, executor=executor, **options))
                base_s = base_s or metrics_s
                print(
                    f"  {name:16} {metrics_s:6.1f} s  {base_s / metrics_s:4.2f} x  {sound_s / metrics_s:5.0f} x real "
                    f"time   overhead {empty_s / count * 1000:5.1f} ms a recording"
                )


def cluster() -> Any:
    """Return a client of a Dask cluster of two worker processes on this machine."""
    from dask.distributed import Client, LocalCluster  # noqa: PLC0415 - the extra [dask]

    local: Any = LocalCluster  # it is untyped
    connect: Any = Client
    return connect(local(n_workers=2, threads_per_worker=1, dashboard_address=":0"))


def measure_memory(counts: tuple[int, ...] = (100, 2_000)) -> None:
    """Print the peak memory of a process that applies a function to many recordings."""
    command = [sys.executable, "-m", "kataven_notebook.demo", "--serve", "--synthetic", str(max(counts))]
    limits = ["--per-minute", "0", "--per-hour", "0", "--per-day", "0"]
    with subprocess.Popen([*command, *limits], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None  # noqa: S101 - it was asked for
            told = server.stdout.readline()
            for count in counts:
                with tempfile.TemporaryDirectory() as state:
                    peak = subprocess.run(
                        [sys.executable, "-c", _PEAK, json.dumps(json.loads(told)), str(count), state],
                        check=True,
                        capture_output=True,
                        text=True,
                    )  # fmt: skip - one command
                print(f"  {count:5,} recordings of 256 KiB: peak memory {float(peak.stdout):.0f} MB")
        finally:
            server.terminate()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200, help="how many calls (default: 200)")
    options = parser.parse_args()
    measure_executors(options.calls)
    print("the notebook's process, apply without a store, threads:")
    measure_memory()


if __name__ == "__main__":
    main()
