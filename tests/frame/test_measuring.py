"""Which channel is the agent, and how a detector is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from frames import measured

import kataven_notebook as kn

pytestmark = pytest.mark.core


@pytest.mark.parametrize("function", [kn.metrics, kn.turns, kn.moments])
@pytest.mark.parametrize("speech", ["webrtc", None, ["silero"]])
def test_an_unknown_detector_is_refused_before_any_call(function: Any, speech: object, heard: pd.DataFrame) -> None:
    """It is one mistake and not one per row; without sound in the frame it would cost a request each."""
    with pytest.raises(kn.errors.ConfigurationError, match='pass "auto", "silero", "energy" or a function'):
        function(heard, speech=speech, progress=False)


def test_a_failing_detector_is_found_in_its_own_lines(heard: pd.DataFrame) -> None:
    """The line is that of the caller's function; how long the call is stays known."""

    def broken(_samples: np.ndarray, _rate: int) -> float:
        return 1 / 0

    heard["duration_s"], heard["recording_status"], heard["recording_format"] = 4.0, "downloaded", "wav"
    result = measured(heard, speech=broken)
    line = broken.__code__.co_firstlineno + 1
    assert set(result["metrics_error"]) == {f"ZeroDivisionError: division by zero (line {line} of broken)"}
    assert result["duration_s"].tolist() == [4.0] * 3
    assert result["speech_s"].isna().all()


def test_a_detector_without_a_hash_is_taken(heard: pd.DataFrame) -> None:
    """A dataclass that can be called has none, and is the natural home of a detector's thresholds."""

    @dataclass
    class Detector:
        end_s: float

        def __call__(self, _samples: np.ndarray, _rate: int) -> list[tuple[float, float]]:
            return [(0.0, self.end_s)]

    assert measured(heard, speech=Detector(1.5), agent_channel=0)["agent_talk_s"].tolist() == [1.5] * 3


@pytest.mark.parametrize(
    "values",
    [[0, 1, None], [0.0, 1.0, np.nan], ["0", "1", None], pd.array([0, 1, None], "Int64"), pd.Categorical([0, 1, None])],
)
def test_a_column_says_which_channel_is_the_agent(values: Any, heard: pd.DataFrame) -> None:
    """Numbers of any dtype and digits; where it says nothing the parties' numbers are missing."""
    heard["side"] = values
    result = measured(heard, agent_channel="side")
    assert result["agent_channel"].tolist() == [0, 1, pd.NA]
    assert result["response_count"].tolist() == [0, 1, pd.NA]
    assert "which channel is the agent is not said for this call: fill in the column" in result["metrics_error"].iloc[2]
    assert "pass agent_channel=" in result["metrics_error"].iloc[2]


def test_a_call_whose_agent_is_uncertain_says_why(heard: pd.DataFrame) -> None:
    """One sentence in the row, beside the one warning for all."""
    with pytest.warns(UserWarning, match="it is uncertain which channel is the agent"):
        result = measured(heard)
    assert result["agent_channel"].isna().all()
    assert result["agent_channel_confidence"].between(0.5, 0.8).all()
    assert result["metrics_error"].str.contains(r"is uncertain \(confidence 0\.\d\d\): .*; pass agent_channel=").all()


def test_the_channel_may_be_a_number_of_numpy(heard: pd.DataFrame) -> None:
    """As it comes out of a frame's cell."""
    assert measured(heard, agent_channel=np.int64(1))["response_count"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("value", ["agent", True, 0.5, -1, pd.Timestamp("2026-01-01")])
def test_a_column_that_says_no_channel_is_refused(value: object, heard: pd.DataFrame) -> None:
    """Taken for missing, it would leave every number missing with nobody told why."""
    heard["side"] = pd.Series([0, value, 1], dtype=object)
    with pytest.raises(kn.errors.ConfigurationError, match="a channel is a whole number from 0"):
        measured(heard, agent_channel="side")


def test_rows_of_one_session_are_taken_together(heard: pd.DataFrame) -> None:
    """What one row says holds for the session's others; two that contradict each other are refused."""
    twice = pd.concat([heard, heard], ignore_index=True)
    twice["side"] = [None, None, 0, 1, None, 0]
    assert measured(twice, agent_channel="side")["agent_channel"].tolist() == [1, pd.NA, 0, 1, pd.NA, 0]
    twice["side"] = [0, 0, 0, 0, 1, 0]
    with pytest.raises(kn.errors.ConfigurationError, match="both 0 and 1 of session 'b'"):
        measured(twice, agent_channel="side")
