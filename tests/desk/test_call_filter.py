"""What stands in the filter of the list."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.desk.call_filter import holds, parse
from kataven_notebook.desk.marks import text_of

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("text", "name", "sign", "values"),
    [
        ("agent:clinic", "agent", ":", ("clinic",)),
        ('agent:"Sales desk"', "agent", ":", ("sales desk",)),
        ('"my agent":clinic', "my agent", ":", ("clinic",)),
        ("agent:clinic,sales", "agent", ":", ("clinic", "sales")),
        ('agent:"a, b",c', "agent", ":", ("a, b", "c")),
        ('agent:""', "agent", ":", ("",)),
        ("agent:", "agent", ":", ()),
        ('agent:"cli', "agent", ":", ("cli",)),
        ("agent=clinic", "agent", "=", ("clinic",)),
        ("duration_s>60", "duration_s", ">", ("60",)),
        ("duration_s:>=60", "duration_s", ">=", ("60",)),
        ("duration_s<", "duration_s", "<", ()),
        ('"no answer"', "", "", ("no answer",)),
        ("<script>", "", "", ()),
    ],
)
def test_a_condition_has_a_column_a_sign_and_values(text: str, name: str, sign: str, values: tuple[str, ...]) -> None:
    """Quoted where there are spaces, several behind a comma, none while it is being typed."""
    (term,) = parse(text)
    if name:
        assert (term.name, term.sign, term.accepted) == (name, sign, values)
    else:
        assert (term.name, term.text) == ("", text.strip('"'))
    (excluded,) = parse(f"-{text}")
    assert excluded.excluded
    assert excluded.text == term.text


@pytest.mark.parametrize("text", ["", "  ", "-", '"', "- -"])
def test_what_only_begins_a_condition_is_none(text: str) -> None:
    """Each key of a filter is a filter."""
    assert parse(text) == []


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("x:clin", ["Clinic", "sales", None], "100"),
        ("x=clin", ["Clinic", "clin", None], "010"),
        ("x!=clin", ["Clinic", "clin", None], "101"),
        ('x:""', ["Clinic", "", None], "011"),
        ("x:5", [5, 15, 55], "100"),
        ("x:5.0", [5, 15, 55], "100"),
        ("x:0.71", [5 / 7, 0.71, 7.1], "010"),
        ("x>60", [60.0, 60.5, np.nan], "010"),
        ("x<=60", [60.0, 60.5, np.nan], "100"),
        ("x>1:30", [90.0, 90.5, np.nan], "010"),
        ("x>2", ["3", "many", None], "100"),
        ("x:true", [True, False, True], "101"),
        ("x>=2026-02-01", pd.to_datetime(["2026-01-31", "2026-02-01", None]), "010"),
        ("x>=2026-02-01", pd.to_datetime(["2026-01-31", "2026-02-01", None], utc=True), "010"),
        ("x>90", pd.to_timedelta(["1min", "2min", None]), "010"),
        ("x>2", pd.array([1, 3, None], dtype="Int64"), "010"),
    ],
)
def test_a_condition_holds_for_some_rows(text: str, values: Any, expected: str) -> None:
    """Texts by a part of them, numbers by their size; what is missing is never larger or smaller."""
    column = pd.Series(values)
    found = holds(parse(text)[0], column, [text_of(each).casefold() for each in column.tolist()])
    assert not isinstance(found, str)
    assert "".join(str(int(each)) for each in found) == expected


@pytest.mark.parametrize(
    ("text", "values", "words"),
    [
        ("x>many", [1, 2], "compares numbers"),
        ("x>3", ["a", "b"], "holds no numbers"),
        ("x>soon", pd.to_datetime(["2026-01-31", None]), "holds times"),
    ],
)
def test_what_can_not_be_compared_is_said_in_words(text: str, values: Any, words: str) -> None:
    """With what to write instead."""
    column = pd.Series(values)
    found = holds(parse(text)[0], column, [text_of(each) for each in column.tolist()])
    assert isinstance(found, str)
    assert words in found
