"""What a report says in sentences."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from kataven_notebook.publish.findings import Finding, Span, headline, sentence
from kataven_notebook.publish.quantities import Quantity

pytestmark = pytest.mark.core

LATENCY = Quantity("response_latency_p50_s", "Response latency", "s")
V1 = Finding(LATENCY, "v1", "median", 198, 3, 198, Span(1.40, 1.31, 1.52))
V2 = Finding(LATENCY, "v2", "median", 212, 0, 212, Span(0.98, 0.9, 1.1), Span(-0.42, -0.55, -0.30), "v1", 0.002)


def said(finding: Finding = V2, reference: Finding = V1, **changes: Any) -> str:
    """The sentence of a finding, with plain spaces."""
    return sentence(dataclasses.replace(finding, **changes), reference, 0.95, 0.05).replace("\N{NO-BREAK SPACE}", " ")


def test_a_difference_is_one_sentence_with_its_interval() -> None:
    """The ends are sizes, the smaller one first."""
    assert said() == (
        "Response latency, median: v2 is 0.42 s faster than v1 (95 % interval 0.30 to 0.55 s; 212 and 198 calls)."
    )
    assert "0.42 s slower than v1 (95 % interval 0.30 to 0.55 s" in said(difference=Span(0.42, 0.3, 0.55))


@pytest.mark.parametrize(
    ("column", "unit", "word"),
    [("duration_s", "s", "shorter"), ("talk_ratio", "1", "lower"), ("backchannels", "count", "lower")],
)
def test_the_word_suits_the_number(column: str, unit: str, word: str) -> None:
    """A call is no faster for being short."""
    assert f" {word} than v1" in said(quantity=Quantity(column, "It", unit))


@pytest.mark.parametrize("gap", [Span(-0.1, -0.3, 0.1), Span(0.0, 0.0, 0.2), Span(0.0, 0.0, 0.0)])
def test_an_interval_that_holds_0_shows_no_difference(gap: Span) -> None:
    """And the sentence does not say that there is none."""
    text = said(difference=gap)
    assert "no difference between v2 and v1 is shown" in text
    assert "faster" not in text


def test_a_difference_that_correction_takes_back_is_doubted() -> None:
    """One of many intervals leaves out 0 by chance."""
    assert "p = 0.210, so that chance may explain it" in said(p_adjusted=0.21)


def test_without_an_interval_nothing_is_claimed() -> None:
    """The reason stands in its place."""
    text = said(difference=Span(-0.42), note="one call has no spread")
    assert "v2 is 0.42 s faster than v1 in these calls, and no interval says how sure that is (one call has no" in text
    text = said(difference=Span(), note="one call has no spread")
    assert "v2 can't be compared with v1 (one call has no spread; 212 and 198 calls)" in text


def test_the_headline_of_two_groups_is_their_difference() -> None:
    """Of the first number alone."""
    other = dataclasses.replace(V2, quantity=Quantity("talk_ratio", "Talk ratio", "1"))
    assert headline([V1, V2, other], 0.95) == [sentence(V2, V1, 0.95, 0.05)]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("9", "12"), "hour 12 is 0.42 s faster than hour 9 ("),
        (("False", "True"), "hour True is 0.42 s faster than hour False ("),
        (("v1", "2026"), "hour 2026 is 0.42 s faster than v1 ("),
    ],
)
def test_names_that_say_nothing_alone_have_their_column(names: tuple[str, str], text: str) -> None:
    """A number is no group that a reader knows."""
    first, second = names
    found = [dataclasses.replace(V1, group=first), dataclasses.replace(V2, group=second, reference=first)]
    assert text in headline(found, 0.95, "hour")[0].replace("\N{NO-BREAK SPACE}", " ")


def test_the_headline_of_many_groups_counts_those_that_differ() -> None:
    """Chance is corrected for; the largest difference has a sentence of its own."""
    groups = [dataclasses.replace(V2, group=f"v{each}", p_adjusted=0.5) for each in range(2, 8)]
    assert headline([V1, *groups], 0.95) == ["Response latency, median: none of 6 groups is shown to differ from v1."]
    groups[1] = dataclasses.replace(groups[1], p_adjusted=0.001)
    groups[2] = dataclasses.replace(groups[2], p_adjusted=0.001, difference=Span(0.9, 0.7, 1.1))
    first, second = headline([V1, *groups], 0.95)
    assert "2 of 6 groups differ from v1" in first
    assert "v4 is" in second


def test_the_headline_without_groups_is_the_number() -> None:
    """Or that there is none."""
    alone = dataclasses.replace(V1, group="")
    assert headline([alone], 0.95)[0].replace("\N{NO-BREAK SPACE}", " ") == (
        "Response latency, median: 1.40 s (95 % interval 1.31 to 1.52 s; 198 calls)."
    )
    assert "no interval: too few" in headline([dataclasses.replace(alone, estimate=Span(1.4), note="too few")], 0.95)[0]
    assert headline([dataclasses.replace(alone, estimate=Span())], 0.95) == [
        "Response latency, median: no call has this number."
    ]
    assert headline([], 0.95) == []
    assert "198 calls of v1" in headline([V1], 0.95)[0]
