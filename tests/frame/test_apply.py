"""Any function over every recording: columns, tables and objects, and what functions do wrong."""

from __future__ import annotations

import _thread
import dataclasses
import io
import os
import threading
import time
import weakref

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

import kataven_notebook as kn
from kataven_notebook import demo, errors
from kataven_notebook.frame.apply import apply

pytestmark = pytest.mark.core


def wav(seconds: float = 0.5, level: float = 0.1) -> bytes:
    """Stereo noise as WAV."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, level, (round(8_000 * seconds), 2))
    sf.write(file, np.clip(noise, -1, 1), 8_000, format="WAV")
    return file.getvalue()


@pytest.fixture(scope="module")
def hub():
    """Three good sessions of half a second, one and one and a half, one missing, one broken."""
    with demo.hub(sessions={}, limits=kn.Limits(per_minute=None, per_hour=None, per_day=None)) as running:
        for number in (1, 2, 3):
            running.add(f"s{number}", wav(number / 2))
        running.add("gone", state="missing")
        running.add("broken", b"<html>no sound</html>")
        yield running


@pytest.fixture
def frame() -> pd.DataFrame:
    """One row for each of the Hub's sessions, and one session twice."""
    return pd.DataFrame({"session_id": ["s2", "gone", "s1", "s2", "broken", "s3"], "note": list("abcdef")})


@pytest.fixture
def run(hub, frame):
    """Apply to the frame with the Hub's settings."""

    def run(fn, df=None, **options):
        return apply(frame if df is None else df, fn, settings=hub.settings, progress=False, **options)

    return run


def test_a_scalar_becomes_a_column_named_after_the_function(run, frame) -> None:
    """Same rows, same order; missing where there is no sound, whose status says why."""
    before = frame.copy()

    def length_s(recording: kn.Recording) -> float:
        return recording.duration_s

    found = run(length_s)
    pd.testing.assert_frame_equal(frame, before)
    assert found["length_s"].fillna(-1).tolist() == [1.0, -1, 0.5, 1.0, -1, 1.5]
    states = ["downloaded", "missing", "downloaded", "downloaded", "corrupt", "downloaded"]
    assert found["recording_status"].tolist() == states
    assert found["apply_error"].isna().all()
    assert str(found["apply_error"].dtype) == "string"
    assert found["recording_error"].notna().tolist() == [False, True, False, False, True, False]
    assert "audio" not in found.columns


def test_a_session_in_many_rows_is_worked_on_once(run) -> None:
    """Its rows share what was found."""
    seen: list[str | None] = []
    run(lambda recording: seen.append(recording.session_id))
    assert sorted(seen) == ["s1", "s2", "s3"]


def test_dicts_dataclasses_and_series_become_columns(run) -> None:
    """Each with the dtype that its values have."""

    @dataclasses.dataclass
    class Found:
        length_s: float
        channels_seen: int
        is_short: bool
        name: str

    def look(recording: kn.Recording) -> Found:
        return Found(recording.duration_s, recording.channels, recording.duration_s < 1, "x")

    for fn in (look, lambda r: dataclasses.asdict(look(r)), lambda r: pd.Series(dataclasses.asdict(look(r)))):
        found = run(fn)
        dtypes = found[["length_s", "channels_seen", "is_short", "name"]].dtypes.astype(str).tolist()
        assert dtypes == ["float64", "Int64", "boolean", "string"]
        assert bool(found["is_short"][2])


def test_different_keys_per_call_give_the_union(run) -> None:
    """A value that a call did not return is missing in its row, and that is no error."""
    found = run(lambda r: {"always": 1} | ({"long": 2} if r.duration_s >= 1 else {}))
    assert found["always"].tolist() == [1, pd.NA, 1, 1, pd.NA, 1]
    assert found["long"].isna().tolist() == [False, True, True, False, True, False]
    assert found["apply_error"].isna().all()


def test_none_is_a_missing_value(run) -> None:
    """And no error: not every function finds something."""
    found = run(lambda r: None if r.duration_s < 1 else 1.5, columns="score")
    assert found["score"].count() == 3
    assert found["apply_error"].isna().all()


def test_columns_give_an_empty_frame_its_columns_and_dtypes(run, frame) -> None:
    """So that what comes after works on no calls, too."""
    wanted = {"words": int, "text": "string", "rate": float, "kind": "category"}
    found = run(lambda r: None, frame.iloc[:0], columns=wanted)
    assert found[list(wanted)].dtypes.astype(str).tolist() == ["Int64", "string", "float64", "category"]
    assert {"recording_status", "recording_error", "apply_error"} <= set(found.columns)
    table = run(lambda r: None, frame.iloc[:0], result="table", columns={"start_s": float})
    assert table.columns.tolist() == ["session_id", "start_s"]
    assert str(table["start_s"].dtype) == "float64"


def test_a_value_of_another_dtype_is_its_rows_error(run) -> None:
    """The others keep theirs."""
    found = run(lambda r: "many" if r.duration_s == 1 else 3, columns={"words": "Int64"})
    assert found["words"].tolist()[2] == 3
    assert "'many' can't be of dtype Int64" in found["apply_error"].dropna().unique().tolist()[0]
    assert found["apply_error"].notna().tolist() == [True, False, False, True, False, False]
    good = pd.DataFrame({"session_id": ["s1", "s2"]})
    with pytest.raises(errors.WorkFailed, match=r"'s2'.*can't be of dtype Int64"):
        run(lambda r: "many" if r.duration_s == 1 else 3, good, columns={"words": "Int64"}, errors="raise")


def test_a_frame_a_call_becomes_one_long_table(run) -> None:
    """The session column comes first under the caller's name; what failed is told."""

    def seconds(recording: kn.Recording) -> pd.DataFrame | None:
        if recording.duration_s < 1:
            return None
        return pd.DataFrame({"second": range(int(recording.duration_s)), "loud": True})

    with pytest.warns(UserWarning, match="2 of 5 sessions are not in the table"):
        table = run(seconds, result="table")
    assert table.columns.tolist() == ["session_id", "second", "loud"]
    assert table["session_id"].tolist() == ["s2", "s3"]
    assert set(table.attrs["apply_errors"]) == {"gone", "broken"}
    with pytest.warns(UserWarning, match="not in the table"):
        failed = run(lambda r: 5, result="table")
    assert "return a DataFrame" in failed.attrs["apply_errors"]["s1"]


def test_objects_stand_in_one_column_as_they_are(run) -> None:
    """Arrays stay arrays, dicts stay dicts."""
    found = run(lambda r: r.samples.mean(axis=0), result="object", columns="embedding")
    assert found["embedding"].dtype == object
    assert found["embedding"][0].shape == (2,)
    assert found["embedding"][1] is None


def test_an_exception_is_its_rows_error_with_type_and_line(run) -> None:
    """And never the run's end; secrets in its text are taken out."""

    def fails(recording: kn.Recording) -> int:
        if recording.duration_s > 1:
            raise KeyError("https://b.s3.amazonaws.com/x?X-Amz-Signature=abcdef")
        return 1 // round(recording.duration_s - 1)

    line = fails.__code__.co_firstlineno
    found = run(fails)
    told = found.set_index("session_id")["apply_error"].groupby(level=0).first()
    assert told["s2"] == f"ZeroDivisionError: integer division or modulo by zero (line {line + 3} of fails)"
    assert told["s3"].startswith("KeyError: 'https://b.s3.amazonaws.com/x?[redacted]'")
    assert f"(line {line + 2} of fails)" in told["s3"]
    assert found["recording_status"].tolist().count("downloaded") == 4


def test_raise_gives_the_first_exception_with_its_cause(run) -> None:
    """Named for its session; the original is there for a debugger."""

    def fails(recording: kn.Recording) -> None:
        raise LookupError(recording.session_id)

    with pytest.raises(errors.WorkFailed, match=r"session 's[123]': fails failed: LookupError") as caught:
        run(fails, df=pd.DataFrame({"session_id": ["s1", "s2", "s3"]}), errors="raise")
    assert isinstance(caught.value.__cause__, LookupError)


def test_a_function_that_exits_is_its_rows_error(run) -> None:
    """Code that was a script once calls `sys.exit`, which must not end the kernel."""

    def leaves(_recording: kn.Recording) -> None:
        raise SystemExit(3)

    for options in ({}, {"fn_timeout_s": 30}):
        found = run(leaves, **options)
        assert found["apply_error"].str.match(r"SystemExit: 3 \(line \d+ of leaves\)").sum() == 4
    with pytest.raises(errors.WorkFailed, match="SystemExit: 3"):
        run(leaves, df=pd.DataFrame({"session_id": ["s1"]}), errors="raise")


def test_a_call_that_hangs_is_left_behind_and_told(run) -> None:
    """Its row is marked, the others are done, and a warning says what a thread can't do."""
    release = threading.Event()

    def hangs(recording: kn.Recording) -> float:
        if recording.session_id == "s1":
            release.wait(60)
        return recording.duration_s

    try:
        with pytest.warns(UserWarning, match="1 calls of hangs took more .* can't be killed"):
            found = run(hangs, fn_timeout_s=0.3)
    finally:
        release.set()
    assert found["hangs"].count() == 3
    assert found["apply_error"].dropna().tolist() == [
        "TimeoutError: hangs was not done after fn_timeout_s=0.3 s; it was left behind"
    ]


def test_printing_is_nobodys_error(run, capsys) -> None:
    """What a function prints is seen."""
    run(lambda r: print("hello from", r.session_id))  # noqa: T201 - that is the point
    assert "hello from s1" in capsys.readouterr().out


def test_it_works_on_the_audio_column_without_the_service(hub, run, frame) -> None:
    """Whatever is there already is not asked for again."""
    calls = kn.audio(frame, settings=hub.settings, progress=False)
    hub.requests.clear()
    found = run(lambda r: r.frames, calls, columns="frames")
    assert hub.requests.count() == 0
    assert found["frames"].count() == 4
    assert found["audio"].count() == 4


def test_with_a_store_the_second_analysis_needs_no_service(hub, run, tmp_path) -> None:
    """The first one fills it."""
    run(lambda r: r.frames, store=tmp_path / "calls")
    hub.requests.clear()
    found = run(lambda r: r.duration_s, columns="length_s", store=tmp_path / "calls")
    assert hub.requests.count() == 0
    assert found["length_s"].count() == 4


def test_running_again_overwrites_only_what_is_ours(run, frame) -> None:
    """A column of the caller's is refused with the first value, not after hours."""
    first = run(lambda r: {"score": 1})
    second = run(lambda r: {"score": 2}, first)
    assert second["score"].dropna().unique().tolist() == [2]
    assert list(second) == list(first)
    with pytest.raises(errors.FrameError, match=r"'note'.*prefix="):
        run(lambda r: {"note": 1})
    with pytest.raises(errors.FrameError, match="'session_id'"):
        run(lambda r: {"session_id": 1})
    with pytest.raises(errors.FrameError, match="'audio'"):
        run(lambda r: {"audio": 1})
    with pytest.raises(errors.FrameError, match="'session_id'"):
        run(lambda r: pd.DataFrame({"session_id": [1]}), result="table")
    assert run(lambda r: {"note": 1}, prefix="k_")["k_note"].count() == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"result": "rows"}, "result="),
        ({"errors": "ignore"}, "errors="),
        ({"columns": {"a": "nonsense"}}, "pandas does not know"),
        ({"columns": []}, "pass names"),
        ({"columns": ["a", "b"], "result": "object"}, "one column"),
        ({"fn_timeout_s": 0}, "fn_timeout_s"),
        ({"in_flight": 0}, "in_flight"),
    ],
)
def test_options_that_cant_work_are_one_error(hub, run, options, message) -> None:
    """Before any request."""
    hub.requests.clear()
    with pytest.raises(errors.ConfigurationError, match=message):
        run(lambda r: 1, **options)
    with pytest.raises(errors.ConfigurationError, match="fn is a str"):
        run("mean")
    assert hub.requests.count() == 0


def test_memory_is_bounded_by_what_is_in_flight(hub) -> None:
    """No more recordings are alive than sessions under way, however many rows there are."""
    data = wav(0.5)
    for number in range(40):
        hub.add(f"m{number}", data)
    alive: weakref.WeakSet[kn.Recording] = weakref.WeakSet()
    most: list[int] = []

    def look(recording: kn.Recording) -> None:
        alive.add(recording)
        most.append(len(alive))

    frame = pd.DataFrame({"session_id": [f"m{number}" for number in range(40)]})
    apply(frame, look, settings=hub.settings, progress=False, in_flight=3)
    assert len(most) == 40
    # Three under way, three handed over, and one that the main thread has in hand.
    assert max(most) <= 7


def test_an_interrupt_keeps_what_is_finished(hub, run) -> None:
    """The frame that the exception carries has the values, and the rest is skipped."""
    frame = pd.DataFrame({"session_id": ["s1", "s2", "s3"]})
    release = threading.Event()

    def stops(recording: kn.Recording) -> str:
        if recording.session_id == "s3":
            while len(done) < 2:
                time.sleep(0.01)
            time.sleep(0.1)
            _thread.interrupt_main()
            release.wait(20)
        done.append(recording.session_id)
        return "done"

    done: list[str | None] = []
    # One processor would let the one that waits keep the others from theirs.
    if os.cpu_count() == 1:
        pytest.skip("needs two processors")
    try:
        with pytest.raises(errors.Interrupted) as caught:
            run(stops, frame)
    finally:
        release.set()
    kept = caught.value.frame
    assert kept is not None
    assert kept["stops"].fillna("").tolist() == ["done", "done", ""]
    assert kept["recording_status"].tolist()[2] == "skipped"


def test_numbers_of_every_kind_make_columns(run) -> None:
    """Lengths of time are no counts, counts beyond 64 bits are kept, and numpy's integers may be missing."""
    good = pd.DataFrame({"session_id": ["s1", "s2"]})
    found = run(lambda r: {"took": np.timedelta64(3, "s"), "big": 2**70}, df=good)
    assert found["took"].tolist() == [pd.Timedelta("3s")] * 2
    assert found["big"].tolist() == [2**70] * 2
    assert found["apply_error"].isna().all()
    few = run(lambda r: 5 if r.session_id == "s1" else None, df=good, columns={"few": np.uint16})
    assert few["few"].dtype == "UInt16"
    assert few["few"].isna().tolist() == [False, True]


def test_tables_keep_their_columns_and_tell_what_does_not_fit(run) -> None:
    """Frames without rows have columns; wrong values are told; columns that can't be named are their rows' errors."""
    good = pd.DataFrame({"session_id": ["s1", "s2"]})
    nothing = run(lambda r: pd.DataFrame({"word": pd.Series(dtype="string")}), df=good, result="table")
    assert nothing.dtypes.astype(str).to_dict() == {"session_id": "string", "word": "string"}

    def spoken(recording: kn.Recording) -> pd.DataFrame:
        return pd.DataFrame({"count": [1, "many" if recording.session_id == "s2" else 2]})

    with pytest.warns(UserWarning, match="values of 1 sessions are not of the dtypes"):
        found = run(spoken, df=good, result="table", columns={"count": int})
    assert found["count"].fillna(0).tolist() == [1, 2, 1, 0]
    assert found.attrs["apply_errors"] == {"s2": "count: 'many' can't be of dtype Int64"}
    with pytest.raises(errors.WorkFailed, match="'many' can't be of dtype"):
        run(spoken, df=good, result="table", columns={"count": int}, errors="raise")
    for names in (["a", "a"], pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])):
        with pytest.warns(UserWarning, match="give each column one name"):
            assert run(lambda r, names=names: pd.DataFrame([[1, 2]], columns=names), df=good, result="table").empty


def test_a_column_of_the_callers_is_safe_beside_metrics(run) -> None:
    """What the frame does not note as ours is the caller's, whatever stands beside it."""
    mine = pd.DataFrame(
        {"session_id": ["s1"], "score": [1], "recording_status": ["downloaded"], "speech_method": ["x"]}
    )
    with pytest.raises(errors.FrameError, match="'score'"):
        run(lambda r: {"score": 5}, df=mine)


@pytest.mark.parametrize("options", [{"columns": 5}, {"fn_timeout_s": "5"}, {"fn_timeout_s": float("nan")}])
def test_options_of_another_kind_are_one_error(run, options) -> None:
    """That names the option."""
    with pytest.raises(errors.ConfigurationError, match=next(iter(options))):
        run(lambda r: 1, **options)


def test_rows_without_an_id_have_nothing_in_common() -> None:
    """Each is measured by itself, and gets its own value."""
    sound = [kn.Recording.from_samples(np.zeros(frames), 8_000) for frames in (800, 1_600)]
    frame = pd.DataFrame({"session_id": [None, None, None], "audio": [*sound, None]})
    found = kn.apply(frame, lambda recording: recording.frames, columns={"n": "Int64"}, progress=False)
    assert found["n"].tolist() == [800, 1_600, pd.NA]
    assert found["recording_status"].tolist()[2] == "invalid"
