"""The report in Chromium, opened from a disk: it plays, asks nobody, and can be read by everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.publish.reporting import report
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.long

_PLAYS = """async (sound) => {
  await sound.play();
  await new Promise((done) => sound.addEventListener("timeupdate", () => sound.currentTime > 0.2 && done()));
  sound.pause();
  return [sound.duration, sound.error];
}"""
_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _frame() -> pd.DataFrame:
    rate, draw = 8_000, np.random.default_rng(0)
    t = np.arange(8 * rate) / rate
    sound = Recording.from_samples(
        np.column_stack([0.3 * np.sin(1_900 * t) * (t < 3), 0.3 * np.sin(3_000 * t) * (t > 5)]), rate
    )
    hostile = "<img src=https://tracker.example/x.png onerror=alert(1)>"
    return pd.DataFrame(
        {
            "session_id": [f"{hostile}-{each}" for each in range(12)],
            "prompt": ["v1 " + "w" * 60, hostile] * 6,
            "audio": [sound] * 12,
            "recording_status": ["downloaded"] * 12,
            "duration_s": 8.0,
            "agent_channel": 1,
            "response_latency_p50_s": draw.gamma(4, 0.25, 12),
            "talk_ratio": draw.random(12),
        }
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with clips and figures."""
    calls = _frame()
    moments = pd.DataFrame(
        {
            "session_id": calls["session_id"][:2],
            "kind": "dead air",
            "start_s": 3.0,
            "end_s": 5.0,
            "text": "<b>silence</b>",
        }
    )
    return report(calls, tmp_path_factory.mktemp("report") / "report.html", by="prompt", clips=moments, progress=False)


@pytest.fixture
def browser(chromium: Page) -> Browser:
    """The shared Chromium."""
    assert chromium.context.browser is not None
    return chromium.context.browser


def _opened(browser: Browser, path: Path, **options: Any) -> tuple[Page, list[str]]:
    """The page in a window of its own, and what it asked for or complained of."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(10_000)
    noted: list[str] = []
    page.on("console", lambda message: noted.append(message.text))
    page.on("pageerror", lambda error: noted.append(str(error)))
    page.on("request", lambda request: noted.append(request.url) if not request.url.startswith("data:") else None)
    page.goto(path.as_uri())
    return page, noted


def test_clips_play_and_nothing_is_fetched(browser: Browser, path: Path) -> None:
    """Each has its own sound, as long as the clip; the one request is the page."""
    page, noted = _opened(browser, path)
    for sound in page.locator("audio").all():
        duration_s, error = sound.evaluate(_PLAYS)
        assert error is None
        assert duration_s == pytest.approx(4.0, abs=0.2)
    assert page.locator("audio").count() == 2
    assert noted == [path.as_uri()]
    page.context.close()


def test_the_key_has_its_colours_where_the_reader_chose_others(browser: Browser, path: Path) -> None:
    """The waves keep theirs."""
    page, _ = _opened(browser, path, forced_colors="active")
    key = page.locator(".key i")
    assert key.first.evaluate("mark => getComputedStyle(mark).backgroundColor") == "rgb(21, 96, 189)"
    page.context.close()


def test_it_is_read_without_scripts_and_on_a_telephone(browser: Browser, path: Path) -> None:
    """Nothing is wider than the page, down to 360 px, and controls are there."""
    page, noted = _opened(browser, path, java_script_enabled=False, viewport={"width": 360, "height": 740})
    assert "than v1" in page.locator("header").inner_text() or "v1" in page.locator("header").inner_text()
    assert page.get_by_role("table").count() == 3
    assert page.get_by_role("img").count() >= 2
    assert page.locator("audio").first.bounding_box()["width"] > 250
    assert noted == [path.as_uri()]
    page.context.close()
    page, _ = _opened(browser, path, viewport={"width": 360, "height": 740})
    assert page.evaluate(_WIDE) <= 0
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_for_axe_in_either_theme(browser: Browser, path: Path, npm_packages: Path, theme: str) -> None:
    """axe-core finds no fault at all, contrast included; page and figures follow the theme."""
    page, _ = _opened(browser, path, color_scheme=theme, bypass_csp=True)
    page.add_script_tag(path=str(npm_packages / "axe-core" / "axe.min.js"))
    found = page.evaluate("async () => (await axe.run()).violations")
    assert [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found] == []
    colours = page.evaluate(
        """() => ["html", "figure svg text"].map((each) => {
          const style = getComputedStyle(document.querySelector(each));
          return each === "html" ? style.backgroundColor : style.fill;
        })"""
    )
    light = [sum(int(part) for part in each[4:-1].split(",")) > 384 for each in colours]
    assert light == ([True, False] if theme == "light" else [False, True])
    page.context.close()


def test_on_paper_it_is_light_and_says_where_the_sound_is(browser: Browser, path: Path) -> None:
    """Also for a reader whose screen is dark."""
    page, _ = _opened(browser, path, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("audio").first.is_visible()
    assert page.get_by_text("of the call plays in the file").first.is_visible()
    pages = page.pdf(format="A4").count(b"/Type /Page\n")
    assert 2 <= pages <= 8
    page.context.close()
