"""Crests are round, flat or leaning."""

from __future__ import annotations

import numpy as np
import pytest
from levels import RATE, tone
from scipy.signal import butter, sosfilt

from kataven_notebook.numbers.crests import CrestMeter

pytestmark = pytest.mark.core

WINDOW = RATE // 100


def meter(samples: np.ndarray) -> CrestMeter:
    """Return the meter of `samples`, which took them in two blocks."""
    found = CrestMeter(WINDOW)
    windows = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    found.add(windows[: len(windows) // 2])
    found.add(windows[len(windows) // 2 :])
    return found


def pulses(seconds: float = 10, hz: float = 370.0) -> np.ndarray:
    """Return a tone whose level swells and fades, from 0 to 1."""
    return tone(seconds, 0, hz=hz) * np.sin(np.pi * np.arange(round(seconds * RATE)) / RATE) ** 2


def test_crests_that_were_cut_off_are_flat_and_others_are_not() -> None:
    """At the level of the cut, whatever the level of the whole."""
    cut = np.clip(pulses(), -0.5, 0.5) * 0.1
    assert meter(cut).flat_ratio(0.05) > 0.6
    assert meter(cut).shape().flat_ratio > 0.6
    assert meter(pulses()).flat_ratio(0.95) == 0.0
    assert meter(pulses()).shape().flat_ratio == 0.0


def test_flat_crests_lean_behind_a_high_pass_filter() -> None:
    """Round ones don't."""
    sections = butter(2, 100, "high", fs=RATE, output="sos")
    assert abs(meter(sosfilt(sections, np.clip(pulses(), -0.3, 0.3))).shape().lean) > 0.3
    assert abs(meter(sosfilt(sections, pulses())).shape().lean) < 0.1


def test_the_peaks_are_those_of_the_windows() -> None:
    """Of either sign."""
    samples = np.zeros(4 * WINDOW)
    samples[[10, WINDOW + 5, 3 * WINDOW]] = [0.5, -0.7, 0.2]
    assert meter(samples).peaks() == pytest.approx([0.5, 0.7, 0.0, 0.2])


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(10 * WINDOW), tone(0.05, -6), np.full(RATE, 0.5)])
def test_too_few_crests_have_no_shape(samples: np.ndarray) -> None:
    """Missing, and without a warning."""
    assert np.isnan([meter(samples).shape().flat_ratio, meter(samples).shape().lean]).all()
    assert not meter(samples).flat_ratio(0.5) > 0


def test_a_crest_wider_than_the_look_has_no_shape() -> None:
    """A tone of 50 Hz lingers at its top for longer than a window."""
    assert np.isnan(meter(tone(2, -6, hz=50)).flat_ratio(0.5))
