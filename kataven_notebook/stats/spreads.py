"""How far an estimate may be from the truth: one number for each degree of confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.stats import special

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]

# Beyond this many degrees of freedom Student's t is the normal distribution to six digits.
_MANY = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """An estimate and its confidence limits.

    Attributes
    ----------
    value : float
        The estimate; NaN without values.
    at : callable or None
        From standard normal quantiles to limits: `at([-1.96, 1.96])` is the interval of 95 %. It grows with its
        argument, and is infinite where the values can't say. None where there is no interval at all.
    note : str or None
        Why there is no interval.
    pulls : ndarray of float64, shape (clusters,), or None
        How each cluster pulls the estimate; the sum of squares is its variance.
    labels : list or None
        What the clusters are called.
    is_linear : bool
        Whether a difference is best told by the clusters' own: `pulls` are in the estimate's unit, and not of a share.
    sizes : ndarray of float64, shape (clusters,), or None
        How much of the whole each cluster is, where `is_linear`.
    """

    value: float
    at: Callable[[Doubles], Doubles] | None = None
    note: str | None = None
    pulls: Doubles | None = None
    labels: list[Any] | None = None
    is_linear: bool = False
    sizes: Doubles | None = None

    def limits(self, z: float) -> tuple[float, float, str | None]:
        """Return the interval's ends, NaN and the reason where there is none."""
        if self.at is None:
            return float("nan"), float("nan"), self.note
        with np.errstate(over="ignore"):
            low, high = self.at(np.array([-z, z])).tolist()
        if not np.isfinite([low, high]).all():
            return float("nan"), float("nan"), "too few values: the interval would have no end"
        if not low < high:
            return float("nan"), float("nan"), f"the values around it are all {low:.6g}: statistic='mean' tells more"
        return low, high, None


def student(z: Doubles, df: float) -> Doubles:
    """Return Student's t with the same probability below it as a standard normal quantile has.

    Examples
    --------
    >>> student(np.array([-1.959964, 1.959964]), 9).round(3).tolist()
    [-2.262, 2.262]
    """
    if df > _MANY:
        return z
    # In the lower tail, where small probabilities keep their digits.
    result: Doubles = np.copysign(special.stdtrit(df, special.ndtr(-np.abs(z))), z)
    return result


def skewed(value: float, error: float, skewness: float, df: float) -> Callable[[Doubles], Doubles]:
    """Return limits around a mean whose distribution is skewed.

    Student's t, transformed by Hall's cubic (Journal of the Royal Statistical Society B 54, 1992), which takes the
    skewness out of it.

    Parameters
    ----------
    value, error
        The mean and its standard error.
    skewness
        Of the mean: that of what it is the mean of, over the root of their number.
    df
        Degrees of freedom of the error.
    """

    def at(z: Doubles) -> Doubles:
        t = student(z, df)
        if abs(skewness) < 1e-6:
            return value + error * t
        # The transform's inverse, of t from the other side.
        result: Doubles = value - error * 3 / skewness * (np.cbrt(1 - skewness * (t + skewness / 6)) - 1)
        return result

    return at


def skewness_of_sum(pulls: Doubles) -> float:
    """Return the skewness of a sum of clusters' pulls, corrected for how few they are."""
    count = len(pulls)
    if count < 3:
        return 0.0
    squares = pulls * pulls  # many times as fast as the power of 3
    moment = float((squares * pulls).mean() / squares.mean() ** 1.5)
    return moment * float(np.sqrt(count - 1)) / (count - 2)


def as_many(sizes: Doubles) -> float:
    """Return how many equal clusters would tell as much as clusters of these sizes (Kish 1965).

    Examples
    --------
    >>> as_many(np.array([2.0, 2.0, 2.0])), round(as_many(np.array([8.0, 1.0, 1.0])), 2)
    (3.0, 1.52)
    """
    return float(sizes.sum() ** 2 / (sizes @ sizes))


def jackknifed(deviations: Doubles, sizes: Doubles) -> Doubles:
    """Return how each cluster pulls a ratio of sums: what it changes by when the cluster is left out.

    Parameters
    ----------
    deviations
        Each cluster's sum, less the estimate times its size.
    sizes
        What the clusters are divided by.
    """
    count, whole = len(sizes), sizes.sum()
    # A cluster that is nearly all would change everything; it counts as half of all.
    left = np.maximum(1 - sizes / whole, 0.5)
    result: Doubles = deviations / (whole * left) * np.sqrt((count - 1) / count)
    return result
