"""Response latencies and premature cut-ins from intervals whose answers are known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_notebook.numbers.responses import premature_cut_ins, response_latencies

pytestmark = pytest.mark.core

TICKS = st.integers(0, 64 * 64).map(lambda tick: tick / 64)
SPEECH = st.lists(st.tuples(TICKS, TICKS).map(sorted), max_size=12)


@given(SPEECH, SPEECH)
def test_latencies_are_never_negative(first: list, second: list) -> None:
    """What begins in overlap has none, and no start is both a response and a cut-in."""
    responses, cut_ins = response_latencies(first, second), premature_cut_ins(first, second)
    assert (responses[:, 1] >= 0).all()
    assert (cut_ins[:, 1] >= 0).all()
    assert not set(responses[:, 0]) & set(cut_ins[:, 0])


def test_response_latency_is_the_time_after_the_last_word() -> None:
    """To the millisecond, both ways, and without the turns that begin in overlap or go on alone."""
    caller = [(0, 2), (2.3, 3.1), (8, 10)]
    agent = [(3.45, 5), (7, 7.5), (9.8, 12)]
    assert response_latencies(caller, agent).tolist() == [[3.45, pytest.approx(0.35, abs=1e-9)]]
    assert response_latencies(agent, caller)[:, 1].tolist() == [pytest.approx(0.5)]


@pytest.mark.parametrize(
    ("caller", "agent", "cut_in"),
    [
        ([(0, 2), (2.9, 5)], [(2.6, 3.2)], True),
        ([(0, 2), (3.2, 5)], [(2.6, 3.5)], True),
        ([(0, 2), (2.9, 5)], [(2.6, 8)], True),
        ([(0, 2), (3.4, 5)], [(2.6, 8)], False),
        ([(0, 2), (2.9, 3.3)], [(2.6, 8)], False),
        ([(0, 2), (3.2, 5)], [(2.6, 3.1)], False),
        ([(0, 2), (4.2, 6)], [(4.0, 8)], False),
    ],
    ids=["goes on", "after 1.2 s", "in spite of it", "barges in", "mm-hm", "after it", "after a slow response"],
)
def test_a_start_before_the_caller_has_finished_is_a_cut_in(caller: list, agent: list, *, cut_in: bool) -> None:
    """And no response; who goes on later, briefly, or after the agent has finished was answered."""
    assert (len(premature_cut_ins(caller, agent)), len(response_latencies(caller, agent))) == (cut_in, not cut_in)


def test_nobody_speaks() -> None:
    """No speech gives no responses."""
    assert response_latencies([], []).shape == premature_cut_ins([], []).shape == (0, 2)


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), "1", None, True])
def test_times_that_are_none_are_refused(seconds: Any) -> None:
    """NaN compares as false with everything."""
    for measure in (response_latencies, premature_cut_ins):
        with pytest.raises(ValueError, match=r"max_pause_s=.*: pass seconds, at least 0"):
            measure([(0, 1)], [(2, 3)], max_pause_s=seconds)
