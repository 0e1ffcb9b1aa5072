"""The row of each call is read where it is kept, and made where it is not."""

from __future__ import annotations

import json
import sqlite3

import pandas as pd
import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook.frame import call_rows
from kataven_notebook.numbers.definitions import METRIC_COLUMNS
from kataven_notebook.store.results import RESULTS_FILE, checksum_of

pytestmark = pytest.mark.core

OPTIONS = {
    "speech": "energy",
    "agent_channel": 0,
    "progress": False,
    "settings": kn.Settings(api_key="sk_test_of_nobody"),
}


@pytest.fixture
def kept(heard: pd.DataFrame, tmp_path) -> str:
    """A store of the three calls of `heard`, measured."""
    sounds = [
        kn.Recording.from_bytes(sound.encoded(), session_id=name)
        for name, sound in zip(heard["session_id"], heard["audio"], strict=True)
    ]
    kn.metrics(calls("a", "b", "c", audio=sounds), store=tmp_path / "calls", **OPTIONS)
    return str(tmp_path / "calls")


def test_rows_are_made_once(kept, monkeypatch) -> None:
    """They hold what they held, of the same types."""
    first = kn.metrics(calls("a", "b", "c"), store=kept, **OPTIONS)
    monkeypatch.setattr(call_rows, "call_row", lambda *_, **__: pytest.fail("made again"))
    pd.testing.assert_frame_equal(kn.metrics(calls("a", "b", "c"), store=kept, **OPTIONS), first)


# As many values as a row has, which do not fit into its columns.
ODD = [json.dumps([each] * len(METRIC_COLUMNS)) for each in ("text", 10**30, 1, 0.5, True)]


@pytest.mark.parametrize("text", ["[1, 2]", "{}", "null", "[[[", json.dumps([["a"]] * 60), *ODD])
def test_a_row_that_is_none_is_made_again(kept, text) -> None:
    """From the measures."""
    first = kn.metrics(calls("a", "b", "c"), store=kept, **OPTIONS)
    with sqlite3.connect(f"{kept}/{RESULTS_FILE}") as db:
        db.create_function("checksum_of", 5, checksum_of)
        change = "UPDATE results SET value = ?, checksum = checksum_of(name, options, version, place, ?)"
        assert db.execute(f"{change} WHERE name LIKE 'row%'", (text.encode(), text.encode())).rowcount == 3
    db.close()
    pd.testing.assert_frame_equal(kn.metrics(calls("a", "b", "c"), store=kept, **OPTIONS), first)


def test_a_row_without_an_agent_is_kept_too(kept, monkeypatch) -> None:
    """What it says of the reason is of the frame that it stands in now."""
    options = {**OPTIONS, "agent_channel": "side"}
    unstated = calls("a", "b", "c", side=pd.array([None, None, 1], "Int64"))
    first = kn.metrics(unstated, store=kept, **options)
    assert first["metrics_error"].head(2).str.contains("fill in the column, or pass agent_channel=").all()
    with monkeypatch.context() as changed:
        changed.setattr(call_rows, "call_row", lambda *_, **__: pytest.fail("made again"))
        pd.testing.assert_frame_equal(kn.metrics(unstated, store=kept, **options), first)
    with pytest.warns(UserWarning, match="uncertain which channel"):
        inferred = kn.metrics(calls("a", "b", "c"), store=kept, **{**OPTIONS, "agent_channel": "infer"})
    assert inferred["metrics_error"].head(2).str.contains("confidence").all()
    assert not inferred["metrics_error"].str.contains("fill in the column").any()
