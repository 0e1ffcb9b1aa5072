"""What is kept in a store: the time of the second `metrics`, and what kills cost `apply(keep=)`.

    python benchmarks/kept.py               # everything at 1,000 calls, about three minutes
    python benchmarks/kept.py times 10000   # the times at so many calls
    python benchmarks/kept.py kills         # function calls beyond rows

The calls are parts of a demo call, 8 s each. Every row of the first table but "same process" is a process of its own,
whose imports are not counted. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bulk import table

import kataven_notebook as kn
from kataven_notebook import demo

SETTINGS = kn.Settings(api_key="sk_test_of_a_benchmark")
PART_S = 8.0
ROWS = 400
KILLS = 20


def fill(folder: str, calls: int) -> None:
    """Store so many calls that all differ."""
    whole = kn.Recording.from_file(Path(demo.__file__).parent / "calls" / "call_01.wav")
    samples, rate = whole.samples, whole.sample_rate
    length = round(PART_S * rate)
    rng = np.random.default_rng(7)

    def sound(number: int) -> kn.Recording:
        start = int(rng.integers(0, len(samples) - length))
        part = kn.Recording.from_samples(samples[start : start + length], rate)
        return kn.Recording.from_bytes(part.encoded(), session_id=f"s{number}")

    for start in range(0, calls, 1_000):
        ids = range(start, min(calls, start + 1_000))
        frame = pd.DataFrame({"session_id": [f"s{each}" for each in ids], "audio": [sound(each) for each in ids]})
        kn.audio(frame, store=folder, settings=SETTINGS, progress=False)


def step(name: str, folder: str, calls: int) -> float:
    """Return the seconds that one step takes here."""
    frame = pd.DataFrame({"session_id": [f"s{number}" for number in range(calls)]})
    options: dict[str, Any] = {"store": folder, "settings": SETTINGS, "progress": False, "agent_channel": 0}
    if name == "read":
        begun = time.perf_counter()
        kn.metrics(pd.read_parquet(f"{folder}/frame.parquet"), progress=False, agent_channel=0)
        return time.perf_counter() - begun
    begun = time.perf_counter()
    getattr(kn, name)(frame, **options)
    took_s = time.perf_counter() - begun
    if name == "metrics" and not Path(folder, "frame.parquet").exists():
        sound = kn.audio(frame, store=folder, settings=SETTINGS, progress=False)
        sound[["session_id", "audio"]].to_parquet(f"{folder}/frame.parquet")
    return took_s


def steps(names: list[str], folder: str, calls: int) -> list[float]:
    """Return the seconds of each step, in a process of their own."""
    options = ["--steps", ",".join(names), "--folder", folder]
    command = [sys.executable, "-W", "ignore", __file__, "times", str(calls), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(each) for each in json.loads(done.stdout)]


def times(calls: int = 1_000) -> None:
    """Take the time of each step."""
    with tempfile.TemporaryDirectory() as folder:
        fill(folder, calls)
        first, second = steps(["metrics", "metrics"], folder, calls)
        (new,) = steps(["metrics"], folder, calls)
        rows = [
            ("first metrics", first),
            ("second, same process", second),
            ("in a new process", new),
            *((f"{name} after it", steps([name], folder, calls)[0]) for name in ("turns", "moments")),
            ("metrics of the frame after to_parquet and read_parquet", steps(["read"], folder, calls)[0]),
        ]
    table(f"{calls:,} calls", [{"": name, "s": f"{took_s:.2f}"} for name, took_s in rows])


def kills() -> None:
    """Kill `apply(keep=)` at random moments until it has ended by itself, and count the calls of its function."""
    rng = np.random.default_rng(11)
    with tempfile.TemporaryDirectory() as folder:
        fill(folder, ROWS)
        killed = 0
        while True:
            process = subprocess.Popen([sys.executable, "-W", "ignore", __file__, "--apply", "--folder", folder])
            if killed < KILLS:
                time.sleep(rng.uniform(1.0, 2.0))
                process.send_signal(signal.SIGKILL)
            if process.wait() == 0:
                break
            killed += 1
        called = len(Path(folder, "called.txt").read_text().split())
    row = {"rows": ROWS, "kills": killed, "calls of the function": called, "beyond rows": called - ROWS}
    table("`apply(keep=)`, killed at random moments", [{name: str(each) for name, each in row.items()}])


def be_applied(folder: str) -> None:
    """Call a function of 50 ms on each call, that notes that it was called."""

    def read(recording: kn.Recording) -> dict[str, float]:
        with Path(folder, "called.txt").open("a") as file:
            file.write(f"{recording.session_id}\n")
        time.sleep(0.05)
        return {"length_s": recording.duration_s}

    frame = pd.DataFrame({"session_id": [f"s{number}" for number in range(ROWS)]})
    kn.apply(frame, read, keep="length", store=folder, settings=SETTINGS, progress=False)


def main() -> None:
    """Do what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=["times", "kills"], help="by default both")
    parser.add_argument("calls", nargs="?", type=int, default=1_000)
    parser.add_argument("--steps", help=argparse.SUPPRESS)
    parser.add_argument("--apply", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.steps is not None:
        print(json.dumps([step(each, chosen.folder, chosen.calls) for each in chosen.steps.split(",")]))
    elif chosen.apply:
        be_applied(chosen.folder)
    else:
        if chosen.name != "kills":
            times(chosen.calls)
        if chosen.name != "times":
            kills()


if __name__ == "__main__":
    main()
