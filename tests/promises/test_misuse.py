"""What can't work is one sentence beforehand, and what is known is never lost by a second call."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import kataven_notebook as kn
from kataven_notebook import demo
from kataven_notebook.frame.options import duration_s

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def service() -> Iterator[demo.Hub]:
    """One Hub with three sessions of a second of noise."""
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(0).normal(0, 0.1, (8_000, 2)), 8_000, format="WAV")
    sound = file.getvalue()
    with demo.hub(sessions={"s1": sound, "s2": sound, "s3": sound}, limits=kn.Limits(per_minute=None)) as running:
        yield running


@pytest.mark.parametrize(
    "use",
    [
        lambda path: kn.Settings(state_dir=path),
        kn.Recording.from_file,
        lambda path: kn.to_audiofolder(pd.DataFrame({"session_id": []}), path, progress=False),
        kn.read_audiofolder,
        lambda path: kn.to_rttm(pd.DataFrame(columns=["session_id", "channel", "start_s", "end_s"]), path),
        lambda path: kn.player(pd.DataFrame({"session_id": ["a"]}), save_to=path),
        lambda path: kn.report(pd.DataFrame({"session_id": ["a"]}), path),
    ],
)
@pytest.mark.parametrize(
    ("path", "says"), [("~nobody-here/x", "no such home folder"), ("a\0b", "a character that no path has")]
)
def test_a_path_that_is_none_is_one_sentence(use, path, says) -> None:
    """Wherever it is passed."""
    with pytest.raises(kn.errors.ConfigurationError, match=says):
        use(path)


@pytest.fixture
def hub(service) -> demo.Hub:
    """The module's Hub with an empty log and no faults."""
    service.requests.clear()
    service.faults.clear()
    return service


def calls(*ids: object, **columns: object) -> pd.DataFrame:
    """A frame of sessions."""
    return pd.DataFrame({"session_id": pd.Series(ids, dtype=object), **columns})


@pytest.mark.parametrize(
    "ids",
    [[7, 8], [7, None], [7.0, float("nan")], [True, False], [pd.Timestamp("2026-01-01")] * 2],
    ids=["whole numbers", "with a gap", "floats", "booleans", "times"],
)
@pytest.mark.parametrize("dtype", [object, "category"])
def test_a_column_of_numbers_is_one_error_whatever_its_dtype(hub, ids, dtype) -> None:
    """Objects and categories of numbers have lost their zeros as well as integers have."""
    frame = pd.DataFrame({"session_id": pd.Series(ids, dtype=object).astype(dtype)})
    with pytest.raises(kn.errors.FrameError, match="session ids are text"):
        kn.audio(frame, settings=hub.settings, progress=False)


def test_single_numbers_among_text_are_their_rows_own_trouble(hub) -> None:
    """And the row says what to do."""
    heard = kn.audio(calls("s1", 7, None), settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded", "invalid", "invalid"]
    assert heard.loc[1, "recording_error"].startswith("the session id is of type int, not text: it was not sent; ")
    assert "fill it in" in heard.loc[2, "recording_error"]


def test_dictionaries_of_arrow_are_text_too(hub) -> None:
    """As Parquet files give them back."""
    arrow = pytest.importorskip("pyarrow")
    dtype = pd.ArrowDtype(arrow.dictionary(arrow.int32(), arrow.string()))
    frame = pd.DataFrame({"session_id": pd.array(["s1", "s2", "s1"], dtype=dtype)})
    heard = kn.audio(frame, settings=hub.settings, progress=False)
    assert heard["recording_status"].eq("downloaded").all()
    assert hub.requests.count("api") == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_bytes": "5MB"}, "max_bytes='5MB': pass a whole number"),
        ({"max_bytes": None}, "max_bytes=None: pass a whole number"),
        ({"max_bytes": float("nan")}, "max_bytes=nan: pass a whole number"),
        ({"in_flight": 2.5}, "in_flight=2.5: pass a whole number"),
        ({"in_flight": "4"}, "in_flight='4': pass a whole number"),
        ({"poll_pending": []}, "poll_pending=.*: pass seconds"),
        ({"max_wait": "NaT"}, "max_wait='NaT': pass seconds"),
        ({"store": 5}, "store=5: pass a folder"),
        ({"store": b"calls"}, "store=b'calls': pass a folder"),
        ({"store": ""}, "store='': pass a folder"),
        ({"prefix": None}, "prefix=None: pass text"),
        ({"session": ["session_id"]}, "pass the name of one column"),
    ],
)
def test_an_option_that_cant_work_is_one_sentence(hub, options, message) -> None:
    """Before any request, and as an error of this package."""
    with pytest.raises(kn.errors.KatavenError, match=message):
        kn.audio(calls("s1"), progress=False, **({"settings": hub.settings} | options))
    assert hub.requests.count() == 0


def test_a_web_page_that_is_not_found_is_no_missing_recording(hub) -> None:
    """A base URL that leads to a web server would else give a final answer for every session."""
    page = b"<html><title>404 Not Found</title></html>"
    hub.faults.add("s1", "api:body", body=page, status=404, content_type="text/html")
    heard = kn.audio(calls("s1", "gone"), settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["failed", "missing"]
    assert "check KATAVEN_BASE_URL" in heard.loc[0, "recording_error"]


def test_a_summary_needs_a_frame() -> None:
    """And says whose."""
    with pytest.raises(kn.errors.FrameError, match="a DataFrame that audio"):
        kn.summary(None)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("60", 60.0),
        ("1.5", 1.5),
        (90, 90.0),
        (np.int64(3), 3.0),
        ("10min", 600.0),
        (pd.Timedelta("2s"), 2.0),
        (np.timedelta64(3, "m"), 180.0),
    ],
)
def test_a_length_of_time_without_a_unit_is_seconds(given, seconds) -> None:
    """As a command line gives it too; pandas would read nanoseconds."""
    assert duration_s("max_wait", given) == seconds


def test_the_row_that_knows_most_speaks_for_its_session(hub) -> None:
    """Wherever it stands: an older frame below new rows is not asked for again."""
    heard = kn.audio(calls("s1", "s2"), settings=hub.settings, progress=False)
    known = pd.concat([calls("s2", "s1"), heard], ignore_index=True)
    hub.requests.clear()
    again = kn.audio(known, settings=hub.settings, progress=False)
    assert again["recording_status"].eq("downloaded").all()
    assert again.loc[0, "audio"] is heard.loc[1, "audio"]
    assert hub.requests.count() == 0


def test_recordings_never_downgrades_even_where_the_service_lost_it(hub) -> None:
    """The sound is here, whatever the API says of it today."""
    heard = kn.audio(calls("s3"), settings=hub.settings, progress=False)
    hub.faults.add("s3", "api:missing")
    signed = kn.recordings(heard, refresh=True, settings=hub.settings, progress=False)
    assert signed["recording_status"].tolist() == ["downloaded"]
    assert signed["recording_error"].isna().all()


def test_a_frame_comes_back_from_a_text_file(hub) -> None:
    """With what `to_csv` writes of sound in the audio column: no sound, so it is fetched again."""
    text = io.StringIO()
    kn.audio(calls("s1", "s2"), settings=hub.settings, progress=False).to_csv(text, index=False)
    text.seek(0)
    heard = kn.audio(pd.read_csv(text, dtype={"session_id": str}), settings=hub.settings, progress=False)
    assert heard["recording_status"].eq("downloaded").all()
    assert all(isinstance(each, kn.Recording) for each in heard["audio"])


def test_columns_of_the_callers_stay_theirs_beside_ours(hub) -> None:
    """After `recordings` has written its own, a format and a length from elsewhere are still nobody else's."""
    frame = calls("s1", recording_format="telephone", duration_s=5.0)
    signed = kn.recordings(frame, settings=hub.settings, progress=False)
    with pytest.raises(kn.errors.FrameError, match=r"'recording_format'.*prefix="):
        kn.audio(signed, settings=hub.settings, progress=False)


def test_a_frame_of_metrics_comes_back_from_a_text_file(hub) -> None:
    """Its length in seconds is ours, too, though `audio` never was called."""
    text = io.StringIO()
    options = {"settings": hub.settings, "progress": False}
    measured = kn.metrics(calls("s1"), agent_channel=0, **options)
    measured.to_csv(text, index=False)
    for function, more in ((kn.metrics, {"agent_channel": 0}), (kn.audio, {})):
        text.seek(0)
        again = function(pd.read_csv(text, dtype={"session_id": str}), **more, **options)
        assert again["duration_s"].tolist() == measured["duration_s"].tolist()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"api_key": b"sk_live_acme_secret"}, "api_key= takes text, not bytes"),
        ({"account_id": 5}, "account_id= takes text, not int"),
        ({"base_url": "https://hub.test/v1\nx"}, "must look like"),
        ({"base_url": "https://hub test/v1"}, "must look like"),
        ({"request_timeout_s": "10"}, "positive number of seconds"),
        ({"state_dir": 5}, "state_dir=5: pass a folder"),
        ({"store": 5}, "store=5: pass a folder"),
    ],
)
def test_settings_of_the_wrong_kind_are_one_sentence(given, message) -> None:
    """Made by hand or by `configure`, which then has changed nothing; a key is not shown."""
    for make in (kn.Settings, kn.configure):
        with pytest.raises(kn.errors.ConfigurationError, match=message) as caught:
            make(**given)
        assert "secret" not in str(caught.value)


def test_a_windows_length_that_is_no_number_is_one_sentence() -> None:
    """As every other limit is."""
    with pytest.raises(kn.errors.ConfigurationError, match="minute_s='60': a window's length"):
        kn.Limits(minute_s="60")


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        ([0.0], 0, "sample_rate=0: pass a whole number"),
        ([0.0], -8_000, "sample_rate=-8000: pass"),
        ([0.0], 8_000.5, "sample_rate=8000.5: pass"),
        ([0.0], "8000", "sample_rate='8000': pass"),
        (np.zeros((2, 8_000)), 8_000, "8,000 channels are too many; .*samples.T"),
        (np.array([0, 12_000], dtype=np.int16), 8_000, "int16 are whole numbers .*divide 16-bit ones by 32768"),
    ],
)
def test_samples_that_cant_be_sound_are_refused(samples, rate, message) -> None:
    """In words, where libsndfile would name its own structures, or nothing at all."""
    with pytest.raises(ValueError, match=message):
        kn.Recording.from_samples(samples, rate)


def test_a_recording_is_made_of_bytes_and_resampled_to_whole_rates() -> None:
    """A number would be so many zero bytes, and half a frame a second would be dropped in silence."""
    with pytest.raises(TypeError, match="the bytes of a sound file, not int"):
        kn.Recording.from_bytes(5)
    tone = kn.Recording.from_samples([0, 1, 0, -1] * 2_000, np.int64(8_000))
    assert tone.samples.max() == 1.0
    with pytest.raises(ValueError, match=r"16000\.5"):
        tone.resample(16_000.5)


def test_an_empty_text_takes_a_setting_back(hub, monkeypatch) -> None:
    """So that an account can follow the demo Hub in one kernel."""
    monkeypatch.delenv("KATAVEN_BASE_URL", raising=False)
    before = kn.configure().base_url
    kn.configure(api_key=hub.api_key, base_url=hub.base_url, account_id="demo", store="calls/")
    back = kn.configure(base_url="", account_id="", store="")
    assert (back.base_url, back.account_id, back.store) == (before, None, None)


def test_the_error_names_the_levels_of_the_index_too(hub) -> None:
    """Where the ids stand under another name there."""
    frame = pd.DataFrame({"agent": ["clinic"]}, index=pd.Index(["s1"], name="call_id"))
    with pytest.raises(kn.errors.FrameError, match="columns: 'agent'; or of the index: 'call_id'"):
        kn.audio(frame, settings=hub.settings, progress=False)
    heard = kn.audio(frame, session="call_id", settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded"]


def test_a_demo_session_is_made_of_bytes() -> None:
    """Not of text, of which nobody says how it is encoded."""
    with pytest.raises(TypeError, match="session 's1': a recording is its file's bytes, not str"):
        demo.hub(sessions={"s1": "RIFF"})
