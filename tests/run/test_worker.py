"""What a worker gets and gives back: no key, no URL in what is printed, errors in the result."""

from __future__ import annotations

import pickle
import time
from typing import TYPE_CHECKING

import cloudpickle
import pytest
from frames import tones

from kataven_notebook.run.worker import Fetching, Job, run_job
from kataven_notebook.service.answers import SignedUrl

if TYPE_CHECKING:
    from kataven_notebook.run.invoke import Result

pytestmark = pytest.mark.core

FETCHING = Fetching(request_timeout_s=10, total_timeout_s=900, max_bytes=1_000_000, verify_full=False)
SOUND = tones((440, 0.0, 1.0))


def travelled(job: Job) -> Result:
    """Run a job as it comes out of a pickle, as in a worker process."""
    return run_job(pickle.loads(pickle.dumps(job)))  # noqa: S301 - made here


def test_neither_key_nor_url_can_be_read_from_a_job() -> None:
    """What schedulers print of a job is its session; what they pickle holds the URL and never the key."""
    signed = SignedUrl("https://b.s3.amazonaws.com/x?X-Amz-Signature=secret", time.time() + 300)
    job = Job(session_id="s1", function=b"packed", signed=signed, fetching=FETCHING)
    assert "secret" not in repr(job)
    assert "s1" in repr(job)
    assert b"sk_live" not in pickle.dumps(job)


def test_a_value_travels_as_bytes_and_stays_as_it_is_at_home() -> None:
    """At home is where the function itself is, and not what cloudpickle made of it."""
    at_home = run_job(
        Job(session_id="a", function=lambda r: {"channels": r.channels}, recording=SOUND, fetching=FETCHING)
    )
    assert at_home.value == {"channels": 1}
    packed = cloudpickle.dumps(lambda r: {"channels": r.channels})
    away = travelled(Job(session_id="a", function=packed, recording=SOUND, fetching=FETCHING))
    assert cloudpickle.loads(away.value) == {"channels": 1}


def test_a_function_that_can_not_be_loaded_names_what_to_install() -> None:
    """It is the row's error: the worker lives on."""
    result = travelled(Job(session_id="a", function=b"no pickle", recording=SOUND, fetching=FETCHING))
    assert result.error is not None
    assert result.error.startswith("the function can't be loaded in the worker: ")
    assert result.error.endswith("install what it needs")


def test_an_error_travels_with_its_traceback_as_a_note() -> None:
    """The traceback itself does not survive pickling."""

    def fails(_recording: object) -> None:
        raise LookupError("nothing there")

    result = travelled(Job(session_id="a", function=cloudpickle.dumps(fails), recording=SOUND, fetching=FETCHING))
    error = cloudpickle.loads(result.exception)
    assert isinstance(error, LookupError)
    assert "in fails" in error.__notes__[0]


def test_a_value_that_can_not_travel_is_its_rows_error() -> None:
    """A lock stays in its process."""
    packed = cloudpickle.dumps(lambda _: __import__("threading").Lock())
    result = travelled(Job(session_id="a", function=packed, recording=SOUND, fetching=FETCHING))
    assert result.value is None
    assert result.error is not None
    assert result.error.startswith("what the function returned can't be sent back: ")
