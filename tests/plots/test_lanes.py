"""One call's turns on lanes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from drawn_calls import call, given, texts

from kataven_notebook import plots
from kataven_notebook.errors import ConfigurationError


def test_the_timeline_names_lanes_and_tells_latencies() -> None:
    """The agent's lane is the upper one; only its responses are labelled; what is drawn is in the legend."""
    ax = plots.timeline(call(0.2, 0.1), agent_channel=1, speech=given)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["agent", "caller"]
    assert texts(ax) == ["1.00", "0.50"]
    legend = {text.get_text() for text in ax.get_legend().get_texts()}
    assert legend == {"backchannel", "interruption", "both speak", "response latency (s)"}
    assert ax.get_xlabel() == "time (s)"
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
    ax.figure.canvas.draw()
    boxes = sorted((text.get_window_extent() for text in ax.texts if text.get_text()), key=lambda box: box.x0)
    assert 5 < len(boxes) < 25
    assert all(box.x1 < after.x0 for box, after in itertools.pairwise(boxes))
    assert ax.get_xlabel() == "time (min:s)"


@pytest.mark.parametrize(("cell", "upper"), [(pd.NA, "channel 0"), (np.nan, "channel 0"), (np.int64(1), "agent")])
def test_the_timeline_takes_the_agent_from_a_frames_cell(cell: Any, upper: str) -> None:
    """Missing where it isn't known; a channel that there is not would go unseen, so it is refused."""
    ax = plots.timeline(call(0.1, 0.2), agent_channel=cell, speech=given)
    assert ax.get_yticklabels()[0].get_text() == upper
    with pytest.raises(IndexError, match="agent_channel=2: pass 0 to 1"):
        plots.timeline(call(0.1, 0.2), agent_channel=2, speech=given)
    with pytest.raises(ConfigurationError, match="agent_channel='agent': pass the number"):
        plots.timeline(call(0.1, 0.2), agent_channel="agent", speech=given)  # type: ignore[arg-type] # the mistake
