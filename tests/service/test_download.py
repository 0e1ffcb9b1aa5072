"""Signed URL to bytes: resumed, capped, whole or an error."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time

import pytest

from kataven_notebook import errors
from kataven_notebook.service.answers import SignedUrl
from kataven_notebook.service.download import Downloader
from kataven_notebook.service.hosts import Hosts
from kataven_notebook.service.transfer import Transfer
from kataven_notebook.signals import Stopped

pytestmark = pytest.mark.core


@pytest.fixture
def fetch(hub):
    """Fetch one session of the Hub by a URL that needs no API request."""

    def run(session_id: str, *, max_bytes: int = 10**7, total_timeout_s: float = 60.0, expires_at=None, **options):
        transfer = options.pop("transfer", None) or Transfer()
        signed = SignedUrl(hub.sign(session_id), time.time() + 300 if expires_at is None else expires_at)
        with Downloader(timeout_s=2.0, max_bytes=max_bytes, total_timeout_s=total_timeout_s) as downloader:
            downloader.fetch(signed, transfer, session_id=session_id, **options)
        return transfer

    return run


def test_a_broken_download_goes_on_where_it_stopped(hub, wav, fetch) -> None:
    """By range, on condition that the object is still the same; each byte travels once."""
    hub.faults.add("s0", "storage:truncated", times=1, at_bytes=10_000)
    transfer = fetch("s0")
    assert transfer.content() == wav
    assert transfer.sha256 == hashlib.sha256(wav).hexdigest()
    first, second = hub.requests.storage
    assert "range" not in first.headers
    assert second.headers["range"] == "bytes=10000-"
    assert second.headers["if-match"].strip('"')
    assert second.status == 206


def test_an_object_that_changed_in_between_is_fetched_anew(hub, wav, fetch) -> None:
    """412: no sound is put together from two."""
    other = wav[:-2] + b"\1\2"
    transfer = Transfer()
    hub.faults.add("s0", "storage:truncated", at_bytes=3_000)
    with pytest.raises(errors.DownloadFailed):
        fetch("s0", transfer=transfer)
    assert transfer.received_bytes
    hub.faults.clear()
    hub.requests.clear()
    hub.add("s0", other)
    assert fetch("s0", transfer=transfer).content() == other
    assert [each.status for each in hub.requests.storage] == [412, 200]


def test_without_a_strong_etag_a_broken_download_begins_anew(hub, wav, fetch) -> None:
    """Nobody could tell whether the rest belongs to it."""
    hub.faults.add(
        "s0", "storage:body", times=1, body=wav[:5_000], headers={"ETag": 'W/"weak"', "Content-Length": "16044"}
    )
    assert fetch("s0").content() == wav
    assert "range" not in hub.requests.storage[-1].headers


def test_a_part_that_was_not_asked_for_is_not_used(hub, wav, fetch) -> None:
    """A storage that answers another range: begun anew."""
    hub.faults.add("s0", "storage:truncated", times=1, at_bytes=10_000)
    hub.faults.add("s0", "storage:wrong_range", times=1)
    assert fetch("s0").content() == wav
    assert len(hub.requests.storage) == 3


def test_a_recording_above_the_cap_is_refused_by_its_stated_length(hub, fetch) -> None:
    """Without fetching it."""
    with pytest.raises(errors.RecordingTooLarge, match="max_bytes is 1,000"):
        fetch("s0", max_bytes=1_000)


def test_a_stop_ends_a_download(hub, fetch) -> None:
    """Before it begins, and in the middle of a body that has no end."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        fetch("s0", stop=stop)
    assert hub.requests.count() == 0
    stop.clear()
    hub.faults.add("s0", "storage:endless")
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Stopped):
        fetch("s0", stop=stop, max_bytes=10**12)


def test_a_download_has_a_total_time(hub, fetch) -> None:
    """However alive the connection looks."""
    hub.faults.add("s0", "storage:drip", bytes_per_s=40.0)
    with pytest.raises(errors.DownloadFailed, match="took more than"):
        fetch("s0", total_timeout_s=0.2)


def test_a_403_is_expiry_only_where_the_storage_or_the_clock_says_so(hub, fetch) -> None:
    """A refused URL that lives is not signed again."""
    hub.faults.add("s0", "storage:denied")
    with pytest.raises(errors.DownloadFailed, match="AccessDenied"):
        fetch("s0")
    with pytest.raises(errors.UrlExpired):
        fetch("s0", expires_at=time.time() - 1)


def test_no_error_of_a_download_holds_the_signature(hub, fetch) -> None:
    """Whatever went wrong."""
    for fault in ("denied", "bad_signature", "expired", "reset_before", "redirect_loop", "server_error"):
        hub.faults.clear()
        hub.faults.add("s0", f"storage:{fault}")
        with pytest.raises(errors.DownloadError) as caught:
            fetch("s0")
        assert "X-Amz" not in repr(caught.value) + str(caught.value)
        assert caught.value.__cause__ is None


def test_attempts_that_get_further_are_not_used_up(hub, fetch) -> None:
    """A network that flaps cuts a long recording ten times; each part that came stays."""
    sound = bytes(range(256)) * 4_096
    hub.add("s0", sound)
    hub.faults.add("s0", "storage:truncated", times=10, at_bytes=80_000)
    assert fetch("s0").content() == sound
    assert [each.status for each in hub.requests.storage] == [200, *[206] * 10]


def test_attempts_that_get_hardly_further_are_used_up(hub, fetch) -> None:
    """A storage that gives out a few bytes each time would never end."""
    hub.add("s0", bytes(300_000))
    hub.faults.add("s0", "storage:truncated", at_bytes=10_000)
    with pytest.raises(errors.DownloadFailed, match="call again"):
        fetch("s0")
    assert hub.requests.count("storage") == 4


def test_a_page_in_place_of_sound_is_not_the_recording(hub, wav, fetch) -> None:
    """A network that asks to sign in answers for the storage: the recording may be asked for again."""
    hub.faults.add("s0", "storage:html", times=1)
    with pytest.raises(errors.DownloadFailed, match="a web page came in place of sound"):
        fetch("s0")
    assert fetch("s0").content() == wav


def test_only_what_came_whole_is_asked_again(hub) -> None:
    """A recording that breaks off after its head says nothing of whether its storage is there."""
    hosts = Hosts(hub.settings)
    hub.faults.add("s1", "storage:truncated", at_bytes=100)
    with Downloader(timeout_s=2.0, max_bytes=10**7, hosts=hosts) as downloader:
        for session_id in ("s0", "s1"):
            signed = SignedUrl(hub.sign(session_id), time.time() + 300)
            with contextlib.suppress(errors.DownloadFailed):
                downloader.fetch(signed, Transfer(), session_id=session_id)
        hub.requests.clear()
        hosts._host(signed.url).ask_again()
    assert [each.session_id for each in hub.requests.storage] == ["s0"]
    hosts.close()
