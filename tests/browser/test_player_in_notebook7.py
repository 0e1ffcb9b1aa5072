"""The player in Notebook 7, whose page takes keys in another order than JupyterLab's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import Lab, jupyter, new_page, wait_for
from pressing import DANGEROUS, open_player, press_on_each, three_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

_CELL = """# one
import numpy as np
from kataven_notebook.sound.recording import Recording
t = np.arange(8000 * 20) / 8000
Recording.from_samples(0.3 * np.sin(2 * np.pi * 440 * t), 8000, session_id="one").play()
"""


@pytest.fixture(scope="module")
def notebook7(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Notebook 7 in a page of its own."""
    folder = tmp_path_factory.mktemp("notebook7")
    with jupyter(folder, "notebook") as address, new_page(lab) as page:
        yield Lab(page, address, folder / "notebooks", "notebooks")


def test_one_recording_plays_in_notebook_7(notebook7: Lab) -> None:
    """`Recording.play()` shows the sound without a list, and a click plays it."""
    notebook7.open("one.ipynb", [_CELL])
    notebook7.run_all()
    player = notebook7.player("one")
    player.wait_for(timeout=40_000)
    assert not player.locator(".grid").is_visible()
    wait_for(lambda: "8 kHz" in player.inner_text())
    player.get_by_role("button", name="Play", exact=True).click()
    wait_for(lambda: notebook7.page.evaluate("sounding().some((each) => each.currentTime > 0.3)"))


def test_no_dangerous_key_reaches_the_notebook(notebook7: Lab) -> None:
    """A cell becomes no text, is not cut, moved or run again: on the waveform, a button and a text field."""
    kinds = open_player(notebook7, "keys.ipynb")
    press_on_each(notebook7, three_kinds(kinds), DANGEROUS)
