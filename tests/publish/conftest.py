"""Calls with known sound, a Hub that serves them, and calls with known numbers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from tones import RATE

import kataven_notebook as kn
from kataven_notebook import demo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def ramps() -> dict[str, bytes]:
    """Ten seconds of two channels, in which each sample says where in which call it is."""
    found = {}
    for number, name in enumerate("abc"):
        at = 1 + np.arange(10 * RATE) % 29_000
        file = io.BytesIO()
        sf.write(file, np.column_stack([at, -at - number]).astype(np.int16), RATE, format="WAV")
        found[name] = file.getvalue()
    return found


@pytest.fixture
def calls(ramps) -> pd.DataFrame:
    """Three calls, whose sound is here."""
    sounds = [kn.Recording.from_bytes(data, session_id=name) for name, data in ramps.items()]
    return pd.DataFrame({"session_id": list(ramps), "audio": sounds})


@pytest.fixture(scope="module")
def hub(ramps) -> Iterator[demo.Hub]:
    """A service that has the same calls, one that is missing and one that is broken."""
    free = kn.Limits(per_minute=None, per_hour=None, per_day=None)
    with demo.hub(sessions={}, limits=free) as running:
        for name, data in ramps.items():
            running.add(name, data)
        running.add("gone", state="missing")
        running.add("broken", b"<html>no sound</html>")
        yield running


def _call(answers_after_s: float, seed: int = 0) -> kn.Recording:
    """A call of 12 s: the caller speaks, then the agent, on a channel each."""
    t = np.arange(12 * RATE) / RATE
    noise = np.random.default_rng(seed).standard_normal((len(t), 2)) * 0.0005
    caller = 0.3 * np.sin(2 * np.pi * 300 * t) * ((t > 1) & (t < 3))
    agent = 0.3 * np.sin(2 * np.pi * 500 * t) * ((t > 3 + answers_after_s) & (t < 11))
    return kn.Recording.from_samples(np.column_stack([caller, agent]) + noise, RATE)


@pytest.fixture(scope="session")
def measured() -> pd.DataFrame:
    """Measured calls of two prompts with their sound, one that has none, and columns of the user's own."""
    latency = [1.6, 1.8, 1.7, 1.5, 1.9, 1.6, 1.7, 1.8, 0.4, 0.6, 0.5, 0.5, 0.7, 0.4, 0.6, 0.5, np.nan]
    n = len(latency)
    slow, quick = _call(1.7), _call(0.5)
    return pd.DataFrame(
        {
            "session_id": [f"session-{each:04}" for each in range(n)],
            "prompt": ["v1"] * 8 + ["v2"] * 9,
            "started_at": pd.to_datetime(["2026-03-02T10:00Z"] * (n - 1) + ["2026-03-09T10:00Z"]),
            "audio": [slow] * 8 + [quick] * 8 + [None],
            "recording_status": ["downloaded"] * (n - 1) + ["missing"],
            "recording_url": ["https://storage.example/a.wav?X-Amz-Signature=0f3a"] * n,
            "duration_s": [12.0] * (n - 1) + [np.nan],
            "agent_channel": pd.array([1] * (n - 1) + [None], dtype="Int64"),
            "agent_channel_confidence": [0.95] * (n - 1) + [np.nan],
            "speech_method": ["level"] * (n - 1) + [None],
            "response_latency_p50_s": latency,
            "interruptions_by_caller": pd.array([0, 1, 0, 2] * 4 + [None], dtype="Int64"),
            "talk_ratio": [0.6, 0.7, 0.65, 0.62] * 2 + [0.5, 0.55, 0.5, 0.52] * 2 + [np.nan],
            "happy": pd.array([True, False, True, True] * 4 + [None], dtype="boolean"),
        }
    )
