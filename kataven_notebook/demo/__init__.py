"""The whole service on loopback: a Hub with its API, limits and object storage, and synthetic calls to fetch.

Everything that this package does can be tried here without an account, and every way in which the service
can fail can be brought about on purpose. It imports nothing of the package but `Settings` and `Limits`, so that the
Hub can't share the client's mistakes. Its modules are tested together, over HTTP: what counts is what the service
answers.

>>> import kataven_notebook as kn
>>> with kn.demo.hub() as hub:
...     ids = list(hub.sessions["session_id"])
>>> len(ids)
16
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from kataven_notebook.demo._hub import Hub
    from kataven_notebook.settings import Limits

__all__ = ["Hub", "fault_names", "hub", "serve"]


def hub(
    *,
    limits: Limits | None = None,
    url_life_s: float = 300.0,
    api_latency_s: float = 0.0,
    storage_latency_s: float = 0.0,
    sessions: Mapping[str, bytes] | None = None,
    calls: int | str | os.PathLike[str] | None = None,
    faults: Mapping[str, str] | None = None,
    port: int = 0,
    storage_port: int = 0,
    **options: Any,
) -> Hub:
    """Run a demo Hub in a thread, until it is closed or the `with` block ends.

    In a notebook, ``hub = kn.demo.hub()`` serves until the kernel ends.

    Parameters
    ----------
    limits
        What an account may ask, as `kataven_notebook.Limits`; None (the default) for the service's own
        numbers: 60 a minute, 1,000 an hour, 10,000 a day, 20 in flight.
    url_life_s
        Life of a signed URL in whole seconds, from 1. The service's own is 300.
    api_latency_s, storage_latency_s
        Seconds added to each answer; none by default.
    sessions
        Session ids with the bytes of their recordings, in place of the sixteen sample sessions; ``{}``
        for none.
    calls
        In place of the sample sessions, a number of calls for a study, up to 1,000 (about 0.3 MB of memory each),
        the same each time: half of them with prompt "A", half with "B", over weekdays from 9 to 18 o'clock, of
        callers some of whom call again. Prompt A answers 0.3 s later than B, and else alike; B interrupts more
        often, at 30 % of the caller's longer sentences against 5 %. `Hub.sessions` has ``prompt`` and
        ``caller_id``, `Hub.truth` who really speaks when. Or a folder of sound files of your own: each is a session
        by its name without ending, and a CSV in the folder (``sessions.csv``, or the only one) may say more of each,
        by ``session_id`` or ``file_name``; rows without a file are sessions without a recording. Files are read when
        they are asked for, and go nowhere but over loopback.
    faults
        Session ids with the fault that each of their requests gets (`Faults.add` says more, and can add them
        while the hub runs).
    port, storage_port
        Loopback ports; 0 (the default) takes free ones.
    **options
        Further fields of `Options`: ``clock_offset_s``, ``url_field``, ``nested``, ``expiry_field``,
        ``cors``, ``signer``.

    Returns
    -------
    Hub
        Running, and a context manager that closes it; `Hub.settings` is what the package's functions take.

    Raises
    ------
    ValueError
        When a life is under a second, a fault is not known, both ``sessions`` and ``calls`` are given, or ``calls``
        is no number from 1 to 1,000 and no folder with sound files.
    OSError
        When a port is taken, or a folder can't be read.

    Warns
    -----
    UserWarning
        Of files in a folder that are not served, or hold no sound.

    Examples
    --------
    >>> from kataven_notebook import demo
    >>> with demo.hub(sessions={"call-1": b"RIFF"}) as hub:
    ...     print(hub.base_url.startswith("http://127.0.0.1:"), len(hub.sessions))
    True 1
    >>> with demo.hub(calls=4) as hub:
    ...     print(hub.sessions["prompt"].value_counts().to_dict())
    {'B': 2, 'A': 2}
    """
    # Starlette and uvicorn are loaded with the first hub, not with the package.
    from kataven_notebook.demo._hub import Hub  # noqa: PLC0415 - see above

    running = Hub(
        limits=limits,
        url_life_s=url_life_s,
        api_latency_s=api_latency_s,
        storage_latency_s=storage_latency_s,
        sessions=sessions,
        calls=calls,
        faults=faults,
        port=port,
        storage_port=storage_port,
        **options,
    )
    if running.notes:
        # Warnings are errors for some, and nobody would have the hub to close.
        try:
            warnings.warn("; ".join(running.notes), stacklevel=2)
        except Warning:
            running.close()
            raise
    return running


def serve(arguments: list[str] | None = None) -> int:
    """Run a demo Hub on its own until SIGTERM or SIGINT.

    Parameters
    ----------
    arguments
        Options as on the command line (``["--port", "8000"]``); None (the default) reads the command line's.

    Returns
    -------
    int
        The exit status, 0.

    Raises
    ------
    SystemExit
        When an option is not known or its value is of no use.
    OSError
        When a port is taken.

    Examples
    --------
    >>> from kataven_notebook import demo
    >>> demo.serve(["--port", "0"])  # doctest: +SKIP
    """
    from kataven_notebook.demo._serve import serve as serve_until_signal  # noqa: PLC0415 - as in hub

    return serve_until_signal(arguments)


def fault_names() -> list[str]:
    """List the faults that a hub can be given.

    Returns
    -------
    list of str
        Side and kind, such as ``"storage:truncated"``, sorted.

    Examples
    --------
    >>> from kataven_notebook import demo
    >>> "api:rate_limited" in demo.fault_names()
    True
    """
    from kataven_notebook.demo._faults import fault_names as names  # noqa: PLC0415 - as in hub

    return names()


def __getattr__(name: str) -> Any:
    if name == "Hub":
        from kataven_notebook.demo._hub import Hub  # noqa: PLC0415 - as in hub

        return Hub
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
