"""What a page shows of texts and numbers."""

from __future__ import annotations

import math
import time

import pytest

from kataven_notebook.publish.shown import Texts, interval, number

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('a" onload="x', "a&quot; onload=&quot;x"),
        ("one\n\x1b[31mtwo\u202egnol", "one [31mtwo gnol"),
        ("https://s3.example/a.wav?X-Amz-Signature=0f3a", "https://s3.example/a.wav?[redacted]"),
        ("caf\udce9", "caf\\udce9"),
        ("שלום", "<bdi>שלום</bdi>"),
        (7, "7"),
    ],
)
def test_texts_are_safe_to_show(text: object, shown: str) -> None:
    """Escaped, on one line, in one direction, without secrets."""
    assert Texts([], is_masked=False).html(text) == shown


def test_long_texts_are_cut() -> None:
    """With a sign that they were."""
    shown = Texts([], is_masked=False).plain("x" * 500)
    assert len(shown) == 80
    assert shown.endswith("x…")


def test_masked_ids_are_nowhere() -> None:
    """Also inside other words, where one begins another, and where a text is cut in the middle of one."""
    texts = Texts(["call-00001", "call-00001-b", None, "call-00001"], is_masked=True)
    assert texts.session("call-00001-b") == "call 2"
    assert texts.plain("xcall-00001y call-00001-b") == "xcall 1y call 2"
    assert "call-000" not in texts.plain("x" * 74 + "call-00001")


def test_what_stands_for_an_id_is_not_masked_again() -> None:
    """Ids may be words of it, or hold half characters, which are spelled out."""
    texts = Texts(["1", "call", "caf\udce9-12"], is_masked=True)
    assert texts.plain("1 call caf\\udce9-12") == "call 1 call 2 call 3"
    assert texts.session("caf\udce9-12") == "call 3"


def test_short_ids_are_masked_as_words() -> None:
    """A digit stands in many texts by chance."""
    texts = Texts(["7", "b"], is_masked=True)
    assert texts.plain("7 after 1.75 s, b_7") == "call 1 after 1.75 s, call 2_call 1"


def test_masking_many_ids_takes_little_time() -> None:
    """100,000 ids and a hundred texts."""
    texts = Texts([f"session-{each:06}" for each in range(100_000)], is_masked=True)
    started = time.process_time()
    assert [texts.plain(f"see session-{each:06}") for each in range(100)][99] == "see call 100"
    assert time.process_time() - started < 5


def test_both_ends_of_an_interval_have_as_many_digits() -> None:
    """And its value, which is given them."""
    assert interval(-0.09, 0.0000038, "1") == "\N{MINUS SIGN}0.09 to 0.00"
    # Which side of 0 an end is on decides what is said: 0.00 would be either.
    assert interval(-0.09, 0.0038, "1") == "\N{MINUS SIGN}0.090 to 0.004"
    assert interval(-0.06, -0.0042, "1") == "\N{MINUS SIGN}0.060 to \N{MINUS SIGN}0.004"
    assert interval(5.0, 130.0, "s") == "5.0 to 130.0"
    assert number(0.0002, "1", beside=[0.0001, 0.0004]) == "0.00020"


def test_what_is_no_number_is_a_dash() -> None:
    """Never nan, inf or -0."""
    assert [number(each) for each in (math.nan, math.inf, None, -0.001e-9)][:3] == ["\N{EN DASH}"] * 3
    assert number(-0.0) == "0.00"
    assert number(-0.001, "dB") == "0.0"
