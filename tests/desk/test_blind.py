"""A blind listener: nothing of what is hidden reaches the page, the file of labels or a saved notebook."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pages import Page, sound

from kataven_notebook.desk.open import player
from kataven_notebook.errors import FrameError

if TYPE_CHECKING:
    from pathlib import Path

    from kataven_notebook.desk.widget import Player

pytestmark = pytest.mark.core


@pytest.fixture
def study() -> pd.DataFrame:
    """Ten calls of two prompts, in the order of the prompts."""
    recording = sound()
    return pd.DataFrame(
        {
            "session_id": [f"s{number}" for number in range(10)],
            "prompt": ["zebra"] * 5 + ["giraffe"] * 5,
            "prompt_code": ["z"] * 5 + ["y"] * 5,
            "agent": ["clinic", "sales"] * 5,
            "note": [f"as the {'Zebra' if number < 5 else 'GIRAFFE'} said, {number}" for number in range(10)],
            "audio": [recording] * 10,
            "recording_status": "downloaded",
            "duration_s": 1.0,
        }
    )


@pytest.fixture
def tables(study: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Marks and moments whose texts say the prompt of their call."""
    ids, prompts = study["session_id"], study["prompt"]
    return {
        "moments": pd.DataFrame(
            {"session_id": ids, "start_s": 0.5, "kind": "slow_response", "text": "2.0 s late (" + prompts + ")"}
        ),
        "marks": pd.DataFrame({"session_id": ids, "start_s": 0.2, "end_s": 0.3, "label": prompts.str.upper() + " zoo"}),
    }


def view(**change: Any) -> dict[str, Any]:
    """Return how a page asks for rows."""
    return {"sort": "", "descending": False, "status": "", "text": "", **change}


def everything(desk: Player, page: Page) -> str:
    """Return all that the page gets of every call, what is saved with a notebook, and what the list finds."""
    page.say("ready")
    for key in range(10):
        page.say("open", key=key, request=key, at_s=0.0)
        page.wait("call", lambda content, key=key: content["key"] == key)
    page.say("moments", start=0, count=100)
    for sort in ("", "session", "status", "0", "1", "prompt", "labels"):
        page.say("rows", start=0, count=50, request=1, view=view(sort=sort))
    messages = [content for content, _ in page.messages]
    saved = [desk.get_state(), desk._as_card(5.0), repr(desk)]
    return json.dumps([messages, saved], default=str, ensure_ascii=False).casefold()


def found(page: Page, text: str) -> dict[str, Any]:
    """Return what the list answers to a filter."""
    page.messages.clear()
    page.say("rows", start=0, count=50, request=2, view=view(text=text))
    return page.wait("rows")[0]


def test_a_hidden_value_is_nowhere(
    study: pd.DataFrame, tables: dict[str, pd.DataFrame], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In no message, trait, card or picture, no text of a mark, moment or column, and in no file."""
    desk = player(study, columns=["agent", "note"], blind=["prompt"], save_to=tmp_path / "labels.csv", **tables)
    text = everything(desk, Page(desk, monkeypatch))
    assert "zebra" not in text
    assert "giraffe" not in text
    assert "2.0 s late (…)" in text
    assert "as the … said" in text
    assert "call 7" in text
    open_desk = player(study, columns=["agent", "note"], **tables)
    assert "zebra" in everything(open_desk, Page(open_desk, monkeypatch)), "else this test finds nothing"
    desk.add_label("", note="heard", session_id="s3")
    written = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert "zebra" not in written
    assert tables["marks"]["label"].iloc[0] == "ZEBRA zoo", "the caller's tables are as they were"


def test_no_filter_and_no_sorting_tells(study: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the hidden column nor by one that is not shown, and by no id; by what is shown, as always."""
    desk = player(study, columns=["agent"], blind=["prompt"])
    page = Page(desk, monkeypatch)
    for text in ("zebra", "s3", "session_id:s3", "audio:1"):
        answer = found(page, text)
        assert answer["total"] in (0, 10), text
    for text in ("prompt:zebra", "prompt_code:z", "-prompt:giraffe", "note:zebra"):
        answer = found(page, text)
        assert (answer["total"], "There is no column" in answer["note"]) == (10, True), text
    assert found(page, "agent:clinic")["total"] == 5
    assert found(page, '"Call 3"')["total"] == 1
    assert found(page, "duration_s>2")["total"] == 0
    header = [each["title"] for each in desk.first["header"]]
    assert header == ["call", "agent", "length", "labels"]
    page.messages.clear()
    page.say("rows", start=0, count=50, request=3, view=view(sort="session"))
    rows = page.wait("rows")[0]["rows"]
    assert [row[2] for row in rows] == [f"Call {number}" for number in range(1, 11)], "not as the ids would stand"


def test_it_opens_on_the_first_call_and_not_on_the_worst(study: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> None:
    """The worst one would tell."""
    worst = tables["moments"].iloc[[6]]
    assert player(study, moments=worst).session_id == "s6"
    for options in ({"blind": ["prompt"]}, {"order": "random"}, {"blind": ["prompt"], "order": "frame"}):
        desk = player(study, moments=worst, **options)
        assert desk.session_id == desk._calls.session_id(int(desk._calls.order[0]))
        assert desk._contents.marks.of("s6")
    first = player(study, blind=["prompt"], **tables).first
    assert first["moments_title"] == "Moments and marks"
    assert [each["session"] for each in first["moments"]] == [f"Call {number}" for number in range(1, 11)] * 2
    assert repr(player(study, blind=["prompt"])) == "<Player of 10 calls, 'Call 1' is open>"


def test_marks_and_moments_can_be_hidden_too(study: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> None:
    """By the name of their argument."""
    desk = player(study, blind=["prompt", "moments", "marks"], **tables)
    assert (desk.first["moments"], desk._contents.marks.of("s1")) == ([], [])
    words = pd.DataFrame({"session_id": ["s1"], "start_s": [0.1], "end_s": [0.2], "word": ["hello"]})
    assert player(study, blind=["prompt"], words=words).first["words"]
    assert not player(study, blind=["words"], words=words).first["words"]


def test_ids_that_tell_do_not_reach_the_page(study: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page knows the calls by their numbers then; its labels arrive at the right ones, late ones too."""
    ids = study["prompt"] + "-" + study["session_id"]
    calls = study.assign(session_id=ids, recording_status="failed", recording_error="the storage lost " + ids)
    calls.loc[calls.index % 2 == 0, "audio"] = None
    desk = player(calls, blind=["prompt"], labels=["good"])
    page = Page(desk, monkeypatch)
    text = everything(desk, page)
    assert "zebra" not in text
    assert "giraffe" not in text
    assert "the storage lost …" in text
    page.say("label", key=4, label="good", note="", start_s=None, end_s=None)
    late = {
        "key": 99,
        "session": desk._calls.page_id(7),
        "label": "good",
        "note": "",
        "start_s": None,
        "end_s": None,
        "late": True,
    }
    page.say("label", **late)
    calls = desk._calls
    assert desk.labels["session_id"].tolist() == [calls.session_id(4), calls.session_id(7)]


@pytest.mark.parametrize("named", ["{}7{}", "call_{}{}b", "{}_{}-x"])
def test_a_value_joined_to_a_number_or_a_sign_tells_too(
    study: pd.DataFrame, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In ids, shown columns, texts and the names of speakers; a longer word or number is another one."""
    prompts = study["prompt"].str.upper() + " one"
    ids = [named.format(f"{prompt}-one", number) for number, prompt in enumerate(study["prompt"])]
    calls = study.assign(session_id=ids, prompt=prompts, agent=ids)
    words = pd.DataFrame({"session_id": ids, "start_s": 0.1, "end_s": 0.2, "word": "hello", "speaker": prompts + "7"})
    other = "giraffe oneself"
    marks = pd.DataFrame({"session_id": ids, "start_s": 0.5, "end_s": 0.6, "label": other})
    desk = player(calls, blind=["prompt"], columns=["agent"], words=words, marks=marks, labels=["good"])
    text = everything(desk, Page(desk, monkeypatch)).casefold()
    assert other in text
    assert "zebra" not in text
    assert "giraffe" not in text.replace(other, "")


def test_ids_that_are_hidden_themselves_are_not_saved(study: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are nowhere in the page then; a label finds its call all the same."""
    calls = study.assign(session_id=[f"2026-11-{number + 10}" for number in range(10)])
    desk = player(calls, blind=["session_id"], labels=["good"])
    page = Page(desk, monkeypatch)
    assert "2026-11" not in everything(desk, page)
    page.say("label", key=4, label="good", note="", start_s=None, end_s=None)
    assert desk.labels["session_id"].tolist() == [desk._calls.session_id(4)]


def test_a_late_label_finds_its_call_where_another_has_its_name_by_now(
    study: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The frame's own order gives the numbers anew to a shorter frame."""
    calls = study.assign(session_id=study["prompt"] + "-" + study["session_id"])
    first = player(calls, blind=["prompt"], order="frame", labels=["good"])
    told = first._calls.page_id(4)
    assert told.startswith("Call 5 (")
    again = player(calls.iloc[2:], blind=["prompt"], order="frame", labels=["good"])
    page = Page(again, monkeypatch)
    page.say("label", key=4, session=told, label="good", note="", start_s=None, end_s=None, late=True)
    assert again.labels["session_id"].tolist() == ["zebra-s4"]


def test_what_python_asks_for_it_gets(study: pd.DataFrame) -> None:
    """`select`, `session_id`, `add_label` and `frame` go by the session ids and have all columns."""
    desk = player(study, blind=["prompt"], labels=["good"])
    desk.select("s8")
    desk.add_label("good")
    assert (desk.session_id, desk.labels["session_id"].tolist()) == ("s8", ["s8"])
    assert desk.frame["session_id"].tolist() == study["session_id"].tolist()
    assert desk.frame["prompt"].tolist() == study["prompt"].tolist()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"blind": ["promt"]}, "did you mean 'prompt'"),
        ({"blind": "prompt"}, r"blind=\['prompt'\]"),
        ({"blind": {"prompt": 1}}, "no list"),
        ({"blind": ["prompt"], "columns": ["prompt"]}, "name it in one of them"),
        ({"blind": ["prompt"], "columns": ["agnt"]}, "did you mean 'agent'"),
        ({"blind": ["prompt"], "session": "call"}, "session="),
    ],
)
def test_what_can_not_be_hidden_is_said(study: pd.DataFrame, options: dict[str, Any], words: str) -> None:
    """In a sentence that names the column."""
    with pytest.raises(FrameError, match=words):
        player(study, **options)


def test_a_shown_column_that_tells_is_warned_of(study: pd.DataFrame) -> None:
    """Each of its values stands for one prompt."""
    with pytest.warns(UserWarning, match="shows prompt_code, which tells prompt of every call"):
        player(study, blind=["prompt"], columns=["prompt_code"])
    with warnings.catch_warnings(action="error"):
        player(study, blind=["prompt"], columns=["agent", "duration_s", "session_id"])


@pytest.mark.parametrize("make", [pd.Categorical, lambda values: pd.array(values, dtype="string"), list])
def test_any_frame_can_be_heard_blind(study: pd.DataFrame, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids in the index or missing, an index of doubles, columns of any dtype, numbers as values, no rows."""
    calls = study.assign(
        prompt=make(study["prompt"].tolist()), arm=[1, 2] * 5, mixed=["zebra", 2.5, None, np.nan, "2"] * 2
    )
    calls.index = [7] * 10
    desk = player(calls, blind=["prompt", "arm", "mixed"], columns=["note"])
    page = Page(desk, monkeypatch)
    page.say("rows", start=0, count=50, request=1, view=view(text="-zebra"))
    assert "zebra" not in json.dumps([desk.first, page.messages], ensure_ascii=False).casefold()
    in_index = player(study.set_index("session_id"), blind=["prompt"])
    assert in_index.session_id == player(study, blind=["prompt"]).session_id
    assert player(calls.iloc[:0], blind=["prompt"]).session_id == ""
    gone = calls.assign(session_id=[None, *calls["session_id"].iloc[1:]])
    assert len(player(gone, blind=["prompt"])._calls) == 10
    twice = pd.concat([study, study])
    assert len(player(twice, blind=["prompt"])._calls) == 10


def test_hiding_nothing_changes_nothing(study: pd.DataFrame) -> None:
    """An empty list is no blind listening."""
    assert player(study, blind=[]).first["header"] == player(study).first["header"]
