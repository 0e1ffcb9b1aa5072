"""Results last: found again by any process that sees the store, made again where they can't be had."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import pytest
from scripted_calls import FIRST, RATE, SECOND, sound

import kataven_notebook as kn
from kataven_notebook.frame import measuring
from kataven_notebook.numbers import measures
from kataven_notebook.store.results import RESULTS_FILE

pytestmark = pytest.mark.core

IDS = ["a", "b", "c"]


@pytest.fixture
def encoded() -> bytes:
    """Two parties, in half a second of work."""
    return kn.Recording.from_samples(sound(FIRST, SECOND, duration_s=9.0), RATE).encoded()


@pytest.fixture
def frame(encoded) -> pd.DataFrame:
    """Three calls whose sound is their own."""
    return pd.DataFrame(
        {"session_id": IDS, "audio": [kn.Recording.from_bytes(encoded, session_id=each) for each in IDS]}
    )


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path) -> str:
    """A store in either kind of place."""
    return str(tmp_path / "calls") if request.param == "folder" else (tmp_path / "calls").as_uri()


@pytest.fixture
def listened(monkeypatch) -> list[str]:
    """Which sessions' sound was measured in this process."""
    heard: list[str] = []
    true = measures._measure

    def counted(recording, speech):
        heard.append(recording.session_id)
        return true(recording, speech)

    monkeypatch.setattr(measures, "_measure", counted)
    return heard


OPTIONS = {
    "speech": "energy",
    "agent_channel": 0,
    "progress": False,
    "settings": kn.Settings(api_key="sk_test_of_nobody"),
}


def test_what_was_measured_is_read(frame, place, listened) -> None:
    """Frames without sound, of another order, and other functions find it; the numbers are the same."""
    first = kn.metrics(frame, store=place, **OPTIONS)
    assert sorted(listened) == IDS
    ids = frame[["session_id"]]
    pd.testing.assert_frame_equal(kn.metrics(ids, store=place, **OPTIONS), first.drop(columns="audio"))
    later = kn.turns(ids.iloc[::-1], store=place, **OPTIONS)
    assert later["session_id"].unique().tolist() == IDS[::-1]
    assert len(kn.moments(ids, store=place, **OPTIONS))
    assert sorted(listened) == IDS


def test_a_frame_whose_recordings_lie_in_a_store_needs_no_name_of_it(frame, place, listened) -> None:
    """They know where they come from."""
    stored = kn.audio(frame, store=place, progress=False, settings=OPTIONS["settings"])
    kn.metrics(stored, **OPTIONS)
    kn.turns(kn.audio(frame[["session_id"]], store=place, progress=False, settings=OPTIONS["settings"]), **OPTIONS)
    assert sorted(listened) == IDS


def test_other_options_and_other_sound_are_measured(frame, place, listened, encoded) -> None:
    """And only they."""
    kn.metrics(frame, store=place, **OPTIONS)
    kn.metrics(frame, store=place, **{**OPTIONS, "speech": "auto"})
    assert len(listened) == 6
    more = pd.concat(
        [frame, frame.tail(1).assign(session_id="d", audio=[kn.Recording.from_bytes(encoded, session_id="d")])]
    )
    kn.metrics(more, store=place, **OPTIONS)
    assert listened[6:] == ["d"]


def test_a_function_is_called_each_time(frame, place) -> None:
    """It may have changed in ways that nobody sees from outside."""
    ends = [1.0]

    def detector(_samples, _rate):
        return [(0.0, ends[0])]

    one = kn.metrics(frame, store=place, **{**OPTIONS, "speech": detector})
    ends[0] = 2.0
    two = kn.metrics(one, store=place, **{**OPTIONS, "speech": detector})
    assert one["agent_talk_s"].tolist() == [1.0] * 3
    assert two["agent_talk_s"].tolist() == [2.0] * 3


def test_a_new_version_measures_again_and_says_so_once(frame, place, listened, monkeypatch) -> None:
    """The old numbers are never mixed with new ones."""
    kn.metrics(frame, store=place, **OPTIONS)
    monkeypatch.setattr(measuring, "_version", lambda: "next")
    with pytest.warns(UserWarning, match="3 recordings were measured by another version"):
        kn.metrics(frame, store=place, **OPTIONS)
    kn.metrics(frame, store=place, **OPTIONS)
    assert len(listened) == 6


def test_damaged_results_are_measured_again(frame, tmp_path, listened) -> None:
    """Whoever wrote them there, and whatever they are."""
    kn.metrics(frame, store=tmp_path / "calls", **OPTIONS)
    with sqlite3.connect(tmp_path / "calls" / RESULTS_FILE) as db:
        db.execute("UPDATE results SET value = x'80'")
    db.close()
    first = kn.metrics(frame, store=tmp_path / "calls", **OPTIONS)
    assert len(listened) == 6
    pd.testing.assert_frame_equal(kn.metrics(frame, store=tmp_path / "calls", **OPTIONS), first)
    assert len(listened) == 6


def test_estimates_of_the_whole_frame_are_made_anew(tmp_path, listened) -> None:
    """What was measured for them is kept; without them the same calls have no numbers per party."""
    samples = sound(FIRST, duration_s=9.0)[:, 0]
    made = {f"m{number}": kn.Recording.from_samples(samples + number * 1e-6, RATE).encoded() for number in range(6)}
    sounds = [kn.Recording.from_bytes(data, session_id=each) for each, data in made.items()]
    frame = pd.DataFrame({"session_id": list(made), "audio": sounds})
    kn.metrics(frame, store=tmp_path / "calls", **OPTIONS)
    estimated = kn.metrics(frame, store=tmp_path / "calls", mono="estimate", **OPTIONS)
    assert len(listened) == 12
    again = kn.metrics(frame, store=tmp_path / "calls", mono="estimate", **OPTIONS)
    pd.testing.assert_frame_equal(again, estimated)
    plain = kn.metrics(frame, store=tmp_path / "calls", **OPTIONS)
    assert plain["metrics_error"].str.contains('mono="estimate" tries').all()
    assert len(listened) == 12


def test_the_agent_is_settled_over_each_frame(frame, place, listened) -> None:
    """Rows are kept for each side that the agent was on."""
    one = kn.metrics(frame, store=place, **OPTIONS)
    other = kn.metrics(frame, store=place, **{**OPTIONS, "agent_channel": 1})
    assert other["agent_talk_s"].tolist() == one["caller_talk_s"].tolist()
    pd.testing.assert_frame_equal(kn.metrics(frame, store=place, **OPTIONS), one)
    assert len(listened) == 3


def test_what_workers_measured_is_kept(frame, place, listened) -> None:
    """By the process that gave them the work."""
    kn.metrics(frame, store=place, executor=lambda: ProcessPoolExecutor(1), **OPTIONS)
    kn.metrics(frame[["session_id"]], store=place, **OPTIONS)
    assert listened == []


def test_what_workers_downloaded_and_measured_is_kept(hub, place, listened) -> None:
    """Into a bucket they put the sound themselves."""
    ids = pd.DataFrame({"session_id": ["s0", "s1"]})
    options = {**OPTIONS, "settings": hub.settings, "store": place}
    kn.metrics(ids, executor=lambda: ProcessPoolExecutor(1), **options)
    kn.metrics(ids, **options)
    assert listened == []


def test_sound_that_was_lost_and_fetched_again_is_not_measured_again(hub, tmp_path, listened) -> None:
    """It is the same sound."""
    ids = pd.DataFrame({"session_id": ["s0", "s1"]})
    options = {**OPTIONS, "settings": hub.settings, "store": tmp_path / "calls"}
    first = kn.metrics(ids, **options)
    for each in (tmp_path / "calls" / "audio").rglob("*.wav"):
        each.unlink()
    pd.testing.assert_frame_equal(kn.metrics(ids, **options), first)
    assert sorted(listened) == ["s0", "s1"]


def test_a_store_that_takes_no_results_costs_a_warning(frame, tmp_path, listened) -> None:
    """The frame has its numbers all the same."""
    kn.audio(frame, store=tmp_path / "calls", progress=False, settings=OPTIONS["settings"])
    (tmp_path / "calls" / RESULTS_FILE).mkdir()
    with pytest.warns(UserWarning, match="results could not be kept"):
        numbers = kn.metrics(frame, store=tmp_path / "calls", **OPTIONS)
    assert numbers["speech_s"].notna().all()
    assert sorted(listened) == IDS


def test_a_part_of_a_recording_is_measured_by_itself(frame, place, listened) -> None:
    """It is other sound, and lies in no store."""
    stored = kn.audio(frame, store=place, progress=False, settings=OPTIONS["settings"])
    whole = kn.metrics(stored, **OPTIONS)
    parts = frame.assign(audio=[each.slice(0, 4) for each in stored["audio"]])
    assert (kn.metrics(parts, **OPTIONS)["speech_s"] < whole["speech_s"]).all()
    assert len(listened) == 6
    assert np.isfinite(whole["speech_s"]).all()


FULL = """
import resource, signal, sys, warnings
import pandas as pd
import kataven_notebook as kn

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
options = {"store": sys.argv[1], "settings": kn.Settings(api_key="sk_test_of_nobody"), "progress": False}
ids = pd.DataFrame({"session_id": list("abc")})
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    found = kn.apply(ids, lambda recording: {"text": "x" * 50_000}, keep="words", **options)
assert found["text"].str.len().tolist() == [50_000] * 3, found
assert [str(each.message).startswith("results could not be kept") for each in told] == [True], told
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes there")
def test_a_full_disk_costs_a_warning_and_no_value(frame, tmp_path) -> None:
    """The frame is returned as it would have been."""
    kn.audio(frame, store=tmp_path / "calls", progress=False, settings=OPTIONS["settings"])
    subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "calls")], check=True, timeout=60)
