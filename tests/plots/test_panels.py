"""Distributions over calls, and the panels of the overview."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_calls import CALLS, texts

from kataven_notebook import plots
from kataven_notebook.errors import FrameError


def test_latency_draws_a_row_per_group_with_its_percentiles() -> None:
    """Numbers beside the marks; a group without values says so; calls without a group are left out."""
    ax = plots.latency(CALLS, by="agent")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    assert texts(ax) == ["p50 0.60   p90 0.68   n 2", "p50 1.60   p90 1.68   n 2", "no values"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("response latency p50, s", "agent")
    assert texts(plots.latency(CALLS)) == ["p50 0.90   p90 1.62   n 5"]


def test_half_a_character_in_a_name_is_spelled_out() -> None:
    """No font has it."""
    calls = CALLS.assign(agent=pd.Series(["x\udce9", *CALLS["agent"].tolist()[1:]], dtype=object))
    ax = plots.latency(calls, by="agent")
    assert "x\\udce9" in [label.get_text() for label in ax.get_yticklabels()]
    ax.figure.savefig(io.BytesIO())


def test_latency_shows_offsets_below_zero() -> None:
    """Floor transfers in overlap are negative seconds; other times begin at 0."""
    offsets = pd.DataFrame({"floor_transfer_offset_p50_s": [-1.5, 0.4, 0.6]})
    assert plots.latency(offsets, metric="floor_transfer_offset_p50_s").get_xlim()[0] < -1.5
    assert plots.latency(CALLS).get_xlim()[0] == 0


def test_groups_come_in_the_order_of_their_categories() -> None:
    """v2 before v10; names that are cut alike, or the same in two types, stay two groups."""
    versions = pd.Categorical(["v10", "v2", "v2", "v10"], categories=["v2", "v10", "v11"], ordered=True)
    long = ["agent of the northern region, first", "agent of the northern region, second"] * 2
    frame = pd.DataFrame({"version": versions, "long": long, "mixed": [1, "1", 1, "1"], "m_s": [1.0, 2.0, 3.0, 4.0]})
    rows = {by: plots.latency(frame, by=by, metric="m_s").get_yticklabels() for by in ("version", "long", "mixed")}
    assert [label.get_text() for label in rows["version"]] == ["v2", "v10"]
    assert [label.get_text() for label in rows["long"]] == [f"agent of the northern r… ({n})" for n in (1, 2)]
    assert [label.get_text() for label in rows["mixed"]] == ["1 (1)", "1 (2)"]


def test_no_groups_are_said() -> None:
    """A frame without rows, or without a group in any."""
    assert texts(plots.latency(CALLS.iloc[:0], by="agent")) == ["no calls with a group"]


def test_latency_draws_big_groups_with_bounded_points() -> None:
    """20,000 calls are 600 points of the same distribution."""
    many = pd.DataFrame({"response_latency_p50_s": np.random.default_rng(0).exponential(1, 20_000)})
    points = np.asarray(plots.latency(many).collections[0].get_offsets())
    assert len(points) == 600
    assert np.median(points[:, 0]) == pytest.approx(many.response_latency_p50_s.median(), abs=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "version"}, "no column 'version'"),
        ({"metric": "lag"}, "no column 'lag'"),
        ({"by": "Agent"}, r"no column 'Agent' \(did you mean 'agent'\?\)"),
        ({"metric": "agent"}, "no numbers"),
        ({"by": ["agent"]}, "no column"),
    ],
)
def test_columns_that_do_not_fit_are_named(options: dict[str, Any], message: str) -> None:
    """With what is there."""
    with pytest.raises(FrameError, match=message):
        plots.latency(CALLS, **options)


def test_the_overview_has_six_panels() -> None:
    """Statuses in the vocabulary's order, distributions, interruptions with all beyond six together."""
    axes = plots.overview(CALLS.astype({"recording_status": "category"}))
    assert axes.shape == (2, 3)
    statuses = [label.get_text() for label in axes[0, 0].get_yticklabels()]
    assert statuses == ["downloaded", "missing", "pending", "corrupt"]
    assert texts(axes[0, 0]) == ["3", "1", "1", "1"]
    assert axes[0, 1].get_title(loc="left") == "p50 70   p90 86   n 3"
    assert axes[1, 0].get_xlabel() == "response latency p50, s"
    legend = [text.get_text() for text in axes[1, 2].get_legend().get_texts()]
    assert legend == ["by agent, 13 in all", "by caller, 3 in all"]
    assert axes[1, 2].patches[6].get_height() == 1


def test_panels_without_columns_or_values_say_what_is_missing() -> None:
    """An empty frame, and one on which metrics() has not run."""
    assert texts(plots.overview(CALLS[["recording_status"]])[1, 0]) == ["no response_latency_p50_s:\nrun metrics()"]
    empty = plots.overview(CALLS.iloc[:0])
    assert texts(empty[0, 0]) == ["recording_status\nis missing in all calls"]
    assert texts(empty[0, 1]) == ["duration_s\nis missing in all calls"]


def test_another_librarys_frame_is_told_how_to_become_one_of_pandas() -> None:
    """In one sentence, as everywhere."""
    arrow = pytest.importorskip("pyarrow").table({"agent": ["a"]})
    for draw in (plots.latency, plots.overview):
        with pytest.raises(FrameError, match=r"not the Table of pyarrow: call \.to_pandas\(\) on it first"):
            draw(arrow)
