"""Whose channel is whose."""

from __future__ import annotations

import pandas as pd
import pytest

from kataven_notebook.desk.open import player
from kataven_notebook.desk.roles import channel_names, channel_roles

pytestmark = pytest.mark.core


def test_the_frame_says_whose_a_channel_is_then_the_turns_then_nobody() -> None:
    """Turns that contradict each other say nothing; on one channel are both."""
    frame = pd.DataFrame({"session_id": ["a", "b", "c", "d"], "agent_channel": pd.array([1, None, None, 0], "Int64")})
    frame["channels"] = [2, 2, 2, 1]
    turns = pd.DataFrame({"session_id": ["b", "b", "c", "c"], "channel": [0, 1, 0, 0], "start_s": 0.0, "end_s": 1.0})
    turns["role"] = ["agent", "caller", "agent", "caller"]
    contents = player(frame, turns=turns)._contents
    found = [contents.about(key) for key in range(4)]
    assert [each["roles"] for each in found] == [["caller", "agent"], ["agent", "caller"], [], []]
    assert [each["names"] for each in found] == [["Caller", "Agent"], ["Agent", "Caller"], [], []]


@pytest.mark.parametrize("agent", [None, pd.NA, float("nan"), "agent", -1, 0.5, 5, pd.Timestamp(0)])
def test_what_names_no_channel_names_no_role(agent: object) -> None:
    """Whatever a column of this name holds."""
    assert channel_roles(agent, {}) == []


def test_a_channel_without_a_role_keeps_its_number() -> None:
    """No name is guessed."""
    assert channel_roles(None, {2: "caller"}) == ["", "", "caller"]
    assert channel_names(["", "", "caller"]) == ["Channel 0", "Channel 1", "Caller"]
