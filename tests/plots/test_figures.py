"""Figures: what they show, in which units, without touching anything global."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

from kataven_notebook import plots
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.sound.recording import Recording

RATE = 8_000
AGENT = [(0.5, 2.5), (6.0, 8.0), (9.5, 14.0)]
CALLER = [(3.0, 5.0), (7.5, 9.0), (11.0, 11.5)]


def given(samples: np.ndarray, _: int) -> list[tuple[float, float]]:
    """Return the scripted speech: the channel says which by its constant level."""
    return {0.1: AGENT, 0.2: CALLER}.get(round(float(samples[0]), 1), [])


def call(*levels: float, duration_s: float = 15.0) -> Recording:
    """Return a recording with one channel at each level."""
    return Recording.from_samples(np.tile(np.array(levels), (round(duration_s * RATE), 1)), RATE)


@pytest.fixture(autouse=True)
def _closed_figures() -> object:
    """Close what a test has drawn, after drawing it for real: warnings come only then."""
    before = dict(mpl.rcParams)
    yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")
    assert dict(mpl.rcParams) == before


def texts(ax: plt.Axes) -> list[str]:
    """Return the annotations."""
    return [text.get_text() for text in ax.texts]


def test_the_timeline_names_lanes_and_tells_latencies() -> None:
    """The agent's lane is the upper one; only its responses are labelled; what is drawn is in the legend."""
    ax = plots.timeline(call(0.2, 0.1), agent_channel=1, speech=given)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["agent", "caller"]
    assert texts(ax) == ["1.00", "0.50"]
    legend = {text.get_text() for text in ax.get_legend().get_texts()}
    assert legend == {"backchannel", "interruption", "both speak", "response latency, s"}
    assert ax.get_xlabel() == "time, s"
    assert ax.get_xlim() == (0, 15)


def test_the_timeline_without_a_known_agent_has_both_parties_latencies() -> None:
    """And names channels."""
    ax = plots.timeline(call(0.1, 0.2), speech=given)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["channel 0", "channel 1"]
    assert sorted(texts(ax)) == ["0.50", "0.50", "1.00"]


@pytest.mark.parametrize("levels", [(0.1,), (0.0, 0.0), (0.1, 0.2, 0.1), (0.1, 0.2, 0.0, 0.0, 0.0, 0.0)])
def test_the_timeline_takes_any_channels(levels: tuple[float, ...]) -> None:
    """One, silent ones, three that speak, six: a lane each."""
    ax = plots.timeline(call(*levels), agent_channel=0, speech=given)
    assert len(ax.get_yticks()) == len(levels)


def test_labels_never_come_closer_than_they_are_wide() -> None:
    """Of many responses the longest are labelled."""
    turns = [(2.0 * k, 2.0 * k + 1) for k in range(300)]
    answers = [(start + 1.2, start + 1.7) for start, _ in turns]
    ax = plots.timeline(
        call(0.1, 0.2, duration_s=600), agent_channel=1, speech=lambda x, _: turns if x[0] < 0.15 else answers
    )
    places = np.sort([text.xy[0] for text in ax.texts])
    assert 5 < len(places) < 25
    assert np.diff(places).min() >= 0.045 * 600
    assert ax.get_xlabel() == "time, min:s"


def test_the_waveform_shows_a_single_loud_sample_of_a_long_call() -> None:
    """Decimation by peaks keeps extremes, and draws no more than the figure can show."""
    samples = np.zeros((40 * 60 * RATE // 10, 2), dtype=np.float32)
    samples[123_456, 1] = 0.8
    ax = plots.waveform(Recording.from_samples(samples, RATE))
    first, second = (band.get_paths()[0].vertices for band in ax.collections)
    assert len(second) < 5_000
    assert second[:, 1].max() == pytest.approx(-2.2 + 1)
    assert first[:, 1].max() == 0
    assert ax.get_ylabel() == "amplitude,\n±0.8 of full scale"


def test_the_spectrogram_puts_a_tone_where_it_belongs() -> None:
    """1 kHz at half of full scale: -6 dBFS in the right row, for short and long sound."""
    for seconds in (0.5, 120):
        tone = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(round(seconds * RATE)) / RATE)
        ax = plots.spectrogram(Recording.from_samples(np.column_stack([0 * tone, tone]), RATE), channel=1)
        (image,) = ax.images
        level = np.asarray(image.get_array())
        assert level.shape[1] <= 1_600
        row = np.argmax(level.mean(axis=1))
        assert row / (level.shape[0] - 1) * 4 == pytest.approx(1.0, abs=0.05)
        assert level[row].mean() == pytest.approx(-6.02, abs=0.5)
        assert image.get_extent() == [0.0, seconds, 0.0, 4.0]
    assert ax.figure.axes[1].get_ylabel() == "level, dBFS"


def test_a_channel_that_is_not_there_is_refused() -> None:
    """By its number."""
    with pytest.raises(IndexError, match="channel 2: there are 2"):
        plots.spectrogram(call(0.0, 0.0), channel=2)


@pytest.mark.parametrize("level", [0.0, 1e-4, 0.5])
def test_the_spectrogram_of_silence_is_dark(level: float) -> None:
    """The scale always spans 80 dB and begins at -120 dBFS or above, so that nothing glows without sound."""
    tone = level * np.sin(2 * np.pi * 1_000 * np.arange(RATE) / RATE)
    (image,) = plots.spectrogram(Recording.from_samples(tone, RATE)).images
    low, high = image.get_clim()
    assert high - low == pytest.approx(80)
    assert low >= -120
    loudest = np.asarray(image.get_array()).max()
    assert loudest == pytest.approx(high) if level == 0.5 else loudest < high - 20


@pytest.mark.parametrize("draw", [plots.timeline, plots.waveform, plots.spectrogram])
@pytest.mark.parametrize("sound", [None, "call.wav", np.zeros(8)])
def test_what_is_no_recording_is_refused_in_words(draw: Any, sound: object) -> None:
    """As the cell of a row without sound has it."""
    with pytest.raises(ConfigurationError, match=r"needs a Recording, not .*`audio`"):
        draw(sound)


@pytest.mark.parametrize(("cell", "upper"), [(pd.NA, "channel 0"), (np.nan, "channel 0"), (np.int64(1), "agent")])
def test_the_timeline_takes_the_agent_from_a_frames_cell(cell: Any, upper: str) -> None:
    """Missing where it isn't known; a channel that there is not would go unseen, so it is refused."""
    ax = plots.timeline(call(0.1, 0.2), agent_channel=cell, speech=given)
    assert ax.get_yticklabels()[0].get_text() == upper
    with pytest.raises(IndexError, match="agent_channel=2: there are 2 channels"):
        plots.timeline(call(0.1, 0.2), agent_channel=2, speech=given)
    with pytest.raises(ConfigurationError, match="agent_channel='agent': pass the number"):
        plots.timeline(call(0.1, 0.2), agent_channel="agent", speech=given)  # type: ignore[arg-type] # the mistake


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


CALLS = pd.DataFrame(
    {
        "agent": ["a", "a", "b", "b", None, "c"],
        "recording_status": ["downloaded", "downloaded", "missing", "pending", "downloaded", "corrupt"],
        "duration_s": [60.0, 70.0, np.nan, np.nan, 90.0, np.nan],
        "talk_ratio": [0.4, 0.5, np.nan, np.nan, 0.6, np.nan],
        "silence_ratio": [0.2, 0.3, np.nan, np.nan, 0.1, np.nan],
        "response_latency_p50_s": [0.5, 0.7, 1.5, 1.7, 0.9, np.nan],
        "interruptions_by_agent": pd.array([0, 1, None, None, 12, None], dtype="Int64"),
        "interruptions_by_caller": pd.array([2, 1, None, None, 0, None], dtype="Int64"),
    }
)


def test_latency_draws_a_row_per_group_with_its_percentiles() -> None:
    """Numbers beside the marks; a group without values says so; calls without a group are left out."""
    ax = plots.latency(CALLS, by="agent")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    assert texts(ax) == ["p50 0.60   p90 0.68   n 2", "p50 1.60   p90 1.68   n 2", "no values"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("response latency p50, s", "agent")
    assert texts(plots.latency(CALLS)) == ["p50 0.90   p90 1.62   n 5"]


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


def test_more_groups_than_a_figure_holds_are_refused() -> None:
    """A column of ids would make a figure of 1,500 inches; own axes take what they are given."""
    many = pd.DataFrame({"id": [f"s{n}" for n in range(2_000)], "response_latency_p50_s": 1.0})
    with pytest.raises(FrameError, match="2,000 groups, and 40 at most"):
        plots.latency(many, by="id")
    assert len(plots.latency(many[:41], by="id", ax=plt.subplots()[1]).get_yticks()) == 41


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


def test_the_overview_finds_prefixed_columns() -> None:
    """As `metrics` makes them where the caller's own names are in the way; the caller's are not taken for them."""
    prefixed = CALLS.add_prefix("kataven_").assign(duration_s="long")
    assert plots.overview(prefixed, prefix="kataven_")[0, 1].get_title(loc="left") == "p50 70   p90 86   n 3"


@pytest.mark.parametrize("draw", [plots.latency, plots.overview])
def test_what_is_no_frame_is_refused(draw: Any) -> None:
    """And not by the first attribute that it lacks."""
    with pytest.raises(FrameError, match="a DataFrame with a row a call is needed, not list"):
        draw([1.0])


def test_figures_go_where_they_are_told() -> None:
    """Into given axes, without a figure of their own."""
    figure, axes = plt.subplots(2, 3)
    assert plots.overview(CALLS, ax=axes) is axes
    for draw, subject in ((plots.waveform, call(0.1)), (plots.timeline, call(0.1)), (plots.spectrogram, call(0.1))):
        assert draw(subject, ax=axes[0, 0]) is axes[0, 0]
    assert plots.latency(CALLS, ax=axes[1, 1]) is axes[1, 1]
    assert plt.get_fignums() == [figure.number]
    with pytest.raises(FrameError, match="six panels"):
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
