"""The figures: each draws into the axes that it is given, or into a new figure."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.arguments import is_whole
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.numbers.measures import measure
from kataven_notebook.plots import drawing, panels
from kataven_notebook.plots.lanes import draw_timeline
from kataven_notebook.speech.detect import check_recording

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd
    from matplotlib.axes import Axes

    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.speech.detect import SpeechOption

_WIDTH_IN = 9.0
_DARK_DBFS = -120.0
_MAX_GROUPS = 40
"""More rows make a figure longer than any page, and in the end than matplotlib can draw."""


def timeline(
    recording: Recording,
    *,
    ax: Axes | None = None,
    agent_channel: int | None = None,
    speech: SpeechOption = "auto",
) -> Axes:
    """Draw who spoke when, where both spoke at once, and how long answers took.

    One lane a channel. Bars are speech, with a paler bar behind each turn and its pauses; backchannels are
    hatched, triangles show where interruptions begin, and stripes across the lanes where both speak.
    Numbers between the lanes are response latencies in seconds: of the agent where `agent_channel` says who
    that is, else of both. Where labels would overlap, the longest latencies have them.

    Parameters
    ----------
    recording
        One call.
    ax
        Where to draw; a new figure by default.
    agent_channel
        Which channel is the agent; its lane is the upper one. None where it isn't known.
    speech
        As in `speech_intervals`.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`, or the new figure's.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    ConfigurationError
        It is no `Recording`, or `agent_channel` or `speech` are none of the above.
    ValueError
        A function given as `speech` returned no intervals.
    IndexError
        There is no such channel.
    DecodeError
        The sound can't be decoded.
    OSError
        The file is gone or can't be read.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> ax = timeline(Recording.from_samples([[0.0, 0.0]] * 8_000, 8_000))
    >>> ax.get_xlabel()
    'time, s'
    """
    check_recording(recording, "kn.plots.timeline")
    known = _agent(agent_channel, recording.channels)
    height = 1.3 + 0.55 * min(recording.channels, 8)
    ax = ax or drawing.new_axes((_WIDTH_IN, height), "kn.plots.timeline")
    draw_timeline(ax, measure(recording, speech=speech), known)
    return ax


def waveform(recording: Recording, *, ax: Axes | None = None) -> Axes:
    r"""Draw the sound of each channel over time, as the lowest and highest sample of each stretch.

    Lanes share one scale, so that a quiet channel looks quiet; the label says how it relates to full scale.
    However long the call, at most 1,600 stretches are drawn, and a clipped sample is seen in any of them.

    Parameters
    ----------
    recording
        One call.
    ax
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`, or the new figure's.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    ConfigurationError
        It is no `Recording`.
    DecodeError
        The sound can't be decoded.
    OSError
        The file is gone or can't be read.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> waveform(Recording.from_samples([0.5, -0.5] * 4_000, 8_000)).get_ylabel().replace("\n", " ")
    'amplitude, ±0.5 of full scale'
    """
    check_recording(recording, "kn.plots.waveform")
    # The label beside a single lane is longer than the lane is high.
    height = max(0.9 + 0.8 * min(recording.channels, 8), 2.2)
    ax = ax or drawing.new_axes((_WIDTH_IN, height), "kn.plots.waveform")
    # One scale for all lanes: a channel scaled to itself would hide that it is quiet.
    times, low, high = drawing.envelope(recording)
    peak = float(max(high.max(initial=0.0), -low.min(initial=0.0))) or 1.0
    colours = drawing.colours()
    for channel in range(recording.channels):
        lane = -2.2 * channel
        colour = colours[channel % len(colours)]
        ax.axhline(lane, color=colour, linewidth=0.5, alpha=0.6)
        ax.fill_between(
            times, lane + low[:, channel] / peak, lane + high[:, channel] / peak, color=colour, linewidth=0.4
        )
    ax.set_yticks([-2.2 * channel for channel in range(recording.channels)])
    ax.set_yticklabels([f"channel {channel}" for channel in range(recording.channels)])
    ax.set_ylabel(f"amplitude,\n±{peak:.2g} of full scale")
    ax.set_ylim(-2.2 * (recording.channels - 1) - 1.15, 1.15)
    drawing.time_axis(drawing.plain(ax), recording.duration_s)
    return ax


def spectrogram(recording: Recording, *, ax: Axes | None = None, channel: int = 0) -> Axes:
    """Draw the level of each frequency of one channel over time, in dB below a full-scale sine.

    Windows of 32 ms with half overlap; the scale spans the 80 dB below the loudest point, and in very quiet
    sound those above -120 dBFS. Telephone sound
    ends at 3.4 kHz, bandwidth that a codec cut off is a dark upper part, hum a bright line at the bottom.

    Parameters
    ----------
    recording
        One call.
    ax
        Where to draw; a new figure by default.
    channel
        Which channel, from 0.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`, or the new figure's.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    ConfigurationError
        It is no `Recording`.
    IndexError
        There is no such channel.
    DecodeError
        The sound can't be decoded.
    OSError
        The file is gone or can't be read.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> spectrogram(Recording.from_samples([0.5, -0.5] * 4_000, 8_000)).get_ylabel()
    'frequency, kHz'
    """
    check_recording(recording, "kn.plots.spectrogram")
    if not 0 <= operator.index(channel) < recording.channels:
        raise IndexError(f"channel {channel}: there are {recording.channels}, counted from 0")
    ax = ax or drawing.new_axes((_WIDTH_IN, 3.0), "kn.plots.spectrogram")
    level_db = drawing.spectrum_db(recording, channel)
    extent = (0.0, recording.duration_s, 0.0, recording.sample_rate / 2_000)
    # Silence scaled to itself would glow like sound.
    top_db = max(float(level_db.max()), _DARK_DBFS + drawing.SPECTRUM_RANGE_DB)
    image = ax.imshow(level_db, origin="lower", aspect="auto", extent=extent, cmap="magma", interpolation="nearest")
    image.set_clim(top_db - drawing.SPECTRUM_RANGE_DB, top_db)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.01)
    bar.set_label("level, dBFS")
    bar.outline.set_visible(False)
    ax.set_ylabel("frequency, kHz")
    ax.set_title(f"channel {channel}", loc="left", fontsize="medium")
    drawing.time_axis(drawing.plain(ax), recording.duration_s)
    return ax


def latency(
    df: pd.DataFrame,
    *,
    by: str | None = None,
    metric: str = "response_latency_p50_s",
    ax: Axes | None = None,
) -> Axes:
    """Draw how a metric is distributed over calls, with its 50th and 90th percentile, per group.

    Each point is a call (of more than 600 in a group, 600 spread evenly over the distribution); the box
    holds the middle half, the solid line is the median, the dashed one the 90th percentile.

    Parameters
    ----------
    df
        A frame with the metrics.
    by
        The column whose values are the groups; all calls are one group by default.
    metric
        Any column of numbers; the agent's median response latency by default.
    ax
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`, or the new figure's.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    FrameError
        A column is not there, or holds no numbers, or there are more than 40 groups and no `ax`.

    Examples
    --------
    >>> import pandas as pd
    >>> calls = pd.DataFrame({"agent": ["a", "a", "b"], "response_latency_p50_s": [0.6, 0.8, 1.4]})
    >>> latency(calls, by="agent").get_xlabel()
    'response latency p50, s'
    """
    groups = panels.groups_of(df, by, metric)
    if ax is None and len(groups) > _MAX_GROUPS:
        raise FrameError(
            f"by={by!r} makes {len(groups):,} groups, and {_MAX_GROUPS} at most fit a figure: choose a column "
            "with fewer, or some of the rows"
        )
    ax = ax or drawing.new_axes((_WIDTH_IN, 1.1 + 0.75 * max(len(groups), 1)), "kn.plots.latency")
    panels.draw_distributions(ax, groups, metric)
    if by is not None:
        ax.set_ylabel(by)
    return ax


@with_configured_names
def overview(
    df: pd.DataFrame, *, ax: Sequence[Axes] | npt.NDArray[np.object_] | None = None, prefix: str = ""
) -> npt.NDArray[np.object_]:
    """Draw a whole frame at a glance: statuses, durations, talk, latencies, silence, interruptions.

    A panel whose columns are not there yet says which function adds them.

    Parameters
    ----------
    df
        A frame with the columns of `audio` or `metrics`, or both.
    ax
        Six axes to draw in; a new figure of two rows by default.
    prefix
        In front of the columns' names, as it was given to `metrics`.

    Returns
    -------
    numpy.ndarray
        The axes, `(2, 3)`, or as they were given.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    FrameError
        `ax` are not six, or `df` is no frame.

    Examples
    --------
    >>> import pandas as pd
    >>> overview(pd.DataFrame({"recording_status": ["downloaded", "missing"]})).shape
    (2, 3)
    """
    panels.check_frame(df)
    given = None if ax is None else np.asarray(ax, dtype=object)
    axes = drawing.new_grid((2, 3), (11.0, 5.6), "kn.plots.overview") if given is None else list(given.ravel())
    if len(axes) != 6:
        raise FrameError(f"ax holds {len(axes)} axes: pass six, one for each panel")
    own = {name: str(name).removeprefix(prefix) for name in df.columns if str(name).startswith(prefix)}
    panels.draw_overview(axes, df[[*own]].set_axis([*own.values()], axis=1) if prefix else df)
    return np.array(axes, dtype=object).reshape(2, 3) if given is None else given


def _agent(value: Any, channels: int) -> int | None:
    """Return the agent's channel, also as a frame's cell has it, or None where it isn't known."""
    if value is None or panels.is_missing(value):
        return None
    if not is_whole(value):
        raise ConfigurationError(f"agent_channel={value!r}: pass the number of a channel, or None where it isn't known")
    if not 0 <= value < channels:
        raise IndexError(f"agent_channel={value}: pass 0 to {channels - 1}")
    return int(value)
