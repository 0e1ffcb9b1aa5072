"""Which voice the calls of a frame share."""

from __future__ import annotations

import time

import numpy as np
import pytest
from drawn_voices import heard, identity

from kataven_notebook.numbers.recurrence import MAX_EVIDENCE, MAX_REFERENCES, recurrence

pytestmark = pytest.mark.core


def frame(agents: int, callers: int | None, calls: int, *, seed: int = 0) -> list:
    """Calls with the agent second: of so many agents' voices, and of so many callers', or one each call."""
    random = np.random.default_rng(seed)
    known = [identity(random) for _ in range(agents)]
    again = [identity(random) for _ in range(callers or 0)]
    return [
        (
            heard(random, again[index % callers] if callers else identity(random)),
            heard(random, known[index % agents]),
        )
        for index in range(calls)
    ]


@pytest.mark.parametrize("agents", [1, 2, 3])
def test_the_voice_that_the_calls_share_is_found_in_each(agents: int) -> None:
    """Also where the frame has two or three agents."""
    found = recurrence(frame(agents, None, 30))
    assert np.mean(found > 1) > 0.9
    assert not np.any(found < 0)


def test_each_call_keeps_its_own_order() -> None:
    """One in ten is turned, and says so."""
    calls = frame(1, None, 30)
    found = recurrence([pair[::-1] if index % 10 == 0 else pair for index, pair in enumerate(calls)])
    assert np.all(np.sign(found) == np.where(np.arange(30) % 10 == 0, -1, 1))


def test_two_calls_say_less_than_ten() -> None:
    """Two callers may happen to sound alike."""
    assert 0 < recurrence(frame(1, None, 2))[0] < recurrence(frame(1, None, 10))[0] <= MAX_EVIDENCE


def test_one_caller_of_one_agent_says_nothing() -> None:
    """Somebody who tests an agent is heard as often as it is."""
    assert np.abs(recurrence(frame(1, 1, 20))).max() < 0.5


def test_callers_who_call_again_do_not_turn_it_round() -> None:
    """Three of them call ten times each."""
    assert recurrence(frame(1, 3, 30)).min() > -0.5


def test_callers_who_are_never_heard_again_on_both_channels_say_nothing() -> None:
    """People who talk to people."""
    random = np.random.default_rng(4)
    calls = [(heard(random, identity(random)), heard(random, identity(random))) for _ in range(30)]
    found = recurrence(calls)
    assert np.abs(found).max() < 2
    assert np.abs(found.mean()) < 0.3


def test_a_voice_that_says_too_little_is_left_out() -> None:
    """The agent's is known all the same; with neither there is nothing."""
    calls = frame(1, None, 10)
    found = recurrence([(None, calls[0][1]), *calls[1:], (None, None)])
    assert found[0] > 1
    assert found[-1] == 0


def test_one_call_is_no_frame() -> None:
    """Nor is none, or one with others without voices."""
    (one,) = frame(1, None, 1)
    assert recurrence([]).size == 0
    assert recurrence([one]).tolist() == [0]
    assert recurrence([one, (None, None)]).tolist() == [0, 0]


def test_large_frames_are_compared_with_a_part_of_themselves() -> None:
    """Time grows with the calls, not with their square."""
    calls = frame(3, None, 2_000)
    recurrence(calls[:300])
    start = time.perf_counter()
    found = recurrence(calls)
    assert time.perf_counter() - start < 5
    assert len(calls) > 10 * MAX_REFERENCES
    assert np.mean(found > 1) > 0.9
