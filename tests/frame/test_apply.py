"""Any function over every recording, and what functions do wrong."""

from __future__ import annotations

import _thread
import os
import threading
import time
import weakref

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import demo, errors
from kataven_notebook.frame.apply import apply

pytestmark = pytest.mark.core


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


def test_a_call_that_hangs_is_left_running_and_warned_of(run) -> None:
    """Its row is marked, the others are done, and a warning says what a thread can't do."""
    release = threading.Event()

    def hangs(recording: kn.Recording) -> float:
        if recording.session_id == "s1":
            release.wait(20)
        return recording.duration_s

    try:
        with pytest.warns(UserWarning, match="hangs took more than .* on 1 recording, .* can't be killed"):
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


def test_memory_is_bounded_by_what_is_in_flight(hub, wav) -> None:
    """No more recordings are alive than sessions under way, however many rows there are."""
    for number in range(40):
        hub.add(f"m{number}", wav)
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


@pytest.mark.parametrize("options", [{"columns": 5}, {"fn_timeout_s": "5"}, {"fn_timeout_s": float("nan")}])
def test_options_of_another_kind_are_one_error(run, options) -> None:
    """That names the option."""
    with pytest.raises(errors.ConfigurationError, match=next(iter(options))):
        run(lambda r: 1, **options)


@pytest.fixture
def hub(lengths: demo.Hub) -> demo.Hub:
    """The Hub behind `run`."""
    return lengths
