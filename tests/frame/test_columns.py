"""The columns that the package adds: names, dtypes, and whose they are."""

from __future__ import annotations

import os
import time
import warnings

import pandas as pd
import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook.frame.columns import times_s

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
        assert heard["audio"].dtype == "recording"
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


HALF = "caf\udce9"  # half a character, as `errors="surrogateescape"` makes of bytes that are no text


def test_half_a_character_costs_its_row_alone(hub) -> None:
    """In an id, in what a function raises, and in what it returns, as a column, an object and a table."""

    def raising(_: kn.Recording) -> None:
        raise ValueError(HALF)

    frame = calls("s1", HALF)
    heard = kn.audio(frame, settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded", "invalid"]
    raised = kn.apply(heard, raising, progress=False)
    assert raised["apply_error"].str.startswith("ValueError: caf").tolist()[0]
    texts = kn.apply(heard, lambda _: {"text": HALF}, columns={"text": str}, progress=False)
    assert texts["text"].tolist()[0] == "caf\\udce9"
    objects = kn.apply(heard, lambda _: HALF, result="object", columns="found", progress=False)
    assert objects["found"].tolist()[0] == HALF
    with pytest.warns(UserWarning, match="1 of 2 sessions are not in the table"):
        table = kn.apply(
            heard, lambda _: pd.DataFrame({"word": pd.Series([HALF], dtype=object)}), result="table", progress=False
        )
    assert table["session_id"].tolist() == ["s1"]
    own = calls(HALF, audio=[heard["audio"].tolist()[0]])
    table = kn.apply(own, lambda _: pd.DataFrame({"n": [1]}), result="table", progress=False)
    assert table["session_id"].tolist() == ["caf\\udce9"]
    counts = kn.summary(heard.assign(recording_status=pd.Series([HALF, "missing"], dtype=object)))
    assert counts["recording_status"].tolist() == ["missing"]


@pytest.mark.parametrize(
    "columns",
    [
        {"duration_s": [9.0, 9.0]},
        {"recording_error": ["mine", "mine too"]},
        {"recording_bytes": [1, 2], "recording_status": ["downloaded", "missing"]},
    ],
)
def test_a_note_that_travelled_with_a_subset_makes_no_column_ours(hub, columns) -> None:
    """`attrs` go with every subset; what the caller then writes under our names is the caller's."""
    heard = kn.audio(calls("s1", "gone"), settings=hub.settings, progress=False)
    subset = heard[["session_id"]].assign(**columns)
    assert "duration_s" in subset.attrs["kataven_notebook"]
    with pytest.raises(kn.errors.FrameError, match="prefix="):
        kn.audio(subset, settings=hub.settings, progress=False)


def test_a_callers_own_value_beside_our_sound_is_the_callers(hub) -> None:
    """The recording itself says how long it is; a reason on a row that is well is none of ours."""
    heard = kn.audio(calls("s1", "gone"), settings=hub.settings, progress=False)
    for changed in ({"duration_s": [9.0, None]}, {"recording_error": ["listened to", "no recording"]}):
        with pytest.raises(kn.errors.FrameError, match=f"'{next(iter(changed))}'"):
            kn.audio(heard.assign(**changed), settings=hub.settings, progress=False)


@pytest.mark.parametrize("travel", ["same", "attrs", "parquet", "concat", "reindex", "drop", "merge"])
def test_our_own_columns_are_known_again_without_a_note(hub, tmp_path, travel) -> None:
    """Through a file, a merge, a concat and a subset; and calling again works."""
    heard = kn.audio(calls("s1", "gone"), settings=hub.settings, progress=False)
    heard = kn.recordings(heard, settings=hub.settings, progress=False)
    frame = heard.copy()
    frame.attrs = {}
    if travel == "same":
        frame = heard
    elif travel == "parquet":
        frame.drop(columns="audio").to_parquet(tmp_path / "calls.parquet")
        frame = pd.read_parquet(tmp_path / "calls.parquet")
    elif travel == "concat":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            frame = pd.concat([frame, calls("s2")], ignore_index=True)
    elif travel == "reindex":
        frame = frame.reindex([1, 0, 2]).fillna({"session_id": "s3"})
    elif travel == "drop":
        frame = frame.drop(columns=["recording_format", "recording_bytes"])
    elif travel == "merge":
        frame = frame.merge(pd.DataFrame({"session_id": ["s1", "gone"], "agent": ["a", "b"]}), on="session_id")
    again = kn.audio(frame, settings=hub.settings, progress=False)
    expected = {"concat": ["downloaded", "missing", "downloaded"], "reindex": ["missing", "downloaded", "downloaded"]}
    assert again["recording_status"].tolist() == expected.get(travel, ["downloaded", "missing"])


@pytest.mark.parametrize("run", ["metrics", "apply"])
def test_a_status_that_changed_since_makes_none_of_our_columns_the_callers(hub, run) -> None:
    """A run without sound changes the status alone: what `audio` said of the sound stays beside it."""
    options = {"settings": hub.settings, "progress": False}
    numbers = {"agent_channel": 0, **options}
    heard = kn.audio(calls("s1", "s2", "gone"), **options).drop(columns="audio")
    hub.faults.add("s2", "storage:denied")
    failed = kn.metrics(heard, **numbers) if run == "metrics" else kn.apply(heard, lambda _: 1, **options)
    assert failed["recording_status"].tolist() == ["downloaded", "failed", "missing"]
    assert failed["sample_rate"].tolist()[1] == 8_000
    hub.faults.clear()
    failed.attrs = {}
    for again, more in ((kn.audio, options), (kn.recordings, options), (kn.metrics, numbers)):
        assert again(failed, **more)["recording_status"].tolist()[1] in ("downloaded", "ready")


@pytest.mark.parametrize(
    ("name", "kept"), [("speech_s", None), ("duration_s", None), ("speech_method", ["session_id", "recording_status"])]
)
def test_a_callers_words_under_the_name_of_a_number_are_the_callers(hub, name, kept) -> None:
    """So is one column of that name alone, beside our status."""
    options = {"agent_channel": 0, "settings": hub.settings, "progress": False}
    measured = kn.metrics(calls("s1", "gone"), **options)
    mine = (measured if kept is None else measured[kept]).assign(**{name: ["long", "short"]})
    with pytest.raises(kn.errors.FrameError, match=f"'{name}'"):
        kn.metrics(mine, **options)
    again = kn.metrics(measured.drop(columns="speech_method"), **options)
    assert again["recording_status"].tolist() == ["downloaded", "missing"]


def test_many_new_columns_come_at_once(hub) -> None:
    """Pandas warns of frames whose columns came one by one."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wide = kn.apply(
            calls("s1"),
            lambda _: {f"n{number}": number for number in range(150)},
            settings=hub.settings,
            progress=False,
        )
    assert wide["n149"].tolist() == [149]
    assert not wide.columns.names[0]


def test_times_of_several_precisions_are_all_read() -> None:
    """As they come from files, from the service and from frames put together."""
    instant = 1_790_000_000.0
    texts = ["2026-09-21T14:13:20Z", "2026-09-21T14:13:20.000000+00:00", "2026-09-21 16:13:20+02:00", None]
    assert times_s(pd.DataFrame({"at": texts}), "at") == [instant, instant, instant, None]
    stamp = pd.Timestamp(instant, unit="s", tz="UTC")
    objects = pd.Series([stamp.as_unit("ns"), stamp.as_unit("s"), texts[0]], dtype=object)
    assert times_s(pd.DataFrame({"at": objects}), "at") == [instant] * 3
    for unit in ("s", "ms", "us", "ns"):
        assert times_s(pd.DataFrame({"at": pd.Series([stamp]).dt.as_unit(unit)}), "at") == [instant]


def test_what_a_subclass_keeps_beside_its_columns_stays(hub) -> None:
    """Such as the name of a column of geometry."""

    class Named(pd.DataFrame):
        _metadata = ("owner",)

        @property
        def _constructor(self) -> type[Named]:
            return Named

    frame = Named(calls("s1"))
    frame.owner = "me"
    heard = kn.audio(frame, settings=hub.settings, progress=False)
    assert isinstance(heard, Named)
    assert heard.owner == "me"
