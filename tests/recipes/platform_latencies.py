"""The recipe of docs/words.md that holds a platform's latencies against the sound, on the demo's calls."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
import kataven_notebook.demo

PAGE = (Path(__file__).parents[2] / "docs" / "words.md").read_text(encoding="utf-8")
CALLS = Path(kataven_notebook.demo.__file__).parent / "calls"
BIAS_S = 0.12
"""How much less than what is heard the drawn platform reports: it stops its clock at the first packet."""


@functools.cache
def calls_and_turns() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The demo's calls of two channels, and who speaks when in them."""
    calls = kn.from_files(CALLS, progress=False)
    calls = calls[calls["channels"] == 2].reset_index(drop=True)
    return calls, kn.turns(calls, progress=False)


def drawn_log(turns: pd.DataFrame, *, lost: float, shift_s: float = 0.0) -> tuple[pd.DataFrame, set[tuple[str, int]]]:
    """Return what a platform logs of these turns, and which responses it has lost."""
    random = np.random.default_rng(7)
    spoken = turns[turns["kind"] != "backchannel"]
    before = spoken.groupby("session_id")["role"].shift()
    answers = spoken[(spoken["role"] == "agent") & (before == "caller")]
    is_lost = random.random(len(answers)) < lost
    kept = answers[~is_lost]
    log = pd.DataFrame(
        {
            "session_id": kept["session_id"].astype(object),
            "start_s": kept["start_s"] + shift_s + random.normal(0, 0.05, len(kept)),
            "latency_s": kept["gap_before_s"] - BIAS_S + random.normal(0, 0.02, len(kept)),
        }
    )
    # A response that nobody hears, as one that was cut before its first sound.
    nobody = pd.DataFrame({"session_id": [log["session_id"].iloc[0]], "start_s": [900.0], "latency_s": [1.0]})
    gone = answers.loc[is_lost, ["session_id", "turn"]].itertuples(index=False, name=None)
    return pd.concat([log, nobody]).sample(frac=1, random_state=1), set(gone)


def recipe(**names: Any) -> dict[str, Any]:
    """Run the page's block, and return the names that it leaves."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {"kn": kn, "pd": pd, **names}
    exec(code, names)  # noqa: S102 - our own text
    return names


@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_lost_turns_are_counted_and_differences_shown(lost, capsys) -> None:
    """Exactly those that the drawn platform has lost, and its bias to a few milliseconds."""
    calls, turns = calls_and_turns()
    logged, gone = drawn_log(turns, lost=lost)
    both = recipe(calls=calls, logged=logged)["both"]
    found = set(both.loc[both["is_lost"], ["session_id", "turn"]].itertuples(index=False, name=None))
    assert found == gone
    assert len(both) > 25
    assert both["difference_s"].median() == pytest.approx(-BIAS_S, abs=0.015)
    assert both.loc[both["gap_before_s"].isna(), "difference_s"].isna().all()
    printed = capsys.readouterr().out
    assert f"{len(gone)} of {len(both)} responses were not logged" in printed
    print(printed)  # noqa: T201 - to be read with -s


def test_clocks_that_start_at_different_moments_are_seen() -> None:
    """By the median of how far off they are."""
    calls, turns = calls_and_turns()
    logged, _ = drawn_log(turns, lost=0.0, shift_s=0.6)
    both = recipe(calls=calls, logged=logged)["both"]
    assert both["off_s"].median() == pytest.approx(0.6, abs=0.03)
