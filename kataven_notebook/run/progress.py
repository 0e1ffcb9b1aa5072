"""The progress bar: counts by status, what it waits for and until when, and when it will end."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from kataven_notebook.clock import clock_text
from kataven_notebook.notices import is_watched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kataven_notebook.service.budget import Budget, Forecast

log = logging.getLogger("kataven_notebook")
# Runs that end sooner need no forecast, in seconds.
_WORTH_SAYING_S = 60.0
# How often a run without a bar writes a line into the log.
_LOG_EVERY_S = 10.0
_SHOW_EVERY_S = 0.4
# How often the begin of an outage is said.
_SAY_EVERY_S = 60.0
# After how many outcomes the pace is worth believing.
_PACE_AFTER = 5


class Progress:
    """A bar over `total` sessions; without a notebook or terminal it writes lines into the log.

    Parameters
    ----------
    total
        How many sessions the run has.
    label
        What is being done, in a word or two.
    show
        True or False; None shows it in notebooks and terminals.
    """

    def __init__(self, total: int, label: str, *, show: bool | None = None) -> None:
        self._counts: Counter[str] = Counter()
        self._bar: Any = None
        self._total, self._label = total, label
        self._shown_at = self._ticked_at = time.monotonic()
        self._busy_s = 0.0
        # Whether the outage that lasts has been spoken of, and when one was.
        self._is_said, self._said_at = False, float("-inf")
        self._show_where_seen = show is None
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

    def announce(self, forecast: Forecast, *, now: float | None = None, max_wait_s: float | None = None) -> None:
        """Show what a run will take, before it begins, if that is more than a minute."""
        text = forecast_text(forecast, now=time.time() if now is None else now, max_wait_s=max_wait_s)
        if text is None:
            return
        log.info("%s", text)
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        elif self._show_where_seen and sys.stderr is not None:
            # Without this line the output of a long job looks as if the job hangs.
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def count(self, status: str) -> None:
        """Note one finished session."""
        self._counts[status] += 1
        if self._bar is not None:
            self._bar.update(1)

    def wait(
        self,
        budget: Budget | None,
        left: int,
        *,
        unsigned: int | None = None,
        put_off: Mapping[str, int] = MappingProxyType({}),
        outage: str | None = None,
    ) -> None:
        """Show the counts, what the run waits for and when it will end; called a few times a second.

        Parameters
        ----------
        budget
            The budget that the run waits for; None where it needs none.
        left, unsigned
            How many sessions have no outcome yet, and how many of them need a request, by default all.
        put_off
            How many of them are to be asked for again, by what they wait for.
        outage
            Which host is away, since when and until when nobody asks it; None where all are there.
        """
        now = self._tick(budget, is_away=outage is not None)
        self._announce_outage(outage, now)
        if now - self._shown_at < (_LOG_EVERY_S if self._bar is None else _SHOW_EVERY_S):
            return
        self._shown_at = now
        active = left - sum(put_off.values())
        # Nobody knows when the network is back: no time is said for the end.
        waiting = outage or waiting_text(
            budget, left if unsigned is None else unsigned, work_s=self._work_left_s(active), put_off=put_off
        )
        if self._bar is None:
            self._log(waiting)
        else:
            self._show(waiting)

    def _announce_outage(self, outage: str | None, now: float) -> None:
        """Say once per outage that the run waits: a script without a bar would look as if it hangs.

        A network that flaps is spoken of once a minute.
        """
        if outage is None or self._is_said or now - self._said_at < _SAY_EVERY_S:
            self._is_said = self._is_said and outage is not None
            return
        self._is_said, self._said_at = True, now
        log.warning("%s: %s; the run waits and goes on by itself", self._label, outage)
        if self._bar is None and self._show_where_seen and sys.stderr is not None:
            sys.stderr.write(f"{self._label}: {outage}; the run waits and goes on by itself\n")
            sys.stderr.flush()

    def _tick(self, budget: Budget | None, *, is_away: bool = False) -> float:
        """Return the time; what passed since the last tick is busy time unless the run waited."""
        now = time.monotonic()
        wait = budget.waiting if budget is not None else None
        if not is_away and (wait is None or wait.until is None):
            self._busy_s += now - self._ticked_at
        self._ticked_at = now
        return now

    def _work_left_s(self, left: int) -> float | None:
        """Return how long `left` sessions take at the pace so far, waits left out; None before there is a pace."""
        done = sum(self._counts.values())
        return None if done < _PACE_AFTER or left <= 0 else self._busy_s / done * left

    def _show(self, waiting: str) -> None:
        self._bar.set_postfix_str(" · ".join(part for part in (self._counted(), waiting) if part))

    def _log(self, waiting: str) -> None:
        done = f"{self._label}: {sum(self._counts.values()):,} of {self._total:,}"
        log.info("%s", " · ".join(part for part in (done, self._counted(), waiting) if part))

    def _counted(self) -> str:
        return ", ".join(f"{count} {status}" for status, count in sorted(self._counts.items()))


def forecast_text(forecast: Forecast, *, now: float, max_wait_s: float | None = None) -> str | None:
    """Return in one line what a run will take, or None where that is less than a minute.

    Examples
    --------
    >>> from kataven_notebook.service.budget import Forecast
    >>> forecast_text(Forecast(90, 60, 1_000.0, 60.0, 60), now=0.0).rpartition(", ")[0]
    '90 recordings: 60 now, then 60 a minute'
    """
    if forecast.done_at - now <= _WORTH_SAYING_S:
        return None
    names = {60.0: "a minute", 3_600.0: "an hour", 86_400.0: "a day"}
    every_s = forecast.then_every_s or 0.0
    unit = names.get(every_s, f"every {every_s:g} s")
    each = f", then {forecast.then_count:,} {unit}" if forecast.then_count else ""
    text = f"{forecast.requests:,} recordings: {forecast.now:,} now{each}"
    if max_wait_s is not None and now + max_wait_s < forecast.done_at:
        return f"{text}; max_wait ends the waiting at {clock_text(now + max_wait_s, now=now)}, the rest is limited"
    return f"{text}, done about {clock_text(forecast.done_at, now=now)}"


def waiting_text(
    budget: Budget | None,
    unsigned: int,
    *,
    work_s: float | None = None,
    put_off: Mapping[str, int] = MappingProxyType({}),
) -> str:
    """Return in one line what the run waits for, until when, and when it will be done.

    Parameters
    ----------
    budget, unsigned
        The budget that the run waits for, and how many requests it still needs.
    work_s
        How long the rest takes at the pace so far, in seconds; None before there is a pace.
    put_off
        How many sessions are to be asked for again, by what they wait for.
    """
    now = time.time()
    wait = budget.waiting if budget is not None else None
    parts = [f"{count:,} {reason}" for reason, count in put_off.items()]
    is_shut = wait is not None and wait.until is not None
    if wait is not None and wait.until is not None:
        parts.append(f"{wait.reason}, next at {clock_text(wait.until, now=now)}")
    if is_shut or work_s is not None:
        # The later of two times: when the limits allow the last request, and when downloads and work are done.
        sent_at = now if budget is None or unsigned <= 0 else budget.forecast(unsigned).done_at
        parts.append(f"done about {clock_text(max(sent_at, now + (work_s or 0.0)), now=now)}")
    return ", ".join(parts)
