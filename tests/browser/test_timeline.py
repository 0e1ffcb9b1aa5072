"""The timeline at work: zoom, pan, minimap, heights, closer looks and the spectrogram, by every kind of pointer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from browsing import wait_for

from kataven_notebook.desk import page as _page

if TYPE_CHECKING:
    from browsing import Lab
    from playwright.sync_api import Locator

pytestmark = pytest.mark.long

_SETUP = """
import io
import numpy as np, pandas as pd, soundfile as sf
from kataven_notebook.sound.recording import Recording
from kataven_notebook.desk.open import player
from kataven_notebook.desk.widget import Player

def call(seconds, quiet=0.02, loud=0.5, sample_rate=8000):
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    tones = [amplitude * np.sin(2 * np.pi * hz * t) for amplitude, hz in ((quiet, 1000), (loud, 100))]
    tones[0][t < seconds / 2] = 0
    file = io.BytesIO()
    sf.write(file, np.column_stack(tones), sample_rate, format="WAV")
    return Recording.from_bytes(file.getvalue())

calls = pd.DataFrame({"session_id": ["long", "noise"], "recording_status": "downloaded",
                      "audio": [call(100), call(10, quiet=0.0005, loud=0.999)]})
class Away:
    def sound(self, session_id):
        return None
    def signed_url(self, session_id, *, fresh):
        raise OSError("the storage is away")
"""
_MAIN = "# main\nmain = player(calls)\nmain"
_AWAY = """# away
frame = pd.DataFrame({"session_id": ["far"], "recording_status": "ready", "duration_s": 100.0})
away = Player(frame, source=Away())
away"""
# Of two columns of a lane, in the middle of a call: how many pixels are drawn above its middle line, and below.
_DRAWN = """(canvas, [x, lane]) => {
  const scale = devicePixelRatio, high = (canvas.clientHeight - 46) / 2, middle = 26 + (lane + 0.5) * high;
  const { data } = canvas.getContext("2d").getImageData(x * scale, (middle - high / 2) * scale, 1, high * scale);
  const drawn = Array.from({ length: high * scale }, (_, i) => data[4 * i + 3] > 100);
  const half = drawn.length / 2;
  return [drawn.slice(0, half).filter(Boolean).length / scale, drawn.slice(half).filter(Boolean).length / scale];
}"""


@pytest.fixture(scope="module", autouse=True)
def notebook(lab: Lab) -> None:
    """One notebook with two players for all tests."""
    lab.open("timeline.ipynb", [_SETUP, _MAIN, _AWAY])
    lab.run_all()
    lab.page.wait_for_function("document.querySelectorAll('.kn-player').length === 2", timeout=60_000)


@pytest.fixture
def desk(lab: Lab) -> Locator:
    """The main player at the start of its first call, all of which is in sight, with nothing focused."""
    lab.kernel("main.select('long')")
    player = lab.player("main")
    player.locator(".title", has_text="long").wait_for()
    wait_for(lambda: player.locator(".minimap path").get_attribute("d"), what="the peaks are here")
    player.locator(".wave").focus()
    for key in ("Escape", "0", "Home"):
        lab.page.keyboard.press(key)
    wait_for(lambda: _view(player) == (0.0, 100.0))
    player.locator(".wave").evaluate("(node) => node.blur()")
    return player


def _view(player: Locator) -> tuple[float, float]:
    """Start and length of what is in sight, in hundredths of the call: where the minimap's window stands."""
    style = player.locator(".window").get_attribute("style") or ""
    left, width = (float(each) for each in re.findall(r"([\d.e-]+)%", style))
    return round(left, 2), round(width, 2)


def _at(player: Locator) -> float:
    minutes, seconds = player.locator(".time").inner_text().split(":")
    return int(minutes) * 60 + float(seconds)


def _box(player: Locator, part: str = ".wave canvas") -> dict[str, Any]:
    box = player.locator(part).bounding_box()
    assert box is not None
    return dict(box)


def _drawn(player: Locator, part: float, lane: int) -> list[float]:
    width = _box(player)["width"]
    found: list[float] = player.locator(".wave canvas").evaluate(_DRAWN, [int(width * part), lane])
    return found


def _gains(player: Locator) -> list[str]:
    """How many times higher than recorded each lane says that it is drawn."""
    return [text[1:] for text in player.locator(".gains b").all_inner_texts()]


def _scrolled(player: Locator) -> float:
    return _box(player)["y"]


def _drag(lab: Lab, box: dict[str, Any], start: float, end: float, *, y: float = 60, button: Any = "left") -> None:
    mouse = lab.page.mouse
    mouse.move(box["x"] + box["width"] * start, box["y"] + y)
    mouse.down(button=button)
    mouse.move(box["x"] + box["width"] * end, box["y"] + y, steps=4)
    mouse.up(button=button)


def test_the_wheel_scrolls_the_page_until_it_is_asked_to_zoom(lab: Lab, desk: Locator) -> None:
    """Zoom with Ctrl, or after a click; around the pointer; and scrolling again where all is in sight."""
    box, before = _box(desk), _scrolled(desk)
    lab.page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 60)
    lab.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 60)
    lab.page.mouse.wheel(0, 60)
    wait_for(lambda: _scrolled(desk) < before, what="the page scrolled")
    assert _view(desk) == (0.0, 100.0)
    assert "Ctrl+wheel" in desk.locator(".hover").inner_text()
    lab.page.mouse.wheel(0, -60)
    wait_for(lambda: _scrolled(desk) == before, what="and back")
    lab.page.keyboard.down("Control")
    lab.page.mouse.wheel(0, -100)
    lab.page.keyboard.up("Control")
    wait_for(lambda: _view(desk)[1] < 80)
    left, length = _view(desk)
    assert left + 0.25 * length == pytest.approx(25, abs=0.3), "the time under the pointer stays there"
    desk.locator(".wave").click(position={"x": box["width"] / 2, "y": 60})
    lab.page.mouse.wheel(0, -100)
    wait_for(lambda: _view(desk)[1] < length, what="after a click the wheel zooms")
    assert _scrolled(desk) == before
    for _ in range(4):
        lab.page.mouse.wheel(0, 100)
    wait_for(lambda: _view(desk) == (0.0, 100.0))
    lab.page.mouse.wheel(0, 100)
    wait_for(lambda: _scrolled(desk) < before, what="nothing left to zoom: the page scrolls")
    lab.page.mouse.wheel(0, -100)


def test_the_picture_is_moved_by_wheel_drag_and_keys(lab: Lab, desk: Locator) -> None:
    """Shift or a middle button moves it; a drag without them still draws a region."""
    box = _box(desk)
    desk.locator(".wave").focus()
    for _ in range(2):
        lab.page.keyboard.press("+")
    wait_for(lambda: _view(desk) == (0.0, 25.0))
    lab.page.mouse.move(box["x"] + 100, box["y"] + 60)
    lab.page.keyboard.down("Shift")
    lab.page.mouse.wheel(0, 100)
    wait_for(lambda: _view(desk)[0] > 1)
    left = _view(desk)[0]
    _drag(lab, box, 0.8, 0.4)
    lab.page.keyboard.up("Shift")
    wait_for(lambda: _view(desk)[0] == pytest.approx(left + 10, abs=0.2), what="Shift+drag")
    _drag(lab, box, 0.4, 0.8, button="middle")
    wait_for(lambda: _view(desk)[0] == pytest.approx(left, abs=0.2), what="the middle button")
    _drag(lab, box, 0.8, 0.4, y=box["height"] - 6)
    wait_for(lambda: _view(desk)[0] == pytest.approx(left + 10, abs=0.2), what="the axis")
    assert not desk.locator(".band").is_visible()
    lab.page.keyboard.press("PageDown")
    wait_for(lambda: _view(desk)[0] == pytest.approx(left + 32.5, abs=0.3))
    lab.page.keyboard.press("End")
    wait_for(lambda: _at(desk) == 100.0 and sum(_view(desk)) == 100.0)
    lab.page.keyboard.press("Home")
    wait_for(lambda: _at(desk) == 0.0 and _view(desk)[0] == 0.0)
    _drag(lab, box, 0.4, 0.6)
    wait_for(lambda: desk.locator(".band").is_visible(), what="a region")
    assert _view(desk) == (0.0, 25.0)


def test_the_minimaps_window_is_dragged_and_resized(lab: Lab, desk: Locator) -> None:
    """By its ends it zooms, by its middle it moves, and beside it a click brings it there."""
    box = _box(desk, ".minimap")
    _drag(lab, box, 0.999, 0.2, y=10)
    wait_for(lambda: _view(desk)[1] == pytest.approx(20, abs=1))
    _drag(lab, box, 0.1, 0.5, y=10)
    wait_for(lambda: _view(desk)[0] == pytest.approx(40, abs=1))
    assert _view(desk)[1] == pytest.approx(20, abs=1)
    _drag(lab, box, 0.9, 0.9, y=10)
    wait_for(lambda: _view(desk)[0] == pytest.approx(80, abs=1))
    assert _at(desk) == 0.0


def test_two_fingers_zoom_what_is_between_them(lab: Lab, desk: Locator) -> None:
    """And draw no region; one finger that the page takes to scroll draws none either."""
    box = _box(desk)
    touch = lab.page.context.new_cdp_session(lab.page)

    def fingers(kind: str, *parts: float) -> None:
        points = [{"x": box["x"] + box["width"] * at, "y": box["y"] + 60, "id": i} for i, at in enumerate(parts)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 0.4)
    fingers("touchStart", 0.4, 0.6)
    for spread in (0.15, 0.2, 0.3, 0.4):
        fingers("touchMove", 0.5 - spread, 0.5 + spread)
    fingers("touchEnd")
    wait_for(lambda: _view(desk)[1] == pytest.approx(25, abs=1))
    assert _view(desk)[0] == pytest.approx(37.5, abs=1)
    assert not desk.locator(".band").is_visible()
    fingers("touchStart", 0.4)
    touch.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})
    touch.detach()
    assert not desk.locator(".band").is_visible()


def test_the_time_under_the_pointer_is_said(lab: Lab, desk: Locator) -> None:
    """It goes with the pointer."""
    box = _box(desk)
    lab.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 60)
    wait_for(lambda: re.match(r"0:2(4\.9|5\.[01])", desk.locator(".hover").inner_text()))
    lab.page.mouse.move(2, 2)
    wait_for(lambda: not desk.locator(".hover").is_visible())


def test_a_quiet_voice_is_as_high_as_a_loud_one_and_noise_is_not(lab: Lab, desk: Locator) -> None:
    """Each channel by its own loudness, up to 16 times, and in words; keys make all of it higher."""
    wait_for(lambda: _gains(desk) == ["16", "2"])
    assert sum(_drawn(desk, 0.75, 0)) == pytest.approx(0.32 * 52, abs=4)
    assert sum(_drawn(desk, 0.75, 1)) == pytest.approx(52, abs=4)
    assert sum(_drawn(desk, 0.25, 0)) < 4, "silence is a line"
    desk.locator(".wave").focus()
    lab.page.keyboard.press("Shift+ArrowUp")
    wait_for(lambda: _gains(desk) == ["24", "3"])
    assert sum(_drawn(desk, 0.75, 0)) == pytest.approx(0.48 * 52, abs=4)
    lab.page.keyboard.press("0")
    wait_for(lambda: _gains(desk) == ["16", "2"])
    lab.kernel("main.select('noise')")
    desk.locator(".title", has_text="noise").wait_for()
    wait_for(lambda: 0 < sum(_drawn(desk, 0.75, 0)) < 4)
    assert desk.locator(".gains b").nth(1).is_hidden(), "nothing is said of a lane that is drawn as recorded"


def test_what_was_heard_has_another_shade(desk: Locator) -> None:
    """Where the listener is now it changes; what is ahead has the channel's own colour, and so its contrast."""
    look = """(canvas) => [0.25, 0.75].map((part) => [...canvas.getContext("2d")
      .getImageData(canvas.width * part, (26 + 90) * devicePixelRatio, 1, 1).data])"""
    lane = "(node) => getComputedStyle(node.querySelectorAll('.name')[1]).color.match(/\\d+/g).map(Number)"
    box = _box(desk)
    desk.locator(".wave").click(position={"x": box["width"] / 2, "y": 60})

    def shades() -> list[list[int]]:
        found: list[list[int]] = desk.locator(".wave canvas").evaluate(look)
        return found

    wait_for(lambda: shades()[0] != shades()[1])
    heard, ahead = shades()
    assert ahead == [*desk.evaluate(lane), 255]
    assert sum(abs(one - other) for one, other in zip(heard, ahead, strict=True)) > 60


def test_single_samples_are_seen_in_a_close_look(lab: Lab, desk: Locator) -> None:
    """Peaks of ten milliseconds are above and below; of a wave's samples only one side is at a time."""
    desk.locator(".wave").focus()
    lab.page.keyboard.press("End")
    for _ in range(12):
        lab.page.keyboard.press("+")
    wait_for(lambda: _view(desk)[1] < 0.1, what="less than a tenth of a second in sight")

    def is_a_line() -> bool:
        sides = [_drawn(desk, part / 100, 1) for part in range(5, 95, 3)]
        return any(up and not down for up, down in sides) and any(down and not up for up, down in sides)

    wait_for(is_a_line)


def test_s_shows_a_spectrogram_under_each_channel(lab: Lab, desk: Locator) -> None:
    """The lanes get room for it; at a tone of 1 kHz it is darkest; the heads of the channels keep beside it."""
    desk.locator(".wave").focus()
    lab.page.keyboard.press("s")
    wait_for(lambda: _box(desk)["height"] == 46 + 2 * 150)
    look = """(canvas) => {
      const { data } = canvas.getContext("2d").getImageData(canvas.width * 0.8, (26 + 62) * devicePixelRatio, 1,
        84 * devicePixelRatio);
      const light = Array.from({ length: data.length / 4 }, (_, i) => data[4 * i] + data[4 * i + 1] + data[4 * i + 2]);
      return data[3] < 255 ? -1 : light.indexOf(Math.min(...light)) / light.length;
    }"""
    wait_for(lambda: desk.locator(".wave canvas").evaluate(look) == pytest.approx(0.75, abs=0.06), what="1 of 4 kHz")
    assert _box(desk, ".channel >> nth=0")["height"] == 150
    lab.page.keyboard.press("s")
    wait_for(lambda: _box(desk)["height"] == 46 + 2 * 60)


def test_what_nobody_has_looked_at_is_no_silence(lab: Lab) -> None:
    """Without peaks the lane is empty: a flat line would say that nobody speaks."""
    player = lab.player("away")
    player.scroll_into_view_if_needed()
    wait_for(lambda: _box(player)["height"] > 60)
    look = """(canvas) => canvas.width && canvas.getContext("2d")
      .getImageData(0, 26 * devicePixelRatio, canvas.width, 60 * devicePixelRatio).data.some(Boolean)"""
    wait_for(lambda: player.locator(".wave canvas").evaluate(look) is False)


def test_an_idle_player_draws_nothing(lab: Lab, desk: Locator) -> None:
    """Nor does it ask for frames; while it plays it does, and then not again."""
    lab.page.mouse.move(2, 2)
    count = """async (ms) => {
      const [real, draw] = [window.requestAnimationFrame, CanvasRenderingContext2D.prototype.drawImage];
      let frames = 0;
      window.requestAnimationFrame = (callback) => (frames++, real(callback));
      CanvasRenderingContext2D.prototype.drawImage = function (...all) { frames++; return draw.apply(this, all); };
      await new Promise((resolve) => setTimeout(resolve, ms));
      [window.requestAnimationFrame, CanvasRenderingContext2D.prototype.drawImage] = [real, draw];
      return frames;
    }"""
    wait_for(lambda: lab.page.evaluate(count, 300) == 0)
    desk.get_by_role("button", name="Play", exact=True).click()
    wait_for(lambda: lab.page.evaluate(count, 300) >= 6, what="frames while it plays")
    desk.get_by_role("button", name="Pause").click()
    lab.page.mouse.move(2, 2)
    wait_for(lambda: lab.page.evaluate(count, 300) == 0)


@pytest.mark.parametrize(("theme", "ground"), [(0, "#ffffff"), (1, "#212121")])
@pytest.mark.parametrize("name", ["agent", "caller", "channel0", "channel1", "quiet"])
def test_waves_stand_out_from_the_ground(name: str, theme: int, ground: str) -> None:
    """3 to 1 at least, as they are drawn before they are heard."""
    style = (_page._STATIC / "player.css").read_text()
    found = re.search(rf"--{name}: light-dark\((#\w+), (#\w+)\)", style)
    assert found is not None
    colour, back = ([int(each[at : at + 2], 16) for at in (1, 3, 5)] for each in (found[1 + theme], ground))
    lights = sorted(_luminance(each) + 0.05 for each in (colour, back))
    assert lights[1] / lights[0] >= 3.0


def _luminance(colour: list[float]) -> float:
    parts = [each / 255 for each in colour]
    linear = [each / 12.92 if each <= 0.04 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
