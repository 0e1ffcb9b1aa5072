"""The figures of one call: each draws into the axes that it is given, or into a new figure."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.arguments import is_whole
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.numbers.measures import measure
from kataven_notebook.numbers.rows import role_of
from kataven_notebook.plots import drawing
from kataven_notebook.plots.groups import column_named, is_missing
from kataven_notebook.plots.lanes import colour_of, draw_timeline, order_of
from kataven_notebook.speech.detect import check_recording

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.speech.detect import SpeechOption

_WIDTH_IN = 9.0
_DARK_DBFS = -120.0


@with_configured_names
def timeline(
    recording: Recording | pd.Series[Any],
    *,
    ax: Axes | None = None,
    agent_channel: int | None = None,
    speech: SpeechOption = "auto",
    prefix: str = "",
) -> Axes:
    """Draw who spoke when, where both spoke at once, and how long answers took.

    One lane a channel. Bars are speech, with a paler bar behind each turn and its pauses; backchannels are
    hatched, triangles show where interruptions begin, and stripes across the lanes where both speak.
    Numbers between the lanes are response latencies in seconds: of the agent where `agent_channel` says who
    that is, else of both. Where labels would overlap, the longest latencies have them.

    Parameters
    ----------
    recording
        One call: a `Recording`, or a frame's row with its columns `audio` and `agent_channel`.
    ax
        Where to draw; a new figure by default.
    agent_channel
        Which channel is the agent; its lane is the upper one. None (the default) where it isn't known, or for what
        the row says.
    speech
        As in `speech_intervals`.
    prefix
        In front of the columns' names, as it was given to `audio` and `metrics`.

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
    'time (s)'
    """
    call, known = _call_of(recording, agent_channel, prefix, "kn.plots.timeline")
    height = 1.3 + 0.55 * min(call.channels, 8)
    ax = ax or drawing.new_axes((_WIDTH_IN, height), "kn.plots.timeline")
    draw_timeline(ax, measure(call, speech=speech), known)
    return ax


@with_configured_names
def waveform(
    recording: Recording | pd.Series[Any],
    *,
    ax: Axes | None = None,
    agent_channel: int | None = None,
    prefix: str = "",
) -> Axes:
    r"""Draw the sound of each channel over time, as the lowest and highest sample of each stretch.

    Lanes share one scale, so that a quiet channel looks quiet; the label says how it relates to full scale.
    However long the call, at most 1,600 stretches are drawn, and a clipped sample is seen in any of them.

    Parameters
    ----------
    recording
        One call: a `Recording`, or a frame's row with its columns `audio` and `agent_channel`.
    ax
        Where to draw; a new figure by default.
    agent_channel
        Which channel is the agent; its lane is the upper one. None (the default) where it isn't known, or for what
        the row says.
    prefix
        In front of the columns' names, as it was given to `audio` and `metrics`.

    Returns
    -------
    matplotlib.axes.Axes
        `ax`, or the new figure's.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    ConfigurationError
        It is no `Recording`, or `agent_channel` is no number.
    IndexError
        There is no such channel.
    DecodeError
        The sound can't be decoded.
    OSError
        The file is gone or can't be read.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> waveform(Recording.from_samples([0.5, -0.5] * 4_000, 8_000)).get_ylabel()
    'amplitude, ±0.5 of full scale'
    """
    call, known = _call_of(recording, agent_channel, prefix, "kn.plots.waveform")
    # The label beside a single lane is longer than the lane is high.
    height = max(0.9 + 0.8 * min(call.channels, 8), 2.2)
    ax = ax or drawing.new_axes((_WIDTH_IN, height), "kn.plots.waveform")
    # One scale for all lanes: a channel scaled to itself would hide that it is quiet.
    times, low, high = drawing.envelope(call)
    peak = float(max(high.max(initial=0.0), -low.min(initial=0.0))) or 1.0
    order, names = order_of(call.channels, known), _parties(call, known)
    for place, channel in enumerate(order):
        lane, colour = -2.2 * place, colour_of(ax, channel, names[channel])
        ax.axhline(lane, color=colour, linewidth=0.5, alpha=0.6)
        ax.fill_between(
            times, lane + low[:, channel] / peak, lane + high[:, channel] / peak, color=colour, linewidth=0.4
        )
    ax.set_yticks([-2.2 * place for place in range(len(order))])
    ax.set_yticklabels([names[channel] or f"channel {channel}" for channel in order])
    drawing.label(ax, y=f"amplitude, ±{peak:.2g} of full scale")
    ax.set_ylim(-2.2 * (len(order) - 1) - 1.15, 1.15)
    drawing.time_axis(drawing.plain(ax), call.duration_s)
    return ax


@with_configured_names
def spectrogram(
    recording: Recording | pd.Series[Any],
    *,
    ax: Axes | None = None,
    channel: int = 0,
    prefix: str = "",
) -> Axes:
    """Draw the level of each frequency of one channel over time, in dB below a full-scale sine.

    Windows of 32 ms with half overlap; the scale spans the 80 dB below the loudest point, and in very quiet
    sound those above -120 dBFS. Telephone sound ends at 3.4 kHz, bandwidth that a codec cut off is a dark upper part,
    hum a bright line at the bottom.

    Parameters
    ----------
    recording
        One call: a `Recording`, or a frame's row with its columns `audio` and `agent_channel`.
    ax
        Where to draw; a new figure by default.
    channel
        Which channel, from 0.
    prefix
        In front of the columns' names, as it was given to `audio` and `metrics`.

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
    'frequency (kHz)'
    """
    call, known = _call_of(recording, None, prefix, "kn.plots.spectrogram")
    if not 0 <= operator.index(channel) < call.channels:
        raise IndexError(f"channel {channel}: there are {call.channels}, counted from 0")
    ax = ax or drawing.new_axes((_WIDTH_IN, 3.0), "kn.plots.spectrogram")
    level_db = drawing.spectrum_db(call, channel)
    extent = (0.0, call.duration_s, 0.0, call.sample_rate / 2_000)
    # Silence scaled to itself would glow like sound.
    top_db = max(float(level_db.max()), _DARK_DBFS + drawing.SPECTRUM_RANGE_DB)
    image = ax.imshow(level_db, origin="lower", aspect="auto", extent=extent, cmap="magma", interpolation="nearest")
    image.set_clim(top_db - drawing.SPECTRUM_RANGE_DB, top_db)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.01)
    bar.set_label("level (dBFS)")
    bar.outline.set_visible(False)
    drawing.label(ax, y="frequency (kHz)")
    ax.set_title(_parties(call, known)[channel] or f"channel {channel}", loc="left", fontsize="medium")
    drawing.time_axis(drawing.plain(ax), call.duration_s)
    return ax


def _call_of(subject: Any, agent_channel: Any, prefix: str, purpose: str) -> tuple[Recording, int | None]:
    """Return the recording, of a frame's row too, and its agent's channel as it was passed or as the row has it."""
    recording = subject
    if isinstance(subject, pd.Series):
        row = subject.to_frame().T
        recording = subject.get(column_named(row, "audio", prefix))
        if agent_channel is None:
            agent_channel = subject.get(column_named(row, "agent_channel", prefix))
    check_recording(recording, purpose)
    return recording, _agent(agent_channel, recording.channels)


def _parties(recording: Recording, agent_channel: int | None) -> list[str | None]:
    """Return whose each channel is; of more than two only the agent's is known."""
    roles = [role_of(channel, agent_channel) for channel in range(recording.channels)]
    return [role if role == "agent" or len(roles) == 2 else None for role in roles]


def _agent(value: Any, channels: int) -> int | None:
    """Return the agent's channel, also as a frame's cell has it, or None where it isn't known."""
    if value is None or is_missing(value):
        return None
    if not is_whole(value):
        raise ConfigurationError(f"agent_channel={value!r}: pass the number of a channel, or None where it isn't known")
    if not 0 <= value < channels:
        raise IndexError(f"agent_channel={value}: pass 0 to {channels - 1}")
    return int(value)
