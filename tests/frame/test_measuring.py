"""Which channel is the agent, and how a detector is called."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from frames import calls, measured
from spoken_voices import RATE, mono_call, talk_s
from spoken_voices import loud as loud_voices

import kataven_notebook as kn
from kataven_notebook.sound.recording import Recording

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


@pytest.fixture(scope="module")
def mono() -> pd.DataFrame:
    """Six calls of one channel, one of two, and a row without sound."""
    audio: list[Recording | None] = [mono_call(seed) for seed in range(6)]
    speech = [np.pad(each.samples, ((0, 0), (side, 1 - side))) for each, side in zip(audio, (0, 1), strict=False)]
    frames = min(len(each) for each in speech)
    audio += [Recording.from_samples(speech[0][:frames] + speech[1][:frames], RATE), None]
    return calls(*(f"s{number}" for number in range(8)), audio=audio)


def estimated(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return the frame with its metrics, mono calls included."""
    return kn.metrics(frame, **{"speech": loud_voices, "mono": "estimate", "progress": False, **options})


def mean_spectrum(samples: np.ndarray) -> np.ndarray:
    """Return a small description of a voice, in the place of a model's: the shape of its mean spectrum."""
    frames = samples[: len(samples) // 512 * 512].reshape(-1, 512) * np.hanning(512)
    power = np.abs(np.fft.rfft(frames, axis=1)[:, 4:124]) ** 2
    shape = np.log(power.reshape(len(frames), 30, 4).sum(axis=2) + 1e-4).mean(axis=0)
    return shape - shape.mean()


@pytest.mark.filterwarnings("ignore:for 1 of 8 calls it is uncertain which channel")
def test_mono_calls_are_estimated_beside_others(mono: pd.DataFrame) -> None:
    """Each row says how its parties were told apart; those of two channels are as they were."""
    result = estimated(mono)
    assert result["parties"].dtype == "string"
    assert result["parties"].fillna("").tolist() == ["estimated"] * 6 + ["channels", ""]
    assert result["agent_talk_s"][:6].tolist() == pytest.approx([talk_s("agent")] * 6, abs=0.5)
    assert result["caller_talk_s"][:6].tolist() == pytest.approx([talk_s("caller")] * 6, abs=0.5)
    assert result["response_count"][:6].tolist() == [3] * 6
    assert result["response_latency_p50_s"][:6].tolist() == pytest.approx([0.5] * 6, abs=0.1)
    assert result["turn_count"][:6].isna().all()
    assert result["agent_channel"][:6].isna().all()


def test_mono_calls_are_withheld_unless_asked(mono: pd.DataFrame) -> None:
    """The default gives no number per party."""
    result = kn.metrics(mono[:6], speech=loud_voices, progress=False)
    assert result["agent_talk_s"].isna().all()
    assert result["parties"].isna().all()
    assert result["metrics_error"].str.startswith("one channel only").all()


def test_a_single_mono_call_says_what_it_lacks(mono: pd.DataFrame) -> None:
    """One call does not show who comes back."""
    result = estimated(mono[:1])
    assert result["agent_talk_s"].isna().all()
    assert result["metrics_error"].tolist() == [
        "one channel only: the agent's voice is learnt from 5 calls or more, and there are 1"
    ]


def test_the_accessor_estimates_too(mono: pd.DataFrame) -> None:
    """With the same options."""
    result = mono[:6].kataven.metrics(mono="estimate", speech=loud_voices, progress=False)
    assert set(result["parties"]) == {"estimated"}


def test_a_function_may_describe_the_voices(mono: pd.DataFrame) -> None:
    """Its vectors take the place of the package's own."""
    result = estimated(mono[:6], voices=mean_spectrum)
    assert set(result["parties"]) == {"estimated"}
    assert result["agent_talk_s"].tolist() == pytest.approx([talk_s("agent")] * 6, abs=1.5)


@pytest.mark.parametrize("voices", [None, mean_spectrum])
def test_voices_are_described_on_an_executor(voices: Any, mono: pd.DataFrame) -> None:
    """In other processes, and compared in this one: the numbers are the same."""
    here = estimated(mono[:6], voices=voices)
    there = estimated(mono[:6], voices=voices, executor=lambda: ProcessPoolExecutor(2))
    pd.testing.assert_frame_equal(there.drop(columns="audio"), here.drop(columns="audio"))


def test_a_function_that_fails_is_its_rows_error(mono: pd.DataFrame) -> None:
    """The others are estimated; the line is that of the caller's function."""
    failing = iter([True])

    def embed(samples: np.ndarray) -> np.ndarray:
        if next(failing, False):
            raise LookupError("no weights")
        return mean_spectrum(samples)

    result = estimated(mono[:6], voices=embed, speech="energy")
    assert result["metrics_error"].str.contains(r"LookupError: no weights \(line \d+ of embed\)").sum() == 1
    wrong = estimated(mono[:6], voices=lambda _: "voice")
    assert wrong["metrics_error"].str.contains("the function given as `voices` returned str").all()
    with pytest.raises(kn.errors.WorkFailed, match="returned str"):
        estimated(mono[:6], voices=lambda _: "voice", errors="raise")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mono": "guess"}, "mono='guess': pass 'withhold' or 'estimate'"),
        ({"mono": None}, "mono=None: pass 'withhold' or 'estimate'"),
        ({"mono": True}, "mono=True: pass 'withhold' or 'estimate'"),
        ({"mono": "estimate", "voices": "ecapa"}, "voices='ecapa': pass a function of"),
        ({"mono": "withhold", "voices": len}, 'voices= is for recordings of one channel: pass mono="estimate"'),
    ],
)
def test_unusable_options_for_mono_calls_are_refused(options: dict, message: str, mono: pd.DataFrame) -> None:
    """Once, before any call is fetched or measured."""
    with pytest.raises(kn.errors.ConfigurationError, match=message):
        kn.metrics(mono, progress=False, **options)
