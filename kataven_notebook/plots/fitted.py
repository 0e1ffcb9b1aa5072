"""Text that stays where there is room for it, whatever the figure's size, style and layout.

Imported inside functions alone, since matplotlib is an extra.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, cast

from matplotlib.colors import to_rgba
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.textpath import TextToPath
from matplotlib.transforms import ScaledTranslation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.transforms import Bbox

_HANDLE_EM = 1.8
_ENTRY_EM = 2.4
_MARGIN_EM = 2.0
_AXIS_SHARE = 0.6
"""An axis has at least about this share of its part of the figure, before the figure is laid out."""
_STEADY = 0.85
_LONGEST_EM = 16.0
"""What a key's entry takes beside its handle and its text: the space between them, and that to the next entry."""


class FittedText(Text):
    """Writes the first of its wordings that fits its room, moved sideways into the axes; where none fits, nothing.

    Parameters
    ----------
    ax
        Whose width is its room; it is added to them.
    x, y
        Where it stands, in data; `y` is its lower end, and `x` its middle or, with `ha`, its left.
    wordings
        From the longest to the shortest.
    height
        Its room's height in data.
    **options
        As `matplotlib.text.Text` takes them.
    """

    def __init__(self, ax: Axes, x: float, y: float, wordings: Sequence[str], *, height: float, **options: Any) -> None:
        self._wordings, self._anchor, self._height = list(wordings), (x, y), height
        given = {"ha": "center", "va": "bottom", "fontsize": "small"} | options
        super().__init__(x, y, self._wordings[0], **given)
        self.set_transform(ax.transData + ScaledTranslation(0, 1.5 / 72, ax.figure.dpi_scale_trans))
        # It is within the axes, so that no layout has to make room for it.
        self.set_in_layout(False)
        ax.add_artist(self)
        self.set_clip_on(False)
        if to_rgba(ax.get_facecolor())[3] == 1:
            # Lines and points behind it stop short of it.
            self.set_path_effects([withStroke(linewidth=2.5, foreground=ax.get_facecolor())])

    def get_window_extent(self, renderer: RendererBase | None = None, dpi: float | None = None) -> Bbox:
        """Return its box, of the wording that fits."""
        self._choose(renderer)
        return super().get_window_extent(renderer, dpi)

    def draw(self, renderer: RendererBase) -> None:
        """Draw the wording that fits."""
        self._choose(renderer)
        super().draw(renderer)

    def _choose(self, renderer: RendererBase | None) -> None:
        ax, (x, y) = self.axes, self._anchor
        if ax is None:
            return
        low, high = ax.transData.transform([(x, y), (x, y + self._height)])[:, 1]
        room = ax.bbox
        for wording in self._wordings:
            self.set_text(wording)
            self.set_position((x, y))
            box = super().get_window_extent(renderer)
            if box.width <= room.width and box.height <= abs(high - low):
                shift = max(room.x0 - box.x0, 0.0) or min(room.x1 - box.x1, 0.0)
                if shift:
                    right, up = ax.transData.transform((x, y))
                    self.set_x(float(ax.transData.inverted().transform((right + shift, up))[0]))
                return
        self.set_text("")


class AxisLabel(Text):
    """An axis's label that is broken into lines no longer than its axis.

    matplotlib wraps text at the figure's edge (`wrap=True`), where labels of neighbours run into each other.
    """

    kept_to: Axes
    _room: float = 0.0

    def _get_wrap_line_width(self) -> float:
        # What the base class asks while it wraps. It is not public: tests/plots/test_fitted.py holds that it is asked.
        upright = self.get_rotation() % 180 == 90
        box, cell = self.kept_to.bbox, cell_size(self.kept_to)
        scale = self.kept_to.figure.dpi / 72
        room = min(box.height if upright else box.width, scale * _AXIS_SHARE * cell[upright])
        # A layout measures labels before it places the axes a last time: lines must not become more then.
        if not _STEADY * self._room <= room <= self._room:
            self._room = float(room)
        return scale * _narrowest(self.get_text(), self._room / scale, cast("float", self.get_fontsize()))


def _narrowest(text: str, room: float, size: float) -> float:
    """Return the least width that takes no more lines than the room does, so that no unit stands on a line of its own.

    In points. The text is broken at spaces, where a line has no room for the next word.
    """
    space = text_width("a a", size) - 2 * text_width("a", size)
    lines = [[text_width(word, size) for word in line.split(" ")] for line in text.split("\n")]
    counted = _count_lines(lines, space, room)
    low, high = 0.4 * room, room
    for _ in range(6):
        middle = (low + high) / 2
        low, high = (low, middle) if _count_lines(lines, space, middle) == counted else (middle, high)
    # Words are measured apart, and drawn together.
    return min(room, 1.03 * high)


def _count_lines(lines: Sequence[Sequence[float]], space: float, room: float) -> int:
    count = 0
    for words in lines:
        taken = room + 1
        for word in words:
            taken += space + word
            if taken > room:
                count, taken = count + 1, word
    return count


def set_labels(ax: Axes, *, x: str | None = None, y: str | None = None) -> None:
    """Set the axes' labels so that they keep to their axes."""
    for axis, text in ((ax.xaxis, x), (ax.yaxis, y)):
        if text is not None:
            # The axis keeps its label with all that styles have set on it; what it learns is where to break.
            axis.label.__class__ = AxisLabel
            cast("AxisLabel", axis.label).kept_to = ax
            axis.set_label_text(text, wrap=True, multialignment="center")


def text_width(text: str, size: float | str) -> float:
    """Return how wide a text is in points, in the current style's font.

    Examples
    --------
    >>> text_width("response", 10) > 4 * text_width("r", 10)
    True
    """
    font, measure = FontProperties(size=size), TextToPath().get_text_width_height_descent
    with warnings.catch_warnings():
        # Drawing says which characters the font has not; measuring need not say so too.
        warnings.simplefilter("ignore")
        return max(float(measure(line, font, ismath=False)[0]) for line in text.split("\n"))


def axes_width(ax: Axes) -> float:
    """Return the width in points that these axes have at least once the figure is laid out."""
    return 0.85 * float(ax.bbox.width) / ax.figure.dpi * 72


def cell_size(ax: Axes) -> tuple[float, float]:
    """Return width and height in points of the part of the figure that these axes share with nobody."""
    figure, width, height = ax.get_figure(), ax.bbox.width, ax.bbox.height
    if (spec := ax.get_subplotspec()) is not None and figure is not None:
        grid = spec.get_gridspec()
        width = figure.bbox.width * _share(grid.get_width_ratios(), spec.colspan)
        height = figure.bbox.height * _share(grid.get_height_ratios(), spec.rowspan)
    return float(width) / ax.figure.dpi * 72, float(height) / ax.figure.dpi * 72


def _share(ratios: Any, span: range) -> float:
    return float(sum(ratios[at] for at in span) / sum(ratios))


def set_key(ax: Axes, entries: Mapping[str, Artist], title: str | None = None) -> None:
    """Put a key above the axes, in as many columns as the width has room for."""
    if not entries:
        return
    from matplotlib import rcParams  # noqa: PLC0415 - beside its use

    em = FontProperties(size="small").get_size_in_points()
    widths = [text_width(name, "small") + (_HANDLE_EM + _ENTRY_EM) * em for name in entries]
    room = cell_size(ax)[0] - _MARGIN_EM * em
    columns = max(1, min(len(entries), int(room // max(widths))))
    if sum(widths) <= room:
        columns = len(entries)
    legend = ax.legend(
        [*entries.values()],
        [*entries],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.2,
        borderpad=0.2,
        ncols=columns,
        frameon=False,
        fontsize="small",
        handlelength=_HANDLE_EM,
        handletextpad=0.6,
        columnspacing=1.2,
        title=title,
        title_fontsize="small",
        alignment="right",
        labelcolor=rcParams["text.color"],
    )
    legend.set_in_layout(True)


def entry_name(ax: Axes, name: str, tail: str) -> str:
    """Return a key's entry that the axes' part of the figure has room for: the name is cut, its tail is not."""
    em = FontProperties(size="small").get_size_in_points()
    room = cell_size(ax)[0] - (_MARGIN_EM + _HANDLE_EM + _ENTRY_EM) * em - text_width(tail, "small")
    return fitted_name(name, min(room, _LONGEST_EM * em), 1, "small") + tail


def fitted_name(name: str, width: float, lines: int, size: float | str) -> str:
    r"""Return a name in at most so many lines of this width in points, cut with an ellipsis where it is longer.

    Examples
    --------
    >>> fitted_name("clinic of the northern region", 60, 2, 10)
    'clinic of the\nnorthern…'
    """
    rest = name
    found: list[str] = []
    for line in range(lines):
        if text_width(rest, size) <= width:
            return "\n".join([*found, rest])
        head = _head(rest, width, size)
        space = head.rfind(" ", 1) if rest[len(head) : len(head) + 1] != " " else len(head)
        if line == lines - 1 or space <= 0:
            cut = _head(rest, width - text_width("…", size), size)
            return "\n".join([*found, cut.rstrip() + "…"])
        found.append(rest[:space])
        rest = rest[space:].lstrip()
    return "\n".join(found)


def _head(text: str, width: float, size: float | str) -> str:
    """Return the longest beginning of a text that is no wider than this, at least one character."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle], size) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low]
