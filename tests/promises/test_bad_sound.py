"""Sound of any kind is measured, listed and drawn without a warning, and a number that can't be had is missing."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from bad_sounds import RATE, SOUNDS, talk

import kataven_notebook as kn
from kataven_notebook.desk.peaks import peak_blocks
from kataven_notebook.numbers.definitions import METRIC_COLUMNS
from kataven_notebook.numbers.measures import measure
from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core

NUMBERS = [name for name, column in METRIC_COLUMNS.items() if column.dtype != "string"]

WHOLE_PARTY = ("are not finite", "nothing of speech", "can't be told apart", "are needed", "may hide", "the noise")
"""Reasons that are about more numbers than `metrics_error` names."""


def measured(recording: Recording) -> pd.Series[Any]:
    """Return the row of `metrics`."""
    parties = measure(recording).parties
    agent = 0 if parties is None else parties[1]
    frame = pd.DataFrame({"session_id": ["one"], "audio": [recording]})
    row = kn.metrics(frame, agent_channel=agent, progress=False).iloc[0]
    for function in (kn.turns, kn.moments):
        function(frame, agent_channel=agent, progress=False)
    return row


@pytest.mark.parametrize(("samples", "rate"), SOUNDS.values(), ids=SOUNDS)
def test_every_number_is_there_and_finite_or_missing_and_says_why(samples: np.ndarray, rate: int) -> None:
    """In all that is listed; a warning would be an error."""
    row = measured(Recording.from_samples(samples, rate))
    for name in NUMBERS:
        if pd.isna(row[name]):
            named = any(one in str(row["metrics_error"]) for one in (name, *WHOLE_PARTY))
            nobody_interrupts = name == "time_to_yield_p50_s" and row["interruptions_by_caller"] == 0
            assert named or nobody_interrupts, f"{name} is missing: {row['metrics_error']}"
        else:
            assert np.isfinite(float(row[name])), name
    reasons = [] if pd.isna(row["metrics_error"]) else row["metrics_error"].split("; ")
    said_to_be_missing = {name for reason in reasons for name in reason.partition(": ")[0].split(", ")} & set(NUMBERS)
    assert row[sorted(said_to_be_missing)].isna().all(), "a number takes the place of one that can't be had"


@pytest.mark.parametrize("name", ["one channel of NaN", "NaN", "a third NaN", "one infinite channel", "100 Hz", "1 Hz"])
def test_what_could_not_be_heard_has_no_times(name: str) -> None:
    """Silence would be a plausible number, and wrong."""
    row = measured(Recording.from_samples(*SOUNDS[name]))
    assert row[["speech_s", "silence_s", "agent_talk_s", "dead_air_s"]].isna().all()
    assert "not finite" in row["metrics_error"] or "leaves nothing of speech" in row["metrics_error"]


@pytest.mark.parametrize("name", SOUNDS)
def test_every_sound_has_a_waveform_to_draw(name: str) -> None:
    """For the player: the peaks of all of it, whatever it holds."""
    samples, rate = SOUNDS[name]
    blocks = list(peak_blocks(Recording.from_samples(samples, rate)))
    assert sum(block.peaks.shape[1] for block in blocks) == -(-len(samples) // max(1, -(-rate // 100)))
    assert {block.peaks.shape[0] for block in blocks} == {samples.shape[1]}


@pytest.mark.parametrize("level", [0.5, 3.0])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "DOUBLE"])
def test_a_file_of_any_sample_format_gives_the_same_levels(subtype: str, level: float) -> None:
    """Eight bits have noise of their own; what is beyond full scale is cut off where the format can't hold it."""
    file = io.BytesIO()
    samples = level * talk()
    sf.write(file, samples, RATE, format="WAV", subtype=subtype)
    quality = measure(Recording.from_bytes(file.getvalue())).quality[0]
    held = samples if subtype in ("FLOAT", "DOUBLE") else np.clip(samples, -1, 1)
    assert quality.peak_dbfs == pytest.approx(20 * np.log10(np.abs(held[:, 0]).max()), abs=0.2)
    assert quality.lufs == pytest.approx(measure(Recording.from_samples(held, RATE)).quality[0].lufs, abs=0.2)
    assert (quality.clipping_ratio > 0) == (level > 1)
