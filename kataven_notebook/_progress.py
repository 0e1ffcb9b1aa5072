"""The progress bar: counts by status, what it waits for and until when, and when it will end."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from kataven_notebook.budget import clock_text

if TYPE_CHECKING:
    from kataven_notebook.budget import Budget, Forecast

log = logging.getLogger("kataven_notebook")
# Runs that end sooner need no forecast, in seconds.
_WORTH_SAYING_S = 60.0
# How often a run that nobody watches writes a line into the log.
_LOG_EVERY_S = 10.0


def is_watched() -> bool:
    """Whether somebody can see a progress bar: a notebook, or a terminal."""
    return in_notebook() or bool(getattr(sys.stderr, "isatty", lambda: False)())


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


class Progress:
    """A bar over `total` sessions, or nothing where nobody would see it.

    Parameters
    ----------
    total
        How many sessions the run has.
    label
        What is being done, in a word or two.
    show
        True or False; None shows it where somebody can see it.
    """

    def __init__(self, total: int, label: str, *, show: bool | None = None) -> None:
        self._counts: Counter[str] = Counter()
        self._bar: Any = None
        self._total, self._label = total, label
        self._shown_at = self._logged_at = time.monotonic()
        if (is_watched() if show is None else show) and total:
            from tqdm.auto import tqdm  # noqa: PLC0415 - imports widgets, and only where it is seen

            self._bar = tqdm(
                total=total,
                desc=label,
                unit="call",
                dynamic_ncols=True,
                bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}]{postfix}",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._show("")
            self._bar.close()
        elif self._total:
            self._log("")

    def announce(self, forecast: Forecast, *, now: float | None = None) -> None:
        """Say beforehand what a run will cost that takes more than a minute."""
        text = forecast_text(forecast, now=time.time() if now is None else now)
        if text is None:
            return
        log.info("%s", text)
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)

    def count(self, status: str) -> None:
        """Note one finished session."""
        self._counts[status] += 1
        if self._bar is not None:
            self._bar.update(1)

    def wait(self, budget: Budget | None, left: int) -> None:
        """Show the counts and what the run waits for; called a few times a second."""
        now = time.monotonic()
        if self._bar is None and now - self._logged_at >= _LOG_EVERY_S:
            self._logged_at = now
            self._log(waiting_text(budget, left))
        if self._bar is None or now - self._shown_at < 0.4:
            return
        self._shown_at = now
        self._show(waiting_text(budget, left))

    def _show(self, waiting: str) -> None:
        self._bar.set_postfix_str(" · ".join(part for part in (self._told(), waiting) if part))

    def _log(self, waiting: str) -> None:
        done = f"{self._label}: {sum(self._counts.values()):,} of {self._total:,}"
        log.info("%s", " · ".join(part for part in (done, self._told(), waiting) if part))

    def _told(self) -> str:
        return ", ".join(f"{count} {status}" for status, count in sorted(self._counts.items()))


def forecast_text(forecast: Forecast, *, now: float) -> str | None:
    """Say what a run will cost, or None where it is done within a minute.

    Examples
    --------
    >>> from kataven_notebook.budget import Forecast
    >>> forecast_text(Forecast(90, 60, 1_000.0, 60.0, 60), now=0.0).rpartition(", ")[0]
    '90 recordings: 60 now, then 60 a minute'
    """
    if forecast.done_at - now <= _WORTH_SAYING_S:
        return None
    names = {60.0: "a minute", 3_600.0: "an hour", 86_400.0: "a day"}
    every_s = forecast.then_every_s or 0.0
    unit = names.get(every_s, f"every {every_s:g} s")
    each = f", then {forecast.then_count:,} {unit}" if forecast.then_count else ""
    done = clock_text(forecast.done_at, now=now)
    return f"{forecast.requests:,} recordings: {forecast.now:,} now{each}, done about {done}"


def waiting_text(budget: Budget | None, left: int) -> str:
    """Say what the budget's queue waits for, until when, and when `left` requests will be done."""
    wait = budget.waiting if budget is not None else None
    if budget is None or wait is None or wait.until is None:
        return ""
    end = budget.forecast(left).done_at
    return f"{wait.reason}, next at {clock_text(wait.until)}, done about {clock_text(end)}"
