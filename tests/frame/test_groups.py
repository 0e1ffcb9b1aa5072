"""Groups beside each other, of any column, with honest intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import kataven_notebook as kn
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.groups import compare_groups

pytestmark = pytest.mark.core

RANDOM = np.random.default_rng(7)
INTERVALS = ["estimate_low", "estimate_high", "difference_low", "difference_high", "p_value", "p_adjusted"]


def grouped(**groups: Any) -> pd.DataFrame:
    """Return a frame with a row a value."""
    names = [name for name, values in groups.items() for _ in values]
    return pd.DataFrame({"version": names, "m": [each for values in groups.values() for each in values]})


def test_the_result_has_these_columns_of_these_dtypes() -> None:
    """A row a group and metric."""
    frame = grouped(v1=[1.5, 2.0, 3.0], v2=[4.5, 5.0]).assign(ok=[True, True, False, True, False])
    found = compare_groups(frame, by="version", metric=["m", "ok"])
    assert found["metric"].tolist() == ["m", "m", "ok", "ok"]
    assert found["version"].tolist() == ["v1", "v2"] * 2
    assert found["statistic"].tolist() == ["median", "median", "share", "share"]
    assert [str(each) for each in found.dtypes.iloc[1:]] == (
        ["string", "string", "Int64", "Int64", "Int64"] + ["float64"] * 8 + ["string"]
    )
    assert list(found.columns[3:]) == [
        *("n", "missing", "clusters", "estimate", "estimate_low", "estimate_high"),
        *("difference", "difference_low", "difference_high", "p_value", "p_adjusted", "note"),
    ]


def test_estimates_and_differences_are_those_of_the_values() -> None:
    """Against the first group, or the one that is named."""
    frame = grouped(v1=[1.0, 2.5, 3.0], v2=[4.0, 5.5, 9.0])
    found = compare_groups(frame, by="version", metric="m")
    assert found["estimate"].tolist() == [2.5, 5.5]
    assert found["difference"].fillna(0).tolist() == [0.0, 3.0]
    turned = compare_groups(frame, by="version", metric="m", reference="v2")
    assert turned["difference"].fillna(0).tolist() == [-3.0, 0.0]
    ratio = compare_groups(frame, by="version", metric="m", effect="ratio")
    assert ratio["ratio"].fillna(1).tolist() == [1.0, 2.2]


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float64", "object"])
def test_counts_are_compared_by_their_means(dtype: str) -> None:
    """Medians of 0 and 0 would read as a proof of no difference."""
    random = np.random.default_rng(1)
    frame = grouped(v1=random.poisson(0.2, 200), v2=random.poisson(0.4, 200)).astype({"m": dtype})
    found = compare_groups(frame, by="version", metric="m")
    assert found["statistic"].tolist() == ["mean"] * 2
    assert found["difference_low"].iloc[1] > 0
    medians = compare_groups(frame, by="version", metric="m", statistic="median")
    assert medians[INTERVALS].isna().all().all()
    assert medians["note"].str.contains("statistic='mean'").all()


def test_a_true_difference_is_found_and_a_missing_one_is_not() -> None:
    """The interval leaves 0 out where groups differ, and holds it where they don't."""
    base = RANDOM.normal(1.0, 0.2, 200)
    frame = grouped(v1=base, v2_same=base + RANDOM.normal(0, 0.001, 200), v3_faster=RANDOM.normal(0.8, 0.2, 200))
    _, still, less = compare_groups(frame, by="version", metric="m").itertuples()
    assert still.difference_low < 0 < still.difference_high
    assert less.difference_low < less.difference < less.difference_high < 0
    assert less.p_value < 0.001
    assert still.p_value > 0.2


@pytest.mark.parametrize("metric", ["slow", "m", "n"])
def test_rows_of_one_session_are_one_cluster(metric: str) -> None:
    """A frame that was put together five times tells no more than once."""
    frame = grouped(v1=RANDOM.lognormal(0, 0.5, 60), v2=RANDOM.lognormal(0, 0.5, 60))
    frame = frame.assign(session_id=[f"s{n}" for n in range(120)], slow=frame["m"] > 1, n=RANDOM.poisson(1, 120))
    widths = {}
    for name, rows in (("once", frame), ("five times", pd.concat([frame] * 5))):
        for cluster in ("auto", None):
            found = compare_groups(rows, by="version", metric=metric, cluster=cluster).iloc[1]
            widths[name, cluster] = found["difference_high"] - found["difference_low"]
    assert widths["five times", "auto"] == pytest.approx(widths["once", "auto"], rel=0.12)
    assert widths["five times", None] < 0.7 * widths["once", None]


def test_clusters_may_stand_in_any_column() -> None:
    """And are counted; the configured session column is one of them."""
    frame = grouped(v1=RANDOM.normal(size=40), v2=RANDOM.normal(size=40))
    frame = frame.assign(caller_id=np.arange(80) // 4, call=np.arange(80) // 2)
    assert compare_groups(frame, by="version", metric="m")["clusters"].tolist() == [40, 40]
    assert compare_groups(frame, by="version", metric="m", cluster="caller_id")["clusters"].tolist() == [10, 10]
    assert compare_groups(frame, by="version", metric="m", session="call")["clusters"].tolist() == [20, 20]
    kn.configure(session="call")
    try:
        assert compare_groups(frame, by="version", metric="m")["clusters"].tolist() == [20, 20]
    finally:
        kn.configure(session=None)


def test_two_factors_are_compared_at_once() -> None:
    """With one group, or with that of the same hour."""
    frame = pd.DataFrame({"prompt": ["v1", "v2"] * 60, "hour": np.repeat([9, 10, 11], 40)})
    frame["m"] = frame["hour"] + (frame["prompt"] == "v2") * 5.0 + RANDOM.normal(0, 0.1, 120)
    found = compare_groups(frame, by=["prompt", "hour"], metric="m", reference={"prompt": "v1"})
    assert found["difference"].round().fillna(0).tolist() == [0, 0, 0, 5, 5, 5]
    found = compare_groups(frame, by=["prompt", "hour"], metric="m", reference=("v1", 10))
    assert found["difference"].round().fillna(0).tolist() == [-1, 0, 1, 4, 5, 6]
    lonely = frame[(frame["prompt"] == "v2") | (frame["hour"] < 11)]
    found = compare_groups(lonely, by=["prompt", "hour"], metric="m", reference={"prompt": "v1"})
    assert found["note"].tolist()[-1] == "there is no reference group beside this one"


def test_p_values_are_adjusted_for_all_comparisons_of_the_table() -> None:
    """By Holm's method, over groups and metrics."""
    frame = grouped(v1=RANDOM.normal(size=50), v2=RANDOM.normal(0.4, 1, 50), v3=RANDOM.normal(0.8, 1, 50))
    frame["other"] = RANDOM.normal(size=150)
    found = compare_groups(frame, by="version", metric=["m", "other"], statistic="mean")
    given = found["p_value"].dropna()
    assert len(given) == 4
    assert found["p_adjusted"].min() == pytest.approx(4 * given.min())
    assert (found["p_adjusted"].dropna() >= given).all()


@pytest.mark.parametrize("statistic", ["mean", "median", "p75", np.median])
@pytest.mark.parametrize("effect", ["difference", "ratio"])
def test_pairs_cancel_what_they_have_in_common(statistic: Any, effect: str) -> None:
    """The same callers with both prompts; those who had one alone are left out."""
    callers = pd.DataFrame({"caller": np.arange(60), "base": RANDOM.gamma(20, 0.5, 60)})
    v1 = callers.assign(version="v1", m=callers["base"])
    v2 = callers.assign(version="v2", m=callers["base"] * 1.2 + RANDOM.normal(0, 0.1, 60))
    alone = pd.DataFrame({"caller": np.arange(100, 110), "version": "v2", "m": 50.0})
    frame = pd.concat([v2.sample(frac=1, random_state=1), v1, alone], ignore_index=True)
    options = {"by": "version", "metric": "m", "statistic": statistic, "effect": effect, "resamples": 400}
    found = compare_groups(frame, paired="caller", **options).iloc[1]
    unpaired = compare_groups(frame[frame["m"] < 50], **options).iloc[1]
    assert found["pairs"] == 60
    width, usual = (each[f"{effect}_high"] - each[f"{effect}_low"] for each in (found, unpaired))
    assert width < 0.75 * usual
    assert found[f"{effect}_low"] > (0 if effect == "difference" else 1)
    assert found[effect] == pytest.approx(2 if effect == "difference" else 1.2, rel=0.2)


def test_the_paired_mean_is_that_of_the_paired_test() -> None:
    """Interval and p-value."""
    base = RANDOM.normal(5, 2, 30)
    after = base + RANDOM.normal(0.3, 0.6, 30)
    frame = grouped(v1=base, v2=after).assign(script=np.tile(np.arange(30), 2))
    found = compare_groups(frame, by="version", metric="m", statistic="mean", paired="script").iloc[1]
    known = stats.ttest_rel(after, base)
    interval = known.confidence_interval()
    assert [found["difference_low"], found["difference_high"]] == pytest.approx([interval.low, interval.high], abs=0.05)


def test_a_rate_is_per_minute_of_call() -> None:
    """Of the column of lengths, whose name may have a prefix."""
    frame = grouped(v1=RANDOM.poisson(2, 50), v2=RANDOM.poisson(2, 50)).assign(kn_duration_s=120.0)
    found = compare_groups(frame, by="version", metric="m", statistic="rate", prefix="kn_")
    means = compare_groups(frame, by="version", metric="m")
    assert (found["estimate"] * 2).tolist() == pytest.approx(means["estimate"].tolist())
    assert found["difference_low"].iloc[1] * 2 == pytest.approx(means["difference_low"].iloc[1])
    with pytest.raises(ConfigurationError, match="no column 'duration_s'"):
        compare_groups(frame, by="version", metric="m", statistic="rate")


def test_functions_are_bootstrapped_by_their_name() -> None:
    """The same seed gives the same intervals, another seed others."""

    def spread(values):
        return np.subtract(*np.percentile(values, [75, 25]))

    # With more than 1,000 values the bootstrap decides alone.
    frame = grouped(v1=RANDOM.normal(size=1100), v2=RANDOM.normal(size=1100))
    options = {"by": "version", "metric": "m", "statistic": spread, "resamples": 100}
    first, same, other = (compare_groups(frame, seed=seed, **options) for seed in (0, 0, 1))
    assert first["statistic"].tolist() == ["spread"] * 2
    pd.testing.assert_frame_equal(first, same)
    assert not first[INTERVALS].equals(other[INTERVALS])


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([5.5], "there is one value"),
        ([], "there are no values"),
        ([np.nan], "there are no values"),
        ([2.5] * 9, "all are 2.5"),
        ([1.5, 2.0, 3.0], "too few values"),
    ],
)
def test_groups_that_prove_nothing_say_why(values: list[float], note: str) -> None:
    """In a sentence, for themselves and as the reference, and without a warning."""
    good = RANDOM.normal(size=30).tolist()
    frame = grouped(v1=good, v2=values)
    frame["version"] = pd.Categorical(frame["version"], categories=["v1", "v2"])
    found = compare_groups(frame, by="version", metric="m")
    assert found.loc[1, INTERVALS].isna().all()
    assert note in found["note"].iloc[1]
    assert pd.isna(found["note"].iloc[0])
    turned = compare_groups(frame, by="version", metric="m", reference="v2")
    assert note in turned["note"].iloc[1]
    assert f"in the reference group {note}" in turned["note"].iloc[0]
    assert turned["estimate_low"].notna().iloc[0]


def test_infinite_values_are_left_out_and_said() -> None:
    """And counted as missing."""
    found = compare_groups(grouped(v1=[np.inf, -np.inf, *range(20)], v2=[np.nan, *range(20)]), by="version", metric="m")
    assert found["missing"].tolist() == [2, 1]
    assert found["note"].fillna("").tolist() == ["2 infinite values are left out", ""]


def test_none_of_200_is_knowledge() -> None:
    """A share of 0 has an upper limit; and differs from 10 of 200."""
    frame = grouped(v1=[False] * 200, v2=np.arange(200) < 10)
    found = compare_groups(frame, by="version", metric="m")
    assert (found["estimate_low"].iloc[0], round(found["estimate_high"].iloc[0], 4)) == (0.0, 0.0188)
    assert found["difference_low"].iloc[1] > 0


@pytest.mark.parametrize("statistic", ["mean", "rate"])
@pytest.mark.parametrize("rows", [1, 3])
def test_no_events_where_they_come_in_clumps_prove_little(statistic: str, rows: int) -> None:
    """0 of 12 calls with any beside 3 of 12 with five each: Fisher's test says 0.22."""
    counts = np.repeat([0] * 21 + [5, 4, 6], rows)
    calls = pd.DataFrame({"prompt": np.repeat(["v1", "v2"], 12 * rows), "m": counts, "duration_s": 60.0})
    calls["session_id"] = np.repeat(np.arange(24), rows)
    found = kn.compare_groups(calls, by="prompt", metric="m", statistic=statistic).iloc[1]
    assert found["p_value"] > 0.1
    assert found["difference_low"] < 0 < found["difference_high"]


def test_the_mean_of_booleans_has_the_limits_of_a_share() -> None:
    """None of them is beyond 1."""
    frame = grouped(v1=np.arange(30) < 28, v2=np.arange(30) < 29)
    mean, share = (compare_groups(frame, by="version", metric="m", statistic=name) for name in ("mean", "share"))
    assert mean["statistic"].tolist() == ["mean"] * 2
    pd.testing.assert_frame_equal(mean[INTERVALS], share[INTERVALS])


def test_no_rows_give_no_rows() -> None:
    """But the columns."""
    empty = pd.DataFrame({"version": pd.Series(dtype="string"), "m": pd.Series(dtype="float64")})
    found = compare_groups(empty, by="version", metric="m")
    assert len(found) == 0
    assert (
        found.dtypes.tolist()
        == compare_groups(grouped(v1=[1.5]).astype({"version": "string"}), "version", "m").dtypes.tolist()
    )


def test_ten_thousand_groups_are_a_table() -> None:
    """A row each."""
    frame = pd.DataFrame({"version": np.arange(20_000) % 10_000, "m": RANDOM.normal(size=20_000)})
    found = compare_groups(frame, by="version", metric="m")
    assert len(found) == 10_000
    assert found["note"].str.contains("too few").all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference": "v9"}, "no such group, only 'v1'"),
        ({"reference": ["v1"]}, "no such group"),
        ({"confidence_level": 95}, "between 0 and 1"),
        ({"resamples": 1}, "resamples=1: pass a whole number from 2"),
        ({"seed": None}, "seed=None: pass a whole number"),
        ({"statistic": "mode"}, "a quantile such as 'p90'"),
        ({"statistic": "share"}, "metric 'm': statistic='share' is of booleans"),
        ({"statistic": np.cumsum}, "metric 'm': statistic=cumsum returns ndarray"),
        ({"effect": "odds"}, "'difference' or 'ratio'"),
        ({"paired": "version", "cluster": None}, "pass one of the two"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    """And the message says what is possible."""
    with pytest.raises(ConfigurationError, match=message):
        compare_groups(grouped(v1=[1.0, 2.5]), by="version", metric="m", **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "n"}, "the result has a column 'n' of its own"),
        ({"by": ["version", "n"]}, "the result has a column 'n' of its own"),
        ({"by": "difference"}, "the result has a column 'difference' of its own"),
        ({"by": {"n"}}, "pass the name of one column"),
        ({"by": []}, "pass the name of a column"),
        ({"by": "m"}, "both 'm'"),
        ({"by": "twice"}, "there are 2 columns named 'twice'"),
        ({"by": "versions"}, r"there is no column 'versions' \(did you mean 'version'\?\)"),
        ({"by": "version", "metric": "twice"}, "there are 2 columns"),
        ({"by": "version", "metric": ["m", "m"]}, "names a column twice"),
        ({"by": "version", "metric": "text"}, "not numbers; pd.to_numeric"),
        ({"by": "version", "metric": "m", "cluster": "caller"}, "no column and no index level 'caller'"),
        ({"by": "version", "metric": "m", "prefix": 7}, "prefix=7: pass text"),
    ],
)
def test_columns_that_cannot_be_compared_are_refused(options: dict[str, Any], message: str) -> None:
    """Groups that lose their names under the result's columns would be numbers of nobody."""
    values = [["a", "b", "c", 1.0, "x", 1, 2], ["b", "c", "d", 2.0, "y", 3, 4]]
    frame = pd.DataFrame(values, columns=["n", "difference", "version", "m", "text", "twice", "twice"])
    with pytest.raises(FrameError, match=message):
        compare_groups(frame, **{"metric": "m", **options})


@pytest.mark.parametrize("frame", [None, [1.0], "calls.csv"])
def test_what_is_no_frame_is_refused(frame: object) -> None:
    """And not by the first attribute that it lacks."""
    with pytest.raises(FrameError, match="a DataFrame with the metric is needed"):
        compare_groups(frame, by="version", metric="m")  # type: ignore[arg-type] # the mistake


@pytest.mark.parametrize(
    "groups",
    [
        pd.Categorical(["v10", "v2", "v10", "v2"], categories=["v2", "v10", "v11"], ordered=True),
        pd.array(["v10", "v2", "v10", "v2"], dtype="string"),
        pd.array([1, 2, 1, 2], dtype="Int64"),
        pd.array([True, False, True, False], dtype="boolean"),
        pd.to_datetime(["2026-01-01", "2026-01-02"] * 2, utc=True),
        pd.to_timedelta([1, 2, 1, 2], unit="min"),
    ],
    ids=["categorical", "string", "Int64", "boolean", "times", "lengths"],
)
def test_groups_keep_their_dtype_and_order(groups: Any) -> None:
    """So that the table merges with the frame, and v2 comes before v10 where the caller says so."""
    frame = pd.DataFrame({"version": groups, "m": [1.0, 2.0, 3.0, 4.0], "hour": 1})
    for by in ("version", ["version", "hour"]):
        found = compare_groups(frame, by=by, metric="m")
        assert found["version"].dtype == frame["version"].dtype
        assert found["version"].is_monotonic_increasing
        assert len(found.merge(frame, on=by)) == 4


def test_a_category_without_rows_is_nobodys_reference() -> None:
    """Such as of calls that were filtered out, and of which the dtype still knows."""
    names = pd.Categorical(["v1", "v2", "v3"] * 8)
    frame = pd.DataFrame({"version": names, "m": RANDOM.normal(size=24)})
    found = compare_groups(frame[frame["version"] != "v1"], by="version", metric="m")
    assert found["n"].tolist() == [0, 8, 8]
    assert found["difference"].notna().tolist() == [False, False, True]


def test_half_a_character_in_a_name_costs_no_table() -> None:
    """It is spelled out."""
    names = pd.Series(["x\udce9", "y"] * 3, dtype=object)
    found = compare_groups(pd.DataFrame({"by": names, "metric": range(6)}), by="by", metric="metric")
    assert found["by"].tolist() == ["x\\udce9", "y"]


def test_the_frame_and_its_index_do_not_matter() -> None:
    """It is not changed, its index may repeat, and columns may be named by tuples."""
    frame = grouped(v1=RANDOM.normal(size=20), v2=RANDOM.normal(size=20))
    expected = compare_groups(frame, by="version", metric="m")
    shuffled = frame.set_axis([0] * 40).sample(frac=1, random_state=0)
    before = shuffled.copy()
    pd.testing.assert_frame_equal(compare_groups(shuffled, by="version", metric="m"), expected)
    pd.testing.assert_frame_equal(shuffled, before)
    deep = frame.set_axis(pd.MultiIndex.from_tuples([("a", "version"), ("a", "m")]), axis=1)
    found = compare_groups(deep, by=("a", "version"), metric=("a", "m"))
    assert found["difference"].tolist()[1] == expected["difference"].tolist()[1]
