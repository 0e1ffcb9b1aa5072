"""A pilot's values, and samples drawn of them that differ by what is looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from kataven_notebook.stats.samples import are_counts

Doubles: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.intp]


class Pilot:
    """The values of one group of a pilot, in clusters that are drawn whole.

    Parameters
    ----------
    values
        Finite numbers.
    clusters
        For each value the position of its cluster; None: each value is its own.
    exposure_s
        For each value how many seconds it was counted in, for rates.
    """

    def __init__(self, values: Doubles, clusters: Whole | None = None, exposure_s: Doubles | None = None) -> None:
        codes = np.arange(len(values)) if clusters is None else np.unique(clusters, return_inverse=True)[1]
        order = np.argsort(codes, kind="stable")
        self.values = values[order]
        self.exposure_s = None if exposure_s is None else exposure_s[order]
        self.lengths = np.bincount(codes)
        self.blur = 0.0
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(np.intp)

    @property
    def clusters(self) -> int:
        """How many clusters."""
        return len(self.lengths)

    def blurred(self) -> Pilot:
        """Return the pilot as quantiles need it: samples of it have values between those that it happens to have.

        Without that, the spread of a median is that of the two or three values around it (Hall, DiCiccio & Romano
        1989). Counts stay whole.
        """
        result = Pilot(self.values, np.repeat(np.arange(self.clusters), self.lengths), self.exposure_s)
        result.blur = 0.0 if are_counts(self.values) else bandwidth(self.values)
        return result

    def redrawn(self, n: int, random: np.random.Generator) -> Drawn:
        """Return `n` clusters, drawn with replacement, their values blurred where that is asked for."""
        chosen = random.integers(0, self.clusters, n)
        lengths = self.lengths[chosen]
        ends = np.cumsum(lengths)
        rows = np.arange(ends[-1]) + np.repeat(self._starts[chosen] - ends + lengths, lengths)
        clusters = None if len(rows) == n and self.clusters == len(self.values) else np.repeat(np.arange(n), lengths)
        values = self.values[rows]
        if self.blur:
            values += self.blur * random.standard_normal(len(values))
        return Drawn(values, clusters, None if self.exposure_s is None else self.exposure_s[rows])


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample of a pilot's clusters.

    Attributes
    ----------
    values, exposure_s : ndarray of float64, shape (n,)
        As in the pilot; no exposure where it has none.
    clusters : ndarray of intp, shape (n,), or None
        For each value the position of its cluster.
    """

    values: Doubles
    clusters: Whole | None
    exposure_s: Doubles | None


@dataclass(frozen=True, slots=True)
class Move:
    """How a second group is made to differ from the first by what is looked for.

    Shares: values are flipped at random. Means and rates of counts: counts are thinned, or a Poisson number is added.
    Everything else: all values are shifted.

    Attributes
    ----------
    kind : str
        "flip", "count" or "shift".
    target : float
        The statistic of the moved group.
    start : float
        The statistic of its pilot.
    is_rate : bool
        Whether the statistic is per minute of exposure.
    """

    kind: str
    target: float
    start: float
    is_rate: bool = False

    def of(self, drawn: Drawn, random: np.random.Generator) -> Doubles:
        """Return the values of a sample, moved."""
        values, gap = drawn.values, self.target - self.start
        if gap == 0:
            return values
        amount: Any = gap * drawn.exposure_s / 60 if self.is_rate and drawn.exposure_s is not None else gap
        if self.kind == "shift":
            return np.asarray(values + amount)
        if self.kind == "flip":
            chance = gap / (1 - self.start) if gap > 0 else -gap / self.start
            flips = random.random(len(values)) < chance
            return np.where(flips, 1.0 if gap > 0 else 0.0, values)
        if gap > 0:
            return values + random.poisson(np.broadcast_to(amount, values.shape))
        return random.binomial(values.astype(np.int64), self.target / self.start).astype(np.float64)


def bandwidth(values: Doubles) -> float:
    """Return how far values are blurred: Silverman's rule, 0.9 s n^(-1/5), which is small where they are many.

    Examples
    --------
    >>> round(bandwidth(np.arange(100.0)), 1)
    10.3
    """
    middle = float(np.subtract(*np.quantile(values, [0.75, 0.25]))) / 1.34
    scale = min(float(values.std()), middle) if middle > 0 else float(values.std())
    return 0.9 * scale * float(len(values) ** -0.2)
