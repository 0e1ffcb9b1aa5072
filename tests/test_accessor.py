"""`df.kataven`: the functions as methods."""

from __future__ import annotations

import inspect

import pytest
from frames import calls

import kataven_notebook as kn

pytestmark = pytest.mark.core


def test_the_accessor_is_the_same_function() -> None:
    """Same signature but the frame, same docstring, no state."""
    frame = calls("s1")
    for name in ("recordings", "audio", "summary", "metrics", "turns", "moments", "compare_groups", "apply", "player",
                 "iter_recordings", "from_files", "to_audiofolder"):  # fmt: skip
        function, method = getattr(kn, name), getattr(frame.kataven, name)
        assert list(inspect.signature(method).parameters) == list(inspect.signature(function).parameters)[1:], name
        assert inspect.getdoc(method) == inspect.getdoc(function)
    assert vars(frame.kataven) == {"_frame": frame}


def test_the_accessor_validates_when_it_is_used(hub) -> None:
    """A frame that loses its column is refused then, not by a cached accessor."""
    frame = calls("s1", extra=[1])
    assert frame.kataven.recordings(settings=hub.settings, progress=False)["recording_status"].tolist() == ["ready"]
    frame = frame.drop(columns="session_id")
    with pytest.raises(kn.errors.FrameError):
        frame.kataven.recordings(settings=hub.settings)
