"""Everything this package raises.

.. code-block:: text

    KatavenError
    ├── ConfigurationError (ValueError)      a key, account, URL or option that can't work
    ├── FrameError (ValueError)              a frame that can't be used: no session column, a taken name
    ├── MissingExtra (ImportError)           an optional dependency is not installed
    ├── StoreError (OSError)                 the store can't be read or written, or is somebody else's
    ├── SessionError                         about one session
    │   ├── InvalidSessionId (ValueError)    never sent
    │   ├── ApiError                         what the Hub answered
    │   │   ├── RecordingMissing (LookupError)
    │   │   ├── RecordingPending
    │   │   ├── AccessRefused (PermissionError)
    │   │   ├── PlaybackUnconfigured
    │   │   └── ServiceFailed                5xx, malformed answers, no connection
    │   ├── RateLimited                      429, or `max_wait` was over
    │   ├── DownloadError                    what the storage answered
    │   │   ├── UrlExpired
    │   │   ├── RecordingTooLarge
    │   │   └── DownloadFailed
    │   ├── DecodeError (ValueError)
    │   │   ├── RecordingCorrupt
    │   │   └── FormatUnsupported
    │   └── WorkFailed                       a function given to `apply` raised, in errors="raise"
    Interrupted (KeyboardInterrupt)          somebody pressed stop; carries what is finished
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import pandas as pd


class KatavenError(Exception):
    """Base of all errors of this package, so that one `except` catches them."""


class ConfigurationError(KatavenError, ValueError):
    """A key, an account, a URL or an option can't work; found before any request was sent."""


class FrameError(KatavenError, ValueError):
    """The frame can't be used as asked; nothing was done."""


class MissingExtra(KatavenError, ImportError):  # noqa: N818 - named for what is wrong, like ModuleNotFound
    """A feature needs an optional dependency; the message holds the command that installs it."""

    @classmethod
    def of(cls, extra: str, purpose: str) -> Self:
        """Say which extra `purpose` needs, and how to get it."""
        return cls(f'{purpose} needs the extra [{extra}]: pip install "kataven-notebook[{extra}]"')


class StoreError(KatavenError, OSError):
    """The store can't be used: full, read-only, of another account or version; nothing was damaged."""


class SessionError(KatavenError):
    """Something about one session went wrong.

    Parameters
    ----------
    message
        What happened and what to do next, without the session's id.
    session_id
        Which session; stands in front of the message when the error is shown.
    """

    def __init__(self, message: str, *, session_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.session_id = session_id

    def __str__(self) -> str:
        """Session and message; in a frame's row the message alone is used."""
        return f"session {self.session_id!r}: {self.message}" if self.session_id is not None else self.message

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with keyword arguments, so that errors come back whole from workers."""
        return (_rebuild, (type(self), self.message, self.__dict__))


def _rebuild(kind: type[SessionError], message: str, state: dict[str, object]) -> SessionError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class InvalidSessionId(SessionError, ValueError):  # noqa: N818 - named for what is wrong
    """The id is missing, blank, or of a shape that would reach another route; it was not sent."""


class ApiError(SessionError):
    """The Hub's answer is no recording URL.

    Parameters
    ----------
    message, session_id
        As for `SessionError`.
    status_code
        The HTTP status, or None where no answer came.
    """

    def __init__(self, message: str, *, session_id: str | None = None, status_code: int | None = None) -> None:
        super().__init__(message, session_id=session_id)
        self.status_code = status_code


class RecordingMissing(ApiError, LookupError):  # noqa: N818 - named for what is wrong
    """404: the session has no recording; asking again does not help."""


class RecordingPending(ApiError):  # noqa: N818 - named for what is wrong
    """409: the recording exists and is not uploaded yet; `poll_pending="10min"` waits for it."""


class AccessRefused(ApiError, PermissionError):  # noqa: N818 - named for what is wrong
    """400 that names the account, 401 or 403: the credentials do not open this account or session."""


class PlaybackUnconfigured(ApiError):  # noqa: N818 - named for what is wrong
    """503 with the service's text that recording playback is not configured for the account."""


class ServiceFailed(ApiError):  # noqa: N818 - named for what is wrong
    """The Hub failed, could not be reached, or answered what its contract does not know."""


class RateLimited(SessionError):  # noqa: N818 - named for what is wrong
    """The service's limits did not allow the request in time.

    Parameters
    ----------
    message, session_id
        As for `SessionError`.
    retry_at
        When asking again will be allowed, in seconds since the epoch; None where it is not known.
    """

    def __init__(self, message: str, *, session_id: str | None = None, retry_at: float | None = None) -> None:
        super().__init__(message, session_id=session_id)
        self.retry_at = retry_at


class DownloadError(SessionError):
    """The storage did not hand over the sound."""


class UrlExpired(DownloadError):  # noqa: N818 - named for what is wrong
    """The storage refused the signed URL as expired."""


class RecordingTooLarge(DownloadError):  # noqa: N818 - named for what is wrong
    """The recording is larger than `max_bytes`."""


class DownloadFailed(DownloadError):  # noqa: N818 - named for what is wrong
    """The storage refused, failed or could not be reached, also when tried again."""


class DecodeError(SessionError, ValueError):
    """The bytes that came are no sound that can be used."""


class RecordingCorrupt(DecodeError):  # noqa: N818 - named for what is wrong
    """The bytes are empty, truncated, no audio, or claim what their size can't hold."""


class FormatUnsupported(DecodeError):  # noqa: N818 - named for what is wrong
    """The sound is of a format that this installation can't decode; the message names what would."""


class WorkFailed(SessionError):  # noqa: N818 - named for what is wrong
    """A function given to `apply` raised on this recording (only with `errors="raise"`)."""


class Interrupted(KeyboardInterrupt):
    """Somebody interrupted a run; what is finished is in `frame`.

    Parameters
    ----------
    message
        What is finished, how to get it and how to go on.
    frame
        The frame as the function would have returned it, unfinished rows `skipped`;
        None where the function returns no frame.
    """

    def __init__(self, message: str, *, frame: pd.DataFrame | None = None) -> None:
        super().__init__(message)
        self.frame = frame
