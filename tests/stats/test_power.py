"""How many clusters a difference takes, against textbook formulas and for values that no formula is of."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats import power
from kataven_notebook.stats.pilot import Pilot
from kataven_notebook.stats.power import Aim, move_of, needed

pytestmark = pytest.mark.core
RANDOM = np.random.default_rng(6)


def of_moments(mean: float, spread: float, count: int) -> np.ndarray:
    """Normal values with exactly this mean and standard deviation."""
    values = RANDOM.normal(size=count)
    return mean + spread * (values - values.mean()) / values.std()


def test_a_mean_takes_what_the_textbook_says(monkeypatch) -> None:
    """2 (1.96 + 0.84)² s² / d² a group: 98, and one or two more for Student's t."""
    monkeypatch.setattr(power, "DATA_SETS", 150)
    pilot = Pilot(of_moments(1.0, 0.5, 400))
    found = needed(pilot, pilot, Aim("mean", 0.2))
    assert found.n == pytest.approx(99, rel=0.15)
    assert found.power == pytest.approx(0.8, abs=0.12)
    assert found.low < 99 < found.high


def test_a_share_takes_what_the_textbook_says(monkeypatch) -> None:
    """(1.96 + 0.84)² (p q + p' q') / d² a group: 160 for 0.3 and 0.45, which is more than for 0.3 and 0.15 (118)."""
    monkeypatch.setattr(power, "DATA_SETS", 120)
    pilot = Pilot(np.repeat([1.0, 0.0], [90, 210]))
    assert needed(pilot, pilot, Aim("share", 0.15)).n == pytest.approx(160, rel=0.15)
    assert needed(pilot, pilot, Aim("share", -0.15)).n == pytest.approx(118, rel=0.15)


def test_a_group_s_own_spread_counts() -> None:
    """Sum of both variances: 0.25 and 1."""
    quiet, wild = Pilot(of_moments(1.0, 0.5, 300)), Pilot(of_moments(7.0, 1.0, 300))
    found = needed(quiet, wild, Aim("mean", 0.05))
    assert found.n == pytest.approx(7.85 * 1.25 / 0.0025, rel=0.2)


def test_rows_of_one_cluster_are_no_more_calls(monkeypatch) -> None:
    """Ten equal rows a call take as many calls as one."""
    monkeypatch.setattr(power, "DATA_SETS", 60)
    values = of_moments(1.0, 0.5, 60)
    once, often = Pilot(values), Pilot(np.repeat(values, 10), np.repeat(np.arange(60), 10))
    assert often.clusters == 60
    aims = Aim("mean", 0.3)
    assert needed(often, often, aims).n == pytest.approx(needed(once, once, aims).n, rel=0.25)


@pytest.mark.parametrize(
    ("statistic", "values", "difference", "expected"),
    [
        ("mean", np.repeat([0.0, 1, 2], [150, 40, 10]), 0.2, 0.5),
        ("mean", np.repeat([0.0, 1, 2], [150, 40, 10]), -0.2, 0.1),
        ("share", np.repeat([0.0, 1], [100, 100]), 0.4, 0.9),
        ("share", np.zeros(30), 0.2, 0.2),
        ("median", np.linspace(0.0, 1, 101), 0.25, 0.75),
        ("rate", np.repeat([0.0, 1, 2], [150, 40, 10]), 0.3, 0.6),
        ("rate", np.linspace(0.5, 1.5, 200), 0.3, 1.3),
    ],
)
def test_the_second_group_is_moved_to_the_difference(statistic, values, difference, expected) -> None:
    """Counts stay counts and shares shares."""
    pilot = Pilot(values, exposure_s=np.full(len(values), 60.0))
    drawn = pilot.redrawn(60_000, np.random.default_rng(0))
    moved = move_of(pilot, pilot, Aim(statistic, difference)).of(drawn, np.random.default_rng(1))
    found = np.median(moved) if statistic == "median" else moved.mean()
    assert found == pytest.approx(expected, abs=0.02)
    if statistic != "median" and values.max() in (0.0, 1.0, 2.0):
        assert np.all((moved >= 0) & (moved == np.floor(moved)))


def test_a_median_s_spread_is_not_that_of_a_few_values() -> None:
    """Pilots of 30 calls are blurred: without that, their numbers differ a hundredfold."""
    pilots = [Pilot(RANDOM.normal(1, 0.5, 30)) for _ in range(8)]
    aim = Aim("median", 0.02)
    found = [needed(each, each, aim).n for each in pilots]
    assert max(found) / min(found) < 12


@pytest.mark.parametrize(
    ("values", "statistic", "note"),
    [
        ([1.5], "mean", "fewer than two"),
        ([], "mean", "fewer than two"),
        ([2.5] * 40, "median", "are equal"),
        ([0.0] * 40, "mean", "are equal"),
        (np.random.default_rng(0).normal(size=50), "mean", "10,000,000"),
    ],
)
def test_a_pilot_that_can_t_say_says_so(values, statistic, note) -> None:
    """With no number."""
    pilot = Pilot(np.asarray(values, dtype=float))
    found = needed(pilot, pilot, Aim(statistic, 1e-5))
    assert np.isnan(found.n)
    assert note in found.note


def test_a_huge_difference_takes_a_size_that_shows_it(monkeypatch) -> None:
    """Four calls, as the formula has it, give no interval of a median, and show nothing ever."""
    monkeypatch.setattr(power, "DATA_SETS", 100)
    pilot = Pilot(of_moments(1.0, 0.5, 40))
    found = needed(pilot, pilot, Aim("median", 40.0))
    assert 4 < found.n < 20
    assert found.power > 0.6


def test_what_no_size_shows_has_no_number(monkeypatch) -> None:
    """Medians of most samples of so few counts are the same: their difference has no interval, at any size."""
    monkeypatch.setattr(power, "DATA_SETS", 40)
    pilot = Pilot(np.repeat([0.0, 1, 2], [70, 20, 10]))
    for difference in (1.0, 0.01):
        found = needed(pilot, pilot, Aim("median", difference))
        assert np.isnan(found.n)
        assert "compare means" in found.note


def test_a_smaller_difference_takes_no_less_than_a_larger_one(monkeypatch) -> None:
    """Also where samples say so by chance."""
    monkeypatch.setattr(power, "DATA_SETS", 40)
    pilot = Pilot(of_moments(1.0, 0.5, 100))
    assert needed(pilot, pilot, Aim("mean", 0.2), least=130).n == 130


def test_functions_and_large_numbers_are_by_the_formula() -> None:
    """Samples of them are not drawn."""
    pilot = Pilot(of_moments(1.0, 0.5, 100))
    own = needed(pilot, pilot, Aim(lambda values: float(np.mean(values)), 0.2))
    assert own.n == pytest.approx(98, rel=0.2)
    assert np.isnan(own.power)
    large = needed(pilot, pilot, Aim("mean", 0.02))
    assert large.n == pytest.approx(9_800, rel=0.2)
    assert large.low < large.n < large.high


@pytest.mark.parametrize(("statistic", "difference"), [("share", 0.8), ("share", -0.4), ("mean", -0.4)])
def test_what_no_share_and_no_count_can_be_is_refused(statistic, difference) -> None:
    """The message has both numbers."""
    pilot = Pilot(np.repeat([1.0, 0.0], [30, 70]))
    with pytest.raises(ConfigurationError, match="in the pilot, and"):
        needed(pilot, pilot, Aim(statistic, difference))
