"""The sections of a report as HTML."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest

from kataven_notebook.publish import sections
from kataven_notebook.publish.facts import Facts
from kataven_notebook.publish.findings import Finding, Span
from kataven_notebook.publish.quantities import Quantity
from kataven_notebook.publish.shown import Texts
from kataven_notebook.status import Status

pytestmark = pytest.mark.core

TEXTS = Texts([], is_masked=False)
LATENCY = Quantity("response_latency_p50_s", "Response <latency>", "s", "Median & more.", "Heldner & Edlund")
V1 = Finding(LATENCY, "<v1>", "median", 198, 3, 198, Span(1.40, 1.31, 1.52))
V2 = Finding(LATENCY, "v2", "median", 212, 0, 212, Span(0.98, 0.9, 1.1), Span(-0.42, -0.55, -0.30), "<v1>", 0.00002)
FACTS = Facts(3, 2, 2, 90.0, ("2026-03-02", "2026-03-05", "<at>"), [(Status.MISSING, 2)], [("Speech", "<level>")])


def parsed(html: str) -> ET.Element:
    """The elements of a section; fails where one is not closed, or a text not escaped."""
    plain = html.replace("<br>", "<br/>").replace("&nbsp;", " ")
    return ET.fromstring(f"<div>{plain}</div>")  # noqa: S314 - our own page


def texts_of(element: ET.Element, name: str) -> list[str]:
    """What stands in all elements of a name."""
    return ["".join(each.itertext()).replace("\N{NO-BREAK SPACE}", " ") for each in element.iter(name)]


def test_groups_stand_beside_their_reference() -> None:
    """Value, difference, intervals with as many digits, p-value; the reference has no difference."""
    page = parsed(sections.comparison_table([V1, V2], TEXTS, by="prompt", level=0.95))
    rows = [["".join(cell.itertext()) for cell in row] for row in page.iter("tr")]
    assert rows[1] == ["Response <latency> (s), median"]
    assert rows[2] == ["<v1>", "198", "3", "1.40", "1.31 to 1.52", "\N{EN DASH}", "\N{EN DASH}", "", "\N{EN DASH}"]
    assert rows[3] == [
        "v2",
        "212",
        "0",
        "0.98",
        "0.90 to 1.10",
        "\N{MINUS SIGN}0.42",
        "\N{MINUS SIGN}0.55 to \N{MINUS SIGN}0.30",
        "",
        "< 0.001",
    ]


def test_a_table_has_headers_for_rows_and_columns() -> None:
    """And a caption, and a place to scroll in that a keyboard reaches."""
    page = parsed(sections.comparison_table([V1, V2], TEXTS, by="prompt", level=0.95))
    scopes = [each.get("scope") for each in page.iter("th")]
    assert scopes == ["col"] * 8 + ["rowgroup", "row", "row"]
    (region,) = page.findall("div")
    assert (region.get("role"), region.get("tabindex")) == ("region", "0")
    assert texts_of(page, "caption") == [region.get("aria-label")]


def test_the_interval_is_drawn_on_the_side_of_its_sign() -> None:
    """Left of 0 for what is less; nothing where there is no interval."""
    page = parsed(sections.comparison_table([V1, V2], TEXTS, by="prompt", level=0.95))
    (drawn,) = page.iter("svg")
    zero, line = drawn.findall("line")
    assert float(line.get("x1", "")) < float(line.get("x2", "")) < float(zero.get("x1", ""))
    assert drawn.get("class") == "whisker shown"


def test_what_correction_takes_back_is_not_in_bold() -> None:
    """An interval that leaves out 0 is not enough where there are many."""
    for p_value, bold in ((0.04, ["\N{MINUS SIGN}0.42"]), (0.2, [])):
        page = parsed(
            sections.comparison_table([V1, dataclasses.replace(V2, p_adjusted=p_value)], TEXTS, by="p", level=0.95)
        )
        assert [each.text for each in page.iter("td") if each.get("class") == "number strong"] == bold
        assert (page.find(".//svg").get("class") == "whisker shown") == bool(bold)


def test_why_an_interval_is_missing_is_said_once() -> None:
    """However many rows it is of."""
    alone = dataclasses.replace(V1, note="one <call>", estimate=Span(1.4))
    page = parsed(sections.number_table([alone, alone], TEXTS, 0.95))
    assert texts_of(page, "p") == ["\N{EN DASH} No interval. One <call>."]


def test_counts_say_rows_only_where_they_are_more_than_calls() -> None:
    """And minutes with a digit where they are few."""
    page = parsed(sections.counts(FACTS, TEXTS))
    assert texts_of(page, "dd") == ["2in 3 rows", "2", "1.5 min", "2026-03-02 to 2026-03-05by <at>"]
    few = dataclasses.replace(FACTS, rows=2, period=None, sound_s=None, measured=None)
    assert texts_of(parsed(sections.counts(few, TEXTS)), "dd") == ["2"]


def test_statuses_stand_with_their_meaning() -> None:
    """A reader has no documentation."""
    page = parsed(sections.status_table(FACTS))
    assert texts_of(page, "td") == ["2", "67 %", "the session has no recording"]
    assert "does not say" in sections.status_table(dataclasses.replace(FACTS, status_counts=[]))


def test_definitions_and_facts_are_escaped() -> None:
    """A column of the user's own has none."""
    own = Quantity("<b>", "Own", None)
    page = parsed(sections.definitions([LATENCY, own], TEXTS))
    assert texts_of(page, "dd") == [
        "Median & more. Heldner & Edlund",
        "A column of the frame; this package does not define it.",
    ]
    assert texts_of(parsed(sections.fact_list(FACTS.made_with, TEXTS)), "dd") == ["<level>"]


def test_a_section_without_anything_is_left_out() -> None:
    """Also its heading."""
    assert sections.section("Clips", "", "") == ""
