"""What a run says: beforehand, while it waits, and at the end."""

from __future__ import annotations

import io
import logging
import sys
import time
from types import SimpleNamespace

import pytest

import kataven_notebook as kn
from kataven_notebook import Limits, Settings
from kataven_notebook.clock import clock_text
from kataven_notebook.notices import is_watched
from kataven_notebook.run.plan import Plan, Task
from kataven_notebook.run.progress import Progress, forecast_text, waiting_text
from kataven_notebook.run.run import Run
from kataven_notebook.service.answers import SignedUrl
from kataven_notebook.service.budget import Budget, Forecast

pytestmark = pytest.mark.core


def test_what_takes_more_than_a_minute_is_said_beforehand(tmp_path) -> None:
    """5,000 rows: how many now, how many each hour, and when it will be done."""
    now = time.time()
    budget = Budget(Settings(api_key="sk_live_a_1", state_dir=tmp_path), clock=lambda: now)
    text = forecast_text(budget.forecast(5_000), now=now)
    budget.close()
    done = clock_text(now + 4 * 3_600 + 16 * 60, now=now)
    assert text == f"5,000 recordings: 1,000 now, then 1,000 an hour, done about {done}"


def test_what_is_done_within_a_minute_is_not_worth_a_word() -> None:
    """No forecast for small frames."""
    assert forecast_text(Forecast(60, 60, 10.0, None, None), now=0.0) is None


def test_the_bar_says_what_it_waits_for_and_until_when(tmp_path) -> None:
    """The window that is used up, when the next request goes, and when all will be done."""
    budget = Budget(Settings(api_key="sk_live_a_1", state_dir=tmp_path, limits=Limits(per_minute=1)))
    with budget.request() as request:
        request.answered()
    assert waiting_text(budget, 3) == ""
    wait = budget._table.reserve(time.time())
    budget._waiting = wait
    text = waiting_text(budget, 3)
    end = budget.forecast(3).done_at
    budget.close()
    assert text == f"1/1 a minute used, next at {clock_text(wait.until)}, done about {clock_text(end)}"


def test_the_end_is_the_later_of_what_the_limits_and_the_line_allow(tmp_path, monkeypatch) -> None:
    """Where downloads are what takes long, the estimate is theirs, also while nothing waits for the budget."""
    monkeypatch.setattr(time, "time", lambda: 1_000.0)
    settings = Settings(api_key="sk_live_a_1", state_dir=tmp_path, limits=Limits(per_minute=10, per_hour=None))
    budget = Budget(settings, clock=lambda: 1_000.0)
    assert waiting_text(budget, 10, work_s=500.0) == f"done about {clock_text(1_500.0, now=1_000.0)}"
    assert waiting_text(budget, 100, work_s=500.0) == f"done about {clock_text(1_540.0, now=1_000.0)}"
    assert waiting_text(None, 0, work_s=5.0) == f"done about {clock_text(1_005.0, now=1_000.0)}"
    budget.close()


def test_the_pace_leaves_the_waiting_for_the_limits_aside(monkeypatch) -> None:
    """Ten rows in ten seconds and an hour's wait are a second a row."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    budget = SimpleNamespace(waiting=None)
    with Progress(20, "x", show=False) as bar:
        for _ in range(10):
            clock.now += 1.0
            bar.count("downloaded")
            bar._tick(budget)
        budget.waiting = SimpleNamespace(until=5_000.0)
        clock.now += 3_600.0
        bar._tick(budget)
        assert bar._work_left_s(10) == 10.0
        assert bar._work_left_s(0) is None


def test_what_was_signed_or_is_here_already_needs_no_request(hub, wav) -> None:
    """A forecast counts the sessions that are still to be asked for, and no others."""
    here, signed = kn.Recording.from_bytes(wav), SignedUrl(hub.sign("s0"), time.time() + 300)
    tasks = [Task("a", here), Task("s0", None, signed), Task("s1"), Task("s2"), Task("nobody")]
    with Run(Plan(settings=hub.settings), tasks) as run:
        assert run.unsigned == 3
        assert sorted((outcome.status.value, run.unsigned >= 0) for _, outcome in run.outcomes()) == [
            *[("downloaded", True)] * 4,
            ("missing", True),
        ]
        assert run.unsigned == 0


def test_sessions_that_are_asked_for_again_are_shown(hub) -> None:
    """How many are not uploaded yet, and until when they are asked for."""
    hub.add("late", state="pending")
    told: list[dict[str, int]] = []
    with Run(Plan(settings=hub.settings, poll_pending_s=1.0), [Task("late")]) as run:
        assert [outcome.status for _, outcome in run.outcomes(lambda: told.append(run.put_off))] == ["pending"]
    (text,) = {key for each in told for key in each}
    assert text.startswith("not uploaded yet, asked for until ")
    assert waiting_text(None, 0, put_off={text: 2}) == f"2 {text}"


def test_a_bar_counts_by_status_and_ends_without_a_wait(monkeypatch) -> None:
    """The last thing it shows is what became of the rows."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    with Progress(3, "Downloading", show=True) as bar:
        for status in ("downloaded", "missing", "downloaded"):
            bar.count(status)
            bar.wait(None, 1)
    shown = out.getvalue().replace("\r", "\n").strip().splitlines()
    assert "3/3" in shown[-1]
    assert "2 downloaded, 1 missing" in shown[-1]


def test_nothing_is_shown_where_nobody_looks(hub, capsys) -> None:
    """A script whose output is a file stays silent."""
    assert not is_watched()
    kn.audio(hub.sessions, settings=hub.settings)
    assert capsys.readouterr() == ("", "")


def test_a_loop_over_recordings_shows_its_progress_too(hub, capsys) -> None:
    """What it will cost beforehand, and a bar that goes on as recordings come."""
    limits = Limits(per_minute=None, per_hour=8, per_day=None)
    settings = Settings(api_key=hub.api_key, base_url=hub.base_url, limits=limits)
    found = kn.iter_recordings(hub.sessions, settings=settings, max_wait=0, progress=True)
    assert len(dict(found)) == 8
    shown = capsys.readouterr().err
    assert "10 recordings: 8 now, then 8 an hour; max_wait ends the waiting at " in shown
    assert "10/10" in shown
    assert "8 downloaded, 2 limited" in shown


def test_a_long_run_says_what_it_will_cost_where_nobody_looks(capsys) -> None:
    """One line for whoever reads a job's output; none where no progress was wanted."""
    for show, expected in ((None, "90 recordings: 60 now, then 60 a minute"), (False, "")):
        with Progress(1, "x", show=show) as bar:
            bar.announce(Forecast(90, 60, 1_000.0, 60.0, 60), now=0.0)
        out, err = capsys.readouterr()
        assert (out, err.partition(", done")[0]) == ("", expected)


def test_a_forecast_knows_how_long_the_run_may_wait() -> None:
    """What lies beyond `max_wait` will not be done."""
    forecast = Forecast(90, 60, 1_000.0, 60.0, 60)
    text = forecast_text(forecast, now=0.0, max_wait_s=100.0)
    assert text == (
        "90 recordings: 60 now, then 60 a minute; "
        f"max_wait ends the waiting at {clock_text(100.0, now=0.0)}, the rest is limited"
    )
    assert forecast_text(forecast, now=0.0, max_wait_s=2_000.0) == forecast_text(forecast, now=0.0)


def test_the_forecast_goes_to_the_log_too(caplog) -> None:
    """Who runs without a bar finds it there."""
    with caplog.at_level(logging.INFO, "kataven_notebook"), Progress(1, "x", show=False) as bar:
        bar.announce(Forecast(90, 60, 1_000.0, 60.0, 60), now=0.0)
    assert "90 recordings: 60 now, then 60 a minute" in caplog.text


def test_a_notebook_is_known_by_its_kernel(monkeypatch) -> None:
    """IPython in a terminal is none."""
    for kernel, expected in ((object(), True), (None, False)):
        shell = SimpleNamespace(kernel=kernel)
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert is_watched() is expected


def test_a_network_that_flaps_is_spoken_of_once_a_minute(capsys, monkeypatch) -> None:
    """A weekend of that does not fill a script's log; an outage that stays is said, be it late."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    with Progress(20, "Downloading", show=None) as bar:
        for number in range(50):
            clock.now += 1.0
            bar.wait(None, 10, outage=f"no connection, {number}" if number % 2 else None)
        assert capsys.readouterr().err.count("the run waits") == 1
        for _ in range(30):
            clock.now += 1.0
            bar.wait(None, 10, outage="no connection, at last")
    assert capsys.readouterr().err.count("no connection, at last; the run waits") == 1


def test_an_outage_is_said_once_and_shown_until_it_is_over(capsys, monkeypatch) -> None:
    """The bar has it in the place of a time for the end, which nobody knows; a script reads one line."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    away = "no connection to api.example.org since 12:00:00, next try at 12:01:00"
    with Progress(20, "Downloading", show=None) as bar:
        for outage in (away, away, None, away):
            clock.now += 60.0
            bar.wait(None, 10, outage=outage)
    assert capsys.readouterr().err.count(f"Downloading: {away}; the run waits and goes on by itself\n") == 2
    with Progress(20, "Downloading", show=True) as bar:
        clock.now += 60.0
        bar.wait(None, 10, outage=away)
        assert away in capsys.readouterr().err
