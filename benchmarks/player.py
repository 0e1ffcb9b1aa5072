"""The player's figures, in the browser that its tests use.

    python benchmarks/player.py

Prints: first paint of a player over 1,000 and over 10,000 calls after its cell ended; choosing a
60-minute and a 5-minute stereo call that are in memory to a drawn waveform; frames a second while an
hour is zoomed and moved, and while it plays; a spectrogram of five minutes; click and seek to sound;
a key of the filter over 10,000 calls; what twelve idle players cost; recovery from a dead URL; memory
for the peaks of an hour; what a player over 1,000 calls adds to a saved notebook.
Needs Chromium and the extra [test]. Each time is measured in the page, from the event to the frame
in which its effect can be seen; several are repeated and the median is printed.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from kataven_notebook.desk.peaks import peak_blocks
from kataven_notebook.sound.recording import Recording

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from browsing import (  # type: ignore[import-not-found]  # found by the path above
    Lab,
    chromium_page,
    jupyter,
    wait_for,
)

_SETUP = """
import io, time
import numpy as np, pandas as pd, soundfile as sf
from kataven_notebook import demo
from kataven_notebook.sound.recording import Recording
from kataven_notebook import player
from kataven_notebook.desk.widget import Player

def call(minutes, sample_rate=8000):
    noise = (np.random.default_rng(0).standard_normal((60 * sample_rate, 2)) * 4000).astype(np.int16)
    file = io.BytesIO()
    sf.write(file, np.tile(noise, (minutes, 1)), sample_rate, format="WAV")
    return Recording.from_bytes(file.getvalue())

hour, five, short = call(60), call(5), call(1)
n = 1000
calls = pd.DataFrame({"session_id": [f"call-{i:04}" for i in range(n)], "recording_status": "downloaded",
                      "audio": [short] * n, "agent": "agent", "outcome": "booked"})
calls.at[500, "audio"], calls.at[600, "audio"] = hour, five
for i in range(3):
    calls.at[510 + i, "audio"], calls.at[610 + i, "audio"] = hour, five
hub = demo.hub(sessions={}, url_life_s=3.0).__enter__()
hub.add("long", call(60).encoded())
class Signing:
    def sound(self, session_id): return None
    def signed_url(self, session_id, *, fresh): return hub.sign(session_id), 300.0  # untrue: nothing is pushed
"""
_MAIN = "# main\nmain = player(calls, columns=['agent', 'outcome'], labels=['good', 'escalate'])\nmain"
_MANY = """# many
n = 10_000
rows = pd.DataFrame({"session_id": [f"call-{i:05}" for i in range(n)], "recording_status": "missing",
                     "agent": [f"agent {i % 7}" for i in range(n)], "score": range(n)})
player(rows, columns=["agent", "score"])"""
_TWELVE = """# twelve
for _ in range(12):
    display(player(calls.iloc[:20]))"""
_URLS = "# urls\nurls = Player(pd.DataFrame({'session_id': ['long']}), source=Signing())\nurls"

# From when the kernel says that the cell is done to the first frame with rows in it.
_FIRST_PAINT = """() => new Promise((resolve) => {
  const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
  notebook.activeCellIndex = 1;
  const kernel = app.shell.currentWidget.context.sessionContext.session.kernel;
  let ended = 0, painted = 0;
  const done = () => ended && painted && resolve(Math.max(0, painted - ended));
  const listen = (_, { msg, direction }) => {
    if (direction !== "recv" || msg.header.msg_type !== "execute_reply") return;
    kernel.anyMessage.disconnect(listen);
    ended = performance.now();
    done();
  };
  kernel.anyMessage.connect(listen);
  const look = () => {
    if (!painted && document.querySelectorAll(".kn-player .row").length > 5) {
      painted = performance.now();
      done();
    } else requestAnimationFrame(look);
  };
  look();
  app.commands.execute("notebook:run-cell");
})"""

# A waveform is drawn when bars taller than silence reach the right end of the picture.
_DRAWN = """(row) => new Promise((resolve) => {
  const root = row.getRootNode().querySelector(".kn-player"), canvas = root.querySelector(".wave canvas");
  const name = row.children[0].textContent, started = performance.now();
  row.click();
  const look = () => {
    const { width, height } = canvas;
    const edge = canvas.getContext("2d").getImageData(width - 12, Math.round(height * 0.25), 12, 1).data;
    const titled = root.querySelector(".title").textContent === name;
    const drawn = titled && edge.some((value, i) => i % 4 === 3 && value > 0);
    if (drawn) resolve(performance.now() - started);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""

_SOUND = """(button) => new Promise((resolve) => {
  const started = performance.now();
  const before = new Map(window.allSounds.map((each) => [each, each.currentTime]));
  button.click();
  const look = () => {
    const runs = window.allSounds.some((each) => !each.paused && each.currentTime > (before.get(each) ?? 0));
    if (runs) resolve(performance.now() - started);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


# From the click on another place until sound has moved on from there.
_SEEK = """([wave, part]) => new Promise((resolve) => {
  const box = wave.getBoundingClientRect(), started = performance.now();
  const sound = window.sounding()[0], to = part * sound.duration;
  const at = { bubbles: true, clientX: box.x + box.width * part, clientY: box.y + 50, pointerId: 1 };
  wave.setPointerCapture = () => {};
  wave.dispatchEvent(new PointerEvent("pointerdown", at));
  wave.dispatchEvent(new PointerEvent("pointerup", at));
  const look = () => {
    if (sound.currentTime > to && sound.currentTime < to + 5 && !sound.seeking) resolve(performance.now() - started);
    else requestAnimationFrame(look);
  };
  look();
})"""

# Three seconds of zooming in and out and of moving, as fast as the screen asks for frames.
_ZOOM = """(wave) => new Promise((resolve) => {
  const box = wave.getBoundingClientRect(), started = performance.now();
  const at = { bubbles: true, cancelable: true, clientX: box.x + box.width * 0.4, clientY: box.y + 50 };
  const turn = (more) => wave.dispatchEvent(new WheelEvent("wheel", { ...at, ...more }));
  let frames = 0;
  const look = () => {
    const past = performance.now() - started, direction = past % 1500 < 750 ? -1 : 1;
    if (past > 3000) return resolve((1000 * frames) / past);
    frames++;
    if (past % 500 < 250) turn({ ctrlKey: true, deltaY: direction * 12 });
    else turn({ shiftKey: true, deltaY: direction * 40 });
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""

# In how many of a hundred frames the cursor moves while it plays.
_CURSOR = """(cursor) => new Promise((resolve) => {
  let [frames, moves, last] = [0, 0, ""];
  const look = () => {
    if (cursor.style.transform !== last) moves++;
    last = cursor.style.transform;
    if (++frames < 100) requestAnimationFrame(look);
    else resolve(moves);
  };
  look();
})"""

# From the key S until the lanes' lower parts are coloured.
_SPECTRUM = """(canvas) => new Promise((resolve) => {
  const started = performance.now();
  canvas.parentElement.dispatchEvent(new KeyboardEvent("keydown", { key: "s", bubbles: true }));
  const look = () => {
    const { width, height } = canvas;
    if (height > 200 && canvas.getContext("2d").getImageData(width - 40, height * 0.4, 1, 1).data[3] === 255)
      resolve(performance.now() - started);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""

# From a key in the filter until the list says how many calls are left.
_FILTER = """([input, text]) => new Promise((resolve) => {
  const count = input.getRootNode().querySelector(".kn-player .count"), before = count.textContent;
  const started = performance.now();
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  const look = () => {
    if (count.textContent !== before) resolve(performance.now() - started);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""


def _print(what: str, value: float, unit: str, bound: float) -> None:
    print(f"{what:<58} {value:8.2f} {unit:<3} (to reach: {bound:g})")


def _choose(lab: Lab, session: str) -> float:
    player = lab.player("main")
    player.get_by_label("Filter", exact=True).fill(session)
    row = player.locator(".row", has_text=session)
    row.wait_for()
    wait_for(lambda: player.locator(".row").count() == 1)
    return float(row.evaluate(_DRAWN)) / 1000


def _timeline(lab: Lab) -> None:
    """Zoom, move, play and seek in an hour, and look at the spectrogram of five minutes."""
    player = lab.player("main")
    wave = player.locator(".wave")
    wave.scroll_into_view_if_needed()
    _choose(lab, "call-0611")
    wait_for(lambda: lab.page.evaluate("allSounds.some((each) => each.src && each.duration > 299)"))
    _print(
        "the spectrogram of 5 minutes, key to colours",
        player.locator(".wave canvas").evaluate(_SPECTRUM) / 1000,
        "s",
        0.3,
    )
    wave.focus()
    lab.page.keyboard.press("s")
    _choose(lab, "call-0511")
    wait_for(lambda: lab.page.evaluate("allSounds.some((each) => each.src && each.duration > 3599)"))
    _print("zooming and moving an hour", wave.evaluate(_ZOOM), "fps", 55)
    wave.focus()
    lab.page.keyboard.press("0")
    player.get_by_role("button", name="Play", exact=True).click()
    wait_for(lambda: lab.page.evaluate("sounding().length"))
    seeks = [lab.page.evaluate(_SEEK, [wave.element_handle(), part]) / 1000 for part in (0.3, 0.7, 0.5, 0.9, 0.1)]
    _print("seek to sound in an hour", statistics.median(seeks), "s", 0.1)
    wave.focus()
    for _ in range(9):
        lab.page.keyboard.press("+")
    _print("frames of a hundred in which the cursor moves", wave.locator("> .cursor").evaluate(_CURSOR), "", 95)
    player.get_by_role("button", name="Pause").click()


def _many(lab: Lab) -> None:
    lab.open("many.ipynb", [_SETUP, _MANY])
    lab.kernel(_SETUP)
    _print("first paint of 10,000 calls after the cell ended", lab.page.evaluate(_FIRST_PAINT) / 1000, "s", 0.7)
    field = lab.player("many").get_by_label("Filter", exact=True).element_handle()
    keys = [lab.page.evaluate(_FILTER, [field, "9712"[:length]]) / 1000 for length in range(1, 5)]
    _print("a key of the filter over 10,000 calls", statistics.median(keys), "s", 0.1)


def _idle(lab: Lab) -> None:
    """Compare the processor time of the browser without a player and with twelve, over ten seconds each."""
    lab.open("twelve.ipynb", [_SETUP, _TWELVE])
    lab.kernel(_SETUP)

    def used_s() -> float:
        browser = [each for each in psutil.Process().children(recursive=True) if "chrom" in each.name()]
        return sum(sum(each.cpu_times()[:2]) for each in browser)

    def part() -> float:
        time.sleep(5)
        before = used_s()
        time.sleep(10)
        return 100 * (used_s() - before) / 10

    without = part()
    lab.page.evaluate("() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
    lab.execute("notebook:run-cell")
    wait_for(lambda: lab.page.locator(".kn-player").count() == 12)
    _print("twelve idle players, above the page without them", part() - without, "%", 10)


def _recovery_s(lab: Lab) -> float:
    """Seek far beyond the buffer with a dead URL, and no fresh one pushed: until time advances there."""
    player = lab.player("urls")
    player.get_by_role("button", name="Play", exact=True).click()
    wait_for(lambda: lab.page.evaluate("sounding().some((each) => each.currentTime > 4)"))
    box = player.locator(".wave canvas").bounding_box()
    if box is None:
        raise RuntimeError("the player has no picture")
    player.locator(".wave").click(position={"x": box["width"] * 0.9, "y": 40})
    script = """() => new Promise((resolve) => {
      const started = performance.now();
      const look = () => {
        const isThere = (each) => each.currentTime > 3200 && !each.seeking && each.readyState > 2;
        if (sounding().some(isThere)) resolve(performance.now() - started);
        else requestAnimationFrame(look);
      };
      look();
    })"""
    return float(lab.page.evaluate(script)) / 1000


def _saved_kb(lab: Lab, name: str) -> float:
    lab.execute("docmanager:save")

    def states() -> dict[str, Any]:
        saved = json.loads((lab.folder / name).read_text())
        widgets = saved["metadata"].get("widgets", {})
        found: dict[str, Any] = widgets.get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
        return found

    wait_for(states)
    desk = next(each for each in states().values() if each["state"].get("first", {}).get("total") == 1000)
    others = [each for each in states().values() if "_esm" not in each["state"]]
    return (len(json.dumps(desk)) + sum(len(json.dumps(each)) for each in others)) / 1000


def _peaks_mb() -> float:
    seconds = 3600
    frames = np.tile(np.zeros((8000, 2), dtype=np.float32), (seconds, 1))
    recording = Recording.from_samples(frames, 8000)
    del frames
    tracemalloc.start()
    for _ in peak_blocks(recording):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp())
    with jupyter(folder, "jupyterlab") as address, chromium_page() as page:
        lab = Lab(page, address, folder / "notebooks")
        lab.open("bench.ipynb", [_SETUP, _MAIN, _URLS])
        lab.kernel(_SETUP)
        _print("first paint of 1,000 calls after the cell ended", page.evaluate(_FIRST_PAINT) / 1000, "s", 1.0)
        hours = [_choose(lab, f"call-0{i}") for i in (510, 511, 512)]
        _print("a 60-minute stereo call chosen to its waveform drawn", statistics.median(hours), "s", 0.5)
        fives = [_choose(lab, f"call-0{i}") for i in (610, 611, 612)]
        _print("a 5-minute stereo call chosen to its waveform drawn", statistics.median(fives), "s", 0.3)
        wait_for(lambda: page.evaluate("allSounds.some((each) => each.src && each.duration > 299)"))
        clicks = []
        for _ in range(5):
            clicks.append(lab.player("main").get_by_role("button", name="Play", exact=True).evaluate(_SOUND) / 1000)
            lab.player("main").get_by_role("button", name="Pause").click()
        _print("click to sound, loaded", statistics.median(clicks), "s", 0.2)
        _timeline(lab)
        saved = _saved_kb(lab, "bench.ipynb")
        page.evaluate("() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 2; }")
        lab.execute("notebook:run-cell")
        lab.player("urls").wait_for()
        _print("recovery from a dead URL", _recovery_s(lab), "s", 3.0)
        _print("a player over 1,000 calls in a saved notebook", saved, "kB", 85)
        _many(lab)
        _idle(lab)
    _print("peaks of an hour of stereo at 8 kHz, memory", _peaks_mb(), "MB", 461)


if __name__ == "__main__":
    main()
