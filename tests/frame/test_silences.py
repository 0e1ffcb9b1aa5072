"""What is to be taken out of which call: a row that would take nothing out is refused before anything goes out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tones import RATE, tone

from kataven_notebook import Recording
from kataven_notebook.errors import FrameError
from kataven_notebook.frame.silences import Silences
from kataven_notebook.sound.silencing import silence

pytestmark = pytest.mark.core


def table(*rows: tuple, **columns: object) -> pd.DataFrame:
    """Session, start and end of each row."""
    return pd.DataFrame(rows, columns=["session_id", "start_s", "end_s"]).assign(**columns)


@pytest.fixture
def recording() -> Recording:
    """Two seconds on two channels."""
    return Recording.from_samples(tone(2.0), RATE, session_id="a")


def test_a_calls_rows_are_taken_out_together(recording) -> None:
    """Of the channel that they name, or of all; other calls stay as they are."""
    rows = table(("a", 0.5, 1.0), ("a", 1.5, 1.75), ("b", 0.0, 1.0), channel=pd.array([1, None, None], dtype="Int64"))
    silences = Silences(rows, "session_id")
    found = silences.applied(recording, "a").samples
    expected = recording.silenced([[(1.5, 1.75)], [(0.5, 1.0), (1.5, 1.75)]]).samples
    assert np.array_equal(found, expected)
    assert silences.applied(recording, "c") is recording
    assert silences.applied(recording, None) is recording


@pytest.mark.parametrize(("start_s", "end_s"), [(0.7, 1.2), (0.0, 2.0), (0.5001, 0.9), (0.99, 1.6)])
def test_a_part_has_nothing_that_the_whole_has_not(recording, start_s, end_s) -> None:
    """Wherever it begins; only the fades beside what lies outside of the part are not there."""
    silences = Silences(table(("a", 0.5, 1.0), ("a", 1.50003, 1.7)), "session_id")
    whole = silences.applied(recording, "a").samples
    part = recording.slice(start_s, end_s)
    first = round(start_s * RATE)
    part_s = (first / RATE, (first + part.frames) / RATE)
    intervals = silences.of_part(recording, "a", *part_s)
    found = silence(part.samples, RATE, intervals, beep=False, bits=None)
    cut = whole[first : first + len(found)]
    assert not found[cut == 0].any()
    assert np.array_equal(found[cut == 0], cut[cut == 0])
    assert np.count_nonzero(found != cut) <= 2 * 2 * 0.01 * RATE


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (table((None, 0.5, 1.0)), "no session id in row 0"),
        (table(("a", 0.5, 1.0), ("a", np.nan, 1.0)), "no start_s and end_s after it, .* in row 1"),
        (table(("a", 0.5, None)), "in row 0"),
        (table(("a", 0.5, np.inf)), "in row 0"),
        (table(("a", 1.0, 0.5)), "in row 0, and nothing would be taken out"),
        (table(("a", 1.0, 1.0)), "in row 0"),
        (table(("a", "soon", 1.0)), "silence= has 'soon' in 'start_s', row 0"),
        (table(("a", 0.5, 1.0)).drop(columns="end_s"), "silence= lacks the column"),
        (table(("a", 0.5, 1.0), channel=-1), "silence= says channel -1"),
        ([("a", 0.5, 1.0)], "silence= takes a frame with the columns session_id, start_s, end_s"),
    ],
)
def test_rows_that_would_take_nothing_out_are_refused(rows, said) -> None:
    """Whoever gets the sound would hear what a missing time leaves in."""
    with pytest.raises(FrameError, match=said):
        Silences(rows, "session_id")


def test_sessions_that_are_not_there_are_said() -> None:
    """One is told; where all are, their ids are of another form and nothing would be silent."""
    silences = Silences(table(("a", 0.5, 1.0), ("z", 0.5, 1.0)), "session_id")
    silences.check(["a", "z"])
    with pytest.warns(UserWarning, match="1 session that the frame does not have, such as 'z'"):
        silences.check(["a", "b", None])
    with pytest.raises(FrameError, match="names no session that the frame has"):
        silences.check(["A"])
    silences.check([])
    Silences(None, "session_id").check([])
    Silences(table(), "session_id").check(["a"])


def test_sets_of_intervals_are_told_apart_and_order_is_none_of_it() -> None:
    """What was written with others is to be written anew."""
    one = Silences(table(("a", 0.5, 1.0), ("a", 1.5, 2.0), ("b", 0.5, 1.0)), "session_id")
    other = Silences(table(("a", 1.5, 2.0), ("b", 0.5, 1.1), ("a", 0.5, 1.0)), "session_id")
    assert one.digest("a") == other.digest("a") != ""
    assert one.digest("b") != other.digest("b")
    by_channel = Silences(table(("b", 0.5, 1.0), channel=0), "session_id")
    assert by_channel.digest("b") != one.digest("b")
    assert one.digest("c") == one.digest(None) == ""


def test_ids_of_any_dtype_are_found(recording) -> None:
    """In the index too, as categories or as numbers that were text once."""
    for rows in (
        table(("a", 0.5, 1.0)).set_index("session_id"),
        table(("a", 0.5, 1.0)).astype({"session_id": "category"}),
        table(("a", 0.5, 1.0)).astype({"start_s": "object", "end_s": "Float64", "session_id": "string"}),
        table(("a", "0.5s", "1s")).assign(start_s=pd.to_timedelta(["500ms"]), end_s=pd.to_timedelta(["1s"])),
    ):
        assert not Silences(rows, "session_id").applied(recording, "a").samples[RATE // 2 : RATE].any()
    assert Silences(table((7, 0.5, 1.0)), "session_id").digest("7")


def test_what_does_not_fit_the_sound_is_no_silent_no(recording) -> None:
    """A channel that the recording lacks, or a time beyond its end, also for a part that has nothing of it."""
    far = Silences(table(("a", 500.0, 900.0)), "session_id")
    third = Silences(table(("a", 0.5, 1.0), channel=2), "session_id")
    for silences, said in ((far, "lies outside of the recording"), (third, "names channel 2, and the sound has 2")):
        with pytest.raises(ValueError, match=said):
            silences.applied(recording, "a")
        with pytest.raises(ValueError, match=said):
            silences.of_part(recording, "a", 0.0, 0.25)
    assert Silences(table(("a", 0.5, 1.0)), "session_id").of_part(recording, "a", 0.0, 0.25) is None
    assert Silences(None, "session_id").of_part(recording, None, 0.0, 0.25) is None
