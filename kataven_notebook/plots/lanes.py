"""Draws one call's turns on lanes, one a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kataven_notebook.numbers.responses import response_latencies
from kataven_notebook.numbers.rows import call_turns, role_of
from kataven_notebook.plots import drawing
from kataven_notebook.speech.intervals import intersection

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from kataven_notebook.numbers.measures import CallMeasures

_BAR = 0.6
_LABEL_SHARE = 0.045
"""A latency's label takes this share of the width."""
_SHORTEST_SHARE = 0.001
"""Speech shorter than this share of the width would not be seen; it is drawn as long as this."""


def draw_timeline(ax: Axes, measures: CallMeasures, agent_channel: int | None) -> None:
    """Draw lanes, overlaps, interruptions, latencies, and a legend of what there is."""
    known = agent_channel if agent_channel in (measures.parties or ()) else None
    order = sorted(range(measures.channels), key=lambda channel: channel != known)
    colours = drawing.colours()
    # In an hour-long call a word is thinner than a pixel.
    shortest_s = _SHORTEST_SHARE * measures.duration_s
    for lane, channel in enumerate(order):
        ax.axhline(lane, color=colours[lane % len(colours)], linewidth=0.8, alpha=0.5)
        spans = [(start, max(end - start, shortest_s)) for start, end in measures.speech[channel]]
        ax.broken_barh(spans, _band(lane), facecolors=colours[lane % len(colours)], linewidth=0)
    shown = [
        _draw_turns(ax, measures, order),
        _draw_overlaps(ax, measures),
        _draw_latencies(ax, measures, order, known),
    ]
    handles = {name: artist for part in shown for name, artist in part.items()}
    if handles:
        ax.legend(
            [*handles.values()],
            [*handles],
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            borderaxespad=0.2,
            ncols=4,
            frameon=False,
            fontsize="small",
        )
    names = [role_of(channel, known) if channel in (measures.parties or ()) else None for channel in order]
    labels = [name or f"channel {channel}" for name, channel in zip(names, order, strict=True)]
    ax.set_yticks(range(len(order)), labels)
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    drawing.plain(ax).spines["left"].set_visible(False)
    drawing.time_axis(ax, measures.duration_s)


def _band(lane: int) -> tuple[float, float]:
    return (lane - _BAR / 2, _BAR)


def _draw_turns(ax: Axes, measures: CallMeasures, order: list[int]) -> dict[str, Artist]:
    """Draw a pale bar behind each turn, hatch backchannels, and point at interruptions."""
    colours, page = drawing.colours(), ax.get_facecolor()
    handles: dict[str, Artist] = {}
    for turn in call_turns(measures):
        lane = order.index(turn.channel)
        span = [(turn.start_s, turn.end_s - turn.start_s)]
        if turn.kind == "backchannel":
            # Stripes in the page's colour show on every style's bars; the text's colour doesn't.
            handles["backchannel"] = ax.broken_barh(
                span, _band(lane), facecolors=colours[lane % len(colours)], edgecolors=page, hatch="////", linewidth=0
            )
        else:
            ax.broken_barh(span, _band(lane), facecolors=colours[lane % len(colours)], alpha=0.3, linewidth=0)
        if turn.interrupts:
            # On the lane's outer side: between the lanes stand the latencies.
            marker, side = ("v", -1) if lane == 0 else ("^", 1)
            y = lane + side * (_BAR / 2 + 0.09)
            (handles["interruption"],) = ax.plot(
                turn.start_s, y, marker, color=colours[3], markersize=7, linestyle="none", clip_on=False, zorder=4
            )
    return handles


def _draw_overlaps(ax: Axes, measures: CallMeasures) -> dict[str, Artist]:
    if measures.parties is None:
        return {}
    both = intersection(*(measures.speech[channel] for channel in measures.parties))
    patches = [ax.axvspan(start, end, color=drawing.colours()[3], alpha=0.3, linewidth=0) for start, end in both]
    return {"both speak": patches[0]} if patches else {}


def _draw_latencies(ax: Axes, measures: CallMeasures, order: list[int], agent_channel: int | None) -> dict[str, Artist]:
    """Draw a line from the end of speech to the start of each response, with its length where there is room."""
    parties = measures.parties or ()
    found = [
        (start, latency)
        for channel in (parties if agent_channel is None else (agent_channel,))
        for start, latency in response_latencies(measures.speech[sum(parties) - channel], measures.speech[channel])
    ]
    y = sum(order.index(channel) for channel in parties) / 2 if parties else 0.0
    lines: list[Artist] = []
    for start, latency in found:
        lines += ax.plot([start - latency, start], [y, y], color=drawing.ink(), linewidth=1.2, solid_capstyle="butt")
    middles = [(start - latency / 2, latency) for start, latency in found]
    for index in drawing.spread_labels(middles, _LABEL_SHARE * measures.duration_s):
        middle, latency = middles[index]
        ax.annotate(
            f"{latency:.2f}",
            (middle, y),
            (0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize="x-small",
        )
    return {"response latency, s": lines[0]} if lines else {}
