"""From the frame to findings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.publish.comparing import Comparing, NamedGroups, compared, named_groups, overall
from kataven_notebook.publish.quantities import quantities
from kataven_notebook.publish.shown import Texts

pytestmark = pytest.mark.core

TEXTS = Texts([], is_masked=False)
METRIC = "response_latency_p50_s"


def groups_of(frame: pd.DataFrame, by: Any, texts: Texts = TEXTS) -> NamedGroups:
    """The groups, which are there."""
    found = named_groups(frame, by, texts)
    assert found is not None
    return found


def test_groups_are_compared_as_by_compare_groups(measured: pd.DataFrame) -> None:
    """Number for number."""
    found = compared(measured, groups_of(measured, "prompt"), quantities(measured, METRIC, ""), TEXTS, Comparing())
    table = kn.compare_groups(measured, "prompt", METRIC)
    assert [each.group for each in found] == ["v1", "v2"]
    assert [each.reference for each in found] == ["", "v1"]
    assert found[1].difference.low == table["difference_low"].iloc[1]
    assert found[1].p_adjusted == table["p_adjusted"].iloc[1]
    assert [each.missing for each in found] == [0, 1]


def test_all_calls_are_estimated_with_the_same_statistic(measured: pd.DataFrame) -> None:
    """A number over all calls is what it is within a group."""
    chosen = quantities(measured, [METRIC, "interruptions_by_caller", "happy"], "")
    found = overall(measured, chosen, TEXTS, Comparing())
    assert [each.statistic for each in found] == ["median", "mean", "share"]
    assert found[0].estimate.value == measured[METRIC].median()
    assert all(each.estimate.is_known and not each.group for each in found)


def test_rows_of_one_session_are_one_call(measured: pd.DataFrame) -> None:
    """Five times the rows are no more calls; with cluster=None each row counts."""
    many = pd.concat([measured] * 5)
    chosen = quantities(many, "interruptions_by_caller", "")
    (clustered,), (single,) = (overall(many, chosen, TEXTS, Comparing(cluster=each)) for each in ("auto", None))
    (once,) = overall(measured, chosen, TEXTS, Comparing())
    assert (clustered.calls, clustered.n, single.calls) == (16, 80, 80)
    assert np.isclose(
        clustered.estimate.high - clustered.estimate.low, once.estimate.high - once.estimate.low, rtol=0.2
    )


def test_the_reference_can_be_chosen(measured: pd.DataFrame) -> None:
    """One for all, or the group beside each."""
    chosen = quantities(measured, METRIC, "")
    found = compared(measured, groups_of(measured, "prompt"), chosen, TEXTS, Comparing(reference="v2"))
    assert [each.reference for each in found] == ["v2", ""]
    frame = measured.assign(hour=[9.0, 10.0] * 8 + [9.0])
    beside = compared(frame, groups_of(frame, ["prompt", "hour"]), chosen, TEXTS, Comparing(reference={"prompt": "v1"}))
    assert [(each.group, each.reference) for each in beside] == [
        ("v1, 9", ""),
        ("v1, 10", ""),
        ("v2, 9", "v1, 9"),
        ("v2, 10", "v1, 10"),
    ]
    with pytest.raises(ConfigurationError, match="v9"):
        compared(measured, groups_of(measured, "prompt"), chosen, TEXTS, Comparing(reference="v9"))


def test_no_two_groups_have_one_name() -> None:
    """Long ones are cut, and would be the same."""
    frame = pd.DataFrame({"p": ["x" * 200 + "1", "x" * 200 + "2", None]})
    found = groups_of(frame, "p")
    assert found.names == ["x" * 79 + "…", "x" * 79 + "… (2)"]
    assert found.by_row(3) == [*found.names, None]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([9.0, 10.5], ["9", "10.5"]),
        ([True, False], ["False", "True"]),
        (pd.to_datetime(["2026-03-02", "2026-03-03 10:00"], format="ISO8601"), ["2026-03-02", "2026-03-03 10:00:00"]),
        (pd.to_datetime(["2026-03-02", "2026-03-03"]), ["2026-03-02", "2026-03-03"]),
        (["a", 1], ["1", "a"]),
    ],
)
def test_groups_of_any_kind_have_names(values: Any, names: list[str]) -> None:
    """Numbers, truth, days, a mixture."""
    assert sorted(groups_of(pd.DataFrame({"p": values}), "p").names) == sorted(names)


def test_categories_without_rows_are_left_out(measured: pd.DataFrame) -> None:
    """Nobody asked about them."""
    frame = measured.astype({"prompt": pd.CategoricalDtype(["v2", "v3", "v1"])})
    found = compared(frame, groups_of(frame, "prompt"), quantities(frame, METRIC, ""), TEXTS, Comparing())
    assert [each.group for each in found] == ["v2", "v1"]
    # Nor is the first of them what others are compared with.
    frame = measured.astype({"prompt": pd.CategoricalDtype(["v3", "v2", "v1"])})
    groups, chosen = groups_of(frame, "prompt"), quantities(frame, METRIC, "")
    assert [each.reference for each in compared(frame, groups, chosen, TEXTS, Comparing())] == ["", "v2"]
    with pytest.raises(ConfigurationError, match="reference='v3': no call is in this group"):
        compared(frame, groups, chosen, TEXTS, Comparing(reference="v3"))
    frame = frame.assign(prompt=frame["prompt"].cat.set_categories(["v3"]))
    assert compared(frame, groups_of(frame, "prompt"), chosen, TEXTS, Comparing()) == []


@pytest.mark.parametrize("by", [[], ["prompt", "no"], {"prompt": 1}, "lists"])
def test_what_makes_no_groups_is_one_sentence(measured: pd.DataFrame, by: Any) -> None:
    """No column, one that is not there, no name, values that can't be told apart."""
    with pytest.raises(FrameError):
        named_groups(measured.assign(lists=[[1]] * len(measured)), by, TEXTS)
    assert named_groups(measured, None, TEXTS) is None


def test_figures_have_the_names_and_the_order_of_the_tables(measured: pd.DataFrame) -> None:
    """Hours are points on a line; what else there is has its name."""
    frame = measured.assign(hour=[9, 10, 11, 8] * 4 + [8], n=[10, 9] * 8 + [9])
    assert groups_of(frame, "prompt").keys() == ["v1", "v2"]
    assert groups_of(frame, "hour").keys() == [8, 9, 10, 11]
    assert groups_of(frame, ["prompt", "n"]).keys() == ["v1, 9", "v1, 10", "v2, 9", "v2, 10"]
