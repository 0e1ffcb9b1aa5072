"""Times and durations as people read them."""

from __future__ import annotations

import time


def clock_text(at: float, *, now: float | None = None) -> str:
    """Return a time of day, with the date where it is not today.

    Parameters
    ----------
    at, now
        Seconds since the epoch; `now` is the present time by default.

    Examples
    --------
    >>> noon = time.mktime((2026, 1, 31, 12, 0, 0, 0, 0, -1))
    >>> clock_text(noon, now=noon), clock_text(noon, now=noon + 86_400)
    ('12:00:00', '2026-01-31 12:00')
    """
    local = time.localtime(at)
    same_day = local[:3] == time.localtime(now)[:3]
    return time.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M", local)


def duration_text(duration_s: float) -> str:
    """Return a duration as minutes and seconds, with hours where there are any.

    Examples
    --------
    >>> duration_text(75.2), duration_text(3725), duration_text(-2)
    ('1:15', '1:02:05', '-0:02')
    """
    seconds = round(duration_s)
    minutes, second = divmod(abs(seconds), 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"-{text}" if seconds < 0 else text
