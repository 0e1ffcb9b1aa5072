"""Makes the picture of a report that the README shows, of the demo's calls, in Chromium.

`PYTHONPATH=tests/support python tests/support/report_picture.py`; it needs the extra `[plots]`.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from browsing import chromium_page
from PIL import Image

import kataven_notebook as kn

PICTURE = Path(__file__).parents[2] / "docs" / "report.png"
_CALLS = 120
_WIDE, _HIGH = 1_040, 1_240


def main() -> None:
    """Measure calls of two prompts, report on them, and write what a reader sees first."""
    with kn.demo.hub(calls=_CALLS) as hub, tempfile.TemporaryDirectory() as folder:
        calls = kn.metrics(kn.audio(hub.sessions, settings=hub.settings), settings=hub.settings)
        path = kn.report(
            calls, Path(folder) / "report.html", by="prompt", metric=_SHOWN, clips=12, title="Which prompt is better?"
        )
        print(f"{path.stat().st_size / 1e6:.1f} MB")  # noqa: T201 - a script
        with chromium_page() as page:
            page.set_viewport_size({"width": _WIDE, "height": _HIGH})
            page.goto(path.as_uri())
            page.wait_for_load_state("networkidle")
            top = _picture(page.screenshot())
            page.locator("h2", has_text="Clips").scroll_into_view_if_needed()
            page.evaluate("document.querySelector('.clips').scrollIntoView(); scrollBy(0, -40)")
            clips = _picture(page.screenshot())
    both = Image.new("RGB", (2 * _WIDE + 40, _HIGH), "#d5dae0")
    both.paste(top, (0, 0))
    both.paste(clips, (_WIDE + 40, 0))
    size = (both.width * 2 // 3, both.height * 2 // 3)
    small = both.resize(size, Image.Resampling.LANCZOS)
    # By the colours that are there, however rare: marks are small.
    few = small.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(PICTURE, optimize=True)


_SHOWN = ["response_latency_p50_s", "interruptions_by_agent", "interruptions_by_caller", "silence_ratio", "talk_ratio"]


def _picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


if __name__ == "__main__":
    main()
