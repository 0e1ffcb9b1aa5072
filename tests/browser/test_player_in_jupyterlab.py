"""The player as people use it: in JupyterLab, in Chromium, with real sound and a real kernel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from browsing import wait_for

from kataven_notebook.desk.captions import KEYS
from kataven_notebook.desk.page import Desk

if TYPE_CHECKING:
    from pathlib import Path

    from browsing import Lab
    from playwright.sync_api import Locator

_SETUP = '''
import io, json, threading, time
import numpy as np, pandas as pd, soundfile as sf
from kataven_notebook import demo
from kataven_notebook.sound.recording import Recording
from kataven_notebook.desk.open import player
from kataven_notebook.desk.widget import Player

def call(seconds, left_hz=300.0, right_hz=1500.0, sample_rate=8000, **options):
    """A tone a channel, with known loudness, as a file."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    sound = np.column_stack([0.4 * np.sin(2 * np.pi * f * t) for f in (left_hz, right_hz)])
    file = io.BytesIO()
    sf.write(file, sound, sample_rate, **{"format": "WAV", "subtype": "PCM_16", **options})
    return Recording.from_bytes(file.getvalue())

HOSTILE = "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'>"
sound, short, adpcm = call(30), call(2), call(5, subtype="IMA_ADPCM")
'''
_MAIN = """# main
n = 1000
ids = [f"call-{i:04}" for i in range(n)]
ids[3] = HOSTILE
status = ["downloaded"] * n
status[5], status[6], status[7] = "missing", "corrupt", "pending"
audio = [sound] * n
audio[5] = audio[6] = audio[7] = None
audio[8] = adpcm
calls = pd.DataFrame({
    "session_id": ids, "recording_status": pd.Categorical(status), "audio": audio,
    "recording_error": [{"missing": "no recording", "corrupt": "the file is truncated"}.get(s) for s in status],
    "agent": [f"agent {i % 7}" for i in range(n)], "score": [(i * 37) % n for i in range(n)],
    "duration_s": [s.duration_s if s else np.nan for s in audio],
})
moments = pd.DataFrame({"session_id": ["call-0002", "call-0004"], "start_s": [12.0, 7.0],
                        "kind": ["slow_response", "interruption"], "text": ["answers after 4.2 s", "by the agent"]})
turns = pd.DataFrame({
    "session_id": ["call-0002"] * 2, "role": ["agent", "caller"], "channel": [0, 1], "start_s": [0.0, 8.0],
    "end_s": [7.0, 15.0], "gap_before_s": [np.nan, 1.0], "overlap_s": [0.0, 0.0], "interrupts": [False, True],
})
names = ["good", "escalate", "bad audio"]
main = player(calls, columns=["agent", "score"], moments=moments, turns=turns, labels=names, save_to="labels.csv")
chosen = []
main.on_select(chosen.append)
main
"""
_OTHER = """# other
other = player(calls.iloc[20:23])
other
"""
_URLS = '''# urls
hub = demo.hub(sessions={}, url_life_s=3.0).__enter__()
file = io.BytesIO()
sf.write(file, np.tile(np.int16(4000 * np.sin(np.arange(32000) / 9)).reshape(-1, 2), (1200, 1)), 16000, format="WAV")
hub.add("long", file.getvalue())
class Signing:
    """Nothing but signed URLs that die after three seconds, from another port than the page's."""
    signed = 0
    def sound(self, session_id):
        return None
    def signed_url(self, session_id, *, fresh):
        self.signed += 1
        return hub.sign(session_id), 3.0
signing = Signing()
urls = Player(pd.DataFrame({"session_id": ["long"], "recording_status": ["ready"]}), source=signing)
urls
'''

_BUSY = """
from pathlib import Path
flag, ends = Path("running"), time.monotonic() + 60
flag.write_text("yes")
while flag.read_text() == "yes" and time.monotonic() < ends:
    time.sleep(0.05)
flag.write_text("no")
"""


@pytest.fixture(scope="module", autouse=True)
def notebook(lab: Lab) -> None:
    """One notebook with three players for all tests."""
    lab.open("players.ipynb", [_SETUP, _MAIN, _OTHER, _URLS])
    lab.run_all()
    lab.page.wait_for_function("document.querySelectorAll('.kn-player').length === 3", timeout=60_000)


@pytest.fixture
def desk(lab: Lab) -> Locator:
    """The main player, paused on its second call, everything as at the start."""
    lab.kernel("main.pause(); main.select('call-0001'); main.seek(0)")
    player = lab.player("main")
    player.locator(".title", has_text="call-0001").wait_for()
    player.locator(".wave").focus()
    for key in ("Escape", "0"):
        lab.page.keyboard.press(key)
    if player.get_by_role("button", name="Auto-advance").get_attribute("aria-pressed") == "true":
        lab.page.keyboard.press("a")
    wait_for(lambda: _loaded(lab), what="the sound is loaded")
    return player


def _loaded(lab: Lab) -> bool:
    return bool(lab.page.evaluate("allSounds.some((each) => each.src && each.duration > 29)"))


def _playing(lab: Lab) -> list[dict[str, Any]]:
    script = "sounding().map((each) => ({at: each.currentTime, speed: each.playbackRate, src: each.src.slice(0, 5)}))"
    found: list[dict[str, Any]] = lab.page.evaluate(script)
    return found


def _at(player: Locator) -> float:
    minutes, seconds = player.locator(".time").inner_text().split(":")
    return int(minutes) * 60 + float(seconds)


def _click_wave(player: Locator, part: float) -> None:
    box = player.locator(".wave canvas").bounding_box()
    assert box is not None
    player.locator(".wave").click(position={"x": box["width"] * part, "y": box["height"] / 2})


def test_it_renders_and_opens_on_the_worst_call_at_the_worst_moment(lab: Lab) -> None:
    """The first thing in sight is the worst moment's call, two seconds before it."""
    player = lab.player("main")
    wait_for(lambda: "call-0002" in player.locator(".title").inner_text())
    wait_for(lambda: abs(_at(player) - 10.0) < 0.2, what="two seconds before the moment")
    assert player.locator("ol li").count() == 2
    assert "1,000 calls" in player.locator(".count").inner_text()
    wait_for(lambda: player.locator(".channel").count() == 2)
    assert "interruption" in player.locator(".legend").inner_text()


def test_a_click_plays_and_time_advances(lab: Lab, desk: Locator) -> None:
    """One click on play, and the element's own clock runs."""
    desk.get_by_role("button", name="Play", exact=True).click()
    first = wait_for(lambda: _playing(lab))[0]["at"]
    wait_for(lambda: any(each["at"] > first + 0.3 for each in _playing(lab)))
    desk.get_by_role("button", name="Pause").click()
    wait_for(lambda: not _playing(lab))


def test_what_is_switched_on_stays_readable_under_the_pointer(lab: Lab, desk: Locator) -> None:
    """The pointer rests where it has clicked: play, a muted channel and a set label keep their ground."""
    ground = "(node) => getComputedStyle(node).backgroundColor"
    is_on = "(node) => node.ariaPressed === 'true' || node.ariaLabel === 'Pause'"
    for name in (".icon.main", ".mix", ".tag"):
        button = desk.locator(name).first
        button.click()
        wait_for(lambda button=button: button.evaluate(is_on), what=f"{name} is on")
        under_pointer = button.evaluate(ground)
        lab.page.mouse.move(2, 2)
        wait_for(lambda button=button: not button.evaluate("(node) => node.matches(':hover')"))
        assert button.evaluate(ground) == under_pointer
        button.click()
        wait_for(lambda button=button: not button.evaluate(is_on), what=f"{name} is off")


def test_a_click_on_the_waveform_seeks(lab: Lab, desk: Locator) -> None:
    """The middle of the picture is the middle of the call, for the listener and for Python."""
    _click_wave(desk, 0.5)
    wait_for(lambda: abs(_at(desk) - 15.0) < 0.2)
    wait_for(lambda: abs(lab.kernel("print(main.position_s)") - 15.0) < 0.2)
    assert desk.locator(".wave").get_attribute("aria-valuenow") is not None


def test_speed_changes_the_pace_and_keeps_the_pitch(lab: Lab, desk: Locator) -> None:
    """Chosen from the list or by key, up to three times as fast."""
    desk.get_by_label("Speed").select_option("3")
    lab.page.keyboard.press("Escape")
    desk.get_by_role("button", name="Play", exact=True).click()
    assert wait_for(lambda: _playing(lab))[0]["speed"] == 3
    assert lab.page.evaluate("sounding()[0].preservesPitch") is True
    desk.locator(".wave").focus()
    lab.page.keyboard.press("[")
    wait_for(lambda: _playing(lab)[0]["speed"] == 2.5)
    lab.kernel("main.pause()")
    desk.get_by_label("Speed").select_option("1")


def test_a_dragged_region_is_looped(lab: Lab, desk: Locator) -> None:
    """Drag over a second: it starts there, and never leaves it again."""
    box = desk.locator(".wave canvas").bounding_box()
    assert box is not None
    lab.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    lab.page.mouse.down()
    lab.page.mouse.move(box["x"] + box["width"] * 0.52, box["y"] + 40, steps=4)
    lab.page.mouse.up()
    wait_for(lambda: desk.locator(".region").is_visible())
    desk.get_by_label("Speed").select_option("3")
    desk.get_by_role("button", name="Play", exact=True).click()
    seen: list[float] = []

    def jumped_back() -> bool:
        seen.append(_playing(lab)[0]["at"] if _playing(lab) else 15.0)
        return len(seen) > 1 and seen[-1] < seen[-2]

    wait_for(jumped_back)
    assert 14.8 <= min(seen) <= max(seen) <= 15.9
    lab.kernel("main.pause()")
    desk.get_by_label("Speed").select_option("1")


def _levels(lab: Lab) -> list[float]:
    script = """() => (window.speakers ?? []).map((analyser) => {
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return Math.max(...samples.map(Math.abs));
    })"""
    found: list[float] = lab.page.evaluate(script)
    return found


def test_muting_a_channel_silences_it_at_the_speakers(lab: Lab, desk: Locator) -> None:
    """Measured where the audio graph ends: one side silent, the other as loud as the file."""
    desk.get_by_role("button", name="Mute Channel 0").click()
    desk.get_by_role("button", name="Play", exact=True).click()
    wait_for(lambda: (found := _levels(lab)) and found[0] < 0.001 and found[1] > 0.3, what="left silent, right loud")
    desk.get_by_role("button", name="Mute Channel 0").click()
    desk.get_by_role("button", name="Solo Channel 0").click()
    wait_for(lambda: (found := _levels(lab)) and found[0] > 0.3 and found[1] < 0.001, what="left loud, right silent")
    desk.get_by_role("button", name="Pause").click()


def test_next_opens_the_next_call_and_goes_on_playing(lab: Lab, desk: Locator) -> None:
    """The sound of the next call was fetched ahead; Python hears of the choice."""
    desk.get_by_role("button", name="Play", exact=True).click()
    desk.get_by_role("button", name="Next call").click()
    wait_for(lambda: "call-0002" in desk.locator(".title").inner_text())
    wait_for(lambda: _playing(lab))
    wait_for(lambda: lab.kernel("print(json.dumps(chosen[-1]))") == "call-0002")
    lab.page.keyboard.press("p")
    wait_for(lambda: "call-0001" in desk.locator(".title").inner_text())
    lab.kernel("main.pause()")


def test_keys_work_and_never_reach_the_notebook(lab: Lab, desk: Locator) -> None:
    """Keys that would add, cut and hide cells do what the player says, or nothing."""
    cells = lab.page.locator(".jp-Cell").count()
    for key in ("a", "b", "x", "d", "d", "y", "k"):
        lab.page.keyboard.press(key)
    wait_for(lambda: _playing(lab), what="k plays")
    lab.page.keyboard.press("Space")
    wait_for(lambda: not _playing(lab), what="space pauses")
    before = _at(desk)
    lab.page.keyboard.press("ArrowRight")
    wait_for(lambda: abs(_at(desk) - before - 5) < 0.2)
    lab.page.keyboard.press("?")
    wait_for(lambda: desk.locator(".keys").is_visible())
    lab.page.keyboard.press("?")
    assert lab.page.locator(".jp-Cell").count() == cells
    assert lab.page.locator(".jp-MarkdownCell").count() == 0


def test_everything_that_is_clicked_is_reached_by_tab(desk: Locator) -> None:
    """The heads of the list are one stop, and the arrows go from one to the next."""
    unreached = """(node) => [...node.querySelectorAll('button, select, input')]
      .filter((each) => each.tabIndex < 0 && !each.closest('[role=columnheader]')).length"""
    assert desk.evaluate(unreached) == 0
    assert desk.locator("[role=columnheader] button[tabindex='0']").count() == 1


def test_the_list_of_keys_stands_as_a_list(lab: Lab, desk: Locator) -> None:
    """A key and what it does are on one line, whatever JupyterLab does to lists."""
    desk.get_by_text("Keyboard").click()
    heights = desk.evaluate("(node) => [...node.querySelectorAll('.keys > div')].map((line) => line.offsetHeight)")
    assert len(heights) == len(KEYS)
    assert max(heights) <= 26
    desk.get_by_text("Keyboard").click()


def test_labels_come_back_to_python_and_stay_on_disk(lab: Lab, desk: Locator) -> None:
    """A digit labels the call, a button a region, with a note; a second press takes it back."""
    file = lab.folder / "labels.csv"
    before = len(file.read_text().splitlines()) if file.exists() else 1
    desk.get_by_label("Note").fill("very <b>calm</b>")
    desk.locator(".wave").focus()
    lab.page.keyboard.press("1")
    wait_for(lambda: desk.locator("ul li").count() == 1)
    assert "very <b>calm</b>" in desk.locator("ul li").inner_text()
    desk.locator(".wave").focus()
    for key in ("ArrowRight", "i", "ArrowRight", "o"):
        lab.page.keyboard.press(key)
    desk.get_by_role("button", name="escalate").click()
    wait_for(lambda: desk.locator("ul li").count() == 2)
    assert desk.locator(".flag").inner_text() == "escalate", "the label is written over its region"
    wait_for(lambda: "your labels" in desk.locator(".legend").inner_text())
    assert desk.locator(".legend .key").last.evaluate("(node) => node.getBoundingClientRect().height") < 18
    rows = lab.kernel("print(main.labels.drop(columns='labelled_at').to_json(orient='records'))")
    assert [row["label"] for row in rows] == ["good", "escalate"]
    assert rows[0]["session_id"] == "call-0001"
    assert rows[0]["note"] == "very <b>calm</b>"
    assert rows[0]["start_s"] is None
    assert rows[1]["end_s"] - rows[1]["start_s"] == pytest.approx(5, abs=0.1)
    assert len(file.read_text().splitlines()) == before + 2
    lab.page.keyboard.press("Escape")
    lab.page.keyboard.press("1")
    wait_for(lambda: lab.kernel("print(len(main.labels))") == 1)
    assert lab.kernel("print(main.frame.label_regions.sum())") == 1


def test_only_one_player_sounds_at_a_time(lab: Lab, desk: Locator) -> None:
    """Pressing play in a second player pauses the first one."""
    desk.get_by_role("button", name="Play", exact=True).click()
    wait_for(lambda: _playing(lab))
    lab.player("other").get_by_role("button", name="Play", exact=True).click()
    desk.get_by_role("button", name="Play", exact=True).wait_for()
    wait_for(lambda: len(_playing(lab)) == 1)
    lab.kernel("other.pause()")


def test_rows_without_sound_say_why(lab: Lab, desk: Locator) -> None:
    """Missing, broken and pending rows are words, and play is off."""
    for session, words in (("call-0005", "No recording"), ("call-0006", "truncated"), ("call-0007", "Pending")):
        lab.kernel(f"main.select({session!r})")
        wait_for(lambda words=words: words in desk.locator(".silent").inner_text())
        assert desk.locator(".icon.main").is_disabled()
    lab.kernel("main.select('call-0001')")


def test_sound_that_no_browser_plays_is_decoded_by_the_kernel(lab: Lab, desk: Locator) -> None:
    """ADPCM is sent as PCM, and plays."""
    lab.kernel("main.select('call-0008'); main.play()")
    wait_for(lambda: any(abs(each["at"]) > 0.2 for each in _playing(lab)))
    lab.kernel("main.pause()")


def test_markup_in_a_session_id_stays_text(lab: Lab, desk: Locator) -> None:
    """A script tag as an id is shown as it is, and does nothing."""
    lab.kernel("main.select(HOSTILE)")
    wait_for(lambda: "<script>" in desk.locator(".title").inner_text())
    desk.locator(".row", has_text="<script>").first.wait_for()
    assert lab.page.evaluate("window.pwned") is None


def test_the_list_sorts_filters_and_scrolls(lab: Lab, desk: Locator) -> None:
    """All of it in the kernel; of a thousand rows a few dozen are in the page."""
    first = desk.locator(".row").first
    desk.get_by_role("button", name="score").click()
    wait_for(lambda: "call-0000" in first.inner_text())
    desk.get_by_role("button", name="score").click()
    wait_for(lambda: "999" in first.inner_text())
    desk.get_by_label("Filter", exact=True).fill("agent 3")
    wait_for(lambda: desk.locator(".count").inner_text() == "143 of 1,000 calls")
    desk.get_by_label("Filter", exact=True).fill("nobody says this")
    wait_for(lambda: desk.locator(".count").inner_text() == "0 of 1,000 calls")
    desk.get_by_role("button", name="Next call").click()
    desk.get_by_label("Filter", exact=True).fill("")
    wait_for(lambda: "1,000" in desk.locator(".count").inner_text())
    wait_for(lambda: desk.locator(".row").count() > 0)
    assert "call-0001" in desk.locator(".title").inner_text(), "an empty list had no next call to open later"
    desk.get_by_label("Filter by status").select_option("missing")
    wait_for(lambda: desk.locator(".count").inner_text() == "1 of 1,000 calls")
    desk.get_by_label("Filter by status").select_option("")
    wait_for(lambda: "1,000" in desk.locator(".count").inner_text())
    desk.get_by_role("button", name="session_id").click()
    desk.get_by_role("button", name="session_id").click()
    desk.locator(".row", has_text="call-0999").wait_for()
    desk.get_by_role("button", name="session_id").click()
    desk.locator(".row", has_text="<script>").wait_for()
    desk.locator(".grid").evaluate("(node) => { node.scrollTop = node.scrollHeight; }")
    desk.locator(".row", has_text="call-0999").wait_for()
    assert desk.locator(".row").count() < 60


def test_a_dead_url_is_replaced_and_playback_goes_on(lab: Lab) -> None:
    """A seek far beyond what is buffered, when the URL is dead: on it goes there, at the same speed."""
    player = lab.player("urls")
    player.get_by_label("Speed").select_option("1.5")
    player.get_by_role("button", name="Play", exact=True).click()
    wait_for(
        lambda: any(each["at"] > 3.5 and each["src"] == "http:" for each in _playing(lab)), what="three seconds on"
    )
    assert player.locator(".mix:enabled").count() == 0, "the sound of a URL can't be mixed"
    player.locator(".wave").focus()
    _click_wave(player, 0.9)
    wait_for(lambda: any(each["at"] > 1080.5 for each in _playing(lab)), what="goes on at the new place")
    assert [each["speed"] for each in _playing(lab)] == [1.5], "and nothing else sounds"
    assert lab.kernel("print(signing.signed)") >= 2


def test_a_dead_url_is_replaced_while_the_kernel_is_busy(lab: Lab) -> None:
    """The kernel pushes fresh URLs from a thread, so a running cell is in nobody's way."""
    player = lab.player("urls")
    player.get_by_role("button", name="Pause").wait_for()
    (lab.folder / "running").write_text("")
    lab.kernel_later(_BUSY)
    wait_for(lambda: (lab.folder / "running").read_text() == "yes", what="the cell runs")
    lab.page.wait_for_timeout(3500)  # the URL's life: nothing else tells that it is over
    _click_wave(player, 0.3)
    wait_for(lambda: any(360.3 < each["at"] < 400 for each in _playing(lab)), what="goes on while the cell runs")
    assert (lab.folder / "running").read_text() == "yes"
    player.get_by_role("button", name="Pause").click()
    (lab.folder / "running").write_text("stop")
    wait_for(lambda: (lab.folder / "running").read_text() == "no")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_nothing_serious_for_axe_in_either_theme(lab: Lab, desk: Locator, npm_packages: Path, theme: str) -> None:
    """axe-core finds no serious or critical fault, contrast included; the picture follows the theme."""
    lab.execute("apputils:change-theme", theme=theme)
    dark = "Dark" in theme
    wait_for(lambda: lab.page.evaluate("document.body.dataset.jpThemeLight") == str(not dark).lower())
    wait_for(lambda: _is_dark(desk) is dark, what="the player follows")
    wait_for(lambda: _axis_is_light(desk) is dark, what="the picture follows")
    if not lab.page.evaluate("Boolean(window.axe)"):
        lab.page.add_script_tag(path=str(npm_packages / "axe-core" / "axe.min.js"))
    desk.get_by_text("Keyboard").click()
    found = desk.evaluate("async (node) => (await axe.run(node)).violations")
    desk.get_by_text("Keyboard").click()
    serious = [
        (each["id"], [node["html"][:120] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


def _axis_is_light(player: Locator) -> bool:
    """Whether the digits under the picture, which are grey, are lighter than mid-grey."""
    script = """(canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, canvas.height - 14, canvas.width, 12);
      let [total, count] = [0, 0];
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) { total += data[i]; count++; }
      return total / count;
    }"""
    return bool(player.locator(".wave canvas").evaluate(script) > 128)


def _is_dark(player: Locator) -> bool:
    red = player.evaluate("(node) => getComputedStyle(node).backgroundColor.match(/[0-9]+/)[0]")
    return int(red) < 128


def test_it_fits_400_pixels(lab: Lab, desk: Locator) -> None:
    """At 400 px nothing sticks out, and play is still there."""
    desk.evaluate("(node) => { node.parentElement.style.maxWidth = '400px'; }")
    wait_for(lambda: (desk.bounding_box() or {"width": 999})["width"] <= 400)
    inner, outer = desk.evaluate("(node) => [node.scrollWidth, node.clientWidth]")
    assert inner <= outer
    assert desk.get_by_role("button", name="Play", exact=True).is_visible()
    desk.evaluate("(node) => { node.parentElement.style.maxWidth = ''; }")


def test_the_saved_notebook_is_small_and_holds_no_secret(lab: Lab) -> None:
    """State is saved; of a thousand calls it takes 20 kB above script and style, without URL, key or sound."""
    lab.execute("docmanager:save")
    text = wait_for(lambda: (found := (lab.folder / "players.ipynb").read_text()) and "widget-state" in found and found)
    assert "X-Amz" not in text
    assert "127.0.0.1" not in text
    assert lab.kernel("print(json.dumps(hub.api_key))") not in text
    assert "UklGR" not in text, "no WAV in base64"
    states = json.loads(text)["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    desks = [json.dumps(each) for each in states.values() if each["state"].get("first", {}).get("total") == 1000]
    containers = [json.dumps(each) for each in states.values() if "_esm" not in each["state"]]
    assert len(desks) == 1
    assert len(desks[0]) + sum(map(len, containers)) <= len(json.dumps([str(Desk._esm), str(Desk._css)])) + 20_000
