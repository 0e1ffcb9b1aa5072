"""How the time of a call divides into talk, overlap and silence, from speech intervals.

Talk, double talk and mutual silence are the states of the conversation model of ITU-T P.59 (1993). Speech of one
party is an `(n, 2)` array of start and end in seconds, in any order; overlapping rows are joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kataven_notebook.numbers.turn_taking import check_seconds
from kataven_notebook.speech.intervals import Intervals, complement, intersection, tidy, total_s, union

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

DEAD_AIR_S = 3.0
"""Silence of both parties that a caller takes for a dropped line."""


@dataclass(frozen=True, slots=True)
class TalkTime:
    """How the time divides: `talk_s[0] + talk_s[1] - overlap_s + silence_s` is the duration."""

    talk_s: tuple[float, float]
    overlap_s: float
    speech_s: float
    silence_s: float


def talk_time(first: npt.ArrayLike, second: npt.ArrayLike, duration_s: float) -> TalkTime:
    """Return seconds of talk of each party, of both at once, of any, and of none (ITU-T P.59).

    Parameters
    ----------
    first, second
        Speech of the two parties, `(n, 2)`, seconds; cut at 0 and `duration_s`.
    duration_s
        Length of the call.

    Raises
    ------
    ValueError
        An array that is not `(n, 2)`, or a time that is negative or no number.

    Examples
    --------
    >>> talk_time([(0, 2)], [(1.5, 4)], 5.0)
    TalkTime(talk_s=(2.0, 2.5), overlap_s=0.5, speech_s=4.0, silence_s=1.0)
    """
    check_seconds("duration_s", duration_s)
    a, b = tidy(first, duration_s=duration_s), tidy(second, duration_s=duration_s)
    talk = (total_s(a), total_s(b))
    overlap = total_s(intersection(a, b))
    speech = talk[0] + talk[1] - overlap
    return TalkTime(talk, overlap, speech, max(duration_s - speech, 0.0))


def silences(first: npt.ArrayLike, second: npt.ArrayLike, duration_s: float, *, min_s: float = 0.0) -> Intervals:
    """Return when nobody speaks for at least `min_s`, `(n, 2)`, before the first and after the last word too.

    Raises
    ------
    ValueError
        An array that is not `(n, 2)`, or a time that is negative or no number.

    Examples
    --------
    >>> silences([(1, 2)], [(6, 8)], 8.5, min_s=1.0).tolist()
    [[0.0, 1.0], [2.0, 6.0]]
    """
    check_seconds("duration_s", duration_s)
    check_seconds("min_s", min_s)
    spoken = union(tidy(first, duration_s=duration_s), tidy(second, duration_s=duration_s))
    quiet = complement(spoken, duration_s)
    return quiet[quiet[:, 1] - quiet[:, 0] >= min_s]


def dead_air(
    speech: Iterable[npt.ArrayLike],
    duration_s: float,
    *,
    sounding: npt.ArrayLike = (),
    min_s: float = DEAD_AIR_S,
) -> Intervals:
    """Return the dead air of a call, `(n, 2)`: silence of all channels of at least `min_s`.

    Silence before the first and after the last word counts. So does silence that ends with a late response: it is
    dead air and a slow response at once. `metrics`, `moments` and the player all take dead air from here.

    Parameters
    ----------
    speech
        Speech of each channel, `(n, 2)`, seconds.
    duration_s
        Length of the call.
    sounding
        When there is sound that is no speech, such as hold music, `(n, 2)`: the line is not dead then.
    min_s
        From which length on silence is dead air; 3 s by default.

    Raises
    ------
    ValueError
        An array that is not `(n, 2)`, or a time that is negative or no number.

    Examples
    --------
    Nobody speaks from 2 to 6 s and from 8 to 10.5 s. The first is dead air, the second too short. With music from 3
    to 5 s, 1 s of silence is left on either side of it, and there is none:

    >>> dead_air([[(0, 2)], [(6, 8)]], 10.5).tolist()
    [[2.0, 6.0]]
    >>> dead_air([[(0, 2)], [(6, 8)]], 10.5, sounding=[(3, 5)]).tolist()
    []
    """
    heard = tidy(sounding, duration_s=duration_s)
    for intervals in speech:
        heard = union(heard, tidy(intervals, duration_s=duration_s))
    return silences(heard, (), duration_s, min_s=min_s)
