"""Samples: the values that are numbers, with their clusters, weights and exposure."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]
    Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Values that are numbers, and what they stand for.

    Attributes
    ----------
    values : ndarray of float64, shape (n,)
        Without what is missing or infinite.
    missing : int
        How many were left out.
    codes : ndarray of intp, shape (n,), or None
        For each value the position of its cluster, 0 to `clusters` - 1; None where each is a cluster of its own and
        shares it with no other sample.
    labels : list or None
        What each cluster is called, so that two samples know which clusters they share.
    weights : ndarray of float64, shape (n,), or None
        How much each value counts; None for all alike.
    minutes : ndarray of float64, shape (n,), or None
        How long each value was counted, for rates.
    is_counts : bool
        Whether they count something: whole numbers from 0, also where all of them are 0.
    together : float
        How many events a cluster has that has any, as far as the values beside these tell.
    """

    values: Doubles
    missing: int
    codes: Codes | None = None
    labels: list[Any] | None = None
    weights: Doubles | None = None
    minutes: Doubles | None = None
    is_counts: bool = False
    together: float = 1.0

    @property
    def n(self) -> int:
        """How many values."""
        return len(self.values)

    @property
    def clusters(self) -> int:
        """How many clusters, each value its own where none are named."""
        return self.n if self.labels is None else len(self.labels)

    @property
    def is_clustered(self) -> bool:
        """Whether any cluster holds several values."""
        return self.clusters < self.n

    def summed(self, amounts: Doubles) -> Doubles:
        """Return one amount a value as one sum a cluster."""
        if self.codes is None:
            return amounts
        return np.bincount(self.codes, weights=amounts, minlength=self.clusters).astype(np.float64, copy=False)


def make_sample(
    values: npt.ArrayLike,
    *,
    clusters: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    exposure_s: npt.ArrayLike | None = None,
    is_counts: bool | None = None,
) -> Sample:
    """Return the sample of some values; those that are missing or infinite are left out and counted.

    Parameters
    ----------
    values
        Numbers or booleans, None, NA and NaN among them where missing.
    clusters
        For each value what names its cluster; None, NaN or a code of -1 name none, and the value is its own.
    weights
        For each value how much it counts, from 0; a value without one is left out.
    exposure_s
        For each value how many seconds it was counted in, above 0; a value without them is left out.
    is_counts
        Whether they are counts, where more is known than these values say; by default, whether all are whole.

    Raises
    ------
    ConfigurationError
        There is something else than numbers, or not one cluster, weight or exposure a value.

    Examples
    --------
    >>> sample = make_sample([1.0, None, 3.0, 4.0], clusters=["a", "a", "b", "b"])
    >>> sample.n, sample.missing, sample.clusters
    (3, 1, 2)
    """
    array = as_doubles("values", values)
    kept = np.isfinite(array)
    chosen = {}
    for name, given, least in (("weights", weights, 0.0), ("exposure_s", exposure_s, None)):
        if given is not None:
            amounts = _of_each(name, as_doubles(name, given), len(array))
            with np.errstate(invalid="ignore"):
                kept &= np.isfinite(amounts) & (amounts > 0 if least is None else amounts >= least)
            chosen[name] = amounts
    minutes = chosen["exposure_s"][kept] / 60 if "exposure_s" in chosen else None
    weighted = chosen["weights"][kept] if "weights" in chosen else None
    missing = int(len(array) - kept.sum())
    is_counts = are_counts(array[kept]) if is_counts is None else is_counts
    if clusters is None:
        return Sample(array[kept], missing, weights=weighted, minutes=minutes, is_counts=is_counts)
    codes, labels = _clusters(_of_each("clusters", _one_dimension(clusters), len(array))[kept])
    return Sample(array[kept], missing, codes, labels, weighted, minutes, is_counts)


def are_counts(values: Doubles) -> bool:
    """Whether there are values, and all are whole numbers from 0."""
    return bool(len(values) and (values >= 0).all() and (values == np.floor(values)).all())


def as_doubles(name: str, values: npt.ArrayLike) -> Doubles:
    """Return numbers or booleans as an array of one dimension, NaN where missing.

    Raises
    ------
    ConfigurationError
        There is something else than numbers.
    """
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        result: Doubles = np.ravel(array).astype(np.float64)
        return result
    return np.array([_number(name, each) for each in np.ravel(np.asarray(values, dtype=object))], dtype=np.float64)


def _number(name: str, value: object) -> float:
    if is_missing(value):
        return float("nan")
    # To numpy a length of time is a whole number.
    is_span = isinstance(value, np.timedelta64)
    if not is_span and isinstance(value, numbers.Real | np.bool_ | Decimal):
        return float(value)
    raise ConfigurationError(f"{name}: {value!r} is no number: pass numbers, or True and False")


def _one_dimension(values: npt.ArrayLike) -> npt.NDArray[Any]:
    array = np.asarray(values)
    # An array of texts made by numpy would hold "nan" for what is missing.
    return np.ravel(np.asarray(values, dtype=object) if array.dtype.kind in "US" else array)


def _of_each(name: str, array: npt.NDArray[Any], count: int) -> npt.NDArray[Any]:
    if len(array) != count:
        raise ConfigurationError(f"{name}= has {len(array):,} entries for {count:,} values: pass one for each value")
    return array


def _clusters(named: npt.NDArray[Any]) -> tuple[Codes, list[Any]]:
    """Return the position of each value's cluster, and what the clusters are called."""
    if named.dtype.kind in "iu":
        found, codes = np.unique(named, return_inverse=True)
        labels: list[Any] = found.tolist()
        codes = codes.astype(np.intp)
        alone = np.flatnonzero(named < 0)
    else:
        positions: dict[Any, int] = {}
        codes = np.fromiter((positions.setdefault(each, len(positions)) for each in named), np.intp, len(named))
        labels = list(positions)
        alone = np.array([at for at, each in enumerate(named) if is_missing(each)], dtype=np.intp)
    if len(alone):
        codes = codes.copy()
        codes[alone] = len(labels) + np.arange(len(alone))
        # No other sample has an object of these.
        labels += [object() for _ in alone]
        left, codes = np.unique(codes, return_inverse=True)
        labels = [labels[each] for each in left]
    return codes.astype(np.intp), labels


def is_missing(value: object) -> bool:
    """Whether a value stands for one that is missing: None, NaN, or NA and NaT of pandas, which is not known here."""
    is_nan = isinstance(value, numbers.Real) and value != value  # noqa: PLR0124 - NaN differs from itself
    return value is None or is_nan or type(value).__name__ in ("NAType", "NaTType")
