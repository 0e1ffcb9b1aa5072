"""What a run is asked to do, for all sessions and for each, and what became of one."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Self

from kataven_notebook.errors import SessionError
from kataven_notebook.service.download import DEFAULT_TOTAL_TIMEOUT_S
from kataven_notebook.status import Status, status_of

if TYPE_CHECKING:
    import contextlib
    import threading
    from collections.abc import Callable

    from kataven_notebook.run.invoke import Result
    from kataven_notebook.service.answers import SignedUrl
    from kataven_notebook.settings import Settings
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.folder import Store

    # The event is set when the run is being stopped.
    Work = Callable[[str, Recording, threading.Event], Result]
    Delegate = Callable[[str, SignedUrl, threading.Event], "Outcome"]
    Turn = Callable[[threading.Event], contextlib.AbstractContextManager[None]]

DEFAULT_MAX_BYTES = 500_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does with each session, and within which limits.

    Parameters
    ----------
    settings
        The credentials, the service's address and its limits.
    sound
        Whether the sound is wanted, or the signed URL alone.
    keep_sound
        Whether outcomes hold the recording; else it is dropped after the work.
    work
        What is done with each session's recording. It limits by itself how many of it run at once.
    delegate
        Downloads, verifies and works elsewhere, from a signed URL; raises `UrlExpired` where the
        storage refuses the URL.
    is_delegate_here
        Whether `delegate` has the network of this machine.
    turn
        Entered before a session's URL is signed and left after its `delegate`, so that no URL
        ages while it waits for a worker.
    store
        Where sound and outcomes are kept.
    max_bytes, total_timeout_s
        The limits of one download, bytes and seconds.
    verify_full
        Decode everything, not only the first and last second.
    poll_pending_s
        For how long sessions that are not uploaded yet are asked for again, seconds.
    max_wait_s
        How long to wait for the budget at most, seconds; None for as long as it takes.
    in_flight
        How many sessions are under way at once; None for as many as `stages` allows.
    """

    settings: Settings
    sound: bool = True
    keep_sound: bool = True
    work: Work | None = None
    delegate: Delegate | None = None
    is_delegate_here: bool = False
    turn: Turn | None = None
    store: Store | None = None
    max_bytes: int = DEFAULT_MAX_BYTES
    total_timeout_s: float = DEFAULT_TOTAL_TIMEOUT_S
    verify_full: bool = False
    poll_pending_s: float = 0.0
    max_wait_s: float | None = None
    in_flight: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One session of a run, with what is known of it already.

    Parameters
    ----------
    session_id
        A checked id.
    recording
        Its sound, where the frame or the store has it.
    signed
        A URL that may still live.
    attempts
        How many attempts the store had counted when it was looked at.
    """

    session_id: str
    recording: Recording | None = None
    signed: SignedUrl | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one session; shared by all rows that name it.

    Parameters
    ----------
    status
        Whether there is sound, or why not.
    error
        What to read in the row: what happened and what to do; None where all is well.
    signed
        The URL that the sound comes from.
    recording
        The sound, where the plan keeps it.
    value
        What the plan's work returned.
    work_error
        Why the work returned nothing, in one sentence.
    exception
        What to raise instead, where the caller wants no rows with errors.
    file
        What its sound is called in the store, where a worker has put it there.
    """

    status: Status
    _: KW_ONLY
    error: str | None = None
    signed: SignedUrl | None = None
    recording: Recording | None = None
    value: Any = None
    work_error: str | None = None
    exception: BaseException | None = field(default=None, repr=False)
    file: str | None = None

    @classmethod
    def of_error(cls, error: SessionError) -> Self:
        """Return the outcome of a session that failed.

        Without the traceback and what led to it: their frames hold the answer's bytes and the signed
        URL, which would stay in memory with the row and be shown by tracebacks with variables.
        """
        error.__traceback__ = error.__context__ = None
        return cls(status_of(error), error=error.message, exception=error)


def skipped(reason: str) -> Outcome:
    """Return the outcome of a session that was not attempted."""
    message = f"not attempted: {reason}; call again"
    return Outcome(Status.SKIPPED, error=message, exception=SessionError(message))
