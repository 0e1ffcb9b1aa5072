"""Scales that fit the data, and numbers written as precisely as they are known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]

_MINUS = "\N{MINUS SIGN}"
_FENCE = 3.0
"""Values further from the middle half than so many of its lengths are far out (Tukey 1977)."""
_ENOUGH = 20
"""Among fewer values nothing is far out."""
_LOST = 0.5
"""The axis ends before values that are far out where it would grow by this share for them."""


@dataclass(frozen=True, slots=True)
class Span:
    """The part of an axis that holds the bulk of the data, and what lies beyond.

    Attributes
    ----------
    low, high : float
        The ends; equal where all values are, NaN where there are none.
    below, above : int
        How many values lie beyond.
    least, most : float
        The extremes of all values.
    """

    low: float
    high: float
    below: int
    above: int
    least: float
    most: float

    def beyond(self) -> str:
        """Return in words what lies beyond the axis, empty where nothing does.

        Examples
        --------
        >>> Span(0.0, 4.0, 0, 2, 0.1, 14.2).beyond()
        '2 beyond, up to 14.2'
        """
        parts = [f"{self.below:,} below, from {written(self.least)}"] * (self.below > 0)
        parts += [f"{self.above:,} beyond, up to {written(self.most)}"] * (self.above > 0)
        return "; ".join(parts)


def span_of(parts: Sequence[Doubles]) -> Span:
    """Return the span that holds the bulk of every part.

    One call of an hour would press all others into a line: the axis ends at the fence, and its label says what is
    beyond.

    Examples
    --------
    >>> span_of([np.r_[np.arange(1.0, 50.0), 1_000.0]]).beyond()
    '1 beyond, up to 1000'
    """
    values = np.concatenate(parts) if parts else np.empty(0)
    if not len(values):
        return Span(math.nan, math.nan, 0, 0, math.nan, math.nan)
    least, most = float(values.min()), float(values.max())
    low, high = least, most
    fences = [_fences(part) for part in parts if len(part)]
    if len(values) >= _ENOUGH and all(math.isfinite(end) for pair in fences for end in pair):
        first, last = min(low for low, _ in fences), max(high for _, high in fences)
        bulk = values[(values >= first) & (values <= last)]
        width = float(bulk.max() - bulk.min())
        if width > 0 and most - bulk.max() > _LOST * width:
            high = float(bulk.max())
        if width > 0 and bulk.min() - least > _LOST * width:
            low = float(bulk.min())
    return Span(low, high, int((values < low).sum()), int((values > high).sum()), least, most)


def _fences(values: Doubles) -> tuple[float, float]:
    first, third = np.percentile(values, [25, 75])
    if len(values) > 1 and third == first:
        # Most values are the same, as counts are: the others are what there is to see.
        return float(values.min()), float(values.max())
    reach = _FENCE * float(third - first)
    return float(first - reach), float(third + reach)


def written(value: float, resolution: float = 0.0) -> str:
    """Return a number as it is written in a figure, to two figures of what it is known to.

    Parameters
    ----------
    value
        Any number.
    resolution
        The length of its interval; 0 where it has none, and then three figures are written.

    Examples
    --------
    >>> written(-0.15832, 0.17), written(93.71), written(5400.0)
    ('\N{MINUS SIGN}0.16', '93.7', '5400')
    """
    if not math.isfinite(value):
        return "none" if math.isnan(value) else ("∞" if value > 0 else f"{_MINUS}∞")
    scale = resolution if resolution > 0 and math.isfinite(resolution) else abs(value) / 10
    decimals = min(6, max(0, 1 - math.floor(math.log10(scale)))) if scale > 0 else 0
    if abs(value) >= 1e7 or 0 < abs(value) < 1e-5:
        return f"{value:.2e}".replace("-", _MINUS)
    text = f"{value:.{decimals}f}"
    return (text.replace("-", _MINUS) if float(text) else text.lstrip("-")) or "0"


def interval(value: float, low: float, high: float) -> str:
    """Return an estimate with its interval.

    Examples
    --------
    >>> interval(-0.158, -0.247, -0.081)
    '\N{MINUS SIGN}0.16 [\N{MINUS SIGN}0.25, \N{MINUS SIGN}0.08]'
    """
    width = high - low
    return f"{written(value, width)} [{written(low, width)}, {written(high, width)}]"
