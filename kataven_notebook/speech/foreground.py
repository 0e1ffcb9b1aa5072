"""The party on a channel, and the voices behind it: told apart by level, where that is possible.

A television or colleagues speak whenever they like, at a level of their own; a party keeps near its own level, and is
mostly silent while the other speaks. Long stretches of speech far below the party's level, that go on while the other
party speaks, are therefore taken for somebody behind it. Where few frames lie between the two levels, the quieter ones
are taken out; where the levels run into each other, nothing can be said about who speaks when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.level import decibels, marked, runs, smoothed
from kataven_notebook.speech.spectrum import FRAME_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Mask = NDArray[np.bool_]

_SMOOTHING = 25  # frames, 0.2 s: syllables of one voice have one level
_OWN = 90  # percentile of the level in speech that is the party's own
_FAR_DB = 12.0  # below it no party speaks for long: in calls of one voice a channel, GSM and noise included, 0 %
_LONG_S = 0.5
_MIN_SHARE, _MIN_TIME_S = 0.03, 1.0  # of the speech found, that is so far below, for a voice behind
# How much of what is expected by chance a voice behind coincides with the other's speech, at least; and how much the
# party itself does at most, that speaks more softly or from farther away at times. In between nothing can be said.
_INDEPENDENT, _OWN_QUIET = 0.5, 0.31
_FAINT_DB = 18.0  # what is so far below the party's own level, and while the other speaks, is not the party
_VALLEY_DB, _VALLEY_WIDTH_DB = (7.0, 20.0), 4.0  # below the party's own level, where the two may part
# How far below the valley a party's soft words are looked for, of which length, and how far apart from the other's.
_SOFT_DB, _MIN_SOFT_S, _SOFT_APART = 8.0, 3.0, 0.15
_MAX_IN_VALLEY = 0.2  # of the frames above it: more, and the levels run into each other
_REACH_S = 0.06  # around what is loud, that belongs to it


@dataclass(frozen=True, slots=True, eq=False)
class Behind:
    """A voice behind a channel's party.

    Attributes
    ----------
    level_db : float
        Its median level, relative to the party's own.
    foreground : numpy.ndarray or None
        `(frames,)` bool, where the party itself speaks; None where the two can't be told apart.
    """

    level_db: float
    foreground: Mask | None


def find_behind(total: Floats, speech: Mask, others: Mask) -> Behind | None:
    """Return the voice behind a channel's party, or None.

    Parameters
    ----------
    total
        (frames,) power of the channel.
    speech
        (frames,) where the model hears speech.
    others
        (frames,) where another channel's party speaks.
    """
    # Two parties on one channel differ in level as well: only another one's speech tells a party from others.
    if not speech.any() or not others.any():
        return None
    level_db = decibels(smoothed(total, _SMOOTHING))[: len(speech)]
    own_db = float(np.percentile(level_db[speech], _OWN))
    far = _long(speech & (level_db < own_db - _FAR_DB))
    if far.sum() < max(_MIN_SHARE * speech.sum(), _MIN_TIME_S / FRAME_S):
        faint = _faint(level_db - own_db, speech, others)
        return Behind(-_FAINT_DB, speech & ~faint) if faint.any() else None
    near = speech & (level_db >= own_db - _FAR_DB)
    chance = float(others[~near].mean()) if (~near).any() else 0.0
    together = float(others[far].mean())
    if together < _OWN_QUIET * chance:
        return None
    behind_db = float(np.median(level_db[far])) - own_db
    valley_db = _valley(level_db[speech] - own_db, behind_db)
    if valley_db is None or together < _INDEPENDENT * chance:
        return Behind(behind_db, None)
    loud = decibels(smoothed(total, _SMOOTHING // 2 | 1))[: len(speech)] > own_db + valley_db
    reach = 2 * round(_REACH_S / FRAME_S) + 1
    foreground = speech & (np.convolve(loud, np.ones(reach), "same") > 0.5)
    # Words just below the valley that avoid the other's are the party's own, spoken more softly.
    soft = _long(speech & ~foreground & (level_db > own_db + valley_db - _SOFT_DB))
    if soft.sum() * FRAME_S >= _MIN_SOFT_S and float(others[soft].mean()) < _SOFT_APART * chance:
        return Behind(behind_db, None)
    return Behind(behind_db, foreground)


def _faint(relative_db: Floats, speech: Mask, others: Mask) -> Mask:
    """Return the words that are much fainter than the party's, and fall into the other's."""
    found = np.zeros(len(speech), bool)
    for start, end in runs(speech):
        if relative_db[start:end].max() < -_FAINT_DB and others[start:end].mean() > 0.5:
            found[start:end] = True
    return found


def _long(mask: Mask) -> Mask:
    """Return the runs of `mask` that are no pause within words."""
    found = runs(mask)
    return marked(found[(found[:, 1] - found[:, 0]) * FRAME_S >= _LONG_S], len(mask))


def _valley(relative_db: Floats, behind_db: float) -> float | None:
    """Return above the level behind where there is least, or None where there is no valley."""
    highest, lowest = _VALLEY_DB
    places = np.arange(max(-lowest, behind_db + _VALLEY_WIDTH_DB / 2), -highest + 0.1, 0.5)
    if not len(places):
        return None
    width = _VALLEY_WIDTH_DB / 2
    shares = np.array([np.mean(np.abs(relative_db - place) < width) for place in places])
    deepest = int(shares.argmin())
    above = float(np.mean(relative_db > places[deepest]))
    return float(places[deepest]) if shares[deepest] <= _MAX_IN_VALLEY * above else None
