"""The player in Voila, which runs a notebook and shows its outputs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from browsing import Lab, new_page, voila, wait_for

if TYPE_CHECKING:
    from pathlib import Path

_CELL = """
import numpy as np, pandas as pd
import kataven_notebook as kn
from kataven_notebook.sound.recording import Recording
t = np.arange(8000 * 5) / 8000
sound = Recording.from_samples(0.3 * np.sin(2 * np.pi * 440 * t), 8000)
kn.player(pd.DataFrame({"session_id": ["a-1", "a-2"], "audio": [sound, sound]}), labels=["good"], save_to="labels.csv")
"""


def test_it_plays_and_labels_in_voila(lab: Lab, tmp_path: Path) -> None:
    """A click sounds, and a label is on disk."""
    with voila(tmp_path, [_CELL]) as address, new_page(lab) as page:
        page.goto(address)
        player = page.locator(".kn-player")
        player.wait_for(timeout=60_000)
        wait_for(lambda: "8 kHz" in player.inner_text())
        player.get_by_role("button", name="Play", exact=True).click()
        wait_for(lambda: page.evaluate("sounding().some((each) => each.currentTime > 0.3)"))
        player.press("1")
        wait_for(lambda: (tmp_path / "labels.csv").exists() and "good" in (tmp_path / "labels.csv").read_text())
