"""How long a store of many sessions takes to open, to look up and to resume a frame from.

python benchmarks/store.py --sessions 200000
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import pandas as pd

import kataven_notebook as kn
from kataven_notebook.settings import Settings
from kataven_notebook.store.entry import Entry
from kataven_notebook.store.ledger import Ledger

SOUND = kn.Recording.from_samples([0.0, 0.1] * 40, 8_000).encoded()


def fill(folder: Path, sessions: int) -> None:
    """Write half of the sessions with a small sound file and half as missing, straight into the ledger."""
    with kn.Store(folder):
        pass
    entries = []
    for number in range(sessions):
        session_id = f"call-{number:06d}"
        if number % 2:
            missing = "the session has no recording"
            entries.append(Entry(session_id, "missing", missing, first_at=1.0, updated_at=1.0))
            continue
        name = hashlib.sha256(session_id.encode()).hexdigest()
        file = f"audio/{name[:2]}/{name[:40]}-{name[:16]}.wav"
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(SOUND)
        entries.append(
            Entry(
                session_id, "downloaded", None, 1, file, len(SOUND), name, "wav", "float", 8_000, 1, 80, 1.0, 1.0
            )
        )  # fmt: skip
    ledger = Ledger(folder / "ledger.sqlite3")
    ledger.take_over(entries)
    ledger.close()


def main() -> None:
    """Make the store, and time what a new kernel does with it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=200_000)
    sessions = parser.parse_args().sessions
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "calls"
        fill(folder, sessions)
        began = time.perf_counter()
        with kn.Store(folder) as store:
            opened = time.perf_counter()
            known = store.load()
            loaded = time.perf_counter()
        print(f"{len(known):,} sessions: opened in {opened - began:.2f} s, loaded in {loaded - opened:.2f} s")
        frame = pd.DataFrame({"session_id": [f"call-{number:06d}" for number in range(sessions)]})
        settings = Settings(base_url="http://127.0.0.1:9/v1", state_dir=Path(name) / "state")
        began = time.perf_counter()
        got = kn.audio(frame, store=folder, settings=settings, progress=False)
        print(f"audio() of {len(got):,} rows that are all in it: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
