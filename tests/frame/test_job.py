"""The way of a frame through a run: outcomes for every session, whether known or run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook import Status
from kataven_notebook.frame.job import FrameJob
from kataven_notebook.run.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.core


def known_and_new() -> pd.DataFrame:
    """Two sessions whose status is known, around one that is to be run, which stands in two rows."""
    return calls("x1", "s1", "x2", "s1", recording_status=["missing", None, "corrupt", None])


def test_outcomes_stand_in_the_order_of_the_sessions(hub) -> None:
    """What was known is merged with what was run; only the latter costs a request."""
    job = FrameJob(known_and_new(), "session_id")
    plan = Plan(settings=hub.settings)
    job.split(plan)
    assert sorted(job.known) == [0, 2]
    assert list(job.tasks) == [1]
    outcomes = job.run(plan, label="Downloading", progress=False)
    assert [outcome.status for outcome in outcomes] == [Status.MISSING, Status.DOWNLOADED, Status.CORRUPT]
    assert [request.session_id for request in hub.requests.of("api")] == ["s1"]


def test_a_session_has_one_sound(tmp_path) -> None:
    """In how many rows it stands: else the numbers of one part would stand beside the other."""
    short, long = (kn.Recording.from_samples([0.1] * count, 8_000) for count in (8_000, 9_000))
    file = short.save(tmp_path / "a.wav")
    for others in ([short, long], [None, short, None, long]):
        with pytest.raises(kn.errors.FrameError, match="'session_id' has 's1' in several rows with other sound in"):
            FrameJob(calls(*["s1"] * len(others), audio=others), "session_id")
    for same in ([short, short], [kn.Recording.from_file(file), None, kn.Recording.from_file(file)]):
        FrameJob(calls(*["s1"] * len(same), audio=same), "session_id")
    FrameJob(calls("s1", "s2", audio=[short, long]), "session_id")


def test_reasons_name_the_sessions_that_lack_sound(hub) -> None:
    """By session id, with status and sentence; what is downloaded has no reason."""
    frame = known_and_new().assign(recording_error=["none there", None, "HTML", None])
    job = FrameJob(frame, "session_id")
    plan = Plan(settings=hub.settings)
    job.split(plan)
    reasons = job.reasons(job.run(plan, label="Downloading", progress=False))
    assert reasons == {"x1": "missing: none there", "x2": "corrupt: HTML"}


def test_sessions_of_which_none_has_a_recording_are_doubted(hub) -> None:
    """Ids of agents and campaigns look the same; a few calls without a recording are nothing strange."""
    agents = calls(*(f"agent_{number}" for number in range(5)))
    with pytest.warns(UserWarning, match="none of the 5 sessions .* also names agents and campaigns"):
        kn.audio(agents, settings=hub.settings, progress=False)
    with pytest.warns(UserWarning, match="none of the 5 sessions"):
        assert not list(kn.iter_recordings(agents, settings=hub.settings, progress=False))
    kn.audio(agents.head(2), settings=hub.settings, progress=False)
    kn.audio(calls("s1", *agents["session_id"]), settings=hub.settings, progress=False)
