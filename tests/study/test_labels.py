"""Frames of labels: those of a player, and those read from its file."""

from __future__ import annotations

import pandas as pd
import pytest

from kataven_notebook.desk.labels import LabelBook
from kataven_notebook.desk.open import player
from kataven_notebook.errors import FrameError
from kataven_notebook.study.labels import decisions_of

pytestmark = pytest.mark.core


def test_a_label_file_gives_the_decisions_that_stand(tmp_path) -> None:
    """Changed ones as they are now, without those that were taken back, as the player has them."""
    book = LabelBook("session_id", tmp_path / "labels.csv", annotator="ana")
    first, second = book.add("a", "late"), book.add("b", "late", note="two\nlines")
    book.add("c", "fine", start_s=1.5, end_s=2.5)
    book.change(first.decision_id, "a", "fine")
    book.remove(second.decision_id)
    read = decisions_of(pd.read_csv(tmp_path / "labels.csv"), "session_id", "labels")
    own = decisions_of(book.to_frame(), "session_id", "labels")
    assert set(read["session"]) == set(own["session"]) == {"a", "c"}
    assert read["label"].tolist() == ["fine", "fine"]
    assert read["annotator"].tolist() == ["ana", "ana"]
    assert read.set_index("session").loc["c", ["start_s", "end_s"]].tolist() == [1.5, 2.5]


def test_of_a_player_s_frame_undecided_calls_are_no_decisions() -> None:
    """Several labels of a call are told apart."""
    desk = player(pd.DataFrame({"session_id": ["a", "b", "c"]}), labels=["late", "fine"])
    desk.add_label("late", session_id="a")
    desk.add_label("fine", session_id="a")
    found = decisions_of(desk.frame, "session_id", "labels")
    assert found[["session", "label"]].to_numpy().tolist() == [["a", "late"], ["a", "fine"]]
    with pytest.raises(FrameError, match=r"pass player\.labels"):
        decisions_of(desk, "session_id", "labels")
    desk.close()


def test_any_dtype_is_read() -> None:
    """Categories, objects with None, ids in the index; a region without an end, or one before its start, is a point."""
    table = pd.DataFrame(
        {
            "label": pd.Categorical(["x", None, "y"]),
            "note": [None, "heard", None],
            "start_s": ["1.5", None, "3"],
            "end_s": [None, None, 2],
        },
        index=pd.Index(["a", "b", "c"], name="session_id"),
    )
    found = decisions_of(table, "session_id", "labels")
    assert found["session"].tolist() == ["a", "b", "c"]
    assert found["label"].isna().tolist() == [False, True, False]
    assert found["end_s"].fillna(-1).tolist() == [1.5, -1, 3]


def test_rows_without_a_call_are_told() -> None:
    """They are about nothing."""
    with pytest.warns(UserWarning, match="without an id"):
        found = decisions_of(pd.DataFrame({"session_id": ["a", None], "label": "x"}), "session_id", "labels")
    assert len(found) == 1


def test_no_rows_are_no_decisions() -> None:
    """Of an empty frame."""
    assert decisions_of(pd.DataFrame({"session_id": [], "label": []}), "session_id", "labels").empty


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"session_id": ["a"]}), "label"),
        (pd.DataFrame({"label": ["a"]}), "session"),
        (pd.DataFrame({"session_id": ["a"], "label": ["x"], "start_s": ["soon"]}), "no number"),
        (pd.DataFrame([["a", "x", "y"]], columns=["session_id", "label", "label"]), "2 columns named 'label'"),
        ([1], "DataFrame"),
    ],
)
def test_frames_without_labels_are_refused(table, message) -> None:
    """The message names what is missing."""
    with pytest.raises(FrameError, match=message):
        decisions_of(table, "session_id", "labels")


def test_levels_of_the_index_are_read_as_columns() -> None:
    """Whoever decided may stand there too."""
    table = pd.DataFrame({"session_id": ["a"], "annotator": ["ana"], "label": ["x"]}).set_index(
        ["session_id", "annotator"]
    )
    assert decisions_of(table, "session_id", "labels")["annotator"].tolist() == ["ana"]
