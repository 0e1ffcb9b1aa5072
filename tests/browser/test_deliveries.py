"""Sound that arrives right, or says why not: several views, quick clicks, storages in trouble."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile as sf
from browsing import wait_for
from troubled_storage import TroubledStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from browsing import Lab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.long

_SETUP = '''
import hashlib, json, time
import numpy as np, pandas as pd
from pathlib import Path
from IPython.display import display
from kataven_notebook.desk import delivery
from kataven_notebook.desk.widget import Player
from kataven_notebook.sound.recording import Recording

delivery._PART_BYTES = 20_000  # as if the calls were large: many parts each

def noise(seed):
    """A call that sounds like no other."""
    return Recording.from_samples(np.random.default_rng(seed).uniform(-0.5, 0.5, (16000, 2)), 8000)

class Sounds:
    """Ten sounds in turn; counts how often one is read."""
    read = 0
    made = [noise(seed) for seed in range(10)]
    def sound(self, session_id):
        self.read += 1
        return self.made[int(session_id.split("-")[1]) % 10]
    def signed_url(self, session_id, *, fresh):
        raise AssertionError

def digest(session_id):
    return hashlib.sha256(Sounds.made[int(session_id.split("-")[1]) % 10].encoded()).hexdigest()

ids = [f"call-{i:04}" for i in range(1000)]
sounds = Sounds()
'''
_TWICE = """# twice
twice = Player(pd.DataFrame({"session_id": ids}), source=sounds)
display(twice)
display(twice)
"""
_TROUBLED = """# troubled
class Storage:
    signed = 0
    def sound(self, session_id):
        return None
    def signed_url(self, session_id, *, fresh):
        self.signed += 1
        base = "http://nowhere.invalid" if session_id == "nowhere" else BASE
        return f"{base}/{session_id}?X-Amz-Signature=0123456789abcdef", 300.0
storage = Storage()
names = ["good", "silent", "absent", "refused", "expired", "failing", "page", "cut", "slow", "nowhere", "adpcm"]
troubled = Player(pd.DataFrame({"session_id": names}), source=storage)
troubled
"""
_BLOBS = """async () => {
  const hashes = [];
  for (const { src } of window.allSounds.filter((each) => each.src.startsWith("blob:"))) {
    const digest = await crypto.subtle.digest("SHA-256", await (await fetch(src)).arrayBuffer());
    hashes.push([...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  }
  return hashes;
}"""
_CLICK_NEXT = """(button, times) => { for (let i = 0; i < times; i++) button.click(); }"""
_BUSY = """
flag, ends = Path("running"), time.monotonic() + 60
flag.write_text("yes")
while flag.read_text() == "yes" and time.monotonic() < ends:
    time.sleep(0.05)
flag.write_text("no")
"""


@pytest.fixture(scope="module")
def storage() -> Iterator[TroubledStorage]:
    """A minute of sound in a storage on another port than the page's."""
    file = io.BytesIO()
    wave = 0.3 * np.sin(np.arange(60 * 8000) / 7)
    sf.write(file, np.column_stack([wave, wave]), 8000, format="WAV", subtype="PCM_16")
    unknown = io.BytesIO()
    sf.write(unknown, np.column_stack([wave, wave]), 8000, format="WAV", subtype="IMA_ADPCM")
    with TroubledStorage(file.getvalue()) as running:
        running.others["adpcm"] = unknown.getvalue()
        yield running


@pytest.fixture(scope="module", autouse=True)
def notebook(lab: Lab, storage: TroubledStorage) -> None:
    """One notebook for all tests."""
    lab.open("deliveries.ipynb", [f"{_SETUP}\nBASE = {storage.base!r}", _TWICE, _TROUBLED])
    lab.run_all()
    lab.page.wait_for_function("document.querySelectorAll('.kn-player').length === 3", timeout=60_000)
    lab.page.wait_for_function("document.querySelectorAll('.kn-player .row').length > 5")


def _views(lab: Lab) -> list[Locator]:
    return [lab.player("twice").nth(i) for i in range(2)]


def _title(player: Locator) -> str:
    return player.locator(".title").inner_text()


def _both_have(lab: Lab, session_id: str) -> None:
    """Wait until both views show a call, and each has its sound, byte for byte."""
    for view in _views(lab):
        wait_for(lambda view=view: _title(view) == session_id, what=f"{session_id} is shown in both views")
    wanted = lab.kernel(f"print(json.dumps(digest({session_id!r})))")
    wait_for(lambda: lab.page.evaluate(_BLOBS) == [wanted, wanted], what=f"both have the sound of {session_id}")


def test_what_one_view_opens_opens_in_the_other_with_its_sound(lab: Lab) -> None:
    """By a click in either, from Python, and back to a call that only one of them has."""
    first, second = _views(lab)
    _both_have(lab, "call-0000")
    first.get_by_role("button", name="Next call").click()
    _both_have(lab, "call-0001")
    second.get_by_role("button", name="Next call").click()
    _both_have(lab, "call-0002")
    lab.kernel("twice.select('call-0007')")
    _both_have(lab, "call-0007")
    second.get_by_role("button", name="Previous call").click()
    _both_have(lab, "call-0006")


def test_quick_clicks_in_both_views_never_mix_two_sounds(lab: Lab) -> None:
    """Deliveries of one call overlap; what is joined is one of them."""
    buttons = [view.get_by_role("button", name="Next call").element_handle() for view in _views(lab)]
    for _ in range(2):
        lab.page.evaluate("(each) => { for (let i = 0; i < 7; i++) each[i % 2].click(); }", buttons)
        lab.kernel("twice.select('call-0002')")
        lab.page.evaluate("(each) => { for (let i = 0; i < 7; i++) each[i % 2].click(); }", buttons)
        wait_for(lambda: _title(_views(lab)[0]) == _title(_views(lab)[1]), what="both show one call")
        _both_have(lab, lab.kernel("print(json.dumps(twice.session_id))"))


def test_the_view_that_plays_says_where_the_listener_is(lab: Lab) -> None:
    """The other one lies still, and is not believed."""
    lab.kernel("twice.select('call-0003')")
    _both_have(lab, "call-0003")
    first, second = _views(lab)
    first.locator(".wave").click(position={"x": 300, "y": 50})
    at = wait_for(lambda: lab.kernel("print(twice.position_s)"))
    second.get_by_role("button", name="Zoom in").click()
    second.get_by_role("button", name="Zoom out").click()
    assert lab.kernel("print(twice.position_s)") == pytest.approx(at, abs=0.01)


def test_two_hundred_clicks_end_at_the_two_hundredth_call(lab: Lab) -> None:
    """Whoever runs through the list gets the last call, and the kernel reads few of those between."""
    lab.kernel("twice.select('call-0000')")
    _both_have(lab, "call-0000")
    lab.kernel("sounds.read = 0")
    view = _views(lab)[0]
    view.get_by_role("button", name="Next call").evaluate(_CLICK_NEXT, 200)
    _both_have(lab, "call-0200")
    # At most 20 on a quiet machine; on a busy one clicks reach the kernel further apart.
    assert lab.kernel("print(sounds.read)") <= 60
    assert view.locator(".row[aria-selected=true]").get_attribute("aria-rowindex") == "202"
    assert lab.kernel("print(json.dumps(twice.session_id))") == "call-0200"


def test_clicks_while_a_cell_runs_count_when_it_ends(lab: Lab) -> None:
    """What was clicked last is open, and nothing else in between."""
    (lab.folder / "running").write_text("")
    lab.kernel_later(_BUSY)
    wait_for(lambda: (lab.folder / "running").read_text() == "yes", what="the cell runs")
    _views(lab)[0].get_by_role("button", name="Next call").evaluate(_CLICK_NEXT, 20)
    _views(lab)[1].get_by_role("button", name="Next call").evaluate(_CLICK_NEXT, 3)
    last = _title(_views(lab)[1])
    (lab.folder / "running").write_text("stop")
    wait_for(lambda: (lab.folder / "running").read_text() == "no")
    _both_have(lab, last)
    assert lab.kernel("print(json.dumps(twice.session_id))") == last


_SENTENCES = {
    "silent": "has not answered yet",
    "absent": "no such recording (404)",
    "refused": "refuses the signed URL (403)",
    "expired": "The signed URL has expired",
    "failing": "fails (status 500)",
    "page": "A web page came in place of sound",
    "nowhere": "No connection to nowhere.invalid",
}


@pytest.mark.parametrize("name", _SENTENCES)
def test_where_no_sound_comes_a_sentence_says_why(lab: Lab, storage: TroubledStorage, name: str) -> None:
    """With Play as Play; pressing it tries again, and nobody is asked again and again."""
    player = lab.player("troubled")
    lab.kernel(f"troubled.select({name!r})")
    play, said = player.get_by_role("button", name="Play", exact=True), player.locator(".said")
    wait_for(lambda: _title(player) == name)
    play.click()
    wait_for(lambda: _SENTENCES[name] in said.inner_text(), what=said.inner_text())
    wait_for(play.is_visible)
    assert "X-Amz" not in said.inner_text()
    before = storage.asked[name]
    assert before <= 8
    play.click()
    wait_for(lambda: _SENTENCES[name] in said.inner_text())
    wait_for(play.is_visible)
    if name != "nowhere":
        wait_for(lambda: storage.asked[name] > before, what="Play tries again")
    assert storage.asked[name] <= 14
    assert lab.kernel("print(storage.signed)") < 40


def test_while_the_kernel_is_busy_the_page_says_so_itself(lab: Lab) -> None:
    """It can't ask why nothing comes, and does not wait for the kernel to speak."""
    player = lab.player("troubled")
    (lab.folder / "running").write_text("")
    lab.kernel_later(f"troubled.select('absent')\ntroubled.select('silent')\n{_BUSY}")
    wait_for(lambda: _title(player) == "silent")
    player.get_by_role("button", name="Play", exact=True).click()
    wait_for(lambda: "the kernel is too busy" in player.locator(".said").inner_text())
    player.get_by_role("button", name="Play", exact=True).wait_for()
    (lab.folder / "running").write_text("stop")
    wait_for(lambda: "has not answered yet" in player.locator(".said").inner_text(), what="the kernel says why")


def test_a_connection_that_is_cut_says_so(lab: Lab, storage: TroubledStorage) -> None:
    """A third of the file comes: it plays that, and beyond it a sentence comes."""
    player = lab.player("troubled")
    lab.kernel("troubled.select('cut')")
    wait_for(lambda: _title(player) == "cut")
    player.get_by_role("button", name="Play", exact=True).click()
    lab.kernel("troubled.seek(50)")
    wait_for(lambda: player.locator(".said").inner_text(), what="a sentence")
    player.get_by_role("button", name="Play", exact=True).wait_for()
    assert storage.asked["cut"] < 60


def test_slow_sound_plays_in_the_end(lab: Lab, storage: TroubledStorage) -> None:
    """The listener is told that it is slow, and need not press anything."""
    player = lab.player("troubled")
    lab.kernel("troubled.select('slow')")
    wait_for(lambda: _title(player) == "slow")
    player.get_by_role("button", name="Play", exact=True).click()
    wait_for(lambda: "has not answered yet" in player.locator(".said").inner_text())
    wait_for(lambda: lab.page.evaluate("sounding().some((each) => each.currentTime > 0.2)"), what="it plays")
    player.get_by_role("button", name="Pause").wait_for()
    assert player.locator(".said").inner_text() == ""
    assert storage.asked["slow"] <= 8
    lab.kernel("troubled.pause()")


def test_what_no_browser_plays_from_its_url_the_kernel_brings(lab: Lab, storage: TroubledStorage) -> None:
    """ADPCM in a storage: fetched and decoded, without another click."""
    player = lab.player("troubled")
    lab.kernel("troubled.select('adpcm')")
    wait_for(lambda: _title(player) == "adpcm")
    player.get_by_role("button", name="Play", exact=True).click()
    wait_for(lambda: lab.page.evaluate("sounding().some((each) => each.currentTime > 0.2)"), what="it plays")
    player.get_by_role("button", name="Pause").wait_for()
    assert player.locator(".said").inner_text() == ""
    assert storage.asked["adpcm"] <= 8
    lab.kernel("troubled.pause()")
