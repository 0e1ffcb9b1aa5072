"""What the demo Hub serves besides its samples, over HTTP: calls for a study, and a folder of the user's own files."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from kataven_notebook import demo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kataven_notebook.demo import Hub

pytestmark = pytest.mark.core

SAMPLES = Path(str(files(demo) / "calls"))


@pytest.fixture(scope="module")
def study() -> Iterator[Hub]:
    """Sixty calls of two prompts."""
    with demo.hub(calls=60) as hub:
        yield hub


def fetched(hub: Hub, session_id: str) -> httpx.Response:
    """Return what the storage answers for a session, or the API where it signs nothing."""
    headers = {"Authorization": f"Bearer {hub.api_key}"}
    with httpx.Client(trust_env=False) as client:
        answer = client.get(f"{hub.base_url}/sessions/{session_id}/recording", headers=headers)
        return client.get(answer.json()["url"]) if answer.status_code == 200 else answer


def responses_s(hub: Hub) -> pd.DataFrame:
    """Return the true delay of each answer of the agent, and how often it interrupts."""
    rows = []
    for session_id, truth in hub.truth.items():
        for before, after in pairwise(truth["turns"]):
            if (before["role"], after["role"]) == ("caller", "agent"):
                gap_s = after["segments"][0][0] - before["segments"][-1][1]
                rows.append({"session_id": session_id, "gap_s": gap_s, "interrupts": after["kind"] == "interruption"})
    return pd.DataFrame(rows).merge(hub.sessions, on="session_id")


def test_a_study_has_two_prompts_hours_and_callers_who_call_again(study: Hub) -> None:
    """Half of the calls each, in the order in which they were held; every one of them a sound of two channels."""
    frame = study.sessions
    assert frame["prompt"].value_counts().to_dict() == {"A": 30, "B": 30}
    assert frame["session_id"].is_unique
    assert frame["started_at"].is_monotonic_increasing
    assert set(frame["started_at"].dt.hour) == set(range(9, 18))
    assert frame["started_at"].dt.day_of_week.max() < 5
    assert 25 < frame["caller_id"].nunique() < 45
    assert frame.groupby("caller_id")["prompt"].nunique().max() == 2
    assert str(frame["started_at"].dtype) == "datetime64[us, UTC]"
    answer = fetched(study, frame["session_id"].iloc[7])
    samples, rate = sf.read(io.BytesIO(answer.content))
    assert (answer.headers["Content-Type"], rate, samples.shape[1]) == ("audio/wav", 8_000, 2)


def test_the_prompts_differ_by_what_the_docstring_says() -> None:
    """The answers of A come 0.3 s later, those of B interrupt more often; over many calls, as of few it is chance."""
    with demo.hub(calls=180) as hub:
        answers = responses_s(hub)
    waited = answers[~answers["interrupts"]].groupby("prompt")["gap_s"]
    assert waited.median()["A"] - waited.median()["B"] == pytest.approx(0.3, abs=0.05)
    assert waited.std()["A"] == pytest.approx(waited.std()["B"], rel=0.25)
    shares = answers.groupby("prompt")["interrupts"].mean()
    assert shares["A"] < 0.05
    assert 0.1 < shares["B"] < 0.3


def test_sound_is_where_the_truth_says(study: Hub) -> None:
    """In every call, each channel is far louder where its party speaks than where both are silent."""
    for session_id, truth in study.truth.items():
        samples, rate = sf.read(io.BytesIO(study.data(session_id)))
        assert len(samples) / rate == pytest.approx(truth["duration_s"], abs=1e-4)
        spans: list[tuple[int, float, float]] = [
            (turn["channel"], *segment) for turn in truth["turns"] for segment in turn["segments"]
        ]
        for channel in (0, 1):
            power = samples[:, channel] ** 2
            spoken = [
                power[int(start * rate) : int(end * rate)].mean() for each, start, end in spans if each == channel
            ]
            assert min(spoken) > 10 * power[: int(0.4 * rate)].mean(), (session_id, channel)


def test_the_first_calls_of_a_longer_series_are_those_of_a_shorter_one(study: Hub) -> None:
    """Drawn from each call's number: the same in every run, byte for byte."""
    with demo.hub(calls=5) as hub:
        pd.testing.assert_frame_equal(hub.sessions, study.sessions.head(5))
        for session_id in hub.sessions["session_id"]:
            assert hub.data(session_id) == study.data(session_id)
            assert hub.truth[session_id] == study.truth[session_id]


@pytest.mark.parametrize("calls", [0, -1, 1_001, True, 2.5, "no such folder", None])
def test_what_is_no_number_of_calls_and_no_folder_is_refused(calls: Any, tmp_path: Path) -> None:
    """In a sentence that says what to pass; so is asking for sessions of one's own too."""
    if calls is None:
        with pytest.raises(ValueError, match="pass one of them"):
            demo.hub(calls=3, sessions={})
        with pytest.raises(ValueError, match=r"no sound file in that folder.*\.wav"):
            demo.hub(calls=tmp_path)
        return
    with pytest.raises(ValueError, match="pass"):
        demo.hub(calls=calls)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five files, one of them in a folder within it, and things that are no sound."""
    (tmp_path / "monday").mkdir()
    shutil.copy(SAMPLES / "call_02.wav", tmp_path / "first call.wav")
    shutil.copy(SAMPLES / "call_06.ogg", tmp_path / "monday" / "שיחה.ogg")
    shutil.copy(SAMPLES / "call_07.mp3", tmp_path / "monday" / "first call.mp3")
    (tmp_path / "broken.flac").write_bytes(b"fLaC, and no more")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "notes.txt").write_text("no sound", encoding="utf-8")
    (tmp_path / ".hidden.wav").write_bytes(b"RIFF")
    return tmp_path


def test_a_folder_is_served_by_the_names_of_its_files(folder: Path) -> None:
    """Whatever their letters; what can't be read, or has a name twice, is said; a file is read when it is asked for."""
    with pytest.warns(UserWarning, match=r"broken\.flac: it holds no sound") as told:
        hub = demo.hub(calls=folder)
    with hub:
        assert hub.sessions["session_id"].tolist() == ["broken", "first call", "monday-first call.mp3", "שיחה"]
        assert "empty.wav: the file is empty, and is not served" in str(told[0].message)
        assert "this one is session 'monday-first call.mp3'" in str(told[0].message)
        for session_id, path in {"first call": "first call.wav", "שיחה": "monday/שיחה.ogg"}.items():
            assert fetched(hub, session_id).content == (folder / path).read_bytes()
        assert fetched(hub, "שיחה").headers["Content-Type"] == "audio/ogg"
        assert fetched(hub, "broken").content == b"fLaC, and no more"
        (folder / "first call.wav").unlink()
        assert fetched(hub, "first call").status_code == 404


def test_a_folder_in_it_that_can_not_be_read_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where its owner is somebody else; the rest is served."""
    real = os.scandir

    def refusing(place: Any) -> Any:
        if str(place).endswith("monday"):
            raise PermissionError(13, "Permission denied", str(place))
        return real(place)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.warns(UserWarning, match="monday: the folder can't be read"):
        hub = demo.hub(calls=folder)
    with hub:
        assert hub.sessions["session_id"].tolist() == ["broken", "first call"]


def test_a_table_beside_the_files_says_more_of_them(folder: Path) -> None:
    """Its rows come first and in its order; ids of its own, and rows without a file; what it lacks is served too."""
    rows = [
        "session_id,file_name,agent,started_at,prompt",
        "s-1,monday/שיחה.ogg,clinic,2026-03-02T09:00:00Z,A",
        "s-2,first call.wav,,2026-03-02T10:00:00+01:00, B",
        "s-3,nowhere.wav,clinic,,A",
        "s-2,broken.flac,twice,,",
    ]
    (folder / "calls.csv").write_text("\ufeff" + "\n".join(rows), encoding="utf-8")
    with pytest.warns(UserWarning, match="no file for s-3") as told:
        hub = demo.hub(calls=str(folder))
    with hub:
        frame = hub.sessions
        assert frame["session_id"].tolist() == ["s-1", "s-2", "s-3", "broken", "monday-first call.mp3"]
        assert frame["prompt"].tolist()[:3] == ["A", " B", "A"]
        assert str(frame["started_at"].dtype) == "datetime64[us, UTC]"
        assert pd.isna(frame["agent"].iloc[1])
        assert fetched(hub, "s-1").content == (folder / "monday" / "שיחה.ogg").read_bytes()
        assert fetched(hub, "s-3").status_code == 404
    assert len(told) == 1


def test_a_table_of_files_alone_tells_two_of_one_name_apart(folder: Path) -> None:
    """Both are served, each with what its own row says."""
    shutil.copy(SAMPLES / "call_07.mp3", folder / "monday" / "first call.wav")
    (folder / "monday" / "first call.mp3").unlink()
    rows = ["file,prompt", "monday/first call.wav,A", "first call.wav,B"]
    (folder / "calls.csv").write_text("\n".join(rows), encoding="utf-8")
    with pytest.warns(UserWarning, match="this one is session 'monday-first call.wav'"):
        hub = demo.hub(calls=folder)
    with hub:
        told = hub.sessions.set_index("session_id")["prompt"]
        assert told[["monday-first call.wav", "first call"]].tolist() == ["A", "B"]
        assert fetched(hub, "first call").content == (folder / "first call.wav").read_bytes()


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"a.csv": b"session_id\n", "b.csv": b"session_id\n"}, "of several tables (a.csv, b.csv) none is read"),
        ({"a.csv": b"id,agent\n1,x\n"}, "a.csv: it has no column session_id or file_name"),
        ({"a.csv": b"session_id\n\xff\xfe"}, "a.csv: it can't be read as CSV in UTF-8"),
    ],
)
def test_a_table_of_no_use_is_said_and_left_out(tmp_path: Path, tables: dict[str, bytes], words: str) -> None:
    """The files are served all the same; and where warnings are errors, no hub is left behind."""
    shutil.copy(SAMPLES / "call_02.wav", tmp_path / "one.wav")
    for name, content in tables.items():
        (tmp_path / name).write_bytes(content)
    with pytest.warns(UserWarning, match=re.escape(words)):
        hub = demo.hub(calls=tmp_path)
    with hub:
        assert hub.sessions["session_id"].tolist() == ["one"]
    with warnings.catch_warnings(action="error"), pytest.raises(UserWarning):
        demo.hub(calls=tmp_path)


def test_times_that_are_none_stay_as_they_are_written(tmp_path: Path) -> None:
    """Nothing of a table is lost."""
    shutil.copy(SAMPLES / "call_02.wav", tmp_path / "one.wav")
    (tmp_path / "sessions.csv").write_text("session_id,started_at\none,Monday\n", encoding="utf-8")
    with demo.hub(calls=tmp_path) as hub:
        assert hub.sessions["started_at"].tolist() == ["Monday"]


def test_a_folder_is_served_by_a_process_of_its_own(folder: Path, tmp_path: Path) -> None:
    """`--calls` takes it, what is wrong is told in lines, and `--list` writes the sessions as `fetch` takes them."""
    listed = tmp_path / "listed.csv"
    command = [
        sys.executable,
        "-m",
        "kataven_notebook",
        "demo",
        "--serve",
        "--calls",
        str(folder),
        "--list",
        str(listed),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        url = f"{about['base_url']}/sessions/first call/recording"
        answer = httpx.get(url, headers={"Authorization": f"Bearer {about['api_key']}"}, trust_env=False)
        content = httpx.get(answer.json()["url"], trust_env=False).content
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert content == (folder / "first call.wav").read_bytes()
    assert "note: empty.wav: the file is empty, and is not served\n" in errors
    with listed.open(encoding="utf-8", newline="") as file:
        assert [row["session_id"] for row in csv.DictReader(file)][:2] == ["broken", "first call"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--calls", "nowhere"], "is no folder: pass one"),
        (["--calls", "0"], "pass a number from 1"),
        (["--calls", "2", "--list", "no/such/folder.csv"], "it can't be written"),
        (["--calls", "2", "--synthetic", "1"], "pass one of them"),
    ],
)
def test_what_can_not_be_served_is_said_in_a_line(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On the command line, with the exit code of a wrong option."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        demo.serve(options)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_noise_of_a_call_is_no_silence(study: Hub) -> None:
    """Digital silence would make every detector perfect."""
    samples, _ = sf.read(io.BytesIO(study.data("agent_01K2D00001")))
    assert np.abs(samples[:2_000]).max(axis=0).min() > 0
