"""The exception tree: what a caller can catch, and what an error says."""

from __future__ import annotations

import pickle

import pytest

from kataven_notebook import errors
from kataven_notebook.status import Status, status_of

pytestmark = pytest.mark.core

ALL = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, BaseException)]


def test_all_but_the_interrupt_have_one_base() -> None:
    """One `except KatavenError` catches everything; an interrupt stays an interrupt."""
    strays = {each.__name__ for each in ALL if not issubclass(each, errors.KatavenError)}
    assert strays == {"Interrupted"}
    assert issubclass(errors.Interrupted, KeyboardInterrupt)


def test_the_tree_in_the_docstring_is_complete() -> None:
    """Whoever adds an error draws it."""
    assert [each.__name__ for each in ALL if each.__name__ not in (errors.__doc__ or "")] == []


def test_an_error_names_its_session_first() -> None:
    """Shown alone it says which session; in a row the message is enough."""
    error = errors.RecordingMissing("there is none", session_id="s1", status_code=404)
    assert (str(error), error.message) == ("session 's1': there is none", "there is none")
    assert str(errors.UrlExpired("dead")) == "dead"


@pytest.mark.parametrize("kind", [each for each in ALL if issubclass(each, errors.SessionError)])
def test_session_errors_survive_pickling(kind) -> None:
    """They come back whole from worker processes."""
    error = kind("what happened", session_id="s1")
    error.status_code = 418
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is kind
    assert (copy.message, copy.session_id, copy.status_code) == ("what happened", "s1", 418)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.ConfigurationError, ValueError),
        (errors.FrameError, ValueError),
        (errors.MissingExtra, ImportError),
        (errors.StoreError, OSError),
        (errors.RecordingMissing, LookupError),
        (errors.AccessRefused, PermissionError),
        (errors.RecordingCorrupt, ValueError),
    ],
)
def test_errors_are_the_built_in_that_a_caller_expects(kind, builtin) -> None:
    """Code that knows nothing of this package can still catch them."""
    assert issubclass(kind, builtin)


def test_every_session_error_has_a_status() -> None:
    """No error is without a place in the vocabulary."""
    kinds = [each for each in ALL if issubclass(each, errors.SessionError)]
    assert all(isinstance(status_of(kind("x")), Status) for kind in kinds)
