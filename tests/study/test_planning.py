"""Plans: from a pilot to a number of calls and days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kataven_notebook import Limits, Settings, study
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.stats import power
from kataven_notebook.study.planning import signing_s

pytestmark = pytest.mark.core


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    """What samples of a pilot say is held by the tests of `stats/power`: few will do here."""
    monkeypatch.setattr(power, "DATA_SETS", 40)
    monkeypatch.setattr(power, "_SPREAD_DRAWS", 80)


def pilot(count=120) -> pd.DataFrame:
    """Calls of two prompts."""
    random = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "session_id": [f"c-{at}" for at in range(count)],
            "prompt": np.tile(["v1", "v2"], count // 2 + 1)[:count],
            "latency_s": random.normal(1.0, 0.4, count),
            "barge_ins": random.poisson(0.6, count),
            "escalated": random.random(count) < 0.3,
            "duration_s": 60.0,
        }
    )


def test_a_plan_says_calls_and_days() -> None:
    """With a row a difference: half of it takes four times the calls."""
    found = study.plan(pilot(), "latency_s", by="prompt", difference=[0.2, -0.1], statistic="mean")
    assert found["calls_per_group"].iloc[0] == pytest.approx(63, rel=0.35)
    assert 2.5 < found["calls_per_group"].iloc[1] / found["calls_per_group"].iloc[0] < 6
    assert (found["calls"] == 2 * found["calls_per_group"]).all()
    assert (found["calls_per_group_low"] <= found["calls_per_group"]).all()
    assert found["pilot_calls"].tolist() == [60, 60]
    assert found["note"].isna().all()
    assert found.dtypes[["calls_per_group", "calls"]].astype(str).tolist() == ["Int64", "Int64"]


def test_smaller_differences_take_no_fewer_calls() -> None:
    """Though chance in the samples says otherwise of differences that are near each other; the rows' order stays."""
    differences = [0.2, 0.204, 0.208, 0.212, -0.2, -0.204, 0.216, 0.22]
    found = study.plan(pilot(), "latency_s", difference=differences, statistic="mean")
    assert found["difference"].tolist() == differences
    numbers = found.set_index("difference")["calls_per_group"]
    assert numbers[numbers.index > 0].sort_index().is_monotonic_decreasing
    assert numbers[-0.2] >= numbers[-0.204]


def test_the_statistic_is_picked_as_for_comparisons() -> None:
    """By what the column holds."""
    names = {"latency_s": "median", "barge_ins": "mean", "escalated": "share"}
    for metric, expected in names.items():
        assert study.plan(pilot(), metric, difference=0.3)["statistic"].item() == expected
    assert study.plan(pilot(), "barge_ins", difference=0.3, statistic="rate")["calls"].notna().all()


def test_calls_without_a_value_have_to_be_signed_too() -> None:
    """Where a third has none, half as many again are needed; rows of one session are one call."""
    calls = pilot()
    plain = study.plan(calls, "latency_s", difference=0.2, statistic="mean")["calls_per_group"].item()
    more = pd.concat([calls, calls.head(60).assign(session_id=lambda df: "x" + df["session_id"], latency_s=np.nan)])
    third = study.plan(more, "latency_s", difference=0.2, statistic="mean")["calls_per_group"].item()
    assert third == pytest.approx(1.5 * plain, abs=2)
    turns = pd.concat([calls, calls, calls], ignore_index=True)
    often = study.plan(turns, "latency_s", difference=0.2, statistic="mean")
    assert often["calls_per_group"].item() == pytest.approx(plain, rel=0.35)
    assert often["pilot_calls"].item() == 120


def test_callers_who_call_again_count_by_caller() -> None:
    """Clusters of five calls: the plan is in calls."""
    calls = pilot().assign(caller=lambda df: df.index // 5)
    found = study.plan(calls, "latency_s", difference=0.2, statistic="mean", cluster="caller")
    assert found["pilot_calls"].item() == 24
    assert found["calls_per_group"].item() % 5 == 0


def test_three_groups_take_three_times_the_largest_number() -> None:
    """Each is compared with the reference."""
    calls = pilot().assign(prompt=lambda df: np.resize(["a", "b", "c"], len(df)))
    found = study.plan(calls, "latency_s", by="prompt", difference=0.2, reference="b").iloc[0]
    assert found["calls"] == 3 * found["calls_per_group"]


def test_of_many_groups_the_one_that_differs_most_counts() -> None:
    """Without trying each of them; a category that no call has is no group."""
    random = np.random.default_rng(3)
    calls = pd.DataFrame({"hour": np.repeat(np.arange(500), 6), "wait_s": random.normal(1.0, 0.1, 3_000)})
    calls.loc[calls["hour"] == 7, "wait_s"] *= [1, 9, 1, 9, 1, 9]
    found = study.plan(calls, "wait_s", by="hour", difference=2.0, statistic="mean").iloc[0]
    assert found["calls"] == 500 * found["calls_per_group"]
    assert found["calls_per_group"] > 15
    kinds = pilot().assign(prompt=lambda df: pd.Categorical(df["prompt"], ["v0", "v1", "v2"]))
    assert study.plan(kinds, "latency_s", by="prompt", difference=0.3)["calls"].notna().all()


def test_a_small_pilot_is_said_to_be_small() -> None:
    """And one of a single call gives no number."""
    small = study.plan(pilot(12), "latency_s", difference=0.3).iloc[0]
    assert "the pilot has 12 calls" in small["note"]
    assert small["calls_per_group_high"] > 1.5 * small["calls_per_group_low"]
    for count in (0, 1):
        none = study.plan(pilot(count), "latency_s", difference=0.3).iloc[0]
        assert pd.isna(none["calls"])
        assert "fewer than two calls" in none["note"]


@pytest.mark.parametrize(
    ("requests", "limits", "expected"),
    [
        (60, Limits(), 0),
        (61, Limits(), 60),
        (1_000, Limits(), 16 * 60),
        (1_001, Limits(), 3_600),
        (10_001, Limits(), 86_400),
        (25_000, Limits(), 2 * 86_400 + 4 * 3_600 + 16 * 60),
        (500, Limits(per_minute=None, per_hour=None, per_day=None), 0),
        (500, Limits(per_minute=1, per_hour=None, per_day=None), 499 * 60),
        (5_000, Limits(per_minute=None, per_hour=100, per_day=10_000), 2 * 86_400 + 3_600),
    ],
)
def test_the_least_time_of_signing_is_that_of_the_windows(requests, limits, expected) -> None:
    """A window is filled at once, and the next one opens when it has ended."""
    assert signing_s(requests, limits) == expected


def test_the_limits_are_those_of_the_settings() -> None:
    """A tenth of the day's makes ten times the days."""
    slow = Settings(limits=Limits(per_minute=None, per_hour=None, per_day=1))
    found = study.plan(pilot(), "latency_s", difference=0.3, settings=slow).iloc[0]
    assert found["signing_days"] == found["calls"] - 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"difference": 0}, "difference=0"),
        ({"difference": "much"}, "difference='much'"),
        ({"difference": []}, "difference="),
        ({"difference": np.inf}, "difference=inf"),
        ({"difference": 0.2, "power": 80}, "power=80"),
        ({"difference": 0.2, "confidence_level": 95}, "confidence_level=95"),
        ({"difference": 0.2, "statistic": "mode"}, "statistic='mode'"),
        ({"difference": 0.2, "statistic": "share"}, "True and False"),
        ({"difference": 0.2, "by": "prompt", "reference": "v3"}, "reference='v3'"),
    ],
)
def test_options_that_plan_nothing_are_refused(options, message) -> None:
    """The message names the option."""
    with pytest.raises(ConfigurationError, match=message):
        study.plan(pilot(), "latency_s", **options)


@pytest.mark.parametrize(
    ("calls", "options", "message"),
    [
        (pilot(), {"by": "promt"}, "did you mean 'prompt'"),
        (pilot().assign(prompt="v1"), {"by": "prompt"}, "1 group"),
        (pilot().assign(latency_s="x"), {}, "not numbers"),
        (pilot().to_dict(), {}, "DataFrame"),
    ],
)
def test_pilots_without_groups_or_numbers_are_refused(calls, options, message) -> None:
    """In a sentence."""
    with pytest.raises(FrameError, match=message):
        study.plan(calls, "latency_s", difference=0.2, **options)
