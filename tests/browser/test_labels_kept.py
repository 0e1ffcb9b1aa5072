"""Labels that the kernel can't save yet: it is busy, its disk refuses, it was killed, or it was restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import wait_for

from kataven_notebook.desk.labels import LabelBook

if TYPE_CHECKING:
    from pathlib import Path

    from browsing import Lab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.long

_IMPORTS = """
import json, numpy as np, os, pandas as pd, pathlib, time
from kataven_notebook.desk.open import player
from kataven_notebook.sound.recording import Recording
sound = Recording.from_samples(np.sin(np.arange(16000) / 9) * 0.3, 8000)
calls = pd.DataFrame({"session_id": ["call-a", "call-b", "call,c", None], "audio": [sound] * 4})
"""
_DESK = """# desk
desk = player(calls, labels=["good", "bad"], save_to="kept.csv")
desk
"""
# A running cell keeps messages of some front ends waiting, and not those of others.
_BUSY = """
add = desk._book.add
def add_late(*args, **options):
    pathlib.Path("busy").touch()
    ends = time.monotonic() + 30
    while os.path.exists("busy") and time.monotonic() < ends:
        time.sleep(0.05)
    return add(*args, **options)
desk._book.add = add_late
"""
_NOTE = 'says "no",\ncalmly: C:\\new'
_GONE = "The kernel of this player is gone"


@pytest.fixture
def desk(lab: Lab) -> Locator:
    """A player on a file that is not there yet."""
    for each in lab.folder.glob("kept.csv"):
        each.unlink()
    if "kept.ipynb" not in lab.page.url:
        lab.open("kept.ipynb", [_IMPORTS, _DESK])
    return _run(lab)


def _run(lab: Lab) -> Locator:
    """Run the cells, and return the player that is new."""
    lab.page.evaluate("""async () => {
      for (const old of document.querySelectorAll(".kn-player")) old.classList.add("old");
      // A kernel that was restarted may say that it is idle before it answers.
      await window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestKernelInfo();
    }""")
    lab.run_all()
    player = lab.page.locator(".kn-player:not(.old)")
    player.locator(".channel").first.wait_for(timeout=60_000)
    player.locator(".wave").focus()
    return player


def _saved(lab: Lab) -> list[tuple[str, str, str]]:
    """Return what the file holds, row by row: session, label, note."""
    return _rows(lab.folder / "kept.csv")


def _rows(path: Path) -> list[tuple[str, str, str]]:
    frame = LabelBook("session_id", path).to_frame()[["session_id", "label", "note"]].fillna("")
    rows = [tuple(row.split(",")[:2]) for row in path.read_text().splitlines()]
    assert len(rows) == len(set(rows)), "no row stands there twice"
    return list(frame.itertuples(index=False, name=None))


def _list(player: Locator) -> str:
    return player.locator("ul", has=player.page.locator(".pick")).inner_text()


def _news(player: Locator) -> str:
    return player.locator(".panel:has(textarea) [role=status]").inner_text()


def _label_on_three_calls(lab: Lab, player: Locator) -> None:
    """Set a label with a note, one that is taken back, and one on a call that is opened meanwhile."""
    player.get_by_label("Note").fill(_NOTE)
    player.locator(".wave").focus()
    for key in ("1", "n", "2", "2", "n", "2"):
        lab.page.keyboard.press(key)


_EXPECTED = [("call-a", "good", _NOTE), ("call,c", "bad", "")]


def test_saving_becomes_saved_and_a_busy_kernel_gets_it_once(lab: Lab, desk: Locator) -> None:
    """While it does something else the label is shown as not saved yet; sent again, it is not counted twice."""
    lab.page.keyboard.press("1")
    wait_for(lambda: _news(desk) == "Saved")
    assert _saved(lab) == [("call-a", "good", "")]
    lab.kernel(_BUSY)
    lab.page.keyboard.press("2")
    wait_for(lambda: "not saved yet" in _list(desk), what="it is shown at once")
    assert not desk.locator(".unsaved").is_visible()
    wait_for(lambda: "1 label is not saved yet" in desk.locator(".unsaved").inner_text(), what="the wait is said")
    desk.get_by_role("button", name="Try again").click()
    (lab.folder / "busy").unlink()
    wait_for(lambda: not desk.locator(".unsaved").is_visible(), what="nothing waits")
    lab.kernel("")
    assert _saved(lab) == [("call-a", "good", ""), ("call-a", "bad", "")]
    assert "not saved" not in _list(desk)


def test_what_the_kernel_can_not_write_is_said_and_tried_again(lab: Lab, desk: Locator) -> None:
    """The reason stands in the player until the label is on disk."""
    (lab.folder / "kept.csv").mkdir()
    lab.page.keyboard.press("1")
    wait_for(lambda: "could not be written (Is a directory)" in desk.locator(".unsaved").inner_text())
    assert desk.locator(".tag").first.get_attribute("aria-pressed") == "true", "what was pressed is shown"
    (lab.folder / "kept.csv").rmdir()
    desk.get_by_role("button", name="Try again").click()
    wait_for(lambda: not desk.locator(".unsaved").is_visible(), what="nothing waits")
    assert _news(desk) == "Saved"
    assert _saved(lab) == [("call-a", "good", "")]


def test_what_waits_for_its_disk_outlives_a_reload(lab: Lab, desk: Locator) -> None:
    """The kernel is still there, and gets what it could not write from the new page, in order."""
    (lab.folder / "kept.csv").mkdir()
    for key in ("1", "2", "1", "n", "2"):
        lab.page.keyboard.press(key)
    wait_for(lambda: "4 labels" in desk.locator(".unsaved").inner_text())
    lab.execute("docmanager:save")
    lab.page.reload()
    lab.wait_for_kernel("kept.ipynb")
    player = lab.page.locator(".kn-player")
    wait_for(lambda: "could not be written (Is a directory)" in player.locator(".unsaved").inner_text())
    (lab.folder / "kept.csv").rmdir()
    player.get_by_role("button", name="Try again").click()
    wait_for(lambda: not player.locator(".unsaved").is_visible(), what="nothing waits")
    assert _saved(lab) == [("call-a", "bad", ""), ("call-b", "bad", "")]


def test_what_can_never_be_saved_is_said_once(lab: Lab, desk: Locator) -> None:
    """A row without an id has no label, neither now nor by the next player; nothing waits for it."""
    said = desk.locator(".said")
    for key in ("n", "n", "n", "1"):
        lab.page.keyboard.press(key)
    wait_for(lambda: "needs a session id" in said.inner_text())
    assert (_news(desk), desk.locator(".pick").count()) == ("", 0)
    assert not desk.locator(".unsaved").is_visible()
    lab.page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    wait_for(lambda: _GONE in desk.locator(".unsaved").inner_text())
    lab.page.keyboard.press("1")
    wait_for(lambda: "1 label is" in desk.locator(".unsaved").inner_text())
    lab.wait_for_kernel("kept.ipynb")
    player = _run(lab)
    wait_for(lambda: "needs a session id" in player.locator(".said").inner_text())
    assert not player.locator(".unsaved").is_visible()
    assert not (lab.folder / "kept.csv").exists()


def test_labels_outlive_a_kernel_that_was_killed(lab: Lab, desk: Locator, tmp_path: Path) -> None:
    """Said, kept in order, offered as a file with the player's own columns, and saved by the next player."""
    lab.kernel_later("os.kill(os.getpid(), 9)")
    _label_on_three_calls(lab, desk)
    wait_for(lambda: _GONE in desk.locator(".unsaved").inner_text(), what="it is said that the kernel is gone")
    wait_for(lambda: _news(desk) == "", what="and not that they are being saved")
    assert not (lab.folder / "kept.csv").exists()
    lab.page.locator(".jp-Dialog .jp-mod-accept").click()
    with lab.page.expect_download() as download:
        desk.get_by_role("button", name="Download these labels").click()
    download.value.save_as(tmp_path / "labels.csv")
    assert _rows(tmp_path / "labels.csv") == _EXPECTED
    lab.wait_for_kernel("kept.ipynb")
    player = _run(lab)
    wait_for(lambda: (lab.folder / "kept.csv").exists() and _saved(lab) == _EXPECTED, what="the new player saves them")
    wait_for(lambda: not player.locator(".unsaved").is_visible())
    wait_for(lambda: _news(player) == "Saved")
    assert "good" in _list(player)
    assert lab.kernel("print(len(desk.labels))") == len(_EXPECTED)


def test_labels_outlive_a_restart_and_a_reload_of_the_page(lab: Lab, desk: Locator) -> None:
    """They are kept by the browser's tab, and not by the notebook."""
    lab.page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    wait_for(lambda: _GONE in desk.locator(".unsaved").inner_text(), what="said before anything is pressed")
    _label_on_three_calls(lab, desk)
    wait_for(lambda: "4 labels" in desk.locator(".unsaved").inner_text())
    desk.get_by_label("Note").fill("half written")
    lab.execute("docmanager:save")
    saved = (lab.folder / "kept.ipynb").read_text()
    assert "calmly" not in saved
    assert "half written" not in saved
    lab.page.reload()
    lab.wait_for_kernel("kept.ipynb")
    player = _run(lab)
    wait_for(lambda: (lab.folder / "kept.csv").exists() and _saved(lab) == _EXPECTED, what="they are saved")
    wait_for(lambda: not player.locator(".unsaved").is_visible())
    for _ in range(2):
        lab.page.keyboard.press("n")
    note = player.get_by_label("Note")
    wait_for(lambda: note.input_value() == "half written", what="a note that nobody has ended waits on its call")
    note.fill("")
    kept = "Object.keys(sessionStorage).filter((key) => key.startsWith('kataven')).length"
    wait_for(lambda: lab.page.evaluate(kept) == 0, what="nothing is left in the tab")


_REGION = """
desk.add_label("good", start_s=0.5, end_s=1.0)
print(json.dumps(desk._book.of("call-a")[0].decision_id))
"""


def test_what_is_moved_renamed_and_undone_without_a_kernel_is_kept_in_order(lab: Lab, desk: Locator) -> None:
    """Each as it was pressed, once; who made it up first and what became of it stand in the file."""
    name = lab.kernel(_REGION)
    desk.locator(".flag").wait_for()
    lab.page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    wait_for(lambda: _GONE in desk.locator(".unsaved").inner_text())
    for key in ("t", "ArrowRight", "2", "z", "Shift+Z", "Delete", "z", "t", "1", "z"):
        lab.page.keyboard.press(key)
    wait_for(lambda: "8 labels" in desk.locator(".unsaved").inner_text())
    assert "bad" in _list(desk)
    assert "not saved yet" in _list(desk)
    lab.wait_for_kernel("kept.ipynb")
    player = _run(lab)
    wait_for(lambda: _news(player) == "Saved", what="said by the next player")
    rows = [row.split(",") for row in (lab.folder / "kept.csv").read_text().splitlines()[1:]]
    assert {row[1] for row in rows} == {name}
    assert [(row[0], row[3], row[4]) for row in rows] == [
        ("add", "good", "0.500"),
        ("change", "good", "0.600"),
        ("change", "bad", "0.600"),
        ("change", "good", "0.600"),
        ("change", "bad", "0.600"),
        ("remove", "bad", "0.600"),
        ("add", "bad", "0.600"),
        ("change", "good", "0.600"),
        ("change", "bad", "0.600"),
    ]
    assert "bad" in _list(player)
