"""Limits that are not the ones believed: what a wrong belief costs in refusals, rows and time.

    python benchmarks/limits.py              # every case, about four minutes
    python benchmarks/limits.py flight=3     # those whose name holds one of the words

The demo Hub grants other limits than the settings say, says so badly or not at all, changes them in
the middle, or serves a stranger too. Windows are scaled to 3 s a minute. Each client is a process
of its own. Prints a Markdown table; the least time is that of somebody who knows the limits.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bulk import SIZE_BYTES, finish, start

import kataven_notebook as kn
from kataven_notebook.demo._serve import pcm_wav

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kataven_notebook.demo import Hub

MINUTE_S, LATENCY_S = 3.0, 0.1
BELIEVED = kn.Limits(60, 1_000, 10_000, 20, minute_s=MINUTE_S, hour_s=60 * MINUTE_S, day_s=1_440 * MINUTE_S)
WORDLESS: dict[str, Any] = {"retry_after": None}
NOTHING: dict[str, Any] = {"limit_text": "<html><h1>429 Too Many Requests</h1></html>"}


@dataclass(frozen=True)
class Case:
    """What the service does, and how many rows are asked for."""

    name: str
    rows: int
    limits: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    meanwhile: Callable[[Hub, threading.Event], None] | None = None
    processes: int = 1
    least_s: float | None = None

    @property
    def granted(self) -> kn.Limits:
        """What the service grants."""
        return replace(BELIEVED, **self.limits)

    def least(self) -> float:
        """Return the least time, by windows that open at once and requests that take the latency."""
        if self.least_s is not None:
            return self.least_s
        granted = self.granted
        minutes = math.ceil(self.rows / (granted.per_minute or 1)) - 1
        hours = math.ceil(self.rows / (granted.per_hour or 1)) - 1
        last = self.rows - minutes * (granted.per_minute or 0)
        if hours:
            last = self.rows - hours * (granted.per_hour or 0)
        at_once = min(granted.in_flight or 20, 20)
        begun_s = hours * granted.hour_s if hours else minutes * granted.minute_s
        return begun_s + math.ceil(last / at_once) * LATENCY_S


def half_of_the_windows(hub: Hub, stop: threading.Event) -> None:
    """Spend half of each minute evenly, as another program on the account."""
    while not stop.wait(MINUTE_S / 30):
        hub.spend(1)


def half_of_the_places(hub: Hub, stop: threading.Event) -> None:
    """Hold half of the places in flight, each for a second, as another program on the account."""
    while not stop.is_set():
        held = sum(hub.limiter.enter(hub.account) is None for _ in range(10))
        stop.wait(1.0)
        for _ in range(held):
            hub.limiter.leave(hub.account)


def later(after_s: float, **limits: int) -> Callable[[Hub, threading.Event], None]:
    """Change the limits in the middle."""

    def change(hub: Hub, stop: threading.Event) -> None:
        if not stop.wait(after_s):
            hub.limiter.limits = replace(hub.settings.limits, **limits)

    return change


FREE: dict[str, Any] = {"per_minute": None, "per_hour": None, "per_day": None}
CASES = [
    Case("as believed", 180),
    *(Case(f"flight={number}", 50, {"in_flight": number}) for number in (10, 3, 1)),
    Case("flight=10, 100 rows", 100, {"in_flight": 10}),
    Case("flight=3, 100 rows", 100, {"in_flight": 3}),
    *(Case(f"minute={number}", 150, {"per_minute": number}) for number in (59, 30, 10)),
    Case("hour=40", 60, {"per_hour": 40, "hour_s": 8.0}),
    *(
        Case(f"flight=3, Retry-After: {value}", 50, {"in_flight": 3}, {"retry_after": value})
        for value in ("0", None, "-5", "soon", "{date}")
    ),
    *(
        Case(f"minute=30, Retry-After: {value}", 90, {"per_minute": 30}, {"retry_after": value})
        for value in ("0", None, "soon", "{date}")
    ),
    *(Case(f"flight={number}, names nothing", 50, {"in_flight": number}, NOTHING) for number in (10, 3, 1)),
    *(Case(f"minute={number}, names nothing", 150, {"per_minute": number}, NOTHING) for number in (59, 30)),
    Case("flight=3, names nothing, no Retry-After", 50, {"in_flight": 3}, NOTHING | WORDLESS),
    Case("minute=30, names nothing, no Retry-After", 90, {"per_minute": 30}, NOTHING | WORDLESS),
    Case("hour=40, names nothing", 60, {"per_hour": 40, "hour_s": 8.0}, NOTHING),
    Case("hour=40, names nothing, no Retry-After", 60, {"per_hour": 40, "hour_s": 8.0}, NOTHING | WORDLESS),
    Case("flight=3, minute=30", 90, {"in_flight": 3, "per_minute": 30}),
    Case("flight=3, minute=30, names nothing", 90, {"in_flight": 3, "per_minute": 30}, NOTHING),
    Case("a stranger takes half of the windows", 150, meanwhile=half_of_the_windows, least_s=2 * MINUTE_S),
    Case("a stranger holds half of the places", 100, FREE, meanwhile=half_of_the_places, least_s=10 * LATENCY_S),
    Case("lowered: minute=60 to 30", 150, meanwhile=later(1.0, per_minute=30), least_s=3 * MINUTE_S),
    Case("lowered: flight=20 to 3", 150, FREE, meanwhile=later(0.4, in_flight=3), least_s=0.4 + 90 / 3 * LATENCY_S),
    Case("raised: minute=10 to 60", 250, {"per_minute": 10}, meanwhile=later(4.0, per_minute=60), least_s=15.0),
    Case("raised: flight=2 to 20", 400, {**FREE, "in_flight": 2}, meanwhile=later(4.0, in_flight=20), least_s=5.6),
    Case("two processes, flight=3", 50, {"in_flight": 3}, processes=2),
    Case("two processes, minute=30", 90, {"per_minute": 30}, processes=2),
]


@contextmanager
def running(case: Case) -> Iterator[Hub]:
    """Run the service of one case."""
    sound, stop = pcm_wav(SIZE_BYTES // 8), threading.Event()
    sessions = {f"call-{number:05d}": sound for number in range(case.rows)}
    with kn.demo.hub(sessions=sessions, limits=case.granted, api_latency_s=LATENCY_S, **case.options) as hub:
        thread = threading.Thread(target=case.meanwhile, args=(hub, stop)) if case.meanwhile else None
        if thread is not None:
            # Not before the client asks: what it loads takes a second.
            threading.Thread(target=_begin, args=(hub, thread, stop)).start()
        try:
            yield hub
        finally:
            stop.set()


def _begin(hub: Hub, thread: threading.Thread, stop: threading.Event) -> None:
    while not hub.requests.count("api") and not stop.wait(0.01):
        pass
    thread.start()


def measure(case: Case) -> list[str]:
    """Run one case."""
    believed = replace(BELIEVED, **FREE) if case.limits.get("per_minute", 0) is None else BELIEVED
    told = {name: getattr(believed, name) for name in ("per_minute", "per_hour", "per_day", "in_flight")}
    told |= {"minute_s": MINUTE_S, "hour_s": case.granted.hour_s, "day_s": BELIEVED.day_s}
    with running(case) as hub, tempfile.TemporaryDirectory() as folder:
        address = {"base_url": hub.base_url, "api_key": hub.api_key}
        ids = [f"call-{number:05d}" for number in range(case.rows)]
        parts = [ids[number :: case.processes] for number in range(case.processes)]
        clients = [start("ours", address, part, limits=told, state_dir=folder) for part in parts]
        reports = [finish(each) for each in clients]
        took_s = max(each["took_s"] for each in reports)
        rows = f"{sum(each['rows'] for each in reports):.0f} of {case.rows}"
        return [case.name, rows, str(hub.requests.refused), f"{took_s / case.least():.2f}", f"{took_s:.1f}"]


def main() -> None:
    """Run the chosen cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD", help="cases whose name holds one of them; all by default")
    words = parser.parse_args().words
    chosen = [case for case in CASES if not words or any(word in case.name for word in words)]
    print("Limits that are not the ones believed (60 a minute of 3 s, 1,000 an hour, 20 at once)\n")
    print("| case | rows | refused | time / least possible | seconds |\n" + "| --- " * 5 + "|")
    for case in chosen:
        print("| " + " | ".join(measure(case)) + " |", flush=True)


if __name__ == "__main__":
    main()
