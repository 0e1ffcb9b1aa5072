"""Talk, silence and dead air from intervals whose answers are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kataven_notebook.numbers.talk import dead_air, silences, talk_time

pytestmark = pytest.mark.core

DURATION_S = 64.0
# 1/64 s is exact in binary, so that laws hold to the last bit.
TICKS = st.integers(0, int(DURATION_S) * 64).map(lambda tick: tick / 64)
SPEECH = st.lists(st.tuples(TICKS, TICKS).map(sorted), max_size=12)


@given(SPEECH, SPEECH)
def test_talk_overlap_and_silence_add_up_to_the_duration(first: list, second: list) -> None:
    """Every second is silence, one party's talk, or both parties' overlap."""
    time = talk_time(first, second, DURATION_S)
    assert time.talk_s[0] + time.talk_s[1] - time.overlap_s + time.silence_s == DURATION_S
    assert time.speech_s + time.silence_s == DURATION_S
    quiet = silences(first, second, DURATION_S)
    assert (quiet[:, 1] - quiet[:, 0]).sum() == time.silence_s


def test_dead_air_includes_the_edges_of_the_call() -> None:
    """Silence counts before the first and after the last word, and from the threshold on."""
    assert dead_air([[(3, 4)], [(6.5, 8)]], 11.0).tolist() == [[0, 3], [8, 11]]
    assert dead_air([[], []], 5.0).tolist() == [[0, 5]]
    assert dead_air([[(2.5, 4)]], 6.5).tolist() == []


def test_on_any_number_of_channels_one_voice_ends_dead_air() -> None:
    """Mono has dead air too; of three channels each is heard."""
    assert dead_air([[(0, 1)]], 6.0).tolist() == [[1, 6]]
    assert dead_air([[(0, 1)], [(5, 6)], [(3, 3.5)]], 6.0).tolist() == []


def test_hold_music_is_no_dead_air() -> None:
    """Sound that is no speech keeps the line alive; what is left of the silence counts where it is long enough."""
    speech = [[(0, 2)], [(14, 15)]]
    assert dead_air(speech, 15.0, sounding=[(2, 14)]).tolist() == []
    assert dead_air(speech, 15.0, sounding=[(2.5, 9)]).tolist() == [[9, 14]]


def test_nobody_speaks() -> None:
    """All is silence."""
    assert talk_time([], [], 3.0).silence_s == 3.0


def test_intervals_may_come_unsorted_overlapping_and_with_unknown_edges() -> None:
    """They are sorted and joined, and what has no length or no edge is left out."""
    messy = [(5, 6), (1, 3), (2, 4), (7, 7), (8, np.nan)]
    assert talk_time(messy, [], 10.0).talk_s[0] == 4.0


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), "1", None, True])
def test_times_that_are_none_are_refused(seconds: Any) -> None:
    """NaN compares as false with everything, and would move every boundary without a word."""
    for refused in (
        lambda: silences([(0, 1)], [], 5.0, min_s=seconds),
        lambda: silences([(0, 1)], [], seconds),
        lambda: dead_air([[(0, 1)]], 5.0, min_s=seconds),
        lambda: talk_time([(0, 1)], [], seconds),
    ):
        with pytest.raises(ValueError, match="pass seconds, at least 0"):
            refused()
