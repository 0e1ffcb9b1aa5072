"""Numbers, clusters and lengths from columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.metric_values import MetricValues, cluster_codes, minutes_of, pair_codes

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("values", "statistic", "n"),
    [
        ([True, False, True], "share", 3),
        (pd.array([True, None, False], dtype="boolean"), "share", 2),
        (pd.Series([True, None, False], dtype=object), "share", 2),
        (pd.array([0, None, 3], dtype="Int64"), "mean", 2),
        ([0.0, np.nan, 3.0], "mean", 2),
        (pd.Series([0, None, 3], dtype=object), "mean", 2),
        ([-1, 0, 3], "median", 3),
        (pd.array([0.5, None, 3], dtype="Float64"), "median", 2),
        ([0.5, np.inf, 3], "median", 2),
        ([None, None, None], "median", 0),
    ],
)
def test_a_column_has_its_numbers_and_its_statistic(values: Any, statistic: str, n: int) -> None:
    """Whatever its dtype."""
    found = MetricValues(pd.DataFrame({"m": values}), "m", None, None)
    sample = found.sample(np.arange(3))
    assert (found.statistic, sample.n, sample.missing) == (statistic, n, 3 - n)


def test_booleans_of_arrow_are_booleans() -> None:
    """Which a comparison of strings makes, as in `df["outcome"] == "sold"`."""
    pytest.importorskip("pyarrow")
    found = MetricValues(pd.DataFrame({"m": pd.array([True, None, False], dtype="bool[pyarrow]")}), "m", None, None)
    sample = found.sample(np.arange(3))
    assert (found.statistic, sample.n, sample.missing) == ("share", 2, 1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "2"], "not numbers; pd.to_numeric makes numbers of text"),
        (pd.to_timedelta([1, 2], unit="s"), r"\.dt\.total_seconds\(\) makes seconds"),
        (pd.to_datetime(["2026-01-01"] * 2), "the difference of two times"),
        ([1j, 2j], "not numbers"),
        ([[1], [2]], "not numbers"),
        (pd.Categorical([1, 2]), r"astype\(float\) makes numbers of categories"),
    ],
)
def test_what_is_no_number_is_refused(values: Any, message: str) -> None:
    """With the way to numbers."""
    with pytest.raises(FrameError, match=message):
        MetricValues(pd.DataFrame({"m": values}), "m", None, None)


def test_columns_of_arrow_are_known_for_what_they_hold() -> None:
    """Booleans, which are no numbers to pandas there, and lengths of time."""
    pytest.importorskip("pyarrow")
    found = MetricValues(pd.DataFrame({"m": [True, None, False]}, dtype="bool[pyarrow]"), "m", None, None)
    assert (found.statistic, found.sample(np.arange(3)).n) == ("share", 2)
    with pytest.raises(FrameError, match=r"\.dt\.total_seconds\(\) makes seconds"):
        MetricValues(pd.DataFrame({"m": [1, 2]}, dtype="duration[s][pyarrow]"), "m", None, None)


def test_rows_of_one_session_are_one_cluster() -> None:
    """A row without a session is its own, in every group."""
    frame = pd.DataFrame({"session_id": ["a", "a", None, "b", None], "m": [1.0, 2.0, 3.0, 4.0, 5.0]})
    values = MetricValues(frame, "m", cluster_codes(frame, "auto", "session_id", []), None)
    assert values.sample(np.arange(5)).clusters == 4
    first, second = values.sample(np.array([0, 2])), values.sample(np.array([1, 4]))
    assert len(set(first.labels or ()) & set(second.labels or ())) == 1


def test_sessions_that_are_all_different_make_no_clusters() -> None:
    """Nor do those that are the groups; the index may hold them."""
    frame = pd.DataFrame({"session_id": ["a", "b"], "m": [1.0, 2.0]})
    assert cluster_codes(frame, "auto", "session_id", []) is None
    twice = pd.concat([frame, frame])
    assert cluster_codes(twice, "auto", "session_id", []) is not None
    assert cluster_codes(twice, "auto", "session_id", ["session_id"]) is None
    assert cluster_codes(twice, None, "session_id", []) is None
    assert cluster_codes(twice.set_index("session_id"), "auto", "session_id", []) is not None
    assert cluster_codes(twice.drop(columns="session_id"), "auto", "session_id", []) is None


def test_clusters_and_pairs_that_are_not_there_are_refused() -> None:
    """By the name of the option."""
    frame = pd.DataFrame({"caller": [1, 1], "m": [1.0, 2.0], "list": [[1], [2]]})
    with pytest.raises(FrameError, match=r"'caler' \(did you mean 'caller'\?\); pass cluster="):
        cluster_codes(frame, "caler", "session_id", [])
    with pytest.raises(FrameError, match=r"'caler' \(did you mean 'caller'\?\); pass session="):
        cluster_codes(frame, "auto", "caler", [])
    with pytest.raises(FrameError, match="pass paired="):
        pair_codes(frame, "script")
    with pytest.raises(FrameError, match="such as lists"):
        cluster_codes(frame, "list", "session_id", [])


def test_a_call_without_a_length_has_no_rate() -> None:
    """It is missing; and without the column there is none at all."""
    frame = pd.DataFrame({"m": [1, 2, 3], "x_duration_s": [60.0, 0.0, None]})
    sample = MetricValues(frame, "m", None, minutes_of(frame, "x_duration_s")).sample(np.arange(3))
    assert (sample.n, sample.missing) == (1, 2)
    with pytest.raises(ConfigurationError, match="no column 'duration_s'"):
        minutes_of(frame, "duration_s")
