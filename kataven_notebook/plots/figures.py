"""The figures of a frame: each draws into the axes that it is given, or into a new figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.plots import drawing, panels
from kataven_notebook.plots.comparison import draw_forest, panels_of
from kataven_notebook.plots.groups import (
    check_frame,
    column_named,
    estimates_of,
    groups_of,
    places_of,
    session_of,
    statistic_of,
)
from kataven_notebook.plots.lines import draw_line
from kataven_notebook.plots.rows import Row, draw_rows, room_for_rows

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from kataven_notebook.plots.groups import Group

_WIDTH_IN = 7.0
_LINE_HEIGHT_IN = 3.0
_MAX_ROWS = 40
"""More rows make a figure longer than a page."""
_MAX_POINTS = 400
"""More points of a line than a figure can show."""
_PANEL_EM = (14, 9)
"""A panel of the overview has no room for its texts in less; in the text's size."""


@with_configured_names
def latency(
    df: pd.DataFrame,
    *,
    by: Hashable | None = None,
    metric: Hashable = "response_latency_p50_s",
    reference: Any = None,
    session: str | None = None,
    ax: Axes | None = None,
    prefix: str = "",
) -> Axes:
    """Draw a metric per group: each call, the median with its interval, and the difference to a reference group.

    Groups that are names stand below each other. Points are calls; of a group with more than 600, so many spread as
    its calls are. Beside the median stand, where there are enough calls for an interval, the median, and after Δ its
    difference to the reference with the difference's own 95 % interval: one that leaves out 0 is what "v2 is faster"
    needs. Groups that are numbers or times, such as hours, make a line with a band of intervals.

    The axis ends where the bulk of the calls ends; its label says how many lie beyond, and how far.

    Parameters
    ----------
    df
        A frame with the metrics: one row a call, or several.
    by
        The column whose values are the groups; all calls are one group by default.
    metric
        Any column of numbers; the agent's median response latency by default. Counts have means in place of
        medians, and columns of True and False have shares.
    reference
        The group that the others are compared with; the first by default.
    session
        The column that names the session: values of one session are resampled together. By default the column
        `session_id`, or the name that `configure` was given, where the frame has it.
    ax
        Where to draw; a new figure by default.
    prefix
        In front of the metric's name, as it was given to `metrics`.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`, or the new figure's.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    FrameError
        A column is not there, or holds no numbers, or there are more groups than the axes have room for: 40 rows in
        a new figure, 400 points on a line.
    ConfigurationError
        There is no such reference group.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({"agent": ["a", "a", "b"], "response_latency_p50_s": [0.6, 0.8, 1.4]})
    >>> latency(calls, by="agent").get_xlabel()
    'response latency, median (s)'
    """
    check_frame(df)
    column = column_named(df, metric, prefix)
    groups = groups_of(df, by, column, session=session_of(df, session), largest=_MAX_POINTS)
    name, statistic = str(metric).removeprefix(prefix), statistic_of(df[column])
    places = None if by is None else places_of(groups)
    if places is not None:
        ax = ax or drawing.new_axes((_WIDTH_IN, _LINE_HEIGHT_IN), "kn.plots.latency")
        estimates = [found for found, _ in estimates_of(groups, statistic)]
        draw_line(ax, groups, places, estimates, by=str(by), metric=name)
        return ax
    most = _MAX_ROWS if ax is None else room_for_rows(ax)
    if len(groups) > most:
        raise FrameError(
            f"by={by!r} makes {len(groups):,} groups, and {most:,} at most fit these axes: choose a column with fewer, "
            "or some of the rows, or pass higher axes"
        )
    base = _reference(groups, reference)
    at = next((at for at, each in enumerate(groups) if each is base), None)
    ax = ax or drawing.new_axes((_WIDTH_IN, 1.3 + 0.55 * max(len(groups), 1)), "kn.plots.latency")
    rows = [Row(each, *found) for each, found in zip(groups, estimates_of(groups, statistic, at), strict=True)]
    draw_rows(ax, rows, name, None if base is None or len(groups) == 1 else base.name)
    if by is not None:
        drawing.label(ax, y=str(by))
    return ax


@with_configured_names
def overview(
    df: pd.DataFrame,
    *,
    by: Hashable | None = None,
    ax: Sequence[Axes] | npt.NDArray[np.object_] | Figure | SubFigure | None = None,
    prefix: str = "",
) -> npt.NDArray[np.object_]:
    """Draw a whole frame at a glance: statuses, durations, talk, latencies, silence, interruptions.

    A solid line is the median and a dashed one the 90th percentile, where there are enough calls for them; the key
    above each panel says so. Groups share the panels, each with a line of its own kind and colour. A panel whose
    columns are not there yet says which function adds them.

    Parameters
    ----------
    df
        A frame with the columns of `audio` or `metrics`, or both.
    by
        The column whose values are the groups, six at most; all calls are one group by default.
    ax
        Six axes to draw in, or a figure to put them in; a new figure by default.
    prefix
        In front of the columns' names, as it was given to `metrics`.

    Returns
    -------
    numpy.ndarray
        The axes, `(2, 3)`, in narrow figures `(3, 2)` or `(6, 1)`, or as they were given.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    FrameError
        `ax` are not six or too small for their texts, or `df` is no frame, or `by` is no column of it or makes more
        than six groups.

    Examples
    --------
    >>> import pandas as pd
    >>> overview(pd.DataFrame({"recording_status": ["downloaded", "missing"]})).shape
    (2, 3)
    """
    check_frame(df)
    parts = panels.parts_of(df, by, prefix, session_of(df, None))
    axes = _six_axes(ax)
    panels.draw_overview(list(axes.ravel()), parts)
    return axes


@with_configured_names
def forest(
    comparison: pd.DataFrame,
    *,
    ax: Axes | Sequence[Axes] | npt.NDArray[np.object_] | None = None,
    prefix: str = "",
) -> Axes | npt.NDArray[np.object_]:
    """Draw a table of `compare_groups`: each group's difference to the reference with its interval.

    A row a group, below the name of its metric where there are several. The line at 0, or at 1 for ratios, is no
    difference. Intervals are not corrected for their number; a p-value that is, is called adjusted. Where an interval
    is missing, the table's note says why. Metrics of one unit share an axis; differences in several units have a panel
    each, and ratios have none, so that all fit one.

    Parameters
    ----------
    comparison
        What `compare_groups` returned.
    ax
        Where to draw; a new figure by default. Differences in several units take as many axes.
    prefix
        In front of the metrics' names, as it was given to `metrics`: it is left out in the labels.

    Returns
    -------
    matplotlib.axes.Axes or numpy.ndarray
        `ax` as it was given; of a new figure its axes, and an array of them where it has several.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    FrameError
        It is no table of `compare_groups`, or has more rows than the axes have room for, or `ax` are not as many as
        there are units.

    Examples
    --------
    >>> import kataven_notebook as kn
    >>> import pandas as pd
    >>> calls = pd.DataFrame({"prompt": ["v1"] * 9 + ["v2"] * 9, "lag_s": [n / 9 for n in range(18)]})
    >>> forest(kn.compare_groups(calls, by="prompt", metric="lag_s")).get_xlabel()
    'lag, difference of medians to v1 (s)'
    """
    shown = panels_of(comparison, prefix)
    given = None if ax is None else np.asarray(ax, dtype=object)
    if given is not None and given.size != len(shown):
        units = ", ".join(each.scale for each in shown)
        raise FrameError(
            f"ax holds {given.size} axes, and differences in {len(shown)} units ({units}) need one for each: pass so "
            'many, or compare with effect="ratio"'
        )
    if given is None:
        rows = [len(each.rows) for each in shown]
        if max(rows) > _MAX_ROWS:
            raise FrameError(
                f"the table has {max(rows):,} rows of one unit, and {_MAX_ROWS} at most fit a figure: draw some"
            )
        heights = [0.95 + 0.4 * max(count, 1) for count in rows]
        given = np.array(drawing.new_column(heights, _WIDTH_IN, "kn.plots.forest"), dtype=object)
        ax = given[0] if len(shown) == 1 else given
    for axes, panel in zip(given.ravel(), shown, strict=True):
        draw_forest(axes, panel)
    return ax  # type: ignore[return-value] # as it was given


def _six_axes(ax: Any) -> npt.NDArray[np.object_]:
    """Return six axes: those that were given, or new ones in a figure."""
    if hasattr(ax, "subplots") or ax is None:
        figure = drawing.new_figure((11.0, 5.8), "kn.plots.overview") if ax is None else ax
        columns = next((many for many in (3, 2) if drawing.ems(figure)[0] / many >= _PANEL_EM[0]), 1)
        _check_room(*(size / many for size, many in zip(drawing.ems(figure), (columns, 6 // columns), strict=True)))
        return np.asarray(figure.subplots(6 // columns, columns, squeeze=False), dtype=object)
    given = np.asarray(ax, dtype=object)
    if given.size != 6:
        raise FrameError(f"ax holds {given.size} axes: pass six, one for each panel, or a figure")
    for each in given.ravel():
        _check_room(*drawing.ems(each))
    return given


def _check_room(width_em: float, height_em: float) -> None:
    """Refuse panels in which texts would run into each other."""
    if width_em < _PANEL_EM[0] or height_em < _PANEL_EM[1]:
        raise FrameError(
            f"a panel would be {width_em:.0f} letters wide and {height_em:.0f} high at this size of text, and "
            f"{_PANEL_EM[0]} and {_PANEL_EM[1]} are needed: pass a larger figure, or set a smaller font.size"
        )


def _reference(groups: Sequence[Group], reference: Any) -> Group | None:
    """Return the group that the others are compared with."""
    if reference is None:
        return groups[0] if groups else None
    found = [group for group in groups if reference in (group.key, group.name)]
    if not found:
        known = ", ".join(repr(group.name) for group in groups)
        raise ConfigurationError(f"reference={reference!r}: there is no such group, only {known or 'none at all'}")
    return found[0]
