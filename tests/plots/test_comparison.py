"""The forest plot of a table of comparisons."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn_calls import texts
from drawn_texts import check_texts

import kataven_notebook as kn
from kataven_notebook import plots
from kataven_notebook.errors import FrameError

MINUS = "\N{MINUS SIGN}"


def calls(rows: int = 120) -> pd.DataFrame:
    """Return calls of three prompts, the second faster, with few interruptions."""
    random = np.random.default_rng(4)
    prompt = np.array(["v1", "v2", "v3"] * (rows // 3))
    return pd.DataFrame(
        {
            "prompt": prompt,
            "hour": np.arange(rows) % 2,
            "response_latency_p50_s": random.gamma(6, 0.2, rows) * np.where(prompt == "v2", 0.5, 1.0),
            "response_latency_p90_s": random.gamma(6, 0.4, rows),
            "interruptions_by_agent": random.poisson(0.4, rows),
            "escalated": random.random(rows) < 0.2,
        }
    )


def rows_of(ax: Any) -> list[str]:
    """Return the rows' names, upper one first."""
    return [label.get_text() for label in ax.get_yticklabels()]


def test_a_row_a_group_shows_what_the_table_says() -> None:
    """Estimate and interval where they are, in numbers above; the reference is the line, and named below."""
    table = kn.compare_groups(calls(), by="prompt", metric="response_latency_p50_s")
    ax = plots.forest(table)
    assert rows_of(ax) == ["v2", "v3"]
    assert ax.get_xlabel() == "response latency, median, difference of medians to v1 (s)"
    for bars, row in zip(ax.containers, table.iloc[1:].itertuples(), strict=True):
        assert float(bars[0].get_xdata()[0]) == row.difference
        (segment,) = bars[2][0].get_segments()
        assert segment[:, 0].tolist() == pytest.approx([row.difference_low, row.difference_high])
    assert texts(ax)[0].startswith(MINUS)
    assert "p < 0.001" in texts(ax)[0]
    assert ax.lines[0].get_xdata()[0] == 0
    low, high = ax.get_xlim()
    assert low < table["difference_low"].min()
    assert high > table["difference_high"].max()


def test_a_p_value_that_is_corrected_says_so() -> None:
    """Beside an interval that is not, and may leave out 0 all the same."""
    table = kn.compare_groups(calls(), by="prompt", metric="response_latency_p90_s")
    assert all("adjusted p = " in text for text in texts(plots.forest(table)))
    alone = kn.compare_groups(calls().query("prompt != 'v3'"), by="prompt", metric="response_latency_p90_s")
    assert "adjusted" not in texts(plots.forest(alone))[0]


def test_each_group_may_have_a_reference_of_its_own() -> None:
    """None of which is a row, and the axis says which they are."""
    options = {"by": ["prompt", "hour"], "metric": "escalated"}
    ax = plots.forest(kn.compare_groups(calls(), reference={"prompt": "v1"}, **options))
    assert rows_of(ax) == ["v2, 0", "v2, 1", "v3, 0", "v3, 1"]
    assert ax.get_xlabel() == "escalated, difference of shares to v1 of the same hour"
    lone = calls().query("prompt != 'v1' or hour == 0")
    ax = plots.forest(kn.compare_groups(lone, reference={"prompt": "v1"}, **options))
    assert rows_of(ax) == ["v2, 0", "v2, 1", "v3, 0", "v3, 1"]
    assert ax.get_xlabel() == "escalated, difference of shares to v1, 0"


def test_ratios_have_their_line_at_one_and_a_scale_of_logarithms() -> None:
    """Of several metrics in any unit, each below its name."""
    metrics = ["response_latency_p50_s", "interruptions_by_agent"]
    ax = plots.forest(kn.compare_groups(calls(), by="prompt", metric=metrics, effect="ratio"))
    assert rows_of(ax) == ["", "v2", "v3", "", "v2", "v3"]
    assert [text for text in texts(ax) if text[0].isalpha()] == [
        *("response latency, median", "interruptions by the agent"),
    ]
    assert ax.get_xscale() == "log"
    assert ax.lines[0].get_xdata()[0] == 1


def test_differences_in_several_units_have_axes_of_their_own() -> None:
    """Seconds and interruptions have no common scale; metrics of one unit share one."""
    metrics = ["response_latency_p50_s", "response_latency_p90_s", "interruptions_by_agent", "escalated"]
    table = kn.compare_groups(calls(), by="prompt", metric=metrics)
    axes = plots.forest(table)
    assert [ax.get_xlabel() for ax in axes] == [
        "difference of medians to v1 (s)",
        "interruptions by the agent, difference of means to v1",
        "escalated, difference of shares to v1",
    ]
    check_texts(axes[0].figure)
    with pytest.raises(FrameError, match=r"ax holds 1 axes, and differences in 3 units \(s, counts, shares\)"):
        plots.forest(table, ax=plt.subplots()[1])
    own = plt.subplots(3, 1, figsize=(7, 8))[1]
    assert plots.forest(table, ax=own) is own


def test_two_factors_name_a_row_together() -> None:
    """As the table's columns stand."""
    ax = plots.forest(kn.compare_groups(calls(), by=["prompt", "hour"], metric="response_latency_p50_s"))
    assert rows_of(ax) == ["v1, 1", "v2, 0", "v2, 1", "v3, 0", "v3, 1"]
    assert ax.get_xlabel().endswith("to v1, 0 (s)")


def test_a_missing_interval_is_explained() -> None:
    """By the table's note, where there is room for it, and in two words where there is not; no group is left out."""
    frame = calls(9)
    frame.loc[frame["prompt"] == "v3", "response_latency_p50_s"] = np.inf
    table = kn.compare_groups(frame, by="prompt", metric="response_latency_p50_s")
    ax = plots.forest(table)
    ax.figure.canvas.draw()
    assert rows_of(ax) == ["v2", "v3"]
    assert "too few values" in texts(ax)[0]
    assert texts(ax)[1]
    small = plt.subplots(figsize=(2.4, 1.6), layout="constrained")[1]
    plots.forest(table, ax=small)
    check_texts(small.figure)
    assert texts(small)[0].endswith("no interval")


def test_a_prefix_is_left_out_of_the_labels() -> None:
    """The unit is that of the metric behind it."""
    frame = calls().add_prefix("k_").rename(columns={"k_prompt": "prompt"})
    table = kn.compare_groups(frame, by="prompt", metric="k_response_latency_p50_s")
    assert plots.forest(table, prefix="k_").get_xlabel().startswith("response latency, median, difference")


@pytest.mark.parametrize("count", [0, 1, 41, 2_050])
def test_any_number_of_rows_is_drawn_or_refused_in_words(count: int) -> None:
    """None says that there is nothing to compare; too many are named."""
    table = kn.compare_groups(calls(6), by="prompt", metric="response_latency_p50_s")
    long = pd.concat([table.iloc[[1]].assign(prompt=f"v{n}", difference=0.1) for n in range(min(count, 41))] or [table])
    long = pd.concat([long] * (count // 41), ignore_index=True) if count > 41 else long.iloc[:count]
    if count > 40:
        with pytest.raises(FrameError, match=r"the table has [\d,]+ rows of one unit, and 40 at most fit a figure"):
            plots.forest(long)
    else:
        ax = plots.forest(long)
        assert len(ax.get_yticks()) == count
        assert texts(ax) == (["no groups to compare"] if not count else texts(ax))


@pytest.mark.parametrize("table", [None, [1.0], pd.DataFrame({"a": [1]}), pd.DataFrame()])
def test_what_is_no_comparison_is_refused(table: Any) -> None:
    """With what is needed."""
    with pytest.raises(FrameError, match=r"table of compare_groups"):
        plots.forest(table)
