"""From a frame to its groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_calls import CALLS

import kataven_notebook as kn
from kataven_notebook import plots
from kataven_notebook.errors import FrameError
from kataven_notebook.plots.groups import estimates_of, groups_of, name_of, places_of, session_of


def names(frame: pd.DataFrame, by: Any, metric: Any = "m_s") -> list[str]:
    """Return what the groups are called."""
    return [group.name for group in groups_of(frame, by, metric)]


def test_groups_come_in_the_order_of_their_categories() -> None:
    """v2 before v10; the same name in two types stays two groups; categories without rows are none."""
    versions = pd.Categorical(["v10", "v2", "v2", "v10"], categories=["v2", "v10", "v11"], ordered=True)
    frame = pd.DataFrame({"version": versions, "mixed": [1, "1", 1, "1"], "m_s": [1.0, 2.0, 3.0, 4.0]})
    assert names(frame, "version") == ["v2", "v10"]
    assert names(frame, "mixed") == ["1 (1)", "1 (2)"]


def test_names_are_as_people_write_them() -> None:
    """Whole numbers without a point, days without midnight, one line, no formula."""
    shown = [name_of(key) for key in (7.0, 0.5, pd.Timestamp("2026-03-02 14:05"), "a\nb", "$a$", True, "")]
    assert shown == ["7", "0.5", "2026-03-02 14:05:00", "a b", r"\$a\$", "True", "(empty)"]


@pytest.mark.parametrize("metric", ["lag_s", "hits", "booked"])
@pytest.mark.parametrize("copies", [1, 2])
def test_figures_and_tables_say_the_same(metric: str, copies: int) -> None:
    """Of six calls, of none with an event, of duplicated ones, and where sessions are named."""
    random = np.random.default_rng(8)
    versions = np.repeat(["a", "b", "c"], [6, 30, 30])
    calls = pd.DataFrame({"version": versions, "session_id": np.arange(66), "lag_s": random.lognormal(0, 0.5, 66)})
    calls["hits"] = np.where(random.random(66) < 0.2, 4, 0) * (versions != "a")
    calls["booked"] = random.random(66) < 0.4
    calls = pd.concat([calls] * copies)
    table = kn.compare_groups(calls, by="version", metric=metric)
    found = estimates_of(groups_of(calls, "version", metric, session="session_id"), table["statistic"].iloc[0], 0)
    for name, known in (("estimate", [each for each, _ in found]), ("difference", [each for _, each in found])):
        for end, column in (("value", name), ("low", f"{name}_low"), ("high", f"{name}_high")):
            drawn = [np.nan if each is None else getattr(each, end) for each in known]
            assert drawn == pytest.approx(table[column].tolist(), rel=1e-9, nan_ok=True)


def test_infinite_and_missing_values_are_counted_and_left_out() -> None:
    """Rows without a group too."""
    frame = pd.DataFrame({"g": ["a", "a", "a", None], "m_s": [1.0, np.inf, np.nan, 5.0]}, index=[0, 0, 1, 1])
    (group,) = groups_of(frame, "g", "m_s")
    assert (group.numbers.tolist(), group.rows) == ([1.0], 3)


@pytest.mark.parametrize("dtype", ["float64", "Int64", "Float64", "object", "category"])
def test_numbers_are_taken_of_any_dtype(dtype: str) -> None:
    """Nullable ones and objects too."""
    frame = pd.DataFrame({"m_s": pd.Series([1, 2, None], dtype=dtype)})
    (group,) = groups_of(frame, None, "m_s")
    assert group.numbers.tolist() == [1.0, 2.0]


def test_numbers_that_are_text_are_drawn_as_numbers() -> None:
    """As a file's column is read where a cell held a word."""
    frame = pd.DataFrame({"g": ["a", "b"] * 10, "m_s": [f"{n / 7}" for n in range(20)]})
    assert plots.latency(frame, by="g", metric="m_s").get_xlabel() == "m (s)"


def test_keys_that_cannot_be_compared_are_groups() -> None:
    """Of several types, and times with and without a zone."""
    stamps = [pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-01", tz="UTC")]
    frame = pd.DataFrame({"mixed": [1, "a", None, (1, 2)], "zones": stamps * 2, "m_s": 1.0})
    assert len(names(frame, "mixed")) == 3
    assert len(names(frame, "zones")) == 2


def test_half_a_character_in_a_name_is_spelled_out() -> None:
    """No font has it."""
    calls = CALLS.assign(agent=pd.Series(["x\udce9", *CALLS["agent"].tolist()[1:]], dtype=object))
    assert "x\\udce9" in names(calls, "agent", "response_latency_p50_s")


def test_only_numbers_and_times_of_three_groups_have_places() -> None:
    """Names, booleans, two versions and categories in an order of their own stand below each other."""
    frame = pd.DataFrame({"m_s": 1.0, "hour": np.arange(24.0), "name": [f"v{n}" for n in range(24)]})
    frame["day"] = pd.date_range("2026-03-01", periods=24, tz="Europe/Berlin")
    frame["period"] = pd.period_range("2026-01", periods=24, freq="M")
    frame["date"] = frame["day"].dt.date
    frame["category"] = frame["hour"].astype("category")
    frame["own"] = pd.Categorical(frame["hour"], categories=[*range(12, 24), *range(12)])
    frame["flag"] = frame["hour"] > 3
    frame["inf"] = frame["hour"].replace(0, np.inf)
    placed = {by for by in frame.columns[1:] if places_of(groups_of(frame, by, "m_s")) is not None}
    assert placed == {"hour", "day", "period", "date", "category"}
    assert places_of(groups_of(frame.head(2), "hour", "m_s")) is None


def test_rows_of_one_session_have_one_code() -> None:
    """Rows without a session have nothing in common."""
    frame = pd.DataFrame({"session_id": ["a", "a", None, None], "m_s": 1.0})
    (group,) = groups_of(frame, None, "m_s", session="session_id")
    assert group.sessions is not None
    assert len(set(group.sessions.tolist())) == 3
    assert group.sessions[0] == group.sessions[1]


def test_the_session_column_is_the_one_asked_for_or_the_usual_one() -> None:
    """One that is asked for has to be there."""
    frame = pd.DataFrame({"session_id": ["a"], "call": ["b"]})
    assert session_of(frame, None) == "session_id"
    assert session_of(frame[["call"]], None) is None
    kn.configure(session="call")
    assert session_of(frame, None) == "call"
    with pytest.raises(FrameError, match="no column 'caller'"):
        session_of(frame, "caller")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "version"}, "no column 'version'"),
        ({"metric": "lag"}, "no column 'lag'"),
        ({"by": "Agent"}, r"no column 'Agent' \(did you mean 'agent'\?\)"),
        ({"metric": "agent"}, "no numbers"),
        ({"by": ["agent"]}, "no column"),
        ({"session": "call"}, "no column 'call'"),
        ({"by": "lists"}, "holds lists"),
        ({"metric": "when"}, "holds no numbers, it is of dtype datetime64"),
    ],
)
def test_columns_that_do_not_fit_are_named(options: dict[str, Any], message: str) -> None:
    """With what is there."""
    calls = CALLS.assign(lists=[[1]] * 6, when=pd.Timestamp("2026-03-02"))
    with pytest.raises(FrameError, match=message):
        plots.latency(calls, **options)


def test_two_columns_of_one_name_are_refused() -> None:
    """Nobody can say which is meant."""
    with pytest.raises(FrameError, match="there are 2 columns 'agent'"):
        plots.latency(pd.concat([CALLS, CALLS[["agent"]]], axis=1), by="agent")


def test_columns_of_several_levels_are_found() -> None:
    """By their tuple."""
    frame = pd.DataFrame({("x", "g"): ["a", "b"], ("x", "m_s"): [1.0, 2.0]})
    assert names(frame, ("x", "g"), ("x", "m_s")) == ["a", "b"]
    plots.latency(frame, by=("x", "g"), metric=("x", "m_s"))
