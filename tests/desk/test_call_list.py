"""The list of calls: sorting, filtering, and the texts of its windows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pages import sound

from kataven_notebook.desk.call_list import CallList
from kataven_notebook.errors import FrameError

pytestmark = pytest.mark.core


def test_a_list_row_is_a_session_and_windows_are_texts(calls: pd.DataFrame) -> None:
    """A session in two rows is listed once; cells are texts."""
    rows = CallList(calls, session="call", columns=["score"]).window(0, 10, labels=lambda _: "")
    assert [row[2] for row in rows] == ["b", "a", "d", "e", "c"]
    assert rows[0] == [0, "downloaded", "b", "downloaded", "2.5", ""]


@pytest.mark.parametrize(("descending", "expected"), [(False, "abced"), (True, "ecbad")])
def test_numbers_sort_as_numbers_and_missing_ones_last(calls: pd.DataFrame, *, descending: bool, expected: str) -> None:
    """10 comes after 2.5; what has no number stands last in both directions."""
    listed = CallList(calls, session="call", columns=["score"])
    listed.arrange(sort="0", descending=descending, labels=lambda _: "")
    assert "".join(listed.session_id(key) for key in listed.order) == expected


@pytest.mark.parametrize("descending", [False, True])
def test_texts_without_value_and_calls_without_label_stand_last(calls: pd.DataFrame, *, descending: bool) -> None:
    """In both directions, as missing numbers do."""
    listed = CallList(calls.assign(team=["x", None, "y", "", pd.NA, "x"]), session="call", columns=["team"])
    listed.arrange(sort="0", descending=descending, labels=lambda _: "")
    assert "".join(listed.session_id(key) for key in listed.order) == ("dbaec" if descending else "bdaec")
    listed.arrange(sort="labels", descending=descending, labels=lambda session: "good" if session == "e" else "")
    assert listed.session_id(int(listed.order[0])) == "e"


def test_ordered_categories_and_lengths_of_time_sort_in_their_own_order(calls: pd.DataFrame) -> None:
    """Not as the text that is shown: "high" is not before "low", nor 10 minutes before 9."""
    urgency = pd.Categorical(["mid", "low", "high", None, "low", "mid"], ["low", "mid", "high"], ordered=True)
    waited = pd.to_timedelta([9, 10, 1, None, 100, 9], unit="min")
    listed = CallList(calls.assign(u=urgency, w=waited), session="call", columns=["u", "w"])
    listed.arrange(sort="0", labels=lambda _: "")
    assert "".join(listed.session_id(key) for key in listed.order) == "acbde"
    listed.arrange(sort="1", labels=lambda _: "")
    assert "".join(listed.session_id(key) for key in listed.order) == "dbace"


def test_the_list_filters_by_status_text_and_labels(calls: pd.DataFrame) -> None:
    """Each filter alone, and two together."""
    listed = CallList(calls, session="call", columns=["score"])

    def left(**options: Any) -> str:
        listed.arrange(**options, labels=lambda session: "good" if session == "a" else "")
        return "".join(listed.session_id(key) for key in listed.order)

    assert left(status="missing") == "d"
    assert left(text="2.5") == "b"
    assert left(text="DOWNLOADED") == "bac"
    assert left(text="Good") == "a", "the labels are a column, too"
    assert left(status="labelled") == "a"
    assert left(status="unlabelled", text="downloaded") == "bc"


def test_the_sound_says_how_long_a_call_is_where_it_is_there(calls: pd.DataFrame) -> None:
    """The frame may lack the column, or hold something else; without sound it is what says so."""
    frame = calls.assign(audio=[sound(3.0), None, None, None, None, None], duration_s=[99.0, 7.0, "long", None, 1, 1])
    listed = CallList(frame, session="call")
    assert [listed.duration_s(key) for key in range(4)] == [3.0, 7.0, None, None]
    assert CallList(frame.drop(columns="duration_s"), session="call").duration_s(0) == 3.0


def test_a_status_that_all_calls_have_takes_no_column(calls: pd.DataFrame) -> None:
    """Where they differ it has one; numbers say that they are numbers."""
    shown = CallList(calls, session="call", columns=["score"])
    assert [each["id"] for each in shown.header()] == ["session", "status", "0", "labels"]
    assert [each.get("number", False) for each in shown.header()] == [False, False, True, False]
    alike = CallList(calls[calls["recording_status"] == "downloaded"], session="call", columns=["score"])
    assert [each["id"] for each in alike.header()] == ["session", "0", "labels"]
    assert alike.window(0, 1, labels=lambda _: "x") == [[0, "downloaded", "b", "2.5", "x"]]


def test_ten_thousand_columns_are_no_trouble_unless_all_are_shown(calls: pd.DataFrame) -> None:
    """Those that are not shown are found by the filter; more than a hundred are refused with what to do."""
    many = pd.DataFrame({f"c{i}": range(6) for i in range(10_000)}, index=calls.index)
    wide = pd.concat([calls, many], axis=1)
    listed = CallList(wide, session="call", columns=["c1"])
    listed.arrange(text="c9999>2", labels=lambda _: "")
    assert [listed.session_id(key) for key in listed.order] == ["e", "c"]
    with pytest.raises(FrameError, match="pass up to 100 to show"):
        CallList(wide, session="call", columns=list(many.columns))
