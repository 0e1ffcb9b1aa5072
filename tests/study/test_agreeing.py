"""Agreement of listeners: who counts as one, which calls count, and what is said where there is no coefficient."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kataven_notebook import study
from kataven_notebook.desk.open import player
from kataven_notebook.errors import ConfigurationError, FrameError

pytestmark = pytest.mark.core
FAST = {"resamples": 200}


def heard(labels, annotator=None, **columns) -> pd.DataFrame:
    """A listener's labels, one a call, from "c-0" on."""
    table = pd.DataFrame({"session_id": [f"c-{at}" for at in range(len(labels))], "label": labels})
    return table.assign(annotator=annotator, **columns)


def test_two_listeners_get_kappa() -> None:
    """In two frames, or in one that names them: the same numbers."""
    ana, ben = (
        heard(["yes"] * 25 + ["no"] * 25, "ana"),
        heard(["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15, "ben"),
    )
    apart = study.agreement(ana, ben, **FAST)
    together = study.agreement(pd.concat([ben, ana]).sample(frac=1, random_state=1), **FAST)
    pd.testing.assert_frame_equal(apart.table, together.table)
    first = apart.table.iloc[0]
    assert first["coefficient"] == "Cohen's kappa"
    assert (first["n"], first["only_one"], first["annotators"]) == (50, 0, 2)
    assert (first["agreed"], first["estimate"]) == (pytest.approx(0.7), pytest.approx(0.4))
    assert first["estimate_low"] < 0.4 < first["estimate_high"]
    assert apart.table["label"].isna().tolist() == [True, False, False]


def test_calls_that_one_alone_heard_are_counted_and_left_out() -> None:
    """They say nothing of agreement."""
    found = study.agreement(heard(["yes", "no"] * 20, "ana"), heard(["yes", "no"] * 10, "ben"), **FAST)
    assert found.table[["n", "only_one"]].iloc[0].tolist() == [20, 20]
    assert found.disagreements.empty


def test_a_heard_call_without_a_label_is_none() -> None:
    """Where a note or a region shows that it was heard, or `heard` says so; else it was not heard."""
    ana = heard(["yes"] * 10 + [None] * 10, "ana", note="listened")
    ben = heard(["yes"] * 15, "ben")
    found = study.agreement(ana, ben, **FAST)
    assert found.table[["n", "only_one"]].iloc[0].tolist() == [15, 5]
    assert found.disagreements["label"].tolist() == ["ana: none; ben: yes"] * 5
    assert found.disagreements["note"].tolist() == ["ana: listened"] * 5
    everything = study.agreement(ana, ben, heard="all", **FAST)
    assert everything.table[["n", "only_one"]].iloc[0].tolist() == [20, 0]
    one_more = study.agreement(ana, ben, heard=["c-15"], **FAST)
    assert one_more.table["n"].iloc[0] == 16


def test_several_labels_of_a_call_are_one_judgment_together_and_one_each() -> None:
    """The set of labels for all, whether it has the label for each."""
    ana = pd.DataFrame({"session_id": ["a", "a", "b", "c"], "label": ["late", "rude", "late", "rude"]})
    ben = pd.DataFrame({"session_id": ["a", "b", "c"], "label": ["late", "late", "rude"]})
    found = study.agreement(ana, ben, **FAST).table.set_index(
        study.agreement(ana, ben, **FAST).table["label"].fillna("*")
    )
    assert found.loc[["*", "late", "rude"], "agreed"].tolist() == pytest.approx([2 / 3, 1, 2 / 3])
    only = study.agreement(ana, ben, label="late", **FAST)
    assert only.table["label"].tolist() == ["late"]
    assert only.disagreements.empty


def test_regions_agree_by_their_overlap() -> None:
    """Half of the shorter one by default; disagreements are places, each once."""
    columns = ["session_id", "label", "start_s", "end_s"]
    ana = pd.DataFrame([("a", "cut", 10, 12), ("a", "late", 20, 25), ("b", "cut", 1, 2)], columns=columns)
    ben = pd.DataFrame([("a", "cut", 11, 14), ("a", "cut", 21, 24), ("b", "late", 9, 9)], columns=columns)
    found = study.agreement(ana.assign(annotator="ana"), ben.assign(annotator="ben"), **FAST)
    assert found.table["coefficient"].tolist() == ["F1"] * 3
    assert found.table["estimate"].tolist() == pytest.approx([2 / 6, 2 / 4, 0])
    assert found.disagreements[["session_id", "label", "start_s", "end_s"]].to_numpy().tolist() == [
        ["a", "ana: late; ben: cut", 20, 25],
        ["b", "ana: cut; ben: none", 1, 2],
        ["b", "ana: none; ben: late", 9, 9],
    ]
    strict = study.agreement(ana.assign(annotator="ana"), ben.assign(annotator="ben"), overlap=1.0, **FAST)
    assert strict.table["estimate"].iloc[0] == 0


def test_disagreements_go_into_the_player() -> None:
    """As marks, of whole calls too."""
    found = study.agreement(heard(["yes", "no", "no"], "ana"), heard(["yes", "no", "yes"], "ben"), **FAST)
    calls = pd.DataFrame({"session_id": ["c-0", "c-1", "c-2"]})
    again = calls[calls["session_id"].isin(found.disagreements["session_id"])]
    desk = player(again, marks=found.disagreements)
    assert desk.session_id == "c-2"
    desk.close()


def test_one_listener_who_listened_twice_is_compared_with_herself() -> None:
    """Two frames of one name are two listenings."""
    found = study.agreement(heard(["yes", "no"], "ana"), heard(["yes", "yes"], "ana"), **FAST)
    assert found.disagreements["label"].tolist() == ["ana (1): no; ana (2): yes"]


def test_moments_are_compared_where_labels_name_them() -> None:
    """One call may hold several."""
    ana = heard(["real", "false"] * 5, "ana").assign(moment_id=lambda df: "m" + df.index.astype(str), session_id="a")
    found = study.agreement(ana, ana.assign(annotator="ben"), **FAST)
    assert found.table["n"].iloc[0] == 10
    assert "moment_id" in found.disagreements


@pytest.mark.parametrize(
    ("ana", "ben", "note"),
    [
        (["yes"] * 40, ["yes"] * 40, "where nothing varies"),
        (["yes"], ["no"], "too few calls differ"),
        (["yes", "no"] * 20, ["yes", "no"] * 20, "no disagreement"),
        (["yes", "no"] * 5, ["yes", "no"] * 4 + ["no", "no"], "below 30 calls"),
        ([], ["yes"], "nothing was heard by two listeners"),
        ([], [], "nothing was heard by two listeners"),
    ],
)
def test_what_there_is_no_interval_of_is_said(ana, ben, note) -> None:
    """In a note, and missing numbers are missing."""
    found = study.agreement(heard(ana, "ana"), heard(ben, "ben"), **FAST).table.iloc[0]
    assert note in found["note"]
    if note.startswith(("where", "nothing")):
        assert np.isnan(found["estimate"])


def test_the_result_shows_itself() -> None:
    """As text and in a notebook, with the number of disagreements."""
    found = study.agreement(heard(["yes", "no"], "ana"), heard(["yes", "yes"], "ben"), **FAST)
    for text in (repr(found), found._repr_html_()):
        assert "Cohen" in text
        assert "1 disagreement" in text


def test_a_seed_gives_the_same_intervals() -> None:
    """And another one others."""
    random = np.random.default_rng(0)
    ana, ben = (heard(random.choice(["x", "y", "z"], 50), name) for name in ("ana", "ben"))
    first, again, other = (study.agreement(ana, ben, seed=seed, **FAST).table for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert first["estimate_low"].tolist() != other["estimate_low"].tolist()


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([heard(["yes"], "ana")], "only of ana"),
        ([heard([], None)], "of nobody"),
        ([pd.concat([heard(["x"], "ana"), heard(["x"], "ben")]), heard(["x"], "cy")], "labels_a holds labels of 2"),
        ([["yes"]], "DataFrame"),
    ],
)
def test_less_than_two_listeners_are_refused(frames, message) -> None:
    """In a sentence."""
    with pytest.raises(FrameError, match=message):
        study.agreement(*frames)


@pytest.mark.parametrize(
    "options",
    [
        {"overlap": 0},
        {"overlap": 2},
        {"confidence_level": 95},
        {"resamples": 1},
        {"seed": -1},
        {"heard": "some"},
        {"heard": 3},
    ],
)
def test_options_out_of_range_are_refused(options) -> None:
    """The message names the option."""
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        study.agreement(heard(["x"], "ana"), heard(["x"], "ben"), **options)
