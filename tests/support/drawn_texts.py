"""Where the texts of a figure stand: within it, and not on each other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_TOUCH_PX = 3.0


def texts_of(figure: Figure) -> list[tuple[str, Any]]:
    """Return every text that is seen, with its box, after the figure was drawn."""
    figure.canvas.draw()
    found = []
    for ax in figure.findobj(lambda artist: hasattr(artist, "get_xlim")):
        found += [(text.get_text(), text.get_window_extent()) for text in _texts(ax) if text.get_text().strip()]
    return found


def _texts(ax: Axes) -> Iterator[Text]:
    yield from ax.texts
    if (legend := ax.get_legend()) is not None:
        yield from legend.get_texts()
    if not ax.axison:
        return
    yield from (ax.title, ax._left_title, ax._right_title, ax.xaxis.label, ax.yaxis.label)
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, high = sorted(limits)
        slack = 1e-9 * (high - low)
        ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False)
        yield from (label for place, label in ticks if low - slack <= place <= high + slack)


def check_texts(figure: Figure) -> None:
    """Fail where a text leaves the figure, or stands on another."""
    texts, page = texts_of(figure), figure.bbox
    for text, box in texts:
        sides = (box.x0 - page.x0, box.y0 - page.y0, page.x1 - box.x1, page.y1 - box.y1)
        assert min(sides) >= -_TOUCH_PX, f"{text!r} leaves the figure by {-min(sides):.1f} px"
    for (text, box), (other, place) in itertools.combinations(texts, 2):
        width = min(box.x1, place.x1) - max(box.x0, place.x0)
        height = min(box.y1, place.y1) - max(box.y0, place.y0)
        assert min(width, height) <= _TOUCH_PX, f"{text!r} stands on {other!r}"
