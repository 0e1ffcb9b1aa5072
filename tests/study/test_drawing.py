"""Samples: who is drawn, with which chance, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kataven_notebook import configure, settings, study
from kataven_notebook.errors import ConfigurationError, FrameError

pytestmark = pytest.mark.core


def frame(count=200) -> pd.DataFrame:
    """Calls of two prompts, one of them rare, with a score."""
    random = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "session_id": [f"c-{at:04}" for at in range(count)],
            "prompt": random.choice(["v1", "v2"], count, p=[0.85, 0.15]),
            "score": random.gamma(1.0, 1.0, count),
        }
    )


def test_a_seed_draws_the_same_whatever_the_order_of_the_rows() -> None:
    """And another seed another sample; rows stay in the frame's order, with index and columns."""
    calls = frame()
    for options in ({}, {"by": "prompt"}, {"favour": "score"}, {"by": ["prompt"], "favour": "score"}):
        first = study.sample(calls, 30, seed=1, **options)
        again = study.sample(calls.sample(frac=1, random_state=2), 30, seed=1, **options)
        other = study.sample(calls, 30, seed=2, **options)
        pd.testing.assert_frame_equal(first, again.sort_index())
        assert set(first["session_id"]) != set(other["session_id"])
        assert first.index.is_monotonic_increasing
        pd.testing.assert_frame_equal(first[calls.columns], calls.loc[first.index])


def test_chances_are_kept_and_add_up() -> None:
    """Equal ones are n / N; with scores they are in proportion, with strata they are those of the stratum."""
    calls = frame()
    assert study.sample(calls, 30)["inclusion_probability"].unique().tolist() == [0.15]
    favoured = study.sample(calls, 30, favour="score")
    high, low = favoured.nlargest(1, "score"), favoured.nsmallest(1, "score")
    assert high["inclusion_probability"].item() > low["inclusion_probability"].item()
    equal = study.sample(calls, 30, by="prompt", allocation="equal")
    assert equal["prompt"].value_counts().tolist() == [15, 15]
    sizes = calls["prompt"].value_counts()
    expected = equal["prompt"].map(15 / sizes)
    assert equal["inclusion_probability"].tolist() == pytest.approx(expected.tolist())
    assert equal["sampling_stratum"].dtype == "Int64"
    assert "sampling_stratum" not in favoured


def test_a_call_in_many_rows_is_drawn_once() -> None:
    """With the chance of one call, and its first row; a duplicated index does no harm."""
    calls = pd.concat([frame(), frame(), frame()])
    chosen = study.sample(calls, 30, favour="score")
    once = study.sample(frame(), 30, favour="score")
    assert chosen["session_id"].is_unique
    assert chosen["inclusion_probability"].tolist() == once["inclusion_probability"].tolist()


def test_moments_are_drawn_one_by_one() -> None:
    """Where the frame has their ids: two of one call can both be drawn."""
    moments = pd.DataFrame(
        {"session_id": np.repeat(["a", "b"], 50), "moment_id": [f"m{at}" for at in range(100)], "start_s": 1.0}
    )
    chosen = study.sample(moments, 20)
    assert len(chosen) == 20
    assert chosen["inclusion_probability"].unique().tolist() == [0.2]


def test_missing_groups_and_scores_can_be_drawn_too() -> None:
    """A missing group is a stratum, a missing score a small chance."""
    calls = frame().assign(prompt=lambda df: df["prompt"].where(df.index % 3 > 0), score=np.nan)
    chosen = study.sample(calls, 30, by="prompt")
    assert chosen["prompt"].isna().sum() == 10
    assert study.sample(calls, 30, favour="score")["inclusion_probability"].unique().tolist() == [0.15]


def test_booleans_of_arrow_are_scores() -> None:
    """Which a comparison of strings makes: those that are true come more often."""
    pytest.importorskip("pyarrow")
    calls = frame()
    calls["sold"] = pd.array([each % 2 == 0 for each in range(len(calls))], dtype="bool[pyarrow]")
    plain = study.sample(calls.assign(sold=calls["sold"].astype(bool)), 30, favour="sold", seed=1)
    assert study.sample(calls, 30, favour="sold", seed=1).index.tolist() == plain.index.tolist()


def test_categories_mixed_types_and_level_names_make_strata() -> None:
    """Whatever a column holds; strata are counted in its sorting order."""
    calls = frame()
    calls["kind"] = pd.Categorical(calls["prompt"].map({"v1": "b", "v2": "a"}), ["b", "a", "never"])
    chosen = study.sample(calls, 30, by="kind")
    assert chosen.groupby("kind", observed=True)["sampling_stratum"].first().tolist() == [0, 1]
    calls["mixed"] = [1 if at % 2 else "x" for at in range(len(calls))]
    assert study.sample(calls, 30, by="mixed")["mixed"].astype(str).value_counts().tolist() == [15, 15]
    indexed = calls.set_index(["session_id", "prompt"])
    assert study.sample(indexed, 30, by="prompt").index.names == ["session_id", "prompt"]


def test_all_are_drawn_where_there_are_fewer(recwarn) -> None:
    """With a warning, and of an empty frame nothing."""
    with pytest.warns(UserWarning, match="there are 200 calls with an id, fewer than n=500"):
        assert study.sample(frame(), 500)["inclusion_probability"].unique().tolist() == [1.0]
    with pytest.warns(UserWarning, match="there are 0 calls"):
        empty = study.sample(frame().head(0), 5, by="prompt", favour="score")
    assert empty.columns.tolist() == [*frame().columns, "inclusion_probability", "sampling_stratum"]


def test_rows_without_an_id_are_told() -> None:
    """They are no calls that can be listened to."""
    calls = frame()
    calls.loc[[3, 7], "session_id"] = [None, " "]
    with pytest.warns(UserWarning, match=r"2 row\(s\) without an id"):
        chosen = study.sample(calls, 198)
    assert len(chosen) == 198


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"favour": "scroe"}, "did you mean 'score'"),
        ({}, {"by": "promt"}, "did you mean 'prompt'"),
        ({}, {"favour": "prompt"}, "not of scores"),
        ({"score": -1.0}, {"favour": "score"}, "from 0 on and finite"),
        ({"score": np.inf}, {"favour": "score"}, "from 0 on and finite"),
        ({"inclusion_probability": 0.5}, {}, "draw from the whole frame"),
        ({"session_id": 7}, {}, "session ids are text"),
    ],
)
def test_frames_that_can_t_be_drawn_from_are_refused(change, options, message) -> None:
    """In a sentence."""
    with pytest.raises(FrameError, match=message):
        study.sample(frame().assign(**change), 10, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n=0"),
        ({"n": "ten"}, "n='ten'"),
        ({"n": 5, "seed": -1}, "seed=-1"),
        ({"n": 5, "allocation": "even"}, "'proportional' or 'equal'"),
        ({"n": 5, "by": "session_id"}, "200 groups"),
        ({"n": 5, "by": ["prompt", "prompt"]}, "twice"),
    ],
)
def test_options_that_make_no_sample_are_refused(options, message) -> None:
    """The message names the option."""
    with pytest.raises(ConfigurationError, match=message):
        study.sample(frame(), **options)


def test_configured_names_and_a_prefix_are_used(monkeypatch) -> None:
    """As everywhere."""
    monkeypatch.setattr(settings, "_configured", {})
    configure(session="call_id", prefix="my_")
    chosen = study.sample(frame().rename(columns={"session_id": "call_id"}), 10)
    assert "my_inclusion_probability" in chosen


def test_ten_groups_of_a_large_frame_are_drawn_from_at_once() -> None:
    """100,000 rows are no reason to wait."""
    calls = frame(100_000).assign(hour=lambda df: df.index % 24)
    assert len(study.sample(calls, 240, by="hour", favour="score")) == 240
