"""The way of a frame through a run: its sessions, what is known of each, and the outcomes of all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kataven_notebook.frame.columns import AUDIO, CLIP_ID, check_names, check_prefix, refuse_clips, refuse_two_sounds
from kataven_notebook.frame.known import split, split_for_work
from kataven_notebook.frame.options import check_choice
from kataven_notebook.frame.sessions import find_sessions, refuse_files
from kataven_notebook.notices import warn_caller
from kataven_notebook.run.plan import Outcome
from kataven_notebook.run.supervise import execute
from kataven_notebook.status import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    import pandas as pd

    from kataven_notebook.run.plan import Plan, Task


# A few calls without a recording are nothing strange.
_ENOUGH_TO_DOUBT = 5


class FrameJob:
    """What one call of a function from frame to frame has to do.

    Parameters
    ----------
    frame
        The caller's frame; it is left as it is.
    session
        The column, or index level, of the session ids.
    errors
        "capture", or "raise" to raise the first failure.
    prefix
        Before the names of our columns.
    names
        The columns that the function adds.

    Raises
    ------
    FrameError
        The sessions can't be found, the frame holds clips, or a column of the caller's has one of the names.
    ConfigurationError
        `errors` is neither of the two.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        session: str,
        *,
        errors: str = "capture",
        prefix: str = "",
        names: Iterable[str] = (),
    ) -> None:
        check_choice("errors", errors, ("capture", "raise"))
        check_prefix(prefix)
        self.frame = frame
        self.prefix = prefix
        self.capture = errors == "capture"
        self.sessions = find_sessions(frame, session)
        refuse_files(frame, self.sessions, prefix + AUDIO)
        refuse_clips(frame, session, prefix=prefix)
        refuse_two_sounds(frame, self.sessions, prefix)
        check_names(frame, names, prefix=prefix, own_session=session)
        # By the session's position in `sessions.ids`.
        self.known: dict[int, Outcome] = {}
        self.tasks: dict[int, Task] = {}

    def split(self, plan: Plan, *, refresh: bool = False, for_work: bool = False, progress: bool | None = None) -> None:
        """Find what is known of the sessions and what is to be run, as `known.split` does.

        Parameters
        ----------
        plan
            What is wanted, and the store to look into.
        refresh
            Ask for all again.
        for_work
            Sound that is here is a task too, as in `known.split_for_work`.
        progress
            For the progress bar where sound goes into the store, or the store's sound is verified.

        Raises
        ------
        SessionError
            The first id that can't be sent, or session of which something wrong is known, where failures are raised.
        StoreError
            The store can't be read, or is another account's.
        """
        if self.sessions.name == self.prefix + CLIP_ID:
            plan = replace(plan, store=None)
        look = split_for_work if for_work else split
        self.known, self.tasks = look(
            self.frame,
            self.sessions,
            plan,
            prefix=self.prefix,
            refresh=refresh,
            capture=self.capture,
            progress=progress,
        )

    def take(self, values: Mapping[int, Any]) -> None:
        """Let tasks be done whose values are there already, by position."""
        for position, value in values.items():
            del self.tasks[position]
            self.known[position] = Outcome(Status.DOWNLOADED, value=value)

    def run(
        self,
        plan: Plan,
        *,
        label: str,
        progress: bool | None,
        build: Callable[[list[Outcome]], pd.DataFrame | None] = lambda _outcomes: None,
    ) -> list[Outcome]:
        """Run the tasks and return the outcome of every session, in the order of `sessions.ids`.

        Parameters
        ----------
        plan
            What to do with each task.
        label, progress
            For the progress bar.
        build
            Makes the function's frame of such a list; called where the run is interrupted.

        Raises
        ------
        Interrupted
            The user pressed stop.
        KatavenError
            The first failure, where failures are raised; or the store can't be used.
        """

        def every(outcomes: dict[int, Outcome]) -> list[Outcome]:
            merged = {**self.known, **outcomes}
            return [merged[position] for position in range(len(self.sessions.ids))]

        outcomes = execute(
            plan,
            self.tasks,
            label=label,
            progress=progress,
            capture=self.capture,
            on_interrupt=lambda outcomes: build(every(outcomes)),
        )
        self.doubt_ids([each.status for each in outcomes.values()])
        return every(outcomes)

    def doubt_ids(self, found: Collection[Status]) -> None:
        """Warn where the service has nothing for any of the sessions that it was asked for."""
        if len(found) >= _ENOUGH_TO_DOUBT and all(each == Status.MISSING for each in found):
            warn_caller(
                f"the service has a recording of none of the {len(found):,} sessions that it was asked for: are "
                f"these the ids of sessions, in {self.sessions.name!r}? agent_... also names agents and campaigns"
            )

    def reasons(self, outcomes: list[Outcome]) -> dict[str, str]:
        """Return why there is no sound or no value, by session id, of the sessions that lack it."""
        return {
            str(session_id): outcome.work_error or f"{outcome.status}: {outcome.error}"
            for session_id, outcome in zip(self.sessions.ids, outcomes, strict=True)
            if outcome.work_error is not None or not outcome.status.is_good
        }
