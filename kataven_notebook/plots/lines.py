"""Groups that are numbers or times, such as hours: a line of estimates with a band of intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.plots import colours, drawing
from kataven_notebook.plots.groups import are_times, as_written
from kataven_notebook.plots.labels import label_of, party_of
from kataven_notebook.plots.rows import statistic_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from kataven_notebook.plots.groups import Group
    from kataven_notebook.stats.estimates import Estimate

    Doubles = npt.NDArray[np.float64]


def draw_line(
    ax: Axes,
    groups: Sequence[Group],
    places: Doubles,
    estimates: Sequence[Estimate],
    *,
    by: str,
    metric: str,
    level: float = 0.95,
) -> None:
    """Draw the estimates in order, their intervals as a band; empty dots have no interval, gaps no values."""
    from kataven_notebook.plots.fitted import set_key, set_labels  # noqa: PLC0415 - needs the extra

    party = party_of(metric)
    colour = colours.role(ax, party) if party else colours.ink()
    value, low, high = (np.asarray([getattr(each, end) for each in estimates]) for end in ("value", "low", "high"))
    name = statistic_words(estimates[0].statistic)
    handles: dict[str, Artist] = {}
    (handles[name],) = ax.plot(places, value, "-", color=colour, linewidth=1.6, zorder=3)
    known = np.isfinite(low)
    ax.plot(places[known], value[known], "o", color=colour, markersize=3.5, linestyle="none", zorder=4)
    if known.any():
        handles[f"{100 * level:g} % interval"] = ax.fill_between(
            places, low, high, where=known, color=colour, alpha=0.22, linewidth=0
        )
        # A point between two without intervals has no band of its own.
        lone = known & ~np.r_[False, known[:-1]] & ~np.r_[known[1:], False]
        ax.vlines(places[lone], low[lone], high[lone], color=colour, alpha=0.35, linewidth=1.5)
    if (alone := np.isfinite(value) & ~known).any():
        (handles["no interval"],) = ax.plot(
            places[alone], value[alone], "o", color=colour, markerfacecolor="none", markersize=4.5, zorder=4
        )
    # No tick stands beyond the last group.
    margin = min(0.05 * float(np.ptp(places)), 0.45 * float(np.diff(places).min()))
    ax.set_xlim(places[0] - margin, places[-1] + margin)
    counts = [len(group.numbers) for group in groups]
    set_labels(ax, x=_place_axis(ax, groups, places, by), y=label_of(metric))
    handles = {f"{each}{_numbers(counts) if each == name else ''}": handle for each, handle in handles.items()}
    ax.grid(alpha=0.25)
    set_key(drawing.plain(ax), handles)


def _numbers(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f" (n = {low:,})" if low == high else f" (n = {low:,} to {high:,})"


def _place_axis(ax: Axes, groups: Sequence[Group], places: Doubles, by: str) -> str:
    """Put ticks where numbers or times are round, and return the axis's label."""
    from matplotlib import dates  # noqa: PLC0415 - an extra

    if not are_times(groups):
        if (places == np.round(places)).all():
            drawing.whole_numbers(ax.xaxis)
        return by
    locator = dates.AutoDateLocator(minticks=2, maxticks=6)  # type: ignore[no-untyped-call] # it has none
    ax.xaxis.set_major_locator(locator)
    # The year or day that ticks leave out stands in the label: in the corner it would run into it.
    ax.xaxis.set_major_formatter(
        dates.ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call] # it has none
    )
    days = dict.fromkeys(f"{as_written(groups[end].key):%Y-%m-%d}" for end in (0, -1))
    zone = getattr(groups[0].key, "tzinfo", None)
    return f"{by}, {' to '.join(days)}{f' ({zone})' if zone else ''}"
