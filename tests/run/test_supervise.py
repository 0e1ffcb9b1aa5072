"""A run under its progress bar: left early, quiet in the log, warned of memory."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import psutil
import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook.run.plan import Outcome
from kataven_notebook.run.run import Run
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.mark.parametrize(("free_bytes", "warned_of"), [(310_000, True), (330_000, False)])
def test_memory_that_will_not_do_is_said_in_time(hub, monkeypatch, free_bytes, warned_of) -> None:
    """Before ten times 16 kB fill half of what was free, a warning names the store."""
    free = type("Memory", (), {"available": free_bytes - 160_440})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kn.audio(hub.sessions, settings=hub.settings, progress=False)
    assert ['store="calls/"' in str(each.message) for each in caught] == [True] * warned_of


def test_what_finishes_while_a_run_is_interrupted_is_in_its_frame(hub, monkeypatch) -> None:
    """Sound that came after the stop button is not fetched twice."""

    def outcomes(_self: Run, _waiting: object) -> Iterator[tuple[str, Outcome]]:
        yield "s1", Outcome(Status.MISSING)
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "outcomes", outcomes)
    monkeypatch.setattr(Run, "drain", lambda self: [("s0", Outcome(Status.PENDING))])
    with pytest.raises(kn.errors.Interrupted) as stopped:
        kn.audio(calls("s0", "s1", "s2"), settings=hub.settings, progress=False)
    assert stopped.value.frame["recording_status"].tolist() == ["pending", "missing", "skipped"]
