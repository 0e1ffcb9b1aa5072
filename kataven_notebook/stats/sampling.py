"""Samples whose every unit had a known chance to be drawn: sizes of strata, inclusion probabilities, the draw."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable

    Doubles = npt.NDArray[np.float64]
    Whole: TypeAlias = npt.NDArray[np.intp]

LEAST_CHANCE = 0.1
"""The least score of a unit, as a part of the mean: what can't be drawn can't be spoken for, and a weight of 10 is
the largest that a few hundred labels bear."""


def own_numbers(names: Iterable[str], seed: int) -> Doubles:
    """Return a number from 0 to below 1 for each name, which depends on the name and the seed alone.

    Permanent random numbers (Ohlsson 1995): whatever the order of the names and whichever others there are, the number
    of a name stays, so that a larger sample of equal chances holds the smaller one.

    Parameters
    ----------
    names
        Each once.
    seed
        Any whole number.

    Examples
    --------
    >>> once, again = own_numbers(["a", "b"], 1), own_numbers(["c", "b", "a"], 1)
    >>> bool(once[0] == again[2]), bool(once[0] == own_numbers(["a"], 2)[0])
    (True, False)
    """
    lead = f"{seed}:".encode()
    digests = (hashlib.blake2b(lead + name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in names)
    # 53 bits are what a float holds: one more could round up to 1.
    return np.array([(int.from_bytes(each) >> 11) / 2**53 for each in digests], dtype=np.float64)


def allocation(sizes: npt.ArrayLike, n: int, how: Literal["proportional", "equal"] = "proportional") -> Whole:
    """Return how many units of each stratum a sample of `n` takes.

    Two of each stratum at least (one where `n` does not suffice for two, none where it does not suffice for one), as a
    spread is not known from one; never more than there are. What is left is given in proportion to the sizes, or
    equally, by largest remainders.

    Parameters
    ----------
    sizes
        How many units each stratum has.
    n
        How many the sample is to have; all, where there are fewer.
    how
        "proportional" gives each unit about the same chance, "equal" each stratum the same number.

    Examples
    --------
    >>> allocation([90, 10], 10).tolist(), allocation([90, 10], 30, "equal").tolist()
    ([8, 2], [20, 10])
    """
    room = np.asarray(sizes, dtype=np.intp)
    n = min(int(n), int(room.sum()))
    least = next((each for each in (2, 1) if np.minimum(room, each).sum() <= n), 0)
    given: Whole = np.minimum(room, least)
    wanted = n * room / room.sum() if how == "proportional" and n else np.full(len(room), np.inf)
    while (left := n - int(given.sum())) > 0:
        open_ = given < room
        if how == "proportional":
            lacking = np.where(open_, np.maximum(wanted - given, 0), 0.0)
            lacking = lacking if lacking.sum() > 0 else np.where(open_, room - given, 0).astype(np.float64)
        else:
            # The smallest first, so that all come to the same number where they can.
            lacking = np.where(open_ & (given == given[open_].min()), 1.0, 0.0)
        given += _by_remainders(lacking, left, room - given)
    return given


def _by_remainders(shares: Doubles, left: int, room: Whole) -> Whole:
    exact = left * shares / shares.sum()
    given: Whole = np.minimum(np.floor(exact).astype(np.intp), room)
    if given.sum() == 0:
        best = np.flatnonzero((shares > 0) & (room > 0))
        best = best[np.argsort(-exact[best], kind="stable")][:left]
        given[best] = 1
    return given


def inclusion_probabilities(scores: npt.ArrayLike, n: int) -> Doubles:
    """Return each unit's chance to be in a sample of `n`, in proportion to its score.

    A unit whose chance would be above 1 is in every sample, and the others share what is left. A score below
    `LEAST_CHANCE` of the mean, or a missing one, counts as that much; where all are missing or 0, chances are equal.

    Parameters
    ----------
    scores
        From 0 on; NaN where a score is missing.
    n
        The size of the sample; where there are not as many units, all have the chance 1.

    Examples
    --------
    >>> inclusion_probabilities([1, 1, 2, 8], 2).round(2).tolist()
    [0.25, 0.25, 0.5, 1.0]
    """
    size = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=0.0)
    if n >= len(size):
        return np.ones(len(size))
    # Scores may be as large as floats go: their sum must not be infinite.
    size = size / size.max() if len(size) and size.max() > 0 else np.ones(len(size))
    size = np.maximum(size, LEAST_CHANCE * size.mean())
    certain = np.zeros(len(size), dtype=np.bool_)
    while True:
        chance = (n - certain.sum()) * size / max(float(size[~certain].sum()), np.finfo(float).tiny)
        over = ~certain & (chance >= 1)
        if not over.any():
            return np.where(certain, 1.0, chance)
        certain |= over


def drawn(probabilities: Doubles, numbers: Doubles, start: float) -> Whole:
    """Return which units are drawn, as positions in rising order.

    Where all chances are equal: those with the smallest numbers, which is simple random sampling. Otherwise units are
    laid out in the order of their numbers, each as long as its chance, and taken at equal steps of 1 from `start` on
    (systematic sampling in random order, Goodman & Kish 1950; Hartley & Rao 1962): each is drawn with exactly its
    chance. What has the chance 1 is always in.

    Parameters
    ----------
    probabilities
        Each unit's chance; their sum is a whole number.
    numbers
        As `own_numbers` returns them.
    start
        From 0 to below 1, drawn at random too.

    Examples
    --------
    >>> drawn(np.array([0.5, 0.5, 1.0, 0.5, 0.5]), np.array([0.1, 0.9, 0.3, 0.5, 0.7]), 0.2).tolist()
    [0, 2, 3]
    """
    certain = np.flatnonzero(probabilities >= 1)
    open_ = np.flatnonzero(probabilities < 1)
    chances = probabilities[open_]
    n = round(float(chances.sum()))
    order = open_[np.argsort(numbers[open_], kind="stable")]
    if not n or np.ptp(chances) < 1e-12:
        return np.sort(np.concatenate([certain, order[:n]]))
    ends = np.cumsum(probabilities[order])
    # Sums of floats end a little beside n: the last step must still find a unit.
    found = np.searchsorted(ends * (n / ends[-1]), start + np.arange(n), side="right")
    return np.sort(np.concatenate([certain, order[np.minimum(found, len(order) - 1)]]))
