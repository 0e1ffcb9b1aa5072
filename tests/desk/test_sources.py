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
