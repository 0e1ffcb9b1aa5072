"""From the sessions of a frame to an outcome for each: what is known stays, the rest is run."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import psutil

from kataven_notebook import _columns, errors
from kataven_notebook._outcome import Outcome, Task, skipped
from kataven_notebook._progress import Progress
from kataven_notebook.client import SignedUrl, check_session_id
from kataven_notebook.pipeline import Plan, Run
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from kataven_notebook._sessions import Sessions

# After how many recordings their mean size is worth believing.
_SAMPLE = 20
_LAST: list[pd.DataFrame] = []


def known_outcomes(
    frame: pd.DataFrame, sessions: Sessions, *, prefix: str, refresh: bool, keeps_ready: bool = False
) -> tuple[dict[int, Outcome], dict[int, Task]]:
    """Split sessions into those that stay as they are and those to be run.

    Parameters
    ----------
    frame, sessions, prefix
        The caller's frame, its sessions, and the prefix of our columns.
    refresh
        Ask for all again.
    keeps_ready
        A live signed URL is all that is wanted.

    Returns
    -------
    tuple of dict
        Outcomes and tasks, by the session's position in `sessions.ids`.
    """
    first = sessions.first_rows()
    state = _columns.statuses(frame, prefix)
    error = _columns.texts(frame, prefix + _columns.ERROR)
    sound = _columns.recordings_of(frame, prefix)
    url = _columns.texts(frame, prefix + _columns.URL)
    ends = _columns.moments_s(frame, prefix + _columns.EXPIRES_AT)
    kept: dict[int, Outcome] = {}
    tasks: dict[int, Task] = {}
    now = time.time()
    for position, session_id in enumerate(sessions.ids):
        row = first[position]
        signed = SignedUrl(url[row], ends[row]) if isinstance(url[row], str) and ends[row] is not None else None
        if not refresh:
            outcome = _kept(state[row], error[row], sound[row], signed, keeps_ready=keeps_ready, now=now)
            if outcome is not None:
                kept[position] = outcome
                continue
        try:
            tasks[position] = Task(check_session_id(session_id), None, None if refresh else signed)
        except errors.InvalidSessionId as problem:
            kept[position] = Outcome.of_error(problem)
    return kept, tasks


def _kept(
    state: Any, error: Any, sound: Any, signed: SignedUrl | None, *, keeps_ready: bool, now: float
) -> Outcome | None:
    if sound is not None:
        return Outcome(Status.DOWNLOADED, signed=signed, recording=sound)
    if state in (Status.MISSING, Status.CORRUPT):
        return Outcome(Status(state), error, signed=signed)
    if keeps_ready and state in (Status.READY, Status.DOWNLOADED) and signed is not None and signed.lives(5.0, now=now):
        return Outcome(Status(state), signed=signed)
    return None


def from_store(tasks: dict[int, Task], plan: Plan, *, refresh: bool) -> dict[int, Outcome]:
    """Take out of `tasks` what the store has already, and return its outcomes."""
    store = plan.store
    if store is None:
        return {}
    store.bind(plan.settings)
    if refresh:
        return {}
    found: dict[int, Outcome] = {}
    entries = store.load([task.session_id for task in tasks.values()])
    for position, task in list(tasks.items()):
        entry = entries.get(task.session_id)
        if entry is None:
            continue
        if entry.file is not None:
            found[position] = Outcome(Status.DOWNLOADED, signed=task.signed, recording=store.recording(entry))
        elif entry.status in (Status.MISSING, Status.CORRUPT):
            found[position] = Outcome(Status(entry.status), entry.error)
        if position in found:
            del tasks[position]
    return found


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
        Somebody pressed stop.
    KatavenError
        The first failure, unless `capture`; or the store can't be used.
    """
    outcomes: dict[int, Outcome] = {}
    position_of = {task.session_id: position for position, task in tasks.items()}
    with Progress(len(tasks), label, show=progress) as bar:
        run = Run(plan, tasks.values())
        try:
            with run:
                if run.budget is not None:
                    bar.announce(run.budget.forecast(sum(task.recording is None for task in tasks.values())))
                for session_id, outcome in run.outcomes(lambda: bar.wait(run.budget, run.left)):
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
    return outcomes


def interruption(frame: pd.DataFrame | None, done: int, total: int, *, has_store: bool) -> errors.Interrupted:
    """Make the exception that an interrupted run ends with, and remember its frame."""
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
    """Return the frame of the last interrupted run of this process, or None."""
    return _LAST[0] if _LAST else None


def stream(plan: Plan, tasks: dict[int, Task]) -> Iterator[tuple[str, Outcome]]:
    """Yield outcomes as they come; memory is bounded by what is in flight."""
    with Run(plan, tasks.values()) as run:
        yield from run.outcomes()


def _watch_memory(plan: Plan, outcomes: dict[int, Outcome], total: int) -> None:
    """Warn in time where sound is about to fill the memory."""
    if plan.store is not None or not plan.keep_sound or not plan.sound or len(outcomes) != min(_SAMPLE, total):
        return
    sizes = [outcome.recording.size_bytes for outcome in outcomes.values() if outcome.recording is not None]
    if not sizes:
        return
    expected_bytes = sum(sizes) / len(outcomes) * total
    free_bytes = psutil.virtual_memory().available + sum(sizes)
    if expected_bytes > free_bytes / 2:
        warnings.warn(
            f"the sound of {total:,} recordings will take about {expected_bytes / 1e9:.1f} GB of memory, and "
            f'{free_bytes / 1e9:.1f} GB are free: interrupt and pass store="calls/", which keeps it on disk',
            UserWarning,
            stacklevel=4,
        )
