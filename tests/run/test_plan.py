"""The outcome of a session: made of an error, without what would keep sound or a URL in memory."""

from __future__ import annotations

import pytest

from kataven_notebook.errors import RecordingMissing, SessionError
from kataven_notebook.run.plan import Outcome, skipped
from kataven_notebook.service.answers import SignedUrl
from kataven_notebook.status import Status

pytestmark = pytest.mark.core


def test_an_error_becomes_its_status_and_sentence() -> None:
    """And is kept to be raised, without a traceback that holds the session's URL."""
    error = RecordingMissing("there is none", session_id="a")
    error.__context__ = ValueError("inner")
    with pytest.raises(RecordingMissing):
        raise error
    assert error.__traceback__ is not None
    outcome = Outcome.of_error(error)
    assert (outcome.status, outcome.error) == (Status.MISSING, error.message)
    assert outcome.exception is not None
    assert outcome.exception.__traceback__ is None
    assert outcome.exception.__context__ is None


def test_a_session_that_was_not_attempted_says_why_and_what_to_do() -> None:
    """As a status of its own, and as the error that `errors="raise"` raises."""
    outcome = skipped("the run was interrupted")
    assert outcome.status == Status.SKIPPED
    assert outcome.error == "not attempted: the run was interrupted; call again"
    assert isinstance(outcome.exception, SessionError)


def test_an_outcome_takes_its_fields_by_name() -> None:
    """Six values in a row are mixed up sooner or later."""
    with pytest.raises(TypeError):
        Outcome(Status.MISSING, "no recording")  # type: ignore[misc] # the mistake
    assert "secret" not in repr(Outcome(Status.READY, signed=SignedUrl("https://b/x?sig=secret", 0.0)))
