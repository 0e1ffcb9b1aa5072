"""Frames of sessions, and sound and a detector with known answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import kataven_notebook as kn
from kataven_notebook import Limits
from kataven_notebook.sound.recording import Recording

FREE = Limits(None, None, None, 20)
"""No windows, and twenty requests at once."""
_RATE = 8_000


def calls(*ids: object, **columns: object) -> pd.DataFrame:
    """A frame of sessions."""
    return pd.DataFrame({"session_id": pd.Series(ids, dtype=object), **columns})


def statuses(frame: pd.DataFrame) -> dict[str, int]:
    """How many rows have which status."""
    counts = frame["recording_status"].value_counts()
    return {name: count for name, count in counts.items() if count}


def tones(*channels: tuple[int, float, float]) -> Recording:
    """Return four seconds with one tone a channel: frequency in Hz, start and end in seconds."""
    time = np.arange(4 * _RATE) / _RATE
    lanes = [0.1 * np.sin(2 * np.pi * hz * time) * ((time >= start) & (time < end)) for hz, start, end in channels]
    return Recording.from_samples(np.column_stack(lanes), _RATE)


def loud(samples: np.ndarray, sample_rate: int) -> list[tuple[float, float]]:
    """Find the one stretch of sound, in seconds."""
    at = np.flatnonzero(samples) / sample_rate
    return [(at[0], at[-1])] if len(at) else []


def measured(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    """Return the frame with its metrics, by a detector whose answers are known."""
    return kn.metrics(frame, **{"speech": loud, "progress": False, **options})
