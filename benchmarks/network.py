"""Runs over a network that goes away, and over a storage that is slow.

    python benchmarks/network.py              # both, about six minutes
    python benchmarks/network.py outages      # 5, 20 and 60 s without a network, in three ways
    python benchmarks/network.py latency      # a storage whose first byte takes 0 to 20 s

The demo Hub runs in this process; relays on loopback stand before its API and its storage, and take the network
away. Prints Markdown tables.
"""

from __future__ import annotations

import io
import math
import sys
import threading
import time
from pathlib import Path

import numpy as np
import soundfile as sf

import kataven_notebook as kn
from kataven_notebook import Limits, demo

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from relay import CUTTING, REFUSING, SILENT, relayed  # type: ignore[import-not-found]  # of the tests

WORDS = {
    REFUSING: "connections refused",
    CUTTING: "connections reset by a gateway",
    SILENT: "connections without an answer",
}


def sound() -> bytes:
    """Half a second of stereo noise, 16 kB."""
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(0).normal(0, 0.1, (4_000, 2)), 8_000, format="WAV")
    return file.getvalue()


def outage(how: str, away_s: float, *, rows: int = 1_000) -> str:
    """Take API and storage away in the middle of a run, and return a line of the table."""
    # The service's windows, sixty times as fast.
    limits = Limits(per_minute=120, minute_s=2.0, per_hour=None, per_day=None)
    with demo.hub(
        sessions=dict.fromkeys((f"s{number:04d}" for number in range(rows)), sound()),
        limits=limits,
        api_latency_s=0.03,
        storage_latency_s=0.06,
    ) as hub:
        api, storage, base_url = relayed(hub)
        settings = kn.Settings(api_key=hub.api_key, base_url=base_url, limits=limits, state_dir=hub.settings.state_dir)
        tries = 0

        def go_away_and_come_back() -> None:
            nonlocal tries
            time.sleep(3.0)
            for relay in (api, storage):
                relay.go_away(how)
            time.sleep(away_s)
            tries = api.attempts + storage.attempts
            for relay in (api, storage):
                relay.come_back()

        with api, storage:
            network = threading.Thread(target=go_away_and_come_back)
            network.start()
            began = time.monotonic()
            found = kn.audio(hub.sessions, settings=settings, progress=False)
            took_s = time.monotonic() - began
            network.join()
        arrived = int((found["recording_status"] == "downloaded").sum())
        asked = hub.requests.count("api") / rows
        least_s = (math.ceil(rows / 120) - 1) * 2.0 + away_s
        counted = "" if how == REFUSING else tries
        return (
            f"| {WORDS[how]} | {away_s:g} s | {arrived:,} of {rows:,} | {asked:.3f} | {hub.requests.refused} "
            f"| {counted} | {took_s / least_s:.2f} |"
        )


def outages() -> None:
    """Print what becomes of 1,000 rows."""
    print("| network | away for | arrived | API requests a row | refused | tries meanwhile | time / least possible |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for how in (REFUSING, CUTTING, SILENT):
        for away_s in (5.0, 20.0, 60.0):
            print(outage(how, away_s), flush=True)


def slow(rows: int, limits: Limits, storage_s: float, *, api_s: float = 0.03) -> str:
    """Fetch from a storage whose first byte takes `storage_s`, and return a line of the table."""
    with demo.hub(
        sessions=dict.fromkeys((f"s{number:04d}" for number in range(rows)), sound()),
        limits=limits,
        api_latency_s=api_s,
        storage_latency_s=storage_s,
    ) as hub:
        settings = kn.Settings(
            api_key=hub.api_key,
            base_url=hub.base_url,
            limits=limits,
            state_dir=hub.settings.state_dir,
            request_timeout_s=60.0,
        )
        began = time.monotonic()
        found = kn.audio(hub.sessions, settings=settings, progress=False)
        took_s = time.monotonic() - began
        a_window = limits.per_minute or rows
        windows = math.ceil(rows / a_window) - 1
        last = rows - windows * a_window
        least_s = windows * limits.minute_s + math.ceil(last / (limits.in_flight or last)) * api_s + storage_s
        arrived = int((found["recording_status"] == "downloaded").sum())
        which = f"{limits.per_minute} per {limits.minute_s:g} s" if limits.per_minute else "none"
        asked, at_once = hub.requests.count("api") / rows, hub.requests.most_in_flight("storage")
        return (
            f"| {which} | {limits.in_flight} | {storage_s:g} s | {arrived} of {rows} | {asked:.2f} | {at_once} "
            f"| {took_s:.1f} s | {took_s / least_s:.2f} |"
        )


def latency() -> None:
    """Print how long runs take."""
    print("| windows | in flight | first byte | arrived | requests a row | downloads at once | time | / least |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    scaled = Limits(per_minute=60, minute_s=3.0, per_hour=None, per_day=None)
    for storage_s in (0.0, 1.0, 8.0, 20.0):
        print(slow(300, scaled, storage_s), flush=True)
    print(slow(120, Limits(60, None, None, 20, minute_s=6.0), 8.0), flush=True)
    print(slow(60, Limits(None, None, None, 2), 1.0), flush=True)


def main() -> None:
    """Run what is named, or all."""
    parts = {"outages": outages, "latency": latency}
    for name in sys.argv[1:] or parts:
        parts[name]()
        print()


if __name__ == "__main__":
    main()
