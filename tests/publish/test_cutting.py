"""Moments become recordings of their own: the right part of the right call, or a sentence why not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tones import RATE

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.desk.sources import source_of
from kataven_notebook.sound import decode

pytestmark = pytest.mark.core


def moments(*rows: tuple, **columns: Any) -> pd.DataFrame:
    """Session, start and end of each row."""
    return pd.DataFrame(rows, columns=["session_id", "start_s", "end_s"]).assign(**columns)


def cut(frame: pd.DataFrame, *args: Any, **options: Any) -> pd.DataFrame:
    """The clips of a frame, without a progress bar."""
    return kn.clips(frame, *args, **{"progress": False, **options})


def is_part(clip: pd.Series, calls: pd.DataFrame) -> bool:
    """Whether a clip has the samples of its call at the place that it states, and its length."""
    whole = calls.set_index("session_id")["audio"][clip["session_id"]].samples
    first, last = (round(clip[name] * RATE) for name in ("clip_start_s", "clip_end_s"))
    return np.array_equal(clip["audio"].samples, whole[first:last])


def test_each_moment_is_cut_out_of_its_call(calls) -> None:
    """In the order of the moments, with a second around, clipped at the ends, and where it comes from."""
    frame = moments(("b", 2.0, 3.0), ("a", 0.5, 1.5), ("b", 9.5, 9.75), ("b", 2.0, 3.0), kind=list("wxyz"))
    frame.index = [7, 7, 3, 1]
    before = frame.copy(deep=True)
    found = cut(frame, calls)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(found[list(frame.columns)], frame)
    assert found[["clip_start_s", "clip_end_s"]].to_numpy().tolist() == [[1, 4], [0, 2.5], [8.5, 10], [1, 4]]
    assert all(is_part(clip, calls) for _, clip in found.iterrows())
    assert {(each.format, each.codec, each.is_derived) for each in found["audio"]} == {("flac", "pcm_16", True)}
    assert [each.session_id for each in found["audio"]] == ["b", "a", "b", "b"]
    assert found["recording_status"].tolist() == ["downloaded"] * 4
    assert found["recording_error"].isna().all()
    assert found["clip_id"].is_unique
    bound = frame.kataven.clips(calls, progress=False)
    pd.testing.assert_frame_equal(bound.drop(columns="audio"), found.drop(columns="audio"))


@pytest.mark.parametrize("pad_s", [0, 0.25, 2, math.inf])
def test_the_pad_is_what_is_asked_for(calls, pad_s) -> None:
    """Up to the whole call."""
    found = cut(moments(("a", 4.0, 5.0)), calls, pad_s=pad_s).iloc[0]
    assert found["clip_start_s"] == max(0.0, 4.0 - pad_s)
    assert found["clip_end_s"] == min(10.0, 5.0 + pad_s)
    assert is_part(found, calls)


@pytest.mark.parametrize("pad_s", [-1, math.nan, "1", None, True])
def test_a_pad_that_is_none_is_refused(calls, pad_s) -> None:
    """Before anything is fetched."""
    with pytest.raises(errors.ConfigurationError, match="pad_s="):
        cut(moments(("a", 4.0, 5.0)), calls, pad_s=pad_s)


def test_sound_comes_from_a_store_or_is_fetched_and_dropped(hub, ramps, calls, tmp_path) -> None:
    """A call for two moments is asked for once, a stored one not at all, and one in the frame neither."""
    frame = moments(("b", 2.0, 3.0), ("a", 0.5, 1.5), ("b", 5.0, 6.0))
    options = {"settings": hub.settings}
    expected = cut(frame, calls)
    hub.requests.clear()
    cut(frame, calls, **options)
    assert hub.requests.count("api") == 0
    fetched = cut(frame, **options)
    assert hub.requests.count("api") == 2
    for store in (tmp_path / "folder", (tmp_path / "bucket").as_uri()):
        hub.requests.clear()
        stored = [cut(frame, store=store, **options), cut(frame, calls.iloc[:1], store=store, **options)]
        assert hub.requests.count("api") == 2
        for each in (fetched, *stored):
            pd.testing.assert_frame_equal(each.drop(columns="audio"), expected.drop(columns="audio"))
            for ours, theirs in zip(each["audio"], expected["audio"], strict=True):
                assert ours.encoded() == theirs.encoded()


def test_moments_that_have_their_calls_sound_need_no_other_frame(calls) -> None:
    """After a merge; what describes the call's sound then describes the clip, and its URL is gone."""
    audible = calls.assign(recording_status="downloaded", duration_s=10.0, recording_url="https://a/?X-Amz-Signature=1")
    frame = moments(("b", 2.0, 3.0), ("a", 0.5, 1.5)).merge(audible, on="session_id")
    found = cut(frame)
    assert all(is_part(clip, calls) for _, clip in found.iterrows())
    assert found["duration_s"].tolist() == [3.0, 2.5]
    assert "recording_url" not in found.columns


def test_clips_may_be_cut_again(calls) -> None:
    """Of the calls, and never of the clips: with another pad, or to go on."""
    found = cut(moments(("b", 2.0, 3.0), ("a", 0.5, 1.5)), calls)
    again = cut(found, calls, pad_s=2.0)
    assert again["clip_id"].tolist() == found["clip_id"].tolist()
    assert again["clip_end_s"].tolist() == [5.0, 3.5]
    assert all(is_part(clip, calls) for _, clip in again.iterrows())
    settings = kn.Settings(base_url="http://127.0.0.1:9/v1", api_key="sk_live_acme_key", request_timeout_s=0.5)
    alone = cut(found, settings=settings, max_wait=0)
    assert alone["audio"].isna().all(), "there is no call here of which it could be a part"


def test_each_row_without_a_clip_says_why(hub, calls) -> None:
    """Beside those that have one, whatever is wrong with the call or with the row."""
    frame = moments(
        ("a", 1.0, 2.0),
        ("gone", 1.0, 2.0),
        ("broken", 1.0, 2.0),
        (None, 1.0, 2.0),
        ("a/b", 1.0, 2.0),
        ("a", None, 2.0),
        ("a", 20.0, 21.0),
        ("a", 9.9, None),
        ("b", -5.0, -4.0),
    )
    found = cut(frame, settings=hub.settings)
    states = ["downloaded", "missing", "corrupt", "invalid", "invalid", "missing", "missing", "downloaded", "missing"]
    assert found["recording_status"].tolist() == states
    assert found["audio"].notna().tolist() == [each == "downloaded" for each in states]
    assert found["recording_error"].notna().tolist() == [each != "downloaded" for each in states]
    assert found["recording_error"][5] == "the row has no start_s: there is no clip of it"
    assert found["recording_error"][6] == "nothing of 19.0 to 22.0 s lies in the call, which is 10.0 s long"
    assert found["clip_start_s"].isna().tolist() == [each != "downloaded" for each in states]
    assert found["clip_id"].notna().all()
    assert found["clip_id"].is_unique
    assert "pass pad_s=" in cut(frame.iloc[[7]], calls, pad_s=0)["recording_error"].iloc[0]
    assert kn.summary(found)["rows"].sum() == len(frame)


def test_calls_that_lack_a_session_are_said(calls) -> None:
    """In its row; where they lack all, a warning too, since ids may be written otherwise."""
    found = cut(moments(("a", 1.0, 2.0), ("z", 1.0, 2.0)), calls)
    assert found["recording_status"].tolist() == ["downloaded", "skipped"]
    assert found["recording_error"][1] == "calls= has no row of this session: add it, or pass store="
    with pytest.warns(UserWarning, match="calls= has none of the sessions"):
        assert cut(moments(("A", 1.0, 2.0)), calls)["audio"].isna().all()


def test_a_call_of_which_there_is_a_url_alone_has_no_clip(calls) -> None:
    """Its row says so, and not that all is well."""
    given = calls.assign(recording_status=["downloaded", "ready", "pending"], audio=[calls["audio"][0], None, None])
    found = cut(moments(("a", 1.0, 2.0), ("b", 1.0, 2.0), ("c", 1.0, 2.0)), given)
    assert found["recording_status"].tolist() == ["downloaded", "skipped", "pending"]
    assert found["recording_error"][1] == "there is no sound in the audio column: call audio()"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("moments.csv", "a DataFrame"),
        (pd.DataFrame({"session_id": ["a"]}), "moments= lacks the column"),
        (pd.DataFrame({"id": ["a"], "start_s": [1.0]}), "no column and no index level 'session_id'"),
        (pd.DataFrame({"session_id": ["a"], "start_s": ["soon"]}), "moments= has 'soon' in 'start_s', row 0"),
        (pd.DataFrame({"session_id": [7], "start_s": [1.0]}), "session ids are text"),
        (pd.DataFrame({"session_id": ["a"], "start_s": [1.0], "clip_id": ["mine"]}), "a column 'clip_id', which"),
        (pd.DataFrame({"session_id": ["a"], "start_s": [1.0], "audio": ["mine"]}), "'audio'"),
    ],
)
def test_tables_that_are_none_are_refused_in_words(calls, table, said) -> None:
    """Nothing of the caller's is overwritten either."""
    with pytest.raises(errors.FrameError, match=said):
        kn.clips(table, calls, progress=False)
    with pytest.raises(errors.FrameError, match="a DataFrame"):
        cut(moments(("a", 1.0, 2.0)), "calls.csv")


def test_no_moments_give_the_same_columns_and_dtypes(calls) -> None:
    """So that clips of any number can be joined."""
    full = cut(moments(("a", 1.0, 2.0), kind="x"), calls)
    none = cut(moments(("a", 1.0, 2.0), kind="x").iloc[:0], calls)
    assert none.dtypes.to_dict() == full.dtypes.to_dict()
    assert len(none) == 0
    assert len(cut(moments(("a", 1.0, 2.0)).iloc[:0])) == 0


def test_names_of_columns_are_what_the_caller_says(calls) -> None:
    """Session column, prefix and an index that holds the ids."""
    frame = moments(("b", 2.0, 3.0), ("a", 0.5, 1.5)).rename(columns={"session_id": "call"})
    mine = calls.rename(columns={"session_id": "call", "audio": "kv_audio"})
    found = cut(frame.assign(audio="a note"), mine, session="call", prefix="kv_")
    assert found["audio"].tolist() == ["a note"] * 2
    assert found["kv_clip_id"].is_unique
    assert [each.duration_s for each in found["kv_audio"]] == [3.0, 2.5]
    inside = cut(frame.set_index("call"), mine.set_index("call"), session="call", prefix="kv_")
    assert inside.index.tolist() == ["b", "a"]
    assert inside["kv_clip_id"].tolist() == found["kv_clip_id"].tolist()


def test_clips_are_named_by_their_moments(calls) -> None:
    """And marks of one's own by session and place, the same each time; the second of two that are alike differs."""
    named = moments(("a", 1.0, 2.0), ("a", 4.0, 5.0), ("a", 6.0, 7.0), moment_id=["m1", "m1", None])
    found = cut(named, calls)["clip_id"].tolist()
    assert found[:2] == ["m1", "m1-2"]
    marks = moments(("a", 1.0, 2.0), ("a", 1.0, 2.0), ("a", 1.0, 2.5), ("b", 1.0, 2.0), label=["x", "y", "x", "x"])
    first = cut(marks, calls)["clip_id"]
    assert first.is_unique
    assert cut(marks.iloc[::-1], calls)["clip_id"].tolist() == first.tolist()[::-1]
    words = pd.DataFrame({"session_id": ["a"], "start_s": [1.0], "word": ["refund"]})
    clip = cut(words, calls).iloc[0]
    assert (clip["clip_start_s"], clip["clip_end_s"]) == (0.0, 2.0)


def test_nothing_that_is_taken_out_is_in_a_clip(calls, hub) -> None:
    """Of one channel or of all, wherever the clip begins; others are as they were."""
    frame = moments(("a", 2.0, 3.0), ("a", 4.5, 5.0), ("b", 2.0, 3.0))
    quiet = pd.DataFrame(
        {
            "session_id": ["a", "a", "z"],
            "start_s": [0.5, 5.5, 1.0],
            "end_s": [1.5, 9.0, 2.0],
            "channel": pd.array([None, 1, None], dtype="Int64"),
        }
    )
    for options in ({"calls": calls}, {"settings": hub.settings}):
        found = cut(frame, silence=quiet[quiet["session_id"] == "a"], **options)
        first, second, third = (each.samples for each in found["audio"])
        assert not first[: RATE // 2].any(), "1.0 to 1.5 s"
        assert first[RATE:].all()
        assert not second[2 * RATE :, 1].any(), "5.5 to 6.0 s"
        assert second[2 * RATE :, 0].all()
        assert np.array_equal(third, cut(frame, **options)["audio"][2].samples)
    with pytest.warns(UserWarning, match="silence= names no session of these moments"):
        cut(frame, calls, silence=quiet.iloc[[2]])
    with pytest.warns(UserWarning, match="silence= names 1 session that the frame does not have, such as 'z'"):
        cut(frame, calls, silence=quiet)
    cut(frame[:1], calls, silence=quiet.replace("z", "b"))
    quiet = quiet[quiet["session_id"] == "a"]
    found = cut(frame, calls, silence=quiet.assign(start_s=500.0, end_s=900.0))
    assert found["recording_status"].tolist() == ["failed", "failed", "downloaded"]
    assert "lies outside of the recording" in found["recording_error"][0]
    with pytest.raises(errors.FrameError, match="silence= has no start_s"):
        cut(frame, calls, silence=quiet.assign(end_s=0.0))


def test_no_second_of_a_call_is_decoded_twice(calls, monkeypatch) -> None:
    """However many moments lie there."""
    read: list[tuple[int, int]] = []
    true = decode.read_part

    def counted(source, info, first, last, **options):
        read.append((first, last))
        return true(source, info, first, last, **options)

    monkeypatch.setattr(decode, "read_part", counted)
    cut(moments(*[("a", at / 10, at / 10 + 1) for at in range(50)]), calls)
    assert read == [(0, round(6.9 * RATE))]


def test_what_is_finished_is_kept_when_somebody_presses_stop(calls, monkeypatch) -> None:
    """The frame comes with the exception, each row with its clip or its reason."""
    from kataven_notebook.publish import cutting  # noqa: PLC0415 - to be broken

    true = cutting._cut

    def stops(silences, recording, row):
        if row["session_id"] == "b":
            raise KeyboardInterrupt
        return true(silences, recording, row)

    monkeypatch.setattr(cutting, "_cut", stops)
    frame = moments(("a", 1.0, 2.0), ("b", 1.0, 2.0), ("b", 4.0, 5.0))
    with pytest.raises(errors.Interrupted) as caught:
        cut(frame, calls)
    found = caught.value.frame
    assert found["clip_id"].is_unique
    assert found["recording_status"].tolist()[1:] == ["skipped", "skipped"]


def test_clips_go_on_to_the_player_and_to_files(calls, tmp_path) -> None:
    """Each under its own name, and never into a store as a call."""
    found = cut(moments(("b", 2.0, 3.0), ("b", 5.0, 6.0), ("a", 0.5, 1.5), moment_id=["m1", "m2", "m3"]), calls)
    store = tmp_path / "calls"
    settings = kn.Settings(api_key="sk_live_acme_key")
    folder = kn.to_audiofolder(
        found, tmp_path / "clips", session="clip_id", store=store, settings=settings, progress=False
    )
    assert sorted(each.name for each in (folder / "audio").iterdir()) == ["m1.flac", "m2.flac", "m3.flac"]
    back = kn.read_audiofolder(folder)
    assert back[["clip_id", "session_id", "clip_start_s"]].to_numpy().tolist() == [
        ["m1", "b", 1.0],
        ["m2", "b", 4.0],
        ["m3", "a", 0.0],
    ]
    assert len(kn.Store(store).to_frame()) == 0
    saved = kn.Recording.from_file(found["audio"].iloc[0].save(tmp_path / "m1.wav"))
    assert np.array_equal(saved.samples, found["audio"].iloc[0].samples)
    desk = kn.player(found, session="clip_id", settings=settings)
    assert repr(desk) == "<Player of 3 calls, 'm1' is open>"


def test_clips_are_never_taken_for_their_calls(calls, hub, tmp_path) -> None:
    """No clip stands for another of its call, the call for none, and no time of a call for one of a clip."""
    quiet = pd.DataFrame({"session_id": ["a", "b"], "start_s": [2.0, 500.0], "end_s": [3.0, 900.0]})
    found = cut(moments(("a", 2.0, 3.0), ("a", 5.0, 6.0), ("b", 2.0, 3.0)), calls, silence=quiet)
    assert found["recording_status"].tolist() == ["downloaded", "downloaded", "failed"]
    options = {"settings": hub.settings, "progress": False}
    hub.requests.clear()
    for frame in (found, found.set_index("clip_id")):
        for ways in (
            lambda: kn.to_audiofolder(frame, tmp_path / "out", **options),  # noqa: B023 - called at once
            lambda: kn.to_audiofolder(frame, tmp_path / "out", silence=quiet, **options),  # noqa: B023 - the same
            lambda: kn.metrics(frame, **options),  # noqa: B023 - the same
            lambda: kn.player(frame, settings=hub.settings),  # noqa: B023 - the same
            lambda: cut(moments(("a", 2.0, 3.0)), frame),  # noqa: B023 - the same
        ):
            with pytest.raises(errors.FrameError, match=r"holds clips, and 'session_id' names .* session='clip_id'"):
                ways()
    assert hub.requests.count() == 0
    of_clips = pd.DataFrame({"clip_id": found["clip_id"], "start_s": 2.0, "end_s": 3.0})
    with pytest.raises(errors.FrameError, match=r"pass silence= to clips\(\)"):
        kn.to_audiofolder(found, tmp_path / "out", silence=of_clips, session="clip_id", **options)


def test_nobody_is_asked_for_a_clip_by_its_name(hub, tmp_path) -> None:
    """Neither the service nor a store knows it: what could not be cut stays as it is."""
    frame = moments(("a", 2.0, 3.0), ("broken", 2.0, 3.0), moment_id=["m1", "m2"])
    found = cut(frame, settings=hub.settings).assign(recording_status=["downloaded", "failed"])
    hub.requests.clear()
    options = {"session": "clip_id", "settings": hub.settings, "store": tmp_path / "calls"}
    with pytest.warns(UserWarning, match="1 of 2 sessions"):
        kn.to_audiofolder(found, tmp_path / "clips", progress=False, **options)
    lengths = kn.apply(found, lambda recording: recording.duration_s, columns="s", progress=False, **options)
    assert lengths["s"].tolist()[0] == 3.0
    source = source_of(found, session="clip_id", prefix="", store=tmp_path / "calls", settings=hub.settings)
    assert source.sound("m1") is not None
    with pytest.raises(errors.UrlExpired, match="no sound and no signed URL"):
        source.signed_url("m2", fresh=True)
    assert hub.requests.count("api") == 0
