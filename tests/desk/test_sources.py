"""Where sound and URLs come from."""

from __future__ import annotations

import pandas as pd
import pytest
from pages import SECRET_URL

from kataven_notebook.desk.sources import FrameSource
from kataven_notebook.errors import UrlExpired

pytestmark = pytest.mark.core


def test_the_frames_own_url_is_used_while_it_lives() -> None:
    """Then it is signed anew, or the error says what to run."""
    now = pd.Timestamp.now(tz="UTC")
    frame = pd.DataFrame(
        {
            "session_id": ["live", "dead"],
            "recording_url": [SECRET_URL] * 2,
            "recording_expires_at": [now + pd.Timedelta("200s"), now - pd.Timedelta("1s")],
        }
    )
    source = FrameSource(frame, session="session_id")
    url, lives_s = source.signed_url("live", fresh=False)
    assert url == SECRET_URL
    assert 190 < lives_s < 200
    with pytest.raises(UrlExpired, match=r"run audio\(\)"):
        source.signed_url("dead", fresh=False)
    signing = FrameSource(frame, session="session_id", sign=lambda session: (f"new-{session}", 300.0))
    assert signing.signed_url("dead", fresh=False)[0] == "new-dead"
    assert signing.signed_url("live", fresh=True)[0] == "new-live"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "javascript:alert(1)", "file:///etc/passwd"])
def test_an_address_that_the_service_could_not_have_given_reaches_no_page(url) -> None:
    """Anybody may have written into the frame."""
    frame = pd.DataFrame({"session_id": ["s1", "here"], "recording_url": [url, "http://127.0.0.1/a.wav"]})
    source = FrameSource(frame, session="session_id")
    with pytest.raises(UrlExpired, match="no signed URL in the frame"):
        source.signed_url("s1", fresh=False)
    assert source.signed_url("here", fresh=False)[0] == "http://127.0.0.1/a.wav"
    strict = FrameSource(frame, session="session_id", leave_https=False)
    with pytest.raises(UrlExpired, match="no signed URL in the frame"):
        strict.signed_url("here", fresh=False)


def test_the_time_of_expiry_is_read_however_it_is_written() -> None:
    """As text, without a zone, or in a column of both."""
    end = pd.Timestamp.now(tz="UTC").floor("s") + pd.Timedelta("200s")
    written = [end.isoformat(), end.tz_localize(None), str(end + pd.Timedelta("1us")), "soon"]
    frame = pd.DataFrame(
        {
            "session_id": list("abcd"),
            "recording_url": [SECRET_URL] * 4,
            "recording_expires_at": pd.Series(written, dtype=object),
        }
    )
    source = FrameSource(frame, session="session_id")
    for session in "abc":
        assert 190 < source.signed_url(session, fresh=False)[1] < 201
    assert source.signed_url("d", fresh=False)[1] == 300
