"""Real expiry and real signatures: SeaweedFS refuses what S3 would refuse."""

from __future__ import annotations

import time

import httpx
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import demo


@pytest.fixture
def hub(seaweed, wav):
    """A Hub whose URLs botocore signs for a bucket in SeaweedFS."""
    for name in ("a", "b", "c"):
        seaweed.put(name, wav)
    sessions = dict.fromkeys(("a", "b", "c"), b"")
    with demo.hub(sessions=sessions, limits=kn.Limits(None, None, None, 20), signer=seaweed.presign) as running:
        yield running


def wait_until_refused(url: str) -> None:
    """Wait until the object store no longer accepts a URL."""
    for _ in range(200):
        if httpx.get(url).status_code == 403:
            return
        time.sleep(0.05)
    raise AssertionError("the URL lives on")


def test_sound_comes_from_a_real_object_store(hub, wav) -> None:
    """One signature, one download, the same bytes."""
    found = kn.audio(hub.sessions, settings=hub.settings, progress=False)
    assert [each.encoded() == wav for each in found["audio"]] == [True] * 3
    assert hub.requests.count("api") == 3


def test_a_url_that_died_in_the_frame_is_signed_again_once(hub, seaweed, wav) -> None:
    """The frame says it lives, the object store says it has expired: one more request, and the row comes."""
    hub.options.signer = lambda session_id: seaweed.presign(session_id, 1)
    signed = kn.recordings(hub.sessions, settings=hub.settings, progress=False)
    wait_until_refused(signed["recording_url"][0])
    signed["recording_expires_at"] = pd.Timestamp.now(tz="UTC") + pd.Timedelta("5min")
    hub.options.signer = seaweed.presign
    hub.requests.clear()
    found = kn.audio(signed, settings=hub.settings, progress=False)
    assert found["recording_status"].tolist() == ["downloaded"] * 3
    assert found["audio"][0].encoded() == wav
    assert hub.requests.count("api") == 3


def test_a_url_that_is_always_dead_is_expired_after_two_signatures(hub, seaweed) -> None:
    """Signed again once, and then said so."""
    dead = seaweed.presign("a", 1)
    wait_until_refused(dead)
    hub.options.signer = lambda _session_id: dead
    found = kn.audio(hub.sessions.head(1), settings=hub.settings, progress=False)
    assert found["recording_status"].tolist() == ["expired"]
    assert hub.requests.count("api") == 2


def test_a_wrong_signature_is_failed_and_not_taken_for_expiry(hub, seaweed) -> None:
    """403 with another reason: asking for a new URL would not help."""
    hub.options.signer = lambda session_id: seaweed.presign(session_id)[:-4] + "0000"
    found = kn.audio(hub.sessions.head(1), settings=hub.settings, progress=False)
    assert found["recording_status"].tolist() == ["failed"]
    assert "SignatureDoesNotMatch" in found["recording_error"][0]
    assert hub.requests.count("api") == 1


def test_an_object_that_is_not_there_is_failed(hub, seaweed) -> None:
    """The Hub signed a URL for nothing."""
    hub.options.signer = lambda _session_id: seaweed.presign("nothing")
    found = kn.audio(hub.sessions.head(1), settings=hub.settings, progress=False)
    assert found["recording_status"].tolist() == ["failed"]
    assert "NoSuchKey" in found["recording_error"][0]
