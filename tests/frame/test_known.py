"""What a frame and a store know already is not asked for again."""

from __future__ import annotations

import gc
import pickle
import uuid
import warnings
import weakref

import pandas as pd
import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook import Recording
from kataven_notebook.status import SETTLED, Status
from kataven_notebook.store.folder import Store

pytestmark = pytest.mark.core


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


@pytest.mark.parametrize("status", sorted(SETTLED))
def test_a_settled_status_is_kept_by_frame_and_store(hub, tmp_path, status) -> None:
    """Whichever statuses these are; `refresh` asks again."""
    frame = calls("s1")
    frame["recording_status"], frame["recording_error"] = status, "as it was"
    again = kn.audio(frame, settings=hub.settings, progress=False)
    Store(tmp_path).note("s1", status, "as it was")
    stored = kn.audio(calls("s1"), store=tmp_path, settings=hub.settings, progress=False)
    for kept in (again, stored):
        assert kept[["recording_status", "recording_error"]].to_numpy().tolist() == [[status, "as it was"]]
    assert hub.requests.count("api") == 0
    fresh = kn.audio(frame, settings=hub.settings, progress=False, refresh=True)
    assert fresh["recording_status"].tolist() == ["downloaded"]


@pytest.mark.parametrize("status", sorted({each for each in Status if not each.is_final} - {Status.READY}))
def test_any_other_status_is_asked_for_again(hub, tmp_path, status) -> None:
    """By frame and store: this is how one goes on."""
    frame = calls("s1")
    frame["recording_status"], frame["recording_error"] = status, "as it was"
    Store(tmp_path).note("s1", status, "as it was")
    for again in (
        kn.audio(frame, settings=hub.settings, progress=False),
        kn.audio(calls("s1"), store=tmp_path, settings=hub.settings, progress=False),
    ):
        assert again["recording_status"].tolist() == ["downloaded"]
        assert again["recording_error"].isna().all()
    assert hub.requests.count("api") == 2


def test_work_on_a_frame_with_sound_asks_for_nothing(hub) -> None:
    """Its `audio` column is all there is to work on; with a store, the rest is fetched."""
    frame = kn.audio(calls("s1", "s2"), settings=hub.settings, progress=False)
    frame.loc[1, ["audio", "recording_status"]] = [None, "failed"]
    hub.requests.clear()
    lengths = kn.apply(frame, lambda sound: sound.duration_s, columns="length_s", settings=hub.settings, progress=False)
    assert lengths["recording_status"].tolist() == ["downloaded", "failed"]
    assert lengths["length_s"].notna().tolist() == [True, False]
    assert hub.requests.count("api") == 0


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


def test_a_frame_whose_statuses_are_known_costs_no_request(hub) -> None:
    """However long it is: the rows come back as they were."""
    ids = pd.array([f"x{n}" for n in range(20_000)], dtype="string")
    frame = pd.DataFrame({"session_id": ids, "recording_status": "missing", "recording_error": "none there"})
    heard = kn.audio(frame, settings=hub.settings, progress=False)
    assert heard["recording_status"].eq("missing").all()
    assert heard["recording_error"].eq("none there").all()
    assert hub.requests.count() == 0


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest", "ftp://example.org/a.wav", "file:///etc/passwd", "s1"]
)
def test_an_address_that_the_service_could_not_have_given_is_not_fetched(hub, url) -> None:
    """Anybody may have written into the frame: the session is asked for anew."""
    frame = calls("s1", recording_url=[url], recording_expires_at=[pd.Timestamp.now(tz="UTC") + pd.Timedelta("1h")])
    frame["recording_status"] = "ready"
    signed = kn.recordings(frame, settings=hub.settings, progress=False)
    assert signed["recording_url"].str.startswith(hub.storage_url).all()
    heard = kn.audio(frame, settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded"]
    assert hub.requests.count("api") == 2


def test_what_is_known_to_be_wrong_is_raised_too(hub, tmp_path) -> None:
    """By the frame and by the store, for the first row that it is about, without asking again."""
    frame = calls("s1", "gone", "broken")
    known = kn.audio(frame, settings=hub.settings, store=tmp_path / "calls", progress=False)
    hub.requests.clear()
    for again, options in ((known, {}), (frame, {"store": tmp_path / "calls"})):
        with pytest.raises(kn.errors.RecordingMissing, match=r"session 'gone': .*refresh=True asks again"):
            kn.audio(again, settings=hub.settings, errors="raise", progress=False, **options)
        with pytest.raises(kn.errors.RecordingMissing):
            kn.metrics(again, settings=hub.settings, errors="raise", progress=False, **options)
    with pytest.raises(kn.errors.RecordingCorrupt):
        kn.audio(known.iloc[[0, 2]], settings=hub.settings, errors="raise", progress=False)
    assert hub.requests.count("api") == 0


STORES = ["folder", "bucket"]


def a_store(tmp_path, kind: str) -> str:
    """Return a place where no store is yet."""
    return str(tmp_path / "calls") if kind == "folder" else f"memory://{uuid.uuid4().hex}"


@pytest.mark.parametrize("kind", STORES)
def test_sound_of_the_frame_goes_into_the_store(hub, sound, tmp_path, kind) -> None:
    """As the memory warning advises: nothing is asked for again, by this kernel or the next, and memory is free."""
    place = a_store(tmp_path, kind)
    frame = kn.audio(calls("s1", "s2", "gone"), settings=hub.settings, progress=False)
    held = weakref.ref(frame.loc[0, "audio"])
    hub.requests.clear()
    frame = kn.audio(frame, store=place, settings=hub.settings, progress=False)
    assert frame["recording_status"].tolist() == ["downloaded", "downloaded", "missing"]
    assert (frame.loc[0, "audio"].path is not None) == (kind == "folder")
    gc.collect()
    assert held() is None
    new = kn.audio(calls("s1", "s2"), store=place, settings=hub.settings, progress=False)
    assert [each.encoded() == sound for each in new["audio"]] == [True] * 2
    assert hub.requests.count() == 0


@pytest.mark.parametrize("function", ["apply", "metrics", "iter_recordings", "to_audiofolder"])
def test_every_function_that_takes_a_store_fills_it(hub, sound, tmp_path, function) -> None:
    """From the sound that the frame has, before it is worked on."""
    place = str(tmp_path / "calls")
    frame = kn.audio(calls("s1", "s2"), settings=hub.settings, progress=False)
    hub.requests.clear()
    options = {"store": place, "settings": hub.settings, "progress": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if function == "apply":
            paths = kn.apply(frame, lambda each: str(each.path), columns="path", **options)["path"]
            assert paths.str.startswith(place).all()
        elif function == "metrics":
            kn.metrics(frame, **options)
        elif function == "iter_recordings":
            assert all(each.path is not None for _, each in kn.iter_recordings(frame, **options))
        else:
            kn.to_audiofolder(frame, tmp_path / "export", **options)
    assert hub.requests.count() == 0
    assert [entry.size_bytes for entry in Store(place).load().values()] == [len(sound)] * 2


def test_sound_of_another_store_is_copied(hub, sound, tmp_path) -> None:
    """And what that store has lost meanwhile is fetched."""
    options = {"settings": hub.settings, "progress": False}
    frame = kn.audio(calls("s1", "s2"), store=tmp_path / "old", **options)
    frame.loc[1, "audio"].path.unlink()
    hub.requests.clear()
    moved = kn.audio(frame, store=tmp_path / "new", **options)
    assert [each.path.is_relative_to(tmp_path / "new") for each in moved["audio"]] == [True] * 2
    assert [each.session_id for each in hub.requests.of("api")] == ["s2"]
    assert [each.encoded() == sound for each in moved["audio"]] == [True] * 2


def test_sound_that_this_store_has_lost_is_fetched_again(hub, sound, tmp_path) -> None:
    """The frame still says that it is downloaded; the store knows better."""
    options = {"store": tmp_path / "calls", "settings": hub.settings, "progress": False}
    frame = kn.audio(calls("s1", "s2"), **options)
    frame.loc[0, "audio"].path.unlink()
    frame.loc[1, "audio"].path.write_bytes(sound[:-1])
    hub.requests.clear()
    assert [each.encoded() == sound for each in kn.audio(frame, **options)["audio"]] == [True] * 2
    assert hub.requests.count("api") == 2


@pytest.mark.parametrize("made", ["slice", "channel", "another session's", "no session's", "pickled"])
def test_what_is_not_the_sessions_recording_is_not_stored_as_such(hub, tmp_path, made) -> None:
    """It stays in its row, is worked on, and a warning says that the store has none."""
    frame = kn.audio(calls("s1", "s2"), settings=hub.settings, progress=False)
    whole = frame.loc[0, "audio"]
    mine = {
        "slice": lambda: whole.slice(0, whole.duration_s),
        "channel": lambda: whole.channel(0),
        "another session's": lambda: frame.loc[1, "audio"],
        "no session's": lambda: Recording.from_bytes(whole.encoded()),
        "pickled": lambda: pickle.loads(pickle.dumps(whole.slice(0.0, 0.1))),  # noqa: S301 - our own
    }[made]()
    frame.loc[0, "audio"] = mine
    options = {"store": tmp_path / "calls", "settings": hub.settings, "progress": False}
    with pytest.warns(UserWarning, match=r"1 of 2 sessions stays in the frame and is not in the store.*drop the audio"):
        kept = kn.audio(frame, **options)
    assert kept.loc[0, "audio"] is mine
    assert kept.loc[1, "audio"].path is not None
    assert list(Store(tmp_path / "calls").load()) == ["s2"]
    kn.audio(calls("s1"), **options)
    lengths = kn.apply(frame, lambda each: each.duration_s, columns="length_s", **options)
    assert lengths.loc[0, "length_s"] == mine.duration_s


def test_sound_of_the_store_speaks_where_the_frame_knows_of_none(hub, sound, tmp_path) -> None:
    """Another kernel has stored it since the frame was told that it is missing."""
    options = {"store": tmp_path / "calls", "settings": hub.settings, "progress": False}
    kn.audio(calls("s1"), **options)
    frame = calls("s1")
    frame["recording_status"], frame["recording_error"] = "missing", "the session has no recording"
    heard = kn.audio(frame, **options)
    assert heard["recording_status"].tolist() == ["downloaded"]
    assert heard["recording_error"].isna().all()


def test_sound_without_an_id_that_can_be_stored_stays(hub, tmp_path) -> None:
    """Its row is worked on, and the store is not asked for it."""
    frame = kn.audio(calls("s1"), settings=hub.settings, progress=False)
    frame = pd.concat([frame, frame.assign(session_id=None)], ignore_index=True)
    heard = kn.audio(frame, store=tmp_path / "calls", settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded"] * 2
    assert heard.loc[1, "audio"].path is None


@pytest.mark.parametrize("row", [{"recording_status": "failed", "recording_error": "no answer"}, {}])
def test_sound_that_the_frame_lacks_is_raised_too(hub, row) -> None:
    """Where the audio column is all there is to work on, nothing is asked for: what is not there is a failure."""
    frame = calls("s1", "s2", audio=[kn.Recording.from_samples([0.1] * 800, 8_000), None])
    frame = frame.assign(**{name: ["downloaded", value] for name, value in row.items()})
    if "recording_error" in frame:
        frame.loc[0, "recording_error"] = None
    options = {"settings": hub.settings, "progress": False, "columns": "n"}
    kept = kn.apply(frame, lambda recording: recording.frames, **options)
    assert kept["n"].tolist()[0] == 800
    with pytest.raises(
        kn.errors.SessionError, match="'s2': " + ("no answer" if row else "there is no sound in the audio")
    ):
        kn.apply(frame, lambda recording: recording.frames, errors="raise", **options)
    assert hub.requests.count() == 0
