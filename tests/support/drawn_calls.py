"""Recordings and a frame of calls to draw, and what is written in a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from matplotlib.axes import Axes


RATE = 8_000


AGENT = [(0.5, 2.5), (6.0, 8.0), (9.5, 14.0)]


CALLER = [(3.0, 5.0), (7.5, 9.0), (11.0, 11.5)]


CALLS = pd.DataFrame(
    {
        "agent": ["a", "a", "b", "b", None, "c"],
        "recording_status": ["downloaded", "downloaded", "missing", "pending", "downloaded", "corrupt"],
        "duration_s": [60.0, 70.0, np.nan, np.nan, 90.0, np.nan],
        "talk_ratio": [0.4, 0.5, np.nan, np.nan, 0.6, np.nan],
        "silence_ratio": [0.2, 0.3, np.nan, np.nan, 0.1, np.nan],
        "response_latency_p50_s": [0.5, 0.7, 1.5, 1.7, 0.9, np.nan],
        "interruptions_by_agent": pd.array([0, 1, None, None, 12, None], dtype="Int64"),
        "interruptions_by_caller": pd.array([2, 1, None, None, 0, None], dtype="Int64"),
    }
)


def given(samples: np.ndarray, _: int) -> list[tuple[float, float]]:
    """Return the scripted speech: the channel says which by its constant level."""
    return {0.1: AGENT, 0.2: CALLER}.get(round(float(samples[0]), 1), [])


def call(*levels: float, duration_s: float = 15.0) -> Recording:
    """Return a recording with one channel at each level."""
    return Recording.from_samples(np.tile(np.array(levels), (round(duration_s * RATE), 1)), RATE)


def texts(ax: Axes) -> list[str]:
    """Return the annotations."""
    return [text.get_text() for text in ax.texts]
