"""Which moments a report plays, and their sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.publish.chosen import chosen_clips

pytestmark = pytest.mark.core

CALLS = Path(kn.__file__).parent / "demo" / "calls"
MOMENTS = pd.DataFrame({"session_id": ["session-0010", "session-0001"], "start_s": [1.0, 2.0], "end_s": [2.0, 3.0]})
SILENT: dict[str, Any] = {"store": None, "progress": False, "settings": None}


def chosen(df: pd.DataFrame, wanted: int | pd.DataFrame, **changes: Any) -> pd.DataFrame:
    """The clips."""
    options = {"session": "session_id", "prefix": "", "pad_s": 0.5, "silence": None, "sound": SILENT, **changes}
    return chosen_clips(df, wanted, **options)


def test_the_worst_moments_come_first() -> None:
    """As `moments` lists them, of the agent that the frame's numbers are of."""
    calls = kn.from_files([CALLS / "call_01.wav", CALLS / "call_07.mp3"]).assign(agent_channel=1)
    found = chosen(calls, 2)
    worst = kn.moments(calls, agent_channel="agent_channel", progress=False)
    assert found["moment_id"].tolist() == worst["moment_id"][:2].tolist()
    assert found["severity"].is_monotonic_decreasing
    assert found["text"].iloc[1].startswith("the agent answers")


def test_moments_of_ones_own_are_cut_with_their_margins(measured: pd.DataFrame) -> None:
    """In their order, from the sound of the frame."""
    found = chosen(measured, MOMENTS)
    assert found["session_id"].tolist() == MOMENTS["session_id"].tolist()
    assert found["clip_start_s"].tolist() == [0.5, 1.5]
    assert [each.duration_s for each in found["audio"]] == [2.0, 2.0]


def test_the_session_column_and_the_prefix_may_be_any(measured: pd.DataFrame) -> None:
    """Also in the index."""
    frame = measured[["session_id", "audio"]].rename(columns={"session_id": "call", "audio": "kn_audio"})
    moments = MOMENTS.rename(columns={"session_id": "call"}).set_index("call")
    found = chosen(frame, moments, session="call", prefix="kn_")
    assert found["call"].tolist() == ["session-0010", "session-0001"]
    assert found["clip_end_s"].tolist() == [2.5, 3.5]
    assert found["audio"].notna().all()


def test_what_is_to_be_silenced_is(measured: pd.DataFrame) -> None:
    """In the clip too."""
    silence = pd.DataFrame({"session_id": ["session-0010"], "start_s": [1.0], "end_s": [2.0]})
    loud, quiet = (chosen(measured, MOMENTS, silence=each)["audio"].iloc[0].samples for each in (None, silence))
    middle = slice(6_000, 10_000)
    assert np.abs(loud[middle]).max() > 0.2
    assert np.abs(quiet[middle]).max() < 0.01
