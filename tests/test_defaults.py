"""Names of columns that `configure` sets for all functions."""

from __future__ import annotations

import inspect
import io

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from frames import measured, tones

import kataven_notebook as kn
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError

pytestmark = pytest.mark.core

QUIET = {"progress": False}


@pytest.fixture
def frame() -> pd.DataFrame:
    """Two calls with their sound, named by a column of another name."""
    return pd.DataFrame({"call_id": ["a", "b"], "x_audio": [tones((440, 0.0, 1.0), (880, 2.0, 3.0)) for _ in "ab"]})


def test_every_function_takes_the_configured_names(frame, tmp_path) -> None:
    """As a function, as a method, and as a class."""
    kn.configure(session="call_id", prefix="x_")
    numbers = measured(frame, agent_channel=0)
    assert "x_agent_talk_s" in numbers
    talk = kn.turns(frame, agent_channel=0, **QUIET)
    assert talk.columns[0] == "call_id"
    assert kn.moments(frame, agent_channel=0, **QUIET).columns[0] == "call_id"
    assert "x_audio" in kn.audio(frame, **QUIET)
    assert kn.summary(numbers)["rows"].tolist() == [2]
    assert numbers.kataven.summary()["rows"].tolist() == [2]
    assert "x_apply_error" in frame.kataven.apply(lambda recording: recording.frames, **QUIET)
    assert [name for name, _ in kn.iter_recordings(frame, **QUIET)] == ["a", "b"]
    spoken = pd.DataFrame({"call_id": ["a"], "channel": [0], "start_s": [0.0], "end_s": [1.0]})
    assert "SPEAKER a 1" in kn.to_rttm(spoken)
    assert kn.read_audiofolder(kn.to_audiofolder(frame, tmp_path, **QUIET))["call_id"].tolist() == ["a", "b"]
    for player in (kn.player(frame), kn.Player(frame)):
        assert repr(player) == "<Player of 2 calls, 'a' is open>"
    with pytest.raises(FrameError, match="no index level 'call_id'"):
        kn.recordings(pd.DataFrame({"session_id": ["a"]}), **QUIET)


def test_files_get_the_configured_names_too(tmp_path) -> None:
    """A column of ids that a frame has not is made."""
    file = io.BytesIO()
    sf.write(file, np.zeros(800), 8_000, format="WAV")
    (tmp_path / "a.wav").write_bytes(file.getvalue())
    kn.configure(session="call_id", prefix="x_")
    found = kn.from_files(tmp_path, **QUIET)
    assert found.columns[:4].tolist() == ["call_id", "path", "x_audio", "x_recording_status"]
    again = kn.from_files(found.drop(columns="call_id"), **QUIET)
    assert again["call_id"].tolist() == ["a"]


def test_what_a_call_says_wins_also_where_it_is_the_default(frame) -> None:
    """And an empty text takes the configured name back."""
    plain = frame.rename(columns={"call_id": "session_id", "x_audio": "audio"})
    kn.configure(session="call_id", prefix="x_")
    assert "recording_status" in kn.audio(plain, session="session_id", prefix="", **QUIET)
    kn.configure(session="", prefix="")
    assert "recording_status" in kn.audio(plain, **QUIET)


@pytest.mark.parametrize("given", [{"session": 5}, {"prefix": b"x_"}, {"session": ["call_id"]}])
def test_a_name_that_is_no_text_changes_nothing(frame, given) -> None:
    """One sentence, and what was configured stays."""
    kn.configure(session="call_id", prefix="x_")
    with pytest.raises(ConfigurationError, match=r"(session|prefix)=.*: pass text"):
        kn.configure(**({"session": "other", "prefix": "y_"} | given))
    assert "x_recording_status" in kn.audio(frame, **QUIET)


def test_names_are_no_part_of_the_settings(frame) -> None:
    """Settings of a call's own have none, so that its names are still the configured ones."""
    kn.configure(session="call_id", prefix="x_")
    assert "x_recording_status" in kn.audio(frame, settings=kn.Settings(), **QUIET)


def test_every_public_function_with_such_an_argument_takes_them() -> None:
    """One that is added without is found here; signatures and docstrings are the functions' own."""
    functions = [getattr(kn, name) for name in kn.__all__ if inspect.isfunction(getattr(kn, name))]
    takers = [each for each in functions if {"session", "prefix"} & set(inspect.signature(each).parameters)]
    assert len(takers) >= 12
    for each in takers:
        assert hasattr(each, "__wrapped__") or each is kn.configure, each.__name__
    assert inspect.signature(kn.audio).parameters["session"].default == "session_id"


def test_a_function_that_looks_itself_is_left_alone() -> None:
    """Its default is None."""

    @with_configured_names
    def both(*, session: str | None = None, prefix: str = "") -> tuple[str | None, str]:
        return session, prefix

    kn.configure(session="call_id", prefix="x_")
    assert both() == (None, "x_")
    assert both(prefix="y_") == (None, "y_")
