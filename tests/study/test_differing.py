"""Disagreements are told once each, by call."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.study.differing import disagreements_of
from kataven_notebook.study.judges import Judge, Panel

pytestmark = pytest.mark.core


def test_what_two_marked_differently_in_one_place_is_one_disagreement() -> None:
    """With who marked what, beside the third who marked nothing."""
    ana, ben, cy = Judge("ana", {"a": None}), Judge("ben", {"a": None}), Judge("cy", {"a": None})
    ana.regions["a", "late"] = [(1.0, 3.0)]
    ben.regions["a", "cut"] = [(1.0, 2.9)]
    found = disagreements_of(Panel([ana, ben, cy], "session_id"), 0.5)
    assert found["label"].tolist() == ["ana: late; ben: cut; cy: none"]
    assert found[["start_s", "end_s"]].values.tolist() == [[1.0, 3.0]]


def test_whole_calls_come_before_their_regions() -> None:
    """In the order in which calls were heard."""
    ana, ben = Judge("ana", {"b": None, "a": None}), Judge("ben", {"a": None, "b": None})
    ana.labels["a"] = {"late"}
    ana.regions["a", "cut"] = [(5.0, 6.0), (1.0, 2.0)]
    ben.labels["b"] = {"late"}
    found = disagreements_of(Panel([ana, ben], "call"), 0.5)
    assert found["call"].tolist() == ["b", "a", "a", "a"]
    assert found["start_s"].fillna(-1).tolist() == [-1, -1, 1, 5]
    assert np.isnan(found["end_s"].iloc[0])
