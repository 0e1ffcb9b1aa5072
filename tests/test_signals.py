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
