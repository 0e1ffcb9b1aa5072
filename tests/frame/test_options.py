"""Options that several functions share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook.frame.options import duration_s

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "option",
    [
        {"max_bytes": 0},
        {"in_flight": 0},
        {"verify": "maybe"},
        {"max_wait": "soon"},
        {"poll_pending": -1},
        {"settings": 1},
    ],
)
def test_options_that_cannot_work_are_errors_before_any_request(hub, option) -> None:
    """Each names itself."""
    with pytest.raises(kn.errors.ConfigurationError, match=next(iter(option))):
        kn.audio(calls("s1"), **{"settings": hub.settings, **option})
    assert hub.requests.count("api") == 0


@pytest.mark.parametrize(
    "length",
    ["90s", "90", "1.5min", 90, 90.0, np.float32(90), np.timedelta64(90, "s"), pd.Timedelta("90s")],
)
def test_lengths_of_time_are_seconds_however_they_are_given(length) -> None:
    """A bare number is seconds, also as text or of numpy; a timedelta of numpy is no bare number."""
    assert duration_s("max_wait", length) == 90.0


@pytest.mark.parametrize("length", ["", "soon", -1, "-1s", float("nan"), pd.NaT, [90]])
def test_what_is_no_length_of_time_is_refused_by_the_options_name(length) -> None:
    """Missing values too: they are no way to say "as long as it takes"."""
    with pytest.raises(kn.errors.ConfigurationError, match="max_wait="):
        duration_s("max_wait", length)


@pytest.mark.parametrize("value", [float("inf"), 1e18, 10**400, "inf"])
def test_for_ever_means_for_ever(hub, value) -> None:
    """No calendar goes as far, and none is asked to."""
    assert duration_s("max_wait", value) == float("inf")
    found = kn.audio(calls("s1"), settings=hub.settings, max_wait=value, poll_pending=value, progress=False)
    assert found["recording_status"].tolist() == ["downloaded"]


def test_a_size_without_limit_is_none(hub) -> None:
    """`max_bytes=inf` is how one says it."""
    found = kn.audio(calls("s1"), settings=hub.settings, max_bytes=float("inf"), progress=False)
    assert found["recording_status"].tolist() == ["downloaded"]
