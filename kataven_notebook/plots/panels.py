"""Draws distributions over calls, and the panels of the overview."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kataven_notebook.errors import FrameError
from kataven_notebook.hints import did_you_mean, no_frame
from kataven_notebook.plots import drawing
from kataven_notebook.redact import encodable
from kataven_notebook.status import Status

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Doubles = npt.NDArray[np.float64]

_MAX_POINTS = 600  # a group with more is drawn as so many quantiles, which spread as its calls do
_MAX_LABEL = 24  # characters; longer names would leave no room for the figure
_UNITS = {"s": "s", "db": "dB", "dbfs": "dBFS", "lufs": "LUFS", "hz": "Hz"}


def label_of(metric: str) -> str:
    """Return a column's name as people write it: the unit after a comma.

    Examples
    --------
    >>> label_of("response_latency_p50_s"), label_of("agent_snr_db"), label_of("talk_ratio")
    ('response latency p50, s', 'agent snr, dB', 'talk ratio')
    """
    name, _, unit = metric.rpartition("_")
    return f"{name.replace('_', ' ')}, {_UNITS[unit]}" if name and unit in _UNITS else metric.replace("_", " ")


def groups_of(df: pd.DataFrame, by: str | None, metric: str) -> dict[str, Doubles]:
    """Return each group's finite values, groups in order; calls without a group are left out.

    Raises
    ------
    FrameError
        A column is not there, or holds no numbers.
    """
    check_frame(df)
    for column in (metric, by):
        if column is not None and (found := sum(name == column for name in df.columns)) != 1:
            known = ", ".join(repr(str(name)) for name in df.columns)
            what = f"there are {found} columns" if found else "there is no column"
            near = "" if found else did_you_mean(column, df.columns)
            raise FrameError(f"{what} {column!r}{near}: metrics() adds numbers; here are {known or 'none'}")
    values = numbers_of(df[metric])
    if by is None:
        return {"all calls": values[np.isfinite(values)]}
    groups = df[by].reset_index(drop=True)
    if pd.api.types.is_object_dtype(groups):
        groups = pd.Series([encodable(name) if isinstance(name, str) else name for name in groups], dtype=object)
    if isinstance(groups.dtype, pd.CategoricalDtype):
        names = [name for name in groups.cat.categories if (groups == name).any()]
    else:
        # Names of several types can't be compared, so the type comes first.
        names = sorted(groups.dropna().unique().tolist(), key=lambda name: (str(type(name)), name))
    rows = groups.groupby(groups, observed=True).indices
    labels = _labels([str(name) for name in names])
    chosen = {label: values[rows[name]] for label, name in zip(labels, names, strict=True)}
    return {label: group[np.isfinite(group)] for label, group in chosen.items()}


def _labels(names: list[str]) -> list[str]:
    """Cut long names; where that would make two the same, number them."""
    short = [name if len(name) <= _MAX_LABEL else name[: _MAX_LABEL - 1] + "…" for name in names]
    return [
        f"{label} ({short[: index + 1].count(label)})" if short.count(label) > 1 else label
        for index, label in enumerate(short)
    ]


def check_frame(df: object) -> None:
    """Refuse what is no frame.

    Raises
    ------
    FrameError
        It is none.
    """
    if not isinstance(df, pd.DataFrame):
        raise FrameError(no_frame("a DataFrame with a row a call", df))


def is_missing(value: object) -> bool:
    """Whether a value is None, NaN or NA."""
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))  # type: ignore[call-overload] # of any type


def numbers_of(column: pd.Series) -> Doubles:
    """Return a column's values as float64, NaN where they are missing.

    Raises
    ------
    FrameError
        It holds something that is no number.
    """
    try:
        return np.asarray(pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError):
        raise FrameError(
            f"column {column.name!r} holds no numbers, it is of dtype {column.dtype}: draw another, or convert it"
        ) from None


def draw_distributions(ax: Axes, groups: dict[str, Doubles], metric: str) -> None:
    """Draw one row a group: points, the middle half, median and 90th percentile with their values."""
    colours = drawing.colours()
    for row, values in enumerate(groups.values()):
        colour = colours[row % len(colours)]
        ax.scatter(*_points(values, row), s=12, color=colour, alpha=0.45, linewidths=0)
        if not len(values):
            ax.annotate("no values", (0.01, row), xycoords=("axes fraction", "data"), va="center")
            continue
        low, middle, high, late = np.percentile(values, [25, 50, 75, 90])
        ax.barh(row, high - low, 0.42, left=low, color=colour, alpha=0.3)
        ax.vlines(middle, row - 0.26, row + 0.26, color=drawing.ink(), linewidth=2)
        ax.vlines(late, row - 0.26, row + 0.26, color=drawing.ink(), linewidth=1.5, linestyle=(0, (2, 1.5)))
        text = f"p50 {middle:.2f}   p90 {late:.2f}   n {len(values):,}"
        ax.annotate(text, (middle, row - 0.28), (0, 2), textcoords="offset points", va="bottom", fontsize="small")
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.45, -0.72)
    ax.set_xlabel(label_of(metric))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", alpha=0.25)
    drawing.plain(ax).spines["left"].set_visible(False)
    if not groups:
        ax.set_ylim(0.5, -0.5)
        ax.annotate("no calls with a group", (0.01, 0), xycoords=("axes fraction", "data"), va="center")
    # Offsets are times that may be negative.
    if metric.endswith("_s") and min((values.min(initial=0.0) for values in groups.values()), default=0.0) >= 0:
        ax.set_xlim(left=0)


def _points(values: Doubles, row: int) -> tuple[Doubles, Doubles]:
    """Return where to draw a group's calls: in a band, spread so that close ones are seen apart."""
    if len(values) > _MAX_POINTS:
        values = np.quantile(values, np.linspace(0, 1, _MAX_POINTS))
    # The golden ratio spreads neighbours evenly and is the same each time, unlike chance.
    spread = (np.arange(len(values)) * 0.618034) % 1 - 0.5
    return np.sort(values), np.asarray(row + 0.34 * spread, dtype=np.float64)


def draw_overview(axes: list[Axes], df: pd.DataFrame) -> None:
    """Draw the six panels."""
    _draw_statuses(axes[0], df)
    _draw_histogram(axes[1], df, "duration_s", "audio()")
    _draw_histogram(axes[2], df, "talk_ratio", "metrics()", limits=(0, 1))
    _draw_histogram(axes[3], df, "response_latency_p50_s", "metrics()")
    _draw_histogram(axes[4], df, "silence_ratio", "metrics()", limits=(0, 1))
    _draw_interruptions(axes[5], df)


def _absent(ax: Axes, text: str) -> None:
    """Say in an empty panel what is not there."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, alpha=0.7)


def _draw_statuses(ax: Axes, df: pd.DataFrame) -> None:
    if "recording_status" not in df.columns:
        _absent(ax, "no recording_status:\nrun audio()")
        return
    counts = df["recording_status"].astype(object).value_counts()
    if not len(counts):
        _absent(ax, "recording_status\nis missing in all calls")
        return
    # In the order of the vocabulary, the good ones first, whatever the dtype's categories are.
    order = [str(status) for status in Status if counts.get(str(status), 0)]
    order += [str(name) for name in counts.index if counts[name] and str(name) not in order]
    numbers = [int(counts[name]) for name in order]
    colours = drawing.colours()
    bars = ax.barh(
        order, numbers, color=[colours[0] if name in ("ready", "downloaded") else colours[3] for name in order]
    )
    ax.bar_label(bars, [f"{number:,}" for number in numbers], padding=3, fontsize="small")
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.set_xlabel("calls")
    drawing.whole_numbers(ax.xaxis)
    ax.set_title(f"status of {len(df):,} call{'s' if len(df) > 1 else ''}", loc="left", fontsize="medium")
    drawing.plain(ax)


def _draw_histogram(
    ax: Axes, df: pd.DataFrame, column: str, source: str, *, limits: tuple[float, float] | None = None
) -> None:
    """Draw how a column is distributed, with its median and 90th percentile."""
    values = numbers_of(df[column]) if column in df.columns else np.empty(0)
    values = values[np.isfinite(values)]
    if not len(values):
        _absent(ax, f"no {column}:\nrun {source}" if column not in df.columns else f"{column}\nis missing in all calls")
        return
    # Rice's rule, kept to what a small panel can show.
    bins = np.histogram_bin_edges(values, bins=min(30, max(8, int(2 * len(values) ** (1 / 3)))), range=limits)
    ax.hist(values, bins=[float(edge) for edge in bins], color=drawing.colours()[0], alpha=0.85)
    middle, late = np.percentile(values, [50, 90])
    ax.axvline(middle, color=drawing.ink(), linewidth=2)
    ax.axvline(late, color=drawing.ink(), linewidth=1.5, linestyle=(0, (2, 1.5)))
    ax.set_title(f"p50 {middle:.3g}   p90 {late:.3g}   n {len(values):,}", loc="left", fontsize="medium")
    ax.set_xlabel(label_of(column))
    ax.set_ylabel("calls")
    ax.set_xlim(limits) if limits else ax.set_xlim(left=0)
    drawing.whole_numbers(ax.yaxis)
    drawing.plain(ax)


def _draw_interruptions(ax: Axes, df: pd.DataFrame) -> None:
    """Draw how many calls have 0, 1, ... interruptions by either party."""
    names = [name for name in ("interruptions_by_agent", "interruptions_by_caller") if name in df.columns]
    counts = {name: numbers_of(df[name]) for name in names}
    counts = {name: values[np.isfinite(values)] for name, values in counts.items()}
    if not any(len(values) for values in counts.values()):
        _absent(ax, "interruptions\nare missing in all calls" if names else "no interruptions:\nrun metrics()")
        return
    most = 6  # the few calls with more stand together, so that they don't squeeze the rest
    width = 0.8 / len(names)
    colours = drawing.colours()
    for index, (name, values) in enumerate(counts.items()):
        heights = np.bincount(np.clip(values, 0, most).astype(np.int64), minlength=most + 1)
        label = f"{name.removeprefix('interruptions_').replace('_', ' ')}, {int(values.sum()):,} in all"
        places = np.arange(most + 1) + (index - (len(names) - 1) / 2) * width
        ax.bar(places, heights, width, color=colours[index], label=label)
    ax.set_xticks(range(most + 1), [*map(str, range(most)), f"{most}+"])
    ax.set_xlabel("interruptions in a call")
    ax.set_ylabel("calls")
    drawing.whole_numbers(ax.yaxis)
    ax.legend(frameon=False, fontsize="small")
    drawing.plain(ax)
