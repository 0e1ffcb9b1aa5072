"""The moments of a call worth hearing."""

from __future__ import annotations

import numpy as np
import pytest
from scripted_calls import RATE, measured, sound

from kataven_notebook.numbers.moments import moment_rows

pytestmark = pytest.mark.core


def test_moments_come_worst_first_and_say_what_happened() -> None:
    """Dead air of 4 s, an interruption of 0.5 s, a slow response, and clipping, by severity."""
    samples = sound([(0.5, 2.5), (6.0, 8.0), (9.5, 14.0)], [(3.0, 3.4), (7.5, 9.0)])
    samples[round(10 * RATE) : round(10.5 * RATE), 0] = np.clip(
        20 * samples[round(10 * RATE) : round(10.5 * RATE), 0], -1, 1
    )
    rows = moment_rows(measured(samples), 0)
    assert [row["kind"] for row in rows] == ["clipping", "slow response", "dead air", "interruption"]
    assert rows[1]["text"] == "the agent answers after 2.6 s"
    assert (rows[1]["start_s"], rows[1]["end_s"]) == pytest.approx((3.4, 6.0), abs=0.011)
    assert rows[2]["text"] == "nobody speaks for 4.0 s"
    assert rows[3]["text"] == "the caller interrupts the agent, who yields after 0.5 s"
    severities = [row["severity"] for row in rows]
    assert severities == sorted(severities, reverse=True)
    assert severities[1] == pytest.approx(2.6 / 1.5, abs=0.01)


def test_a_late_answer_is_told_once_and_of_the_agent_only() -> None:
    """Silence before a late answer is no dead air of its own; a caller may think."""
    measures = measured(sound([(0, 2), (7, 9)], [(3, 3.5), (13, 14)], duration_s=14))
    assert [(row["kind"], row["channel"]) for row in moment_rows(measures, 0)] == [
        ("slow response", 0),
        ("dead air", None),
    ]
    assert [row["channel"] for row in moment_rows(measures, None)] == [1, 0]
