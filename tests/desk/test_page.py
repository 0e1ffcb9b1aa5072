"""The kernel's answers to what the page sends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pages import Page, unpacked

from kataven_notebook import desk
from kataven_notebook.desk.open import player
from kataven_notebook.desk.page import Desk

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.core


def test_whatever_the_page_asks_to_label_is_answered(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says "Saving…" until then: also for an empty note, a row without an id, a frame without rows."""
    desk = player(calls, session="call", labels=["good"])
    page = Page(desk, monkeypatch)
    page.say("label", key=0, label="", note="  ", start_s=None, end_s=None)
    page.wait("labels", lambda content: content["key"] == 0)
    nameless = player(calls.assign(call=[None, "a\nb", *"cdef"]), session="call", labels=["good"])
    page = Page(nameless, monkeypatch)
    for key in (0, 1):
        page.say("label", key=key, label="good", note="", start_s=None, end_s=None)
        text = page.wait("problem", lambda content, key=key: content["key"] == key)[0]["text"]  # type: ignore[misc]  # one more parameter, with a default
        assert "session id" in text
    empty = player(calls.iloc[:0], session="call", labels=["good"])
    page = Page(empty, monkeypatch)
    page.say("label", key=-1, label="good", note="", start_s=None, end_s=None)
    page.say("unlabel", key=-1, id="")
    page.wait("problem")
    assert desk.labels.empty
    assert nameless.labels.empty
    assert empty.labels.empty


def test_a_decision_that_can_not_be_written_is_not_kept(
    calls: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is told; nothing pretends to be saved."""
    folder = tmp_path / "gone"
    folder.mkdir()
    desk = player(calls, session="call", labels=["good"], save_to=folder / "labels.csv")
    folder.rmdir()
    page = Page(desk, monkeypatch)
    page.say("label", key=0, label="good", note="", start_s=None, end_s=None)
    assert "Not saved" in page.wait("problem")[0]["text"]
    assert desk.labels.empty


def test_a_label_that_comes_late_is_of_the_call_that_it_was_set_on(
    calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another call is open by then, and stays open: also where the next one without a label was wanted."""
    desk = player(calls, session="call", labels=["good"])
    page = Page(desk, monkeypatch)
    page.say("open", key=4, request=1)
    page.say("label", id="x", op="7", key=1, label="good", note="", start_s=None, end_s=None)
    page.say("advance", key=1)
    assert desk.labels["call"].tolist() == ["a"]
    assert desk.session_id == "c"
    content, _ = page.wait("labels")
    assert (content["key"], content["op"]) == (1, "7")


def test_the_next_call_without_a_label_is_opened_in_the_lists_order(
    calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that can be heard, the first after the last; where there is none the page says so."""
    desk = player(calls, session="call", labels=["good"])
    page = Page(desk, monkeypatch)
    page.say("ready")
    view = {"sort": "session", "descending": True, "status": "", "text": ""}
    page.say("rows", start=0, count=5, view=view, request=1)
    opened = []
    for key in (4, 0, 1):
        desk.select(calls["call"].iloc[key])
        page.say("label", key=key, label="good", note="", start_s=None, end_s=None)
        page.say("advance", key=key)
        opened.append(desk.session_id)
    assert opened == ["b", "a", "a"]
    assert "without a label" in page.wait("problem")[0]["text"]


def test_the_page_is_told_what_is_saved_and_what_to_send_again(
    calls: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer names what was told; a label of another frame finds its call by its session, if there is one."""
    folder = tmp_path / "gone"
    folder.mkdir()
    desk = player(calls.assign(call=["a", "x\ny", *"cdef"]), session="call", labels=["good"], save_to=folder / "l.csv")
    folder.rmdir()
    page = Page(desk, monkeypatch)
    label = {"label": "good", "note": "", "start_s": None, "end_s": None}
    for key, again in ((0, True), (1, False)):
        page.say("label", key=key, id=f"id{key}", op=f"id{key}", **label)
        answer = page.wait("problem", lambda content, key=key: content["key"] == key)[0]  # type: ignore[misc]  # one more parameter, with a default
        assert (answer["op"], answer["again"]) == (f"id{key}", again)
    assert not any(content.get("op") for content, _ in page.messages if content["type"] == "labels")
    folder.mkdir()
    for key, session in ((0, "c"), (0, "of another frame"), (1, "x y"), (0, "a")):
        op = f"{session[:1]}-{key}"
        page.say("label", key=key, session=session, id=op, op=op, late=True, **label)
        page.wait("labels", lambda content, op=op: content["op"] == op)  # type: ignore[misc]  # one more parameter, with a default
    assert desk.labels["call"].tolist() == ["c", "of another frame", "x y", "a"]


def test_no_path_of_a_labels_file_is_saved_with_the_notebook(calls: pd.DataFrame, tmp_path: Path) -> None:
    """The page knows the file by a name that says nothing; the same file by the same name."""
    files = [tmp_path / "secret.csv", tmp_path / "secret.csv", tmp_path / "other.csv", None]
    firsts = [player(calls, session="call", labels=["good"], save_to=each).first for each in files]
    assert "secret" not in str(firsts)
    names = [each["outbox"]["file"] for each in firsts]
    assert names[0] == names[1]
    assert len(set(names)) == 3


def test_a_message_that_is_not_known_is_ignored(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook that was saved by another version may hold another page."""
    page = Page(player(calls, session="call"), monkeypatch)
    page.say("of-another-version", key=0)
    page.say("ready")
    page.wait("call")


def test_page_and_kernel_know_each_others_messages(calls: pd.DataFrame) -> None:
    """What one side sends by its type the other has an answer for, and no more."""
    script = unpacked(str(Desk._esm))
    sent = set(re.findall(r'(?:[sS]end\(|message = )\{ type: "(\w+)"', script))
    sent |= {"label", "relabel", "unlabel"}.intersection(re.findall(r'"(\w+)"', script))
    assert sent == set(player(calls, session="call")._answers)
    folder = Path(str(desk.__file__)).parent
    handled = set(re.findall(r"^\t(\w+)(?:\(|: \()", (folder / "static" / "messages.js").read_text(), re.MULTILINE))
    posted = set()
    for name in ("page.py", "feed.py", "delivery.py", "closeup.py"):
        posted |= set(re.findall(r'"type": "(\w+)"', (folder / name).read_text()))
    assert handled == posted


def test_views_are_told_which_choices_the_kernel_knows(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a view follows another one, and is not called back from a later choice of its own."""
    desk = player(calls, session="call")
    page = Page(desk, monkeypatch)
    page.say("ready")
    page.say("open", key=1, request=7, viewer="first")
    opened = page.wait("call", lambda content: content["key"] == 1)[0]
    assert opened["requests"] == {"first": 7}
    assert opened["is_sent"]
    page.say("open", key=4, request=1, viewer="second", page_has_it=True)
    opened = page.wait("call", lambda content: content["key"] == 4)[0]
    assert opened["requests"] == {"first": 7, "second": 1}
    assert not opened["is_sent"]
    page.say("want", key=4, viewer="first")
    page.wait("sound", lambda content: content["key"] == 4)


def test_a_held_key_ends_at_its_last_call(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python knows the last one at once; of those between the page gets none."""
    desk = player(calls, session="call")
    page = Page(desk, monkeypatch)
    page.say("ready")
    for request in range(1, 200):
        page.say("open", key=(0, 1, 4)[request % 3], request=request, viewer="")
    assert desk.session_id == "a"
    page.wait("call", lambda content: content["requests"] == {"": 199} and content["key"] == 1)
    assert sum(content["type"] == "call" for content, _ in page.messages) <= 20
