"""A pile of samples at a level is found, and its size estimated, where sound was cut off before it was coded."""

from __future__ import annotations

import numpy as np
import pytest
from levels import RATE, noise, speechlike, tone, voiced

from kataven_notebook.numbers.ceiling import AmplitudeHistogram

pytestmark = pytest.mark.core


def histogram(samples: np.ndarray, block: int = 7_001) -> AmplitudeHistogram:
    """Return the histogram of `samples`, taken in blocks."""
    found = AmplitudeHistogram()
    for at in range(0, len(samples), block):
        found.add(samples[at : at + block])
    return found


def blurred(samples: np.ndarray, spread: float, seed: int = 0) -> np.ndarray:
    """Return what a codec leaves of `samples`: no two are equal any more."""
    return samples * (1 + spread * np.random.default_rng(seed).standard_normal(len(samples)))


@pytest.mark.parametrize("ceiling", [0.9, 0.1, 0.02])
@pytest.mark.parametrize("spread", [0.01, 0.05])
def test_the_samples_at_a_blurred_ceiling_are_estimated(ceiling: float, spread: float) -> None:
    """At any level, to a quarter of their number."""
    loud = 3 * ceiling * voiced(30)
    cut = np.abs(loud) >= ceiling
    found = histogram(blurred(np.clip(loud, -ceiling, ceiling), spread)).ceiling()
    assert found is not None
    assert found.level == pytest.approx(ceiling, rel=0.1)
    assert found.samples == pytest.approx(cut.sum(), rel=0.25)


def test_one_side_alone_may_be_cut_off() -> None:
    """An amplifier with an offset cuts one sign."""
    loud = speechlike(20, 1.0)
    found = histogram(blurred(np.minimum(loud, 0.3), 0.01)).ceiling()
    assert found is not None
    assert found.samples == pytest.approx((loud >= 0.3).sum(), rel=0.25)


@pytest.mark.parametrize(
    "samples", [speechlike(20, 0.9), noise(20, -20), np.zeros(RATE), np.full(RATE, 0.5), tone(1, -6)[:5]]
)
def test_sound_that_thins_out_has_no_ceiling(samples: np.ndarray) -> None:
    """Nor has what has next to no amplitudes."""
    found = histogram(samples)
    assert found.ceiling() is None
    assert not found.is_plateau(0)


def test_an_even_distribution_without_a_pile_is_a_plateau() -> None:
    """As hard limiting leaves it; with the pile that clipping leaves on top it is none."""
    even = np.random.default_rng(0).uniform(-0.5, 0.5, 20 * RATE)
    found = histogram(even)
    assert found.is_plateau(0)
    assert not found.is_plateau(0.2 * len(even))


def test_samples_beyond_full_scale_are_counted() -> None:
    """Decoders return them; those beyond all bins count as the highest."""
    found = histogram(np.array([3.0, -3.0, 1.5, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]))
    assert found.ceiling() is None
