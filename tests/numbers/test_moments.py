"""The moments of a call worth hearing."""

from __future__ import annotations

import numpy as np
import pytest
from scripted_calls import RATE, measured, sound

from kataven_notebook.numbers.moments import moment_rows
from kataven_notebook.numbers.rows import call_row

pytestmark = pytest.mark.core


def test_moments_come_worst_first_and_say_what_happened() -> None:
    """Dead air of 4 s, a slow response, an interruption of 0.5 s, and clipping, by severity."""
    samples = sound([(0.5, 2.5), (6.0, 8.0), (9.5, 14.0)], [(3.0, 3.4), (7.5, 9.0)])
    loud = slice(round(10 * RATE), round(10.4 * RATE))
    samples[loud, 0] = np.clip(20 * samples[loud, 0], -1, 1)
    rows = moment_rows(measured(samples), 0)
    assert [row["kind"] for row in rows] == ["dead air", "slow response", "interruption", "clipping"]
    assert rows[0]["text"] == "nobody speaks for 4.0 s"
    assert rows[1]["text"] == "the agent answers after 2.6 s"
    assert (rows[1]["start_s"], rows[1]["end_s"]) == pytest.approx((3.4, 6.0), abs=0.011)
    assert rows[2]["text"] == "the caller interrupts the agent, who yields after 0.5 s"
    assert rows[3]["text"].startswith("the agent clips for 0.4")
    expected = [4 / 1.5, 2.6 / 1.5, 0.5 / 0.5, 0.4 / 0.5]
    assert [row["severity"] for row in rows] == pytest.approx(expected, abs=0.2)


def test_as_much_dead_air_is_listed_as_is_counted() -> None:
    """Before a late answer too, where it has that one name; a caller may think, but the line is as dead."""
    measures = measured(sound([(0, 2), (7, 9)], [(3, 3.5), (13, 14)], duration_s=18))
    for agent_channel in (0, 1, None):
        rows = moment_rows(measures, agent_channel)
        assert {row["kind"] for row in rows} == {"dead air"}
        assert len(rows) == call_row(measures, agent_channel)["dead_air_count"] == 3
    texts = [row["text"] for row in sorted(moment_rows(measures, 0), key=lambda row: row["start_s"])]
    assert texts == [
        "nobody speaks for 3.5 s, until the agent answers",
        "nobody speaks for 4.0 s, until the caller answers",
        "nobody speaks for 4.0 s",
    ]


def test_only_the_agents_responses_are_slow_where_it_is_known() -> None:
    """A caller may think for as long as it takes."""
    measures = measured(sound([(0, 2), (5.5, 7)], [(3.6, 4), (9, 10)], duration_s=10))
    assert [row["channel"] for row in moment_rows(measures, 0)] == [0]
    assert sorted(row["channel"] for row in moment_rows(measures, None)) == [0, 1, 1]


def test_a_channel_that_clips_everywhere_is_one_moment() -> None:
    """The worst place is what to listen to, and the text says how much there is; other kinds stay in sight."""
    samples = sound([(0.5, 2.5), (4.5, 6.5), (8.5, 10.5), (12.5, 16)], [])
    samples[:, 0] = np.clip(20 * samples[:, 0], -1, 1)
    (clipping,) = [row for row in moment_rows(measured(samples), 0) if row["kind"] == "clipping"]
    assert clipping["start_s"] == pytest.approx(12.5, abs=0.05)
    assert clipping["text"].endswith("in 4 places of the call")
    assert clipping["severity"] < 10
