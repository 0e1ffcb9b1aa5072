"""Exceptions that end a thread's work without being an error: the run stops.

They never reach a caller of the package.
"""


class Stopped(Exception):  # noqa: N818 - a signal, not an error
    """The run is being stopped; no new work begins."""


class NotAttempted(Exception):  # noqa: N818 - a signal, not an error
    """The run has ended for all sessions that had not begun; the message is the reason, if there is one."""
