"""Differences within pairs."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.stats.estimates import Options
from kataven_notebook.stats.pairs import effect_of_pairs
from kataven_notebook.stats.samples import make_sample

pytestmark = pytest.mark.core

RANDOM = np.random.default_rng(9)


def test_the_median_is_that_of_the_differences_within_pairs() -> None:
    """In whatever order the pairs stand, and of the medians where a pair has several values."""
    names = [f"c{n}" for n in range(21)]
    base = RANDOM.normal(size=21)
    apart = RANDOM.normal(1, 0.3, 21)
    order = RANDOM.permutation(21)
    after = make_sample((base + apart)[order], clusters=[names[each] for each in order])
    before = make_sample(np.r_[base - 9, base, base + 9], clusters=names * 3)
    found, pairs = effect_of_pairs(after, before, "median", "difference", Options())
    assert pairs == 21
    assert found.value == pytest.approx(np.median(apart))
    assert found.low < found.value < found.high


@pytest.mark.parametrize("statistic", ["mean", "median", "p90"])
def test_without_common_pairs_there_is_no_difference(statistic: str) -> None:
    """And a sentence says so."""
    found, pairs = effect_of_pairs(
        make_sample([1.0, 2.0], clusters=["a", "b"]),
        make_sample([1.0, 2.0], clusters=["c", "d"]),
        statistic,
        "difference",
        Options(),
    )
    assert pairs == 0
    assert found.note == "no pair has values in both groups"


def test_a_quotient_of_nothing_is_none() -> None:
    """And a sentence says so."""
    samples = [make_sample(values, clusters=[1, 2, 3]) for values in ([1.0, 2.0, 3.0], [1.0, 0.0, 2.0])]
    found, _ = effect_of_pairs(samples[0], samples[1], "median", "ratio", Options())
    assert "above 0" in str(found.note)
