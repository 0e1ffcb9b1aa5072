"""From frame to frame: one row in, one row out, whatever the frame looks like."""

from __future__ import annotations

import inspect
import io
import os
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import kataven_notebook as kn
from kataven_notebook import demo

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.core

STATUSES = [str(each) for each in kn.Status]


@pytest.fixture(scope="module")
def sound() -> bytes:
    """A second of stereo noise as WAV."""
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(0).normal(0, 0.1, (8_000, 2)), 8_000, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def service(sound) -> Iterator[demo.Hub]:
    """One Hub for the module: a few sessions of every plain kind."""
    with demo.hub(sessions={}, limits=kn.Limits(per_minute=None, per_hour=None, per_day=None)) as running:
        for name in ("s1", "s2", "s3"):
            running.add(name, sound)
        running.add("gone", state="missing")
        running.add("later", state="pending")
        running.add("broken", b"<html>no sound</html>")
        yield running


@pytest.fixture
def hub(service) -> demo.Hub:
    """The module's Hub with an empty log and no faults."""
    service.requests.clear()
    service.faults.clear()
    return service


def calls(*ids: object, **columns: object) -> pd.DataFrame:
    """A frame of sessions."""
    return pd.DataFrame({"session_id": pd.Series(ids, dtype=object), **columns})


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


def test_calling_again_asks_for_what_is_left_alone(hub, sound) -> None:
    """Downloaded, missing and corrupt stay; pending is asked for again; refresh asks for all."""
    frame = kn.audio(calls("s1", "gone", "later", "broken"), settings=hub.settings, progress=False)
    first = frame.loc[0, "audio"]
    hub.requests.clear()
    again = kn.audio(frame, settings=hub.settings, progress=False)
    assert [request.session_id for request in hub.requests.of("api")] == ["later"]
    assert again.loc[0, "audio"] is first
    assert again["recording_status"].tolist() == frame["recording_status"].tolist()
    assert again.columns.tolist() == frame.columns.tolist()
    hub.requests.clear()
    fresh = kn.audio(again, settings=hub.settings, progress=False, refresh=True)
    assert hub.requests.count("api") == 4
    assert fresh.loc[0, "audio"] is not first


def test_a_live_url_in_the_frame_is_used(hub) -> None:
    """Signing first and downloading at once costs one request a recording, not two."""
    signed = kn.recordings(calls("s1", "s2"), settings=hub.settings, progress=False)
    heard = kn.audio(signed, settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded"] * 2
    assert hub.requests.count("api") == 2
    assert heard["recording_url"].tolist() == signed["recording_url"].tolist()


def test_a_url_that_has_died_in_the_frame_is_signed_again(hub) -> None:
    """Before it is used where its time is over, and the frame's URL is brought up to date."""
    signed = kn.recordings(calls("s1"), settings=hub.settings, progress=False)
    signed["recording_expires_at"] = pd.Timestamp.now(tz="UTC") - pd.Timedelta("1s")
    heard = kn.audio(signed, settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded"]
    assert hub.requests.count("api") == 2
    assert heard.loc[0, "recording_expires_at"] > pd.Timestamp.now(tz="UTC")


def test_recordings_never_downgrades_what_is_downloaded(hub) -> None:
    """Fetching a URL for sound that is here leaves its status and its sound."""
    heard = kn.audio(calls("s1", "s2"), settings=hub.settings, progress=False)
    hub.faults.add("s2", "api:server_error")
    signed = kn.recordings(heard, settings=hub.settings, progress=False)
    assert signed["recording_status"].tolist() == ["downloaded", "downloaded"]
    assert signed["recording_error"].isna().all()
    assert signed["audio"].tolist() == heard["audio"].tolist()


def test_an_id_in_many_rows_is_asked_for_once(hub) -> None:
    """All its rows share the outcome and the sound."""
    heard = kn.audio(calls("s1", "gone", "s1", "gone", "s1"), settings=hub.settings, progress=False)
    assert hub.requests.count("api") == 2
    assert heard["recording_status"].tolist() == ["downloaded", "missing", "downloaded", "missing", "downloaded"]
    assert heard.loc[0, "audio"] is heard.loc[4, "audio"]


INVALID = [
    None,
    float("nan"),
    pd.NA,
    "",
    "  ",
    17,
    1.5,
    b"s1",
    ["s1"],
    "a/b",
    "a\\b",
    "..",
    ".",
    "a\nb",
    "\x00",
    "x" * 513,
]


def test_ids_that_could_reach_another_route_are_never_sent(hub) -> None:
    """They are `invalid`, each with its reason, and the others are not touched."""
    heard = kn.audio(calls(*INVALID, "s1"), settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["invalid"] * len(INVALID) + ["downloaded"]
    assert heard["recording_error"].notna().tolist() == [True] * len(INVALID) + [False]
    assert [request.session_id for request in hub.requests.of("api")] == ["s1"]


ODD = ["a b", "a%2Fb", "ä", "a?b#c", "a&b=c", "<script>", "日本", "a;b", "%", "..a", "x" * 512]


def test_odd_ids_are_one_path_segment(hub, sound) -> None:
    """Everything else is percent-encoded whole and reaches the session it names."""
    for name in ODD:
        hub.add(name, sound)
    heard = kn.audio(calls(*ODD), settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded"] * len(ODD)
    assert sorted(request.session_id for request in hub.requests.of("api")) == sorted(ODD)


@pytest.mark.parametrize("values", [[1, 2], [1.0, 2.0], pd.to_datetime(["2026-01-01", "2026-01-02"])])
def test_a_column_of_numbers_is_one_error_beforehand(hub, values) -> None:
    """Leading zeros are gone by then; the error names the way to read the file."""
    with pytest.raises(kn.errors.FrameError, match=r'dtype=\{"session_id": str\}'):
        kn.audio(pd.DataFrame({"session_id": values}), settings=hub.settings)
    assert hub.requests.count("api") == 0


def test_the_session_column_may_have_any_name_or_be_the_index(hub) -> None:
    """A column, the index by its name, a level of a MultiIndex, a categorical, duplicate labels."""
    ids = ["s1", "gone"]
    for frame, name in (
        (pd.DataFrame({"call_id": ids}), "call_id"),
        (pd.DataFrame({"x": [1, 2]}, index=pd.Index(ids, name="call")), "call"),
        (pd.DataFrame({"x": [1, 2]}, index=pd.MultiIndex.from_arrays([[7, 7], ids], names=["day", "call"])), "call"),
        (pd.DataFrame({"session_id": pd.Categorical(ids)}), "session_id"),
        (pd.DataFrame({"session_id": ids}, index=[5, 5]), "session_id"),
        (pd.DataFrame({"session_id": pd.array(ids, dtype="string")}), "session_id"),
    ):
        heard = kn.audio(frame, session=name, settings=hub.settings, progress=False)
        pd.testing.assert_index_equal(heard.index, frame.index)
        assert heard["recording_status"].tolist() == ["downloaded", "missing"]


def test_a_session_column_that_is_not_there_is_named_with_those_that_are(hub) -> None:
    """So that the typo is seen at a glance."""
    with pytest.raises(kn.errors.FrameError, match=r"'session_id'.*'call_id', 'agent'"):
        kn.recordings(pd.DataFrame({"call_id": ["s1"], "agent": ["a"]}), settings=hub.settings)
    twice = pd.DataFrame([["s1", "s2"]], columns=["session_id", "session_id"])
    with pytest.raises(kn.errors.FrameError, match="2 columns named 'session_id'"):
        kn.recordings(twice, settings=hub.settings)
    wide = pd.DataFrame([["s1"]], columns=pd.MultiIndex.from_tuples([("a", "session_id")]))
    with pytest.raises(kn.errors.FrameError, match="MultiIndex"):
        kn.recordings(wide, settings=hub.settings)
    with pytest.raises(kn.errors.FrameError, match="not list"):
        kn.recordings(["s1"], settings=hub.settings)


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


def test_a_store_keeps_what_a_new_frame_finds_again(hub, tmp_path, sound) -> None:
    """Files are read when asked, and the second frame needs no API."""
    folder = tmp_path / "calls"
    first = kn.audio(calls("s1", "s2", "gone"), store=folder, settings=hub.settings, progress=False)
    assert first.loc[0, "audio"].path.is_file()
    hub.requests.clear()
    second = kn.audio(calls("gone", "s2", "s1"), store=folder, settings=hub.settings, progress=False)
    assert second["recording_status"].tolist() == ["missing", "downloaded", "downloaded"]
    assert second.loc[2, "audio"].encoded() == sound
    assert hub.requests.count("api") == 0
    first.loc[0, "audio"].path.unlink()
    third = kn.audio(calls("s1"), store=folder, settings=hub.settings, progress=False)
    assert third["recording_status"].tolist() == ["downloaded"]
    assert hub.requests.count("api") == 1


def test_errors_raise_raises_the_first_failure(hub) -> None:
    """As the exception of its kind, with the session in its text."""
    with pytest.raises(kn.errors.RecordingMissing, match="'gone'"):
        kn.audio(calls("gone"), errors="raise", settings=hub.settings, progress=False)
    with pytest.raises(kn.errors.InvalidSessionId):
        kn.audio(calls("a/b"), errors="raise", settings=hub.settings, progress=False)
    with pytest.raises(kn.errors.ConfigurationError, match="errors='ignore'"):
        kn.audio(calls("s1"), errors="ignore", settings=hub.settings)


@pytest.mark.parametrize(
    "option",
    [
        {"max_bytes": 0},
        {"in_flight": 0},
        {"verify": "maybe"},
        {"max_wait": "soon"},
        {"poll_pending": -1},
        {"settings": 1},
    ],
)
def test_options_that_cannot_work_are_errors_before_any_request(hub, option) -> None:
    """Each names itself."""
    with pytest.raises(kn.errors.ConfigurationError, match=next(iter(option))):
        kn.audio(calls("s1"), **{"settings": hub.settings, **option})
    assert hub.requests.count("api") == 0


def test_too_large_is_found_before_it_is_downloaded(hub, sound) -> None:
    """The row says which limit."""
    heard = kn.audio(calls("s1"), max_bytes=1_000, settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["too_large"]
    assert "max_bytes=1,000" in heard.loc[0, "recording_error"]


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


def test_sound_that_will_not_fit_is_warned_of_in_time(hub, monkeypatch) -> None:
    """Before it fills the memory, with the way out; with a store there is nothing to warn of."""

    class Memory:
        available = 40_000

    monkeypatch.setattr("kataven_notebook.run.supervise.psutil.virtual_memory", Memory)
    frame = calls("s1", "s2", "s3")
    with pytest.warns(UserWarning, match='store="calls/"'):
        kn.audio(frame, settings=hub.settings, progress=False)


def test_a_frame_whose_statuses_are_known_costs_no_request(hub) -> None:
    """However long it is: the rows come back as they were."""
    ids = pd.array([f"x{n}" for n in range(20_000)], dtype="string")
    frame = pd.DataFrame({"session_id": ids, "recording_status": "missing", "recording_error": "none there"})
    heard = kn.audio(frame, settings=hub.settings, progress=False)
    assert heard["recording_status"].eq("missing").all()
    assert heard["recording_error"].eq("none there").all()
    assert hub.requests.count() == 0


def test_the_accessor_is_the_same_function() -> None:
    """Same signature but the frame, same docstring, no state."""
    frame = calls("s1")
    for name in ("recordings", "audio", "summary", "metrics", "turns", "moments", "compare_groups", "apply", "player",
                 "iter_recordings", "to_audiofolder"):  # fmt: skip
        function, method = getattr(kn, name), getattr(frame.kataven, name)
        assert list(inspect.signature(method).parameters) == list(inspect.signature(function).parameters)[1:], name
        assert inspect.getdoc(method) == inspect.getdoc(function)
    assert vars(frame.kataven) == {"_frame": frame}


def test_the_accessor_validates_when_it_is_used(hub) -> None:
    """A frame that loses its column is refused then, not by a cached accessor."""
    frame = calls("s1", extra=[1])
    assert frame.kataven.recordings(settings=hub.settings, progress=False)["recording_status"].tolist() == ["ready"]
    frame = frame.drop(columns="session_id")
    with pytest.raises(kn.errors.FrameError):
        frame.kataven.recordings(settings=hub.settings)


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
