"""Options that several functions share: checked once, and made into the plan of a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.errors import ConfigurationError
from kataven_notebook.pipeline import Plan
from kataven_notebook.settings import current_settings
from kataven_notebook.store import Store, shared_store

if TYPE_CHECKING:
    from kataven_notebook.settings import Settings

    StoreLike = str | os.PathLike[str] | Store | None
    Duration = str | float | pd.Timedelta | None


def check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    """Refuse an option's value that is none of its choices.

    Raises
    ------
    ConfigurationError
        Which are allowed.
    """
    if value not in choices:
        allowed = " or ".join(repr(each) for each in choices)
        raise ConfigurationError(f"{name}={value!r}: pass {allowed}")


def duration_s(value: Duration, name: str) -> float | None:
    """Return a length of time in seconds, from seconds or from text such as "10min".

    Raises
    ------
    ConfigurationError
        It is no length of time, or negative.

    Examples
    --------
    >>> duration_s("10min", "max_wait")
    600.0
    """
    if value is None:
        return None
    try:
        seconds = float(value) if isinstance(value, int | float) else pd.Timedelta(value).total_seconds()
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise ConfigurationError(f'{name}={value!r}: pass seconds, or a length of time such as "10min"')
    return seconds


def sound_plan(
    settings: Settings | None,
    store: StoreLike,
    *,
    max_bytes: int,
    verify: str,
    poll_pending: Duration,
    max_wait: Duration,
    in_flight: int | None,
    **others: Any,
) -> Plan:  # fmt: skip - one line a kind of option
    """Make the plan of a run that fetches sound, its options checked.

    Raises
    ------
    ConfigurationError
        An option that can't work.
    StoreError
        The store can't be opened.
    """
    check_choice("verify", verify, ("quick", "full"))
    for name, value in (("max_bytes", max_bytes), ("in_flight", in_flight)):
        if value is not None and value < 1:
            raise ConfigurationError(f"{name}={value!r}: pass a number from 1")
    used = current_settings(settings)
    return Plan(
        settings=used,
        store=open_store(store if store is not None else used.store),
        max_bytes=max_bytes,
        verify_full=verify == "full",
        poll_pending_s=duration_s(poll_pending, "poll_pending") or 0.0,
        max_wait_s=duration_s(max_wait, "max_wait"),
        in_flight=in_flight,
        **others,
    )


def open_store(store: StoreLike) -> Store | None:
    """Return the store of a folder, the same one for the whole process."""
    return store if store is None or isinstance(store, Store) else shared_store(os.fspath(store))
