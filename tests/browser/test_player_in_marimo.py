"""The player in marimo, whose cells run again where a widget that they read has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from browsing import Lab, marimo, new_page, wait_for

if TYPE_CHECKING:
    from pathlib import Path

_CELLS = [
    """def _():
    import marimo as mo
    import numpy as np
    import pandas as pd
    import kataven_notebook as kn
    from kataven_notebook.sound.recording import Recording
    t = np.arange(8000 * 5) / 8000
    sound = Recording.from_samples(0.3 * np.sin(2 * np.pi * 440 * t), 8000)
    calls = pd.DataFrame({"session_id": ["a-1", "a-2"], "audio": [sound, sound]})
    return calls, kn, mo
""",
    """def _(calls, kn, mo):
    w = mo.ui.anywidget(kn.player(calls, labels=["good", "bad"]))
    w
    return (w,)
""",
    """def _(mo, w):
    said = w.labels[["session_id", "label"]].to_numpy().tolist()
    mo.md(f"The labels are {said}.")
    return
""",
]


def test_it_plays_and_a_label_runs_the_cell_that_reads_it(lab: Lab, tmp_path: Path) -> None:
    """A click sounds; what is labelled, and taken back, is at once in the output of another cell."""
    with marimo(tmp_path, _CELLS) as address, new_page(lab) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        player = page.locator(".kn-player")
        player.wait_for(timeout=60_000)
        said = page.get_by_text("The labels are")
        wait_for(lambda: said.inner_text() == "The labels are [].")
        wait_for(lambda: "8 kHz" in player.inner_text())
        player.get_by_role("button", name="Play", exact=True).click()
        wait_for(lambda: page.evaluate("sounding().some((each) => each.currentTime > 0.3)"))
        player.press("1")
        wait_for(lambda: said.inner_text() == "The labels are [['a-1', 'good']].")
        player.press("n")
        player.locator(".title", has_text="a-2").wait_for()
        player.press("2")
        wait_for(lambda: said.inner_text() == "The labels are [['a-1', 'good'], ['a-2', 'bad']].")
        player.press("2")
        wait_for(lambda: said.inner_text() == "The labels are [['a-1', 'good']].")
        assert page.locator(".kn-player").count() == 1
        assert errors == []
