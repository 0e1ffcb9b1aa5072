"""A smoke test of the player in Notebook 7."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from browsing import LISTEN_AT_THE_SPEAKERS, jupyter, wait_for

if TYPE_CHECKING:
    import pytest
    from browsing import Lab

_CELL = """
import numpy as np
from kataven_notebook.sound.recording import Recording
t = np.arange(8000 * 20) / 8000
Recording.from_samples(0.3 * np.sin(2 * np.pi * 440 * t), 8000, session_id="one").play()
"""


def test_one_recording_plays_in_notebook_7(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    """`Recording.play()` shows the sound without a list, and a click plays it."""
    folder = tmp_path_factory.mktemp("notebook7")
    with jupyter(folder, "notebook") as address:
        cell = {
            "cell_type": "code",
            "id": "one",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": _CELL,
        }
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (folder / "notebooks" / "one.ipynb").write_text(json.dumps(notebook))
        browser = lab.page.context.browser
        assert browser is not None
        page = browser.new_page()
        page.add_init_script(LISTEN_AT_THE_SPEAKERS)
        page.goto(f"{address}/notebooks/one.ipynb")
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.get_by_text("Python 3 (ipykernel)").first.wait_for()
        wait_for(lambda: page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").count(), timeout_s=40)
        page.keyboard.press("Control+Enter")
        player = page.locator(".kn-player")
        player.wait_for(timeout=40_000)
        assert not player.locator(".grid").is_visible()
        wait_for(lambda: "8 kHz" in player.inner_text())
        player.get_by_role("button", name="Play", exact=True).click()
        wait_for(lambda: page.evaluate("sounding().some((each) => each.currentTime > 0.3)"))
        page.close()
