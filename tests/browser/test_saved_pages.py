"""What a saved notebook shows of its players: reopened without their kernel, trusted or not, and as HTML."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from browsing import Lab, jupyter, new_page, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.long

_SETUP = """
import json
import numpy as np, pandas as pd
from kataven_notebook.sound.recording import Recording
from kataven_notebook.desk.open import player

t = np.arange(8000 * 20) / 8000
sound = Recording.from_samples(np.column_stack([0.3 * np.sin(1900 * t), 0.01 * np.sin(5000 * t)]), 8000)
calls = pd.DataFrame({"session_id": ["a-1", "a-2"], "audio": [sound, sound],
                      "recording_url": "https://storage.example/call.wav?X-Amz-Signature=secret"})
marks = pd.DataFrame({"session_id": ["a-2"], "start_s": [3.0], "end_s": [6.0], "label": ["my <mark>"]})
words = pd.DataFrame({"session_id": ["a-2"], "start_s": [3.0], "end_s": [6.0], "word": ["confidential"]})
"""
_FIRST = """# first
p1 = player(calls, labels=["good", "bad"], marks=marks, words=words)
p1
"""
_SECOND = """# second
p2 = player(calls)
p2
"""
# How many players have made a place for labels that are not saved yet.
_STARTED = "window[Symbol.for('kataven-player-labels')]?.size"
_FIRST_CALL, _SECOND_CALL = "Waveform of a-1, 0:20", "Waveform of a-2, 0:20"


@pytest.fixture(scope="module", params=["jupyterlab", "notebook"])
def front_end(lab: Lab, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """JupyterLab, then Notebook 7 in a page of its own."""
    if request.param == "jupyterlab":
        yield lab
        return
    folder = tmp_path_factory.mktemp("notebook7")
    with jupyter(folder, "notebook") as address, new_page(lab) as page:
        yield Lab(page, address, folder / "notebooks", "notebooks")


@pytest.fixture(scope="module")
def saved(front_end: Lab) -> dict[str, Any]:
    """A saved notebook of two players, the first with a decided region on its second call."""
    front_end.open("kept.ipynb", [_SETUP, _FIRST, _SECOND])
    front_end.run_all()
    for each in ("first", "second"):
        front_end.player(each).wait_for(timeout=60_000)
    front_end.kernel("p1.select('a-2'); p1.add_label('good'); p1.add_label('bad', start_s=8, end_s=12)")
    file = front_end.folder / "kept.ipynb"
    wait_for(lambda: "bad" in _picture(front_end.page.content(), _SECOND_CALL), what="the card follows")
    front_end.execute("docmanager:save")
    text = wait_for(lambda: "widget-state" in (text := file.read_text()) and _SECOND_CALL in text and text)
    notebook: dict[str, Any] = json.loads(text)
    return notebook


def _seen(page: Page) -> list[str]:
    """What the pictures say that are seen."""
    pictures = page.locator("img[alt^='Waveform of']")
    script = "(all) => all.filter((each) => each.offsetHeight && each.naturalWidth).map((each) => each.alt)"
    return list(pictures.evaluate_all(script))


def _picture(text: str, alt: str) -> str:
    found = re.search(rf'alt="{alt}"[^>]*src="data:image/svg\+xml,([^"]*)"', text.replace('\\"', '"'))
    return unquote(found[1]) if found else ""


def _reopened(front_end: Lab, name: str, notebook: dict[str, Any]) -> Page:
    """Open a notebook whose kernel is not on this machine, in a page of its own."""
    gone = {"name": "gone", "display_name": "gone", "language": "python"}
    notebook = {**notebook, "metadata": {**notebook["metadata"], "kernelspec": gone, "named": name}}
    (front_end.folder / name).write_text(json.dumps(notebook))
    if "untrusted" not in name:
        _jupyter(front_end.folder, "trust", name)
    front_end.page.goto(f"{front_end.address}/{front_end.tree}/{name}?reset")
    front_end.page.get_by_text("Run this cell again to get the player back").nth(1).wait_for()
    return front_end.page


def _jupyter(folder: Path, *command: str) -> None:
    environment = {**os.environ, "JUPYTER_DATA_DIR": str(folder.parent / "data")}
    subprocess.run([sys.executable, "-m", "jupyter", *command], cwd=folder, env=environment, check=True, timeout=60)


def test_the_picture_is_hidden_while_its_own_player_is_there(front_end: Lab, saved: dict[str, Any]) -> None:
    """Of two players one is closed, and its picture comes; its cell is run again, and its picture goes."""
    assert saved
    page = front_end.page
    assert _seen(page) == []
    front_end.kernel("p2.close()")
    wait_for(lambda: _seen(page) == [_FIRST_CALL])
    front_end.run_all()
    wait_for(lambda: page.locator(".kn-player").count() == 2)
    wait_for(lambda: _seen(page) == [])


@pytest.mark.parametrize("name", ["trusted.ipynb", "untrusted.ipynb"])
def test_reopened_without_its_kernel_it_is_a_picture(front_end: Lab, saved: dict[str, Any], name: str) -> None:
    """Also where the widget's state was saved: a player that nobody answers stands in nobody's way."""
    page = _reopened(front_end, name, saved)
    if name == "trusted.ipynb":
        wait_for(lambda: page.evaluate(_STARTED) == 2, what="the script of both has run")
    wait_for(lambda: _seen(page) == [_SECOND_CALL, _FIRST_CALL])
    assert page.locator(".kn-player").count() == 0
    assert "2 calls (2 downloaded), 2 labels, opened on 'a-2'" in page.content()


def test_an_exported_page_shows_the_picture_and_asks_nobody(front_end: Lab, saved: dict[str, Any]) -> None:
    """`jupyter nbconvert --to html`: call, marks and regions, without sound, URL or words."""
    (front_end.folder / "exported.ipynb").write_text(json.dumps(saved))
    _jupyter(front_end.folder, "nbconvert", "--log-level=ERROR", "--to=html", "exported.ipynb")
    text = (front_end.folder / "exported.html").read_text()
    outputs = json.dumps([each["outputs"] for each in saved["cells"]] + [saved["metadata"]])
    for secret in ("X-Amz", "storage.example", "confidential", "UklGR"):
        assert secret not in outputs
    assert re.findall("<text[^>]*>([^<]*)</text>", _picture(text, _SECOND_CALL))[:2] == ["my &lt;mark&gt;", "bad"]
    assert "http" not in _picture(text, _SECOND_CALL).replace("http://www.w3.org/2000/svg", "")
    with new_page(front_end) as page:
        # Whoever reads it may be offline.
        page.route("**/*", _offline)
        page.goto((front_end.folder / "exported.html").as_uri(), wait_until="domcontentloaded")
        wait_for(lambda: _seen(page) == [_SECOND_CALL, _FIRST_CALL])


def _offline(route: Route) -> None:
    if route.request.url.startswith("http"):
        route.abort()
    else:
        route.continue_()
