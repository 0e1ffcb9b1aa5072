"""The player without a browser: the list, the labels, what the page is told, and what is never saved."""

from __future__ import annotations

import io
import json
import os
import stat
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import kataven_notebook as kn
from kataven_notebook.desk import feed as _feed
from kataven_notebook.desk.call_list import CallList
from kataven_notebook.desk.labels import LabelBook
from kataven_notebook.desk.open import player
from kataven_notebook.desk.peaks import frames_per_bin, peak_blocks
from kataven_notebook.desk.playable import playable
from kataven_notebook.desk.sources import FrameSource
from kataven_notebook.desk.widget import Player, play_one
from kataven_notebook.errors import ConfigurationError, FrameError, ServiceFailed, UrlExpired
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET_URL = "https://bucket.example/call.wav?X-Amz-Signature=0123456789abcdef"


def _sound(seconds: float = 1.0, *, sample_rate: int = 8000, channels: int = 2, **options: Any) -> Recording:
    wave = 0.5 * np.sin(np.arange(round(seconds * sample_rate)) / 5)
    file = io.BytesIO()
    settings = {"format": "WAV", "subtype": "PCM_16", **options}
    sf.write(file, np.column_stack([wave] * channels), sample_rate, **settings)
    return Recording.from_bytes(file.getvalue())


@pytest.fixture
def calls() -> pd.DataFrame:
    """Five calls: three with sound, one missing, one corrupt; the first stands in two rows."""
    sound = _sound()
    status = ["downloaded", "downloaded", "missing", "corrupt", "downloaded", "downloaded"]
    return pd.DataFrame(
        {
            "call": ["b", "a", "d", "e", "c", "b"],
            "recording_status": status,
            "audio": [sound if each == "downloaded" else None for each in status],
            "recording_error": [None, None, "no recording", "truncated", None, None],
            "score": [2.5, 1.0, np.nan, 10.0, 3.0, 2.5],
        },
        index=[7, 7, 8, 9, 10, 11],
    )


class Page:
    """Stands for the page: keeps what it is sent, and says what a page says."""

    def __init__(self, desk: Player, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[tuple[dict[str, Any], list[Any]]] = []
        self._arrived = threading.Condition()
        self._desk = desk.children[0]
        monkeypatch.setattr(self._desk, "send", self._receive)

    def _receive(self, content: dict[str, Any], buffers: list[Any] | None = None) -> None:
        with self._arrived:
            self.messages.append((content, buffers or []))
            self._arrived.notify_all()

    def say(self, kind: str, **content: Any) -> None:
        """Send a message to the kernel."""
        self._desk._on_message(self._desk, {"type": kind, **content}, [])

    def wait(
        self, kind: str, accepts: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> tuple[dict[str, Any], list[Any]]:
        """Return the first message of a kind, when it has come."""

        def found() -> tuple[dict[str, Any], list[Any]] | None:
            return next((each for each in self.messages if each[0]["type"] == kind and accepts(each[0])), None)

        with self._arrived:
            assert self._arrived.wait_for(found, timeout=10), f"no {kind!r} came"
            message = found()
        assert message is not None
        return message


def test_a_list_row_is_a_session_and_windows_are_texts(calls: pd.DataFrame) -> None:
    """A session in two rows is listed once; cells are texts."""
    rows = CallList(calls, session="call", columns=["score"]).window(0, 10, labels=lambda _: "")
    assert [row[2] for row in rows] == ["b", "a", "d", "e", "c"]
    assert rows[0] == [0, "downloaded", "b", "downloaded", "2.5", ""]


@pytest.mark.parametrize(("descending", "expected"), [(False, "abced"), (True, "ecbad")])
def test_numbers_sort_as_numbers_and_missing_ones_last(calls: pd.DataFrame, *, descending: bool, expected: str) -> None:
    """10 comes after 2.5; what has no number stands last in both directions."""
    listed = CallList(calls, session="call", columns=["score"])
    listed.arrange(sort="0", descending=descending, labels=lambda _: "")
    assert "".join(listed.session_id(key) for key in listed.order) == expected


@pytest.mark.parametrize("descending", [False, True])
def test_texts_without_value_and_calls_without_label_stand_last(calls: pd.DataFrame, *, descending: bool) -> None:
    """In both directions, as missing numbers do."""
    listed = CallList(calls.assign(team=["x", None, "y", "", pd.NA, "x"]), session="call", columns=["team"])
    listed.arrange(sort="0", descending=descending, labels=lambda _: "")
    assert "".join(listed.session_id(key) for key in listed.order) == ("dbaec" if descending else "bdaec")
    listed.arrange(sort="labels", descending=descending, labels=lambda session: "good" if session == "e" else "")
    assert listed.session_id(int(listed.order[0])) == "e"


def test_ordered_categories_and_lengths_of_time_sort_in_their_own_order(calls: pd.DataFrame) -> None:
    """Not as the text that is shown: "high" is not before "low", nor 10 minutes before 9."""
    urgency = pd.Categorical(["mid", "low", "high", None, "low", "mid"], ["low", "mid", "high"], ordered=True)
    waited = pd.to_timedelta([9, 10, 1, None, 100, 9], unit="min")
    listed = CallList(calls.assign(u=urgency, w=waited), session="call", columns=["u", "w"])
    listed.arrange(sort="0", labels=lambda _: "")
    assert "".join(listed.session_id(key) for key in listed.order) == "acbde"
    listed.arrange(sort="1", labels=lambda _: "")
    assert "".join(listed.session_id(key) for key in listed.order) == "dbace"


def test_columns_are_shown_as_they_read_and_without_signed_queries(calls: pd.DataFrame) -> None:
    """Large numbers keep their digits; the first rows are saved, so a URL's signature is not among them."""
    frame = calls.assign(amount=14998.5, recording_url=SECRET_URL, duration_s="0:35")
    desk = player(frame, session="call", columns=["amount", "recording_url"]).children[0]
    assert desk.first["rows"][0][4] == "14998.5"
    assert "0123456789abcdef" not in json.dumps(desk.get_state("first"))
    assert desk.first["opened"]["duration_s"] is None


def test_marks_of_other_shapes_are_drawn_or_refused_in_words(calls: pd.DataFrame) -> None:
    """Lengths of time, a session index, gaps; not texts, times of day or names of channels."""
    marks = pd.DataFrame({"call": ["b", "b"], "start_s": [0.5, None], "end_s": [np.inf, 1.0], "label": ["x", "y"]})
    drawn = player(calls, session="call", marks=marks).children[0]._contents.about(0)["marks"]
    assert [(each["label"], each["start_s"], each["end_s"]) for each in drawn] == [("x", 0.5, 0.5)]
    as_time = marks.assign(start_s=pd.to_timedelta([0.5, 0.7], unit="s"), end_s=["1", "2"])
    both = as_time.set_index("call", drop=False)
    assert len(player(calls, session="call", marks=both, moments=both).children[0]._contents.about(0)["marks"]) == 2
    noon = pd.to_datetime(["2026-01-01 12:00"] * 2)
    for change in ({"start_s": ["soon", "late"]}, {"start_s": noon}, {"channel": ["agent", "caller"]}):
        with pytest.raises(FrameError, match="no number: pass"):
            player(calls, session="call", marks=marks.assign(**change))
    with pytest.raises(FrameError, match="takes a frame"):
        player(calls, session="call", moments=[{"call": "b"}])  # type: ignore[arg-type]  # what is tested


def test_the_list_filters_by_status_text_and_labels(calls: pd.DataFrame) -> None:
    """Each filter alone, and two together."""
    listed = CallList(calls, session="call", columns=["score"])

    def left(**options: Any) -> str:
        listed.arrange(**options, labels=lambda session: "good" if session == "a" else "")
        return "".join(listed.session_id(key) for key in listed.order)

    assert left(status="missing") == "d"
    assert left(text="2.5") == "b"
    assert left(text="DOWNLOADED") == "bac"
    assert left(text="Good") == "a", "the labels are a column, too"
    assert left(status="labelled") == "a"
    assert left(status="unlabelled", text="downloaded") == "bc"


def test_ten_thousand_calls_are_listed_without_being_sent() -> None:
    """What is saved of a list does not grow with it."""
    sizes = []
    for rows in (100, 10_000):
        frame = pd.DataFrame({"session_id": [f"call-{i:06}" for i in range(rows)], "agent": "a"})
        desk = player(frame, columns=["agent"]).children[0]
        sizes.append(len(json.dumps(desk.get_state("first"))))
    assert sizes[1] - sizes[0] < 200


def test_long_texts_do_not_outgrow_a_saved_notebook() -> None:
    """Of wide rows and of wordy moments fewer are saved: 62 KB in all, whatever the frame holds."""
    words = "the caller asks for Friday, is offered Monday, and hangs up; " * 5
    frame = pd.DataFrame({"session_id": [f"call-{i:06}" for i in range(1000)]})
    frame = frame.assign(**{f"summary {i}": words for i in range(8)})
    moments = frame[["session_id"]].assign(start_s=1.0, kind="dead_air", text=words)
    desk = player(frame, columns=list(frame.columns[1:]), moments=moments).children[0]
    assert len(json.dumps(desk.get_state())) <= 61_000, "the container comes on top"
    assert len(desk.first["rows"]) >= 6
    assert len(desk.first["moments"]) >= 25


def test_no_url_no_sound_and_no_error_query_is_in_state_or_repr(calls: pd.DataFrame) -> None:
    """What a notebook would save holds no signed URL and no sound."""
    frame = calls.assign(recording_url=SECRET_URL, recording_error=f"failed: {SECRET_URL}")
    desk = player(frame, session="call")
    saved = json.dumps(desk.get_state(), default=str) + json.dumps(desk.children[0].get_state(), default=str)
    assert "X-Amz" not in saved
    assert "UklGR" not in saved
    assert "X-Amz" not in repr(desk)


def test_the_card_stands_before_the_widget_and_is_escaped(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two outputs, the card first; an id with markup is text in it."""
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: shown.append(bundle))
    calls["call"] = ["<script>x</script>", *calls["call"][1:]]
    desk = player(calls, session="call")
    desk._ipython_display_()
    desk.close()
    assert "6 calls (4 downloaded, 1 missing, 1 corrupt)" in shown[0]["text/plain"]
    assert "<script>" not in shown[0]["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in shown[1]


def test_it_opens_on_the_worst_moment_with_a_run_up(calls: pd.DataFrame) -> None:
    """The first moment of a call that the frame has, two seconds before it."""
    moments = pd.DataFrame({"call": ["not here", "c"], "start_s": [1.0, 30.0], "kind": ["x", "dead_air"]})
    desk = player(calls, session="call", moments=moments)
    assert desk.session_id == "c"
    assert desk.position_s == 28.0


def test_what_is_not_passed_is_told_by_the_metrics() -> None:
    """A choice of moments takes no speech off the picture, and turns take no moments out of the list."""
    time_s = np.arange(18 * 8000) / 8000
    talk = np.column_stack([np.sin(2 * np.pi * 440 * time_s) * (time_s % 6 < 3), np.zeros(len(time_s))])
    calls = pd.DataFrame({"session_id": ["a"], "audio": [Recording.from_samples(0.1 * talk, 8000)]})

    def speech(_: Any, __: int) -> list[tuple[float, float]]:
        return [(0.0, 3.0), (10.0, 13.0)]

    measured = kn.metrics(calls, agent_channel=0, speech=speech, progress=False)
    told = player(measured).children[0]
    assert told.first["moments"]
    assert told._contents.about(0)["speech"]
    chosen = pd.DataFrame({"session_id": ["a"], "start_s": [5.0], "kind": ["mine"]})
    desk = player(measured, moments=chosen).children[0]
    assert [each["kind"] for each in desk.first["moments"]] == ["mine"]
    assert desk._contents.about(0)["speech"] == told._contents.about(0)["speech"]
    turns = pd.DataFrame({"session_id": ["a"], "channel": [0], "start_s": [1.0], "end_s": [2.0]})
    desk = player(measured, turns=turns).children[0]
    assert desk.first["moments"] == told.first["moments"]
    assert desk._contents.about(0)["speech"] == [[(1.0, 2.0)]]


def test_sound_comes_whole_and_peaks_follow(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's greeting is answered by the open call, its bytes and its picture."""
    desk = player(calls, session="call")
    page = Page(desk, monkeypatch)
    page.say("ready")
    content, buffers = page.wait("sound")
    assert bytes(buffers[0]) == calls["audio"].iloc[0].encoded()
    assert content["mime"] == "audio/wav"
    peaks, data = page.wait("peaks")
    assert peaks["total_bins"] == 100
    assert len(bytes(data[0])) == 200


def test_large_sound_is_sent_in_parts_after_its_picture(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the parts the page can be answered; together they are the file."""
    monkeypatch.setattr(_feed, "_PART_BYTES", 5000)
    monkeypatch.setattr(_feed, "_SOUND_FIRST_BYTES", 1000)
    page = Page(player(calls, session="call"), monkeypatch)
    page.say("ready")
    page.wait("sound", lambda content: content["part"] == content["parts"] - 1)
    kinds = [content["type"] for content, _ in page.messages]
    assert kinds.index("peaks") < kinds.index("sound")
    sounds = [(content, data) for content, data in page.messages if content["type"] == "sound"]
    # The next call's sound may follow, fetched ahead.
    parts = [bytes(data[0]) for _, data in sounds[: sounds[0][0]["parts"]]]
    assert b"".join(parts) == calls["audio"].iloc[0].encoded()


def test_rows_without_sound_say_why_and_what_to_do(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence in place of sound."""
    desk = player(calls, session="call")
    page = Page(desk, monkeypatch)
    page.say("ready")
    desk.select("d")
    content, _ = page.wait("call", lambda content: content["title"] == "d")
    assert content["reason"] == "No recording. There is nothing to do: the session has no recording."
    later = 'the recording is not uploaded yet: call again later, or pass poll_pending="10min" ("not yet")'
    frame = pd.DataFrame({"call": ["p"], "recording_status": ["pending"], "recording_error": [later]})
    reason = player(frame, session="call").children[0].first["opened"]["reason"]
    assert reason == f"T{later[1:]}.", "the advice is in it already"
    frame = pd.DataFrame({"call": ["f"], "recording_status": ["failed"], "recording_error": ["the storage hung up"]})
    assert player(frame, session="call").children[0].first["opened"]["facts"] == "failed · the storage hung up"


def test_labels_are_frames_and_join_row_by_row(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row in, one row out: index kept, both rows of a session have its label."""
    desk = player(calls, session="call", labels=["good", "bad"])
    page = Page(desk, monkeypatch)
    page.say("label", key=0, label="good", note=" two\nlines ", start_s=None, end_s=None)
    page.say("label", key=0, label="bad", note="", start_s=0.1, end_s=0.5)
    page.say("label", key=1, label="no such label", note="", start_s=None, end_s=None)
    assert desk.labels["label"].tolist() == ["good", "bad"]
    listed = [each[0]["labels"] for each in page.messages if each[0]["type"] == "labels" and each[0]["key"] == 0][-1]
    assert [each["text"] for each in listed] == ["good · two lines", "bad · 0:00.1 to 0:00.5"]
    assert desk.labels["note"].iloc[0] == "two lines"
    assert list(desk.labels.columns) == ["call", "label", "start_s", "end_s", "note", "labelled_at"]
    assert str(desk.labels["labelled_at"].dtype) == "datetime64[us, UTC]"
    joined = desk.frame
    assert joined.index.tolist() == calls.index.tolist()
    assert joined["label"].tolist()[::5] == ["good", "good"]
    assert joined["label_regions"].tolist() == [1, 0, 0, 0, 0, 1]
    assert "label" not in calls.columns
    assert player(joined, session="call").frame["label"].isna().all()


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


def test_rows_without_an_id_have_no_labels(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even those of a call that is named as missing values are written."""
    desk = player(calls.assign(call=["nan", np.nan, None, "None", pd.NA, "b"]), session="call", labels=["good"])
    page = Page(desk, monkeypatch)
    for key in (0, 3):
        page.say("label", key=key, label="good", note="", start_s=None, end_s=None)
    assert desk.frame["label"].notna().tolist() == [True, False, False, True, False, False]


def test_a_frame_that_is_changed_in_place_stays_as_it_was_opened(calls: pd.DataFrame) -> None:
    """A column that the caller takes away is still listed."""
    desk = player(calls, session="call", columns=["score"])
    del calls["score"]
    rows = desk.children[0]._calls.window(0, 3, labels=lambda _: "")
    assert [(row[2], row[4]) for row in rows] == [("b", "2.5"), ("a", "1"), ("d", "")]
    assert desk.frame["score"].tolist()[:2] == [2.5, 1.0]


def test_a_column_of_the_callers_is_not_overwritten(calls: pd.DataFrame) -> None:
    """A frame with its own `label` is told of `prefix=`."""
    with pytest.raises(FrameError, match="prefix="):
        _ = player(calls.assign(label="mine"), session="call").frame
    joined = player(calls.assign(label="mine"), session="call", prefix="my_").frame
    assert set(joined["label"]) == {"mine"}


def test_decisions_are_on_disk_at_once_and_the_next_player_continues(tmp_path: Path) -> None:
    """Appended and private; a removal is a row too; read again it is as it was."""
    path = tmp_path / "labels.csv"
    book = LabelBook("session_id", path)
    kept = book.add("=cmd()", "good", note='with "quotes", commas')
    gone = book.add("b", "bad", start_s=1.0, end_s=2.5)
    book.remove(gone.decision_id)
    assert len(path.read_text().splitlines()) == 4
    again = LabelBook("session_id", path)
    assert [each.decision_id for each in again.of("=cmd()")] == [kept.decision_id]
    assert again.of("=cmd()")[0].note == 'with "quotes", commas'
    assert again.of("b") == []
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_half_a_line_of_a_killed_kernel_costs_that_line_alone(tmp_path: Path) -> None:
    """The rest is read, with a warning, and the next decision does not join the half one."""
    path = tmp_path / "labels.csv"
    LabelBook("session_id", path).add("a", "good")
    with path.open("a") as file:
        file.write("add,123,b,go")
    with pytest.warns(UserWarning, match="half-written"):
        book = LabelBook("session_id", path)
    book.add("c", "good")
    with pytest.warns(UserWarning, match="half-written"):
        again = LabelBook("session_id", path)
    assert again.to_frame()["session_id"].tolist() == ["a", "c"]


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """One clear error, and not a byte changed."""
    path = tmp_path / "mine.csv"
    path.write_text("name,age\nx,1\n")
    with pytest.raises(ConfigurationError, match="save_to="):
        LabelBook("session_id", path)
    assert path.read_text() == "name,age\nx,1\n"


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


def test_python_selects_seeks_and_hears_of_choices(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands given before there is a page reach it when it comes."""
    desk = player(calls, session="call")
    chosen: list[str] = []
    desk.on_select(chosen.append)
    desk.select("a")
    desk.seek(0.5)
    desk.play()
    page = Page(desk, monkeypatch)
    page.say("ready")
    far = player(calls.assign(duration_s=1.5), session="call")
    far.seek(99)
    assert far.position_s == 1.5, "no further than the end"
    commands = [content["name"] for content, _ in page.messages if content["type"] == "command"]
    assert commands == ["seek", "play"]
    page.say("open", key=4, request=1)
    page.say("state", key=4, position_s=0.25, playing=False, speed=1.0)
    assert chosen == ["a", "c"]
    assert desk.position_s == 0.25
    desk.on_select(chosen.append, remove=True)
    desk.select("a")
    assert chosen == ["a", "c"]


def test_wrong_arguments_are_told_before_anything_is_shown(calls: pd.DataFrame, tmp_path: Path) -> None:
    """Each names what to pass instead."""
    with pytest.raises(FrameError, match="session="):
        player(calls)
    with pytest.raises(FrameError, match="nothing_here"):
        player(calls, session="call", columns=["nothing_here"])
    with pytest.raises(FrameError, match="start_s"):
        player(calls, session="call", marks=pd.DataFrame({"call": ["a"]}))
    with pytest.raises(ConfigurationError, match="list"):
        player(calls, session="call", labels="good")
    with pytest.raises(ConfigurationError, match="list"):
        player(calls, session="call", labels=None)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(FrameError, match=r"columns=\['agent'\]"):
        player(calls, session="call", columns="score")
    with pytest.raises(FrameError, match="rename all but one"):
        player(pd.concat([calls, calls[["score"]]], axis=1), session="call", columns=["score"])
    with pytest.raises(FrameError, match="not list"):
        player(["a", "b"])  # type: ignore[arg-type]  # what is tested
    for path, why in ((tmp_path, "folder"), (tmp_path / "no" / "a.csv", "not there"), (5, "no path")):
        with pytest.raises(ConfigurationError, match=why):
            player(calls, session="call", save_to=path)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ConfigurationError, match="one line"):
        player(calls, session="call", labels=["good\nbad"])
    with pytest.raises(ConfigurationError, match="nine"):
        player(calls, session="call", labels=list("abcdefghij"))
    desk = player(calls, session="call")
    with pytest.raises(FrameError, match="zzz"):
        desk.select("zzz")
    with pytest.raises(ValueError, match="0 or more"):
        desk.seek(-1)


@pytest.mark.parametrize("session", ["call", "call_in_index"])
def test_frames_without_rows_or_ids_are_shown(calls: pd.DataFrame, session: str) -> None:
    """No rows, ids that are missing, ids in the index."""
    frame = calls.rename(columns={"call": session})
    assert player(frame.iloc[:0], session=session).session_id == ""
    assert player(frame.assign(**{session: None}), session=session).session_id == ""
    assert player(frame.set_index(session), session=session).session_id == "b"


def test_a_url_is_renewed_before_it_ends_while_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pushed from a thread; nobody listening, no request."""

    class Signing:
        signed = 0

        def sound(self, _session_id: str) -> None:
            return None

        def signed_url(self, _session_id: str, **_: bool) -> tuple[str, float]:
            self.signed += 1
            return f"{SECRET_URL}{self.signed}", 1.2

    source = Signing()
    desk = Player(pd.DataFrame({"session_id": ["a"], "recording_status": ["ready"]}), source=source)
    page = Page(desk, monkeypatch)
    page.say("ready")
    page.wait("url", lambda content: content["url"].endswith("2"))
    desk.close()


def test_an_error_reaches_the_page_in_words_and_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our errors as sentences, redacted."""

    class Failing:
        def sound(self, session_id: str) -> None:
            raise ServiceFailed(f"the Hub failed at {SECRET_URL}", session_id=session_id)

        def signed_url(self, _session_id: str, **_: bool) -> tuple[str, float]:
            raise AssertionError

    page = Page(Player(pd.DataFrame({"session_id": ["a"]}), source=Failing()), monkeypatch)
    page.say("ready")
    text = page.wait("problem")[0]["text"]
    assert text.startswith("The Hub failed at")
    assert "0123456789abcdef" not in text


def test_the_frames_own_url_is_used_while_it_lives() -> None:
    """Then it is signed anew, or the error says what to run."""
    now = pd.Timestamp.now(tz="UTC")
    frame = pd.DataFrame(
        {
            "session_id": ["live", "dead"],
            "recording_url": [SECRET_URL] * 2,
            "recording_expires_at": [now + pd.Timedelta("200s"), now - pd.Timedelta("1s")],
        }
    )
    source = FrameSource(frame, session="session_id")
    url, lives_s = source.signed_url("live", fresh=False)
    assert url == SECRET_URL
    assert 190 < lives_s < 200
    with pytest.raises(UrlExpired, match=r"run audio\(\)"):
        source.signed_url("dead", fresh=False)
    signing = FrameSource(frame, session="session_id", sign=lambda session: (f"new-{session}", 300.0))
    assert signing.signed_url("dead", fresh=False)[0] == "new-dead"
    assert signing.signed_url("live", fresh=True)[0] == "new-live"


@pytest.mark.parametrize("sample_rate", [8000, 11025, 44100])
def test_peaks_cover_the_sound_and_find_its_loudest_frame(sample_rate: int) -> None:
    """No drift at rates that a hundredth of a second does not divide, across block borders."""
    samples = np.zeros((sample_rate * 3, 2), dtype=np.float32)
    samples[round(sample_rate * 2.5), 1] = -1.0
    recording = Recording.from_samples(samples, sample_rate)
    peaks = np.concatenate([block.peaks for block in peak_blocks(recording, block_s=0.7)], axis=1)
    size = frames_per_bin(sample_rate)
    assert peaks.shape == (2, -(-len(samples) // size))
    assert peaks[0].max() == 0
    assert peaks[1].argmax() == round(sample_rate * 2.5) // size


def test_peaks_of_an_hour_never_hold_its_samples() -> None:
    """At most a block of 30 s is there at a time: far below an hour as float64, or float32."""
    recording = _sound(3600, channels=1)
    tracemalloc.start()
    for _ in peak_blocks(recording):
        pass
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 3600 * 8000 * 4 / 10


def test_sound_that_browsers_can_not_play_becomes_16_bit_wav() -> None:
    """ADPCM and AIFF are decoded; what browsers play is passed on as it is."""
    for options in ({"subtype": "IMA_ADPCM"}, {"format": "AIFF"}, {"format": "AU"}):
        sent = playable(_sound(**options))
        with sf.SoundFile(io.BytesIO(sent.data)) as file:
            assert (file.format, file.subtype, file.channels) == ("WAV", "PCM_16", 2)
    flac = _sound(format="FLAC")
    assert playable(flac).data == flac.encoded()
    assert playable(flac, decode=True).mime_type == "audio/wav"


def test_one_recording_has_a_player_of_its_own() -> None:
    """Without a session id it still has a name."""
    assert play_one(_sound()).session_id == "recording"
    assert _sound().play().session_id == "recording"
