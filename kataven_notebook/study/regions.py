"""Regions that two listeners marked: which of them are the same event, by how far they overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]


def matched(first: Doubles, second: Doubles, *, least: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which regions of each listener have one of the other's, each being taken once.

    As many as possible are matched. A region without length matches where it touches the other.

    Parameters
    ----------
    first, second
        `(n, 2)`: when each region starts and ends, in seconds.
    least
        Which part of the shorter region must lie in the other, above 0 to 1.

    Examples
    --------
    >>> [each.tolist() for each in matched(np.array([[1, 3], [8, 9]]), np.array([[2.0, 5]]), least=0.5)]
    [[True, False], [True]]
    """
    found = np.zeros(len(first), dtype=np.bool_), np.zeros(len(second), dtype=np.bool_)
    if not len(first) or not len(second):
        return found
    is_near = overlaps(first, second) >= least
    if min(is_near.shape) == 1:
        pair = np.argwhere(is_near)[:1]
    else:
        from scipy import optimize  # noqa: PLC0415 - imported when first needed: the package is to be light

        pair = np.column_stack(optimize.linear_sum_assignment(is_near, maximize=True))
        pair = pair[is_near[pair[:, 0], pair[:, 1]]]
    found[0][pair[:, 0]] = True
    found[1][pair[:, 1]] = True
    return found


def overlaps(first: Doubles, second: Doubles) -> Doubles:
    """Return for each region of one listener and each of the other which part of the shorter lies in the longer.

    Examples
    --------
    >>> overlaps(np.array([[0.0, 4.0], [9.0, 9.0]]), np.array([[3.0, 5.0], [8.0, 9.0]])).tolist()
    [[0.5, 0.0], [0.0, 1.0]]
    """
    start = np.maximum(first[:, None, 0], second[None, :, 0])
    end = np.minimum(first[:, None, 1], second[None, :, 1])
    shorter = np.minimum((first[:, 1] - first[:, 0])[:, None], (second[:, 1] - second[:, 0])[None, :])
    touches = (end >= start).astype(np.float64)
    result: Doubles = np.divide(np.maximum(end - start, 0.0), shorter, out=touches, where=shorter > 0)
    return result
