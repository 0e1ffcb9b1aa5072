"""The counts that a report begins with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.frame.sessions import find_sessions
from kataven_notebook.publish.facts import MEANINGS, Facts, facts_of
from kataven_notebook.status import Status

pytestmark = pytest.mark.core


def facts(**columns: Any) -> Facts:
    """The counts of a frame of these columns."""
    frame = pd.DataFrame(columns)
    return facts_of(frame, find_sessions(frame, "session_id"), "")


def test_every_status_has_a_meaning() -> None:
    """Readers of a report have no documentation at hand."""
    assert set(MEANINGS) == set(Status)


def test_a_session_in_many_rows_counts_once() -> None:
    """Its sound too, whichever row says how long it is."""
    found = facts(session_id=["a", "a", "b"], duration_s=[np.nan, 60.0, 30.0], speech_method=[None, "level", "level"])
    assert (found.rows, found.sessions, found.measured, found.sound_s) == (3, 2, 2, 90.0)


def test_what_the_frame_does_not_say_is_not_made_up() -> None:
    """No length, no measurement, no period, no status."""
    found = facts(session_id=["a"])
    assert (found.measured, found.sound_s, found.period, found.status_counts) == (None, None, None, [])


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime(["2026-03-02T10:00Z", None, "2026-03-05T10:00Z"]),
        ["2026-03-02", "2026-03-04 11:00", "2026-03-05"],
    ],
)
def test_the_period_comes_from_times_or_texts_that_are_times(times: Any) -> None:
    """By the usual names where they are text."""
    assert facts(session_id=list("abc"), started_at=times).period == ("2026-03-02", "2026-03-05", "started_at")


@pytest.mark.parametrize("values", [["soon", "later", "2026-01-01"], [1.5, 2.5, 3.5], [None, None, None]])
def test_other_columns_of_such_a_name_are_no_period(values: Any) -> None:
    """Words, seconds, nothing."""
    assert facts(session_id=list("abc"), date=values).period is None


def test_when_urls_expire_is_no_period() -> None:
    """It is ours, and says nothing of calls."""
    times = pd.to_datetime(["2026-03-02T10:00Z"])
    assert facts(session_id=["a"], recording_expires_at=times).period is None


def test_how_it_was_measured_is_told_with_versions() -> None:
    """Methods with the calls they were used on."""
    told = dict(facts(session_id=list("abc"), speech_method=["silero+level", "level", "level"]).made_with)
    assert told["Speech found by"] == "level (2 calls), silero+level (1 call)"
    assert {"Version of the measurement", "kataven-notebook", "Python"} <= set(told)
    assert "Version of the measurement" not in dict(facts(session_id=["a"]).made_with)


def test_statuses_are_counted_whatever_the_dtype() -> None:
    """Most frequent first; what is no status is not counted."""
    found = facts(session_id=list("abcd"), recording_status=["missing", "downloaded", "missing", "odd"])
    assert found.status_counts == [(Status.MISSING, 2), (Status.DOWNLOADED, 1)]
