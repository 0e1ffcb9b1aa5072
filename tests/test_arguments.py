"""Numbers and paths that callers pass."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import kataven_notebook as kn
from kataven_notebook.arguments import absolute_path, check_count, check_probability, is_number, is_whole
from kataven_notebook.errors import ConfigurationError

pytestmark = pytest.mark.core


@pytest.mark.parametrize("value", [5, 5.0, np.int64(5), np.float32(5), 10**400])
def test_whole_numbers_of_python_and_numpy_are_numbers(value) -> None:
    """What a frame's cell or an array holds is as good as what is typed."""
    assert is_number(value)
    assert is_whole(value)


@pytest.mark.parametrize("value", [True, np.True_, "5", None, [5], 5j, np.array([5, 6])])
def test_what_is_no_number_is_none(value) -> None:
    """True is an int to Python, and no caller means 1 by it."""
    assert not is_number(value)
    assert not is_whole(value)


@pytest.mark.parametrize("value", [0.5, math.nan, math.inf, np.float64("nan"), np.float64("inf")])
def test_fractions_and_what_is_not_finite_are_not_whole(value) -> None:
    """But they are numbers."""
    assert is_number(value)
    assert not is_whole(value)


def test_a_limit_of_numpy_is_kept_as_pythons() -> None:
    """SQLite takes no other."""
    assert type(kn.Limits(per_minute=np.int64(5)).per_minute) is int


def test_a_path_is_made_absolute_from_here_and_from_home(tmp_path, monkeypatch) -> None:
    """A later change of folder does not move it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    assert absolute_path("store", "calls") == tmp_path / "calls"
    assert absolute_path("store", Path("~/calls")) == tmp_path / "home" / "calls"


@pytest.mark.parametrize(
    ("path", "says"), [("~nobody-here/x", "no such home"), ("a\0b", "a character"), ("a\ud800b", "a character")]
)
def test_what_is_no_path_names_the_argument(path, says) -> None:
    """With what to do."""
    with pytest.raises(ConfigurationError, match=rf"^store=.* is no path: .*{says}.*; write the path in full"):
        absolute_path("store", path)


@pytest.mark.parametrize("value", [0, 1, 95, -0.1, math.nan, "0.95", None, True])
def test_a_share_lies_between_0_and_1(value) -> None:
    """A level of 95 is a slip for 0.95."""
    check_probability("confidence_level", np.float64(0.95))
    with pytest.raises(ConfigurationError, match=r"confidence_level=.*between 0 and 1"):
        check_probability("confidence_level", value)


@pytest.mark.parametrize("value", [0, -1, 1.5, "5MB", None, True])
def test_a_count_is_whole(value) -> None:
    """From the least that makes sense."""
    check_count("n", np.int64(1))
    check_count("seed", 0, least=0)
    with pytest.raises(ConfigurationError, match=r"n=.*whole number from 1"):
        check_count("n", value)
