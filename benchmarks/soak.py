"""Run against a demo Hub with random faults for a long time; everything must stay flat and every row right.

    python benchmarks/soak.py --minutes 30

The Hub runs in a process of its own. Each round takes some sessions, gives part of them a fault of
which the outcome is known, and runs `audio` (in memory and with a store), `recordings`, `metrics` or
`apply` on them. Ends with status 1 when a row has another status than its fault says, or when
memory, threads, file descriptors or sockets have grown.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import psutil

import kataven_notebook as kn
from kataven_notebook.settings import Settings

SESSIONS = 2_000
ROWS = 150
SOUND_BYTES = 64_000
# Side and kind, how often (None: always), and what the row must say in the end.
FAULTS: tuple[tuple[str, int | None, str], ...] = (
    ("api:missing", None, "missing"),
    ("api:pending", None, "pending"),
    ("api:server_error", None, "failed"),
    ("api:not_json", None, "failed"),
    ("api:no_url", None, "failed"),
    ("api:reset_before", None, "failed"),
    ("storage:denied", None, "failed"),
    ("storage:missing", None, "failed"),
    ("storage:truncated", None, "failed"),
    ("storage:empty", None, "corrupt"),
    ("storage:html", None, "failed"),
    ("storage:expired", None, "expired"),
    ("api:server_error", 1, "downloaded"),
    ("api:bad_gateway", 2, "downloaded"),
    ("api:reset_before", 1, "downloaded"),
    ("api:rate_limited", 1, "downloaded"),
    ("storage:slow_down", 1, "downloaded"),
    ("storage:reset_before", 2, "downloaded"),
    ("storage:reset_middle", 1, "downloaded"),
    ("storage:truncated", 1, "downloaded"),
    ("storage:expired", 1, "downloaded"),
    ("storage:redirect", 1, "downloaded"),
    ("storage:gzip", None, "downloaded"),
    ("storage:no_content_length", None, "downloaded"),
)


class _MallocCounts(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in [
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        ]
    )


@dataclass(frozen=True)
class Sample:
    """What the process holds after a round.

    `rss_mb` also counts what the C allocator keeps of memory that is free again; `in_use_mb` is what is
    really held of it (glibc's own count over all arenas; 0 with another C library), `blocks` how many
    pieces Python's allocator has given out.
    """

    rss_mb: float
    in_use_mb: float
    blocks: int
    threads: int
    descriptors: int
    sockets: int


class Service:
    """A demo Hub in a process of its own, and its controls."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "kataven_notebook.demo", "--serve", "--per-minute", "0", "--per-hour", "0"]
        more = ["--per-day", "0", "--synthetic", str(SESSIONS), "--synthetic-bytes", str(SOUND_BYTES)]
        self._process = subprocess.Popen([*command, *more], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        about = json.loads(self._process.stdout.readline())
        self.base_url, self.api_key = about["base_url"], about["api_key"]
        self.http = httpx.Client(
            base_url=self.base_url.removesuffix("/v1") + "/_demo/",
            headers={"Authorization": f"Bearer {self.api_key}"},
            timeout=30.0,
        )

    def set_faults(self, wanted: dict[tuple[str, int | None], list[str]]) -> None:
        """Replace all faults, and forget the requests so far."""
        self.http.delete("faults").raise_for_status()
        self.http.delete("stats").raise_for_status()
        for (name, times), ids in wanted.items():
            told: dict[str, Any] = {"session_ids": ids, "name": name}
            self.http.post("faults", json=told if times is None else told | {"times": times}).raise_for_status()

    def close(self) -> None:
        """End the process."""
        self.http.close()
        self._process.terminate()
        self._process.wait(30)


def seconds_of(recording: kn.Recording) -> float:
    """Decode a recording, as a small piece of work."""
    return float(sum(len(block) for block in recording.blocks())) / recording.sample_rate


def run_round(rng: random.Random, service: Service, settings: Settings, folder: Path) -> tuple[int, list[str], str]:
    """Run one function on some sessions with faults; return how many rows, which were wrong, and what was run."""
    ids = [f"call-{number:05d}" for number in rng.sample(range(SESSIONS), ROWS)]
    expected = dict.fromkeys(ids, "downloaded")
    wanted: dict[tuple[str, int | None], list[str]] = {}
    for session_id in ids[: rng.randrange(ROWS // 2)]:
        name, times, status = rng.choice(FAULTS)
        expected[session_id] = status
        wanted.setdefault((name, times), []).append(session_id)
    service.set_faults(wanted)
    frame = pd.DataFrame({"session_id": ids})
    kind = rng.choice(("audio", "audio with a store", "metrics", "apply", "recordings"))
    if kind == "recordings":
        found = kn.recordings(frame, settings=settings, progress=False)
        on_storage = {
            session_id for (name, _), each in wanted.items() if name.startswith("storage") for session_id in each
        }
        expected = {
            each: "ready" if each in on_storage or state == "downloaded" else state for each, state in expected.items()
        }
    elif kind == "audio with a store":
        with kn.Store(folder) as store:
            found = kn.audio(frame, store=store, settings=settings, progress=False)
            store.forget(ids)
    elif kind == "audio":
        found = kn.audio(frame, settings=settings, progress=False)
    elif kind == "metrics":
        found = kn.metrics(frame.head(30), agent_channel=0, settings=settings, progress=False)
    else:
        found = kn.apply(frame, seconds_of, settings=settings, progress=False)
    wrong = [
        f"{kind}: {session_id} is {state} ({error}), not {expected[session_id]}"
        for session_id, state, error in zip(
            found["session_id"], found["recording_status"], found["recording_error"], strict=True
        )
        if state != expected[session_id]
    ]
    return len(found), wrong, kind


def in_use_mb() -> float:
    """Ask glibc how much memory is given out and not freed."""
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None) if sys.platform == "linux" else None
    if mallinfo2 is None:
        return 0.0
    mallinfo2.restype = _MallocCounts
    counts = mallinfo2()
    return float(counts.uordblks + counts.hblkhd) / 1e6


def sample() -> Sample:
    """Look at this process."""
    gc.collect()
    process = psutil.Process()
    return Sample(
        process.memory_info().rss / 1e6,
        in_use_mb(),
        sys.getallocatedblocks(),
        threading.active_count(),
        process.num_fds() if hasattr(process, "num_fds") else 0,
        len(process.net_connections()),
    )


def growth(samples: list[Sample]) -> list[str]:
    """Say what the last third holds more of than the second, beyond what comes and goes."""
    third = len(samples) // 3
    found = []
    # Of what is really held next to nothing may be added; the allocator's own keeping comes and goes.
    bounds = {"rss_mb": 15.0, "in_use_mb": 1.0, "blocks": 5_000.0, "threads": 2.0, "descriptors": 4.0, "sockets": 4.0}
    for name, allowed in bounds.items():
        before, after = (
            statistics.median(getattr(each, name) for each in part)
            for part in (samples[third : 2 * third], samples[2 * third :])
        )
        print(f"{name:12} {before:10,.1f} in the second third, {after:10,.1f} in the last")
        if after > before + allowed:
            found.append(f"{name} grew from {before:.1f} to {after:.1f}")
    return found


def main() -> int:
    """Run rounds until the time is over, and print the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311 - repeatable rounds, not keys
    service = Service()
    samples: list[Sample] = []
    rows, wrong, kinds = 0, list[str](), Counter[str]()
    ends_at = time.monotonic() + 60 * arguments.minutes
    try:
        with tempfile.TemporaryDirectory() as folder:
            limits = kn.Limits(None, None, None, 20)
            settings = Settings(
                api_key=service.api_key, base_url=service.base_url, limits=limits, state_dir=Path(folder) / "state"
            )
            while time.monotonic() < ends_at:
                count, mistakes, kind = run_round(rng, service, settings, Path(folder) / "calls")
                rows, wrong = rows + count, wrong + mistakes
                kinds[kind] += 1
                samples.append(sample())
                if len(samples) % 20 == 0:
                    print(f"{len(samples)} rounds, {rows:,} rows, {len(wrong)} wrong, {samples[-1]}", flush=True)
    finally:
        service.close()
    problems = wrong + growth(samples)
    print(f"{len(samples)} rounds ({dict(kinds)}), {rows:,} rows, {len(wrong)} wrong, {os.cpu_count()} processors")
    for problem in problems[:20]:
        print("WRONG", problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
