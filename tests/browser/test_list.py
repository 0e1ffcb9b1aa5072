"""The list of calls and the layout: filter, columns, folding, and where things stand at which width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import wait_for

if TYPE_CHECKING:
    from browsing import Lab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.long

_CALLS = """# list
import io
import numpy as np, pandas as pd, soundfile as sf
from kataven_notebook.sound.recording import Recording
from kataven_notebook.desk.open import player
file = io.BytesIO()
sf.write(file, 0.3 * np.sin(np.arange(16000 * 5).reshape(-1, 2) / 9), 8000, format="WAV")
sound = Recording.from_bytes(file.getvalue())
n = 16
ids = [f"call-{i:02}" for i in range(n)]
ids[1] = "a-session-id-that-goes-on-and-on-" + "0123456789" * 6
ids[2], ids[3] = "\\u05e9\\u05d9\\u05d7\\u05d4-3", "\\U0001f4de <b>4</b>"
calls = pd.DataFrame({
    "session_id": ids, "recording_status": "downloaded", "audio": [sound] * n,
    "agent": [("clinic", "sales desk", "billing")[i % 3] for i in range(n)],
    "outcome": [("booked", "no answer")[i % 2] for i in range(n)], "score": [i / 4 for i in range(n)],
    "duration_s": [float(20 * i) for i in range(n)],
})
moments = pd.DataFrame({"session_id": ["call-00"], "start_s": [2.0], "kind": ["dead_air"]})
desk = player(calls, columns=["agent", "outcome", "score"], labels=["good", "escalate"], moments=moments)
desk
"""


@pytest.fixture(scope="module", autouse=True)
def notebook(lab: Lab) -> None:
    """One notebook with one player."""
    lab.open("list.ipynb", [_CALLS])
    lab.run_all()
    lab.page.locator(".kn-player .row").first.wait_for(timeout=60_000)


@pytest.fixture
def desk(lab: Lab) -> Locator:
    """The player, its list unfolded and unfiltered."""
    player = lab.player("list")
    if player.locator(".folded").count():
        player.get_by_role("button", name="List of calls").click()
    player.get_by_label("Filter", exact=True).fill("")
    wait_for(lambda: _count(player) == "16 calls, all downloaded")
    return player


def _count(player: Locator) -> str:
    return player.locator(".count").inner_text()


def _filter(player: Locator, text: str) -> None:
    player.get_by_label("Filter", exact=True).fill(text)


def test_a_filter_counts_and_takes_columns_by_name(desk: Locator) -> None:
    """How many of all; two conditions together, numbers, and what is left out."""
    for text, count in (
        ("agent:clinic outcome:booked", "3 of 16"),
        ('agent:"sales desk"', "5 of 16"),
        ("duration_s>200", "5 of 16"),
        ("-agent:clinic", "10 of 16"),
    ):
        _filter(desk, text)
        wait_for(lambda count=count: count in _count(desk), what=f"{text} finds {count}")
    _filter(desk, "agnet:clinic")
    wait_for(lambda: "no column 'agnet'" in desk.locator(".note").inner_text())
    _filter(desk, "")
    wait_for(lambda: not desk.locator(".note").inner_text())


def test_a_filter_that_finds_nothing_says_so_and_can_be_cleared(lab: Lab, desk: Locator) -> None:
    """In place of the rows, with a button; the focus stays in the player."""
    _filter(desk, "nobody <i>says</i> this")
    wait_for(lambda: "No call matches “nobody <i>says</i> this”" in desk.locator(".none").inner_text())
    assert _count(desk).startswith("0 of 16")
    desk.get_by_role("button", name="Clear the filter").click()
    wait_for(lambda: _count(desk).startswith("16 calls"))
    assert desk.locator(".row").first.is_visible()
    assert desk.get_by_label("Filter", exact=True).evaluate("(node) => node.matches(':focus')")
    lab.page.keyboard.type("clinic")
    wait_for(lambda: _count(desk).startswith("6 of 16"))


def test_from_the_filter_to_the_waveform_it_is_four_tabs(lab: Lab, desk: Locator) -> None:
    """The slash goes to the filter; the heads are one stop, and so are the rows."""
    desk.locator(".wave").focus()
    lab.page.keyboard.press("/")
    assert desk.get_by_label("Filter", exact=True).evaluate("(node) => node.matches(':focus')")
    presses = 0
    while not desk.locator(".wave").evaluate("(node) => node.matches(':focus')"):
        lab.page.keyboard.press("Tab")
        presses += 1
        assert presses <= 4
    desk.get_by_label("Filter", exact=True).focus()
    lab.page.keyboard.type("billing")
    wait_for(lambda: _count(desk).startswith("5 of 16"))
    lab.page.keyboard.press("Enter")
    wait_for(lambda: "<b>4</b>" not in desk.locator(".title").inner_text())
    wait_for(lambda: "\u05e9" in desk.locator(".title").inner_text(), what="the first that was found is open")


def test_heads_stand_above_their_cells(desk: Locator) -> None:
    """Also with a session id longer than its column, in each row."""
    script = """(node) => {
      const edges = (cells) => [...cells].map((each) => each.getBoundingClientRect())
        .map((box) => [box.left, box.right]);
      const heads = edges(node.querySelectorAll('[role=columnheader]'));
      return [...node.querySelectorAll('.row')].map((row) => edges(row.children)
        .map(([left, right], i) => Math.max(Math.abs(left - heads[i][0]), Math.abs(right - heads[i][1]))));
    }"""
    off = desk.evaluate(script)
    assert len(off) > 3
    assert max(map(max, off)) < 1
    number = "(node) => getComputedStyle(node.querySelector('.row .number')).textAlign"
    assert desk.evaluate(number) == "right"


def _width(player: Locator, name: str) -> float:
    box = player.get_by_role("columnheader", name=name).bounding_box()
    assert box is not None
    return box["width"]


def test_columns_are_dragged_and_widened_by_key_and_fit_on_a_double_click(lab: Lab, desk: Locator) -> None:
    """The edge of a head, or Shift and an arrow on the head; sorting is left alone."""
    edge = desk.get_by_role("separator", name="Width of agent")
    before = _width(desk, "agent")
    box = edge.bounding_box()
    assert box is not None
    lab.page.mouse.move(box["x"] + 4, box["y"] + 10)
    lab.page.mouse.down()
    lab.page.mouse.move(box["x"] + 54, box["y"] + 10, steps=3)
    lab.page.mouse.up()
    assert _width(desk, "agent") == pytest.approx(before + 50, abs=2)
    edge.dblclick()
    assert _width(desk, "agent") == pytest.approx(before, abs=2)
    desk.get_by_role("button", name="session_id").focus()
    lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("Shift+ArrowRight")
    assert _width(desk, "agent") == pytest.approx(before + 16, abs=2)
    assert edge.get_attribute("aria-valuenow") == str(round(_width(desk, "agent")))
    assert desk.locator("[aria-sort=ascending], [aria-sort=descending]").count() == 0
    lab.page.keyboard.press("Shift+Enter")
    desk.get_by_role("separator", name="Width of session_id").dblclick()
    name = desk.locator(".row > :first-child").nth(1)
    assert name.evaluate("(node) => node.scrollWidth <= node.clientWidth"), "the longest id is whole"


def test_the_list_folds_into_one_line(lab: Lab, desk: Locator) -> None:
    """Which call of how many, previous and next; the slash unfolds it."""
    lab.kernel("desk.select('call-04')")
    wait_for(lambda: "call-04" in desk.locator(".title").inner_text())
    desk.get_by_role("button", name="List of calls").click()
    assert not desk.locator(".grid").is_visible()
    wait_for(lambda: desk.locator(".place").inner_text().startswith("Call 5 of 16"))
    assert "sales desk" in desk.locator(".place").inner_text()
    desk.get_by_role("button", name="Next call").click()
    wait_for(lambda: desk.locator(".place").inner_text().startswith("Call 6 of 16"))
    box = desk.locator(".list").bounding_box()
    assert box is not None
    assert box["height"] < 40
    lab.page.keyboard.press("/")
    desk.locator(".row[aria-selected=true]", has_text="call-05").wait_for()


def test_volume_has_a_switch_and_zoom_stands_elsewhere(lab: Lab, desk: Locator) -> None:
    """The switch gives back what it was before."""
    lab.page.keyboard.press("Escape")
    desk.get_by_label("Volume").fill("0.4")
    desk.get_by_role("button", name="Mute", exact=True).click()
    wait_for(lambda: desk.get_by_label("Volume").input_value() == "0")
    assert desk.get_by_role("button", name="Mute", exact=True).get_attribute("aria-pressed") == "true"
    desk.get_by_role("button", name="Mute", exact=True).click()
    wait_for(lambda: desk.get_by_label("Volume").input_value() == "0.4")
    desk.get_by_label("Volume").fill("1")
    assert desk.locator(".transport").get_by_role("button", name="Zoom in").count() == 0
    assert desk.get_by_role("button", name="Zoom in").is_visible()


@pytest.mark.parametrize("width", [320, 400, 620, 820, 1000])
def test_nothing_is_cut_at_any_width(desk: Locator, width: int) -> None:
    """No control sticks out, and no button hides a part of its text; 320 px is 1,280 at 400 %."""
    desk.evaluate("(node, width) => { node.parentElement.style.width = `${width}px`; }", width)
    wait_for(lambda: (desk.bounding_box() or {"width": 9999})["width"] == width)
    out = desk.evaluate("""(node) => {
      const { left, right } = node.getBoundingClientRect();
      const controls = [...node.querySelectorAll('button, select, input, .title, .count')];
      return controls.filter((each) => !each.closest('.grid')).filter((each) => {
        const box = each.getBoundingClientRect();
        const cut = each.matches('button') && each.scrollWidth > each.clientWidth + 1;
        return box.width && (box.left < left || box.right > right || cut);
      }).map((each) => each.outerHTML.slice(0, 100));
    }""")
    inner, outer = desk.evaluate("(node) => [node.scrollWidth, node.clientWidth]")
    desk.evaluate("(node) => { node.parentElement.style.width = ''; }")
    assert out == []
    assert inner <= outer


def test_all_that_labelling_needs_is_above_the_fold_of_a_laptop(lab: Lab, desk: Locator) -> None:
    """Of 1,280 by 720 px: list, waveform, transport and labels."""
    lab.page.set_viewport_size({"width": 1280, "height": 720})
    lab.execute("application:toggle-left-area")
    try:
        desk.evaluate("(node) => node.scrollIntoView()")
        parts = [desk.locator(each) for each in (".row >> nth=2", "canvas >> nth=0", ".icon.main", ".tag >> nth=1")]
        boxes = [each.bounding_box() for each in parts]
        top = desk.bounding_box()
        assert top is not None
        # Menu, tabs, toolbar and status bar of JupyterLab take 130 px.
        assert all(box and box["y"] + box["height"] - top["y"] < 590 for box in boxes)
        wave, label = boxes[1], boxes[3]
        assert wave is not None
        assert label is not None
        assert label["x"] > wave["x"] + wave["width"], "labels stand beside the waveform"
        rows = desk.locator(".grid").evaluate("(node) => node.clientHeight")
        assert rows == 5 * 28, "a call less in the list leaves room for words and the card"
    finally:
        lab.execute("application:toggle-left-area")
        lab.page.set_viewport_size({"width": 1280, "height": 1000})


def test_what_comes_and_goes_moves_nothing(lab: Lab, desk: Locator) -> None:
    """A region, the name of the next mark, a message: the buttons stay under the pointer."""
    lab.kernel("desk.select('call-00')")
    wait_for(lambda: desk.locator(".title").inner_text() == "call-00")
    desk.locator(".wave").focus()
    lab.page.keyboard.press("Escape")
    stay = [
        desk.locator(each) for each in (".icon.main", ".steps button >> nth=1", ".tag >> nth=0", ".transport select")
    ]
    wait_for(lambda: desk.locator(".steps").is_visible())
    before = [each.bounding_box() for each in stay]
    for key in ("Home", ".", "i", "ArrowRight", "o"):
        lab.page.keyboard.press(key)
    wait_for(lambda: desk.locator(".transport .region").is_visible())
    desk.locator(".said").evaluate("(node) => { node.textContent = 'Waiting for the sound.'; }")
    assert "1 of" in desk.locator(".steps").inner_text()
    assert [each.bounding_box() for each in stay] == before
    desk.locator(".said").evaluate("(node) => { node.textContent = ''; }")
    lab.page.keyboard.press("Escape")


def test_calls_of_one_and_of_two_channels_take_the_same_height(lab: Lab, desk: Locator) -> None:
    """The list and what is under the sound stay where they are from call to call."""
    high = "(node) => node.querySelector('.wave').offsetHeight"
    two = desk.evaluate(high)
    desk.locator(".channel").last.evaluate("(node) => { node.replaceWith(document.createComment('one')); }")
    lane = desk.locator(".sound").evaluate("(node) => getComputedStyle(node).getPropertyValue('--lane')")
    assert two == 46 + int(lane.removesuffix("px"))
    lab.kernel("desk.select('call-05')")
    wait_for(lambda: desk.locator(".channel").count() == 2)


def test_a_long_name_of_a_label_stays_in_its_button(desk: Locator) -> None:
    """The button grows with it."""
    tag = desk.locator(".tag").first
    name = tag.evaluate("(node) => node.lastChild.textContent")
    tag.evaluate("(node) => { node.lastChild.textContent = 'a name that goes on '.repeat(6); }")
    assert tag.evaluate("(node) => node.scrollHeight <= node.clientHeight + 1 && node.clientHeight > 40")
    tag.evaluate("(node, name) => { node.lastChild.textContent = name; }", name)


def test_a_label_that_no_file_holds_is_not_said_to_be_saved(lab: Lab, desk: Locator) -> None:
    """Without `save_to=` it ends with the kernel."""
    desk.locator(".wave").focus()
    for _ in range(2):
        lab.page.keyboard.press("1")
        wait_for(lambda: desk.locator(".panel:has(textarea) [role=status]").inner_text() == "Kept in the kernel")
