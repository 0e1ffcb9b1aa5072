"""Hubs and frames that the tests of `frame` share."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from frames import tones

import kataven_notebook as kn
from kataven_notebook import demo
from kataven_notebook.frame.apply import apply

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_WINDOWS = kn.Limits(per_minute=None, per_hour=None, per_day=None)


def _noise(seconds: float) -> bytes:
    """Stereo noise as WAV."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.1, (round(8_000 * seconds), 2))
    sf.write(file, np.clip(noise, -1, 1), 8_000, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="session")
def sound() -> bytes:
    """A second of stereo noise as WAV."""
    return _noise(1)


@pytest.fixture(scope="module")
def service(sound: bytes) -> Iterator[demo.Hub]:
    """One Hub for the module: a few sessions of every plain kind."""
    with demo.hub(sessions={}, limits=_NO_WINDOWS) as running:
        for name in ("s1", "s2", "s3"):
            running.add(name, sound)
        running.add("gone", state="missing")
        running.add("later", state="pending")
        running.add("broken", b"<html>no sound</html>")
        yield running


@pytest.fixture
def hub(service: demo.Hub) -> demo.Hub:
    """The module's Hub with an empty log and no faults."""
    service.requests.clear()
    service.faults.clear()
    return service


@pytest.fixture(scope="module")
def lengths() -> Iterator[demo.Hub]:
    """Three good sessions of half a second, one and one and a half, one missing, one broken."""
    with demo.hub(sessions={}, limits=_NO_WINDOWS) as running:
        for number in (1, 2, 3):
            running.add(f"s{number}", _noise(number / 2))
        running.add("gone", state="missing")
        running.add("broken", b"<html>no sound</html>")
        yield running


@pytest.fixture
def frame() -> pd.DataFrame:
    """One row for each of the sessions of `lengths`, and one session twice."""
    return pd.DataFrame({"session_id": ["s2", "gone", "s1", "s2", "broken", "s3"], "note": list("abcdef")})


@pytest.fixture
def run(lengths: demo.Hub, frame: pd.DataFrame):
    """Apply to the frame with the settings of `lengths`."""

    def run(fn, df=None, **options):
        return apply(frame if df is None else df, fn, settings=lengths.settings, progress=False, **options)

    return run


@pytest.fixture
def heard() -> pd.DataFrame:
    """Three calls with their sound: a tone a channel, one after the other."""
    sounds = [tones((440, 0.0, 1.0), (880, 2.0, 3.0)) for _ in range(3)]
    return pd.DataFrame({"session_id": ["a", "b", "c"], "audio": sounds})
