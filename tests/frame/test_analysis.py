"""Whole frames measured: whose channel is whose, what is refused beforehand, what stays as it was."""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from frames import calls, loud, measured, tones
from scripted_calls import RATE, sound

import kataven_notebook as kn
from kataven_notebook import demo

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

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


@pytest.fixture(scope="module")
def conversation() -> bytes:
    """Two parties and a few moments, as a Hub would send them."""
    return kn.Recording.from_samples(
        sound([(0.5, 2.5), (6.0, 8.0)], [(3.0, 3.4), (7.5, 9.0)], duration_s=10.0), RATE
    ).encoded()


OPTIONS: dict[str, Any] = {"speech": "energy", "agent_channel": 0, "progress": False}


def ids_of(frame: pd.DataFrame, **options: Any) -> list[str]:
    """The ids of a frame's moments."""
    return kn.moments(frame, **OPTIONS, **options)["moment_id"].tolist()


def test_moments_have_the_same_ids_wherever_their_sound_lies(conversation: bytes, tmp_path: Path) -> None:
    """In memory, a folder, a bucket, fetched and dropped, measured in other processes, and known from before."""
    heard = calls("a", audio=[kn.Recording.from_bytes(conversation, session_id="a")])
    expected = ids_of(heard)
    assert len(set(expected)) == len(expected) > 1
    (tmp_path / "a.wav").write_bytes(conversation)
    filed = kn.from_files(tmp_path / "a.wav", progress=False)
    assert kn.moments(filed, **OPTIONS)["moment_id"].tolist() == expected
    with demo.hub(sessions={}) as hub:
        hub.add("a", conversation)
        options = {"settings": hub.settings}
        assert ids_of(calls("a"), **options) == expected
        for place in (str(tmp_path / "folder"), (tmp_path / "bucket").as_uri()):
            assert ids_of(calls("a"), store=place, **options) == expected
            assert ids_of(calls("a"), store=place, **options) == expected
        with ProcessPoolExecutor(1) as pool:
            assert ids_of(calls("a"), executor=pool, **options) == expected
            assert ids_of(calls("a"), store=(tmp_path / "other").as_uri(), executor=pool, **options) == expected
    assert kn.moments(heard, **{**OPTIONS, "speech": loud_parts})["moment_id"].notna().all()


def loud_parts(samples: np.ndarray, sample_rate: int) -> list[tuple[float, float]]:
    """A detector of the user's."""
    return [(0.5, 1.5)] if abs(samples[sample_rate]) > 0 else [(4.0, 5.0)]


def test_ids_of_a_stores_moments_need_no_sound(conversation: bytes, tmp_path: Path) -> None:
    """What was measured is kept beside the sound, whose file may be unreadable by now."""
    with demo.hub(sessions={}) as hub:
        hub.add("a", conversation)
        options = {"settings": hub.settings, "store": tmp_path / "calls"}
        expected = ids_of(calls("a"), **options)
        (file,) = (each for each in (tmp_path / "calls" / "audio").rglob("*.wav"))
        file.write_bytes(bytes(file.stat().st_size))
        assert ids_of(calls("a"), **options) == expected
