"""Recordings fetched for frames: URLs, sound, summaries and loops."""

from __future__ import annotations

import warnings

import pandas as pd
import pytest
from frames import calls

import kataven_notebook as kn

pytestmark = pytest.mark.core


def test_recordings_adds_url_status_error_and_expiry(hub) -> None:
    """Each row says what is there, and the frame that came in is as it was."""
    frame = calls("s1", "gone", "later", note=["a", "b", "c"])
    before = frame.copy()
    found = kn.recordings(frame, settings=hub.settings, progress=False)
    pd.testing.assert_frame_equal(frame, before)
    assert found.columns.tolist() == [
        "session_id", "note", "recording_url", "recording_status", "recording_error", "recording_expires_at",
    ]  # fmt: skip
    assert found["recording_status"].tolist() == ["ready", "missing", "pending"]
    assert found["recording_url"].notna().tolist() == [True, False, False]
    assert found["recording_error"].isna().tolist() == [True, False, False]
    left_s = (found.loc[0, "recording_expires_at"] - pd.Timestamp.now(tz="UTC")).total_seconds()
    assert 290 < left_s <= 300


def test_no_rows_cost_no_request_and_need_no_key(hub) -> None:
    """An empty frame comes back with the columns."""
    empty = pd.DataFrame(columns=["session_id"])
    found = kn.audio(empty, settings=hub.settings, progress=False)
    assert len(found) == 0
    assert "recording_status" in found.columns
    assert hub.requests.count("api") == 0


def test_audio_downloads_what_is_there_and_says_what_is_not(hub, sound) -> None:
    """The bytes are the storage's, the numbers the header's, the reasons per row."""
    heard = kn.audio(calls("s1", "gone", "later", "broken"), settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded", "missing", "pending", "corrupt"]
    assert heard.loc[0, "audio"].encoded() == sound
    assert heard.loc[0, "audio"].session_id == "s1"
    assert heard.loc[1:, "audio"].tolist() == [None, None, None]
    assert heard.loc[0, ["recording_format", "duration_s", "sample_rate", "channels", "recording_bytes"]].tolist() == [
        "wav", 1.0, 8_000, 2, len(sound),
    ]  # fmt: skip
    assert "HTML" in heard.loc[3, "recording_error"]
    assert all(request.status == 200 for request in hub.requests.of("storage"))


def test_recordings_never_downgrades_what_is_downloaded(hub) -> None:
    """Fetching a URL for sound that is here leaves its status and its sound."""
    heard = kn.audio(calls("s1", "s2"), settings=hub.settings, progress=False)
    hub.faults.add("s2", "api:server_error")
    signed = kn.recordings(heard, settings=hub.settings, progress=False)
    assert signed["recording_status"].tolist() == ["downloaded", "downloaded"]
    assert signed["recording_error"].isna().all()
    assert signed["audio"].tolist() == heard["audio"].tolist()


def test_errors_raise_raises_the_first_failure(hub) -> None:
    """As the exception of its kind, with the session in its text."""
    with pytest.raises(kn.errors.RecordingMissing, match="'gone'"):
        kn.audio(calls("gone"), errors="raise", settings=hub.settings, progress=False)
    with pytest.raises(kn.errors.InvalidSessionId):
        kn.audio(calls("a/b"), errors="raise", settings=hub.settings, progress=False)
    with pytest.raises(kn.errors.ConfigurationError, match="errors='ignore'"):
        kn.audio(calls("s1"), errors="ignore", settings=hub.settings)


def test_too_large_is_found_before_it_is_downloaded(hub, sound) -> None:
    """The row says which limit."""
    heard = kn.audio(calls("s1"), max_bytes=1_000, settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["too_large"]
    assert "max_bytes is 1,000" in heard.loc[0, "recording_error"]


def test_pending_rows_are_asked_again_until_they_are_there(hub, sound) -> None:
    """Within poll_pending; what is uploaded meanwhile is downloaded."""
    hub.add("soon", sound)
    hub.faults.add("soon", "api:pending", times=2)
    heard = kn.audio(calls("soon", "s1"), poll_pending=20, settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded", "downloaded"]
    assert hub.requests.count("api", "soon") == 3


def test_summary_counts_rows_and_says_what_to_do(hub) -> None:
    """The most frequent first, shares of all rows."""
    heard = kn.audio(calls("s1", "s2", "gone", "later"), settings=hub.settings, progress=False)
    told = kn.summary(heard)
    assert told["recording_status"].tolist()[0] == "downloaded"
    assert told["rows"].tolist() == [2, 1, 1]
    assert told["share"].tolist() == [0.5, 0.25, 0.25]
    assert told["what_to_do"].str.len().min() > 10
    with pytest.raises(kn.errors.FrameError, match="call audio"):
        kn.summary(calls("s1"))


def test_iter_recordings_raises_where_the_account_is_refused(hub) -> None:
    """A loop that ends at once would look like a frame without sound."""
    hub.faults.add("*", "api:unauthorized")
    with pytest.raises(kn.errors.SessionError, match="API key"):
        list(kn.iter_recordings(hub.sessions, settings=hub.settings))
    hub.faults.clear()
    hub.faults.add(hub.sessions["session_id"].iloc[0], "api:forbidden")
    assert len(list(kn.iter_recordings(hub.sessions, settings=hub.settings))) > 0


def test_iter_recordings_yields_each_session_once(hub) -> None:
    """Sound only, as it comes, and stopping early ends the threads."""
    frame = calls("s1", "s1", "s2", "gone", "broken", "s3")
    found = dict(kn.iter_recordings(frame, settings=hub.settings))
    assert sorted(found) == ["s1", "s2", "s3"]
    some = kn.iter_recordings(frame, settings=hub.settings)
    next(some)
    some.close()


def test_many_urls_at_once_are_warned_of(hub, sound) -> None:
    """Signing hundreds first is what loses rows."""
    for number in range(301):
        hub.add(f"m{number}", sound)
    with pytest.warns(UserWarning, match=r"301 URLs.*audio\(\)"):
        kn.recordings(calls(*(f"m{n}" for n in range(301))), settings=hub.settings, progress=False)


def test_sound_that_will_not_fit_is_warned_of_in_time(hub, monkeypatch, tmp_path) -> None:
    """Before it fills the memory, with the way out; with a store there is nothing to warn of."""

    class Memory:
        available = 40_000

    monkeypatch.setattr("kataven_notebook.run.supervise.psutil.virtual_memory", Memory)
    frame = calls("s1", "s2", "s3")
    with pytest.warns(UserWarning, match='store="calls/"'):
        kn.audio(frame, settings=hub.settings, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kn.audio(frame, store=tmp_path / "calls", settings=hub.settings, progress=False)
