"""Exceptions that end a thread's work without being an error."""

from __future__ import annotations

import pytest

from kataven_notebook.errors import KatavenError
from kataven_notebook.signals import NotAttempted, Stopped

pytestmark = pytest.mark.core


@pytest.mark.parametrize("signal", [Stopped, NotAttempted])
def test_a_signal_is_no_error_of_a_row(signal) -> None:
    """What catches errors of sessions, transport or the store must let it pass."""
    assert not issubclass(signal, KatavenError | OSError | ValueError)


def test_a_session_that_was_not_asked_for_does_not_stop_the_others() -> None:
    """What catches one of the two must not catch the other."""
    assert not issubclass(NotAttempted, Stopped)
    assert not issubclass(Stopped, NotAttempted)
