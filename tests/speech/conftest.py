"""What the tests of speech share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import soundfile
from speech_sounds import RATE

import kataven_notebook.demo

if TYPE_CHECKING:
    import numpy as np

CALLS = Path(kataven_notebook.demo.__file__).parent / "calls"


@pytest.fixture(scope="module")
def call() -> np.ndarray:
    """Read a demo call at 8 kHz: (frames, 2)."""
    samples, rate = soundfile.read(CALLS / "call_02.wav", dtype="float32")
    assert rate == RATE
    return samples
