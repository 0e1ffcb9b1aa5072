"""The card that a notebook shows of a recording."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from tones import encoded, tone

from kataven_notebook import Recording

pytestmark = pytest.mark.core


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.lines = [""]
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        """Note a tag; a break begins a line."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "br":
            self.lines.append("")

    def handle_data(self, data) -> None:
        """Note text."""
        self.lines[-1] += data


def test_the_card_says_what_the_recording_is_and_where_it_lies(tmp_path) -> None:
    """In three lines, in the page's own colours, and without sound or anything from outside."""
    path = tmp_path / "call & more.flac"
    path.write_bytes(encoded(tone(75), "FLAC", "PCM_16"))
    size = f"{path.stat().st_size / 1e3:,.0f} kB"
    page = Page(Recording.from_file(path, session_id="s1")._repr_html_())
    assert page.lines == ["s1", f"1:15 · 8,000 Hz · 2 channels · flac (pcm_16) · {size}", str(path)]
    assert page.tags == ["div", "b", "br", "br", "span"]
    assert page.attributes == {"style"}
    held = Page(Recording.from_bytes(encoded(tone(0.5), "MP3", "MPEG_LAYER_III"))._repr_html_())
    assert (held.lines[0], held.lines[2]) == ("Recording", "in memory")
    assert "· mp3 ·" in held.lines[1]
    part = Page(Recording.from_samples([[0.0]] * 400, 8_000).slice(0, 0.01)._repr_html_())
    assert part.lines[1].startswith("10 ms · 8,000 Hz · 1 channel · wav (float) · ")
    assert part.lines[2] == "in memory"


@pytest.mark.parametrize(
    "name", ['<script>alert("x")</script>', "a\u202eb\x1b[0m\ud800", "'\"><img src=x>", "x" * 5_000]
)
def test_an_id_can_not_write_into_the_page(name) -> None:
    """Nor turn its text around, nor fill it."""
    text = Recording.from_bytes(encoded(tone(0.1), "WAV", "PCM_16"), session_id=name)._repr_html_()
    assert Page(text).tags == ["div", "b", "br", "br", "span"]
    assert len(text.encode()) < 1_000
    assert "\u202e" not in text


def test_sound_in_a_bucket_is_not_read_for_a_card() -> None:
    """What is known of it stands in the store."""

    class Remote:
        def read(self) -> bytes:
            raise AssertionError("a card needs no sound")

    held = Recording.from_bytes(encoded(tone(0.1), "WAV", "PCM_16"))
    far = Recording(Remote(), held.info, held.size_bytes, session_id="s1")
    assert Page(far._repr_html_()).lines[2] == "in object storage"
