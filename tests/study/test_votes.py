"""Who heard what."""

from __future__ import annotations

import pandas as pd
import pytest

from kataven_notebook.errors import FrameError
from kataven_notebook.study.labels import decisions_of
from kataven_notebook.study.units import find_units
from kataven_notebook.study.votes import votes_on

pytestmark = pytest.mark.core


def test_a_call_that_is_not_in_the_frame_is_a_stranger() -> None:
    """However often it was labelled."""
    calls = pd.DataFrame({"session_id": ["a", "b"]})
    labels = pd.DataFrame({"session_id": ["b", "z", "z", "y"], "label": ["late", "x", "y", "x"]})
    votes = votes_on(
        decisions_of(labels, "session_id", "labels"), find_units(calls, "session_id", "calls"), calls, "session_id"
    )
    assert votes.strangers == 2
    assert votes.heard(2).tolist() == [False, True]
    assert votes.hits("late", 2, "majority").tolist() == [0, 1]


def test_moments_without_times_need_labels_that_name_them() -> None:
    """Else nobody knows which label is about which."""
    moments = pd.DataFrame({"session_id": ["a"], "moment_id": ["m1"]})
    decisions = decisions_of(pd.DataFrame({"session_id": ["a"], "label": ["x"]}), "session_id", "labels")
    with pytest.raises(FrameError, match="'start_s'"):
        votes_on(decisions, find_units(moments, "session_id", "sample"), moments, "session_id")
