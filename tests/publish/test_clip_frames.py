"""What goes into the cutting of clips and what comes out of it, as frames."""

from __future__ import annotations

import pandas as pd
import pytest

from kataven_notebook.errors import FrameError
from kataven_notebook.frame.sessions import find_sessions
from kataven_notebook.publish.clip_frames import Clip, check_clip_names, clips_frame, frame_of_calls
from kataven_notebook.status import Status

pytestmark = pytest.mark.core

NAMES = {"session": "session_id", "prefix": ""}


def test_the_row_that_knows_most_speaks_for_a_call(calls) -> None:
    """Of a session that stands in several; what the calls do not have is missing, and said."""
    sound = calls["audio"][0]
    given = pd.DataFrame({"session_id": ["a", "a", "b"], "audio": [None, sound, None], "note": list("xyz")})
    ids = ["z", "a", None, "b"]
    found, strangers = frame_of_calls(ids, pd.DataFrame(), given, **NAMES)
    assert found["session_id"].tolist() == ids
    assert list(found.columns) == ["session_id", "audio"]
    assert [each is sound for each in found["audio"]] == [False, True, False, False]
    assert strangers == {"z"}


def test_calls_of_any_dtype_and_index_are_found(calls) -> None:
    """Repeated labels, categories, and recordings in an object column."""
    for given in (
        calls.set_axis([5, 5, 5]),
        calls.astype({"session_id": "category"}),
        calls.set_index("session_id"),
        calls.assign(audio=calls["audio"].astype(object)),
    ):
        found, strangers = frame_of_calls(["b", "q"], pd.DataFrame(), given, **NAMES)
        assert found["audio"].iloc[0] is calls["audio"][1]
        assert not isinstance(found["audio"].iloc[1], type(calls["audio"][1]))
        assert strangers == {"q"}
    twice = pd.concat([calls, calls[["audio"]]], axis=1)
    with pytest.raises(FrameError, match="several columns 'audio': rename all but one"):
        frame_of_calls(["b"], pd.DataFrame(), twice, **NAMES)


def test_without_calls_the_moments_own_sound_is_taken_but_no_clip(calls) -> None:
    """A clip of a clip would be cut out of the wrong place."""
    found, _ = frame_of_calls(["b"], calls, None, **NAMES)
    assert found["audio"].iloc[0] is calls["audio"][1]
    assert list(frame_of_calls(["b"], calls.assign(clip_id="m1"), None, **NAMES)[0].columns) == ["session_id"]


def test_columns_of_the_callers_are_not_overwritten() -> None:
    """Unless all three are there, as `clips` returns them; a prefix makes room."""
    frame = pd.DataFrame({"session_id": ["a"], "start_s": [1.0], "clip_start_s": [0.5]})
    with pytest.raises(FrameError, match="'clip_start_s'"):
        check_clip_names(frame, "session_id", "")
    check_clip_names(frame, "session_id", "kataven_")
    check_clip_names(frame.assign(clip_id="m1", clip_end_s=2.0), "session_id", "")
    with pytest.raises(FrameError, match="'clip_id'"):
        check_clip_names(frame.rename(columns={"session_id": "clip_id"}), "clip_id", "")


def test_names_of_clips_are_unique_whatever_names_moments_bring() -> None:
    """Also one that looks like the second of another."""
    ids = ["m1", "m1", "m1-2", "m1", "", pd.NA]
    moments = pd.DataFrame({"session_id": list("aaaabb"), "start_s": 1.0, "moment_id": ids})
    clips = [Clip(Status.MISSING, "none")] * 6
    found = clips_frame(moments, moments, find_sessions(moments, "session_id"), clips, prefix="")
    assert found["clip_id"].is_unique
    assert found["clip_id"][0] == "m1"
    assert found["clip_id"].str.len().gt(0).all()
