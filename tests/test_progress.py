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
from kataven_notebook._progress import Progress, forecast_text, is_watched, waiting_text
from kataven_notebook.budget import Budget, Forecast, clock_text

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


def test_the_forecast_goes_to_the_log_too(caplog) -> None:
    """Who runs without a bar finds it there."""
    with caplog.at_level(logging.INFO, "kataven_notebook"), Progress(1, "x", show=False) as bar:
        bar.announce(Forecast(90, 60, 1_000.0, 60.0, 60), now=0.0)
    assert "90 recordings: 60 now, then 60 a minute" in caplog.text


def test_a_notebook_is_told_by_its_kernel(monkeypatch) -> None:
    """IPython in a terminal is none."""
    for kernel, expected in ((object(), True), (None, False)):
        shell = SimpleNamespace(kernel=kernel)
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda shell=shell: shell))
        assert is_watched() is expected
