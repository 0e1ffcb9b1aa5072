"""Signals between the threads of a run: exceptions that end a piece of work, and are nobody's error."""


class Stopped(Exception):  # noqa: N818 - a signal, not an error
    """The run is being stopped; nothing new begins."""


class NotAttempted(Exception):  # noqa: N818 - a signal, not an error
    """The run is over for all sessions that have not begun; says why, where that is known."""
