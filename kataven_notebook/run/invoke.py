"""Runs a user's function on one recording: what it raises becomes a sentence, what hangs is left behind."""

from __future__ import annotations

import functools
import inspect
import threading
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kataven_notebook.redact import redact
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.sound.recording import Recording

_MESSAGE_CHARS = 300
_SLICE_S = 0.2


@dataclass(frozen=True, slots=True)
class Called:
    """What became of one call.

    Parameters
    ----------
    value
        What the function returned.
    error
        Why there is no value, in one sentence.
    exception
        What it raised.
    timed_out
        Whether it was left behind, still running.
    """

    value: Any = None
    error: str | None = None
    exception: BaseException | None = None
    timed_out: bool = False


def call(
    fn: Callable[[Recording], Any],
    recording: Recording,
    *,
    timeout_s: float | None = None,
    stop: threading.Event | None = None,
) -> Called:
    """Run `fn(recording)`; only what is meant for the whole process, such as `KeyboardInterrupt`, comes out of it.

    Parameters
    ----------
    fn, recording
        What is called, on what.
    timeout_s
        After how many seconds the call is left behind; its thread can't be killed and runs on.
    stop
        Ends the wait.

    Raises
    ------
    Stopped
        `stop` was set while it ran.
    """
    if timeout_s is None:
        return _called(fn, recording)
    results: list[Called | BaseException] = []

    def run() -> None:
        try:
            results.append(_called(fn, recording))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            results.append(error)

    thread = threading.Thread(target=run, name="kataven-work", daemon=True)
    thread.start()
    ends_at = time.monotonic() + timeout_s
    while thread.is_alive() and time.monotonic() < ends_at:
        thread.join(max(0.0, min(_SLICE_S, ends_at - time.monotonic())))
        if stop is not None and stop.is_set():
            raise Stopped
    if not results:
        text = f"TimeoutError: {name_of(fn)} was not done after fn_timeout_s={timeout_s:g} s; it was left behind"
        return Called(error=text, exception=TimeoutError(text), timed_out=True)
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]


def _called(fn: Callable[[Recording], Any], recording: Recording) -> Called:
    try:
        return Called(fn(recording))
    except Stopped:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's function raises is that row's outcome
        # Code that was a script once leaves by `sys.exit`: that would end the kernel, or a cluster's worker.
        return Called(error=failure_text(error, fn), exception=error)


def failure_text(error: BaseException, fn: Callable[..., Any]) -> str:
    """Say in one line what was raised, and in which line of the user's code.

    Examples
    --------
    >>> def halve(recording):
    ...     return recording / 2
    >>> _called(halve, "sound").error
    "TypeError: unsupported operand type(s) for /: 'str' and 'int' (line 2 of halve)"
    """
    message = " ".join(redact(str(error)).split())[:_MESSAGE_CHARS]
    kind = type(error).__name__
    steps = list(traceback.walk_tb(error.__traceback__))
    code = _code_of(fn)
    # The deepest line in the file of the user's function: below it are libraries, above it is ours.
    own = [(frame, line) for frame, line in steps if code is not None and frame.f_code.co_filename == code.co_filename]
    where = ""
    if own:
        frame, line = own[-1]
        where = f" (line {line} of {frame.f_code.co_name})"
    return f"{kind}: {message}{where}" if message else f"{kind}{where}"


def name_of(fn: Callable[..., Any]) -> str:
    """Return what a function is called, also where it is wrapped or an object.

    Examples
    --------
    >>> name_of(functools.partial(len))
    'len'
    """
    while isinstance(fn, functools.partial):
        fn = fn.func
    return str(getattr(fn, "__name__", type(fn).__name__))


def _code_of(fn: Any) -> Any:
    while isinstance(fn, functools.partial):
        fn = fn.func
    fn = inspect.unwrap(fn)
    fn = fn if inspect.isroutine(fn) else getattr(type(fn), "__call__", None)  # noqa: B004 - its code is wanted
    return getattr(fn, "__code__", None)
