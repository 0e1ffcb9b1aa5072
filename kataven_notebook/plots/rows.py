"""Groups below each other, a row each: every call, an estimate with its interval, and the difference to a reference."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.plots import colours, drawing, scales
from kataven_notebook.plots.groups import numbered
from kataven_notebook.plots.labels import label_of, party_of, unit_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from kataven_notebook.plots.groups import Group
    from kataven_notebook.stats.effects import Effect
    from kataven_notebook.stats.estimates import Estimate

    Doubles = npt.NDArray[np.float64]

MAX_POINTS = 600
"""A group with more is drawn as so many quantiles, which spread as its calls do."""
_BAND = 0.34
_TEXT_ABOVE = 0.2
_TEXT_HIGH = 0.56
_NAMES_SHARE = 0.34
"""Names take at most this share of the figure's width."""
_SHORTEST_NAME = 0.22
_AROUND_EM = 11.5
"""What a key of three lines above the axes takes, and the ticks with a label of two below, in the size of the text."""
_LEAST_SHARE = 0.25
_DOTS = (0, (1, 2))


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a group, its estimate, and its difference to the reference, None for the reference itself."""

    group: Group
    estimate: Estimate
    difference: Effect | None


def draw_rows(ax: Axes, rows: Sequence[Row], metric: str, reference: str | None, level: float = 0.95) -> None:
    """Draw one row a group: calls, estimate with interval, and in numbers the difference to the reference.

    Parameters
    ----------
    ax, rows, metric
        Where, what, and the column's name without a prefix.
    reference
        The name of the group that all others are compared with, None where there are several.
    level
        That of the intervals.
    """
    from kataven_notebook.plots.fitted import FittedText, entry_name, set_key, set_labels  # noqa: PLC0415 - needs the extra

    span = scales.span_of([row.group.numbers for row in rows])
    party = party_of(metric)
    colour = colours.role(ax, party) if party else colours.neutral(ax)
    name_rows(ax, [row.group.name for row in rows], [_count(row.group) for row in rows])
    _limit(ax, rows, metric, span)
    drawing.round_ticks(ax)
    are_compared = any(row.difference is not None and math.isfinite(row.difference.low) for row in rows)
    handles: dict[str, Any] = {}
    for place, row in enumerate(rows):
        if len(row.group.numbers):
            points = _draw_calls(ax, row.group.numbers, place, span, colour)
            handles["calls" if len(row.group.numbers) <= MAX_POINTS else f"calls, {MAX_POINTS} drawn of a group"] = (
                points
            )
            handles |= draw_estimate(ax, row.estimate, place, level)
        FittedText(ax, _anchor(ax, row), place - _TEXT_ABOVE, wordings(row), height=-_TEXT_HIGH)
        if row.group.name == reference and are_compared:
            line = ax.axvline(row.estimate.value, color=colours.ink(), linewidth=1, linestyle=_DOTS, zorder=1)
            handles[entry_name(ax, reference, ", where Δ is 0")] = line
    if not rows:
        ax.annotate("no calls with a group", (0.01, 0), xycoords=("axes fraction", "data"), va="center")
    set_labels(ax, x="\n".join(filter(None, [label_of(metric), span.beyond()])))
    set_key(ax, handles)


def wordings(row: Row) -> list[str]:
    """Return what is written above a row, from the longest to the shortest."""
    estimate, difference = row.estimate, row.difference
    if not len(row.group.numbers):
        return ["no values"]
    if not math.isfinite(estimate.low):
        return [*_broken(estimate.note or ""), "no interval"]
    alone = scales.written(estimate.value, estimate.high - estimate.low)
    if difference is None:
        return [scales.interval(estimate.value, estimate.low, estimate.high), alone]
    if not math.isfinite(difference.low):
        return [scales.interval(estimate.value, estimate.low, estimate.high), alone]
    apart = "Δ " + scales.interval(difference.value, difference.low, difference.high)
    return [f"{alone},  {apart}", apart, "Δ " + scales.written(difference.value, difference.high - difference.low)]


def room_for_rows(ax: Axes, around_em: float = _AROUND_EM) -> int:
    """Return how many rows of these axes can have names that don't run into each other.

    Parameters
    ----------
    ax
        The axes.
    around_em
        What stands below and above the rows, in the size of the text.
    """
    from matplotlib import rcParams  # noqa: PLC0415 - an extra

    from kataven_notebook.plots.fitted import cell_size  # noqa: PLC0415 - needs the extra

    _, height = cell_size(ax)
    return max(1, int(max(height - around_em * rcParams["font.size"], _LEAST_SHARE * height) / _line_height()))


def _broken(text: str) -> list[str]:
    """Return a sentence on one line, and on two."""
    lines = textwrap.wrap(text, len(text) // 2 + 8)
    return [text, "\n".join(lines)] if text else []


def name_rows(ax: Axes, names: Sequence[str], tails: Sequence[str], around_em: float = _AROUND_EM) -> None:
    """Put names beside the rows, the first one on top, each with its tail below, or behind where rows are close.

    Names are cut where they would take the room of the data; tails, which say how many calls there are, are not.
    """
    from matplotlib import rcParams  # noqa: PLC0415 - an extra

    from kataven_notebook.plots.fitted import cell_size, fitted_name, text_width  # noqa: PLC0415 - needs the extra

    size, width = rcParams["ytick.labelsize"], _NAMES_SHARE * cell_size(ax)[0]
    room = room_for_rows(ax, around_em)
    below, lines = 2 * len(names) <= room, 2 if (4 if any(tails) else 2.5) * len(names) <= room else 1
    gap = "\n" if below else "  "
    # Beside each other there is room for how many values there are, and none for how many rows.
    tails = tails if below else [tail.partition(" of ")[0] for tail in tails]
    taken = 0.0 if below else max((text_width(gap + tail, size) for tail in tails if tail), default=0.0)
    width = max(width - taken, _SHORTEST_NAME * cell_size(ax)[0])
    heads = _told_apart({name: fitted_name(name, width, lines, size) for name in names})
    shown = [
        head + (gap + tail if tail else "") for head, tail in zip([heads[name] for name in names], tails, strict=True)
    ]
    ax.set_yticks(range(len(names)), shown, multialignment="right")
    ax.set_ylim(max(len(names), 1) - 0.6, -0.85)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", alpha=0.25)
    drawing.plain(ax).spines["left"].set_visible(False)


def _told_apart(cut: dict[str, str]) -> dict[str, str]:
    """Return what each name is cut to, with a number where two are cut to the same."""
    return dict(zip(cut, numbered(list(cut.values())), strict=True))


def draw_estimate(ax: Axes, estimate: Estimate, place: float, level: float = 0.95) -> dict[str, Any]:
    """Draw a dot with its interval, or an empty dot where there is no interval; return it for the key."""
    name, ink = statistic_words(estimate.statistic), colours.ink()
    if not math.isfinite(estimate.value):
        return {}
    if not math.isfinite(estimate.low):
        (dot,) = ax.plot(estimate.value, place, "o", color=ink, markerfacecolor="none", markersize=5, zorder=4)
        return {f"{name}, no interval": dot}
    ends = [[max(estimate.value - estimate.low, 0.0)], [max(estimate.high - estimate.value, 0.0)]]
    bars = ax.errorbar(
        estimate.value, place, xerr=ends, fmt="o", color=ink, markersize=5, elinewidth=1.8, capsize=3, zorder=4
    )
    return {f"{name}, {100 * level:g} % interval": bars}


def statistic_words(statistic: str) -> str:
    """Return a statistic as people call it.

    Examples
    --------
    >>> statistic_words("p90"), statistic_words("median")
    ('90th percentile', 'median')
    """
    if statistic[:1] == "p" and statistic[1:].isdigit():
        return f"{statistic[1:]}th percentile"
    return statistic


def _line_height() -> float:
    from matplotlib import rcParams  # noqa: PLC0415 - an extra
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - an extra

    return 1.25 * float(FontProperties(size=rcParams["ytick.labelsize"]).get_size_in_points())


def _count(group: Group) -> str:
    n = len(group.numbers)
    return f"n = {n:,}" + (f" of {group.rows:,}" if group.rows > n else "")


def _draw_calls(ax: Axes, values: Doubles, place: int, span: scales.Span, colour: Any) -> Artist:
    """Draw each call in a band, and an arrow at the axis's end where calls lie beyond."""
    x, y = _points(values, place)
    inside = (x >= span.low) & (x <= span.high)
    for end, marker, beyond in ((span.low, "<", values < span.low), (span.high, ">", values > span.high)):
        if beyond.any():
            ax.plot(end, place, marker, color=colour, markersize=5, clip_on=False, zorder=3)
    return ax.scatter(x[inside], y[inside], s=10, color=colour, alpha=0.4, linewidths=0)


def _points(values: Doubles, place: int) -> tuple[Doubles, Doubles]:
    """Return where to draw a group's calls: in a band, spread so that close ones are seen apart."""
    if len(values) > MAX_POINTS:
        values = np.quantile(values, np.linspace(0, 1, MAX_POINTS))
    # The golden ratio spreads neighbours evenly and is the same each time, unlike chance.
    spread = (np.arange(len(values)) * 0.618034) % 1 - 0.5
    return np.sort(values), np.asarray(place + _BAND * spread, dtype=np.float64)


def _limit(ax: Axes, rows: Sequence[Row], metric: str, span: scales.Span) -> None:
    """End the axis where the bulk of the calls and the intervals end; begin it at 0 where that costs little."""
    ends = [end for row in rows for end in (row.estimate.value, row.estimate.low, row.estimate.high)]
    finite = [end for end in (*ends, span.low, span.high) if math.isfinite(end)]
    if not finite:
        ax.set_xlim(0, 1)
        return
    low, high = min(finite), max(finite)
    pad = 0.04 * (high - low) or 0.05 * abs(high) or 0.5
    if 0 <= low <= 0.5 * high and unit_of(metric) not in {"dB", "dBFS", "LUFS"}:
        ax.set_xlim(0 if low > 0 or unit_of(metric) == "s" else -pad, high + pad)
    else:
        ax.set_xlim(low - pad, high + pad)


def _anchor(ax: Axes, row: Row) -> float:
    low, high = ax.get_xlim()
    value = row.estimate.value
    return min(max(value, low), high) if math.isfinite(value) else (low + high) / 2
