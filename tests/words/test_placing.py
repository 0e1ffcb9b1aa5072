"""A word belongs to the turn that it overlaps most, of those that it may be of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataven_notebook.words.placing import Lane, Lanes, Span, placed

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.core

NAN = math.nan
TIMES = st.integers(0, 40).map(lambda n: n / 4)
SPANS = st.lists(st.tuples(TIMES, TIMES).map(sorted), max_size=8)


@settings(max_examples=60, deadline=None)
@given(SPANS, st.tuples(TIMES, TIMES).map(sorted), st.sampled_from([0.0, 0.25, 2.0]))
def test_the_turn_is_the_one_that_overlaps_most(turns, word, tolerance_s) -> None:
    """As found by looking at each of them."""
    lane = Lane(Span(row, start, end, 0.0, "") for row, (start, end) in enumerate(turns))
    overlaps = [min(word[1], end) - max(word[0], start) for start, end in turns]
    found = lane.best(word[0], word[1], tolerance_s)
    if found == -1:
        assert all(each < -tolerance_s for each in overlaps)
    else:
        assert overlaps[found] == max(overlaps) >= -tolerance_s


def test_channel_comes_before_role_and_role_before_time() -> None:
    """A channel that has no turn has none for a word either."""
    lanes = Lanes([Span(0, 0.0, 2.0, 0.0, "agent"), Span(1, 1.0, 3.0, 1.0, "caller")])
    assert lanes.of(1.0, "agent").best(1.2, 1.4, 0.0) == 1
    assert lanes.of(NAN, "caller").best(1.2, 1.4, 0.0) == 1
    assert lanes.of(NAN, "").best(1.2, 1.4, 0.0) == 0
    assert lanes.of(2.0, "").best(1.2, 1.4, 0.0) == -1
    nobody = Lanes([Span(5, 0.0, 2.0, NAN, "")])
    assert nobody.of(1.0, "agent").best(1.0, 1.5, 0.0) == 5


def said(*rows: Sequence[object]) -> pd.DataFrame:
    """Words as `said_in` returns them: session, start, end, channel, speaker."""
    frame = pd.DataFrame(rows, columns=["session_id", "start_s", "end_s", "channel", "speaker"])
    return frame.assign(role="", start_s=frame["start_s"].astype(float), end_s=frame["end_s"].astype(float))


def test_a_word_without_a_time_goes_with_the_one_before_it() -> None:
    """Of its own voice; with the next one where it is the first; nowhere where no word of the voice has a time."""
    spans = {"a": [Span(0, 0.0, 1.0, 0.0, ""), Span(1, 5.0, 6.0, 0.0, ""), Span(2, 2.0, 3.0, 1.0, "")]}
    words = said(
        ("a", NAN, NAN, 0.0, ""),
        ("a", 5.1, NAN, 0.0, ""),
        ("a", 2.1, 2.4, 1.0, ""),
        ("a", NAN, NAN, 0.0, ""),
        ("a", 9.0, 9.5, 0.0, ""),
        ("a", NAN, NAN, 0.0, ""),
        ("a", NAN, NAN, NAN, "x"),
        ("b", 0.1, 0.2, 0.0, ""),
    )
    assert placed(words, spans, 0.25).tolist() == [1, 1, 2, 1, -1, -1, -1, -1]


def test_no_words_have_no_turns() -> None:
    """And nothing breaks."""
    assert placed(said(("a", 0.0, 1.0, 0.0, "")).iloc[:0], {}, 0.25).dtype == np.intp
