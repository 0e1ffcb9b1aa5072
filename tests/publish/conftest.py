"""Calls with known sound, and a Hub that serves them."""

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
