"""A demo Hub in a process of its own."""

from __future__ import annotations

import argparse
import csv
import json
import random
import signal
import struct
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from kataven_notebook.demo._hub import Hub

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


def pcm_wav(size_bytes: int, *, seed: int = 1) -> bytes:
    """Make a WAV of noise: 8 kHz, stereo, 16 bit, that many bytes in all (rounded down to whole frames)."""
    frames = max(0, size_bytes - 44) // 4
    samples = random.Random(seed).randbytes(frames * 4)  # noqa: S311 - noise, not cryptography
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 2, 8_000,
                       32_000, 4, 16, b"data", len(samples))  # fmt: skip
    return head + samples


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kataven-notebook demo --serve",
        description="Run the demo Hub until it is told to stop; it first prints its address and key as JSON.",
    )
    parser.add_argument("--serve", action="store_true", help="accepted for symmetry: this is what it does")
    parser.add_argument("--port", type=int, default=0, help="port of the API (default: a free one)")
    parser.add_argument("--storage-port", type=int, default=0, help="port of the storage (default: a free one)")
    parser.add_argument("--url-life-s", type=float, default=300.0, help="life of a signed URL (default: 300)")
    parser.add_argument("--api-latency-s", type=float, default=0.0, help="added to each answer of the API")
    parser.add_argument("--storage-latency-s", type=float, default=0.0, help="added to each answer of storage")
    parser.add_argument("--cors", action="store_true", help="let pages of other origins read the storage")
    for name, default in (("minute", 60), ("hour", 1_000), ("day", 10_000)):
        parser.add_argument(f"--per-{name}", type=int, default=default, help=f"default: {default}; 0: no limit")
    for name, default_s in (("minute", 60.0), ("hour", 3_600.0), ("day", 86_400.0)):
        parser.add_argument(f"--{name}-s", type=float, default=default_s, help="length of that window")
    parser.add_argument("--in-flight", type=int, default=20, help="requests at once (default: 20; 0: any number)")
    parser.add_argument(
        "--calls",
        metavar="N|DIR",
        help="serve N calls for a study, two prompts in turn, or the sound files of a folder, by their names; a CSV in "
        "it may say more of each; nothing leaves this machine",
    )
    parser.add_argument("--list", metavar="FILE", help="write the sessions there as CSV, as fetch takes them")
    parser.add_argument("--synthetic", type=int, metavar="N", help="serve N sessions call-00000.. of noise instead")
    parser.add_argument("--synthetic-bytes", type=int, default=262_144, help="their size (default: 262144)")
    return parser


def serve(arguments: Sequence[str] | None = None) -> int:
    """Run a hub until SIGTERM or SIGINT; see `kataven_notebook.demo.serve`."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        hub = _hub(options)
    except ValueError as error:
        parser.error(str(error))
    try:
        if options.list:
            _write_list(hub, options.list)
    except OSError as error:
        hub.close()
        parser.error(f"--list {options.list}: it can't be written ({error.strerror or error})")
    for note in hub.notes:
        sys.stderr.write(f"note: {note}\n")
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    announcement = {
        "base_url": hub.base_url,
        "api_key": hub.api_key,
        "account": hub.account,
        "storage_url": hub.storage_url,
        "storage_port": int(hub.storage_url.rpartition(":")[2]),
    }
    try:
        sys.stdout.write(json.dumps(announcement) + "\n")
        sys.stdout.flush()
        if sys.stderr.isatty():
            sys.stderr.write(
                "To use it from another terminal:\n"
                f"  export KATAVEN_API_KEY={hub.api_key} KATAVEN_BASE_URL={hub.base_url}\n"
                f"It has {len(hub.rows()):,} sessions; --list FILE writes their ids as CSV. Ctrl-C ends it.\n"
            )
        # In slices: on Windows a wait without end is not interrupted by a signal.
        while not stop.wait(0.5):
            pass
    finally:
        hub.close()
    return 0


def _write_list(hub: Hub, file: str) -> None:
    rows = hub.rows()
    with Path(file).open("w", encoding="utf-8", newline="") as opened:
        table = csv.DictWriter(opened, list(dict.fromkeys(["session_id", *(name for row in rows for name in row)])))
        table.writeheader()
        table.writerows(rows)


def _hub(options: argparse.Namespace) -> Hub:
    from kataven_notebook.settings import Limits  # noqa: PLC0415 - as in Hub

    limits = Limits(
        options.per_minute or None,
        options.per_hour or None,
        options.per_day or None,
        options.in_flight or None,
        minute_s=options.minute_s,
        hour_s=options.hour_s,
        day_s=options.day_s,
    )
    sessions = calls = None
    if options.calls is not None:
        calls = int(options.calls) if options.calls.isdecimal() else options.calls
    if options.synthetic is not None:
        data = pcm_wav(options.synthetic_bytes)
        sessions = {f"call-{number:05d}": data for number in range(options.synthetic)}
    return Hub(
        limits=limits,
        sessions=sessions,
        calls=calls,
        port=options.port,
        storage_port=options.storage_port,
        url_life_s=options.url_life_s,
        api_latency_s=options.api_latency_s,
        storage_latency_s=options.storage_latency_s,
        cors=options.cors,
    )
