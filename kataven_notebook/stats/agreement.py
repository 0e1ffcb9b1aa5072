"""How far judges agree beyond chance: coefficients, with bootstrap intervals over what was judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from kataven_notebook.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

Doubles: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.intp]

_NAN = float("nan")
_BATCH_CELLS = 2_000_000
"""Counts of resamples that are held at once: 16 MB."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient of agreement with its interval.

    Attributes
    ----------
    value : float
        1 for full agreement, 0 for what chance gives; NaN where nothing varies, or nothing was judged twice.
    low, high : float
        The interval's ends; NaN with the value, and below two units.
    n : int
        How many units two judges or more judged.
    agreed : float
        The share of pairs of judgments of one unit that are equal, each unit counting once; NaN without units.
    undefined : float
        The share of resamples in which nothing varied, and which were left out.
    """

    value: float
    low: float
    high: float
    n: int
    agreed: float
    undefined: float = 0.0


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made: units are drawn again with replacement.

    Attributes
    ----------
    confidence_level : float
        Between 0 and 1.
    resamples : int
        How often, at least 2.
    seed : int
        The same seed gives the same intervals.
    """

    confidence_level: float = 0.95
    resamples: int = 5_000
    seed: int = 0

    def values(self, copies: Whole, statistic: Callable[[Doubles], Doubles]) -> Doubles:
        """Return the statistic of each resample.

        Parameters
        ----------
        copies
            How often each kind of unit was found: units of one kind are the same to the statistic.
        statistic
            Takes counts a kind, `(resamples, kinds)`, and returns a value a resample.
        """
        random = np.random.default_rng(self.seed)
        total, batch = int(copies.sum()), max(1, _BATCH_CELLS // max(len(copies), 1))
        parts, left = [], self.resamples
        while left > 0:
            counts = random.multinomial(total, copies / total, size=min(batch, left)).astype(np.float64)
            parts.append(statistic(counts))
            left -= batch
        return np.concatenate(parts)

    def interval(self, values: Doubles) -> tuple[float, float, float]:
        """Return the ends of the middle of the values (percentile method), and the share of them that is NaN."""
        known = values[~np.isnan(values)]
        if not len(known):
            return _NAN, _NAN, 1.0
        tail = (1 - self.confidence_level) / 2
        low, high = np.quantile(known, [tail, 1 - tail])
        return float(low), float(high), 1 - len(known) / len(values)

    def most_unseen(self, n: int) -> float:
        """Return the largest share that what was seen in none of `n` units may have (Clopper & Pearson 1934)."""
        return float(1 - ((1 - self.confidence_level) / 2) ** (1 / n))


def cohens_kappa(first: npt.ArrayLike, second: npt.ArrayLike, resampling: Resampling) -> Coefficient:
    """Return Cohen's kappa (1960) of two judges.

    (p - c) / (1 - c), where p is the share of units on which they agree, and c the share on which they would if each
    kept the shares of the own judgments and gave them by lot. Where they agree on every unit, resamples do too, and
    say nothing of how far the interval goes down: its low end supposes the most disagreement that would be seen in
    none of as many units.

    Parameters
    ----------
    first, second
        What each judged of each unit, as whole numbers from 0.
    resampling
        How the interval is made.

    Examples
    --------
    Of 50 units both say yes to 20, both no to 15 (Cohen's kappa is 0.4 with the 5 and 10 that remain):

    >>> ana = [1] * 20 + [1] * 5 + [0] * 10 + [0] * 15
    >>> ben = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    >>> found = cohens_kappa(ana, ben, Resampling())
    >>> round(found.value, 3), found.agreed, found.low < 0.4 < found.high
    (0.4, 0.7, True)
    """
    pairs = np.column_stack([np.asarray(first, dtype=np.intp), np.asarray(second, dtype=np.intp)])
    if not len(pairs):
        return Coefficient(_NAN, _NAN, _NAN, 0, _NAN)
    kinds, copies = np.unique(pairs, axis=0, return_counts=True)
    judged = np.arange(int(pairs.max()) + 1)
    is_first, is_second = ((kinds[:, [at]] == judged).astype(np.float64) for at in (0, 1))
    is_equal = (kinds[:, 0] == kinds[:, 1]).astype(np.float64)

    def parts(counts: Doubles) -> tuple[Doubles, Doubles]:
        n = counts.sum(axis=1)
        return counts @ is_equal / n, ((counts @ is_first) * (counts @ is_second)).sum(axis=1) / n**2

    value = float(_beyond_chance(*parts(copies[None, :].astype(np.float64)))[0])
    return _with_interval(value, float(copies @ is_equal / len(pairs)), copies, parts, resampling)


def krippendorffs_alpha(counts: npt.ArrayLike, resampling: Resampling) -> Coefficient:
    """Return Krippendorff's alpha for nominal judgments (2004) of any number of judges, who may have left out units.

    Parameters
    ----------
    counts
        How many judges gave each unit each value, `(units, values)`; units with fewer than two judgments don't count.
    resampling
        How the interval is made.

    Raises
    ------
    MissingExtra
        `krippendorff` is not installed.

    Examples
    --------
    >>> found = krippendorffs_alpha([[3, 0], [3, 0], [0, 3], [1, 2], [0, 3]], Resampling())
    >>> round(found.value, 3), round(found.agreed, 3)
    (0.75, 0.867)
    """
    try:
        import krippendorff  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtra.of("study", "Krippendorff's alpha, for more than two annotators,") from None
    table = np.asarray(counts, dtype=np.intp)
    table = table[table.sum(axis=1) > 1]
    if not len(table):
        return Coefficient(_NAN, _NAN, _NAN, 0, _NAN)
    kinds, copies = np.unique(table, axis=0, return_counts=True)
    judges = kinds.sum(axis=1).astype(np.float64)
    equal = (kinds * (kinds - 1)).sum(axis=1) / (judges - 1)

    def parts(drawn: Doubles) -> tuple[Doubles, Doubles]:
        values = drawn @ kinds
        n = values.sum(axis=1)
        return drawn @ equal / n, (values * (values - 1)).sum(axis=1) / (n * (n - 1))

    value = _NAN
    if np.count_nonzero(table.sum(axis=0)) > 1:
        value = float(krippendorff.alpha(value_counts=table, level_of_measurement="nominal"))
    return _with_interval(value, float(copies @ (equal / judges) / len(table)), copies, parts, resampling)


def positive_agreement(matched: npt.ArrayLike, marked: npt.ArrayLike, resampling: Resampling) -> Coefficient:
    """Return the share of what judges marked that another marked too: F1, also named positive specific agreement.

    For what is marked in an unbounded stretch, such as regions of a call, nobody can count what was rightly not
    marked; there it is what kappa tends to (Hripcsak & Rothschild 2005).

    Parameters
    ----------
    matched
        For each unit how many marks have one of the other judge: each pair counts twice.
    marked
        For each unit how many marks there are of both.
    resampling
        How the interval is made.

    Examples
    --------
    >>> found = positive_agreement([2, 2, 0, 4], [2, 3, 1, 4], Resampling())
    >>> found.value, found.n
    (0.8, 4)
    """
    both = np.column_stack([np.asarray(matched, dtype=np.float64), np.asarray(marked, dtype=np.float64)])
    if not len(both) or not both[:, 1].sum():
        return Coefficient(_NAN, _NAN, _NAN, len(both), _NAN)
    value = float(both[:, 0].sum() / both[:, 1].sum())
    # Units without marks change nothing. Marks of one unit stand and fall together.
    kinds, copies = np.unique(both[both[:, 1] > 0], axis=0, return_counts=True)

    def statistic(counts: Doubles) -> Doubles:
        sums = counts @ kinds
        return np.asarray(sums[:, 0] / sums[:, 1])

    low, high, _ = resampling.interval(resampling.values(copies, statistic))
    unseen = resampling.most_unseen(int(copies.sum()))
    low, high = (1 - unseen if value == 1 else low), (unseen if value == 0 else high)
    return Coefficient(value, *_known(low, high), len(both), value)


def _beyond_chance(agreed: Doubles, chance: Doubles) -> Doubles:
    left = 1 - chance
    result: Doubles = np.divide(agreed - chance, left, out=np.full(len(left), _NAN), where=left > 1e-12)
    return result


def _with_interval(
    value: float,
    agreed: float,
    copies: Whole,
    parts: Callable[[Doubles], tuple[Doubles, Doubles]],
    resampling: Resampling,
) -> Coefficient:
    n = int(copies.sum())
    if np.isnan(value) or n < 2:
        return Coefficient(value, _NAN, _NAN, n, agreed)
    low, high, undefined = resampling.interval(resampling.values(copies, lambda counts: _beyond_chance(*parts(counts))))
    if agreed >= 1:
        chance = float(parts(copies[None, :].astype(np.float64))[1][0])
        low = max(1 - resampling.most_unseen(n) / (1 - chance), -1.0)
    return Coefficient(value, *_known(low, high), n, agreed, undefined)


def _known(low: float, high: float) -> tuple[float, float]:
    """Return an interval's ends, NaN where resamples are all the same: that is no knowledge."""
    return (low, high) if high > low else (_NAN, _NAN)
