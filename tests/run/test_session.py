"""One session from its id to its outcome: asked for again, signed again, resumed."""

from __future__ import annotations

import math
import threading

import pandas as pd
import pytest
from frames import calls, statuses

import kataven_notebook as kn
from kataven_notebook.run.plan import Plan, Task
from kataven_notebook.run.run import Run

pytestmark = pytest.mark.core


def test_pending_rows_are_asked_for_again_until_they_are_there(hub, wav) -> None:
    """`poll_pending` waits for what is being uploaded, and gives up on what is not when the time is over."""
    hub.add("late", state="pending")
    hub.add("never", state="pending")
    uploads = threading.Timer(0.6, hub.add, ("late", wav))
    uploads.start()
    found = kn.audio(calls("late", "never", "s1"), settings=hub.settings, poll_pending=1.5, progress=False)
    uploads.join()
    assert found["recording_status"].tolist() == ["downloaded", "pending", "downloaded"]
    assert 3 <= hub.requests.count("api", "never") <= 8
    assert hub.requests.count("api", "s1") == 1


def test_without_poll_pending_a_pending_row_is_asked_once(hub) -> None:
    """By default nobody waits."""
    hub.add("late", state="pending")
    assert kn.audio(calls("late"), settings=hub.settings, progress=False)["recording_status"].tolist() == ["pending"]
    assert hub.requests.count() == 1


def test_a_url_in_the_frame_is_used_if_it_lives_and_signed_again_if_not(hub) -> None:
    """A live URL costs no request; one that is dead or about to die costs one."""
    signed = kn.recordings(calls("s0", "s1"), settings=hub.settings, progress=False)
    signed.loc[1, "recording_expires_at"] = pd.Timestamp.now(tz="UTC") + pd.Timedelta("1s")
    hub.requests.clear()
    found = kn.audio(signed, settings=hub.settings, progress=False)
    assert statuses(found) == {"downloaded": 2}
    assert (hub.requests.count("api", "s0"), hub.requests.count("api", "s1")) == (0, 1)


@pytest.mark.parametrize("offset_s", [-3_600.0, 3_600.0])
def test_a_local_clock_an_hour_off_changes_nothing(hub, offset_s) -> None:
    """The service's `Date` is what counts: 1.00 requests a row, and URLs live their five minutes."""
    hub.options.clock_offset_s = offset_s
    signed = kn.recordings(hub.sessions, settings=hub.settings, progress=False)
    left_s = (signed["recording_expires_at"] - pd.Timestamp.now(tz="UTC")).dt.total_seconds()
    assert left_s.between(290, 301).all()
    assert statuses(kn.audio(signed, settings=hub.settings, progress=False)) == {"downloaded": 10}
    assert hub.requests.count("api") == 10


def test_a_long_download_that_outlives_its_url_is_signed_again_and_resumed(hub, wav) -> None:
    """The line drops when the URL has died: a new one, and the rest from where it was."""
    hub.faults.add("s0", "storage:truncated", times=1)
    hub.faults.add("s0", "storage:expired", times=1)
    found = kn.audio(calls("s0"), settings=hub.settings, progress=False)
    assert found["audio"][0].encoded() == wav
    assert (hub.requests.count("api"), hub.requests.count("storage")) == (2, 3)
    assert hub.requests.storage[-1].headers["range"] == f"bytes={len(wav) // 2}-"


@pytest.mark.parametrize(("renewals", "status"), [(5, "downloaded"), (6, "expired")])
def test_a_download_that_gets_further_with_each_url_is_signed_again_five_times(hub, renewals, status) -> None:
    """The line drops and the URL has died, again and again."""
    for _ in range(renewals):
        hub.faults.add("s0", "storage:truncated", times=1, at_bytes=100)
        hub.faults.add("s0", "storage:expired", times=1)
    found = kn.audio(calls("s0"), settings=hub.settings, progress=False)
    assert found["recording_status"].tolist() == [status]
    assert hub.requests.count("api") == 6


def test_what_is_polled_for_ever_waits_without_a_time(hub) -> None:
    """`poll_pending=inf` ends with stop."""
    hub.add("late", state="pending")
    seen: list[str] = []
    with Run(Plan(settings=hub.settings, poll_pending_s=math.inf), [Task("late")]) as run:

        def tick() -> None:
            seen.extend(run.put_off)
            if seen:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(run.outcomes(tick))
    assert seen == ["not uploaded yet, asked for until they are"]
