"""Whole frames measured: whose channel is whose, what is refused beforehand, what stays as it was."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.sound.recording import Recording

RATE = 8_000
CALL = (440, 0.0, 1.0), (880, 2.0, 3.0)


def recording(*tones: tuple[int, float, float]) -> Recording:
    """Return four seconds with one tone a channel: frequency in Hz, start and end in seconds."""
    time = np.arange(4 * RATE) / RATE
    lanes = [0.1 * np.sin(2 * np.pi * hz * time) * ((time >= start) & (time < end)) for hz, start, end in tones]
    return Recording.from_samples(np.column_stack(lanes), RATE)


def loud(samples: np.ndarray, sample_rate: int) -> list[tuple[float, float]]:
    """Find the one stretch of sound, in seconds."""
    at = np.flatnonzero(samples) / sample_rate
    return [(at[0], at[-1])] if len(at) else []


@pytest.fixture
def calls() -> pd.DataFrame:
    """Return three calls with their sound."""
    sounds = [recording(*CALL) for _ in range(3)]
    return pd.DataFrame({"session_id": ["a", "b", "c"], "audio": sounds})


def measured(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return the frame with its metrics, by a detector whose answers are known."""
    return kn.metrics(frame, **{"speech": loud, "progress": False, **options})


@pytest.mark.parametrize("function", [kn.metrics, kn.turns, kn.moments])
@pytest.mark.parametrize("speech", ["webrtc", None, ["silero"]])
def test_an_unknown_detector_is_refused_before_any_call(function: Any, speech: object, calls: pd.DataFrame) -> None:
    """It is one mistake and not one per row; without sound in the frame it would cost a request each."""
    with pytest.raises(kn.errors.ConfigurationError, match='pass "auto", "silero", "energy" or a function'):
        function(calls, speech=speech, progress=False)


def test_a_failing_detector_is_found_in_its_own_lines(calls: pd.DataFrame) -> None:
    """The line is that of the caller's function; how long the call is stays known."""

    def broken(_samples: np.ndarray, _rate: int) -> float:
        return 1 / 0

    calls["duration_s"], calls["recording_status"], calls["recording_format"] = 4.0, "downloaded", "wav"
    result = measured(calls, speech=broken)
    line = broken.__code__.co_firstlineno + 1
    assert set(result["metrics_error"]) == {f"ZeroDivisionError: division by zero (line {line} of broken)"}
    assert result["duration_s"].tolist() == [4.0] * 3
    assert result["speech_s"].isna().all()


def test_a_detector_without_a_hash_is_taken(calls: pd.DataFrame) -> None:
    """A dataclass that can be called has none, and is the natural home of a detector's thresholds."""

    @dataclass
    class Detector:
        end_s: float

        def __call__(self, _samples: np.ndarray, _rate: int) -> list[tuple[float, float]]:
            return [(0.0, self.end_s)]

    assert measured(calls, speech=Detector(1.5), agent_channel=0)["agent_talk_s"].tolist() == [1.5] * 3


@pytest.mark.parametrize(
    "values",
    [[0, 1, None], [0.0, 1.0, np.nan], ["0", "1", None], pd.array([0, 1, None], "Int64"), pd.Categorical([0, 1, None])],
)
def test_a_column_says_which_channel_is_the_agent(values: Any, calls: pd.DataFrame) -> None:
    """Numbers of any dtype and digits; where it says nothing the parties' numbers are missing."""
    calls["side"] = values
    result = measured(calls, agent_channel="side")
    assert result["agent_channel"].tolist() == [0, 1, pd.NA]
    assert result["response_count"].tolist() == [0, 1, pd.NA]
    assert "pass agent_channel=" in result["metrics_error"].iloc[2]


def test_the_column_may_have_the_name_of_the_result(calls: pd.DataFrame) -> None:
    """`agent_channel` is what such a column is called; it is left as it is."""
    calls["agent_channel"] = ["1", "0", "1"]
    result = measured(calls, agent_channel="agent_channel")
    assert result["agent_channel"].tolist() == ["1", "0", "1"]
    assert result["response_count"].tolist() == [1, 0, 1]
    pd.testing.assert_frame_equal(measured(result, agent_channel="agent_channel"), result)


def test_the_channel_may_be_a_number_of_numpy(calls: pd.DataFrame) -> None:
    """As it comes out of a frame's cell."""
    assert measured(calls, agent_channel=np.int64(1))["response_count"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("value", ["agent", True, 0.5, -1, pd.Timestamp("2026-01-01")])
def test_a_column_that_says_no_channel_is_refused(value: object, calls: pd.DataFrame) -> None:
    """Taken for missing, it would leave every number missing with nobody told why."""
    calls["side"] = pd.Series([0, value, 1], dtype=object)
    with pytest.raises(kn.errors.ConfigurationError, match="a channel is a whole number from 0"):
        measured(calls, agent_channel="side")


def test_rows_of_one_session_are_taken_together(calls: pd.DataFrame) -> None:
    """What one row says holds for the session's others; two that contradict each other are refused."""
    twice = pd.concat([calls, calls], ignore_index=True)
    twice["side"] = [None, None, 0, 1, None, 0]
    assert measured(twice, agent_channel="side")["agent_channel"].tolist() == [1, pd.NA, 0, 1, pd.NA, 0]
    twice["side"] = [0, 0, 0, 0, 1, 0]
    with pytest.raises(kn.errors.ConfigurationError, match="both 0 and 1 of session 'b'"):
        measured(twice, agent_channel="side")


@pytest.mark.parametrize("function", [kn.metrics, kn.turns, kn.moments])
def test_roles_that_cannot_be_told_are_warned_of_once(function: Any) -> None:
    """Two channels that are alike give no evidence; who says which is the agent is not warned."""
    alike = recording((440, 0.0, 1.0), (440, 0.0, 1.0))
    frame = pd.DataFrame({"session_id": ["a", "b"], "audio": [alike, alike]})
    with pytest.warns(UserWarning, match=r"in 2 of 2 calls .* Pass agent_channel=0 or 1") as caught:
        function(frame, speech=loud, progress=False)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="Pass agent_channel=") as caught:
        getattr(frame.kataven, function.__name__)(speech=loud, progress=False)
    assert caught[0].filename == __file__, "a second cell's warning would be taken for a repetition"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function(frame, speech=loud, agent_channel=0, progress=False)


@pytest.mark.parametrize(("function", "name"), [(kn.turns, "channel"), (kn.turns, "turn"), (kn.moments, "kind")])
def test_session_ids_are_not_lost_under_a_column_of_the_result(function: Any, name: str, calls: pd.DataFrame) -> None:
    """A table without its session ids could not be merged, so it is refused."""
    with pytest.raises(kn.errors.FrameError, match=f"'{name}' of its own"):
        function(calls.rename(columns={"session_id": name}), session=name, progress=False)


@pytest.mark.parametrize("function", [kn.metrics, kn.turns, kn.moments])
def test_what_is_no_frame_is_refused_in_words(function: Any) -> None:
    """And not by the first attribute that it lacks."""
    with pytest.raises(kn.errors.FrameError, match="a DataFrame with one row a session is needed, not str"):
        function("calls.csv")


def test_no_rows_give_the_same_columns_and_dtypes(calls: pd.DataFrame) -> None:
    """So that frames of any length can be joined."""
    for function in (kn.metrics, kn.turns, kn.moments):
        full = function(calls, speech=loud, agent_channel=0, progress=False)
        none = function(calls.iloc[:0], speech=loud, agent_channel=0, progress=False)
        assert none.dtypes.to_dict() == full.dtypes.to_dict()
        assert len(none) == 0
