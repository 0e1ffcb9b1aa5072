"""Figures: what they show, in which units, without touching anything global."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bad_sounds import SOUNDS
from drawn_calls import CALLS, RATE, call, given

from kataven_notebook import plots
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.sound.recording import Recording


def test_a_channel_that_is_not_there_is_refused() -> None:
    """By its number."""
    with pytest.raises(IndexError, match="channel 2: there are 2"):
        plots.spectrogram(call(0.0, 0.0), channel=2)


@pytest.mark.parametrize("draw", [plots.timeline, plots.waveform, plots.spectrogram])
@pytest.mark.parametrize("sound", [None, "call.wav", np.zeros(8)])
def test_what_is_no_recording_is_refused_in_words(draw: Any, sound: object) -> None:
    """As the cell of a row without sound has it."""
    with pytest.raises(ConfigurationError, match=r"needs a Recording, not .*`audio`"):
        draw(sound)


@pytest.mark.parametrize("draw", [plots.timeline, plots.waveform, plots.spectrogram])
@pytest.mark.parametrize(("samples", "rate"), SOUNDS.values(), ids=SOUNDS)
def test_sound_of_any_kind_is_drawn(draw: Any, samples: np.ndarray, rate: int) -> None:
    """Without a warning: not finite, constant, of one sample, of any rate and number of channels."""
    ax = draw(Recording.from_samples(samples, rate))
    ax.figure.canvas.draw()
    plt.close(ax.figure)


def test_labels_stay_within_the_figure() -> None:
    """Also where one lane leaves little room for the axis beside it."""
    for subject in (call(0.34), call(0.34, 0.1)):
        ax = plots.waveform(subject)
        ax.figure.canvas.draw()
        box = ax.yaxis.label.get_window_extent()
        assert box.y0 >= 0
        assert box.y1 <= ax.figure.bbox.height


@pytest.mark.parametrize("samples", [np.zeros((1, 2)), np.full((400, 1), np.nan), np.full((400, 1), 7.0)])
def test_hopeless_sound_is_drawn_without_warnings(samples: np.ndarray) -> None:
    """One frame, no numbers, far beyond full scale."""
    recording = Recording.from_samples(samples, RATE)
    for draw in (plots.waveform, plots.spectrogram):
        draw(recording)
    plots.timeline(recording, speech=given)


def test_more_groups_than_a_figure_holds_are_refused() -> None:
    """A column of ids would make a figure of 1,500 inches; own axes take what they are given."""
    many = pd.DataFrame({"id": [f"s{n}" for n in range(2_000)], "response_latency_p50_s": 1.0})
    with pytest.raises(FrameError, match="2,000 groups, and 40 at most"):
        plots.latency(many, by="id")
    assert len(plots.latency(many[:41], by="id", ax=plt.subplots()[1]).get_yticks()) == 41


def test_the_overview_finds_prefixed_columns() -> None:
    """As `metrics` makes them where the caller's own names are in the way; the caller's are not taken for them."""
    prefixed = CALLS.add_prefix("kataven_").assign(duration_s="long")
    assert plots.overview(prefixed, prefix="kataven_")[0, 1].get_title(loc="left") == "p50 70   p90 86   n 3"


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
