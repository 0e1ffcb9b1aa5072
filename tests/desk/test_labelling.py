"""Messages about labels: told twice, told late, told by a page that knows less than the kernel."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from kataven_notebook.desk.labelling import Labelling
from kataven_notebook.desk.labels import LabelBook

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

SPAN = {"start_s": 1.0, "end_s": 2.0}


def _said(**content: Any) -> dict[str, Any]:
    return {"label": "good", "note": "", "start_s": None, "end_s": None, **content}


@pytest.mark.parametrize("span", [{}, SPAN])
def test_a_label_that_python_set_meanwhile_stays(span: dict[str, float]) -> None:
    """On a call and on a region of it: the page did not know it, and did not mean to take it back; no note is lost."""
    book = LabelBook("session_id")
    labelling = Labelling(book, ("good", "bad"))
    labelling.label("s", _said(id="a", start_s=5.0, end_s=6.0))
    labelling.label("s", _said(id="b", **span))
    labelling.label("s", _said(id="c", label="bad", **span))
    assert len(book) == 3
    labelling.label("s", _said(id="d", **span))
    assert [each.decision_id for each in book.of("s")] == ["a", "b", "c"]
    labelling.label("s", _said(id="e", note="why", **span))
    assert [(each.label, each.note) for each in book.of("s")][3:] == [("good", "why")]


def test_what_is_told_twice_happens_once(tmp_path: Path) -> None:
    """Setting, changing and taking back, told again at once or to the next player on the same file."""
    path = tmp_path / "labels.csv"
    book = LabelBook("session_id", path)
    labelling = Labelling(book, ("good", "bad"))
    for _ in range(2):
        labelling.label("s", _said(id="one"))
        labelling.relabel("s", _said(id="one", label="bad", **SPAN))
        labelling.label("s", _said(id="two"))
        labelling.unlabel("s", {"id": "two"})
    assert [(each.decision_id, each.label) for each in book.of("s")] == [("one", "bad")]
    later = LabelBook("session_id", path)
    Labelling(later, ("good", "bad")).label("s", _said(id="one"))
    Labelling(later, ("good", "bad")).label("s", _said(id="two"))
    assert later.of("s") == book.of("s")


def test_a_label_of_somebody_else_is_not_in_the_way(tmp_path: Path) -> None:
    """Each listener has an own one, and may still remove the other's on purpose."""
    path = tmp_path / "labels.csv"
    LabelBook("session_id", path, annotator="anna").add("s", "good", decision_id="hers")
    book = LabelBook("session_id", path, annotator="ben")
    labelling = Labelling(book, ("good",))
    labelling.label("s", _said(id="his"))
    assert [each.annotator for each in book.of("s")] == ["anna", "ben"]
    labelling.label("s", _said(id="again"))
    assert [each.annotator for each in book.of("s")] == ["anna", "ben"]
    labelling.unlabel("s", {"id": "hers"})
    assert [each.annotator for each in book.of("s")] == ["ben"]


def test_what_is_not_changed_stays_as_another_player_has_set_it() -> None:
    """A page that knows an older note, label or region changes what was changed in it alone."""
    book = LabelBook("session_id")
    labelling = Labelling(book, ("good", "bad"))
    book.add("s", "bad", note="theirs", start_s=3.0, end_s=4.0, decision_id="x")
    labelling.relabel("s", _said(id="x", changed=["label"], **SPAN))
    assert book.of("s")[0].content == ("s", "good", 3.0, 4.0, "theirs")
    labelling.relabel("s", _said(id="x", label="bad", note="mine", changed=["note"]))
    assert book.of("s")[0].content == ("s", "good", 3.0, 4.0, "mine")
    labelling.relabel("s", _said(id="x", label="bad", changed=["end_s"], **SPAN))
    assert book.of("s")[0].content == ("s", "good", 1.0, 2.0, "mine")


def test_what_is_undone_does_not_stand_twice() -> None:
    """Python, or another view, has set meanwhile what comes back, or what a label is renamed to; a note is kept."""
    book = LabelBook("session_id")
    labelling = Labelling(book, ("good", "bad"))
    labelling.label("s", _said(id="x"))
    labelling.unlabel("s", {"id": "x"})
    book.add("s", "good", decision_id="python")
    labelling.relabel("s", _said(id="x"))
    labelling.label("s", _said(id="y", label="bad"))
    labelling.relabel("s", _said(id="y", changed=["label"]))
    assert [each.decision_id for each in book.of("s")] == ["python"]
    labelling.relabel("s", _said(id="y", label="bad", changed=["label"]))
    labelling.relabel("s", _said(id="y", note="why"))
    assert [(each.label, each.note) for each in book.of("s")] == [("good", ""), ("good", "why")]


def test_a_label_that_another_version_knew_can_be_moved_and_brought_back() -> None:
    """Its name is not on offer, but it stays; no other name that is not on offer is taken."""
    book = LabelBook("session_id")
    book.add("s", "of old", decision_id="old")
    labelling = Labelling(book, ("good",))
    labelling.relabel("s", _said(id="old", label="of old", **SPAN))
    assert book.of("s")[0].start_s == 1.0
    labelling.unlabel("s", {"id": "old"})
    labelling.relabel("s", _said(id="old", label="of old"))
    labelling.relabel("s", _said(id="old", label="made up"))
    labelling.relabel("other", _said(id="old", label="good"))
    assert [(each.label, each.start_s) for each in book.of("s")] == [("of old", None)]
    assert not book.of("other")


@pytest.mark.parametrize(
    ("session", "wrong", "words"),
    [
        ("two\nlines", {}, "one line"),
        ("s", {"note": "x" * 60_000}, "shorten"),
        ("s", {"start_s": 1.0}, "no end"),
        ("s", {"start_s": "x", "end_s": float("nan")}, "no start"),
    ],
)
def test_what_no_record_can_hold_is_refused_in_words(session: str, wrong: dict[str, Any], words: str) -> None:
    """Nothing is kept that the next player could not read."""
    book = LabelBook("session_id")
    labelling = Labelling(book, ("good",))
    for answer in (labelling.label, labelling.relabel):
        said = answer(session, _said(id="one", **wrong))
        assert said.startswith("Not saved:")
        assert words in said
    assert len(book) == 0


def test_an_id_that_is_none_is_not_written(tmp_path: Path) -> None:
    """The file would be read otherwise than it was written."""
    book = LabelBook("session_id", tmp_path / "labels.csv")
    Labelling(book, ("good",)).label("s", _said(id='a",\nb'))
    assert book.of("s")[0].decision_id.isalnum()
    assert len(LabelBook("session_id", tmp_path / "labels.csv")) == 1


@pytest.mark.parametrize("start", ["", "action,decision_id,session_id,label,start_s,end_s,note,labelled_at\n"])
def test_what_is_told_again_after_something_else_changes_nothing(tmp_path: Path, start: str) -> None:
    """Also to the next player, and though what was told was a change, a removal, or what undid one of them."""
    path = tmp_path / "labels.csv"
    path.write_text(start)
    book = LabelBook("session_id", path)
    labelling = Labelling(book, ("good", "bad"))
    told = [
        {"type": "label", **_said(id="x", op="x", note="tab\there")},
        {"type": "relabel", **_said(id="x", op="1", label="bad", **SPAN)},
        {"type": "unlabel", "id": "x", "op": "2"},
        {"type": "relabel", **_said(id="x", op="3", label="bad", **SPAN)},
    ]
    for each in told:
        assert labelling.take("s", each) == ("", False)
    book.change("x", "s", "good", note="later")
    kept = path.read_text()
    for player in (labelling, Labelling(LabelBook("session_id", path), ("good", "bad"))):
        for each in told:
            assert player.take("s", {**each, "late": True}) == ("", False)
    assert path.read_text() == kept
    assert LabelBook("session_id", path).of("s") == book.of("s")


def test_what_comes_after_something_that_was_not_saved_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label that was set and taken back on a full disk is not there when there is room; who and when are kept."""
    book = LabelBook("session_id", tmp_path / "labels.csv")
    labelling = Labelling(book, ("good",))
    told = [
        {"type": "label", **_said(id="x", op="x", by="anna", age_s=90.0)},
        {"type": "unlabel", "id": "x", "op": "1", "after": "x"},
        {"type": "label", **_said(id="y", op="y", after="1", age_s=90.0)},
    ]
    write = book._write
    monkeypatch.setattr(book, "_write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert "No space left" in labelling.take("s", told[0])[0]
    monkeypatch.setattr(book, "_write", write)
    for each in told[1:]:
        problem, again = labelling.take("s", each)
        assert problem.startswith("Not saved yet")
        assert again
    for each in told:
        assert labelling.take("s", each) == ("", False)
    (kept,) = book.of("s")
    assert kept.decision_id == "y"
    assert 90.0 <= (datetime.now(UTC) - kept.labelled_at).total_seconds() < 120.0, "when it was pressed"


def test_a_label_of_a_player_that_is_gone_is_taken_as_it_was() -> None:
    """With a name and a listener of its own; one that was set meanwhile is not taken back."""
    book = LabelBook("session_id", annotator="ben")
    labelling = Labelling(book, ("good",))
    for op in ("x", "y"):
        labelling.take("s", {"type": "label", **_said(id=op, op=op, label="of old", by="anna", late=True)})
    book.add("s", "good", decision_id="his")
    labelling.take("s", {"type": "label", **_said(id="z", op="z", by="ben", late=True)})
    assert [(each.decision_id, each.label, each.annotator) for each in book.of("s")] == [
        ("x", "of old", "anna"),
        ("y", "of old", "anna"),
        ("his", "good", "ben"),
    ]
