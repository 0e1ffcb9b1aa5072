"""Groups that are numbers or times."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn_texts import check_texts
from matplotlib.colors import to_hex

from kataven_notebook import plots
from kataven_notebook.plots import colours
from kataven_notebook.stats.estimates import estimate

RANDOM = np.random.default_rng(2)
HOURS = pd.DataFrame({"hour": np.repeat(np.arange(24.0), 30), "response_latency_p50_s": RANDOM.gamma(6, 0.2, 720)})


def key(ax) -> list[str]:
    """Return the entries of the key."""
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_hours_are_a_line_with_a_band() -> None:
    """Medians at their hours, intervals around them, in the agent's colour; not 24 rows named "0.0 ... 23.0"."""
    ax = plots.latency(HOURS, by="hour")
    line = ax.lines[0]
    assert line.get_xdata().tolist() == list(range(24))
    first = estimate(HOURS.loc[HOURS["hour"] == 0, "response_latency_p50_s"].to_numpy())
    assert line.get_ydata()[0] == first.value
    band = ax.collections[0].get_paths()[0].vertices
    assert {round(first.low, 9), round(first.high, 9)} <= set(band[:, 1].round(9))
    assert to_hex(line.get_color()) == colours.ROLES["agent"][0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("hour", "response latency, median (s)")
    assert key(ax) == ["median (n = 30)", "95 % interval"]
    assert ax.get_xlim()[1] < 24


def test_hours_without_an_interval_are_empty_dots_and_without_values_gaps() -> None:
    """What isn't known is not drawn as if it were."""
    few = HOURS[(HOURS["hour"] != 5) | (np.arange(720) % 30 < 3)]
    few = few.assign(response_latency_p50_s=few["response_latency_p50_s"].where(few["hour"] != 9, np.inf))
    ax = plots.latency(few, by="hour")
    assert key(ax)[-1] == "no interval"
    (alone,) = ax.lines[-1:]
    assert alone.get_xdata().tolist() == [5]
    assert np.isnan(ax.lines[0].get_ydata()[9])
    assert len(ax.collections[0].get_paths()) == 3


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_days_have_round_ticks_and_a_label_that_says_which(zone: str | None) -> None:
    """In their own zone's time."""
    days = pd.date_range("2026-03-02", periods=14, tz=zone).repeat(20)
    frame = pd.DataFrame({"day": days, "m_s": RANDOM.gamma(6, 0.2, len(days))})
    _, ax = plt.subplots(figsize=(3.35, 2.4), layout="constrained")
    plots.latency(frame, by="day", metric="m_s", ax=ax)
    check_texts(ax.figure)
    assert ax.get_xlabel() == "day, 2026-03-02 to 2026-03-15" + (f" ({zone})" if zone else "")
    assert (ax.lines[0].get_xdata() % 1 == 0).all()


def test_hours_of_one_day_name_it_once() -> None:
    """Not "from 2026-03-02 to 2026-03-02"."""
    hours = pd.date_range("2026-03-02 08:00", periods=8, freq="h").repeat(7)
    frame = pd.DataFrame({"at": hours, "response_latency_p50_s": RANDOM.gamma(6, 0.2, 56)})
    assert plots.latency(frame, by="at").get_xlabel() == "at, 2026-03-02"


def test_all_equal_values_and_no_values_are_drawn() -> None:
    """Bands without height, and axes without a line."""
    ax = plots.latency(HOURS.assign(response_latency_p50_s=1.0), by="hour")
    assert set(ax.lines[0].get_ydata()) == {1.0}
    plots.latency(HOURS.assign(response_latency_p50_s=np.nan), by="hour")
