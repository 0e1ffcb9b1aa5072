"""The values of transcripts are read as they are written, and anything else is missing."""

from __future__ import annotations

import math

import pytest

from kataven_notebook.words.spoken import (
    channel_from,
    first_object,
    milliseconds,
    name_from,
    number,
    objects,
    text_from,
)

pytestmark = pytest.mark.core


@pytest.mark.parametrize("value", [None, True, [], {}, "", "soon", b"1", math.nan])
def test_what_is_no_number_is_missing(value) -> None:
    """Whatever it is."""
    assert math.isnan(number(value))
    assert math.isnan(milliseconds(value))


def test_numbers_may_be_text() -> None:
    """As some services write them."""
    assert (number("12.282"), number(7), milliseconds("250")) == (12.282, 7.0, 0.25)
    assert math.isinf(number("1e999"))
    assert math.isnan(number(10**400))


@pytest.mark.parametrize("value", [None, -1, 0.5, "left", True, [0], math.inf])
def test_what_is_no_channel_is_missing(value) -> None:
    """So is a negative one."""
    assert channel_from(value) is None


def test_channels_count_from_nought() -> None:
    """Whatever the first one's number is."""
    assert [channel_from(each) for each in (0, "1", "ch_1")] == [0, 1, 1]
    assert [channel_from(each, first=1) for each in (0, 1, "2")] == [None, 0, 1]


def test_texts_and_names_have_no_space_around_them() -> None:
    """And what is none is empty or missing."""
    assert [text_from(each) for each in ("  so,\n yes ", 14, None, math.nan, [], True)] == [
        "so, yes",
        "14",
        "",
        "",
        "",
        "",
    ]
    assert [name_from(each) for each in (0, " A ", "", None, True, [])] == ["0", "A", None, None, None, None]


def test_only_objects_of_an_array_count() -> None:
    """A file may hold anything in their place."""
    assert list(objects([{"a": 1}, 2, None, {"b": 1}])) == [{"a": 1}, {"b": 1}]
    assert list(objects({"a": 1})) == []
    assert first_object("words") == {}
