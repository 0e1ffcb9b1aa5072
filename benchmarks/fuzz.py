"""Feed hostile inputs to everything that reads bytes from elsewhere, for as long as you like.

    python benchmarks/fuzz.py --minutes 8

The inputs of `tests/support/fuzzing.py`, made from consecutive seeds, in a child process with bounded
memory. A child that dies or hangs is reported with its target and seed, and the next one goes on
behind it. Ends with status 1 when anything but the package's own errors came out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

MEMORY_BYTES = 3 << 30
# No input takes a second; one that takes so many hangs.
HANG_S = 60.0


def child(arguments: argparse.Namespace) -> None:
    """Run seeds in turn over all targets until the time is over; tell each failure as a line of JSON."""
    import resource  # noqa: PLC0415 - Unix alone

    import fuzzing  # type: ignore[import-not-found]  # noqa: PLC0415 - in the folder of the tests

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # The C libraries complain on stderr about each bad file: hundreds of thousands of lines.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    seed, ends_at = arguments.seed, time.monotonic() + arguments.seconds
    runs: dict[str, int] = {}
    slowest: dict[str, float] = {}
    targets = [each for each in fuzzing.TARGETS if not arguments.only or arguments.only in each.name]
    while time.monotonic() < ends_at:
        for target in targets:
            # Cheap targets get more turns than those that write files; decoders get the most time.
            turns_end, most = time.monotonic() + (1.0 if target.run is fuzzing.run_sound else 0.25), seed + 20_000
            at = seed
            while time.monotonic() < turns_end and at < most:
                tell({"at": [target.name, at]}, arguments.state)
                began = time.monotonic()
                try:
                    fuzzing.run_seed(target, at)
                except Exception as error:  # noqa: BLE001 - whatever comes out is the finding
                    where = traceback.extract_tb(error.__traceback__)[-1]
                    print(
                        json.dumps({"failed": [target.name, at, f"{type(error).__name__}: {error} ({where.name})"]}),
                        flush=True,
                    )
                slowest[target.name] = max(slowest.get(target.name, 0.0), time.monotonic() - began)
                runs[target.name] = runs.get(target.name, 0) + 1
                at += 1
        seed += 20_000
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"runs": runs, "slowest_s": slowest, "peak_mb": peak_mb, "seed": seed}), flush=True)


def tell(what: dict[str, Any], state: int) -> None:
    """Leave word of what is being tried, for the case that it is the last thing."""
    os.pwrite(state, json.dumps(what).ljust(80).encode(), 0)


def main() -> int:
    """Start children until the time is over, and print the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="part of a target's name")
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--state", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.state is not None:
        child(arguments)
        return 0
    runs: dict[str, int] = {}
    slowest: dict[str, float] = {}
    failures: list[str] = []
    peak_mb, seed, ends_at = 0.0, arguments.seed, time.monotonic() + 60 * arguments.minutes
    while (left_s := ends_at - time.monotonic()) > 1:
        result, found, last = one_child(min(60.0, left_s), seed, arguments.only)
        failures += found
        if result is None:
            failures.append(f"the process died or hung: {last}")
            seed = last[1] // 20_000 * 20_000 + 20_000 if last else seed + 20_000
            continue
        seed, peak_mb = result["seed"], max(peak_mb, result["peak_mb"])
        for name, count in result["runs"].items():
            runs[name] = runs.get(name, 0) + count
            slowest[name] = max(slowest.get(name, 0.0), result["slowest_s"][name])
        print(f"{sum(runs.values()):,} inputs, {len(failures)} failures", flush=True)
    for name, count in runs.items():
        print(f"{name:30} {count:>10,} inputs, slowest {slowest[name]:.2f} s")
    print(f"{'all':30} {sum(runs.values()):>10,} inputs, peak memory {peak_mb:.0f} MB")
    for failure in failures:
        print("FAILED", failure)
    return 1 if failures else 0


def one_child(seconds: float, seed: int, only: str) -> tuple[dict[str, Any] | None, list[str], Any]:
    """Run one child; return its sums (None where it died), its failures and what it tried last."""
    state = os.memfd_create("fuzz-state")
    os.set_inheritable(state, True)
    command = [sys.executable, __file__, "--seconds", str(seconds), "--seed", str(seed), "--only", only]
    process = subprocess.Popen([*command, "--state", str(state)], pass_fds=(state,), stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=seconds + HANG_S)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    written = os.pread(state, 200, 0)
    os.close(state)
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    sums = next((line for line in lines if "runs" in line), None)
    return sums, [str(line["failed"]) for line in lines if "failed" in line], json.loads(written or b"{}").get("at")


if __name__ == "__main__":
    sys.exit(main())
