"""Everything this package raises.

.. code-block:: text

    KatavenError
    ├── ConfigurationError (ValueError)      a key, account, URL or option that can't work
    ├── FrameError (ValueError)              a frame that can't be used: no session column, a taken name
    ├── MissingExtra (ImportError)           an optional dependency is not installed
    ├── StoreError (OSError)                 the store can't be read or written, or is another account's
    ├── SessionError                         about one session
    │   ├── InvalidSessionId (ValueError)    never sent
    │   ├── ApiError                         what the Hub answered
    │   │   ├── RecordingMissing (LookupError)
    │   │   ├── RecordingPending
    │   │   ├── AccessRefused (PermissionError)
    │   │   ├── PlaybackUnconfigured
    │   │   └── ServiceFailed                5xx, malformed answers, no connection
    │   ├── RateLimited                      429, also when asked again
    │   │   └── WaitTooLong                  `max_wait` was over, or the service refuses everything
    │   ├── DownloadError                    what the storage answered
    │   │   ├── UrlExpired
    │   │   ├── RecordingTooLarge
    │   │   └── DownloadFailed
    │   ├── DecodeError (ValueError)
    │   │   ├── RecordingCorrupt
    │   │   └── FormatUnsupported
    │   └── WorkFailed                       a function given to `apply` raised, in errors="raise"
    Interrupted (KeyboardInterrupt)          the run was interrupted; carries what is finished
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
        """Return the error that says which extra `purpose` needs, and how to install it."""
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
        Which session; shown in front of the message.
    """

    def __init__(self, message: str, *, session_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.session_id = session_id

    def __str__(self) -> str:
        """Return session and message; a frame's row holds the message alone."""
        return f"session {self.session_id!r}: {self.message}" if self.session_id is not None else self.message

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the keyword arguments too, so that errors from workers keep their session."""
        return (_rebuild, (type(self), self.message, self.__dict__))


def _rebuild(kind: type[SessionError], message: str, state: dict[str, object]) -> SessionError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class InvalidSessionId(SessionError, ValueError):  # noqa: N818 - named for what is wrong
    """The id is missing, blank, or would reach another route of the service; it was not sent."""


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
    """401, 403, or 400 that names the account: the credentials do not open this account or session."""


class PlaybackUnconfigured(ApiError):  # noqa: N818 - named for what is wrong
    """503 that says that recording playback is not configured for the account."""


class ServiceFailed(ApiError):  # noqa: N818 - named for what is wrong
    """The Hub failed, could not be reached, or gave an answer that its contract does not define."""


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


class WaitTooLong(RateLimited):
    """`max_wait` was over before the limits allowed a request, or the service has refused all for very long."""


class DownloadError(SessionError):
    """The storage did not deliver the sound."""


class UrlExpired(DownloadError):  # noqa: N818 - named for what is wrong
    """The storage refused the signed URL as expired."""


class RecordingTooLarge(DownloadError):  # noqa: N818 - named for what is wrong
    """The recording is larger than `max_bytes`."""


class DownloadFailed(DownloadError):  # noqa: N818 - named for what is wrong
    """The storage refused, failed or could not be reached, after all retries."""


class DecodeError(SessionError, ValueError):
    """The bytes that arrived are not usable sound."""


class RecordingCorrupt(DecodeError):  # noqa: N818 - named for what is wrong
    """The bytes are empty, truncated, not audio, or their header claims more than they can hold."""


class FormatUnsupported(DecodeError):  # noqa: N818 - named for what is wrong
    """The format can't be decoded by this installation; the message names the extra that can."""


class WorkFailed(SessionError):  # noqa: N818 - named for what is wrong
    """A function given to `apply` raised on this recording (only with `errors="raise"`)."""


class Interrupted(KeyboardInterrupt):
    """A run was interrupted; what is finished is in `frame`.

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
