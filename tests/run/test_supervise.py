"""A run under its progress bar: left early, quiet in the log, warned of memory."""

from __future__ import annotations

import psutil
import pytest

import kataven_notebook as kn

pytestmark = pytest.mark.core


def test_an_iterator_that_is_left_early_fetches_no_more(many) -> None:
    """Memory and requests are bounded by what is in flight."""
    found = kn.iter_recordings(many.sessions, settings=many.settings, in_flight=2)
    next(found)
    found.close()
    assert many.requests.count("api") <= 8


def test_retries_leave_nothing_in_the_log(hub, caplog) -> None:
    """A row's outcome tells what became of it; a line for each retry would bury the notebook."""
    hub.faults.add("s0", "api:server_error", times=2)
    kn.audio(hub.sessions, settings=hub.settings, progress=False)
    assert [record for record in caplog.records if record.name.startswith("stamina")] == []


def test_memory_that_will_not_do_is_said_in_time(hub, monkeypatch) -> None:
    """Before the sound fills half of what is free, a warning names the store."""
    free = type("Memory", (), {"available": 100_000})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with pytest.warns(UserWarning, match='store="calls/"'):
        kn.audio(hub.sessions, settings=hub.settings, progress=False)
