"""What is known of each session of a frame already, and what is left to do."""

from __future__ import annotations

import contextlib
import gc
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.errors import InvalidSessionId
from kataven_notebook.frame.columns import AUDIO, ERROR, EXPIRES_AT, URL, recordings_of, statuses, texts, times_s
from kataven_notebook.notices import warn_caller
from kataven_notebook.run.plan import Outcome, Task
from kataven_notebook.service.answers import URL_MARGIN_S, SignedUrl, may_be_fetched
from kataven_notebook.service.session_ids import check_session_id
from kataven_notebook.status import SETTLED, Status, error_of
from kataven_notebook.store.accounts import is_proved
from kataven_notebook.store.audit import unsound
from kataven_notebook.store.intake import take_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from kataven_notebook.frame.sessions import Sessions
    from kataven_notebook.run.plan import Plan
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.entry import Entry
    from kataven_notebook.store.folder import Store

# The file of a corrupt recording can still be had by its URL.
_WITHOUT_URL = SETTLED - {Status.CORRUPT}


def split(
    frame: pd.DataFrame,
    sessions: Sessions,
    plan: Plan,
    *,
    prefix: str,
    refresh: bool,
    capture: bool = True,
    progress: bool | None = None,
) -> tuple[dict[int, Outcome], dict[int, Task]]:
    """Split sessions into those that stay as they are and those to be run.

    With a store, its sound takes the place of the frame's, and sound that only the frame has is brought into it.

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
    progress
        Show a progress bar where sound of the frame is brought into the store, or the store's is verified.

    Returns
    -------
    tuple of dict
        Outcomes and tasks, by the session's position in `sessions.ids`.

    Raises
    ------
    SessionError
        What is known to be wrong with a session, with `capture` false.
    StoreError
        The store can't be used, or is another account's.
    Interrupted
        Somebody pressed stop.
    """
    if plan.store is not None:
        plan.store.check_account(plan.settings)
        if is_proved(plan.settings):
            plan.store.bind(plan.settings)  # sound of the frame may go into it without a request
    with _collector_paused():
        kept, tasks = _from_frame(frame, sessions, plan, prefix=prefix, refresh=refresh)
    if plan.store is not None and refresh:
        _note_attempts(tasks, plan.store.attempts([task.session_id for task in tasks.values()]))
    elif plan.store is not None:
        _look_up(plan.store, kept, tasks, sessions.ids, full=plan.verify_full, progress=progress)
    if not capture:
        _raise_first(kept, sessions)
    return kept, tasks


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
    frame: pd.DataFrame,
    sessions: Sessions,
    plan: Plan,
    *,
    prefix: str,
    refresh: bool,
    capture: bool = True,
    progress: bool | None = None,
) -> tuple[dict[int, Outcome], dict[int, Task]]:
    """Split sessions as `split` does, but sound that is here is a task too: the work is left to do.

    Where the frame has an `audio` column and there is no store, that column is all there is to work
    on: its other rows stay as they are, and nothing is asked for.
    """
    known, tasks = split(frame, sessions, plan, prefix=prefix, refresh=refresh, progress=progress)
    if prefix + AUDIO in frame.columns and plan.store is None and not refresh:
        state = statuses(frame, prefix)
        first = sessions.first_rows(_given(state))
        error = texts(frame, prefix + ERROR)
        for position in list(tasks):
            del tasks[position]
            row = first[position]
            known[position] = _as_it_was(state[row], error[row])
    if not capture:
        _raise_first(known, sessions)
    tasks |= {
        position: Task(task_name(sessions.ids[position], position), outcome.recording)
        for position, outcome in known.items()
        if outcome.recording is not None
    }
    return known, tasks


def task_name(session_id: Any, position: int) -> str:
    """Return what a run calls a session: sound without an id is worked on too, and is to be told apart."""
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
    return Outcome(Status.SKIPPED, error="there is no sound in the audio column: call audio()")


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


def _look_up(
    store: Store,
    kept: dict[int, Outcome],
    tasks: dict[int, Task],
    ids: Sequence[Any],
    *,
    full: bool,
    progress: bool | None,
) -> None:
    """Take what the store has already out of `tasks`, and bring sound that the frame alone has into the store."""
    with _collector_paused():
        wanted: dict[int, str] = {position: task.session_id for position, task in tasks.items()}
        wanted |= {position: ids[position] for position in kept if _is_sendable(ids[position])}
        entries = store.load(list(wanted.values()))
    if full:
        for session_id in unsound(store, list(entries.values()), progress=progress):
            del entries[session_id]
    with _collector_paused():
        lacking = _from_store(store, entries, kept, tasks, wanted)
    own = {position: sound for position, sound in lacking.items() if _is_sessions_own(sound, wanted[position])}
    if len(own) < len(lacking):
        warn_caller(
            f"the sound of {len(lacking) - len(own):,} of {len(ids):,} sessions stays in the frame and is not in the "
            "store: it is a part of a recording, was made here or opened by from_files, or is another session's; to "
            "fetch and store these sessions too, drop the audio column first"
        )
    taken = take_in(store, {wanted[position]: sound for position, sound in own.items()}, full=full, progress=progress)
    for position in own:
        signed, stored = kept[position].signed, taken[wanted[position]]
        if stored is not None:
            kept[position] = Outcome(Status.DOWNLOADED, signed=signed, recording=stored)
        else:  # it can't be read, or is damaged
            del kept[position]
            tasks[position] = Task(wanted[position], None, signed)


def _from_store(
    store: Store,
    entries: Mapping[str, Entry],
    kept: dict[int, Outcome],
    tasks: dict[int, Task],
    wanted: Mapping[int, str],
) -> dict[int, Recording]:
    """Let the store speak for the sessions that it knows most of, and return sound that the frame alone has."""
    lacking: dict[int, Recording] = {}
    for position, session_id in wanted.items():
        entry, before = entries.get(session_id), kept.get(position)
        sound = None if before is None else before.recording
        if entry is not None and entry.file is not None:
            if sound is None or _is_sessions_own(sound, session_id):
                signed = tasks.pop(position).signed if before is None else before.signed
                kept[position] = Outcome(Status.DOWNLOADED, signed=signed, recording=store.recording(entry))
        elif sound is not None:
            lacking[position] = sound
        elif entry is not None and entry.is_settled and before is None:
            del tasks[position]
            kept[position] = Outcome(Status(entry.status), error=entry.error)
    return lacking


def _is_sendable(session_id: object) -> bool:
    try:
        check_session_id(session_id)
    except InvalidSessionId:
        return False
    return True


def _is_sessions_own(sound: Recording, session_id: str) -> bool:
    """Whether sound is the session's recording as it came, and no part of it, nor another session's."""
    return sound.session_id == session_id and not sound.is_derived


def _note_attempts(tasks: dict[int, Task], attempts: Mapping[str, int]) -> None:
    """Tell each task what is settled already, so that only what another run settles from now on is not done twice."""
    for position, task in tasks.items():
        if task.session_id in attempts:
            tasks[position] = replace(task, attempts=attempts[task.session_id])
