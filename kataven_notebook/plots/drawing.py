"""What the figures share: axes, and sound made small enough to draw."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

import numpy as np

from kataven_notebook.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from kataven_notebook.sound.recording import Recording

    Doubles = npt.NDArray[np.float64]

COLUMNS = 1_600
"""Points across a figure: more than a notebook shows, whatever the sound's length."""
_TIME_STEPS_S = (15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200)
_SPECTRUM_S = 0.032  # long enough to resolve a voice's harmonics, short enough for its syllables
SPECTRUM_RANGE_DB = 80.0


def new_figure(size_inches: tuple[float, float], purpose: str) -> Figure:
    """Return a new figure that lays itself out.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        raise MissingExtra.of("plots", purpose) from None
    return plt.figure(figsize=size_inches, layout="constrained")


def new_axes(size_inches: tuple[float, float], purpose: str) -> Axes:
    """Return the axes of a new figure of this size, which fits a notebook's column.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    """
    return new_figure(size_inches, purpose).add_subplot()


def new_column(heights_in: Sequence[float], width_in: float, purpose: str) -> list[Axes]:
    """Return the axes of a new figure below each other, of these heights.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    """
    figure = new_figure((width_in, sum(heights_in)), purpose)
    return list(figure.subplots(len(heights_in), height_ratios=list(heights_in), squeeze=False).ravel())


def ems(place: Axes | Figure) -> tuple[float, float]:
    """Return the width and height of a figure, or of the axes' part of one, in the size of its text."""
    from matplotlib import rcParams  # noqa: PLC0415 - an extra

    from kataven_notebook.plots.fitted import cell_size  # noqa: PLC0415 - needs the extra

    if hasattr(place, "subplots"):
        width, height = (72 * float(size) / cast("Figure", place).dpi for size in place.bbox.size)
    else:
        width, height = cell_size(place)
    return width / rcParams["font.size"], height / rcParams["font.size"]


def label(ax: Axes, *, x: str | None = None, y: str | None = None) -> None:
    """Label the axes, in as many lines as keep to them."""
    from kataven_notebook.plots.fitted import set_labels  # noqa: PLC0415 - needs the extra

    set_labels(ax, x=x, y=y)


def plain(ax: Axes) -> Axes:
    """Take away the frame's upper and right side, and put the grid behind the data."""
    from matplotlib import rcParams  # noqa: PLC0415 - an extra

    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if rcParams["xtick.direction"] == "in":
        # Without ticks between them, the first numbers of both axes would touch in the corner.
        ax.tick_params(axis="x", pad=rcParams["xtick.major.pad"] + rcParams["xtick.major.size"])
    return ax


def time_axis(ax: Axes, duration_s: float) -> None:
    """Label the x axis with the call's time: seconds, or minutes and seconds from two minutes on."""
    from matplotlib import rcParams  # noqa: PLC0415 - an extra
    from matplotlib.ticker import FuncFormatter, MultipleLocator  # noqa: PLC0415 - an extra

    from kataven_notebook.plots.fitted import axes_width, set_labels, text_width  # noqa: PLC0415 - needs the extra

    ax.set_xlim(0, duration_s)
    if duration_s < 120:
        set_labels(ax, x="time (s)")
        return
    most = int(axes_width(ax) / (1.6 * text_width(_clock(duration_s), rcParams["xtick.labelsize"])))
    most = min(10, max(2, most))
    step_s = next((step for step in _TIME_STEPS_S if duration_s / step <= most), duration_s / most)
    ax.xaxis.set_major_locator(MultipleLocator(step_s))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _clock(value)))
    set_labels(ax, x="time (min:s)")


def _clock(time_s: float) -> str:
    return f"{int(time_s // 60)}:{int(time_s % 60):02d}"


def whole_numbers(axis: Axis) -> None:
    """Put ticks at whole numbers only: there are no half calls."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - an extra

    axis.set_major_locator(MaxNLocator("auto", integer=True))


def round_ticks(ax: Axes) -> None:
    """Put ticks at round numbers of the x axis, no more than have room for their numbers."""
    from matplotlib import rcParams  # noqa: PLC0415 - an extra
    from matplotlib.ticker import MaxNLocator, ScalarFormatter  # noqa: PLC0415 - an extra

    from kataven_notebook.plots.fitted import axes_width, text_width  # noqa: PLC0415 - needs the extra

    (low, high), size = ax.get_xlim(), rcParams["xtick.labelsize"]
    for most in range(9, 1, -1):
        locator, formatter = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]), ScalarFormatter()
        formatter.create_dummy_axis()
        places = np.asarray(locator.tick_values(low, high))
        widest = max(text_width(each, size) for each in formatter.format_ticks(list(places)))
        ax.xaxis.set_major_locator(locator)
        if 1.3 * widest <= axes_width(ax) * (places[1] - places[0]) / (high - low):
            return


def envelope(recording: Recording) -> tuple[Doubles, Doubles, Doubles]:
    """Return times `(n,)`, lows and highs `(n, channels)` of the sound, n at most `COLUMNS`."""
    size = max(1, -(-recording.frames // COLUMNS))
    lows, highs = [], []
    rest = np.empty((0, recording.channels), dtype=np.float32)
    for block in recording.blocks(30.0):
        # NaN would leave holes that look like silence cut out; it is drawn as 0.
        joined = np.concatenate([rest, np.nan_to_num(block, posinf=1.0, neginf=-1.0)])
        whole = len(joined) // size * size
        bins = joined[:whole].reshape(-1, size, recording.channels)
        lows.append(bins.min(axis=1))
        highs.append(bins.max(axis=1))
        rest = joined[whole:]
    if len(rest):
        lows.append(rest.min(axis=0, keepdims=True))
        highs.append(rest.max(axis=0, keepdims=True))
    low, high = np.concatenate(lows).astype(np.float64), np.concatenate(highs).astype(np.float64)
    return (np.arange(len(low)) + 0.5) * size / recording.sample_rate, low, high


def spectrum_db(recording: Recording, channel: int) -> Doubles:
    """Return `(frequencies, columns)` levels in dB below a full-scale sine, one column a stretch of time.

    Windows of 32 ms overlap by half; where there are more than fit a figure, their powers are averaged.
    """
    size = 1 << max(4, round(np.log2(_SPECTRUM_S * recording.sample_rate)))
    hop = size // 2
    windows = max(1, -(-recording.frames // hop))
    together = -(-windows // COLUMNS)
    powers = np.zeros((-(-windows // together), size // 2 + 1))
    counts = np.zeros(len(powers))
    shape = np.hanning(size)
    scale = (shape.sum() / 2) ** 2  # the power of a sine at full scale, which is 0 dB
    done, rest = 0, np.zeros(hop)
    end = np.zeros((hop, recording.channels), dtype=np.float32)
    for block in itertools.chain(recording.blocks(30.0), [end]):
        joined = np.concatenate([rest, np.nan_to_num(block[:, channel], posinf=1.0, neginf=-1.0)])
        count = max(0, len(joined) // hop - 1)
        if not count:
            rest = joined
            continue
        view = np.lib.stride_tricks.sliding_window_view(joined, size)[::hop][:count]
        power = np.abs(np.fft.rfft(view * shape, axis=1)) ** 2 / scale
        columns = np.minimum((done + np.arange(count)) // together, len(powers) - 1)
        np.add.at(powers, columns, power)
        np.add.at(counts, columns, 1)
        done += count
        rest = joined[count * hop :]
    level: Doubles = 10 * np.log10(np.maximum(powers / np.maximum(counts, 1)[:, None], 1e-12)).T
    return np.maximum(level, max(float(level.max()) - SPECTRUM_RANGE_DB, -120.0))


def spread_labels(candidates: Sequence[tuple[float, float]], width: float) -> list[int]:
    """Return which of `(position, importance)` to label so that none comes closer than `width` to another."""
    chosen: list[int] = []
    for index in sorted(range(len(candidates)), key=lambda index: -candidates[index][1]):
        position = candidates[index][0]
        if all(abs(position - candidates[other][0]) >= width for other in chosen):
            chosen.append(index)
    return chosen
