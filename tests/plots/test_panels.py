"""The panels of the overview."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from drawn_calls import CALLS, texts
from matplotlib.colors import to_hex

from kataven_notebook import plots
from kataven_notebook.errors import FrameError
from kataven_notebook.plots import colours, panels

MANY = pd.DataFrame(
    {
        "prompt": ["v1", "v2"] * 40,
        "recording_status": ["downloaded"] * 70 + ["missing"] * 10,
        "duration_s": np.r_[np.linspace(30, 300, 79), 5_400.0],
        "talk_ratio": np.linspace(0.2, 0.8, 80),
        "silence_ratio": np.linspace(0.1, 0.3, 80),
        "response_latency_p50_s": np.linspace(0.5, 1.5, 80),
        "interruptions_by_agent": pd.array([0, 1] * 40, dtype="Int64"),
        "interruptions_by_caller": pd.array([2, 1] * 40, dtype="Int64"),
    }
)


def key(ax) -> list[str]:
    """Return the entries of a panel's key."""
    return [] if ax.get_legend() is None else [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_overview_has_six_panels() -> None:
    """Statuses in the vocabulary's order, distributions, interruptions with all beyond six together."""
    axes = plots.overview(CALLS.astype({"recording_status": "category"}))
    assert axes.shape == (2, 3)
    statuses = [label.get_text() for label in axes[0, 0].get_yticklabels()]
    assert statuses == ["downloaded", "missing", "pending", "corrupt"]
    assert texts(axes[0, 0]) == ["3", "1", "1", "1"]
    assert axes[0, 1].get_ylabel().replace("\N{NO-BREAK SPACE}", " ") == "calls (n = 3)"
    assert axes[1, 0].get_xlabel() == "response latency, median (s)"
    assert key(axes[1, 2]) == ["by the agent (13)", "by the caller (3)"]
    assert axes[1, 2].patches[6].get_height() == 1
    assert [label.get_text() for label in axes[1, 2].get_xticklabels()] == ["0", "1", "2", "3", "4", "5", "6+"]


def test_panels_without_columns_or_values_say_what_is_missing() -> None:
    """An empty frame, and one on which metrics() has not run."""
    assert texts(plots.overview(CALLS[["recording_status"]])[1, 0]) == ["no response_latency_p50_s:\nrun metrics()"]
    empty = plots.overview(CALLS.iloc[:0])
    assert texts(empty[0, 0]) == ["recording_status\nis missing in all calls"]
    assert texts(empty[0, 1]) == ["duration_s\nis missing in all calls"]


def test_lines_have_a_key_and_few_calls_have_no_statistics() -> None:
    """A solid line is the median, a dashed one the 90th percentile; three calls have neither."""
    full, few = (plots.overview(frame[["duration_s"]])[0, 1] for frame in (MANY, MANY.head(3)))
    assert key(full) == ["median 167", "90th percentile 276"]
    assert [line.get_linestyle() for line in full.lines] == ["-", "--"]
    assert (key(few), len(few.lines)) == ([], 0)


def test_the_scale_holds_the_bulk_and_says_what_lies_beyond() -> None:
    """One call of 90 minutes doesn't press all others into a bar."""
    ax = plots.overview(MANY[["duration_s"]])[0, 1]
    assert ax.get_xlim()[1] == pytest.approx(300)
    assert ax.get_xlabel() == "duration (s)\n1 beyond, up to 5400"


def test_groups_share_the_panels() -> None:
    """Each with its own colour, kind of line and mark; interruptions with the mean of each and its interval."""
    axes = plots.overview(MANY, by="prompt")
    assert key(axes[0, 0]) == ["v1 (n = 40)", "v2 (n = 40)"]
    first, second = axes[0, 2].patches
    assert first.get_edgecolor() != second.get_edgecolor()
    assert first.get_linestyle() != second.get_linestyle()
    assert key(axes[0, 2]) == ["median of a group"]
    assert [label.get_text() for label in axes[1, 2].get_yticklabels()] == ["v1", "v2"]
    agent, caller = axes[1, 2].containers[0], axes[1, 2].containers[2]
    assert float(agent[0].get_xdata()[0]) == 0
    assert float(caller[0].get_xdata()[0]) == 2


@pytest.mark.parametrize("prefix", ["", "k_"])
def test_duplicated_calls_make_interruptions_no_surer(prefix: str) -> None:
    """Their session says that they are one call."""
    named = MANY.add_prefix(prefix).rename(columns={f"{prefix}prompt": "prompt"}).assign(session_id=np.arange(80))
    bars = []
    for frame in (named, pd.concat([named] * 5)):
        panel = plots.overview(frame, by="prompt", prefix=prefix)[1, 2]
        bars.append([np.ptp(line.get_segments()[0][:, 0]) for line in panel.collections if len(line.get_segments())])
    assert bars[1] == pytest.approx(bars[0], rel=0.05)


def test_agent_and_caller_have_their_colours_and_are_told_apart_without() -> None:
    """In a copy in grey by their hatching."""
    agent, caller = plots.overview(MANY[[*panels.INTERRUPTIONS]])[1, 2].containers
    assert to_hex(agent[0].get_facecolor()) == colours.ROLES["agent"][0]
    assert to_hex(caller[0].get_facecolor()) == colours.ROLES["caller"][0]
    assert agent[0].get_hatch() != caller[0].get_hatch()


@pytest.mark.parametrize("count", [7, 10_000])
def test_more_groups_than_can_be_told_apart_are_refused(count: int) -> None:
    """In words, with how many there are."""
    frame = pd.DataFrame({"id": np.arange(count), "duration_s": 1.0})
    with pytest.raises(FrameError, match=f"makes {count:,} groups, and 6 at most"):
        plots.overview(frame, by="id")


def test_the_overview_takes_a_figure() -> None:
    """In a narrow one the panels stand below each other; one with no room for their texts is refused."""
    plt = pytest.importorskip("matplotlib.pyplot")
    wide, narrow, low = (plt.figure(figsize=size, layout="constrained") for size in ((7, 4.4), (3.35, 10), (3.35, 3)))
    assert plots.overview(CALLS, ax=wide).shape == (2, 3)
    assert plots.overview(CALLS, ax=narrow).shape == (6, 1)
    # Other tests draw such figures.
    plt.close("all")
    with pytest.raises(FrameError, match="pass a larger figure"):
        plots.overview(CALLS, ax=low)


def test_groups_without_calls_or_rows_are_drawn() -> None:
    """A group whose sound is missing has no line; a frame without rows has no groups."""
    plots.overview(CALLS, by="agent")
    assert texts(plots.overview(CALLS.iloc[:0], by="agent")[0, 1])


def test_another_librarys_frame_is_told_how_to_become_one_of_pandas() -> None:
    """In one sentence, as everywhere."""
    arrow = pytest.importorskip("pyarrow").table({"agent": ["a"]})
    for draw in (plots.latency, plots.overview):
        with pytest.raises(FrameError, match=r"not the Table of pyarrow: call \.to_pandas\(\) on it first"):
            draw(arrow)
