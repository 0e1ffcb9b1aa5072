"""A blind listener in the browser: what is hidden is in no part of the page, and labels arrive all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import wait_for

if TYPE_CHECKING:
    from browsing import Lab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.long

_CALLS = """# blind
import numpy as np, pandas as pd
from kataven_notebook.sound.recording import Recording
from kataven_notebook.desk.open import player

t = np.arange(8000 * 5) / 8000
sound = Recording.from_samples(np.column_stack([0.3 * np.sin(1900 * t), 0.2 * np.sin(5000 * t)]), 8000)
n = 12
calls = pd.DataFrame({"session_id": [f"id-{i:02}" for i in range(n)], "audio": [sound] * n,
                      "prompt": ["zebra"] * 6 + ["giraffe"] * 6, "agent": ["clinic", "sales"] * 6})
moments = pd.DataFrame({"session_id": calls["session_id"], "start_s": 2.0, "kind": "dead_air",
                        "text": "2.5 s (" + calls["prompt"] + ")"})
desk = player(calls, columns=["agent"], moments=moments, blind=["prompt"], labels=["good", "escalate"],
              save_to="blind.csv", seed=7)
desk
"""


@pytest.fixture(scope="module")
def desk(lab: Lab) -> Locator:
    """One player."""
    lab.open("blind.ipynb", [_CALLS])
    lab.run_all()
    player = lab.player("blind")
    player.locator(".row").first.wait_for(timeout=60_000)
    return player


def test_the_page_holds_nothing_of_what_is_hidden(desk: Locator) -> None:
    """Not in its texts, titles and labels for those who hear it; calls have numbers, and the first is open."""
    wait_for(lambda: "Call 1" in desk.locator(".title").inner_text())
    shown = desk.evaluate("(node) => node.outerHTML")
    for seen in ("clinic", "sales", "2.5 s (…)", "Call 12"):
        assert seen in shown
    for hidden in ("zebra", "giraffe", "prompt", "id-0", "id-1"):
        assert hidden not in shown
    assert [each.inner_text() for each in desk.get_by_role("columnheader").all()][:2] == ["call", "agent"]


def test_no_filter_finds_what_is_hidden(desk: Locator) -> None:
    """The column is not there for it; what is shown is found."""
    field = desk.get_by_label("Filter", exact=True)
    field.fill("prompt:zebra")
    wait_for(lambda: "no column 'prompt'" in desk.locator(".note").inner_text())
    assert desk.locator(".count").inner_text().startswith("12 calls")
    field.fill("agent:clinic")
    wait_for(lambda: desk.locator(".count").inner_text().startswith("6 of 12"))
    field.fill("")
    wait_for(lambda: desk.locator(".count").inner_text().startswith("12 calls"))


def test_labels_arrive_by_session_id_in_the_kept_order(lab: Lab, desk: Locator) -> None:
    """The first two calls of the list, by the digit; what the file beside the labels says of them."""
    desk.locator(".row").first.click()
    wait_for(lambda: "Call 1" in desk.locator(".title").inner_text())
    for number in (1, 2):
        lab.page.keyboard.press("1")
        wait_for(lambda number=number: desk.locator(".row").nth(number - 1).inner_text().endswith("good"))
        lab.page.keyboard.press("n")
    kept = (lab.folder / "blind.order.csv").read_text(encoding="utf-8").splitlines()[1:3]
    assert [each.split(",")[2] for each in kept] == ["7", "7"]
    written = (lab.folder / "blind.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [each.split(",")[2] for each in written] == [each.split(",")[1] for each in kept]


def test_labels_that_wait_are_named_as_their_calls_are(lab: Lab, desk: Locator) -> None:
    """Where the file can't be written, the page lists them: not by session id."""
    file = lab.folder / "blind.csv"
    aside = file.rename(lab.folder / "aside.csv")
    file.mkdir()
    desk.locator(".row").nth(4).click()
    wait_for(lambda: "Call 5" in desk.locator(".title").inner_text())
    lab.page.keyboard.press("2")
    wait_for(lambda: "could not be written" in desk.locator(".unsaved").inner_text())
    assert "Call 5: escalate" in desk.locator(".unsaved").inner_text()
    assert "id-" not in desk.evaluate("(node) => node.outerHTML")
    file.rmdir()
    aside.rename(file)
    desk.get_by_role("button", name="Try again").click()
    wait_for(lambda: not desk.locator(".unsaved").is_visible())
    assert file.read_text(encoding="utf-8").count("escalate") == 1
