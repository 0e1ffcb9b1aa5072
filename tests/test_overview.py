"""What `df.kataven` shows by itself."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from frames import calls, measured, tones

import kataven_notebook as kn
from kataven_notebook.accessor import KatavenAccessor

pytestmark = pytest.mark.core


def first_line(frame: pd.DataFrame) -> str:
    """What is said of the frame."""
    return repr(frame.kataven).splitlines()[0]


def test_it_shows_every_method_in_a_line() -> None:
    """In groups, none left out, and short enough to be read."""
    lines = repr(calls("s1").kataven).splitlines()
    methods = {name for name in vars(KatavenAccessor) if not name.startswith("_")}
    listed = [match[1] for line in lines if (match := re.match(r"  (\w+) +\S", line))]
    assert sorted(listed) == sorted(methods)
    assert [line for line in lines[1:-1] if not line.startswith("  ")] == ["fetch", "measure", "look", "hand on"]
    assert "  summary          how many rows have which status, and what to do about them" in lines
    assert len(lines) < 25
    assert max(map(len, lines)) < 130


def test_it_says_what_the_frame_has() -> None:
    """Rows, sessions, statuses, recordings, numbers; as they come to be."""
    assert first_line(calls()) == "<kataven: 0 rows, 0 sessions>"
    frame = calls("a", "b", "b", None)
    assert first_line(frame) == "<kataven: 4 rows, 2 sessions>"
    frame["recording_status"] = ["downloaded", "missing", "missing", None]
    frame["audio"] = [tones((440, 0.0, 1.0), (880, 2.0, 3.0)), None, None, None]
    assert first_line(frame) == "<kataven: 4 rows, 2 sessions; 2 missing, 1 downloaded; 1 recording here>"
    assert first_line(measured(frame.iloc[:1], agent_channel=0)).endswith("1 downloaded; 1 recording here; measured>")


def test_it_goes_by_the_configured_names() -> None:
    """And suggests one where the frame has another."""
    frame = pd.DataFrame({"call_id": ["a"], "x_recording_status": ["missing"]})
    assert first_line(frame) == "<kataven: 1 row, no column 'session_id' (did you mean 'call_id'?): pass session=>"
    kn.configure(session="call_id", prefix="x_")
    assert first_line(frame) == "<kataven: 1 row, 1 session; 1 missing>"
    assert first_line(frame.set_index("call_id")) == "<kataven: 1 row, 1 session; 1 missing>"


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame([["a", "b"]], columns=["session_id", "session_id"]),
        pd.DataFrame([["a", "b"]], columns=pd.MultiIndex.from_tuples([("a", "session_id"), ("b", "audio")])),
        pd.DataFrame([[["a"], {}, [1]]], columns=["session_id", "recording_status", "audio"]),
        pd.DataFrame([["missing", "missing"]], columns=["recording_status", "recording_status"]),
        pd.DataFrame({"session_id": [1.5], 7: [None]}),
        pd.DataFrame({"<script>": pd.Series(["\ud800"], dtype=object)}),
    ],
)
def test_no_frame_is_too_odd_to_be_shown(frame) -> None:
    """As text and as a page."""
    assert first_line(frame).startswith("<kataven: ")
    page = frame.kataven._repr_html_()
    assert "<script" not in page
    page.encode()


def test_the_page_shows_the_same() -> None:
    """As a table, with nothing from outside."""
    frame = pd.DataFrame({"session_<b>id": ["a"]})
    page = frame.kataven._repr_html_()
    assert "session_&lt;b&gt;id" in page
    assert not re.search(r"src=|href=|<script|<style|<b>id", page)
    for line in repr(frame.kataven).splitlines()[2:]:
        if line.startswith("  "):
            name, purpose = line.split(maxsplit=1)
            assert f"<code>{name}</code>" in page
            assert purpose.split("'")[0].split("&")[0] in page
