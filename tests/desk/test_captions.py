"""Marks and decisions as the page draws and lists them."""

from __future__ import annotations

import re

import pytest

from kataven_notebook.desk import page
from kataven_notebook.desk.captions import KEYS, captioned, drawn, fitting
from kataven_notebook.desk.labels import LabelBook

pytestmark = pytest.mark.core


def test_marks_are_drawn_in_the_order_of_their_start() -> None:
    """Speech stands in a list a channel; the legend names the kinds that there are, regions included."""
    book = LabelBook("session_id")
    decisions = [book.add("a", "good", start_s=2.0, end_s=3.0), book.add("a", "bad")]
    speech = {"kind": "speech", "label": "", "start_s": 0.0, "end_s": 1.0, "channel": 1}
    late = {"kind": "overlap", "label": "both speak", "start_s": 5.0, "end_s": 6.0, "channel": None}
    shown = drawn([late, speech], decisions)
    assert [(each["kind"], each["start_s"]) for each in shown["marks"]] == [("overlap", 5.0)]
    assert shown["speech"] == [[], [(0.0, 1.0)]]
    assert shown["legend"] == [("overlap", "both speak"), ("label", "your labels")]


def test_a_decision_tells_who_made_it_and_whether_the_listener_may_have() -> None:
    """One's own are taken back by their digit; those of others only on purpose."""
    decision = LabelBook("session_id", annotator="anna").add("a", "good", start_s=0.3, end_s=59.99, note="calm")
    shown = captioned(decision, is_own=False)
    assert (shown["label"], shown["start_s"], shown["end_s"]) == ("good", 0.3, 59.99)
    assert (shown["note"], shown["by"], shown["own"]) == ("calm", "anna", False)
    assert str(shown["at"]).endswith("+00:00")


def test_the_least_number_of_items_is_kept_whatever_their_size() -> None:
    """The first paint of a wide frame shows some rows."""
    assert fitting(["x" * 100] * 5, max_bytes=10, at_least=3) == ["x" * 100] * 3


def test_the_list_of_keys_is_what_the_keys_do() -> None:
    """Each key of the page stands in the list that users see, and each of the list does something."""
    source = (page._STATIC / "keys.js").read_text(encoding="utf-8")
    actions = source.split("return {")[1].split("\n\t};")[0]
    acting = {key.strip('"').upper() for key in re.findall(r"""^\t\t(".+?"|\w+):""", actions, re.MULTILINE)}
    shown = {
        "ARROWLEFT": "←",
        "ARROWRIGHT": "→",
        "ARROWUP": "↑",
        "ARROWDOWN": "↓",
        " ": "SPACE",
        "ESCAPE": "ESC",
        "DELETE": "DEL",
    }
    shown |= {"-": "−", "=": "+"}  # noqa: RUF001 - a minus sign; "=" is "+" without Shift
    listed = {key.upper() for keys, _ in KEYS for key in re.split(r",? ", keys)}
    assert listed - set("1…9") == {shown.get(key, key) for key in acting}
