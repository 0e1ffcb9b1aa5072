"""How many sessions may be at which stage."""

from __future__ import annotations

import pytest

from kataven_notebook.run import stages
from kataven_notebook.run.stages import Stage, Stages

pytestmark = pytest.mark.core


def begun(found: Stages, stage: Stage, *, prefix: str = "s") -> int:
    """Begin as many sessions as may, and return how many."""
    count = 0
    while found.may_begin(stage):
        found.enter(f"{prefix}{count}", stage)
        count += 1
    return count


def test_no_more_are_signing_than_the_service_allows() -> None:
    """A session that has its URL makes room for the next."""
    found = Stages(in_flight=None, signing=20)
    assert begun(found, Stage.SIGNING) == 20
    found.enter("s0", Stage.AWAITED)
    assert found.may_begin(Stage.SIGNING)


def test_sessions_that_wait_for_the_storage_hold_nobody_up() -> None:
    """Up to the number of threads."""
    found = Stages(in_flight=None, signing=20)
    assert begun(found, Stage.AWAITED) == found.most > 60


def test_nothing_begins_while_more_arrives_than_can_be_taken_in() -> None:
    """Sound that arrives shares one line and one memory."""
    found = Stages(in_flight=None, signing=20)
    arriving = begun(found, Stage.ARRIVING)
    assert 20 <= arriving < found.most
    assert not found.may_begin(Stage.SIGNING)
    found.leave("s0")
    assert found.may_begin(Stage.SIGNING)


def test_a_session_never_goes_back() -> None:
    """A URL that is signed again while the sound arrives is no new session; nor is one that has left."""
    found = Stages(in_flight=None, signing=1)
    found.enter("a", Stage.ARRIVING)
    found.enter("a", Stage.SIGNING)
    assert found.may_begin(Stage.SIGNING)
    found.leave("a")
    found.leave("a")
    assert begun(found, Stage.SIGNING) == 1


def test_a_callers_own_number_bounds_all() -> None:
    """`in_flight=3` is three sessions, wherever they are."""
    found = Stages(in_flight=3, signing=20)
    found.enter("a", Stage.ARRIVING)
    found.enter("b", Stage.AWAITED)
    assert begun(found, Stage.SIGNING) == 1


@pytest.mark.parametrize(("limit", "most"), [(None, 512), (256, 64), (10, 8), (100_000, 512)])
def test_threads_are_as_many_as_open_files_allow(monkeypatch, limit, most) -> None:
    """A shell with few of them gets fewer sessions at once, and no error."""
    monkeypatch.setattr(stages, "most_open_files", lambda: limit)
    assert Stages(in_flight=None, signing=20).most == most
