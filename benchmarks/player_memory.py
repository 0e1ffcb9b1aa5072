"""What a listener's hour leaves behind in the page: memory and listeners after many calls.

    python benchmarks/player_memory.py

Plays 200 calls one after the other, each with its sound, half of them with a channel muted, and prints how much heap,
how many event listeners and how many object URLs the page has more than after the first twenty, and how long a call
takes from the click until its sound is loaded. Needs Chromium and the extra [test].
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from browsing import (  # type: ignore[import-not-found]  # found by the path above
    Lab,
    chromium_page,
    jupyter,
    wait_for,
)

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

_CALLS = 200
_WARM = 20
# The tests' own list of sounds would keep each element alive; object URLs are counted where they are made.
_COUNT_URLS = """
window.allSounds.push = () => 0;
const [create, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
window.objectUrls = new Set();
URL.createObjectURL = (blob) => { const url = create.call(URL, blob); window.objectUrls.add(url); return url; };
URL.revokeObjectURL = (url) => { window.objectUrls.delete(url); revoke.call(URL, url); };
"""
_CELL = """# memory
import numpy as np, pandas as pd
from kataven_notebook import player
from kataven_notebook.sound.recording import Recording
noise = np.random.default_rng(0).uniform(-0.5, 0.5, (60 * 8000, 2))
ids = [f"call-{i:04}" for i in range(300)]
calls = pd.DataFrame({"session_id": ids, "audio": [Recording.from_samples(noise, 8000, session_id=i) for i in ids]})
main = player(calls, labels=["good"])
main
"""
# From the click until the new call's title stands there and an element has its sound.
_NEXT = """(button) => new Promise((resolve) => {
  const root = button.closest(".kn-player"), before = root.querySelector(".title").textContent;
  const urls = new Set(window.objectUrls), started = performance.now();
  button.click();
  const look = () => {
    const isNew = [...window.objectUrls].some((each) => !urls.has(each));
    if (isNew && root.querySelector(".title").textContent !== before) resolve(performance.now() - started);
    else requestAnimationFrame(look);
  };
  look();
})"""


def _measured(page: Page, devtools: CDPSession) -> dict[str, float]:
    """Return what the page holds once its garbage is collected."""
    for _ in range(3):
        devtools.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    return {
        "heap, MB": found["JSHeapUsedSize"] / 1e6,
        "event listeners": found["JSEventListeners"],
        "nodes": found["Nodes"],
        "object URLs": page.evaluate("window.objectUrls.size"),
    }


def _open_calls(lab: Lab, count: int) -> list[float]:
    desk = lab.player("memory")
    times = []
    for number in range(count):
        times.append(float(desk.get_by_role("button", name="Next call").evaluate(_NEXT)) / 1000)
        if number % 2:
            desk.get_by_role("button", name="Mute Channel 0").click()
        # At a listener's pace: the call after this one arrives meanwhile.
        time.sleep(0.15)
    return times


def main() -> None:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp())
    with jupyter(folder, "jupyterlab") as address, chromium_page() as page:
        page.add_init_script(_COUNT_URLS)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Performance.enable")
        lab = Lab(page, address, folder / "notebooks")
        lab.open("memory.ipynb", [_CELL])
        lab.run_all()
        wait_for(lambda: page.evaluate("window.objectUrls.size") == 1, timeout_s=60)
        lab.player("memory").get_by_role("button", name="Play", exact=True).click()
        _open_calls(lab, _WARM)
        before = _measured(page, devtools)
        times = _open_calls(lab, _CALLS)
        after = _measured(page, devtools)
        for name, value in after.items():
            print(f"{name + f' after {_CALLS} more calls':<40} {value:10.1f}  ({value - before[name]:+.1f})")
        print(f"{'next call, median':<40} {statistics.median(times):10.3f} s (to reach: 0.15)")
        print(f"{'next call, slowest of twenty':<40} {statistics.quantiles(times, n=20)[-1]:10.3f} s")


if __name__ == "__main__":
    main()
