"""The page around a report."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from kataven_notebook.publish.page import LOOKED_AT_BYTES, MARK, page

pytestmark = pytest.mark.core

TEXT = page("x" * 200, ["<p>a</p>", "", "<p>b</p>"], made_on=dt.date(2026, 3, 2))


def test_nothing_can_be_fetched() -> None:
    """The policy forbids it, and nothing asks for it."""
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', TEXT)
    assert policy.startswith("default-src 'none';")
    assert not re.search(r"(?:https?:|//|url\(|@import|<script|javascript:)", TEXT.replace("/*", "").replace("*/", ""))


def test_the_policy_stands_before_what_it_is_about() -> None:
    """A browser keeps to it from there on."""
    assert TEXT.index("Content-Security-Policy") < TEXT.index("<title>") < TEXT.index("<style>")


def test_it_is_known_as_a_report() -> None:
    """By its first bytes, whatever the title is."""
    assert MARK.encode() in TEXT.encode()[:LOOKED_AT_BYTES]


def test_paper_is_white() -> None:
    """Colours of a dark page are for screens alone."""
    assert "@media screen and (prefers-color-scheme: dark)" in TEXT
    assert "@media (prefers-color-scheme" not in TEXT
