"""Exceptions that end a thread's work on a session without being an error.

They never reach a caller of the package.
"""


class Stopped(Exception):  # noqa: N818 - a signal, not an error
    """The run is being stopped; no new work begins."""


class NotAttempted(Exception):  # noqa: N818 - a signal, not an error
    """The run has ended for all sessions that had not begun; the message is the reason, if there is one."""


class TryLater(Exception):  # noqa: N818 - a signal, not an error
    """The session has no outcome yet and is to be tried again.

    Parameters
    ----------
    at
        When, in seconds of `time.monotonic`.
    reason
        What it waits for, as progress displays say it.
    """

    def __init__(self, at: float, reason: str) -> None:
        super().__init__()
        self.at, self.reason = at, reason
