"""What a run is asked to do for one session, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from kataven_notebook.errors import SessionError
from kataven_notebook.status import Status, status_of

if TYPE_CHECKING:
    from kataven_notebook.service.client import SignedUrl
    from kataven_notebook.sound.recording import Recording


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
    """

    session_id: str
    recording: Recording | None = None
    signed: SignedUrl | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one session; shared by all rows that name it."""

    status: Status
    error: str | None = None
    signed: SignedUrl | None = None
    recording: Recording | None = None
    value: Any = None
    work_error: str | None = None
    exception: BaseException | None = field(default=None, repr=False)

    @classmethod
    def of_error(cls, error: SessionError) -> Self:
        """Return the outcome of a session that failed.

        Without the traceback and what led to it: their frames hold the answer's bytes and the signed
        URL, which would stay in memory with the row and be shown by tracebacks with variables.
        """
        error.__traceback__ = error.__context__ = None
        return cls(status_of(error), error.message, exception=error)


def skipped(reason: str) -> Outcome:
    """Return the outcome of a session that was not attempted."""
    message = f"not attempted: {reason}; call again"
    return Outcome(Status.SKIPPED, message, exception=SessionError(message))
