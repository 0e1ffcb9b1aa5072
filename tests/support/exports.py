"""What the tests of exported folders share: awkward ids, tones, and an export that leaves one row out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile as sf

from kataven_notebook import Recording
from kataven_notebook.exchange.audiofolder import to_audiofolder

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

IDS = ["007", "agent_01", "test: call 7", "ümläut", "con", "AGENT_02"]


def sound(seconds: float = 0.5, channels: int = 2, kind: str = "WAV") -> Recording:
    """A tone on each channel, of another pitch."""
    time_s = np.arange(round(8_000 * seconds)) / 8_000
    tones = [0.5 * np.sin(2 * np.pi * 200 * (number + 1) * time_s) for number in range(channels)]
    file = io.BytesIO()
    sf.write(file, np.column_stack(tones), 8_000, format=kind)
    return Recording.from_bytes(file.getvalue())


def export(frame: pd.DataFrame, folder: Path, **options: Any) -> Path:
    """Export a frame of which one row has no sound."""
    with pytest.warns(UserWarning, match="1 of 7 sessions have no sound"):
        return to_audiofolder(frame, folder, progress=False, **options)
