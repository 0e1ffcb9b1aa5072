"""A warning points at the line that a reader can change."""

from __future__ import annotations

import linecache
import warnings
from types import ModuleType

import pytest

import kataven_notebook as kn
from kataven_notebook.notices import warn_caller

pytestmark = pytest.mark.core

INSIDE = """
import threading
from contextlib import contextmanager
from kataven_notebook.notices import warn_caller

def outer():
    inner()

def inner():
    warn_caller("something is wrong")

@contextmanager
def leaving():
    yield
    inner()

def in_a_thread():
    thread = threading.Thread(target=outer)
    thread.start()
    thread.join()
"""


@pytest.fixture
def inside():
    """A module of the package that warns two functions deep."""
    module = ModuleType("kataven_notebook.made_up")
    exec(compile(INSIDE, "made_up.py", "exec"), module.__dict__)  # noqa: S102 - a module of this test's own
    return module


def cell(code: str, **names: object) -> warnings.WarningMessage:
    """Run code as a notebook does, with a made-up file name, and return the one warning that it makes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(code, "/tmp/ipykernel_1/2.py", "exec"), {"__name__": "__main__", **names})  # noqa: S102, S108
    (warning,) = caught
    return warning


def test_a_warning_points_at_the_line_of_the_cell(inside) -> None:
    """However deep in the package it is made, and whoever is called in between."""
    warning = cell("x = 1\ninside.outer()\n", inside=inside)
    assert (warning.filename, warning.lineno) == ("/tmp/ipykernel_1/2.py", 2)  # noqa: S108
    assert (str(warning.message), warning.category) == ("something is wrong", UserWarning)


def test_leaving_a_context_of_the_package_points_at_the_cell_too(inside) -> None:
    """The standard library's `contextlib` stands between the two."""
    warning = cell("def call():\n    with inside.leaving():\n        pass\n\ncall()\n", inside=inside)
    assert (warning.filename, warning.lineno) == ("/tmp/ipykernel_1/2.py", 2)  # noqa: S108


def test_a_function_of_the_user_that_the_package_calls_is_a_caller(inside) -> None:
    """The innermost line outside the package is the one that asked for what is warned of."""
    inside.call = eval("lambda fn: fn()", inside.__dict__)  # noqa: S307 - a function of the made-up module
    warning = cell("def own():\n    inside.outer()\n\n\ninside.call(own)\n", inside=inside)
    assert warning.lineno == 2


def test_a_thread_of_the_package_is_its_own_caller(inside) -> None:
    """Never a line of the standard library's `threading`."""
    with pytest.warns(UserWarning, match="something is wrong") as caught:
        inside.in_a_thread()
    assert caught[0].filename == "made_up.py"


def test_a_warning_is_shown_once_for_each_line() -> None:
    """As Python does by default: the line's own module remembers it."""
    shown = []
    own = {"__name__": "own", "warn_caller": warn_caller}
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = lambda *args, **_: shown.append(args[3])
        for _ in range(3):
            exec(compile("warn_caller('again', RuntimeWarning)\n", "own.py", "exec"), own)  # noqa: S102
    assert shown == [1]


def test_a_public_function_warns_at_the_call(hub, monkeypatch) -> None:
    """The way from `audio()` to the warning passes three modules and a context manager."""
    monkeypatch.setattr("kataven_notebook.run.supervise.psutil.virtual_memory", lambda: _Memory)
    with pytest.warns(UserWarning, match='store="calls/"') as caught:
        kn.audio(hub.sessions, settings=hub.settings, progress=False)
    assert caught[0].filename == __file__
    assert "kn.audio" in linecache.getline(__file__, caught[0].lineno)


class _Memory:
    available = 100_000


def test_a_warning_holds_no_half_characters() -> None:
    """The page of a notebook could not show it."""
    with pytest.warns(UserWarning, match=r"the session x\\udce9 is not there"):
        warn_caller("the session x\udce9 is not there")
