"""What a report says, in order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.frame.sessions import find_sessions
from kataven_notebook.publish import contents, figures
from kataven_notebook.publish.clip_list import PRIVATE, ClipList
from kataven_notebook.publish.comparing import Comparing
from kataven_notebook.publish.contents import Contents, found_in, page_sections
from kataven_notebook.publish.shown import Texts

pytestmark = pytest.mark.core

TEXTS = Texts([], is_masked=False)


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, dict[str, Any]]]:
    """What is given to the figures, which are not drawn."""
    given: list[tuple[str, Any, dict[str, Any]]] = []

    def draw(shown: Any, calls: Any = (), *, name: str, label: str, **how: Any) -> str:
        given.append((name, shown, {"calls": list(calls), **how}))
        return f"<svg>{label}</svg>"

    monkeypatch.setattr(figures, "is_possible", lambda: True)
    monkeypatch.setattr(figures, "distribution", draw)
    monkeypatch.setattr(figures, "at_a_glance", draw)
    return given


def found(frame: pd.DataFrame, by: Any = None, metric: Any = None, prefix: str = "") -> Contents:
    """What is found in a frame."""
    sessions = find_sessions(frame, "session_id")
    return found_in(frame, sessions, TEXTS, by=by, metric=metric, options=Comparing(prefix=prefix))


def headings(sections: list[str]) -> list[str]:
    """The headings, in order."""
    return [each.partition("<h2>")[2].partition("</h2>")[0] for each in sections if "<h2>" in each]


def test_sections_stand_in_order_and_none_is_empty(measured: pd.DataFrame) -> None:
    """Comparison, figures and clips only where there are some."""
    full = page_sections(found(measured, by="prompt"), TEXTS, "T", ClipList("<ol></ol>", 1, "1 moment."))
    order = ["What was measured", "Comparison", "Numbers", "Figures", "Clips", "Definitions", "How this page was made"]
    assert headings(full) == order
    plain = page_sections(found(measured[["session_id"]]), TEXTS, "T", None)
    assert headings(plain) == ["What was measured", "How this page was made"]


def test_the_line_about_private_calls_stands_only_beside_sound(measured: pd.DataFrame) -> None:
    """And there is none without clips."""
    for playing, is_there in ((1, True), (0, False)):
        text = "".join(page_sections(found(measured), TEXTS, "T", ClipList("<ol></ol>", playing, "1 moment.")))
        assert (PRIVATE in text) is is_there


def test_agents_and_groups_are_known_by_session(measured: pd.DataFrame) -> None:
    """For the clips."""
    one = found(measured, by="prompt")
    assert one.agents == dict.fromkeys(measured["session_id"][:16], 1)
    assert one.groups["session-0009"] == "v2"
    assert found(measured).groups == {}


def test_a_call_of_two_rows_is_one_at_a_glance(
    measured: pd.DataFrame, drawn: list[tuple[str, Any, dict[str, Any]]]
) -> None:
    """Its axis says calls."""
    found(pd.concat([measured.assign(talk_ratio=0.5), measured]))
    assert drawn[-1][0] == "glance"
    assert len(drawn[-1][1]) == len(measured)
    assert len(drawn[-1][1]["recording_status"]) == len(measured)


def test_calls_in_no_group_are_counted(measured: pd.DataFrame) -> None:
    """A reader would take the groups for all calls."""

    def comparison(frame: pd.DataFrame) -> str:
        return next(each for each in page_sections(found(frame, by="prompt"), TEXTS, "t", None) if "Comparison" in each)

    frame = measured.assign(prompt=measured["prompt"].where(measured.index > 2))
    assert "3 calls in no group of prompt: left out here" in comparison(frame)
    # Called twice, and of a group once: it is in it.
    assert "2 calls in no group" in comparison(pd.concat([frame, frame.head(1).assign(prompt="v1")]))
    assert "in no group" not in comparison(measured)


def test_figures_are_drawn_of_what_was_found(
    measured: pd.DataFrame, drawn: list[tuple[str, Any, dict[str, Any]]]
) -> None:
    """The first usual number by group, then all calls; without ids, sound or columns of the user's."""
    frame = measured.add_prefix("kn_").rename(columns={"kn_session_id": "session_id"})
    shown = found(frame, by="kn_prompt", prefix="kn_")
    (first, single, how), (second, glance, _) = drawn
    assert (first, second) == ("figure0", "glance")
    assert single == [each for each in shown.of_groups if each.quantity is shown.chosen[0]]
    assert (how["metric"], how["by"], how["level"]) == ("response_latency_p50_s", "kn_prompt", 0.95)
    assert [name for name, _ in how["calls"]] == ["v1", "v2"]
    for name, numbers in how["calls"]:
        wanted = frame.loc[frame["kn_prompt"] == name, "kn_response_latency_p50_s"]
        assert np.array_equal(numbers, wanted.to_numpy(), equal_nan=True)
    assert set(glance.columns) == {
        *("duration_s", "talk_ratio", "response_latency_p50_s", "interruptions_by_caller", "recording_status"),
    }


def test_three_of_the_numbers_that_were_asked_for_are_drawn(
    measured: pd.DataFrame, drawn: list[tuple[str, Any, dict[str, Any]]]
) -> None:
    """More would say less; infinite values are left out."""
    frame = measured.assign(a=np.inf, b=1.0)
    found(frame, metric=["a", "b", "happy", "talk_ratio"])
    assert [name for name, *_ in drawn] == ["figure0", "figure1", "figure2", "glance"]
    (of_all,) = drawn[0][2]["calls"]
    assert np.isnan(of_all[1]).all()


def test_columns_that_are_there_twice_and_tuples_for_names_are_passed_over(
    measured: pd.DataFrame, drawn: list[tuple[str, Any, dict[str, Any]]]
) -> None:
    """Where they are not what was asked for."""
    frame = pd.concat([measured, measured[["talk_ratio"]]], axis=1)
    frame = frame.set_axis([("a", "b") if name == "happy" else name for name in frame.columns], axis=1)
    found(frame, by="prompt", metric="response_latency_p50_s")
    assert "talk_ratio" not in drawn[1][1].columns


def test_nothing_is_drawn_of_nothing(drawn: list[tuple[str, Any, dict[str, Any]]]) -> None:
    """No calls, no numbers."""
    found(pd.DataFrame({"session_id": ["a"]}))
    found(pd.DataFrame({"session_id": pd.Series(dtype="string"), "x": pd.Series(dtype=float)}), metric="x")
    assert drawn == []
    assert contents._DRAWN == 3
