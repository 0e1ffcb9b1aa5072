"""Scales that fit, and numbers as precise as they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kataven_notebook.plots.scales import interval, span_of, written


def test_what_is_far_out_is_counted_and_left_beyond_the_axis() -> None:
    """On both sides."""
    bulk = np.linspace(0.5, 1.5, 50)
    span = span_of([np.r_[bulk, 14.2, 9.0], np.r_[bulk, -8.0]])
    assert (span.low, span.high) == (0.5, 1.5)
    assert span.beyond() == "1 below, from \N{MINUS SIGN}8.00; 2 beyond, up to 14.2"


@pytest.mark.parametrize(
    "parts",
    [
        [np.array([1.0, 2.0, 100.0])],
        [np.full(50, 3.0)],
        [np.r_[np.zeros(90), np.ones(9), 7.0]],
        [np.linspace(0, 1, 100), np.linspace(50, 51, 100)],
    ],
    ids=["few", "equal", "counts", "groups far apart"],
)
def test_what_is_no_outlier_stays_on_the_axis(parts: list[np.ndarray]) -> None:
    """Few values, equal ones, counts, and groups that differ."""
    span = span_of(parts)
    assert (span.low, span.high) == (min(map(np.min, parts)), max(map(np.max, parts)))
    assert span.beyond() == ""


def test_no_values_have_no_span() -> None:
    """And nothing beyond it."""
    assert math.isnan(span_of([]).low)
    assert span_of([np.empty(0)]).beyond() == ""


def test_numbers_are_written_to_what_their_interval_knows() -> None:
    """Two figures of the interval's length."""
    assert interval(0.123456, 0.1, 0.15) == "0.123 [0.100, 0.150]"
    assert interval(1234.5, 1100, 1400) == "1234 [1100, 1400]"
    assert interval(2.0, 2.0, 2.0) == "2.00 [2.00, 2.00]"
    assert [written(value) for value in (0.0, -0.0004, math.inf, -math.inf, math.nan, 3e9)] == [
        *("0", "\N{MINUS SIGN}0.000400", "∞", "\N{MINUS SIGN}∞", "none", "3.00e+09"),
    ]
    assert written(-0.0004, 1.0) == "0.0"
