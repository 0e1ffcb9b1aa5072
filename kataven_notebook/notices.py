"""What callers are told: warnings that point at their line, counts in words, and whether they see a progress bar."""

from __future__ import annotations

import inspect
import sys
import warnings
from typing import TYPE_CHECKING

from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from types import FrameType

# A context manager of the package is left through contextlib, and a column is read by pandas and pyarrow: these are not
# who called.
_PASSED_THROUGH = {__name__.partition(".")[0], "contextlib", "pandas", "pyarrow"}


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line outside the package that called into it, however deep in the package this is called.

    A thread of the package has no caller outside it: there the warning points at the thread's function.

    Parameters
    ----------
    message
        What is wrong and what to do, in one sentence.
    category
        The class of the warning.
    """
    frame = _caller()
    warnings.warn_explicit(
        encodable(message),  # a notebook's page holds no half characters
        category,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=_module_of(frame),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def is_watched() -> bool:
    """Return whether the user sees a progress bar: in a notebook, or in a terminal."""
    return in_notebook() or bool(getattr(sys.stderr, "isatty", lambda: False)())


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def _caller() -> FrameType:
    """Return the innermost frame of the stack that is not the package's."""
    frame = inspect.currentframe()
    assert frame is not None  # noqa: S101 - CPython, which the dependencies need, has frames
    while frame.f_back is not None and _module_of(frame).partition(".")[0] in _PASSED_THROUGH:
        if _module_of(frame.f_back) == "threading":
            break
        frame = frame.f_back
    return frame


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def counted(count: int, thing: str) -> str:
    """Return a count of things.

    Examples
    --------
    >>> counted(1, "call"), counted(1_200, "call")
    ('1 call', '1,200 calls')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
