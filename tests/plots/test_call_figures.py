"""Figures of one call: what they take, and in which colours they show it."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bad_sounds import SOUNDS
from drawn_calls import RATE, call, given
from matplotlib.colors import to_hex

from kataven_notebook import plots
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.plots import colours
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


@pytest.mark.parametrize("draw", [plots.timeline, plots.waveform])
def test_a_frames_row_says_who_the_agent_is(draw: Any) -> None:
    """Its sound is in `audio`, its agent in `agent_channel`, both with the prefix that they were given."""
    row = pd.Series({"k_audio": call(0.2, 0.1), "k_agent_channel": 1, "audio": "call.wav"})
    ax = draw(row, prefix="k_")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["agent", "caller"]
    assert [label.get_text() for label in draw(row, prefix="k_", agent_channel=0).get_yticklabels()] == [
        *("agent", "caller"),
    ]
    with pytest.raises(ConfigurationError, match="needs a Recording, not NoneType"):
        draw(pd.Series({"duration_s": 1.0}))


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_a_channel_has_its_partys_colour_whichever_channel_it_is(style: str) -> None:
    """Agent and caller as in the player; where nobody knows who speaks, channels have colours of their own."""
    with plt.style.context(style):
        dark = style != "default"
        for agent in (0, 1, None):
            names = ("channel0", "channel1") if agent is None else ("agent", "caller")
            expected = [colours.ROLES[name][dark] for name in names]
            lanes = plots.timeline(call(0.1, 0.2), agent_channel=agent, speech=given).lines[:2]
            assert [to_hex(line.get_color()) for line in lanes] == expected
            bands = plots.waveform(call(0.1, 0.2), agent_channel=agent).collections
            assert [to_hex(band.get_facecolor()[0]) for band in bands] == expected
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
        plt.close("all")


def test_the_spectrogram_of_a_row_names_the_party() -> None:
    """And the channel where nobody is known."""
    row = pd.Series({"audio": call(0.2, 0.1), "agent_channel": 1})
    assert plots.spectrogram(row, channel=0).get_title(loc="left") == "caller"
    assert plots.spectrogram(call(0.2, 0.1)).get_title(loc="left") == "channel 0"
