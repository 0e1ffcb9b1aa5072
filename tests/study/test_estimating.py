"""Shares of the whole frame from the labels of a sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kataven_notebook import study
from kataven_notebook.errors import ConfigurationError, FrameError

pytestmark = pytest.mark.core


def frame(count=1_000) -> pd.DataFrame:
    """Calls, of which one in ten escalates with v1 and four with v2."""
    random = np.random.default_rng(1)
    prompt = random.choice(["v1", "v2"], count, p=[0.8, 0.2])
    truth = np.where(random.random(count) < np.where(prompt == "v1", 0.1, 0.4), "escalate", "fine")
    return pd.DataFrame({"session_id": [f"c-{at}" for at in range(count)], "prompt": prompt, "truth": truth})


def labels_of(chosen, annotator="ana", **columns) -> pd.DataFrame:
    """What a listener who is always right decides on each call."""
    table = pd.DataFrame({"session_id": chosen["session_id"], "label": chosen["truth"], "annotator": annotator})
    return table.assign(**columns)


def test_a_share_is_weighted_by_the_chances() -> None:
    """A sample of as many calls of the rare prompt says the share of the whole frame, not its own."""
    calls = frame()
    chosen = study.sample(calls, 200, by="prompt", allocation="equal")
    found = study.estimate(labels_of(chosen), "escalate", sample=chosen).iloc[0]
    weights = 1 / chosen["inclusion_probability"]
    hits = chosen["truth"] == "escalate"
    assert found["estimate"] == pytest.approx((weights * hits).sum() / weights.sum())
    assert found["calls_with_label"] == pytest.approx((weights * hits).sum())
    assert found["calls"] == pytest.approx(1_000)
    assert abs(found["estimate"] - hits.mean()) > 0.05
    assert found["estimate_low"] < (calls["truth"] == "escalate").mean() < found["estimate_high"]
    assert (found["n"], found["missing"]) == (200, 0)
    assert pd.isna(found["note"])


def test_the_table_has_its_columns_and_dtypes() -> None:
    """A row a group and label, the group's column with its own dtype."""
    calls = frame().assign(prompt=lambda df: pd.Categorical(df["prompt"]))
    chosen = study.sample(calls, 100)
    found = study.estimate(labels_of(chosen), ["escalate", "fine"], sample=chosen, by="prompt")
    assert found["prompt"].dtype == "category"
    assert found["prompt"].tolist() == ["v1", "v1", "v2", "v2"]
    assert found["label"].tolist() == ["escalate", "fine"] * 2
    assert found.dtypes[["n", "missing"]].astype(str).tolist() == ["Int64", "Int64"]
    assert found.dtypes[["label", "note"]].astype(str).str.startswith("str").all()
    sums = found.groupby("prompt", observed=True)["estimate"].sum()
    assert sums.tolist() == pytest.approx([1, 1])


def test_calls_that_were_not_heard_are_no_no() -> None:
    """They are counted and left out; with `heard` they are what they are said to be."""
    chosen = study.sample(frame(), 60)
    labels = labels_of(chosen)
    only = labels[labels["label"] == "escalate"]
    unknown = study.estimate(only, "escalate", sample=chosen).iloc[0]
    assert unknown["estimate"] == 1
    assert unknown["missing"] == 60 - len(only)
    assert "not heard, and are left out" in unknown["note"]
    said = study.estimate(only, "escalate", sample=chosen, heard="all").iloc[0]
    assert said["estimate"] == pytest.approx(len(only) / 60)
    some = study.estimate(only, "escalate", sample=chosen, heard=chosen["session_id"].head(30)).iloc[0]
    assert some["n"] == len(set(only["session_id"]) | set(chosen["session_id"].head(30)))


def test_a_note_alone_says_that_a_call_was_heard() -> None:
    """A decision without a label is one."""
    chosen = study.sample(frame(), 60)
    labels = labels_of(chosen, note="listened")
    labels.loc[labels["label"] == "fine", "label"] = None
    assert study.estimate(labels, "escalate", sample=chosen)["missing"].tolist() == [0]


def test_within_a_stratum_those_heard_stand_for_the_others() -> None:
    """So that a prompt that was heard less is not counted for less."""
    chosen = study.sample(frame(), 200, by="prompt", allocation="equal")
    labels = labels_of(chosen)
    heard = labels[(chosen["prompt"] == "v1") | (np.arange(200) % 5 == 0)]
    found = study.estimate(heard, "escalate", sample=chosen).iloc[0]
    assert found["calls"] == pytest.approx(1_000)
    lost = study.estimate(labels[chosen["prompt"] == "v1"], "escalate", sample=chosen).iloc[0]
    assert "nothing was heard of 1 of the strata" in lost["note"]


@pytest.mark.parametrize(
    ("several", "expected"),
    [("majority", [1, 0.5, 0]), ("mean", [2 / 3, 0.5, 1 / 3]), ("any", [1] * 3), ("all", [0] * 3)],
)
def test_several_annotators_make_one_call(several, expected) -> None:
    """By the rule that is asked for; of two against one, one against one, one against two."""
    says = {"a": "eef", "b": "ef", "c": "eff"}
    rows = [(call, name, said) for call, all_ in says.items() for name, said in zip("xyz", all_, strict=False)]
    labels = pd.DataFrame(rows, columns=["session_id", "annotator", "label"])
    calls = pd.DataFrame({"session_id": list("abc")})
    found = study.estimate(labels, "e", calls=calls, several=several, by="session_id")
    assert found["estimate"].tolist() == pytest.approx(expected)


def test_labels_on_regions_are_labels_of_the_call() -> None:
    """And a call with two of them has the label once."""
    labels = pd.DataFrame({"session_id": ["a", "a", "b"], "label": ["cut", "cut", "fine"], "start_s": [1.0, 5.0, None]})
    found = study.estimate(labels, "cut", calls=pd.DataFrame({"session_id": ["a", "b"]}))
    assert (found["estimate"].item(), found["n"].item()) == (0.5, 2)


def test_without_a_sample_the_heard_calls_are_taken_for_a_random_one() -> None:
    """Which the note says; the frame's size is known."""
    calls = frame()
    found = study.estimate(labels_of(calls.head(60)), "escalate", calls=calls).iloc[0]
    assert (found["n"], found["missing"], found["calls"]) == (60, 940, 1_000)
    assert "taken for a simple random sample" in found["note"]
    assert 60 < found["effective_n"] < 66


def test_none_of_sixty_is_given_an_honest_interval() -> None:
    """And a label that nobody gave is told apart from one that is spelled otherwise."""
    chosen = study.sample(frame(), 60)
    found = study.estimate(labels_of(chosen, label="fine"), "fien", sample=chosen).iloc[0]
    assert found["estimate"] == 0
    assert 0.045 < found["estimate_high"] < 0.07
    assert "did you mean 'fine'" in found["note"]


def test_a_group_of_which_nothing_was_drawn_has_a_row() -> None:
    """Where the whole frame is passed; groups are then those of the frame."""
    calls = frame()
    chosen = study.sample(calls[calls["prompt"] == "v1"], 30)
    found = study.estimate(labels_of(chosen), "escalate", sample=chosen, calls=calls, by="prompt")
    assert found["n"].tolist() == [30, 0]
    assert found["note"].iloc[1] == "there is no call of these"
    assert found["calls"].tolist() == calls["prompt"].value_counts().tolist()


def test_labels_of_other_calls_are_told() -> None:
    """They can't be weighted."""
    calls = frame()
    chosen = study.sample(calls, 30)
    found = study.estimate(labels_of(calls), "escalate", sample=chosen)
    assert "970 calls with labels are not in the sample" in found["note"].item()
    others = calls[~calls["session_id"].isin(chosen["session_id"])]
    none = study.estimate(labels_of(others), "escalate", sample=chosen)
    assert none["note"].item().startswith("none of 30 calls was heard; 970 calls with labels")


def test_labels_with_the_sample_s_columns_need_no_sample() -> None:
    """Such as a player's frame over it, in which a call without a decision was not heard."""
    chosen = study.sample(frame(), 60)
    decided = labels_of(chosen).merge(chosen.drop(columns="truth"), on="session_id")
    assert study.estimate(decided, "escalate", by="prompt")["n"].sum() == 60
    both = chosen.assign(label=["escalate, late"] * 10 + [None] * 50, label_regions=0, label_note=None)
    found = study.estimate(both, ["escalate", "late"])
    assert found["n"].tolist() == [10, 10]
    assert found["estimate"].tolist() == [1, 1]


def test_a_sample_that_labels_were_merged_into_says_what_they_say() -> None:
    """Its rows without a label were heard by nobody: they are no "no"."""
    chosen = study.sample(frame(), 60)
    labels = labels_of(chosen).head(30)
    merged = chosen.merge(labels, how="left", on="session_id")
    found = study.estimate(merged, "escalate")
    pd.testing.assert_frame_equal(found, study.estimate(labels, "escalate", sample=chosen))
    assert found[["n", "missing"]].to_numpy().tolist() == [[30, 30]]


def test_samples_that_were_joined_are_told() -> None:
    """Their chances are those of none: refused where a call has two, else told beside the frame."""
    calls = frame()
    first, larger, other = (study.sample(calls, n, seed=seed) for n, seed in ((60, 1), (90, 1), (60, 2)))
    with pytest.raises(FrameError, match="draw one sample with a larger n"):
        study.estimate(labels_of(larger), "escalate", sample=pd.concat([first, larger]))
    both = pd.concat([first, other])
    with pytest.warns(UserWarning, match=r"about 1,9\d\d calls, and calls= has 1,000"):
        study.estimate(labels_of(both), "escalate", sample=both, calls=calls)
    # Rows of one call that agree, as a merge makes them, are no second sample.
    found = study.estimate(labels_of(first), "escalate", sample=pd.concat([first, first]), calls=calls)
    assert found["n"].tolist() == [60]


def test_moments_are_matched_by_id_or_by_place() -> None:
    """A region that overlaps a moment is about it; a label on the whole call is about none."""
    moments = pd.DataFrame(
        {
            "session_id": ["a", "a", "b", "b"],
            "moment_id": ["m1", "m2", "m3", "m4"],
            "start_s": [1.0, 10.0, 1.0, 10.0],
            "end_s": [3.0, 12.0, 3.0, 12.0],
        }
    )
    chosen = study.sample(moments, 4)
    labels = pd.DataFrame(
        {
            "session_id": ["a", "a", "b"],
            "label": ["real", "false", "real"],
            "start_s": [2, 11, None],
            "end_s": [2.5, 11, None],
        }
    )
    found = study.estimate(labels, "real", sample=chosen).iloc[0]
    assert (found["n"], found["missing"], found["estimate"]) == (2, 2, 0.5)
    named = pd.DataFrame({"session_id": "x", "moment_id": ["m1", "m4"], "label": ["real", "false"]})
    assert study.estimate(named, "real", sample=chosen)["n"].tolist() == [2]


def test_frames_are_not_changed() -> None:
    """Neither labels nor sample, nor by asking twice."""
    chosen = study.sample(frame(), 60)
    labels = labels_of(chosen)
    before = chosen.copy(), labels.copy()
    first = study.estimate(labels, "escalate", sample=chosen, by="prompt")
    pd.testing.assert_frame_equal(first, study.estimate(labels, "escalate", sample=chosen, by="prompt"))
    pd.testing.assert_frame_equal(chosen, before[0])
    pd.testing.assert_frame_equal(labels, before[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda df: df.drop(columns="inclusion_probability"), "pass what study.sample returned"),
        (lambda df: df.assign(inclusion_probability=1.2), "not above 0 and at most 1"),
        (lambda df: df.assign(inclusion_probability="x"), "not above 0 and at most 1"),
        (lambda df: df.assign(note="x"), "a column 'note' of its own"),
        (lambda df: df.to_dict(), "DataFrame"),
    ],
)
def test_a_frame_that_is_no_sample_is_refused(change, message) -> None:
    """In a sentence."""
    chosen = study.sample(frame(), 60)
    by = "note" if message.startswith("a column") else None
    with pytest.raises(FrameError, match=message):
        study.estimate(labels_of(chosen), "escalate", sample=change(chosen), by=by)


def test_calls_that_lack_the_sample_are_refused() -> None:
    """They are not the frame that it was drawn from."""
    chosen = study.sample(frame(), 60)
    with pytest.raises(FrameError, match="the frame that the sample was drawn from"):
        study.estimate(labels_of(chosen), "escalate", sample=chosen, calls=frame().head(5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "pass sample="),
        ({"label": []}, "pass a label"),
        ({"label": 3}, "pass a label"),
        ({"several": "most"}, "several='most'"),
        ({"confidence_level": 95}, "confidence_level=95"),
        ({"calls": frame(), "heard": "some"}, 'pass "all"'),
        ({"calls": frame(), "heard": 3}, 'pass "all"'),
        ({"calls": frame(), "heard": ["zz"]}, "names no call"),
    ],
)
def test_options_that_say_nothing_are_refused(options, message) -> None:
    """The message says what to pass."""
    with pytest.raises(ConfigurationError, match=message):
        study.estimate(labels_of(frame()), **{"label": "escalate", **options})


def test_thousands_of_groups_are_answered() -> None:
    """A row each, in the time of a few: what they share is made once."""
    calls = pd.DataFrame({"session_id": [f"c-{at}" for at in range(4_000)], "hour": np.arange(4_000) // 2})
    labels = pd.DataFrame({"session_id": calls["session_id"].head(500), "label": "fine"})
    found = study.estimate(labels, "fine", calls=calls, by="hour")
    assert len(found) == 2_000
    assert found["note"].iloc[-1] == "none of 2 calls was heard"
