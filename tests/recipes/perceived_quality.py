"""The README's recipe for perceived quality, with the real model: `nox -s recipes` installs what it needs."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
import kataven_notebook.demo

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CALL = Path(kataven_notebook.demo.__file__).parent / "calls" / "call_05.flac"


def recipe(calls: pd.DataFrame) -> pd.DataFrame:
    """Run the block of the README that imports the model on `calls`, and return what it makes of them."""
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "speechmos" in block)
    names = {"kn": kn, "np": np, "calls": calls}
    exec(code.replace(', store="calls/"', ""), names)  # noqa: S102 - our own text
    return names["calls"]


# The model's libraries warn of their own deprecations.
@pytest.mark.filterwarnings("default")
def test_noise_is_heard_and_silence_has_no_score() -> None:
    """Scores lie between 1 and 5, and fall with noise; nothing is said of who does not speak."""
    clean = kn.Recording.from_file(CALL)
    noise = np.random.default_rng(0).normal(0, 0.02, clean.samples.shape)
    silent = clean.samples.copy()
    silent[:, 1] = 0
    sounds = [clean.samples, clean.samples + noise, silent]
    calls = pd.DataFrame(
        {
            "session_id": ["clean", "noisy", "one silent"],
            "audio": [kn.Recording.from_samples(sound, clean.sample_rate) for sound in sounds],
        }
    )
    scores = recipe(calls)
    assert scores["apply_error"].isna().all()
    mos = scores[["channel_0_mos", "channel_1_mos"]]
    assert mos.iloc[0].between(1, 5).all()
    assert (mos.iloc[1] < mos.iloc[0] - 0.3).all()
    assert np.isnan(mos.iloc[2, 1])
