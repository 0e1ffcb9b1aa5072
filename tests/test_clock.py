"""Times and durations as people read them."""

from __future__ import annotations

import time

import pytest

from kataven_notebook.clock import clock_text, duration_text

pytestmark = pytest.mark.core
NOON = time.mktime((2026, 1, 31, 12, 0, 0, 0, 0, -1))


def test_a_time_of_another_day_has_its_date() -> None:
    """Also where the clock shows the same hour, and where it is only minutes away."""
    assert clock_text(NOON, now=NOON - 3_600) == "12:00:00"
    assert clock_text(NOON + 86_400, now=NOON) == "2026-02-01 12:00"
    assert clock_text(NOON + 43_260, now=NOON + 43_140) == "2026-02-01 00:01"


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (0, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (3_599.6, "1:00:00"),
        (90_061, "25:01:01"),
        (-2, "-0:02"),
        (-0.3, "0:00"),
    ],
)
def test_a_duration_is_rounded_before_it_is_divided(duration_s, text) -> None:
    """A minute never has sixty seconds."""
    assert duration_text(duration_s) == text
