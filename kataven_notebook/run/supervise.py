"""Runs tasks under a progress bar: the first failure, an interrupt, memory that runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from kataven_notebook import errors
from kataven_notebook.notices import warn_caller
from kataven_notebook.run.plan import Outcome, Plan, Task, skipped
from kataven_notebook.run.progress import Progress
from kataven_notebook.run.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd


# After how many recordings their mean size is used as that of all.
_SAMPLE = 20
_LAST: list[pd.DataFrame] = []


def execute(
    plan: Plan,
    tasks: dict[int, Task],
    *,
    label: str,
    progress: bool | None,
    capture: bool,
    on_interrupt: Callable[[dict[int, Outcome]], pd.DataFrame | None],
) -> dict[int, Outcome]:
    """Run the tasks and return their outcomes by position.

    Parameters
    ----------
    plan, tasks
        What to do, and with what.
    label, progress
        For the progress bar.
    capture
        False raises the first failure.
    on_interrupt
        Makes a frame of what is finished.

    Raises
    ------
    Interrupted
        The user pressed stop.
    KatavenError
        The first failure, unless `capture`; or the store can't be used.
    """
    outcomes: dict[int, Outcome] = {}
    position_of = {task.session_id: position for position, task in tasks.items()}
    # The run comes first: where its credentials can't work, no bar is shown for it.
    with Run(plan, tasks.values()) as run, Progress(len(tasks), label, show=progress) as bar:
        try:
            for session_id, outcome in _shown(plan, run, bar):
                outcomes[position_of[session_id]] = outcome
                bar.count(outcome.status)
                if not capture and outcome.exception is not None:
                    raise outcome.exception
                _watch_memory(plan, outcomes, len(tasks))
        except KeyboardInterrupt:
            outcomes.update((position_of[session_id], outcome) for session_id, outcome in run.drain())
            rest = skipped("the run was interrupted")
            done = len(outcomes)
            frame = on_interrupt({position: outcomes.get(position, rest) for position in tasks})
            raise interruption(frame, done, len(tasks), has_store=plan.store is not None) from None
    _LAST.clear()  # whoever has gone on needs the unfinished frame no more, which may hold gigabytes
    return outcomes


def interruption(frame: pd.DataFrame | None, done: int, total: int, *, has_store: bool) -> errors.Interrupted:
    """Return the exception that an interrupted run ends with, and keep its frame for `last_interrupted`."""
    _LAST[:] = [frame] if frame is not None else []
    how = (
        "kataven_notebook.interrupted() returns the frame with them; pass it to the same function to go on"
        if frame is not None
        else "call again"
    )
    if has_store:
        how += "; they are in the store too, so the same call goes on in any kernel"
    return errors.Interrupted(f"interrupted: {done} of {total} are finished; {how}", frame=frame)


def last_interrupted() -> pd.DataFrame | None:
    """Return the frame of the last run of this process, if it was interrupted."""
    return _LAST[0] if _LAST else None


def stream(plan: Plan, tasks: dict[int, Task], *, label: str, progress: bool | None) -> Iterator[tuple[str, Outcome]]:
    """Yield outcomes as they come; memory is bounded by what is in flight."""
    with Run(plan, tasks.values()) as run, Progress(len(tasks), label, show=progress) as bar:
        for session_id, outcome in _shown(plan, run, bar):
            bar.count(outcome.status)
            yield session_id, outcome


def _shown(plan: Plan, run: Run, bar: Progress) -> Iterator[tuple[str, Outcome]]:
    """Yield a run's outcomes; the bar shows first what the run will take, then what it waits for."""
    if run.budget is not None:
        bar.announce(run.budget.forecast(run.unsigned), max_wait_s=plan.max_wait_s)

    def tick() -> None:
        bar.wait(run.budget, run.left, unsigned=run.unsigned, put_off=run.put_off, outage=run.outage)

    yield from run.outcomes(tick)


def _watch_memory(plan: Plan, outcomes: dict[int, Outcome], total: int) -> None:
    """Warn after the first recordings if all of them would fill half of the free memory."""
    if plan.store is not None or not plan.keep_sound or not plan.sound or len(outcomes) != min(_SAMPLE, total):
        return
    sizes = [outcome.recording.size_bytes for outcome in outcomes.values() if outcome.recording is not None]
    if not sizes:
        return
    expected_bytes = sum(sizes) / len(outcomes) * total
    free_bytes = psutil.virtual_memory().available + sum(sizes)
    if expected_bytes > free_bytes / 2:
        warn_caller(
            f"the sound of {total:,} recordings will take about {expected_bytes / 1e9:.1f} GB of memory, and "
            f'{free_bytes / 1e9:.1f} GB are free: interrupt and pass store="calls/", which keeps it on disk'
        )
