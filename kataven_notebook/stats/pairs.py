"""Paired designs: differences within pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.stats.effects import Effect, effect_of_spread
from kataven_notebook.stats.estimates import effect_between, probability_of, spread_of
from kataven_notebook.stats.quantiles import spread_of_quantile
from kataven_notebook.stats.samples import Sample

if TYPE_CHECKING:
    import numpy.typing as npt

    from kataven_notebook.stats.estimates import Options, Statistic


def effect_of_pairs(
    sample: Sample, reference: Sample, statistic: Statistic, effect: str, options: Options
) -> tuple[Effect, int]:
    """Return the difference or ratio within pairs, and how many pairs there are.

    A pair is a cluster with values in both samples; what has none is left out. For the median it is the median of the
    pairs' own differences (or quotients), each of the medians of the pair's values. For any other statistic it is the
    difference of the two statistics over these pairs, whose limits know what the pairs have in common.

    Parameters
    ----------
    sample, reference
        Samples whose clusters are pairs.
    statistic, effect, options
        As for `effect_between`.
    """
    others = set(reference.labels or ())
    common = [label for label in sample.labels or () if label in others]
    if not common:
        return Effect(float("nan"), note="no pair has values in both groups"), 0
    kept = [_only(each, common) for each in (sample, reference)]
    if probability_of(statistic) != 0.5:
        spreads = [spread_of(each, statistic, options) for each in kept]
        return effect_between((kept[0], spreads[0]), (kept[1], spreads[1]), statistic, effect, options), len(common)
    first, second = (_medians(each) for each in kept)
    if effect == "ratio" and (second <= 0).any():
        note = "a ratio within pairs needs values above 0 in the reference group: effect='difference'"
        return Effect(float("nan"), note=note), len(common)
    apart = first - second if effect == "difference" else first / second
    found = effect_of_spread(spread_of_quantile(Sample(apart, 0), 0.5), effect, options.z)
    return found, len(common)


def _only(sample: Sample, labels: list[object]) -> Sample:
    """Return the values of some clusters, in the order in which these are named."""
    target = {label: at for at, label in enumerate(labels)}
    renamed = np.array([target.get(label, -1) for label in sample.labels or ()], dtype=np.intp)
    codes = renamed[sample.codes if sample.codes is not None else np.arange(sample.n)]
    rows = codes >= 0
    return replace(
        sample,
        values=sample.values[rows],
        codes=codes[rows],
        labels=labels,
        minutes=None if sample.minutes is None else sample.minutes[rows],
    )


def _medians(sample: Sample) -> npt.NDArray[np.float64]:
    """Return the median of each cluster's values, the clusters in the order of their labels."""
    codes = np.arange(sample.n) if sample.codes is None else sample.codes
    order = np.lexsort((sample.values, codes))
    ordered, sizes = sample.values[order], np.bincount(codes, minlength=sample.clusters)
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    result: npt.NDArray[np.float64] = (ordered[starts + (sizes - 1) // 2] + ordered[starts + sizes // 2]) / 2
    return result
