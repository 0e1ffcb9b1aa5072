"""The edges of speech: where sound rises above its background, by thresholds that follow the noise.

The level of a stretch is taken over that of the background *in each band* and averaged, so that a hum or a
rumble does not hide what stands out elsewhere, and a leak of the other party counts as background too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.intervals import join
from kataven_notebook.speech.level import MIN_PAUSE_S, MIN_SPEECH_S, decibels, joined, runs, smoothed
from kataven_notebook.speech.reverberation import FALL_DB
from kataven_notebook.speech.spectrum import FRAME_S, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kataven_notebook.speech.intervals import Intervals
    from kataven_notebook.speech.leak import Leak

    Floats = NDArray[np.float32]
    Halves = NDArray[np.float16]
    Frames = NDArray[np.intp]  # (n, 2), first frame and the one after the last

# Background is never taken for quieter than this, or so far below speech that is fainter: codecs leave traces in
# digital silence.
_QUIETEST_DBFS, _QUIETEST_DB = -78.0, 33.0
_CONTEXT_S = 1.0  # of background before an onset or after an end, enough to know its level and unrest
_GUARD_S = 0.12  # not background: what is this near to speech
_MIN_CONTEXT_S = 0.1
_UNREST = 0.95  # quantile of the background's level that speech has to exceed, by the margin
_MARGIN_DB, _MIN_RISE_DB = 1.0, 2.0  # the second is the least rise over a background that hardly moves
_SEARCH_S = 0.45  # how far from where it was decided to be speech an edge is looked for
_NEAR_S = 0.6  # of speech beside an edge, to tell how far it stands out there
_PROMINENT = 0.8  # quantile of its level
# Where speech stands out less than this, the model's edges count: in noise of 10 dB the level alone cut the quiet
# ends of words.
_TRUSTED_DB = 4.0
_RANGE_DB = 50.0  # what is this far below the speech beside it is no part of it
_HOLE_S, _MIN_RISE_S = 0.1, 0.04  # gaps within sound that are bridged; shorter sounds are dropped
_RESTLESS_DB = 8.0  # background that rises this much by itself can't show that there was no speech
_NOISY_DB = 15.0  # speech that is less than this above the background is smoothed more
_FINE, _COARSE = 3, 7  # frames to smooth over, in quiet and in noise
_ROUNDING_S = 0.008  # by which smoothing over three frames of 16 ms moves edges outwards
# How fast words rise and fade on average: an edge hidden below noise is moved out by as long as its hidden part
# takes. Speech that stands out by the headroom hides nothing.
_RISE_DB_PER_S, _FADE_DB_PER_S, _HEADROOM_DB = 1000.0, 145.0, 20.0


@dataclass(frozen=True, slots=True, eq=False)
class _Background:
    """What a place sounds like without speech: power per band, and how high its level rises by itself."""

    power: Floats
    threshold_db: float


@dataclass(frozen=True, slots=True)
class _Side:
    background: _Background
    prominence_db: float
    range_db: float = _RANGE_DB

    @property
    def trusted(self) -> bool:
        return self.prominence_db - self.background.threshold_db >= _TRUSTED_DB

    @property
    def threshold_db(self) -> float:
        return max(self.background.threshold_db, self.prominence_db - self.range_db)

    @property
    def hidden_db(self) -> float:
        """How much of what belongs to the words lies below the threshold: more, the less they stand out."""
        if self.range_db < _RANGE_DB:
            return 0.0
        return max(_HEADROOM_DB - (self.prominence_db - self.background.threshold_db), 0.0)


class EdgeFinder:
    """Moves the edges of decided speech to where the level rises and falls, as far as it can be trusted.

    Parameters
    ----------
    bands
        (frames, bands) mean square of one channel, packed.
    leaks
        What reaches this channel from others.
    decided
        Regions of speech, (n, 2) frames.
    room_s
        How much longer a room makes words fall, as `reverberation.tail_s` has it.
    """

    def __init__(self, bands: Halves, leaks: Sequence[Leak], decided: Frames, room_s: float = 0.0) -> None:
        self._bands = bands
        self._leaks = leaks
        self._decided = decided
        self._room_s = room_s
        self._quietest = self._least_background()
        ends = np.concatenate([[[0, 0]], decided, [[len(bands), len(bands)]]])
        self._gaps = np.column_stack([ends[:-1, 1], ends[1:, 0]])
        guard = round(_GUARD_S / FRAME_S)
        # The recording's own ends need no distance.
        self._guards = np.full(self._gaps.shape, guard)
        self._guards[0, 0] = self._guards[-1, 1] = 0

    def _least_background(self) -> float:
        levels = [float(decibels(unpacked(self._bands[a:b]).mean()[None])[0]) for a, b in self._decided]
        least_db = min(_QUIETEST_DBFS, max(levels, default=0.0) - _QUIETEST_DB)
        return float(10 ** (least_db / 10))

    def edges(self, decided_s: Intervals) -> Intervals:
        """Return intervals in seconds; `decided_s` is what to say where the level can't be trusted."""
        fine = self._backgrounds(_FINE)
        coarse: dict[int, tuple[_Background | None, _Background | None]] = {}
        found: list[tuple[float, float]] = []
        for i, (region, model_s) in enumerate(zip(self._decided, decided_s, strict=True)):
            width, (before, after) = _FINE, self._around(fine, i)
            if before is not None and after is not None and self._noisy(region, before, after):
                width = _COARSE
                for gap in (i, i + 1):
                    if gap not in coarse:
                        coarse[gap] = self._of_gap(gap, _COARSE)
                before, after = coarse[i][0] or before, coarse[i + 1][1] or after
            if before is None or after is None:
                found.append((model_s[0], model_s[1]))
            else:
                found.extend(self._place(i, (before, after), model_s, width))
        placed = np.array(found, dtype=np.float64).reshape(-1, 2)
        placed = join(placed[placed[:, 1] > placed[:, 0]], MIN_PAUSE_S)
        return placed[placed[:, 1] - placed[:, 0] >= MIN_SPEECH_S]

    def _backgrounds(self, width: int) -> list[tuple[_Background | None, _Background | None]]:
        return [self._of_gap(gap, width) for gap in range(len(self._gaps))]

    def _of_gap(self, gap: int, width: int) -> tuple[_Background | None, _Background | None]:
        """Return the background at the end of a gap, for the onset after it, and at its start, for the end before."""
        low, high = self._gaps[gap] + self._guards[gap] * np.array([1, -1])
        length = round(_CONTEXT_S / FRAME_S)
        if high - low < round(_MIN_CONTEXT_S / FRAME_S):
            return None, None
        late = self._background(max(low, high - length), high, width)
        if high - low <= length:
            return late, late
        return late, self._background(low, low + length, width)

    def _background(self, low: int, high: int, width: int) -> _Background:
        power, leak = self._near(low, high, width)
        median = np.sort(power, axis=0)[len(power) // 2]
        level = _level_over(power, median + leak)
        unrest = float(np.sort(level)[int(_UNREST * (len(level) - 1))])
        return _Background(median, max(unrest + _MARGIN_DB, _MIN_RISE_DB))

    def _around(
        self, known: list[tuple[_Background | None, _Background | None]], i: int
    ) -> tuple[_Background | None, _Background | None]:
        """Background before and after a region; for a gap too short to tell, the one beyond or opposite."""
        before = known[i][0] or (known[i - 1][0] if i else None)
        after = known[i + 1][1] or (known[i + 2][1] if i + 2 < len(known) else None)
        return before or after, after or before

    def _noisy(self, region: Frames, before: _Background, after: _Background) -> bool:
        speech = np.median(decibels(unpacked(self._bands[region[0] : region[1]]).mean(axis=1)))
        noise = decibels(np.maximum(before.power, after.power).mean())
        return bool(speech - noise < _NOISY_DB)

    def _near(self, low: int, high: int, width: int) -> tuple[Floats, Floats]:
        """Smoothed power from `low` to `high`, and the power that leaks account for there."""
        first, last = max(low - width, 0), min(high + width, len(self._bands))
        power = smoothed(unpacked(self._bands[first:last]), width)[low - first : high - first]
        leak = np.full(power.shape[1], self._quietest / 8, np.float32)[None]
        for source in self._leaks:
            leak = leak + smoothed(source.power(first, last), width)[low - first : high - first]
        return power, leak

    def _place(
        self, i: int, around: tuple[_Background, _Background], model_s: Floats, width: int
    ) -> list[tuple[float, float]]:
        start, end = self._decided[i]
        low, high = self._reach(i)
        middle = (start + end) // 2
        power, leak = self._near(low, high, width)
        leak = np.broadcast_to(leak, power.shape)
        cut = middle - low
        level = np.concatenate(
            [
                _level_over(power[:cut], around[0].power + leak[:cut]),
                _level_over(power[cut:], around[1].power + leak[cut:]),
            ]
        )
        near = round(_NEAR_S / FRAME_S)
        sides = (
            _Side(around[0], _prominence(level[start - low : min(start + near, end) - low])),
            _Side(
                around[1],
                _prominence(level[max(start, end - near) - low : end - low]),
                FALL_DB if self._room_s else _RANGE_DB,
            ),
        )
        above = np.concatenate([level[:cut] > sides[0].threshold_db, level[cut:] > sides[1].threshold_db])
        pieces = joined(runs(above), round(_HOLE_S / FRAME_S))
        pieces = pieces[(pieces[:, 1] - pieces[:, 0] >= 3) & (pieces[:, 1] > start - low) & (pieces[:, 0] < end - low)]
        pieces = joined(pieces, round(MIN_PAUSE_S / FRAME_S))
        pieces = pieces[pieces[:, 1] - pieces[:, 0] >= round(_MIN_RISE_S / FRAME_S)]
        # Nothing rises above the background: then it was no speech, unless the background hides it.
        if not len(pieces):
            restless = max(side.background.threshold_db for side in sides) > _RESTLESS_DB
            return [(model_s[0], model_s[1])] if restless else []
        return _in_seconds(pieces + low, sides, model_s, self._room_s)

    def _reach(self, i: int) -> tuple[int, int]:
        """Return the frames in which a region's edges may lie: up to half of the way to its neighbours."""
        search = round(_SEARCH_S / FRAME_S)
        start, end = self._decided[i]
        before, after = self._gaps[i], self._gaps[i + 1]
        low = before[0] if i == 0 else (before[0] + before[1]) // 2
        high = after[1] if i + 1 == len(self._decided) else (after[0] + after[1]) // 2
        return max(start - search, low), min(end + search, high)


def _in_seconds(
    pieces: Frames, sides: tuple[_Side, _Side], model_s: Floats, room_s: float
) -> list[tuple[float, float]]:
    starts = pieces[:, 0] * FRAME_S + _ROUNDING_S - sides[0].hidden_db / _RISE_DB_PER_S
    ends = pieces[:, 1] * FRAME_S - _ROUNDING_S + sides[1].hidden_db / _FADE_DB_PER_S - room_s
    if sides[0].trusted and sides[1].trusted:
        return list(zip(starts.tolist(), ends.tolist(), strict=True))
    # Against hold music and the like the level shows no pauses, and at most one of the edges.
    start = starts[0] if sides[0].trusted else model_s[0]
    end = ends[-1] if sides[1].trusted else model_s[1]
    return [(float(start), float(end))]


def _level_over(power: Floats, background: Floats) -> Floats:
    return decibels((power / background).mean(axis=1))


def _prominence(level_db: Floats) -> float:
    return float(np.sort(level_db)[int(_PROMINENT * (len(level_db) - 1))])
