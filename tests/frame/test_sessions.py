"""The session ids of a frame: where they are found, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from frames import calls

import kataven_notebook as kn

pytestmark = pytest.mark.core


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


def test_rows_without_an_id_have_nothing_in_common() -> None:
    """Each is measured by itself, and gets its own value."""
    sound = [kn.Recording.from_samples(np.zeros(frames), 8_000) for frames in (800, 1_600)]
    frame = pd.DataFrame({"session_id": [None, None, None], "audio": [*sound, None]})
    found = kn.apply(frame, lambda recording: recording.frames, columns={"n": "Int64"}, progress=False)
    assert found["n"].tolist() == [800, 1_600, pd.NA]
    assert found["recording_status"].tolist()[2] == "invalid"


def test_ids_that_look_like_numbers_read_from_a_file_are_warned_of_and_sent(hub, wav) -> None:
    """Ids are opaque: that most of them end in .0 proves nothing, and a few of them even less."""
    hub.add("100007.0", wav)
    with pytest.warns(UserWarning, match=r"most ids in 'session_id' end in '\.0'.*dtype=\{\"session_id\": str\}"):
        found = kn.audio(calls("100007.0", "100008.0"), settings=hub.settings, progress=False)
    assert found["recording_status"].tolist() == ["downloaded", "missing"]
    kn.audio(calls("100007.0", "s1", "s2"), settings=hub.settings, progress=False)


@pytest.mark.parametrize(
    ("values", "way"),
    [
        ([7, 8], r"no leading zeros, become text by \.astype\(str\)$"),
        ([7.0, 8.0], r'become text by \.astype\("Int64"\)\.astype\("string"\)$'),
        (pd.array([7, None], dtype="Int64"), r'become text by \.astype\("Int64"\)\.astype\("string"\)$'),
        (pd.Series([7, None], dtype=object), r'become text by \.astype\("Int64"\)\.astype\("string"\)$'),
        (pd.to_datetime(["2026-01-01"]), r"str\}$"),
    ],
)
def test_ids_of_a_database_are_told_how_to_become_text(hub, values, way) -> None:
    """And that way leads there: no '.0', no 'None'."""
    frame = pd.DataFrame({"session_id": values})
    with pytest.raises(kn.errors.FrameError, match=way) as caught:
        kn.audio(frame, settings=hub.settings)
    if "astype" in str(caught.value):
        made = eval("frame['session_id']" + str(caught.value).rpartition(" by ")[2], {"frame": frame})  # noqa: S307 - ours
        assert made.dropna().tolist() == [str(int(each)) for each in frame["session_id"].dropna()]


def test_files_in_the_place_of_recordings_or_of_ids_are_sent_to_from_files(hub, tmp_path) -> None:
    """By every function, before any request."""
    named = calls("s1", audio=["calls/a.wav"])
    for function in (kn.audio, kn.metrics, kn.turns):
        with pytest.raises(kn.errors.FrameError, match=r"column 'audio' names sound files.*from_files\(df\.rename"):
            function(named, settings=hub.settings)
    with pytest.raises(kn.errors.FrameError, match=r"files, such as 'calls/a\.wav': from_files\(df, path="):
        kn.metrics(calls("calls/a.wav", "calls/b.mp3", None), settings=hub.settings)
    (tmp_path / "here.wav").touch()
    with pytest.raises(kn.errors.FrameError, match=r"from_files\(df, path='session_id'\)"):
        kn.audio(calls(str(tmp_path / "here.wav")), settings=hub.settings)
    with pytest.raises(kn.errors.FrameError, match=r"'file' names sound files: from_files\(df, path='file'\)"):
        kn.metrics(pd.DataFrame({"file": ["a.wav"]}), settings=hub.settings)
    assert hub.requests.count() == 0


def test_ids_that_only_end_as_files_do_are_warned_of_and_sent(hub, sound) -> None:
    """Ids are opaque; sound that is here says that they are right."""
    hub.add("s1.wav", sound)
    with pytest.warns(UserWarning, match=r"end as names of sound files do, such as 's1\.wav'.*from_files"):
        heard = kn.audio(calls("s1.wav"), settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded"]
    kn.audio(heard, settings=hub.settings, progress=False)
