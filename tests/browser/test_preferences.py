"""What a listener likes: silence left out, a speed that the next player has too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from browsing import Lab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.long

_CALLS = """
import numpy as np, pandas as pd
from kataven_notebook import player
from kataven_notebook.sound.recording import Recording

# Two quiet words of a second in half a minute of noise that is quieter still, and a channel that holds nothing.
noise = np.random.default_rng(0).normal(0, 0.0001, (30 * 8000, 2))
noise[1 * 8000 : 2 * 8000, 0] += 0.02 * np.sin(np.arange(8000))
noise[20 * 8000 : 21 * 8000, 0] += 0.02 * np.sin(np.arange(8000))
noise[:, 1] = 0
calls = pd.DataFrame({"session_id": ["a-1"], "audio": [Recording.from_samples(noise, 8000, session_id="a-1")]})
turns = pd.DataFrame({"session_id": "a-1", "channel": [0, 0], "start_s": [1.0, 20.0], "end_s": [2.0, 21.0]})
"""


@pytest.fixture
def first(lab: Lab) -> Iterator[Locator]:
    """A player of a browser in which nobody has chosen anything."""
    lab.open(
        "preferences.ipynb", [_CALLS, "# peaks\npeaks = player(calls)\npeaks", "# turns\nplayer(calls, turns=turns)"]
    )
    lab.page.evaluate("localStorage.removeItem('kataven-player')")
    lab.run_all()
    lab.page.wait_for_function("document.querySelectorAll('.kn-player').length === 2", timeout=60_000)
    yield lab.player("peaks")
    lab.page.evaluate("localStorage.removeItem('kataven-player')")


def _at(player: Locator) -> float:
    minutes, seconds = player.locator(".time").inner_text().split(":")
    return int(minutes) * 60 + float(seconds)


def test_silence_is_left_out_and_the_choice_kept(lab: Lab, first: Locator) -> None:
    """By the turns where they are known, else by the peaks; speech is heard from its start, and speed is kept too."""
    for name in ("peaks", "turns"):
        player = lab.player(name)
        wait_for(lambda player=player: "8 kHz" in player.inner_text())
        player.locator(".wave").focus()
        if player.get_by_role("button", name="Skip silence").get_attribute("aria-pressed") == "false":
            lab.page.keyboard.press("g")
        lab.page.keyboard.press("Home")
        lab.page.keyboard.press("Space")
        wait_for(lambda player=player: 0.8 <= _at(player) < 3, what="the first word is heard")
        wait_for(lambda player=player: _at(player) >= 19, timeout_s=10, what="18 s are left out")
        assert _at(player) < 20.5, "and no speech"
        lab.page.keyboard.press("Space")
    lab.page.keyboard.press("]")
    lab.execute("notebook:run-all-cells")
    wait_for(lambda: first.get_by_label("Speed").input_value() == "1.25", what="the speed of the last player")
    assert first.get_by_role("button", name="Skip silence").get_attribute("aria-pressed") == "true"
    lab.kernel("peaks.speed = 2")
    wait_for(lambda: first.get_by_label("Speed").input_value() == "2")
    kept = lab.page.evaluate("localStorage.getItem('kataven-player')")
    assert '"speed":1.25' in kept, "Python chooses for one player"
