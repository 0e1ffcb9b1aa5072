"""Sets of intervals on the time axis: `(n, 2)` float64 arrays of start and end in seconds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Intervals = npt.NDArray[np.float64]


def tidy(intervals: npt.ArrayLike, *, duration_s: float | None = None) -> Intervals:
    """Return `intervals` sorted, disjoint and not empty, cut at 0 and `duration_s` where it is given.

    Raises
    ------
    ValueError
        The array is not `(n, 2)`.

    Examples
    --------
    >>> tidy([(3, 4), (0, 1), (0.5, 2)]).tolist()
    [[0.0, 2.0], [3.0, 4.0]]
    """
    array = np.array(intervals, dtype=np.float64)
    if not array.size:
        return np.empty((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"intervals of shape {array.shape}: pass (n, 2), start and end in seconds")
    if duration_s is not None:
        array = np.clip(array, 0.0, duration_s)
    # A comparison with NaN is false, so this also drops intervals without a known edge.
    return join(array[array[:, 1] > array[:, 0]], 0.0)


def join(intervals: Intervals, gap_s: float) -> Intervals:
    """Return `intervals` with those joined that touch or are less than `gap_s` apart."""
    if len(intervals) < 2:
        return intervals
    ordered = intervals[np.argsort(intervals[:, 0], kind="stable")]
    # A long interval may reach beyond several that begin after it.
    reach = np.maximum.accumulate(ordered[:, 1])
    distance = ordered[1:, 0] - reach[:-1]
    breaks = np.flatnonzero((distance >= gap_s) & (distance > 0))
    starts = ordered[np.concatenate([[0], breaks + 1]), 0]
    ends = reach[np.concatenate([breaks, [len(ordered) - 1]])]
    return np.column_stack([starts, ends])


def union(first: Intervals, second: Intervals) -> Intervals:
    """Return when at least one of two tidy sets is on."""
    return join(np.concatenate([first, second]), 0.0)


def intersection(first: Intervals, second: Intervals) -> Intervals:
    """Return when both of two tidy sets are on."""
    # Both are sorted, so whichever ends first has nothing more to give.
    pairs = []
    i = j = 0
    while i < len(first) and j < len(second):
        start = max(first[i, 0], second[j, 0])
        end = min(first[i, 1], second[j, 1])
        if end > start:
            pairs.append((start, end))
        if first[i, 1] <= second[j, 1]:
            i += 1
        else:
            j += 1
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def between(intervals: Intervals, start_s: float, end_s: float) -> Intervals:
    """Return those of a tidy set that lie at least partly between two times."""
    # Turns are many: looking at all of the other's speech for each would cost their square.
    first = int(np.searchsorted(intervals[:, 1], start_s, side="right"))
    return intervals[first : int(np.searchsorted(intervals[:, 0], end_s))]


def complement(intervals: Intervals, duration_s: float) -> Intervals:
    """Return when a tidy set is off, between 0 and `duration_s`."""
    edges = np.concatenate([[0.0], intervals.ravel(), [duration_s]]).reshape(-1, 2)
    return edges[edges[:, 1] > edges[:, 0]]


def total_s(intervals: Intervals) -> float:
    """Return the length of a tidy set in seconds."""
    return float((intervals[:, 1] - intervals[:, 0]).sum())
