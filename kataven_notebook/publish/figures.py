"""The figures of a report as SVG that stands in the page: its fonts, and its colours in light and dark."""

from __future__ import annotations

import io
import re
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.publish.shown import unmarked
from kataven_notebook.stats.effects import Effect
from kataven_notebook.stats.estimates import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt
    import pandas as pd
    from matplotlib.figure import Figure

    from kataven_notebook.publish.findings import Finding, Span

    Doubles = npt.NDArray[np.float64]

# What the figures are drawn in for a light page and for a dark one: text, lines, and the groups in turn. The page's own
# style sheet has the same.
_THEMES = {
    "light": ("#1f2328", "#d5dae0", ("#1560bd", "#d9730d", "#0f7b6c", "#8a4fa3", "#a8506a", "#5f6b78")),
    "dark": ("#e6e9ed", "#3a414a", ("#7db8ff", "#e08a35", "#4fc3b0", "#c79be0", "#e492aa", "#a3aebb")),
}
_USES = re.compile(r'(?:href="|url\()#([^")]+)')
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_WIDTH_IN = 9.0


def is_possible() -> bool:
    """Whether matplotlib is here."""
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        return False
    return bool(mpl.__version__)


def draw(
    paint: Callable[[Figure], Any], *, name: str, label: str, height_in: float, width_in: float = _WIDTH_IN
) -> str:
    """Return what `paint` draws into a figure, as an `<svg>` for the page; the same drawing is the same text.

    Parameters
    ----------
    paint
        Takes a new figure.
    name
        Different for each figure of a page: ids begin with it.
    label
        What the figure shows, for those who don't see it; escaped.
    height_in, width_in
        The figure's size in inches.
    """
    light, dark = (_svg(paint, theme, (width_in, height_in), name) for theme in _THEMES)
    colours = list(dict.fromkeys(zip(_COLOUR.findall(light), _COLOUR.findall(dark), strict=False)))
    if _COLOUR.sub("", light) != _COLOUR.sub("", dark):
        # What differs in more than its colours stands on its own paper.
        return f'<div class="paper">{_element(light, label)}</div>'
    # Each pair of colours is one of the page's: drawn once, a figure follows the reader's theme.
    pairs = iter(zip(_COLOUR.findall(light), _COLOUR.findall(dark), strict=True))
    light = _COLOUR.sub(lambda _: f"var(--{name}-{colours.index(next(pairs))})", light)
    by_theme = [
        "".join(f"--{name}-{at}:{pair[theme]};" for at, pair in enumerate(colours)) for theme in range(len(_THEMES))
    ]
    rules = f":root{{{by_theme[0]}}}@media screen and (prefers-color-scheme: dark){{:root{{{by_theme[1]}}}}}"
    return f"<style>{rules}</style>{_element(light, label)}"


def distribution(
    findings: Sequence[Finding],
    calls: Sequence[tuple[Any, Doubles]],
    *,
    metric: str,
    by: str,
    level: float,
    name: str,
    label: str,
) -> str:
    """Return the calls of each group with what was found as `draw` does: the page has each number once.

    Parameters
    ----------
    findings
        Those of one quantity.
    calls
        For each what stands for its group on an axis, a number, a time or a name; and its numbers, NaN where missing.
    metric
        The column's name without the prefix, which says what the axis is.
    by
        What the groups are, empty where there are none.
    level
        Of the intervals.
    name, label
        As in `draw`.
    """
    from kataven_notebook.plots import drawing  # noqa: PLC0415 - figures come when they are asked for
    from kataven_notebook.plots.groups import Group, places_of  # noqa: PLC0415 - as above
    from kataven_notebook.plots.lines import draw_line  # noqa: PLC0415 - as above
    from kataven_notebook.plots.rows import Row, draw_rows  # noqa: PLC0415 - as above

    groups = [
        Group(key, one.group or "all calls", numbers[np.isfinite(numbers)], len(numbers))
        for one, (key, numbers) in zip(findings, calls, strict=True)
    ]
    rows = [
        Row(group, _estimate(one, one.estimate), _effect(one.difference) if one.reference else None)
        for group, one in zip(groups, findings, strict=True)
    ]
    references = {one.reference for one in findings if one.reference}
    reference = references.pop() if len(references) == 1 else None
    places = places_of(groups)

    def paint(figure: Figure) -> None:
        ax = figure.subplots()
        if places is not None:
            draw_line(ax, groups, places, [row.estimate for row in rows], by=by, metric=metric, level=level)
            return
        draw_rows(ax, rows, metric, reference, level)
        if by:
            drawing.label(ax, y=by)

    return draw(paint, name=name, label=label, height_in=1.3 + 0.55 * len(rows) if places is None else 3.2)


def _estimate(finding: Finding, span: Span) -> Estimate:
    return Estimate(
        span.value,
        span.low,
        span.high,
        finding.n,
        finding.missing,
        finding.calls,
        finding.statistic,
        finding.note or None,
    )


def _effect(span: Span) -> Effect:
    return Effect(span.value, span.low, span.high)


def at_a_glance(df: pd.DataFrame, *, name: str, label: str) -> str:
    """Return `plots.overview` of a frame as `draw` does."""
    from kataven_notebook import plots  # noqa: PLC0415 - figures come when they are asked for

    return draw(
        lambda figure: plots.overview(df, ax=figure.subplots(2, 3), prefix=""),
        name=name,
        label=label,
        height_in=5.6,
        width_in=11.0,
    )


def _svg(paint: Callable[[Figure], Any], theme: str, size_in: tuple[float, float], name: str) -> str:
    """Return the drawing as an SVG file whose ids begin with `name`."""
    with _style(theme):
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, and slow to import

        # Not by pyplot: a notebook would show the figure too.
        figure = Figure(figsize=size_in, layout="constrained")
        paint(figure)
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    # Dollars that were kept from being formulas.
    svg = file.getvalue().decode("utf-8").replace("\\$", "$")
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    # By their order: what matplotlib makes them of includes the colours.
    used = {each: f"{name}-{at}" for at, each in enumerate(dict.fromkeys(_USES.findall(svg)))}
    svg = re.sub(r' id="([^"]*)"', lambda found: f' id="{used[found[1]]}"' if found[1] in used else "", svg)
    return _USES.sub(lambda found: found[0].replace(found[1], used[found[1]]), svg)


# Matplotlib's defaults are one for all threads.
_STYLING = threading.Lock()


@contextmanager
def _style(theme: str) -> Iterator[None]:
    """Set matplotlib's defaults and the report's, whatever the user has set, and set all back."""
    from cycler import cycler  # noqa: PLC0415 - comes with matplotlib
    from matplotlib import style  # noqa: PLC0415 - an extra, and slow to import

    ink, line, groups = _THEMES[theme]
    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor", "xtick.color", "ytick.color")
    ours = {
        **dict.fromkeys(inks, ink),
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor", "legend.facecolor"), "none"),
        "grid.color": line,
        "axes.prop_cycle": cycler(color=groups),
        # Text, not shapes: it is found, copied, and takes the page's font.
        "svg.fonttype": "none",
        "svg.hashsalt": "report",
        # Names of groups may hold dollar signs.
        "text.parse_math": False,
    }
    with _STYLING, style.context(["default", ours]), warnings.catch_warnings():
        # The reader's browser has the glyphs that matplotlib's font has not.
        warnings.filterwarnings("ignore", r"Glyph .* missing from", UserWarning)
        yield


def _element(svg: str, label: str) -> str:
    """Return an SVG file as an element of a page, as wide as its place."""
    head, _, body = svg[svg.index("<svg") :].partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    assert box is not None  # noqa: S101 - matplotlib writes one
    # The page says which font.
    body = re.sub(r"font-family: [^;\"]*;? ?", "", re.sub(r"(font: [^;\"]*?px) [^;\"]*", r"\1 sans-serif", body))
    return f'<svg {box[0]} role="img" aria-label="{unmarked(label)}">{body.strip()}'
