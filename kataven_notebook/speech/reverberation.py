"""How long a channel's sound hangs on after words: the tail that a room adds is no speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.level import marked
from kataven_notebook.speech.spectrum import FRAME_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Frames = NDArray[np.intp]

FALL_DB = 20.0
"""The fall of level whose time is taken, from 5 to 25 dB below the words before it."""
OWN_FALL_S = 0.14
"""How long words themselves take for it, on average; in a room they take as much longer as the room adds."""
_REVERBERANT_S = 0.13
"""A quarter of the ends of words fall faster in dry channels: in 0.02 to 0.07 s, whatever codec they went through."""
_NEAR = 75  # frames, 0.6 s, beside an end
_PROMINENT = 0.8  # quantile of the level there
_FIRST_DB, _LAST_DB = 5.0, 25.0
_MARGIN_DB = 3.0  # above the floor, where a fall can still be seen
_MIN_ENDS = 4


def tail_s(level_db: Floats, decided: Frames) -> float:
    """Return by how many seconds a room lengthens the fall after words; 0.0 for a dry channel, or where noise hides it.

    Parameters
    ----------
    level_db
        (frames,), smoothed over 24 ms.
    decided
        Regions of speech, (n, 2) frames.
    """
    quiet = ~marked(decided, len(level_db))
    if not len(decided) or not quiet.any():
        return 0.0
    floor_db = float(np.median(level_db[quiet]))
    limits = [*decided[1:, 0].tolist(), len(level_db)]
    falls = [
        fall
        for (start, end), limit in zip(decided.tolist(), limits, strict=True)
        if (fall := _fall(level_db[max(end - _NEAR, start) : min(end + _NEAR, limit)], end - start, floor_db))
        is not None
    ]
    if len(falls) < _MIN_ENDS or np.percentile(falls, 25) * FRAME_S < _REVERBERANT_S:
        return 0.0
    return max(float(np.median(falls)) * FRAME_S - OWN_FALL_S, 0.0)


def _fall(level_db: Floats, length: int, floor_db: float) -> int | None:
    """Return the frames that one end takes to fall, or None where that can't be seen."""
    words = np.sort(level_db[: min(length, _NEAR)])
    prominent = float(words[int(_PROMINENT * (len(words) - 1))])
    if prominent - _LAST_DB < floor_db + _MARGIN_DB:
        return None
    loud = np.flatnonzero(level_db >= prominent - _FIRST_DB)
    below = np.flatnonzero(level_db[loud[-1] :] <= prominent - _LAST_DB)
    return int(below[0]) if len(below) else None
