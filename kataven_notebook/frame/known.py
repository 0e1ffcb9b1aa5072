"""What is known of each session of a frame already, and what is left to do."""

from __future__ import annotations

import contextlib
import gc
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.errors import InvalidSessionId, SessionError
from kataven_notebook.frame.columns import AUDIO, ERROR, EXPIRES_AT, URL, recordings_of, statuses, texts, times_s
from kataven_notebook.run.plan import Outcome, Task
from kataven_notebook.service.answers import URL_MARGIN_S, SignedUrl, may_be_fetched
from kataven_notebook.service.session_ids import check_session_id
from kataven_notebook.status import SETTLED, Status, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    import pandas as pd

    from kataven_notebook.frame.sessions import Sessions
    from kataven_notebook.run.plan import Plan

# The file of a corrupt recording can still be had by its URL.
_WITHOUT_URL = SETTLED - {Status.CORRUPT}


def split(
    frame: pd.DataFrame, sessions: Sessions, plan: Plan, *, prefix: str, refresh: bool, capture: bool = True
) -> tuple[dict[int, Outcome], dict[int, Task]]:
    """Split sessions into those that stay as they are and those to be run.

    Parameters
    ----------
    frame, sessions, prefix
        The caller's frame, its sessions, and the prefix of our columns.
    plan
        Whether sound is wanted or a URL; its store is looked up.
    refresh
        Ask for all again.
    capture
        False raises for the first id that can't be sent.

    Returns
    -------
    tuple of dict
        Outcomes and tasks, by the session's position in `sessions.ids`.

    Raises
    ------
    SessionError
        What is known to be wrong with a session, with `capture` false.
    StoreError
        The store can't be read, or is another account's.
    """
    with _collector_paused():
        kept, tasks = _from_frame(frame, sessions, plan, prefix=prefix, refresh=refresh)
        stored = _from_store(tasks, plan, refresh=refresh)
    known = kept | stored
    if not capture:
        _raise_first(known, sessions)
    return known, tasks


def _raise_first(known: dict[int, Outcome], sessions: Sessions) -> None:
    """Raise what is known to be wrong with the first session, in the order of the frame, that has anything wrong."""
    for position in sorted(known):
        outcome = known[position]
        if outcome.exception is not None:
            raise outcome.exception
        if not outcome.status.is_good:
            said = outcome.error or "the frame does not say why"
            raise error_of(
                outcome.status, f"{said} (known from before; refresh=True asks again)", sessions.ids[position]
            )


def split_for_work(
    frame: pd.DataFrame, sessions: Sessions, plan: Plan, *, prefix: str, refresh: bool, capture: bool = True
) -> tuple[dict[int, Outcome], dict[int, Task]]:
    """Split sessions as `split` does, but sound that is here is a task too: the work is left to do.

    Where the frame has an `audio` column and there is no store, that column is all there is to work
    on: its other rows stay as they are, and nothing is asked for.
    """
    known, tasks = split(frame, sessions, plan, prefix=prefix, refresh=refresh, capture=capture)
    if prefix + AUDIO in frame.columns and plan.store is None and not refresh:
        state = statuses(frame, prefix)
        first = sessions.first_rows(_given(state))
        error = texts(frame, prefix + ERROR)
        for position in list(tasks):
            del tasks[position]
            row = first[position]
            known[position] = _as_it_was(state[row], error[row])
    tasks |= {
        position: Task(_name(sessions.ids[position], position), outcome.recording)
        for position, outcome in known.items()
        if outcome.recording is not None
    }
    return known, tasks


def _name(session_id: Any, position: int) -> str:
    # Sound without an id is worked on too; a run needs something to tell such rows apart by.
    return session_id if isinstance(session_id, str) else f"(no id, {position})"


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Make a million small objects, none of them garbage, without looking through all of them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _given(values: Sequence[Any]) -> npt.NDArray[np.bool_]:
    return np.fromiter((value is not None for value in values), dtype=np.bool_, count=len(values))


def _as_it_was(state: Any, error: Any) -> Outcome:
    if state in set(Status) and state != Status.DOWNLOADED:
        return Outcome(Status(state), error=error)
    message = "there is no sound in the audio column: call audio()"
    return Outcome(Status.SKIPPED, error=message, exception=SessionError(message))


def _from_frame(
    frame: pd.DataFrame, sessions: Sessions, plan: Plan, *, prefix: str, refresh: bool
) -> tuple[dict[int, Outcome], dict[int, Task]]:
    keeps_ready = not plan.sound
    leave_https = not plan.settings.base_url.startswith("https:")
    state = statuses(frame, prefix)
    error = texts(frame, prefix + ERROR)
    sound = recordings_of(frame, prefix)
    url = texts(frame, prefix + URL)
    # Of the rows of one session, appended to an older frame for instance, the one that knows most speaks for all.
    first = sessions.first_rows(_given(state), _given(url if keeps_ready else sound))
    ends = times_s(frame, prefix + EXPIRES_AT)
    kept: dict[int, Outcome] = {}
    tasks: dict[int, Task] = {}
    now = time.time()
    for position, session_id in enumerate(sessions.ids):
        row = first[position]
        signed = None
        # Anybody may have written into the frame: an address that the service could not have given is asked for anew.
        if (ends_at := ends[row]) is not None and may_be_fetched(url[row], leave_https=leave_https):
            signed = SignedUrl(url[row], ends_at)
        if not refresh:
            outcome = _kept(state[row], error[row], sound[row], signed, keeps_ready=keeps_ready, now=now)
            if outcome is not None:
                kept[position] = outcome
                continue
        try:
            tasks[position] = Task(check_session_id(session_id), None, None if refresh else signed)
        except InvalidSessionId as problem:
            kept[position] = Outcome.of_error(problem)
    return kept, tasks


def _kept(
    state: Any, error: Any, sound: Any, signed: SignedUrl | None, *, keeps_ready: bool, now: float
) -> Outcome | None:
    if keeps_ready:
        is_live = signed is not None and signed.lives(URL_MARGIN_S, now=now)
        if state in (Status.READY, Status.DOWNLOADED) and is_live:
            return Outcome(Status(state), signed=signed)
        return Outcome(Status(state), error=error) if state in _WITHOUT_URL else None
    if sound is not None:
        return Outcome(Status.DOWNLOADED, signed=signed, recording=sound)
    return Outcome(Status(state), error=error, signed=signed) if state in SETTLED else None


def _from_store(tasks: dict[int, Task], plan: Plan, *, refresh: bool) -> dict[int, Outcome]:
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
        if entry is not None and entry.file is not None:
            found[position] = Outcome(Status.DOWNLOADED, signed=task.signed, recording=store.recording(entry))
        elif entry is not None and entry.is_settled:
            found[position] = Outcome(Status(entry.status), error=entry.error)
        if position in found:
            del tasks[position]
    return found
