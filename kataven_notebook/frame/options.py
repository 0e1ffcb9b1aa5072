"""Options that several functions share: checked once, and made into the plan of a run."""

from __future__ import annotations

import contextlib
import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.arguments import check_count, is_number
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.run.plan import Plan
from kataven_notebook.settings import current_settings
from kataven_notebook.store.opening import open_store

if TYPE_CHECKING:
    from kataven_notebook.settings import Settings
    from kataven_notebook.store.opening import StoreLike

    Duration = str | float | pd.Timedelta | None


_FOR_EVER_S = 1e9


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


def duration_s(name: str, value: Duration) -> float | None:
    """Return a length of time in seconds, from seconds or from text such as "10min".

    Raises
    ------
    ConfigurationError
        It is no length of time, or negative.

    Examples
    --------
    >>> duration_s("max_wait", "10min"), duration_s("max_wait", "60")
    (600.0, 60.0)
    """
    if value is None:
        return None
    seconds = _stated_s(value)
    if not seconds >= 0:
        raise ConfigurationError(f'{name}={value!r}: pass seconds, or a length of time such as "10min"')
    # No calendar goes as far: it is said as "for ever".
    return seconds if seconds < _FOR_EVER_S else math.inf


def _stated_s(value: str | float | pd.Timedelta) -> float:
    is_span = isinstance(value, np.timedelta64)  # to numpy a whole number, too
    if isinstance(value, int | float | np.integer | np.floating) and not is_span:
        try:
            return float(value)
        except OverflowError:  # a whole number may be larger than any float
            return math.inf if value > 0 else -math.inf
    with contextlib.suppress(TypeError, ValueError):
        # A bare number, as a command line gives it, is seconds: pandas would read "60" as nanoseconds.
        return float(value if isinstance(value, str) else "")
    with contextlib.suppress(TypeError, ValueError):
        return float(pd.Timedelta(value).total_seconds())
    return -1.0


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
    StoreError, MissingExtra
        The store can't be opened.
    """
    check_choice("verify", verify, ("quick", "full"))
    if is_number(max_bytes) and max_bytes == math.inf:
        max_bytes = sys.maxsize
    check_count("max_bytes", max_bytes)
    if in_flight is not None:
        check_count("in_flight", in_flight)
    used = current_settings(settings)
    return Plan(
        settings=used,
        store=open_store(store if store is not None else used.store),
        max_bytes=int(max_bytes),
        verify_full=verify == "full",
        poll_pending_s=duration_s("poll_pending", poll_pending) or 0.0,
        max_wait_s=duration_s("max_wait", max_wait),
        in_flight=None if in_flight is None else int(in_flight),
        **others,
    )
