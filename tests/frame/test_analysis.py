"""Whole frames measured: whose channel is whose, what is refused beforehand, what stays as it was."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd
import pytest
from frames import loud, measured, tones

import kataven_notebook as kn

pytestmark = pytest.mark.core


def test_the_column_may_have_the_name_of_the_result(heard: pd.DataFrame) -> None:
    """`agent_channel` is what such a column is called; it is left as it is."""
    heard["agent_channel"] = ["1", "0", "1"]
    result = measured(heard, agent_channel="agent_channel")
    assert result["agent_channel"].tolist() == ["1", "0", "1"]
    assert result["response_count"].tolist() == [1, 0, 1]
    pd.testing.assert_frame_equal(measured(result, agent_channel="agent_channel"), result)


@pytest.mark.parametrize("function", [kn.metrics, kn.turns, kn.moments])
def test_roles_that_are_not_known_are_warned_of_once(function: Any) -> None:
    """Two channels that are alike give no evidence; who says which is the agent is not warned."""
    alike = tones((440, 0.0, 1.0), (440, 0.0, 1.0))
    frame = pd.DataFrame({"session_id": ["a", "b"], "audio": [alike, alike]})
    with pytest.warns(UserWarning, match=r"for 2 of 2 calls .* Pass agent_channel=0 or 1") as caught:
        function(frame, speech=loud, progress=False)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="Pass agent_channel=") as caught:
        getattr(frame.kataven, function.__name__)(speech=loud, progress=False)
    assert caught[0].filename == __file__, "a second cell's warning would be taken for a repetition"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function(frame, speech=loud, agent_channel=0, progress=False)


@pytest.mark.parametrize(("function", "name"), [(kn.turns, "channel"), (kn.turns, "turn"), (kn.moments, "kind")])
def test_session_ids_are_not_lost_under_a_column_of_the_result(function: Any, name: str, heard: pd.DataFrame) -> None:
    """A table without its session ids could not be merged, so it is refused."""
    with pytest.raises(kn.errors.FrameError, match=f"'{name}' of its own"):
        function(heard.rename(columns={"session_id": name}), session=name, progress=False)


@pytest.mark.parametrize("function", [kn.metrics, kn.turns, kn.moments])
def test_what_is_no_frame_is_refused_in_words(function: Any) -> None:
    """And not by the first attribute that it lacks."""
    with pytest.raises(kn.errors.FrameError, match="a DataFrame with one row a session is needed, not str"):
        function("heard.csv")


def test_no_rows_give_the_same_columns_and_dtypes(heard: pd.DataFrame) -> None:
    """So that frames of any length can be joined."""
    for function in (kn.metrics, kn.turns, kn.moments):
        full = function(heard, speech=loud, agent_channel=0, progress=False)
        none = function(heard.iloc[:0], speech=loud, agent_channel=0, progress=False)
        assert none.dtypes.to_dict() == full.dtypes.to_dict()
        assert len(none) == 0
