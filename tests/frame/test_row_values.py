"""Functions that ask for the row get its other columns."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pandas as pd
import pytest
from frames import calls, tones

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.frame import row_values
from kataven_notebook.frame.row_values import takes_row

pytestmark = pytest.mark.core

SETTINGS = kn.Settings(api_key="sk_test_of_nobody")


def sounds(*names: str) -> list[kn.Recording]:
    """One recording for each session."""
    encoded = tones((440, 0.0, 1.0), (880, 2.0, 3.0)).encoded()
    return [kn.Recording.from_bytes(encoded, session_id=name) for name in names]


def apply(frame: pd.DataFrame, fn, **options) -> pd.DataFrame:
    """Apply without a bar."""
    return kn.apply(frame, fn, settings=SETTINGS, progress=False, **options)


def agent_side(recording, row):
    """What is asked for most: the agent's sound, and what the caller's table says of the call."""
    own = recording.channel(row["agent_channel"])
    return {"channels": own.channels, "of": f"{row['agent']} in {row['session_id']}"}


@pytest.mark.parametrize("executor", [None, lambda: ThreadPoolExecutor(2), lambda: ProcessPoolExecutor(1)])
def test_a_function_may_take_the_row(executor) -> None:
    """Wherever it runs; of a session in several rows, the first."""
    frame = calls("a", "b", "a", audio=sounds("a", "b", "a"), agent=["x", "y", "z"], agent_channel=[0, 1, 0])
    found = apply(frame, agent_side, executor=executor)
    assert found["of"].tolist() == ["x in a", "y in b", "x in a"]
    assert found["channels"].tolist() == [1, 1, 1]


def test_the_row_holds_no_sound_and_no_url() -> None:
    """It may go to other machines, and into their logs."""
    frame = calls("a", audio=sounds("a"), recording_url=["https://x/?sig=1"], url_expires_at=[pd.Timestamp.now("UTC")])
    seen: list[dict] = []
    apply(frame.set_index("session_id", append=True), lambda recording, row: seen.append(row))
    assert "a" in seen[0].values()
    assert not any(isinstance(value, kn.Recording) or "sig=" in str(value) for value in seen[0].values())


def test_other_second_parameters_are_the_functions_own() -> None:
    """As before."""
    assert apply(calls("a", audio=sounds("a")), lambda recording, rate=3: rate)["<lambda>"].tolist() == [3]
    assert not takes_row(len)


def test_a_row_that_has_changed_is_worked_on_again(tmp_path) -> None:
    """What was kept for the others stays."""
    called: list[str] = []

    def read(recording, row):
        called.append(recording.session_id)
        return {"language_used": row["language"]}

    frame = calls("a", "b", audio=sounds("a", "b"), language=["de", "en"])
    apply(frame, read, keep="words", store=tmp_path / "calls")
    apply(frame.drop(columns="audio"), read, keep="words", store=tmp_path / "calls")
    assert sorted(called) == ["a", "b"]
    changed = apply(frame.assign(language=["de", "fr"]), read, keep="words", store=tmp_path / "calls")
    assert called[2:] == ["b"]
    assert changed["language_used"].tolist() == ["de", "fr"]


@pytest.mark.parametrize("executor", [None, lambda: ProcessPoolExecutor(1)])
def test_columns_that_nobody_asked_for_may_come_and_go(tmp_path, executor) -> None:
    """Numbers of the calls, results of an earlier run, notes."""
    called = tmp_path / "called.txt"

    def text(recording, row):
        with called.open("a") as file:
            file.write(recording.session_id)
        return {"text": row["language"] if row.get("is_known", True) else None}

    options = {"keep": "words", "store": tmp_path / "calls", "executor": executor}
    frame = apply(calls("a", "b", audio=sounds("a", "b"), language=["de", "en"]), text, **options)
    again = kn.metrics(
        frame, store=tmp_path / "calls", speech="energy", agent_channel=0, settings=SETTINGS, progress=False
    )
    again = apply(again.assign(note=[object(), 1.5]), text, **options)
    assert sorted(called.read_text()) == ["a", "b"]
    assert again["text"].tolist() == ["de", "en"]
    apply(again.assign(is_known=True), text, **options)  # what was asked for in vain is there now
    assert sorted(called.read_text()) == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    "look",
    [
        dict,
        lambda row: {**row},
        list,
        lambda row: list(row.items()),
        str,
        pd.Series,
        lambda row: row.copy(),
        lambda row: row | {},
        lambda row: {} | row,
        json.dumps,
        lambda row: "{session_id}".format(**row),
        lambda row: row == {},
        len,
        reversed,
        lambda row: row.popitem(),
        lambda row: row != {},
    ],
)
def test_who_looks_at_all_of_the_row_depends_on_all_of_it(tmp_path, look) -> None:
    """Whichever way."""
    called: list[str] = []

    def text(recording, row):
        called.append(recording.session_id)
        return {"text": type(look(row)).__name__}

    options = {"keep": "words", "store": tmp_path / "calls"}
    frame = calls("a", audio=sounds("a"), language=["de"])
    apply(frame, text, **options)
    apply(frame, text, **options)
    assert called == ["a"]
    apply(frame.assign(note=1), text, **options)
    assert called == ["a", "a"]


@pytest.mark.parametrize("options", [{"columns": {"text": str}}, {"result": "object", "columns": "text"}])
def test_a_cell_that_runs_again_calls_nothing(tmp_path, options) -> None:
    """Its frame has the columns of the first run by then, and those of `audio`."""
    called: list[str] = []

    def text(recording, row):
        called.append(recording.session_id)
        return row["language"]

    options |= {"keep": "words", "store": tmp_path / "calls"}
    frame = apply(calls("a", "b", audio=sounds("a", "b"), language=["de", "en"]), text, **options)
    again = apply(frame, text, **options)
    again = kn.audio(again, store=tmp_path / "calls", settings=SETTINGS, progress=False)
    again = apply(again, text, **options)
    assert sorted(called) == ["a", "b"]
    assert again["text"].tolist() == ["de", "en"]


def test_a_column_of_the_callers_own_counts(tmp_path) -> None:
    """Whatever its name."""
    frame = calls("a", audio=sounds("a"), channels=["letters"])
    for channels in ("letters", "telephone"):
        found = apply(
            frame.assign(channels=channels),
            lambda recording, row: {"by": row["channels"]},
            keep="words",
            store=tmp_path / "calls",
        )
        assert found["by"].tolist() == [channels]


@pytest.mark.parametrize(
    "look",
    [
        lambda row: row["language"],
        lambda row: row.get("language"),
        lambda row: row.pop("language"),
        lambda row: row.setdefault("language", "fr"),
        lambda row: "de" if "language" in row and row["language"] == "de" else "en",
    ],
)
def test_who_looks_at_one_column_depends_on_it_alone(tmp_path, look) -> None:
    """Whichever way."""
    called: list[str] = []

    def text(recording, row):
        called.append(recording.session_id)
        return {"text": look(row)}

    options = {"keep": "words", "store": tmp_path / "calls"}
    frame = calls("a", audio=sounds("a"), language=["de"])
    apply(frame, text, **options)
    apply(frame.assign(note=1), text, **options)
    assert called == ["a"]
    assert apply(frame.assign(language="en"), text, **options)["text"].tolist() == ["en"]


def test_a_row_can_be_asked_nothing_that_is_not_noted() -> None:
    """What dicts have beside that changes or makes one."""
    changes = {"clear", "update", "fromkeys", "__setitem__", "__delitem__", "__ior__"}
    of_objects = set(dir(object)) - {"__eq__", "__ne__", "__repr__"}
    others = {"__class_getitem__", "__lt__", "__le__", "__gt__", "__ge__"}
    asked = set(dir(dict)) - of_objects - changes - others
    assert asked == {*row_values._OF_ONE, *row_values._OF_ALL}


def test_a_row_that_can_not_be_told_from_another_is_refused(tmp_path) -> None:
    """By the name of the column."""
    frame = calls("a", audio=sounds("a"), model=[object()])
    with pytest.raises(errors.ConfigurationError, match=r"asks the row for 'model', and keep='words' can't tell"):
        apply(frame, lambda recording, row: {"of": str(row["model"])[:3]}, keep="words", store=tmp_path / "calls")
    found = apply(frame, lambda recording, row: {"of": row["session_id"]}, keep="words", store=tmp_path / "calls")
    assert found["of"].tolist() == ["a"]
