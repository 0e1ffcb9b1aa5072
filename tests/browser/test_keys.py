"""Keys and focus in JupyterLab: keys that would change the notebook, and the focus, which stays in the player."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import wait_for
from pressing import DANGEROUS, open_player, press_on_each, three_kinds

if TYPE_CHECKING:
    from browsing import Lab

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def kinds(lab: Lab) -> list[str]:
    """The kinds of elements that take the focus, in a notebook of its own."""
    return open_player(lab, "keys.ipynb")


def test_no_dangerous_key_reaches_the_notebook(lab: Lab, kinds: list[str]) -> None:
    """On the waveform, a button and a text field; `every_key.py` has all keys and elements."""
    press_on_each(lab, three_kinds(kinds), DANGEROUS)


def test_keys_with_control_stay_the_front_ends(lab: Lab, kinds: list[str]) -> None:
    """Saving works while the player has the focus."""
    assert kinds
    dirty = "window.jupyterapp.shell.currentWidget.context.model.dirty"
    lab.page.evaluate(f"() => {{ {dirty} = true; }}")
    lab.player("desk").locator(".wave").focus()
    lab.page.keyboard.press("Control+s")
    wait_for(lambda: not lab.page.evaluate(dirty), what="the notebook is saved")


_CONTROLS = "button, select, input, textarea, summary, .row[aria-rowindex='3'], .wave, .title, .silent"


def test_the_focus_stays_in_the_player_whatever_is_clicked(lab: Lab, kinds: list[str]) -> None:
    """Each control, by mouse and by keyboard, with what it removes, hides or switches off."""
    assert kinds
    player = lab.player("desk")
    inside = "(root) => root.contains(document.activeElement)"
    for by in ("mouse", "Enter"):
        for i in range(player.locator(_CONTROLS).count()):
            control = player.locator(_CONTROLS).nth(i)
            if not control.is_visible() or control.is_disabled():
                continue
            what = control.evaluate("(node) => node.outerHTML")[:160]
            if by == "mouse":
                control.click(force=True)
            elif not control.evaluate("(node) => { node.focus(); return node === document.activeElement; }"):
                continue
            else:
                lab.page.keyboard.press(by)
            lab.kernel("")  # what it asked of the kernel is answered
            lab.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert player.evaluate(inside), f"{by} on {what}"
    lab.page.keyboard.press("Escape")


def test_what_loses_the_focus_hands_it_on_sensibly(lab: Lab, kinds: list[str]) -> None:
    """A label to the next one, the region's button to the waveform, play to the list where a call has no sound."""
    assert kinds
    player = lab.player("desk")
    has_focus = "(node) => node === document.activeElement"
    lab.kernel("""
for each in desk._book.of("call-1"):
    desk._book.remove(each.decision_id)
for note in "abc":
    desk._book.add("call-1", "", note=note)
desk.select("call-1")""")
    close = player.locator("ul li .icon")
    wait_for(lambda: close.count() == 3)
    for left, name in ((2, "Take back: c"), (1, "Take back: b")):
        close.nth(1 if left == 2 else left).press("Enter")
        wait_for(lambda left=left: close.count() == left)
        wait_for(lambda: close.last.evaluate(has_focus), what=f"the next label has the focus, not {name}")
    close.press("Enter")
    wait_for(lambda: player.locator(".wave").evaluate(has_focus), what="the waveform has it without labels")
    for key in ("i", "ArrowRight", "o"):
        lab.page.keyboard.press(key)
    player.locator(".region button").press("Enter")
    wait_for(lambda: player.locator(".wave").evaluate(has_focus), what="the waveform has it without a region")
    player.locator(".icon.main").focus()
    lab.kernel("desk.select('call-8')")
    wait_for(lambda: player.locator(".grid").evaluate(has_focus), what="the list has it where there is no sound")
    lab.page.keyboard.press("p")
    wait_for(lambda: "call-7" in player.locator(".title").inner_text(), what="keys go on working")


def test_two_views_of_one_player_both_have_keys(lab: Lab, kinds: list[str]) -> None:
    """Also after the page was loaded again, with the kernel as it was."""
    assert kinds
    lab.execute("docmanager:save")
    lab.page.reload()
    lab.wait_for_kernel("keys.ipynb")
    player = lab.player("desk")
    player.locator(".channel").first.wait_for(timeout=60_000)
    lab.page.evaluate("""() => {
      const { content } = window.jupyterapp.shell.currentWidget;
      content.activeCellIndex = 1;
      window.jupyterapp.commands.execute("notebook:create-output-view");
    }""")
    views = lab.page.locator(".kn-player")
    wait_for(lambda: views.count() == 2, what="two views")
    for i in (0, 1):
        view = views.nth(i)
        view.locator(".wave").focus()
        before = lab.notebook()["cells"] if i == 0 else None
        for key in ("m", "x", "d", "d", "?"):
            lab.page.keyboard.press(key)
        wait_for(lambda view=view: view.locator(".keys").is_visible(), what=f"view {i} opens its list of keys")
        lab.page.keyboard.press("?")
        assert before is None or lab.notebook()["cells"] == before
