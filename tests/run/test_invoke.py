"""A user's function on one recording: its value, its error in words, its time limit."""

from __future__ import annotations

import functools
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from frames import tones

from kataven_notebook.run.invoke import invoke, name_of
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core

SOUND = tones((440, 0.0, 1.0))


def test_what_is_returned_is_the_value() -> None:
    """And there is no error beside it."""
    result = invoke(lambda recording: recording.channels, SOUND)
    assert (result.value, result.error, result.exception) == (1, None, None)


def test_an_error_names_its_line_in_the_users_code_and_no_secret() -> None:
    """Below that line are libraries, above it is this package."""

    def reads(_recording: Recording) -> None:
        raise OSError("no answer from https://b.example/x?X-Amz-Signature=abc")

    result = invoke(reads, SOUND)
    line = reads.__code__.co_firstlineno + 1
    assert result.error is not None
    assert result.error.startswith("OSError: no answer from https://b.example/x")
    assert result.error.endswith(f"(line {line} of reads)")
    assert "abc" not in result.error
    assert isinstance(result.exception, OSError)


def test_a_function_that_exits_ends_its_row_and_not_the_process() -> None:
    """A script that was made a function still calls `sys.exit`."""
    result = invoke(lambda _: sys.exit(3), SOUND)
    assert result.error is not None
    assert result.error.startswith("SystemExit: 3")


@pytest.mark.parametrize("timeout_s", [None, 30.0])
def test_what_is_meant_for_the_process_comes_out(timeout_s: float | None) -> None:
    """With a time limit too, where the function runs in a thread of its own."""

    def interrupts(_recording: Recording) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        invoke(interrupts, SOUND, timeout_s=timeout_s)


def test_a_function_past_its_time_limit_is_left_running() -> None:
    """The result says so, and names the option."""
    release = threading.Event()
    result = invoke(lambda _: release.wait(30), SOUND, timeout_s=0.05)
    release.set()
    assert result.timed_out
    assert result.error is not None
    assert "was not done after fn_timeout_s=0.05 s" in result.error


def test_a_stop_ends_the_wait_for_a_function() -> None:
    """Long before its time limit."""
    release, stop = threading.Event(), threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        invoke(lambda _: release.wait(30), SOUND, timeout_s=30.0, stop=stop)
    release.set()


def test_a_function_is_named_also_where_it_is_wrapped() -> None:
    """A partial has the name of what it calls, an object that of its class."""

    class Counter:
        def __call__(self, _recording: Recording) -> int:
            return 1

    assert name_of(functools.partial(functools.partial(len))) == "len"
    assert name_of(Counter()) == "Counter"


def test_an_exception_that_can_not_be_written_is_named_by_its_class() -> None:
    """Its text is the caller's code, which may fail too."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    def fails(_recording: Recording) -> None:
        raise MuteError

    result = invoke(fails, SOUND)
    assert result.error is not None
    assert result.error.startswith("MuteError (line ")
