"""The closed vocabulary of a row's outcome, and which error means which status."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from kataven_notebook import errors

if TYPE_CHECKING:
    from collections.abc import Mapping


class Status(StrEnum):
    """What became of one row; the values of `recording_status`.

    The column holds plain strings: `frame["recording_status"] == "missing"` works, and so does
    comparing with a member.

    Examples
    --------
    >>> Status("missing").is_final, Status("pending").is_final
    (True, False)
    >>> Status("limited").advice
    'call again at the time in recording_error'
    """

    READY = "ready"
    DOWNLOADED = "downloaded"
    MISSING = "missing"
    PENDING = "pending"
    INVALID = "invalid"
    REFUSED = "refused"
    UNCONFIGURED = "unconfigured"
    LIMITED = "limited"
    EXPIRED = "expired"
    CORRUPT = "corrupt"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def is_final(self) -> bool:
        """Whether asking again can't change it; only `refresh=True` asks again."""
        return self in _FINAL

    @property
    def is_good(self) -> bool:
        """Whether the row has no error."""
        return self in (Status.READY, Status.DOWNLOADED)

    @property
    def advice(self) -> str:
        """What to do about rows of this status, in a few words."""
        return _ADVICE[self]


# What the service or the storage said once and for all: frames and stores keep it, and nobody asks again. Without
# `unsupported` and `too_large`: an extra or a larger `max_bytes` changes those.
SETTLED = frozenset({Status.MISSING, Status.CORRUPT})
_FINAL = SETTLED | {Status.DOWNLOADED, Status.INVALID}

_ADVICE: Mapping[Status, str] = {
    Status.READY: "audio() downloads it",
    Status.DOWNLOADED: "nothing: the sound is here",
    Status.MISSING: "nothing: the session has no recording",
    Status.PENDING: 'call again later, or pass poll_pending="10min"',
    Status.INVALID: "correct the session id",
    Status.REFUSED: "check key and account, then call again",
    Status.UNCONFIGURED: "have recording playback enabled for the account, then call again",
    Status.LIMITED: "call again at the time in recording_error",
    Status.EXPIRED: "call again",
    Status.CORRUPT: "nothing here: the file in the storage is broken",
    Status.UNSUPPORTED: "install what recording_error names, then call again",
    Status.TOO_LARGE: "call again with a larger max_bytes",
    Status.FAILED: "call again; if it stays, read recording_error",
    Status.SKIPPED: "call again: it was not attempted",
}

# The first class that fits decides, so the base class comes last.
_BY_ERROR: tuple[tuple[type[errors.SessionError], Status], ...] = (
    (errors.InvalidSessionId, Status.INVALID),
    (errors.RecordingMissing, Status.MISSING),
    (errors.RecordingPending, Status.PENDING),
    (errors.AccessRefused, Status.REFUSED),
    (errors.PlaybackUnconfigured, Status.UNCONFIGURED),
    (errors.RateLimited, Status.LIMITED),
    (errors.UrlExpired, Status.EXPIRED),
    (errors.RecordingTooLarge, Status.TOO_LARGE),
    (errors.RecordingCorrupt, Status.CORRUPT),
    (errors.FormatUnsupported, Status.UNSUPPORTED),
    (errors.SessionError, Status.FAILED),
)


def error_of(status: Status, message: str, session_id: str) -> errors.SessionError:
    """Return the error that led to `status`, for a row whose reason is known from before.

    Examples
    --------
    >>> error_of(Status.MISSING, "the session has no recording", "s1")
    RecordingMissing('the session has no recording')
    """
    kind = next((kind for kind, each in _BY_ERROR if each == status), errors.SessionError)
    return kind(message, session_id=session_id)


def status_of(error: errors.SessionError) -> Status:
    """Return the status that a row gets for `error`.

    Examples
    --------
    >>> str(status_of(errors.RecordingMissing("no recording")))
    'missing'
    """
    return next(status for kind, status in _BY_ERROR if isinstance(error, kind))
