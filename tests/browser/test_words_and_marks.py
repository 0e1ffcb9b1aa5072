"""Words and marks of a call as people use them: in JupyterLab, in Chromium, with a real kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from browsing import Lab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.long

_SETUP = """
import io, json
import numpy as np, pandas as pd, soundfile as sf
from kataven_notebook.sound.recording import Recording
from kataven_notebook.desk.open import player

t = np.arange(60 * 8000) / 8000
file = io.BytesIO()
sf.write(file, np.column_stack([0.4 * np.sin(1900 * t), 0.2 * np.sin(5000 * t)]), 8000, format="WAV")
sound = Recording.from_bytes(file.getvalue())
calls = pd.DataFrame({"session_id": [f"call-{i}" for i in range(4)], "audio": [sound] * 4,
                      "duration_s": 60.0, "agent_channel": pd.array([0, 1, None, 0], "Int64")})
said = "good morning this is the clinic how may I help you today".split()
asked = "I need Friday <b>please</b> يوم الجمعة 👩‍👩‍👧 cafe\\u0301 at ten".split()
def spoken(call, texts, first_s, channel):
    start = first_s + 0.5 * np.arange(len(texts))
    return pd.DataFrame({"session_id": call, "start_s": start, "end_s": start + 0.4, "word": texts, "channel": channel})
words = pd.concat([spoken(call, *each) for call in ("call-0", "call-1") for each in
                   ((said, 2.0, 0), (asked, 12.0, 1), (said, 30.0, 0), (asked, 45.0, 1))], ignore_index=True)
words.loc[1, ["start_s", "end_s"]] = np.nan
many = 100_000
start = 0.0005 * np.arange(many)
long = pd.DataFrame({"session_id": "call-3", "start_s": start, "end_s": start, "word": [f"w{i}" for i in range(many)],
                     "channel": (np.arange(many) // 15) % 2})
moments = pd.DataFrame({"session_id": "call-0", "start_s": np.tile([5.0, 20.0, 25.0, 40.0, 52.0], 2000),
                        "kind": ["slow_response", "interruption", "dead_air", "clipping", "hold"] * 2000})
moments["end_s"] = moments["start_s"] + 3
marks = pd.DataFrame({"session_id": "call-0", "start_s": [8.0, 75.0], "end_s": [10.0, 80.0], "label": ["mine", "late"]})
"""
_MAIN = """# words
main = player(calls, words=pd.concat([words, long]), moments=moments, marks=marks)
main
"""


@pytest.fixture(scope="module", autouse=True)
def notebook(lab: Lab) -> None:
    """One notebook with one player for all tests."""
    lab.open("words.ipynb", [_SETUP, _MAIN])
    lab.run_all()
    lab.player("words").wait_for(timeout=60_000)


@pytest.fixture
def desk(lab: Lab) -> Locator:
    """The player, paused at the start of its first call, with all words there."""
    player = lab.player("words")
    lab.kernel("main.pause(); main.select('call-0'); main.seek(0)")
    player.locator(".title", has_text="call-0").wait_for()
    wait_for(lambda: player.locator(".turn").count() == 4)
    wait_for(lambda: _at(player) == 0, what="the start")
    player.locator(".wave").focus()
    return player


def _at(player: Locator) -> float:
    minutes, seconds = player.locator(".time").inner_text().split(":")
    return int(minutes) * 60 + float(seconds)


def _says(player: Locator, selector: str) -> str:
    return player.locator(selector).inner_text()


def test_words_are_read_by_turn_and_role_and_markup_stays_text(lab: Lab, desk: Locator) -> None:
    """Whoever has which channel: the agent's colour is the agent's in every call."""
    turns = desk.locator(".turn")
    assert [each.split("\n")[1] for each in turns.all_inner_texts()] == ["Agent", "Caller", "Agent", "Caller"]
    assert "<b>please</b> يوم الجمعة" in turns.nth(1).inner_text()
    colour = "(node) => getComputedStyle(node).color"
    agent = desk.locator(".turn.agent .who").first.evaluate(colour)
    assert desk.locator(".channel.agent .name").evaluate(colour) == agent
    lab.kernel("main.select('call-1')")
    wait_for(
        lambda: [each.split("\n")[1] for each in turns.all_inner_texts()] == ["Caller", "Agent", "Caller", "Agent"]
    )
    assert desk.locator(".turn.agent .who").first.evaluate(colour) == agent
    lab.kernel("main.select('call-2')")
    wait_for(lambda: turns.count() == 0)
    assert "no words of this call" in _says(desk, ".transcript")


def test_a_click_on_a_word_seeks_and_the_word_is_lit(desk: Locator) -> None:
    """Also on the head of a turn; a word without time does nothing, and is told apart."""
    desk.locator(".turn").nth(1).locator("span", has_text="Friday").click()
    wait_for(lambda: _at(desk) == 13.0)
    wait_for(lambda: desk.locator(".lit").all_inner_texts() == ["Friday"])
    desk.locator(".turn").nth(0).locator("span", has_text="morning").click()
    desk.locator(".turn").nth(2).locator(".who").click()
    wait_for(lambda: _at(desk) == 30.0)
    assert desk.locator(".untimed").all_inner_texts() == ["morning"]


def test_the_text_follows_the_sound_and_neither_focus_nor_page_moves(lab: Lab, desk: Locator) -> None:
    """While it plays the current word is lit and in sight."""
    desk.locator(".words").evaluate("(node) => { node.style.height = '60px'; }")
    places = (
        "[document.scrollingElement, ...document.querySelectorAll('.jp-WindowedPanel-outer')].map((e) => e.scrollTop)"
    )
    before = lab.page.evaluate(places)
    lab.kernel("main.seek(44.5)")
    lab.page.keyboard.press("k")
    wait_for(lambda: desk.locator(".lit").all_inner_texts() == ["Friday"], what="it goes on to Friday")
    lab.kernel("main.pause()")
    inside = """(word) => { const [a, b] = [word, word.closest('.words')].map((each) => each.getBoundingClientRect());
      return a.top >= b.top - 1 && a.bottom <= b.bottom + 1; }"""
    wait_for(lambda: desk.locator(".lit").first.evaluate(inside))
    assert desk.locator(".wave").evaluate("(node) => node === document.activeElement")
    after = lab.page.evaluate(places)
    assert after == before
    desk.locator(".words").evaluate("(node) => { node.style.height = ''; }")


def test_the_search_counts_jumps_and_comes_back(lab: Lab, desk: Locator) -> None:
    """F, some words, Enter and Shift+Enter; Escape gives the keys back to the sound."""
    lab.page.keyboard.press("f")
    lab.page.keyboard.type("THE clinic")
    count = desk.locator(".transcript [role=status]")
    wait_for(lambda: count.inner_text() == "1 of 2")
    assert desk.locator(".hit").all_inner_texts() == ["the", "clinic"] * 2
    for key, at, says in (
        ("Enter", 4.0, "1 of 2"),
        ("Enter", 32.0, "2 of 2"),
        ("Enter", 4.0, "1 of 2"),
        ("Shift+Enter", 32.0, "2 of 2"),
    ):
        lab.page.keyboard.press(key)
        wait_for(lambda at=at: _at(desk) == at)
        assert count.inner_text() == says
    for text, found in (
        ("nowhere", "no hit"),
        ("caf\u00e9", "2 of 2"),
        ("الجمعة", "2 of 2"),
        ("today I need", "no hit"),
    ):
        desk.get_by_label("Search the words").fill(text)
        wait_for(lambda found=found: count.inner_text() == found)
    lab.page.keyboard.press("Escape")
    assert desk.locator(".wave").evaluate("(node) => node === document.activeElement")
    assert desk.locator(".hit").count() == 0


def test_a_search_goes_on_in_the_next_call(lab: Lab, desk: Locator) -> None:
    """It finds what is said there, and in the first call again what it found before."""
    lab.page.keyboard.press("f")
    lab.page.keyboard.type("clinic")
    count = desk.locator(".transcript [role=status]")
    wait_for(lambda: count.inner_text() == "1 of 2")
    for call, text, says in (
        ("call-3", "w14", "no hit"),
        ("call-0", "clinic", "1 of 2"),
        ("call-1", "clinic", "1 of 2"),
    ):
        lab.kernel(f"main.select('{call}')")
        desk.locator(".turn", has_text=text).first.wait_for()
        wait_for(lambda says=says: count.inner_text() == says, what=f"{says} in {call}")
    lab.page.keyboard.press("Escape")


def test_up_and_down_go_from_turn_to_turn(lab: Lab, desk: Locator) -> None:
    """With the focus on the text, which Tab reaches."""
    desk.locator(".words").focus()
    for key, at in (("ArrowDown", 2.0), ("ArrowDown", 12.0), ("ArrowDown", 30.0), ("ArrowUp", 12.0)):
        lab.page.keyboard.press(key)
        wait_for(lambda at=at: _at(desk) == at)


def _has_words(player: Locator) -> bool:
    """Whether something is written above the bar of the first speaker."""
    script = """(canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, 14 * devicePixelRatio).data
      .some((value, i) => i % 4 === 3 && value > 0)"""
    return bool(player.locator(".wordrow").evaluate(script))


def test_words_stand_under_the_waveform_where_there_is_room(lab: Lab, desk: Locator) -> None:
    """Of the whole call only who speaks; from near the words, and a click on one seeks to its start."""
    for _ in range(3):
        lab.page.keyboard.press("+")
    wait_for(lambda: _has_words(desk))
    box = desk.locator(".wordrow").bounding_box()
    assert box is not None
    lab.page.mouse.click(box["x"] + box["width"] * 4.2 / 7.5, box["y"] + 8)
    wait_for(lambda: _at(desk) == 4.0, what="the start of the word that was clicked")
    lab.page.keyboard.press("0")


def test_sentences_under_the_waveform_are_nearly_whole_or_not_written(lab: Lab, desk: Locator) -> None:
    """A sentence of which every other word is left out would say something else."""
    lab.page.evaluate(
        """() => { const draw = CanvasRenderingContext2D.prototype.fillText;
          window.written = [];
          CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
            if (this.canvas.className === "wordrow" && text) window.written.push([text, where[0]]);
            return draw.call(this, text, ...where); };
          window.unhook = () => { CanvasRenderingContext2D.prototype.fillText = draw; }; }"""
    )
    try:
        counts = []
        for width in range(320, 920, 60):
            desk.evaluate("(node, width) => { node.parentElement.style.width = `${width}px`; }", width)
            lab.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
            lab.page.evaluate("() => { window.written = []; }")
            lab.page.keyboard.press("0")
            counts.append(len(lab.page.evaluate("window.written")))
        words = desk.locator(".turn p span:not(.untimed)").count()
        assert 0 in counts, "no room in a narrow page"
        assert all(count == 0 or count >= 0.75 * words for count in counts), (counts, words)
    finally:
        lab.page.evaluate("window.unhook()")
        desk.evaluate("(node) => { node.parentElement.style.width = ''; }")


def test_every_kind_of_mark_has_a_shape_of_its_own(lab: Lab, desk: Locator) -> None:
    """On the picture and in the legend; in forced colours they have one colour and are told apart still."""
    names = desk.locator(".kinds > span").all_inner_texts()
    assert names == ["interruption", "dead air", "slow response", "clipping", "moment", "mark"]
    shapes = desk.locator(".kinds svg").evaluate_all("(all) => all.map((each) => each.innerHTML)")
    assert len(set(shapes)) == len(names)
    assert "1 mark lies outside the call (1:00)" in _says(desk, ".legend")
    lab.page.emulate_media(forced_colors="active")
    colours = desk.locator(".key").evaluate_all("(all) => all.map((each) => getComputedStyle(each).stroke)")
    lab.page.emulate_media(forced_colors="none")
    assert len(set(colours)) == 1


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_nothing_serious_for_axe_in_either_theme(lab: Lab, desk: Locator, npm_packages: Path, theme: str) -> None:
    """Names, contrast and what can be reached by keyboard, with a word lit and hits marked."""
    lab.execute("apputils:change-theme", theme=theme)
    scheme = "dark" if "Dark" in theme else "light"
    wait_for(lambda: desk.evaluate("(node) => getComputedStyle(node).colorScheme") == scheme)
    lab.page.keyboard.press("f")
    lab.page.keyboard.type("clinic")
    lab.page.keyboard.press("Enter")
    wait_for(lambda: desk.locator(".lit").all_inner_texts() == ["clinic"])
    if not lab.page.evaluate("Boolean(window.axe)"):
        lab.page.add_script_tag(path=str(npm_packages / "axe-core" / "axe.min.js"))
    found = desk.evaluate("async (node) => (await axe.run(node)).violations")
    lab.page.keyboard.press("Escape")
    assert [(each["id"], [node["html"][:90] for node in each["nodes"]]) for each in found] == []


def test_comma_and_full_stop_go_from_mark_to_mark(lab: Lab, desk: Locator) -> None:
    """Each place once, of ten thousand marks too; at the end it says so."""
    for key, at in ((".", 5.0), (".", 8.0), (".", 20.0), (",", 8.0), (",", 5.0)):
        lab.page.keyboard.press(key)
        wait_for(lambda at=at: _at(desk) == at)
    desk.get_by_role("button", name="Next mark").click()
    wait_for(lambda: _at(desk) == 8.0)
    assert ": mine" in _says(desk, ".legend [role=status]")
    lab.kernel("main.seek(58)")
    wait_for(lambda: _at(desk) == 58.0)
    lab.page.keyboard.press(".")
    wait_for(lambda: "no mark after this" in _says(desk, ".legend"))


def test_a_long_list_of_moments_grows_as_it_is_scrolled(desk: Locator) -> None:
    """The first of ten thousand, in words."""
    head = desk.locator(".panel", has_text="Moments, worst first")
    before = head.locator("li").count()
    assert f"the first {before} of 10,002" in head.inner_text()
    head.locator("ol").evaluate("(node) => { node.scrollTop = node.scrollHeight; }")
    wait_for(lambda: head.locator("li").count() == before + 100)


def test_a_hundred_thousand_words_of_one_call_are_quick(lab: Lab, desk: Locator) -> None:
    """They are there, searched and followed without a stall that one would notice."""
    lab.page.evaluate(
        """() => { let last = performance.now(); window.longest_ms = 0;
          const frame = (now) => { window.longest_ms = Math.max(window.longest_ms, now - last); last = now;
            if (!window.measured) requestAnimationFrame(frame); };
          requestAnimationFrame(frame); }"""
    )
    lab.kernel("main.select('call-3')")
    desk.locator(".turn", has_text="w14").first.wait_for()
    lab.page.keyboard.press("f")
    lab.page.keyboard.type("w99999")
    wait_for(lambda: _says(desk, ".transcript [role=status]") == "1 of 1")
    inside = """(word) => { const [a, b] = [word, word.closest('.words')].map((each) => each.getBoundingClientRect());
      return a.top >= b.top - 1 && a.bottom <= b.bottom + 1; }"""
    wait_for(lambda: desk.locator(".now").evaluate(inside), what="the hit is in sight")
    assert not _has_words(desk), "of so many words only who speaks is drawn"
    assert desk.locator(".turn").count() < 200, "those far from sight are no elements yet"
    longest_ms = lab.page.evaluate("window.measured = true, window.longest_ms")
    assert longest_ms < 1500, "0.1 s on a quiet machine"
    lab.page.keyboard.press("Escape")
