"""The columns that the package adds: names, dtypes, and whose they are."""

from __future__ import annotations

import os
import time
import warnings

import pandas as pd
import pytest
from frames import calls

import kataven_notebook as kn

pytestmark = pytest.mark.core


STATUSES = [str(each) for each in kn.Status]


def test_columns_have_the_promised_dtypes(hub) -> None:
    """The same ones for no rows, for missing values and for sound."""
    for frame in (calls("s1", "gone"), calls(), calls("gone")):
        signed = kn.recordings(frame, settings=hub.settings, progress=False)
        heard = kn.audio(signed, settings=hub.settings, progress=False)
        dtypes = heard.dtypes.astype(str).to_dict()
        assert dtypes["recording_status"] == "category"
        assert list(heard["recording_status"].cat.categories) == STATUSES
        assert dtypes["recording_url"].startswith("str")
        assert dtypes["recording_error"].startswith("str")
        assert dtypes["recording_format"].startswith("str")
        assert dtypes["recording_expires_at"] == "datetime64[us, UTC]"
        assert dtypes["audio"] == "object"
        assert dtypes["duration_s"] == "float64"
        assert {dtypes[name] for name in ("sample_rate", "channels", "recording_bytes")} == {"Int64"}


def test_a_column_of_the_callers_is_never_overwritten(hub) -> None:
    """One clear error names prefix=, which then works, also when called again."""
    frame = calls("s1", "gone", duration_s=[3.5, 4.5])
    with pytest.raises(kn.errors.FrameError, match=r"'duration_s'.*prefix="):
        kn.audio(frame, settings=hub.settings)
    signed = kn.recordings(frame, settings=hub.settings, progress=False)
    with pytest.raises(kn.errors.FrameError, match="'duration_s'"):
        kn.audio(signed, settings=hub.settings)
    heard = kn.audio(frame, prefix="k_", settings=hub.settings, progress=False)
    assert heard["duration_s"].tolist() == [3.5, 4.5]
    assert heard["k_duration_s"].tolist()[0] == 1.0
    again = kn.audio(heard, prefix="k_", settings=hub.settings, progress=False)
    assert again["k_recording_status"].tolist() == ["downloaded", "missing"]
    for name in ("audio", "recording_status"):
        with pytest.raises(kn.errors.FrameError, match=name):
            kn.audio(calls("s1", **{name: ["mine"]}), settings=hub.settings)


def test_our_columns_are_known_again_after_a_csv_file(hub, tmp_path) -> None:
    """What a round trip forgets is told from the values; only sound is lost."""
    heard = kn.audio(calls("s1", "gone", "broken"), settings=hub.settings, progress=False)
    heard.drop(columns="audio").to_csv(tmp_path / "calls.csv", index=False)
    again = pd.read_csv(tmp_path / "calls.csv", dtype={"session_id": str})
    hub.requests.clear()
    back = kn.audio(again, settings=hub.settings, progress=False)
    assert back["recording_status"].tolist() == ["downloaded", "missing", "corrupt"]
    assert [request.session_id for request in hub.requests.of("api")] == ["s1"]


def test_statuses_survive_concat_and_merge(hub) -> None:
    """Which lose the categorical dtype; every function gives it back."""
    one = kn.audio(calls("s1"), settings=hub.settings, progress=False)
    two = kn.recordings(calls("gone"), settings=hub.settings, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # pandas 2 about concat of columns that are all missing
        joined = pd.concat([one, two], ignore_index=True).astype({"recording_status": object})
    again = kn.audio(joined, settings=hub.settings, progress=False)
    assert again["recording_status"].tolist() == ["downloaded", "missing"]
    assert list(again["recording_status"].cat.categories) == STATUSES


def test_time_zone_and_locale_do_not_matter(hub, monkeypatch) -> None:
    """Expiry is UTC whatever the machine's zone."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    if hasattr(time, "tzset"):
        time.tzset()
    try:
        signed = kn.recordings(calls("s1"), settings=hub.settings, progress=False)
        left_s = (signed.loc[0, "recording_expires_at"] - pd.Timestamp.now(tz="UTC")).total_seconds()
        assert 290 < left_s <= 300
    finally:
        monkeypatch.undo()
        os.environ.pop("TZ", None)
        if hasattr(time, "tzset"):
            time.tzset()
