"""Labels as objects: on the waveform and in the list, by pointer and by keyboard, undone, and never lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from browsing import wait_for

if TYPE_CHECKING:
    from browsing import Lab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.long

_SETUP = """
import io, json
import numpy as np, pandas as pd, soundfile as sf
from kataven_notebook.sound.recording import Recording
from kataven_notebook.desk.open import player

t = np.arange(20 * 8000) / 8000
file = io.BytesIO()
sf.write(file, np.column_stack([0.4 * np.sin(t * 2000), 0.2 * np.sin(t * 5000)]), 8000, format="WAV")
sound = Recording.from_bytes(file.getvalue())
calls = pd.DataFrame({"session_id": [f"call-{i}" for i in range(6)], "audio": [sound] * 6,
                      "recording_status": "downloaded", "duration_s": 20.0})
"""
_LABELS = """# labels
with open("labels.csv", "w") as old:  # as the version before annotators wrote it
    print("action,decision_id,session_id,label,start_s,end_s,note,labelled_at", file=old)
    print("add,0a1b,call-5,of <i>old</i>,,,a C:\\\\new note,2026-01-01T10:00:00+00:00", file=old)
    print("add,0a1c,call-5,beyond,18.000,45.000,,2026-01-01T10:00:00+00:00", file=old)
names = ["good", "bad", "<b>\\u05e9\\u05dc\\u05d5\\u05dd</b> \\U0001f600", *(f"label {i}" for i in range(8))]
desk = player(calls, labels=names, save_to="labels.csv", annotator="anna")
desk
"""


@pytest.fixture(scope="module", autouse=True)
def notebook(lab: Lab) -> None:
    """One notebook with one player."""
    lab.open("labels.ipynb", [_SETUP, _LABELS])
    lab.run_all()
    lab.page.wait_for_function("document.querySelectorAll('.kn-player').length === 1", timeout=60_000)


@pytest.fixture
def desk(lab: Lab) -> Locator:
    """The player on its first call, without a label, with nothing selected."""
    lab.kernel("for each in list(desk._book._decisions)[2:]: desk._book.remove(each)")
    return _opened(lab, "call-1", "call-0")


def _opened(lab: Lab, *sessions: str) -> Locator:
    player = lab.player("labels")
    for session in sessions:
        lab.kernel(f"desk.pause(); desk.select({session!r})")
        player.locator(".title", has_text=session).wait_for()
    wait_for(lambda: lab.page.evaluate("allSounds.some((each) => each.src && each.duration > 19)"), what="sound")
    player.locator(".wave").focus()
    for key in ("Escape", "0"):
        lab.page.keyboard.press(key)
    return player


def _kept(lab: Lab) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = lab.kernel(
        "print(desk.labels[2:].astype({'labelled_at': str}).to_json(orient='records'))"
    )
    return rows


def _wait_kept(lab: Lab, *labels: str) -> list[dict[str, Any]]:
    wait_for(lambda: [row["label"] for row in _kept(lab)] == list(labels), what=f"the kernel has {labels}")
    return _kept(lab)


def _press(lab: Lab, *keys: str) -> None:
    for key in keys:
        lab.page.keyboard.press(key)


def _drag(lab: Lab, player: Locator, start_s: float, end_s: float, *, y: float = 60) -> None:
    box = player.locator("canvas").first.bounding_box()
    assert box is not None
    x = [box["x"] + box["width"] * each / 20 for each in (start_s, end_s)]
    lab.page.mouse.move(x[0], box["y"] + y)
    lab.page.mouse.down()
    lab.page.mouse.move((x[0] + x[1]) / 2, box["y"] + y)
    lab.page.mouse.move(x[1], box["y"] + y, steps=3)
    lab.page.mouse.up()


def _region(lab: Lab, player: Locator, start_s: float, end_s: float, digit: str) -> None:
    _drag(lab, player, start_s, end_s, y=120)
    player.locator(".wave").focus()
    _press(lab, digit)


def test_the_same_digit_twice_takes_the_label_back(lab: Lab, desk: Locator) -> None:
    """On the call and on a region, also when both presses come before the kernel has answered."""
    _press(lab, "1", "2", "1")
    _wait_kept(lab, "bad")
    _press(lab, "2")
    _wait_kept(lab)
    _region(lab, desk, 4, 8, "1")
    _wait_kept(lab, "good")
    assert desk.locator(".tag").first.get_attribute("aria-pressed") == "true"
    _press(lab, "1")
    _wait_kept(lab)
    assert desk.locator(".flag").count() == 0


def test_a_half_written_note_waits_for_its_call(lab: Lab, desk: Locator) -> None:
    """It is not attached to another call's label, and is there when one comes back; Shift+Enter begins a line."""
    note = desk.get_by_label("Note")
    note.focus()
    lab.page.keyboard.type(["the first", "line"][0])
    _press(lab, "Shift+Enter")
    lab.page.keyboard.type("the second")
    _opened(lab, "call-1")
    assert note.input_value() == ""
    _press(lab, "1")
    assert _wait_kept(lab, "good")[0]["note"] is None
    _opened(lab, "call-0")
    assert note.input_value() == "the first\nthe second"
    _press(lab, "2")
    row = _wait_kept(lab, "good", "bad")[1]
    assert (row["session_id"], row["note"], row["annotator"]) == ("call-0", "the first\nthe second", "anna")
    assert note.input_value() == ""
    lines = (lab.folder / "labels.csv").read_text().splitlines()
    assert lines[-1].split(",")[0] == "add", "a record is a line"


def test_a_region_is_selected_moved_resized_relabelled_and_deleted_by_pointer(lab: Lab, desk: Locator) -> None:
    """On the waveform; each is one record of the same decision in the file."""
    _region(lab, desk, 4, 8, "1")
    _wait_kept(lab, "good")
    _press(lab, "Escape")
    _drag(lab, desk, 6, 6)
    flag = desk.locator(".flag")
    wait_for(lambda: flag.get_attribute("aria-pressed") == "true", what="a click on the waveform selects")
    before = (lab.folder / "labels.csv").read_text()
    box = flag.bounding_box()
    canvas = desk.locator("canvas").first.bounding_box()
    assert box is not None
    assert canvas is not None
    second = canvas["width"] / 20
    for part, by in ((flag, 2), (desk.locator(".grip.end"), 1), (desk.locator(".grip.start"), -1)):
        box = part.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        lab.page.mouse.move(x, y)
        lab.page.mouse.down()
        lab.page.mouse.move(x + by * second, y, steps=4)
        lab.page.mouse.up()
    wait_for(lambda: _kept(lab)[0]["end_s"] == pytest.approx(11, abs=0.1))
    assert _kept(lab)[0]["start_s"] == pytest.approx(5, abs=0.1)
    desk.locator(".tag", has_text="label 7").click()
    _wait_kept(lab, "label 7")
    added = (lab.folder / "labels.csv").read_text()[len(before) :].splitlines()
    assert [line.split(",")[0] for line in added] == ["change"] * 4
    assert len({line.split(",")[1] for line in added}) == 1
    desk.get_by_role("button", name="Take back: label 7").click()
    _wait_kept(lab)


def test_all_of_it_by_keyboard_and_undone_and_redone(lab: Lab, desk: Locator) -> None:
    """Select, move, resize, relabel, delete; then back to the start, and on again to the end."""
    _region(lab, desk, 4, 8, "1")
    _region(lab, desk, 6, 10, "2")
    _wait_kept(lab, "good", "bad")
    states = [_spans(lab)]

    def changed() -> None:
        wait_for(lambda: _spans(lab) != states[-1], what=f"another state than {states[-1]}")
        states.append(_spans(lab))

    _press(lab, "Escape", "t")
    focused = "(node) => node.getRootNode().activeElement.getAttribute('aria-label')"
    assert desk.evaluate(focused).startswith("good, 0:04")
    _press(lab, "ArrowRight")
    changed()
    assert states[-1][0][1:] == pytest.approx((4.1, 8.1), abs=0.1)
    _press(lab, "Tab", "ArrowLeft")
    changed()
    _press(lab, "Tab", "PageDown")
    changed()
    assert states[-1][0][1:] == pytest.approx((4.0, 9.1), abs=0.1)
    assert desk.evaluate(focused) == "End of good"
    _press(lab, "3")
    changed()
    assert "</b>" in desk.locator(".span.on .flag").inner_text()
    _press(lab, "Shift+T", "Delete")
    changed()
    assert [each[0] for each in states[-1]] == ["bad"] or len(states[-1]) == 1
    for state in reversed(states[:-1]):
        _press(lab, "z")
        wait_for(lambda state=state: _spans(lab) == state, what=f"undone to {state}")
    for state in states[1:]:
        _press(lab, "Shift+Z")
        wait_for(lambda state=state: _spans(lab) == state, what=f"redone to {state}")
    assert desk.evaluate("(node) => node.contains(node.getRootNode().activeElement)"), "the focus is in the player"


def _spans(lab: Lab) -> list[tuple[str, float, float]]:
    return [(row["label"], row["start_s"], row["end_s"]) for row in _kept(lab)]


def test_undo_reaches_the_call_that_was_left(lab: Lab, desk: Locator) -> None:
    """It says where, and brings back who and when."""
    _press(lab, "1")
    first = _wait_kept(lab, "good")
    _press(lab, "1")
    _wait_kept(lab)
    _opened(lab, "call-2")
    _press(lab, "u")
    assert _wait_kept(lab, "good") == first
    wait_for(lambda: "call-0" in desk.locator(".panel:has(textarea) [role=status]").inner_text())
    assert desk.locator("ul li").count() == 0


def test_a_selected_region_is_heard(lab: Lab, desk: Locator) -> None:
    """From the list, by a button; by Enter where it is selected."""
    _region(lab, desk, 4, 8, "1")
    _press(lab, "Escape")
    desk.get_by_role("button", name="Hear: good").click()
    wait_for(lambda: lab.page.evaluate("sounding().some((each) => each.currentTime > 4 && each.currentTime < 8)"))
    _press(lab, "Enter")
    lab.kernel("desk.pause()")
    assert desk.locator(".pick").get_attribute("aria-pressed") == "true"


def test_the_note_of_a_selected_label_is_edited(lab: Lab, desk: Locator) -> None:
    """It is saved when one leaves the field, with its call; markup stays text."""
    _press(lab, "1")
    _wait_kept(lab, "good")
    desk.locator(".pick").click()
    desk.get_by_label("Note").fill("<b>one</b>\ntwo")
    desk.get_by_role("button", name="Next call").click()
    wait_for(lambda: _kept(lab)[0]["note"] == "<b>one</b>\ntwo")
    _opened(lab, "call-0")
    assert desk.locator(".said-note").inner_text() == "<b>one</b>\ntwo"
    assert desk.get_by_label("Note").input_value() == ""


def test_labels_of_another_version_and_beyond_the_call_are_shown_and_kept(lab: Lab, desk: Locator) -> None:
    """Their names are not on offer and they end after the call; moving one loses nothing."""
    _opened(lab, "call-5")
    wait_for(lambda: desk.locator("ul li").count() == 2)
    texts = desk.locator(".pick").all_inner_texts()
    assert "of <i>old</i>" in texts[0]
    assert "C:\\new note" in texts[0]
    _press(lab, "Shift+T", "ArrowLeft")
    wait_for(lambda: lab.kernel("print(desk.labels.end_s[1])") == pytest.approx(44.9))
    _press(lab, "z")
    wait_for(lambda: lab.kernel("print(desk.labels.end_s[1])") == 45.0)
    assert lab.kernel("print(json.dumps(desk.labels.annotator.isna()[:2].tolist()))") == [True, True]


def test_after_a_label_the_next_call_without_one_opens(lab: Lab, desk: Locator) -> None:
    """With A switched on; where there is none it stays and says so."""
    lab.kernel("desk.add_label('bad', session_id='call-1'); desk.add_label('bad', session_id='call-3')")
    _press(lab, "a")
    for session in ("call-2", "call-4"):
        _press(lab, "1")
        desk.locator(".title", has_text=session).wait_for()
    lab.kernel("desk.add_label('bad', session_id='call-5') if 'of old' else None")
    _press(lab, "1")
    wait_for(lambda: "without a label" in desk.locator(".said").inner_text())
    assert "call-4" in desk.locator(".title").inner_text()
    _press(lab, "a")
    assert desk.locator(".auto").get_attribute("aria-pressed") == "false"


def test_a_label_from_python_is_shown_and_the_speed_is_set(lab: Lab, desk: Locator) -> None:
    """Both without a reload."""
    lab.kernel("desk.add_label('bad', start_s=2, end_s=3, note='from python'); desk.speed = 1.5")
    desk.locator(".flag", has_text="bad").wait_for()
    wait_for(lambda: desk.get_by_label("Speed").input_value() == "1.5")
    lab.kernel("desk.speed = 1")


def test_nothing_serious_for_axe_with_a_region_selected(lab: Lab, desk: Locator, npm_packages: Any) -> None:
    """Names, roles and contrast of flags, handles and list."""
    _region(lab, desk, 4, 8, "1")
    _press(lab, "Escape", "t")
    if not lab.page.evaluate("Boolean(window.axe)"):
        lab.page.add_script_tag(path=str(npm_packages / "axe-core" / "axe.min.js"))
    found = desk.evaluate("async (node) => (await axe.run(node)).violations")
    assert json.dumps([[each["id"], [node["html"][:120] for node in each["nodes"]]] for each in found]) == "[]"


def test_what_is_undone_in_a_note_stays_undone(lab: Lab, desk: Locator) -> None:
    """The field shows the note as it is by now, also from Python, and does not write the old one again."""
    _press(lab, "1")
    _wait_kept(lab, "good")
    desk.locator(".pick").click()
    note = desk.get_by_label("Note")
    note.fill("why")
    note.press("Tab")
    wait_for(lambda: _kept(lab)[0]["note"] == "why")
    desk.locator(".wave").focus()
    _press(lab, "z")
    wait_for(lambda: note.input_value() == "")
    _press(lab, "z")
    _wait_kept(lab)
    _press(lab, "Shift+Z", "Shift+Z")
    wait_for(lambda: [row["note"] for row in _kept(lab)] == ["why"], what="both are done again")
    _press(lab, "t")
    lab.kernel("one = desk._book.of('call-0')[0]; desk._book.change(one.decision_id, 'call-0', 'good', note='other')")
    lab.kernel("desk._relist(0)")
    wait_for(lambda: note.input_value() == "other")
    note.focus()
    _press(lab, "Tab", "Escape")
    assert [row["note"] for row in _kept(lab)] == ["other"]


def test_one_that_is_renamed_does_not_become_a_second_of_its_name(lab: Lab, desk: Locator) -> None:
    """Where the call has that label it is said; on a region the label is another one."""
    _press(lab, "1", "2")
    _wait_kept(lab, "good", "bad")
    desk.locator(".pick").last.click()
    _press(lab, "1")
    wait_for(lambda: "is set already" in desk.locator(".panel:has(textarea) [role=status]").inner_text())
    _wait_kept(lab, "good", "bad")
    _press(lab, "Escape")
    _region(lab, desk, 4, 8, "2")
    desk.locator(".pick").last.click()
    _press(lab, "1")
    _wait_kept(lab, "good", "bad", "good")


def test_a_click_that_ends_the_writing_of_a_note_is_a_click(lab: Lab, desk: Locator) -> None:
    """On another label, on Take back, on a call: none is drawn anew while the button of the mouse is down."""
    _press(lab, "1", "2")
    _wait_kept(lab, "good", "bad")

    def click(what: Locator, text: str) -> None:
        desk.locator(".pick").first.click()
        desk.get_by_label("Note").fill(text)
        what.hover()
        lab.page.mouse.down()
        wait_for(lambda: text in [row["note"] for row in _kept(lab)])
        lab.page.mouse.up()

    bad = desk.locator(".pick").last
    click(bad, "one")
    wait_for(lambda: bad.get_attribute("aria-pressed") == "true")
    click(desk.get_by_role("button", name="Take back: good"), "two")
    _wait_kept(lab, "bad")
    _press(lab, "z")
    wait_for(
        lambda: [row["note"] for row in _kept(lab) if row["label"] == "good"] == ["two"], what="undone with its note"
    )
    click(desk.locator(".row", has_text="call-3"), "three")
    desk.locator(".title", has_text="call-3").wait_for()


def test_keys_that_are_held_or_end_a_composed_word_decide_nothing(lab: Lab, desk: Locator) -> None:
    """A digit that repeats sets its label once; the Enter with which an input method ends a word keeps no note."""
    for _ in range(4):
        lab.page.keyboard.down("1")
    lab.page.keyboard.up("1")
    _wait_kept(lab, "good")
    note = desk.get_by_label("Note")
    note.fill("日本")
    note.evaluate(
        "(node) => node.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, isComposing: true }))"
    )
    assert note.input_value() == "日本"
    note.press("Enter")
    wait_for(lambda: [row["note"] for row in _kept(lab)] == [None, "日本"])
    assert len([line for line in (lab.folder / "labels.csv").read_text().splitlines() if "日本" in line]) == 1
