"""The panels of the overview: statuses, distributions, interruptions; of all calls, or of groups beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.plots import colours, drawing, scales
from kataven_notebook.plots.groups import Group, check_column, codes_of, column_named, estimates_of, numbers_of, rows_of
from kataven_notebook.plots.labels import is_share, label_of, party_of
from kataven_notebook.plots.rows import name_rows, room_for_rows
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes

    Doubles = npt.NDArray[np.float64]

HISTOGRAMS = {
    "duration_s": "audio()",
    "talk_ratio": "metrics()",
    "response_latency_p50_s": "metrics()",
    "silence_ratio": "metrics()",
}
INTERRUPTIONS = {"interruptions_by_agent": "agent", "interruptions_by_caller": "caller"}
COLUMNS = ("recording_status", *HISTOGRAMS, *INTERRUPTIONS)
_GOOD = ("ready", "downloaded")
_FEW = 5
"""Of fewer calls no median is drawn: each call is a bar of its own."""
_FEW_FOR_P90 = 20
"""Of fewer calls the 90th percentile is told by the last two."""
_MOST = 6
"""Calls with more interruptions stand together, so that the few don't squeeze the rest."""
_DASHES = (0, (3, 1.5))


@dataclass(frozen=True, slots=True)
class Part:
    """One group's rows, their columns without the prefix; the name is None where all calls are one group."""

    name: str | None
    df: pd.DataFrame
    sessions: npt.NDArray[np.intp] | None = None

    def group(self, column: str) -> Group:
        """Return the column's finite numbers with their sessions, none where there is no such column."""
        values = numbers_of(self.df[column]) if column in self.df.columns else np.full(len(self.df), np.nan)
        kept = np.isfinite(values)
        sessions = None if self.sessions is None else self.sessions[kept]
        return Group(self.name, str(self.name), values[kept], len(self.df), sessions)

    def values(self, column: str) -> Doubles:
        """Return the column's finite numbers, none where there is no such column."""
        return self.group(column).numbers


def parts_of(df: pd.DataFrame, by: Hashable | None, prefix: str, session: Hashable | None = None) -> list[Part]:
    """Return the groups of a frame, those of its columns that have the prefix.

    Raises
    ------
    FrameError
        There is no such column, or there are more groups than the panels can tell apart.
    """
    own = {name: str(name).removeprefix(prefix) for name in df.columns if str(name).startswith(prefix)}
    plain = df[[*own]].set_axis([*own.values()], axis=1) if prefix else df
    for column in COLUMNS:
        if column in plain.columns:
            check_column(plain, column)
    if by is None:
        return [Part(None, plain)]
    groups = rows_of(df, column_named(df, by, prefix), largest=len(colours.LINES))
    codes = None if session is None else codes_of(df[session])
    return [Part(name, plain.iloc[rows], None if codes is None else codes[rows]) for _, name, rows in groups]


def draw_overview(axes: Sequence[Axes], parts: Sequence[Part]) -> None:
    """Draw the six panels."""
    _draw_statuses(axes[0], parts)
    for ax, (column, source) in zip(axes[1:], HISTOGRAMS.items(), strict=False):
        _draw_distribution(ax, parts, column, source)
    _draw_interruptions(axes[5], parts)


def _say(ax: Axes, *wordings: str) -> None:
    """Say in an empty panel what is not there."""
    from kataven_notebook.plots.fitted import FittedText  # noqa: PLC0415 - needs the extra

    ax.set_axis_off()
    FittedText(ax, 0.5, 0.5, wordings, height=1.0, va="center", alpha=0.7)


def _are_groups(parts: Sequence[Part]) -> bool:
    return not parts or parts[0].name is not None


def _styles(ax: Axes, parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Return how each group is drawn: by colour, kind of line and mark, so that no one of them is needed."""
    shades = colours.of_groups(ax, len(parts))
    return [
        {"color": shade, "linestyle": line, "marker": mark}
        for shade, line, mark in zip(shades, colours.LINES, colours.MARKS, strict=False)
    ]


def _draw_statuses(ax: Axes, parts: Sequence[Part]) -> None:
    if not any("recording_status" in part.df.columns for part in parts):
        _say(ax, "no recording_status:\nrun audio()", "run audio()")
        return
    counts = [part.df["recording_status"].astype(object).value_counts() for part in parts]
    seen = {str(name): None for count in counts for name in count.index if count[name]}
    if not seen:
        _say(ax, "recording_status\nis missing in all calls", "no status")
        return
    # In the order of the vocabulary, the good ones first, whatever the dtype's categories are.
    order = [str(status) for status in Status if str(status) in seen]
    order += [name for name in seen if name not in order]
    if _are_groups(parts):
        _draw_status_shares(ax, parts, counts, order)
    else:
        _draw_status_counts(ax, [int(counts[0][name]) for name in order], order)
    close = len(order) > room_for_rows(ax)
    ax.set_yticks(range(len(order)), order, fontsize="x-small" if close else None)
    ax.set_ylim(len(order) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    drawing.plain(ax)


def _draw_status_counts(ax: Axes, numbers: Sequence[int], order: Sequence[str]) -> None:
    from kataven_notebook.plots.fitted import axes_width, text_width  # noqa: PLC0415 - needs the extra

    shades = [colours.neutral(ax, 0.6) if name in _GOOD else colours.role(ax, "bad") for name in order]
    bars = ax.barh(range(len(order)), numbers, color=shades)
    written = [f"{number:,}" for number in numbers]
    ax.bar_label(bars, written, padding=3, fontsize="small")
    # The number beside the longest bar takes its part of the axis.
    widest = 1.6 * max(text_width(each, "small") for each in written) + 3
    ax.set_xlim(0, max(numbers) / max(1 - widest / axes_width(ax), 0.2))
    drawing.whole_numbers(ax.xaxis)
    drawing.label(ax, x=f"calls (of {sum(numbers):,})")


def _draw_status_shares(ax: Axes, parts: Sequence[Part], counts: Sequence[Any], order: Sequence[str]) -> None:
    from kataven_notebook.plots.fitted import entry_name, set_key  # noqa: PLC0415 - needs the extra

    handles: dict[str, Any] = {}
    step = 0.7 / len(parts)
    for index, (part, count, style) in enumerate(zip(parts, counts, _styles(ax, parts), strict=False)):
        y = np.arange(len(order)) + (index - (len(parts) - 1) / 2) * step
        shares = np.array([100 * int(count.get(name, 0)) / max(len(part.df), 1) for name in order])
        ax.hlines(y, 0, shares, color=style["color"], linestyle=style["linestyle"], linewidth=1.5)
        ax.plot(shares, y, color=style["color"], marker=style["marker"], markersize=4, linestyle="none")
        (handle,) = ax.plot([], [], markersize=4, linewidth=1.5, **style)
        handles[entry_name(ax, str(part.name), f" (n = {len(part.df):,})")] = handle
    ax.set_xlim(0, ax.get_xlim()[1])
    drawing.label(ax, x="calls (%)")
    set_key(ax, handles)


def _draw_distribution(ax: Axes, parts: Sequence[Part], column: str, source: str) -> None:
    """Draw how a column is distributed over the calls, on a scale that fits them."""
    values = [part.values(column) for part in parts]
    if not any(len(each) for each in values):
        there = any(column in part.df.columns for part in parts)
        missing = f"{column}\nis missing in all calls" if there else f"no {column}:\nrun {source}"
        _say(ax, missing, missing.replace("_", " ").replace(" p50 s", ""), "no values" if there else f"run {source}")
        return
    span = scales.span_of(values)
    bulk = np.concatenate([each[(each >= span.low) & (each <= span.high)] for each in values])
    # Rice's rule, kept to what a small panel can show.
    edges = np.histogram_bin_edges(bulk, bins=min(30, max(8, int(2 * len(bulk) ** (1 / 3)))))
    if _are_groups(parts):
        _draw_steps(ax, parts, values, edges)
    else:
        _draw_bars(ax, values[0], edges, column)
    if 0 <= edges[0] <= 0.3 * edges[-1] or (is_share(column) and edges[-1] - edges[0] > 0.5):
        edges = np.array([0.0, edges[-1]])
    ax.set_xlim(float(edges[0]), float(edges[-1]))
    ax.set_ylim(bottom=0)
    drawing.label(ax, x="\n".join(filter(None, [label_of(column), span.beyond()])))
    drawing.plain(ax)


def _calls(n: int) -> str:
    space = "\N{NO-BREAK SPACE}"
    return f"calls (n{space}={space}{n:,})"


def _draw_bars(ax: Axes, values: Doubles, edges: Doubles, column: str) -> None:
    from kataven_notebook.plots.fitted import set_key  # noqa: PLC0415 - needs the extra

    party = party_of(column)
    colour = colours.role(ax, party) if party else colours.neutral(ax)
    ax.hist(values, bins=[float(edge) for edge in edges], color=colour, alpha=0.85)
    handles: dict[str, Any] = {}
    if len(values) >= _FEW:
        middle = float(np.median(values))
        handles[f"median {scales.written(middle)}"] = ax.axvline(middle, color=colours.ink(), linewidth=1.8)
    if len(values) >= _FEW_FOR_P90:
        late = float(np.percentile(values, 90))
        line = ax.axvline(late, color=colours.ink(), linewidth=1.4, linestyle=_DASHES)
        handles[f"90th percentile {scales.written(late)}"] = line
    drawing.label(ax, y=_calls(len(values)))
    drawing.whole_numbers(ax.yaxis)
    set_key(ax, handles)


def _draw_steps(ax: Axes, parts: Sequence[Part], values: Sequence[Doubles], edges: Doubles) -> None:
    from kataven_notebook.plots.fitted import set_key  # noqa: PLC0415 - needs the extra

    drawn = False
    for each, style in zip(values, _styles(ax, parts), strict=False):
        if not len(each):
            continue
        shares = 100 * np.histogram(each, edges)[0] / len(each)
        ax.stairs(shares, edges, color=style["color"], linestyle=style["linestyle"], linewidth=1.5)
        if len(each) >= _FEW:
            drawn = True
            ax.plot(
                np.median(each),
                0,
                style["marker"],
                color=style["color"],
                markersize=6,
                markeredgecolor=ax.get_facecolor(),
                clip_on=False,
                zorder=5,
            )
    drawing.label(ax, y="calls (%)")
    if drawn:
        (mark,) = ax.plot([], [], "o", color=colours.neutral(ax), markersize=5)
        set_key(ax, {"median of a group": mark})


def _draw_interruptions(ax: Axes, parts: Sequence[Part]) -> None:
    names = [name for name in INTERRUPTIONS if any(name in part.df.columns for part in parts)]
    if not any(len(part.values(name)) for part in parts for name in names):
        text = "interruptions\nare missing in all calls" if names else "no interruptions:\nrun metrics()"
        _say(ax, text, text.split("\n")[1])
        return
    draw = _draw_interruption_means if _are_groups(parts) else _draw_interruption_counts
    draw(ax, parts, names)
    drawing.plain(ax)


def _draw_interruption_counts(ax: Axes, parts: Sequence[Part], names: Sequence[str]) -> None:
    """Draw how many calls have 0, 1, ... interruptions by either party."""
    from kataven_notebook.plots.fitted import set_key  # noqa: PLC0415 - needs the extra

    counts = {name: parts[0].values(name) for name in names}
    most = int(min(_MOST, max(1, *(values.max(initial=0) for values in counts.values()))))
    width = 0.8 / len(names)
    handles: dict[str, Any] = {}
    for index, (name, values) in enumerate(counts.items()):
        party = INTERRUPTIONS[name]
        heights = np.bincount(np.clip(values, 0, most).astype(np.int64), minlength=most + 1)
        places = np.arange(most + 1) + (index - (len(names) - 1) / 2) * width
        bars = ax.bar(
            places,
            heights,
            width,
            color=colours.role(ax, party),
            edgecolor=ax.get_facecolor(),
            hatch=colours.HATCHES[party],
            linewidth=0,
        )
        handles[f"by the {party} ({int(values.sum()):,})"] = bars
    beyond = "+" if any(values.max(initial=0) > most for values in counts.values()) else ""
    ax.set_xticks(range(most + 1), [*map(str, range(most)), f"{most}{beyond}"])
    drawing.label(
        ax,
        x="interruptions in a call",
        y=_calls(max(map(len, counts.values()))),
    )
    drawing.whole_numbers(ax.yaxis)
    set_key(ax, handles)


def _draw_interruption_means(ax: Axes, parts: Sequence[Part], names: Sequence[str]) -> None:
    """Draw each group's mean of interruptions a call by either party, with its interval."""
    from kataven_notebook.plots.fitted import set_key  # noqa: PLC0415 - needs the extra

    name_rows(ax, [str(part.name) for part in parts], [""] * len(parts))
    handles: dict[str, Any] = {}
    for offset, name in zip((-0.16, 0.16), names, strict=False):
        party = INTERRUPTIONS[name]
        style: dict[str, Any] = {"color": colours.role(ax, party), "markersize": 5}
        for place, (found, _) in enumerate(estimates_of([part.group(name) for part in parts], "mean")):
            known = np.isfinite(found.low)
            ends = [[found.value - found.low], [found.high - found.value]] if known else None
            fill = "full" if known else "none"
            mark = "o" if party == "agent" else "s"
            bars = ax.errorbar(
                found.value, place + offset, xerr=ends, fmt=mark, elinewidth=1.6, capsize=2, fillstyle=fill, **style
            )
            handles.setdefault(f"by the {party}, 95 % interval", bars)
    ax.set_xlim(left=0)
    drawing.label(ax, x="interruptions a call, mean")
    set_key(ax, handles)
