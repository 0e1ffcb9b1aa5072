"""Figures: what they show, in which units, without touching anything global."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn_calls import CALLS, call, given
from drawn_texts import check_texts

import kataven_notebook as kn
from kataven_notebook import plots
from kataven_notebook.errors import FrameError


def test_more_groups_than_a_figure_holds_are_refused() -> None:
    """A column of ids would make a figure of 1,500 inches; own axes take what they are given."""
    many = pd.DataFrame({"id": [f"s{n}" for n in range(2_000)], "response_latency_p50_s": 1.0})
    with pytest.raises(FrameError, match="2,000 groups, and 400 at most"):
        plots.latency(many, by="id")
    with pytest.raises(FrameError, match="41 groups, and 40 at most"):
        plots.latency(many[:41], by="id")
    high = plt.figure(figsize=(6, 20)).subplots()
    assert len(plots.latency(many[:41], by="id", ax=high).get_yticks()) == 41
    with pytest.raises(FrameError, match=r"at most fit these axes: .* pass higher axes"):
        plots.latency(many[:41], by="id", ax=plt.subplots()[1])


def test_the_overview_finds_prefixed_columns() -> None:
    """As `metrics` makes them where the caller's own names are in the way; the caller's are not taken for them."""
    prefixed = CALLS.add_prefix("kataven_").assign(duration_s="long")
    assert plots.overview(prefixed, prefix="kataven_")[0, 1].get_xlabel() == "duration (s)"


def test_latency_finds_prefixed_metrics_and_groups_by_any_column() -> None:
    """The metric's name is completed, and stands without its prefix on the axis."""
    prefixed = CALLS.add_prefix("k_").rename(columns={"k_agent": "agent"}).assign(response_latency_p50_s="mine")
    ax = plots.latency(prefixed, by="agent", prefix="k_")
    assert ax.get_xlabel() == "response latency, median (s)"
    assert [label.get_text().split("\n")[0] for label in ax.get_yticklabels()] == ["a", "b", "c"]


@pytest.mark.parametrize("draw", [plots.latency, plots.overview])
def test_what_is_no_frame_is_refused(draw: Any) -> None:
    """And not by the first attribute that it lacks."""
    with pytest.raises(FrameError, match="a DataFrame with a row a call is needed, not list"):
        draw([1.0])


def test_figures_are_drawn_on_the_axes_that_are_passed() -> None:
    """Into given axes, without a figure of their own."""
    figure, axes = plt.subplots(2, 3)
    assert plots.overview(CALLS, ax=axes) is axes
    for draw, subject in ((plots.waveform, call(0.1)), (plots.timeline, call(0.1)), (plots.spectrogram, call(0.1))):
        assert draw(subject, ax=axes[0, 0]) is axes[0, 0]
    assert plots.latency(CALLS, ax=axes[1, 1]) is axes[1, 1]
    assert plt.get_fignums() == [figure.number]
    with pytest.raises(FrameError, match="pass six"):
        plots.overview(CALLS, ax=axes[0])


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_nothing_is_drawn_in_the_colour_of_the_page(style: str) -> None:
    """Text and lines stand out from the style's background."""
    with plt.style.context(style):
        page = mpl.colors.to_rgb(mpl.rcParams["axes.facecolor"])
        axes = [plots.timeline(call(0.1, 0.2), speech=given), plots.latency(CALLS), *plots.overview(CALLS).ravel()]
        for ax in axes:
            for artist in [*ax.lines, *ax.texts]:
                assert np.abs(np.subtract(mpl.colors.to_rgb(artist.get_color()), page)).max() > 0.3
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
        plt.close("all")


def test_without_matplotlib_the_extra_is_named() -> None:
    """Importing the module works; drawing says what to install."""
    code = (
        "import sys; sys.modules['matplotlib'] = sys.modules['matplotlib.pyplot'] = None\n"
        "from kataven_notebook import plots\n"
        "from kataven_notebook.errors import MissingExtra\n"
        "from kataven_notebook.sound.recording import Recording\n"
        "try:\n    plots.waveform(Recording.from_samples([0.0], 8000))\n"
        "except MissingExtra as error:\n    print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "kataven-notebook[plots]"' in result.stdout


MESSY = pd.DataFrame(
    {
        "prompt": ["v1", "v2"] * 75,
        "agent": (["restaurant", "clinic of the northern region, first floor", "delivery, Zürich", None] * 38)[:150],
        "hour": np.arange(150) % 24 * 1.0,
        "recording_status": (["downloaded"] * 8 + ["missing", "corrupt"]) * 15,
        "duration_s": np.r_[np.linspace(20, 200, 149), 5_400],
        "talk_ratio": np.linspace(0.2, 0.9, 150),
        "silence_ratio": np.linspace(0.1, 0.4, 150),
        "response_latency_p50_s": np.r_[np.random.default_rng(3).gamma(6, 0.2, 147), 14.2, np.inf, np.nan],
        "interruptions_by_agent": np.arange(150) % 3,
        "interruptions_by_caller": np.arange(150) % 2,
    }
)


@pytest.mark.parametrize(
    ("size", "style"),
    [((3.35, 2.4), "default"), ((7.0, 3.0), "default"), ((3.35, 2.4), "seaborn-v0_8")],
    ids=["column", "page", "larger text"],
)
def test_no_text_leaves_the_figure_or_stands_on_another(size: tuple[float, float], style: str) -> None:
    """At the width of a paper's column and of its page, with messy frames, in any style."""
    table = kn.compare_groups(MESSY, by="agent", metric="response_latency_p50_s")
    with plt.style.context(style):
        draws: list[Any] = [
            *(lambda ax, by=by: plots.latency(MESSY, by=by, ax=ax) for by in (None, "prompt", "agent", "hour")),
            *(lambda ax, n=n: plots.latency(MESSY.head(n), by="prompt", ax=ax) for n in (0, 1, 3)),
            lambda ax: plots.latency(MESSY.assign(response_latency_p50_s=1.0), by="prompt", ax=ax),
            lambda ax: plots.forest(table, ax=ax),
            lambda ax: plots.timeline(call(0.2, 0.1), agent_channel=1, speech=given, ax=ax),
            lambda ax: plots.waveform(call(0.2, 0.1), ax=ax),
        ]
        for draw in draws:
            figure, ax = plt.subplots(figsize=size, layout="constrained")
            draw(ax)
            check_texts(figure)
            plt.close(figure)


@pytest.mark.parametrize(
    ("size", "by"),
    [((3.35, 10.5), None), ((3.35, 10.5), "agent"), ((7.0, 4.6), "agent")],
    ids=["column", "column by group", "page by group"],
)
def test_the_overviews_texts_keep_to_their_panels(size: tuple[float, float], by: str | None) -> None:
    """Below each other in a column, beside each other on a page."""
    figure = plt.figure(figsize=size, layout="constrained")
    plots.overview(MESSY, by=by, ax=figure)
    check_texts(figure)


@pytest.mark.parametrize("draw", [getattr(plots, name) for name in plots.__all__])
def test_every_figure_takes_axes_and_a_prefix(draw: Any) -> None:
    """By these names."""
    assert {"ax", "prefix"} <= set(inspect.signature(draw).parameters)


def test_a_configured_prefix_is_used() -> None:
    """As for all functions of frames."""
    kn.configure(prefix="k_")
    assert plots.latency(CALLS.add_prefix("k_"), by="k_agent").get_xlabel() == "response latency, median (s)"
    assert plots.overview(CALLS.add_prefix("k_"))[0, 1].get_xlabel() == "duration (s)"
