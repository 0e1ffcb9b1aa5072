"""Draws one call's turns on lanes, one a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kataven_notebook.numbers.responses import response_latencies
from kataven_notebook.numbers.rows import call_turns, role_of
from kataven_notebook.plots import colours, drawing
from kataven_notebook.speech.intervals import intersection

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from kataven_notebook.numbers.measures import CallMeasures

_BAR = 0.6
_LATENCY = 0.14
"""Latencies stand so far below the middle between two lanes: above them stand their numbers."""
_NUMBER_HIGH = 0.34
_SHORTEST_SHARE = 0.001
"""Speech shorter than this share of the width would not be seen; it is drawn as long as this."""


@dataclass(frozen=True, slots=True)
class _Lane:
    place: int
    colour: str

    @property
    def band(self) -> tuple[float, float]:
        return (self.place - _BAR / 2, _BAR)


def order_of(channels: int, agent_channel: int | None) -> list[int]:
    """Return the channels from the upper lane to the lower: the agent's first where it is known.

    Examples
    --------
    >>> order_of(2, 1), order_of(2, None)
    ([1, 0], [0, 1])
    """
    return sorted(range(channels), key=lambda channel: channel != agent_channel)


def colour_of(ax: Axes, channel: int, party: str | None) -> str:
    """Return a channel's colour: its party's where that is known, else its own, as in the player."""
    return colours.role(ax, party or f"channel{channel % 2}")


def draw_timeline(ax: Axes, measures: CallMeasures, agent_channel: int | None) -> None:
    """Draw lanes, overlaps, interruptions, latencies, and a key of what there is."""
    from kataven_notebook.plots.fitted import set_key  # noqa: PLC0415 - needs the extra

    known = agent_channel if agent_channel in (measures.parties or ()) else None
    order = order_of(measures.channels, known)
    party = {channel: role_of(channel, known) for channel in measures.parties or ()}
    lanes = {channel: _Lane(place, colour_of(ax, channel, party.get(channel))) for place, channel in enumerate(order)}
    ax.set_yticks(range(len(order)), [party.get(channel) or f"channel {channel}" for channel in order])
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    drawing.plain(ax).spines["left"].set_visible(False)
    drawing.time_axis(ax, measures.duration_s)
    # In an hour-long call a word is thinner than a pixel.
    shortest_s = _SHORTEST_SHARE * measures.duration_s
    for channel, lane in lanes.items():
        ax.axhline(lane.place, color=lane.colour, linewidth=0.8, alpha=0.5)
        spans = [(start, max(end - start, shortest_s)) for start, end in measures.speech[channel]]
        ax.broken_barh(spans, lane.band, facecolors=lane.colour, linewidth=0)
    turns = _draw_turns(ax, measures, lanes)
    set_key(ax, turns | _draw_overlaps(ax, measures) | _draw_latencies(ax, measures, lanes, known))


def _draw_turns(ax: Axes, measures: CallMeasures, lanes: dict[int, _Lane]) -> dict[str, Artist]:
    """Draw a pale bar behind each turn, hatch backchannels, and point at interruptions."""
    page = ax.get_facecolor()
    handles: dict[str, Artist] = {}
    for turn in call_turns(measures):
        lane = lanes[turn.channel]
        span = [(turn.start_s, turn.end_s - turn.start_s)]
        if turn.kind == "backchannel":
            # Stripes in the page's colour show on every bar; the text's colour doesn't.
            handles["backchannel"] = ax.broken_barh(
                span, lane.band, facecolors=lane.colour, edgecolors=page, hatch="////", linewidth=0
            )
        else:
            ax.broken_barh(span, lane.band, facecolors=lane.colour, alpha=0.3, linewidth=0)
        if turn.interrupts:
            # On the lane's outer side: between the lanes stand the latencies.
            marker, side = ("v", -1) if lane.place == 0 else ("^", 1)
            (handles["interruption"],) = ax.plot(
                turn.start_s,
                lane.place + side * (_BAR / 2 + 0.09),
                marker,
                color=colours.role(ax, "interruption"),
                markersize=6,
                linestyle="none",
                clip_on=False,
                zorder=4,
            )
    return handles


def _draw_overlaps(ax: Axes, measures: CallMeasures) -> dict[str, Artist]:
    if measures.parties is None:
        return {}
    both = intersection(*(measures.speech[channel] for channel in measures.parties))
    colour = colours.role(ax, "overlap")
    patches = [ax.axvspan(start, end, color=colour, alpha=0.35, linewidth=0) for start, end in both]
    return {"both speak": patches[0]} if patches else {}


def _draw_latencies(
    ax: Axes, measures: CallMeasures, lanes: dict[int, _Lane], agent_channel: int | None
) -> dict[str, Artist]:
    """Draw a line from the end of speech to the start of each response, with its length where there is room."""
    from kataven_notebook.plots.fitted import FittedText, axes_width, text_width  # noqa: PLC0415 - needs the extra

    parties = measures.parties or ()
    found = [
        (start, latency)
        for channel in (parties if agent_channel is None else (agent_channel,))
        for start, latency in response_latencies(measures.speech[sum(parties) - channel], measures.speech[channel])
    ]
    if not found:
        return {}
    y = sum(lanes[channel].place for channel in parties) / 2 + _LATENCY
    lines: list[Artist] = []
    for start, latency in found:
        lines += ax.plot([start - latency, start], [y, y], color=colours.ink(), linewidth=1.2, solid_capstyle="butt")
    middles = [(start - latency / 2, latency) for start, latency in found]
    number_s = 1.25 * text_width("00.00", "x-small") / axes_width(ax) * measures.duration_s
    for index in drawing.spread_labels(middles, number_s):
        middle, latency = middles[index]
        FittedText(ax, middle, y, [f"{latency:.2f}"], height=-_NUMBER_HIGH, fontsize="x-small")
    return {"response latency (s)": lines[0]}
