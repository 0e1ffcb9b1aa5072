"""Case, accents and apostrophes make no difference, and patterns mean what they say."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataven_notebook.words.folding import folded, folded_pattern

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("Ça, José", "ca, jose"),
        ("e\u0301te\u0301", "ete"),
        ("İstanbul", "istanbul"),
        ("ЁЛКА", "елка"),
        ("ΆΛΦΑ", "αλφα"),
        ("don\u2019t", "don't"),
        ("ﬁn", "fin"),
        ("co\u00adop", "coop"),
        ("한국", "한국"),
        ("が", "が"),
        ("हिन्दी", "हिन्दी"),
    ],
)
def test_letters_are_compared_as_readers_do(written, plain) -> None:
    """Marks that make another letter, as in Korean, Japanese and Hindi, stay."""
    assert folded(written) == plain


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_folding_twice_changes_nothing(text) -> None:
    """What is folded is plain."""
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("straße", "die Strasse"),
        ("STRASSE", "die Straße"),
        ("caf[éè]s?", "Cafés"),
        (r"\bété\b", "L'été, oui"),
        (r"\S+é\W", "un café!"),
        (r"ß{2}", "ssss"),
        ("don't|won\u2019t", "I won't"),
        (r"[^é]", "x"),
        (r"\é", "é"),
        ("[\u0430-\u044f]+й", "МОЙ"),
    ],
)
def test_a_pattern_finds_what_it_means(pattern, text) -> None:
    """Whichever of the two has the accents; what stands behind a backslash keeps its case."""
    assert re.search(folded_pattern(pattern), folded(text), re.IGNORECASE)


@pytest.mark.parametrize(("pattern", "text"), [(r"^\D+$", "7"), (r"^\W$", "a"), ("[^e]", "é"), (r"\Bart", "art")])
def test_a_pattern_does_not_find_anything_else(pattern, text) -> None:
    """What stands behind a backslash keeps its case."""
    assert not re.search(folded_pattern(pattern), folded(text), re.IGNORECASE)
