"""Runs a user's function on one recording, with a time limit; what it raises becomes a sentence."""

from __future__ import annotations

import functools
import inspect
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kataven_notebook.redact import one_line
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.errors import SessionError
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.entry import Entry

_MESSAGE_CHARS = 300
_POLL_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of the work on one recording; small, and sure to be picklable where it crosses processes.

    Parameters
    ----------
    value
        What the function returned; packed as bytes on its way from another process.
    error
        Why there is no value, in one sentence.
    exception
        What the function raised; packed as bytes on its way from another process.
    timed_out
        Whether the function was still running at its timeout, and still is.
    failure
        Why a worker had no sound to work on; the function was not called.
    entry
        What a worker kept in the object storage.
    """

    value: Any = field(default=None, repr=False)
    error: str | None = None
    exception: Any = field(default=None, repr=False)
    timed_out: bool = False
    failure: SessionError | None = None
    entry: Entry | None = None


def invoke(
    fn: Callable[[Recording], Any],
    recording: Recording,
    *,
    timeout_s: float | None = None,
    stop: threading.Event | None = None,
) -> Result:
    """Run `fn(recording)` and return what became of it.

    Parameters
    ----------
    fn, recording
        The function and its argument.
    timeout_s
        After how many seconds to return without a value. A thread can't be killed: the function runs on.
    stop
        Ends the wait.

    Raises
    ------
    Stopped
        `stop` was set while it ran.
    BaseException
        What is meant for the whole process, such as `KeyboardInterrupt`.
    """
    if timeout_s is None:
        return _result(fn, recording)
    results: list[Result | BaseException] = []

    def run() -> None:
        try:
            results.append(_result(fn, recording))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            results.append(error)

    thread = threading.Thread(target=run, name="kataven-work", daemon=True)
    thread.start()
    ends_at = time.monotonic() + timeout_s
    while thread.is_alive() and time.monotonic() < ends_at:
        thread.join(max(0.0, min(_POLL_S, ends_at - time.monotonic())))
        if stop is not None and stop.is_set():
            raise Stopped
    if not results:
        text = f"TimeoutError: {name_of(fn)} was not done after fn_timeout_s={timeout_s:g} s; it was left behind"
        return Result(error=text, exception=TimeoutError(text), timed_out=True)
    if isinstance(results[0], BaseException):
        raise results[0]
    return results[0]


def _result(fn: Callable[[Recording], Any], recording: Recording) -> Result:
    try:
        return Result(value=fn(recording))
    except Stopped:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a user's function raises is that row's outcome
        # Code that was a script once leaves by `sys.exit`: that would end the kernel, or a cluster's worker.
        return Result(error=failure_text(error, fn), exception=error)


def failure_text(error: BaseException, fn: Callable[..., Any]) -> str:
    """Say in one line what was raised, and in which line of the user's code.

    Examples
    --------
    >>> def halve(recording):
    ...     return recording / 2
    >>> _result(halve, "sound").error
    "TypeError: unsupported operand type(s) for /: 'str' and 'int' (line 2 of halve)"
    """
    try:
        message = one_line(str(error), most_chars=_MESSAGE_CHARS)
    except Exception:  # noqa: BLE001 - how an exception is written is the caller's code, too
        message = ""
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
    # Objects that call a user's function name it: its lines say more to the user than ours.
    fn = inspect.unwrap(getattr(fn, "user_function", fn))
    fn = fn if inspect.isroutine(fn) else getattr(type(fn), "__call__", None)  # noqa: B004 - its code is wanted
    return getattr(fn, "__code__", None)
