"""A plan with a user's function as its work: options refused, failures captured or raised, hanging calls warned of."""

from __future__ import annotations

import contextlib
import math
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from frames import tones

from kataven_notebook.errors import ConfigurationError, WorkFailed
from kataven_notebook.run import work
from kataven_notebook.run.plan import Plan
from kataven_notebook.run.work import working
from kataven_notebook.settings import Settings

if TYPE_CHECKING:
    from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core

PLAN = Plan(settings=Settings(api_key="sk_live_demo"))
SOUND = tones((440, 0.0, 1.0))
NEVER = threading.Event()


def fails(_recording: Recording) -> None:
    """Raise."""
    raise LookupError("nothing there")


def len_of(recording: Recording) -> int:
    """Return its length in frames."""
    return recording.frames


@pytest.mark.parametrize("fn_timeout_s", [0, -1.0, True, "10"])
def test_a_time_limit_that_is_none_is_refused(fn_timeout_s: object) -> None:
    """With the value, before anything runs."""
    with (
        pytest.raises(ConfigurationError, match="pass a positive number of seconds"),
        working(
            PLAN,
            fails,
            fn_timeout_s=fn_timeout_s,  # type: ignore[arg-type] # the mistake
        ),
    ):
        pass


@pytest.mark.parametrize("fn_timeout_s", [math.inf, 1e18, 10**400])
@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor])
def test_a_time_limit_beyond_all_clocks_is_none(executor, fn_timeout_s) -> None:
    """It ends nothing, whoever waits."""
    with working(PLAN, len_of, executor=executor, fn_timeout_s=fn_timeout_s) as plan:
        assert plan.work is not None
        assert plan.work("s1", SOUND, NEVER).value == SOUND.frames


def test_a_failure_is_the_results_error_or_raised() -> None:
    """As asked for; what is raised has the user's exception as its cause."""
    with working(PLAN, fails) as plan:
        assert plan.work is not None
        error = plan.work("s1", SOUND, NEVER).error
    assert error is not None
    assert error.startswith("LookupError: nothing there")
    with working(PLAN, fails, capture=False) as plan:
        assert plan.work is not None
        with pytest.raises(WorkFailed, match="fails failed: LookupError") as caught:
            plan.work("s1", SOUND, NEVER)
    assert isinstance(caught.value.__cause__, LookupError)


def test_each_value_is_checked_and_a_failure_is_not() -> None:
    """What the check raises ends the run."""
    checked = []
    with working(PLAN, lambda recording: recording.channels, check=checked.append) as plan:
        assert plan.work is not None
        assert plan.work("s1", SOUND, NEVER).value == 1
    with working(PLAN, fails, check=checked.append) as plan:
        assert plan.work is not None
        plan.work("s1", SOUND, NEVER)
    assert checked == [1]


def test_calls_that_still_run_are_warned_of_at_the_end() -> None:
    """With how many there are, and how to be rid of them."""
    release = threading.Event()
    with (
        warnings.catch_warnings(record=True) as caught,
        working(PLAN, lambda _: release.wait(30), fn_timeout_s=0.05) as plan,
    ):
        warnings.simplefilter("always")
        assert plan.work is not None
        assert plan.work("s1", SOUND, NEVER).timed_out
    release.set()
    text = str(caught[0].message)
    assert text.startswith("<lambda> took more than fn_timeout_s=0.05 s on 1 recording, and runs on")
    assert "ProcessPoolExecutor" in text


def test_no_more_calls_run_at_once_than_there_are_processors(monkeypatch) -> None:
    """Threads that download are more; the function takes turns."""
    monkeypatch.setattr(work, "processors", lambda: 2)
    third = threading.Barrier(3)
    met = []

    def meets(_recording: Recording) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            met.append(third.wait(0.5))

    with working(PLAN, meets) as plan, ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: plan.work("s1", SOUND, NEVER), range(8)))
    assert [each.error for each in results] == [None] * 8
    assert met == []
