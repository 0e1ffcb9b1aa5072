"""The forest plot: differences or ratios with their intervals, of the table that `compare_groups` returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.errors import FrameError
from kataven_notebook.hints import no_frame
from kataven_notebook.numbers.definitions import ALL_COLUMNS
from kataven_notebook.plots import colours, drawing, scales
from kataven_notebook.plots.groups import is_missing, name_of
from kataven_notebook.plots.labels import UNITS, unit_of, words_of
from kataven_notebook.plots.rows import name_rows, room_for_rows, statistic_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

_EFFECTS = {"difference": 0.0, "ratio": 1.0}
_WRITTEN = {*UNITS.values(), "per minute"}
_FIRST = ("metric", "statistic", "n", "estimate")
"""Columns of every such table; those before them name the group."""
_AROUND_EM = 5.0
_TEXT_ABOVE = 0.17
_TEXT_HIGH = 0.5


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One row: a heading, or a group's effect with its interval; NaN where there is none, and `note` says why."""

    name: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p_value: float = math.nan
    note: str = ""
    is_heading: bool = False
    is_adjusted: bool = False


@dataclass(frozen=True, slots=True)
class ForestPanel:
    """The rows that share an axis, and what they are measured in."""

    effect: str
    scale: str
    label: str
    rows: list[ForestRow]


def panels_of(table: Any, prefix: str) -> list[ForestPanel]:
    """Return the panels of a table: one for ratios, else one for each unit.

    Raises
    ------
    FrameError
        It is no table of `compare_groups`.
    """
    effect, by = _checked(table)
    texts = table["metric"].astype(str)
    parts = {name: table[texts == name] for name in dict.fromkeys(texts)}
    shared: dict[str, list[str]] = {}
    for name, part in parts.items():
        scale = "ratios" if effect == "ratio" else _scale_of(name.removeprefix(prefix), _statistics(part))
        shared.setdefault(scale, []).append(name)
    panels, is_adjusted = [], _are_adjusted(table)
    for scale, names in (shared or {"": []}).items():
        rows: list[ForestRow] = []
        for name in names:
            rows += [ForestRow(words_of(name.removeprefix(prefix)), is_heading=True)] * (len(names) > 1)
            rows += _rows(parts[name], by, effect, is_adjusted=is_adjusted)
        label = _label(pd.concat([parts[name] for name in names]) if names else table, by, effect)
        if len(names) == 1:
            label = f"{words_of(names[0].removeprefix(prefix))}, {label}"
        panels.append(ForestPanel(effect, scale, f"{label} ({scale})" if scale in _WRITTEN else label, rows))
    return panels


def draw_forest(ax: Axes, panel: ForestPanel) -> None:
    """Draw a panel's rows below each other, with the line of no difference.

    Raises
    ------
    FrameError
        The axes have no room for so many rows.
    """
    from kataven_notebook.plots.fitted import FittedText  # noqa: PLC0415 - needs the extra

    rows, none = panel.rows, _EFFECTS[panel.effect]
    if len(rows) > (most := room_for_rows(ax, _AROUND_EM)):
        raise FrameError(
            f"the table has {len(rows):,} rows, and {most:,} at most fit these axes: draw some, or pass higher axes"
        )
    name_rows(ax, ["" if row.is_heading else row.name for row in rows], [""] * len(rows), _AROUND_EM)
    _limit(ax, rows, panel.effect)
    ax.axvline(none, color=colours.ink(), linewidth=1, zorder=1)
    for place, row in enumerate(rows):
        if row.is_heading:
            words = [row.name, *row.name.split(", ")[:1]]
            FittedText(ax, ax.get_xlim()[0], place, words, height=1.0, ha="left", va="center", weight="bold")
            continue
        if math.isfinite(row.value):
            _draw_effect(ax, row, place)
        anchor = row.value if math.isfinite(row.value) else none
        FittedText(ax, anchor, place - _TEXT_ABOVE, _wordings(row), height=-_TEXT_HIGH)
    if not rows:
        ax.annotate("no groups to compare", (0.01, 0), xycoords=("axes fraction", "data"), va="center")
    drawing.label(ax, x=panel.label)


def _checked(table: Any) -> tuple[str, list[Any]]:
    """Return which effect a table holds, and the columns that name its groups."""
    if not isinstance(table, pd.DataFrame):
        raise FrameError(no_frame("a table of compare_groups", table))
    names = [str(name) for name in table.columns]
    found = [effect for effect in _EFFECTS if {effect, f"{effect}_low", f"{effect}_high"} <= set(names)]
    if not found or any(names.count(name) != 1 for name in (*_FIRST, found[0])):
        raise FrameError(
            f"this is no table of compare_groups: it has the columns {', '.join(map(repr, names[:12])) or 'none'}, and "
            "metric, statistic, n, estimate, difference, difference_low and difference_high are needed"
        )
    by = list(table.columns[: names.index("metric")])
    return found[0], by


def _are_adjusted(table: pd.DataFrame) -> bool:
    """Return whether there are p-values corrected for several comparisons; the largest of them stays what it was."""
    if not {"p_value", "p_adjusted"} <= set(table.columns):
        return "p_adjusted" in table.columns
    return bool((table["p_adjusted"] != table["p_value"]).where(table["p_adjusted"].notna(), other=False).any())


def _rows(part: pd.DataFrame, by: Sequence[Any], effect: str, *, is_adjusted: bool) -> list[ForestRow]:
    """Return a metric's rows, without references, which are compared with nothing."""
    bases = _bases(part, effect)
    rows = []
    for place, (_, line) in enumerate(part.iterrows()):
        if place in bases:
            continue
        value, low, high = (_number(line[f"{effect}{end}"]) for end in ("", "_low", "_high"))
        p_value = _number(line.get("p_adjusted" if is_adjusted else "p_value"))
        note = "" if is_missing(line.get("note")) else str(line["note"])
        name = _group_name(line, by)
        rows.append(ForestRow(name, value, low, high, p_value, note, is_adjusted=is_adjusted))
    return rows


def _bases(part: pd.DataFrame, effect: str) -> list[int]:
    """Return which of a metric's rows are references: those with an estimate that nothing keeps from a comparison."""
    found = []
    for place, (_, line) in enumerate(part.iterrows()):
        note = "" if is_missing(line.get("note")) else str(line.get("note"))
        is_kept = any(why in note for why in ("reference", "pair"))
        if is_missing(line[effect]) and not is_missing(line["estimate"]) and not is_kept:
            found.append(place)
    return found


def _base_name(part: pd.DataFrame, by: Sequence[Any], effect: str) -> str:
    """Return what a metric's groups are compared with: one group, or those that differ from them in one column."""
    lines = part.iloc[_bases(part, effect)]
    if len(lines) == 1:
        return _group_name(lines.iloc[0], by)
    same = [name for name in by if len({*lines[name]}) == 1]
    others = " and ".join(str(name) for name in by if name not in same)
    return f"{_group_name(lines.iloc[0], same)} of the same {others}" if same and others else "the reference"


def _group_name(line: pd.Series[Any], by: Sequence[Any]) -> str:
    return ", ".join("(none)" if is_missing(line[name]) else name_of(line[name]) for name in by) or "all"


def _statistics(part: pd.DataFrame) -> list[str]:
    return [str(name) for name in part["statistic"].dropna().unique()]


def _scale_of(metric: str, statistics: Sequence[str]) -> str:
    """Return what a metric's differences are measured in: metrics of one scale share an axis."""
    for statistic, scale in (("share", "shares"), ("rate", "per minute")):
        if statistics == [statistic]:
            return scale
    known = ALL_COLUMNS.get(metric)
    unit = {"count": "counts", "1": "shares"}.get(str(known.unit)) if known is not None else None
    # Numbers whose unit nobody knows have nothing in common.
    return unit or unit_of(metric) or metric


def _label(part: pd.DataFrame, by: Sequence[Any], effect: str) -> str:
    """Return the axis's label: which effect, of which statistic, and to which group."""
    statistics = _statistics(part)
    of = f" of {statistic_words(statistics[0])}s" if len(statistics) == 1 else ""
    bases = {_base_name(own, by, effect) for _, own in part.groupby("metric", sort=False)}
    return f"{effect}{of} to {bases.pop() if len(bases) == 1 else 'the reference'}"


def _number(value: Any) -> float:
    return math.nan if is_missing(value) else float(value)


def _wordings(row: ForestRow) -> list[str]:
    if not math.isfinite(row.low) or not math.isfinite(row.high):
        value = scales.written(row.value)
        noted = [f"{value}: {row.note}", row.note] if row.note else []
        return [*noted, f"{value}, no interval", "no interval"] if math.isfinite(row.value) else [row.note, "no values"]
    text = scales.interval(row.value, row.low, row.high)
    short = scales.written(row.value, row.high - row.low)
    return (
        [f"{text}, {'adjusted ' * row.is_adjusted}{_p_words(row.p_value)}", text, short]
        if math.isfinite(row.p_value)
        else [text, short]
    )


def _p_words(p_value: float) -> str:
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _draw_effect(ax: Axes, row: ForestRow, place: int) -> None:
    ink = colours.ink()
    if not math.isfinite(row.low) or not math.isfinite(row.high):
        ax.plot(row.value, place, "s", color=ink, markerfacecolor="none", markersize=5, zorder=4)
        return
    ends = [[max(row.value - row.low, 0.0)], [max(row.high - row.value, 0.0)]]
    ax.errorbar(row.value, place, xerr=ends, fmt="s", color=ink, markersize=5, elinewidth=1.6, capsize=3, zorder=4)


def _limit(ax: Axes, rows: Sequence[ForestRow], effect: str) -> None:
    """End the axis where the intervals end, with the line of no difference in it; ratios have a scale of logarithms."""
    ends = [end for row in rows for end in (row.value, row.low, row.high) if math.isfinite(end)]
    if effect == "ratio" and all(end > 0 for end in ends):
        from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator  # noqa: PLC0415 - an extra

        low, high = min([*ends, 0.8]), max([*ends, 1.25])
        ax.set_xscale("log")
        # Within less than a decade round numbers are where they are on a plain scale.
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=6) if high > 5 * low else MaxNLocator(5))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xlim(low / (high / low) ** 0.06, high * (high / low) ** 0.06)
        return
    low, high = min([*ends, _EFFECTS[effect]]), max([*ends, _EFFECTS[effect]])
    pad = 0.06 * (high - low) or 1.0
    ax.set_xlim(low - pad, high + pad)
    drawing.round_ticks(ax)
