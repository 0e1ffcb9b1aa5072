"""Groups below each other."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn_calls import CALLS, texts
from drawn_texts import check_texts
from matplotlib.colors import to_hex

import kataven_notebook as kn
from kataven_notebook import plots
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.plots import colours, scales
from kataven_notebook.plots.rows import statistic_words

RANDOM = np.random.default_rng(1)
TWO = pd.DataFrame(
    {
        "prompt": ["v1", "v2"] * 80,
        "response_latency_p50_s": RANDOM.gamma(6, 0.2, 160) * np.tile([1.0, 0.6], 80),
        "interruptions_by_agent": RANDOM.poisson(0.4, 160),
    }
)


def test_medians_have_intervals_and_their_difference_to_the_reference() -> None:
    """The same numbers as the table of compare_groups; the reference's median is a line through all rows."""
    ax = plots.latency(TWO, by="prompt")
    first, second = kn.compare_groups(TWO, by="prompt", metric="response_latency_p50_s").itertuples()
    alone = scales.interval(first.estimate, first.estimate_low, first.estimate_high)
    apart = scales.interval(second.difference, second.difference_low, second.difference_high)
    assert texts(ax)[0] == alone
    assert texts(ax)[1].endswith(f"Δ {apart}")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["v1\nn = 80", "v2\nn = 80"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        *("calls", "median, 95 % interval", "v1, where Δ is 0"),
    ]
    assert ax.get_legend().legend_handles[-1].get_linestyle() != "-"
    assert ax.get_ylabel() == "prompt"


def test_the_reference_is_chosen() -> None:
    """One that is not there is refused."""
    ax = plots.latency(TWO, by="prompt", reference="v2")
    assert "Δ" in texts(ax)[0]
    assert "Δ" not in texts(ax)[1]
    with pytest.raises(ConfigurationError, match="there is no such group, only 'v1', 'v2'"):
        plots.latency(TWO, by="prompt", reference="v3")


def test_three_calls_have_no_statistics_in_numbers() -> None:
    """A dot and why there is no interval; a group without values says so; one call is drawn."""
    ax = plots.latency(CALLS, by="agent")
    ax.figure.canvas.draw()
    assert [text[:14] for text in texts(ax)] == ["too few values", "too few values", "no values"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a\nn = 2", "b\nn = 2", "c\nn = 0 of 1"]
    plots.latency(CALLS.head(1), by="agent")
    assert texts(plots.latency(CALLS.iloc[:0], by="agent")) == ["no calls with a group"]


def test_counts_have_means() -> None:
    """Medians of 0 and 0 would read as no difference."""
    ax = plots.latency(TWO, by="prompt", metric="interruptions_by_agent")
    assert "mean, 95 % interval" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_calls_of_one_session_are_resampled_together() -> None:
    """A frame with every row five times knows no more."""
    five = pd.concat([TWO.assign(session_id=[f"s{n}" for n in range(160)])] * 5)
    one = texts(plots.latency(TWO, by="prompt"))
    again, apart = (texts(plots.latency(frame, by="prompt")) for frame in (five, five.drop(columns="session_id")))
    for before, after, wrong in zip(one, again, apart, strict=True):
        assert length(after) == pytest.approx(length(before), rel=0.2)
        assert length(wrong) < 0.7 * length(before)


def length(text: str) -> float:
    """Return how long the interval is that a row's text ends with."""
    low, high = (float(end.replace("\N{MINUS SIGN}", "-")) for end in text.partition("[")[2].rstrip("]").split(", "))
    return high - low


def test_groups_have_one_colour_which_is_the_partys() -> None:
    """Rows are told apart by their names: colours that come round again say nothing."""
    for metric, expected in (("response_latency_p50_s", "agent"), ("caller_snr_db", "caller")):
        ax = plots.latency(TWO.rename(columns={"response_latency_p50_s": metric}), by="prompt", metric=metric)
        points = [each for each in ax.collections if len(each.get_offsets()) > 10]
        assert {to_hex(each.get_facecolor()[0]) for each in points} == {colours.ROLES[expected][0]}


def test_latency_shows_offsets_below_zero_and_levels_where_they_are() -> None:
    """Times begin at 0 where that costs little room; levels never do."""
    offsets = pd.DataFrame({"floor_transfer_offset_p50_s": [-1.5, 0.4, 0.6]})
    assert plots.latency(offsets, metric="floor_transfer_offset_p50_s").get_xlim()[0] < -1.5
    assert plots.latency(CALLS).get_xlim()[0] == 0
    levels = pd.DataFrame({"agent_lufs": [-23.0, -22.0, -21.0]})
    assert plots.latency(levels, metric="agent_lufs").get_xlim()[1] < -20


def test_calls_far_out_are_counted_beyond_the_axis() -> None:
    """With an arrow in their row."""
    far = TWO.assign(response_latency_p50_s=TWO["response_latency_p50_s"].where(TWO.index != 7, 40.0))
    ax = plots.latency(far, by="prompt")
    assert ax.get_xlabel() == "response latency, median (s)\n2 beyond, up to 40.0"
    assert ax.get_xlim()[1] < 10
    assert {line.get_ydata()[0] for line in ax.lines if line.get_marker() == ">"} == {0, 1}


def test_latency_draws_big_groups_with_bounded_points() -> None:
    """20,000 calls are 600 points of the same distribution, and the key says so."""
    many = pd.DataFrame({"response_latency_p50_s": np.random.default_rng(0).uniform(0, 2, 20_000)})
    ax = plots.latency(many)
    (points,) = [np.asarray(each.get_offsets()) for each in ax.collections if len(each.get_offsets()) > 10]
    assert len(points) == 600
    assert np.median(points[:, 0]) == pytest.approx(many.response_latency_p50_s.median(), abs=0.01)
    assert ax.get_legend().get_texts()[0].get_text() == "calls, 600 drawn of a group"


def test_long_names_that_are_cut_alike_are_numbered() -> None:
    """And stay within their part of the figure."""
    long = [f"agent of the northern region, which is far away, {n}" for n in (1, 2)]
    frame = pd.DataFrame({"name": long * 10, "m_s": np.arange(20.0)})
    _, ax = plt.subplots(figsize=(3.35, 1.8), layout="constrained")
    plots.latency(frame, by="name", metric="m_s", ax=ax)
    check_texts(ax.figure)
    shown = [label.get_text().split("  ")[0] for label in ax.get_yticklabels()]
    assert [name[-5:] for name in shown] == ["… (1)", "… (2)"]


def test_statistics_are_named_as_people_call_them() -> None:
    """Quantiles too."""
    assert [statistic_words(name) for name in ("p90", "median", "trimmed")] == ["90th percentile", "median", "trimmed"]
