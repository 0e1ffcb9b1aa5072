"""Takes copies of one channel out of another: what a fitted filter explains is subtracted, however loud it is.

What both parties say at once is kept, since it has nothing in common with the copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.spectrum import CONTEXT, WINDOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from kataven_notebook.speech.echo import Echo

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]

_HOP = 4 * WINDOW
"""Samples, 0.13 s, in which gain control may change a copy's level; parts begin at a multiple of it."""
_MEMORY = 3  # stretches that one gain is taken from, itself and those before it
_LEAST_GAIN = 0.1


def cancelled(source: Iterable[Floats], echoes: Sequence[Echo], channels: Sequence[int]) -> Iterator[Floats]:
    """Yield parts, as `spectrum.parts` gives them, of some channels, with the copies taken out of them."""
    from scipy.signal import oaconvolve  # noqa: PLC0415 - scipy.signal is slow to import

    past = max(0, *(echo.lag + len(echo.taps) for echo in echoes))
    ahead = max(0, *(-echo.lag for echo in echoes))
    followers = [_GainFollower(10 ** (echo.level_db / 10)) for echo in echoes]
    known: Floats | None = None
    context: Floats | None = None
    for part, coming in _with_next(source):
        new = part[:, CONTEXT:]
        if known is None:
            known = np.zeros((len(part), past), np.float32)
            context = part[:, :CONTEXT]
        after = np.zeros((len(part), ahead), np.float32) if coming is None else coming[:, CONTEXT : CONTEXT + ahead]
        after = np.pad(after, ((0, 0), (0, ahead - after.shape[1])))
        sound = np.concatenate([known, new, after], axis=1)
        clean = new.copy()
        for echo, follower in zip(echoes, followers, strict=True):
            first = past - echo.lag - len(echo.taps) + 1
            heard = sound[echo.source, first : first + new.shape[1] + len(echo.taps) - 1]
            copy = oaconvolve(heard, echo.taps, mode="valid").astype(np.float32)
            clean[echo.target] -= copy * follower.gains(clean[echo.target], copy)
        whole = np.concatenate([context, clean], axis=1)
        yield np.ascontiguousarray(whole[list(channels)])
        context, known = whole[:, -CONTEXT:], sound[:, new.shape[1] : new.shape[1] + past]


class _GainFollower:
    """How much of a copy is in the target from moment to moment: gain control makes it rise and fall.

    As far as the copy explains the target there; where the other party speaks over it, it is taken as it is. So it is
    where the target is louder than the source: then it is the party itself, whose own copy is in the source.

    Parameters
    ----------
    ratio
        Power of the copy over that of its source.
    """

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._sums = np.zeros((3, _MEMORY - 1))
        self._last = 1.0

    def gains(self, target: Floats, copy: Floats) -> Floats:
        """Return the gain at each sample of the next part."""
        count = -(-len(copy) // _HOP)
        room = (0, count * _HOP - len(copy))
        t, c = (np.pad(one, room).reshape(count, _HOP).astype(np.float64) for one in (target, copy))
        sums = np.concatenate([self._sums, [np.sum(one, axis=1) for one in (t * c, c * c, t * t)]], axis=1)
        both, own, all_ = (np.convolve(one, np.ones(_MEMORY), "valid") for one in sums)
        gain = np.maximum(both / np.maximum(own, 1e-12), _LEAST_GAIN)
        gain[all_ * self._ratio > own] = 1.0
        explained = np.maximum(both, 0) ** 2 / np.maximum(own * all_, 1e-18)
        gain = 1 + (gain - 1) * np.minimum(explained, 1) ** 2
        # From one stretch's gain to the next's, so that no step is heard.
        ends = np.concatenate([[self._last], gain])
        at = np.arange(len(copy)) / _HOP
        self._sums, self._last = sums[:, count:], float(gain[-1])
        smooth: Floats = np.interp(at, np.arange(count + 1), ends).astype(np.float32)
        return smooth


def _with_next(source: Iterable[Floats]) -> Iterator[tuple[Floats, Floats | None]]:
    iterator = iter(source)
    held = next(iterator, None)
    while held is not None:
        coming = next(iterator, None)
        yield held, coming
        held = coming
