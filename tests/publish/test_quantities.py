"""Which columns of numbers a report shows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.numbers.definitions import ALL_COLUMNS
from kataven_notebook.publish.quantities import label_of, quantities

pytestmark = pytest.mark.core

FRAME = pd.DataFrame({"talk_ratio": [0.5, None], "duration_s": [1.0, 2.0], "score": [3, 4], "prompt": ["v1", "v2"]})


def test_the_usual_numbers_that_are_there_come_by_themselves() -> None:
    """With unit, definition and source; one that is missing everywhere says nothing."""
    found = quantities(FRAME.assign(silence_ratio=float("nan")), None, "")
    assert [each.column for each in found] == ["talk_ratio", "duration_s"]
    assert found[1].unit == "s"
    assert found[1].definition == ALL_COLUMNS["duration_s"].definition


def test_a_prefix_stands_before_the_names() -> None:
    """Labels and definitions are those without it."""
    (found,) = quantities(FRAME.rename(columns={"talk_ratio": "kn_talk_ratio"}), None, "kn_")
    assert (found.column, found.unit) == ("kn_talk_ratio", "1")
    assert "kn" not in found.label.lower()


def test_any_column_of_numbers_can_be_asked_for() -> None:
    """In the order in which they are named, each once."""
    assert [each.column for each in quantities(FRAME, ["score", "talk_ratio", "score"], "")] == ["score", "talk_ratio"]


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("scor", "did you mean 'score'"),
        (["score", None], "no column None"),
        ([["score"]], "pass the name of one column"),
    ],
)
def test_a_column_that_cannot_be_shown_is_one_sentence(metric: Any, said: str) -> None:
    """Which names it, and what there is."""
    with pytest.raises(FrameError, match=said):
        quantities(FRAME, metric, "")


def test_two_columns_of_a_name_are_refused() -> None:
    """It would not be known which is meant."""
    twice = pd.concat([FRAME, FRAME[["score"]]], axis=1)
    with pytest.raises(FrameError, match="2 columns named"):
        quantities(twice, "score", "")


def test_more_than_a_page_holds_is_refused() -> None:
    """Nobody reads fifty comparisons."""
    wide = pd.DataFrame({f"n{each}": [1.0] for each in range(50)})
    with pytest.raises(ConfigurationError, match="50 columns"):
        quantities(wide, list(wide.columns), "")


def test_names_are_spelled_for_people() -> None:
    """Without unit and underscores."""
    assert [label_of(each) for each in ("agent_turns", "my_score", "")] == ["Agent's turns", "My score", ""]
