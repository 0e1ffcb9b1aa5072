"""What has arrived of a download, and how long it took."""

from __future__ import annotations

import hashlib
import time

import pytest

from kataven_notebook.service.transfer import Clock, Transfer

pytestmark = pytest.mark.core


def test_it_says_once_when_the_sound_begins_to_arrive() -> None:
    """And again after a fresh start."""
    begun = []
    transfer = Transfer(on_begun=lambda: begun.append(transfer.received_bytes))
    transfer.write(b"so")
    transfer.write(b"und")
    assert (begun, transfer.content(), transfer.received_bytes) == ([0], b"sound", 5)
    assert transfer.sha256 == hashlib.sha256(b"sound").hexdigest()
    transfer.restart()
    assert (transfer.content(), transfer.received_bytes) == (b"", 0)
    transfer.write(b"other")
    assert begun == [0, 0]


def test_the_clock_stands_still_between_two_tries() -> None:
    """What a storage was away for is no time that the download took."""
    clock = Clock(60.0)
    with clock:
        first = clock.ends_at
    time.sleep(0.05)
    with clock:
        assert clock.ends_at >= first + 0.05
    assert not clock.is_over


def test_the_clock_runs_out() -> None:
    """Over all tries."""
    clock = Clock(0.02)
    while not clock.is_over:
        with clock:
            time.sleep(0.005)
