"""Copies of one channel in another, found by what the two waves have in common.

What leaks from one party's channel into the other's is the same wave: later, and filtered by a line, a room or a
loudspeaker. Speech of the other party has nothing in common with it. So a filter is fitted that makes as much as
possible of one channel out of the other (least squares, as echo cancellers do), from stretches in which mostly
the source is heard; `cancel` subtracts what it explains. A pair of channels in which the filter explains nearly
everything, whoever speaks, is one sound stored twice.

The sound is read a second time for it, so that only calls are looked at whose levels or speech give reason to.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.level import decibels
from kataven_notebook.speech.spectrum import CONTEXT, FRAME_S, RATE, parts
from kataven_notebook.speech.tracks import BLOCK_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kataven_notebook.sound.recording import Recording

    Floats = NDArray[np.float32]
    Doubles = NDArray[np.float64]
    Mask = NDArray[np.bool_]

MAX_LAG_S = 1.0
"""Round trips over telephone networks take up to this long."""
_EARLY_S = 0.1  # recorders may store a copy before its source
_BLOCK = 16_384  # samples, about a second: what is looked at in one piece
_FRAMES = round(_BLOCK / RATE / FRAME_S)
_EARLY = round(_EARLY_S * RATE)
_LAGS = _EARLY + round(MAX_LAG_S * RATE)
_TAPS = 4_096  # 0.26 s: a room's first reflections, where most of a leak's energy is
_RIDGE = 0.02  # of the source's power, against fitting what the two have in common by chance
_LEAD = 160  # taps before the strongest: a filter's rise
_MOST_BLOCKS, _MIN_BLOCKS = 60, 4  # a minute of the source determines a filter; with less than 4 s all is chance
_MOST_PAIRS = 12  # of channels: more are a conference, in which a copy has no one source
_WINDOW_S = 0.032
# Somebody certainly speaks within the first of a channel's 95th percentile, and something is heard where it is the
# second above its floor. In calls without leaks, noise or not, something is heard in 7 to 50 % of the other's speech;
# with music or other voices behind it in up to all, and there the waves then show that nothing leaks.
_LOUD_DB, _AUDIBLE_DB, _QUIETEST_DBFS, _FOLLOWS = 18.0, 5.0, -85.0, 0.55
_LOUDEST_DB, _RISE_DB, _UNREST = (
    6.0,
    2.0,
    4.0,
)  # in noise: within the first of the loudest, over the floor by the others
_ALONG = 0.35  # of the source's speech; parties that take turns have 5 to 20 % in common, those who interrupt 30
_MIRROR_S = 0.03  # how well the delays of a copy and of its mirror agree
_SMEARED_DB = 6.0  # a copy that drifts fits a filter that is so much weaker
_MOST_DRIFT = 5e-4  # of time, by which two clocks may differ
_DOMINANT_DB = -2.0  # a filter is fitted to stretches in which the source is at least so much louder
_MIN_PEAK = 9.0  # the strongest tap over the typical one
_MIN_EXPLAINED = 0.25  # of a stretch's power, in the stretches that the filter is fitted to
_MIN_SHARE = 0.3  # of the stretches that the source dominates
_EXPLAINED = 0.5  # of a stretch's power, for a copy to be what is heard there
_LEAST_HEARD = 0.2  # of a stretch's power that is taken for more than noise
_ONE_SOUND_DB = -15.0  # a copy quieter than this is the leak in a channel whose party never speaks
_AT_ONCE_S, _AT_ONCE_DB = 0.01, -40.0  # but no leak comes at once: that is a sound stored twice, whatever its level
_ALL = 0.85  # share of the loud blocks that a copy explains, where it is all that is on a channel


@dataclass(frozen=True, slots=True, eq=False)
class Echo:
    """How a copy of one channel comes into another.

    Attributes
    ----------
    source, target : int
        Channels.
    lag : int
        Samples at 16 kHz until the first tap; negative where the copy comes first.
    taps : numpy.ndarray
        `(n,)` float32, the filter between them.
    level_db : float
        Of the copy, relative to its source.
    lag_s : float
        When the strongest part of the copy arrives.
    everywhere : float
        Share, 0 to 1, of the stretches in which the target is loud that the copy explains.
    """

    source: int
    target: int
    lag: int
    taps: Floats
    level_db: float
    lag_s: float
    everywhere: float

    @property
    def is_all(self) -> bool:
        """Whether the copy is all that is heard on the target: its own party never speaks."""
        return self.everywhere >= _ALL

    @property
    def is_one_sound(self) -> bool:
        """Whether the two channels hold the same sound, and no party of their own."""
        least_db = _AT_ONCE_DB if abs(self.lag_s) < _AT_ONCE_S else _ONE_SOUND_DB
        return self.is_all and self.level_db >= least_db


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Spectra of products of stretches of two channels: sums of them are correlations."""

    cross: NDArray[np.complex64]  # (blocks, bins), source with target
    own: NDArray[np.complex64]  # (blocks, bins), source with itself
    starts: NDArray[np.intp]  # (blocks,) first frames
    source_db: Floats  # (frames,) levels
    target_db: Floats

    def levels(self) -> list[Floats]:
        """Return the levels of source and target in each block."""
        return [_block_levels(one)[self.starts // _FRAMES] for one in (self.source_db, self.target_db)]

    def dominated(self) -> Mask:
        """Return the blocks in which mostly the source is heard."""
        source_db, target_db = self.levels()
        mostly: Mask = source_db > target_db + _DOMINANT_DB
        return mostly

    def energies(self, lag: int) -> Doubles:
        """Return the energy of the target in each block, `lag` samples later."""
        power = np.concatenate([[0.0], np.cumsum(10 ** (self.target_db.astype(np.float64) / 10))])
        first = np.clip(self.starts + round(lag / RATE / FRAME_S), 0, len(power) - 1)
        last = np.minimum(first + _FRAMES, len(power) - 1)
        heard = power[last] - power[first]
        # Steady noise is nothing that a copy could explain.
        noise = 10 ** (float(np.percentile(self.target_db, 10)) / 10) * (last - first)
        energy: Doubles = np.maximum(np.maximum(heard - noise, _LEAST_HEARD * heard), 1e-12) * (FRAME_S * RATE)
        return energy


def find_echoes(recording: Recording, levels_db: Sequence[Floats], speech: Sequence[Mask]) -> list[Echo]:
    """Return the copies of channels in others; reads the recording again where levels or speech give reason to.

    Parameters
    ----------
    recording
        Of two channels or more.
    levels_db
        Per channel (frames,) level, smoothed over 24 ms.
    speech
        Per channel (frames,) where it may be speech: what noise hides from the level, the model still hears.
    """
    pairs = [
        (source, target)
        for source, target in itertools.permutations(range(len(levels_db)), 2)
        if _follows(levels_db[source], levels_db[target]) or _speaks_along(speech[source], speech[target])
    ]
    if len(pairs) > _MOST_PAIRS:
        return []
    wanted = {pair: _stretches(levels_db[pair[0]], levels_db[pair[1]]) for pair in pairs}
    wanted = {pair: starts for pair, starts in wanted.items() if len(starts) >= _MIN_BLOCKS}
    if not wanted:
        return []
    blocks = _read(recording, wanted, levels_db)
    found = {pair: echo for pair, known in blocks.items() if (echo := _fit(pair, known)) is not None}
    return [echo for echo in found.values() if not _is_mirror(echo, found.get((echo.target, echo.source)))]


def _follows(source_db: Floats, target_db: Floats) -> bool:
    """Whether something is heard in the target nearly whenever the source is loud, at some delay."""
    step = round(_WINDOW_S / FRAME_S)
    count = len(source_db) // step
    if not count:
        return False
    here, there = (one[: count * step].reshape(count, step).mean(axis=1) for one in (source_db, target_db))
    loud = (here > np.percentile(here, 95) - _LOUD_DB) & (here > _QUIETEST_DBFS)
    audible = (there > np.percentile(there, 10) + _AUDIBLE_DB) & (there > _QUIETEST_DBFS)
    # In noise only the loudest of a copy stands out, by little, or as much as the noise itself moves.
    loudest = here > max(np.percentile(here, 95) - _LOUDEST_DB, _QUIETEST_DBFS)
    floor_db, low_db = np.percentile(there, [10, 2])
    rise_db = min(max(_UNREST * (floor_db - low_db), _RISE_DB), _AUDIBLE_DB)
    risen = there > max(floor_db + rise_db, _QUIETEST_DBFS)
    return max(_coincides(loud, audible), _coincides(loudest, risen)) > _FOLLOWS


def _speaks_along(source: Mask, target: Mask) -> bool:
    """Whether speech is heard in the target for much of the source's, at some delay."""
    step = round(_WINDOW_S / FRAME_S)
    return _coincides(source[::step], target[::step]) > _ALONG


def _coincides(source: Mask, target: Mask) -> float:
    """Return the share of the source's windows that the target has as well, at the delay where that is most."""
    count = len(source)
    shares = [0.0]
    for lag in range(-round(_EARLY_S / _WINDOW_S), min(round(MAX_LAG_S / _WINDOW_S), count - 1) + 1):
        both = source[: count - lag] & target[lag:] if lag >= 0 else source[-lag:] & target[:lag]
        shares.append(float(both.sum()) / max(int(source.sum()), 1))
    return max(shares)


def _is_mirror(echo: Echo, reverse: Echo | None) -> bool:
    """Whether a copy that comes before its source is only the reverse copy, seen from the other side."""
    if reverse is None or echo.is_one_sound or reverse.is_one_sound:
        return False
    return echo.lag_s < 0 and abs(echo.lag_s + reverse.lag_s) < _MIRROR_S


def _stretches(source_db: Floats, target_db: Floats) -> NDArray[np.intp]:
    """Return the first frames of blocks to look at: those that the source dominates, and those of loud target."""
    count = len(source_db) // _FRAMES
    if not count:
        return np.zeros(0, np.intp)
    here, there = _block_levels(source_db), _block_levels(target_db)
    by_source = _loudest_first(here - there, here > np.percentile(here, 95) - _LOUD_DB)[:_MOST_BLOCKS]
    by_target = _loudest_first(there - here, there > np.percentile(there, 95) - _LOUD_DB)[: _MOST_BLOCKS // 2]
    return np.union1d(by_source, by_target) * _FRAMES


def _block_levels(level_db: Floats) -> Floats:
    count = len(level_db) // _FRAMES
    power = 10 ** (level_db[: count * _FRAMES].reshape(count, _FRAMES) / 10)
    return decibels(power.mean(axis=1).astype(np.float32))


def _loudest_first(values: Floats, mask: Mask) -> NDArray[np.intp]:
    at = np.flatnonzero(mask)
    return at[np.argsort(-values[at])]


def _read(
    recording: Recording, wanted: dict[tuple[int, int], NDArray[np.intp]], levels_db: Sequence[Floats]
) -> dict[tuple[int, int], _Blocks]:
    from scipy import fft  # noqa: PLC0415 - half a second that an import of the package need not take

    size = fft.next_fast_len(_BLOCK + _LAGS, real=True)
    found: dict[tuple[int, int], list[tuple[NDArray[np.complex64], NDArray[np.complex64]]]] = {
        pair: [] for pair in wanted
    }
    starts = {pair: [int(start) for start in many] for pair, many in wanted.items()}
    step = round(FRAME_S * RATE)
    for first, sound in _stored(recording):
        for pair, waiting in starts.items():
            while waiting and (at := waiting[0] * step - first) + _BLOCK + _LAGS <= sound.shape[1]:
                waiting.pop(0)
                source, target = (sound[channel] for channel in pair)
                block = fft.rfft(source[at : at + _BLOCK], size)
                # Beyond the start there is nothing.
                later = target[max(at - _EARLY, 0) : at + _BLOCK + _LAGS - _EARLY]
                later = np.pad(later, (max(_EARLY - at, 0), 0))
                cross = np.conj(block) * fft.rfft(later, size)
                own = np.conj(block) * fft.rfft(source[at : at + _BLOCK + _TAPS], size)
                found[pair].append((cross, own))
    result = {}
    for pair, many in found.items():
        if len(many) >= _MIN_BLOCKS:
            cross_all, own_all = zip(*many, strict=True)
            result[pair] = _Blocks(
                np.array(cross_all),
                np.array(own_all),
                wanted[pair][: len(many)],
                levels_db[pair[0]],
                levels_db[pair[1]],
            )
    return result


def _stored(recording: Recording) -> Iterator[tuple[int, Floats]]:
    """Yield the sound at 16 kHz in overlapping pieces with the place of each one's first sample."""
    first, held = 0, np.zeros((recording.channels, 0), np.float32)
    overlap = _BLOCK + _LAGS + _EARLY
    for part in parts(recording.blocks(BLOCK_S), recording.sample_rate, recording.channels):
        held = np.concatenate([held, part[:, CONTEXT:]], axis=1)
        yield first, held
        gone = max(held.shape[1] - overlap, 0)
        first, held = first + gone, held[:, gone:]
    yield first, np.pad(held, ((0, 0), (0, overlap)))


def _drifting(pair: tuple[int, int], blocks: _Blocks) -> Echo | None:
    """Look for one sound stored twice by clocks that differ: each block's copy comes a little later than the last."""
    from scipy import fft  # noqa: PLC0415 - half a second that an import of the package need not take

    dominated = blocks.dominated()
    if dominated.sum() < _MIN_BLOCKS:
        return None
    spread = fft.irfft(blocks.cross / (np.abs(blocks.cross) + 1e-3 * np.abs(blocks.cross).mean()), axis=1)
    size = spread.shape[1]
    lags = np.abs(spread[:, :_LAGS]).argmax(axis=1)
    at, late = blocks.starts[dominated].astype(np.float64), lags[dominated].astype(np.float64)
    first, second = np.triu_indices(len(at), 1)
    slopes = (late[second] - late[first]) / np.maximum(at[second] - at[first], 1.0)
    slope = float(np.median(slopes))
    if abs(slope) > _MOST_DRIFT * FRAME_S * RATE:
        return None
    drifts = slope * (blocks.starts - blocks.starts[0])
    drifts -= drifts.min()
    turned = np.exp(2j * np.pi * np.arange(blocks.cross.shape[1]) * drifts[:, None] / size).astype(np.complex64)
    echo = _steady(pair, replace(blocks, cross=blocks.cross * turned))
    return echo if echo is not None and echo.is_one_sound else None


def _fit(pair: tuple[int, int], blocks: _Blocks) -> Echo | None:
    """Return the copy of the source in the target, or None: at a delay that stays, or one sound on two clocks."""
    echo = _steady(pair, blocks)
    if echo is not None and (echo.is_one_sound or echo.level_db < _ONE_SOUND_DB - _SMEARED_DB):
        return echo
    return _drifting(pair, blocks) or echo


def _steady(pair: tuple[int, int], blocks: _Blocks) -> Echo | None:
    """Fit the filter to the blocks that it explains, and say whether it explains enough."""
    dominated = blocks.dominated()
    # Twice: what the other party says in between spoils the first one.
    chosen = dominated
    for _ in range(2):
        found = _filter(blocks, chosen) if chosen.sum() >= _MIN_BLOCKS else None
        if found is None:
            return None
        first, taps, explained = found
        chosen = dominated & (explained >= max(_MIN_EXPLAINED, 0.5 * float(np.quantile(explained[dominated], 0.9))))
    if chosen.sum() < max(_MIN_BLOCKS, _MIN_SHARE * dominated.sum()):
        return None
    _, target_db = blocks.levels()
    loud = target_db > target_db.max() - _LOUD_DB
    power = np.abs(blocks.own[chosen].sum(axis=0))
    strongest = int(np.abs(taps).argmax())
    return Echo(
        source=pair[0],
        target=pair[1],
        lag=first - _EARLY,
        taps=taps.astype(np.float32),
        level_db=_gain_db(taps, power),
        lag_s=(first + strongest - _EARLY) / RATE,
        everywhere=float((explained[loud] >= _EXPLAINED).mean()),
    )


def _gain_db(taps: Doubles, power: Floats) -> float:
    """Return the level of the copy relative to its source, for a source of this power spectrum."""
    from scipy import fft  # noqa: PLC0415 - half a second that an import of the package need not take

    response = np.abs(fft.rfft(taps, 2 * (len(power) - 1))[: len(power)]) ** 2
    return float(10 * np.log10(max(float((response * power).sum() / power.sum()), 1e-12)))


def _filter(blocks: _Blocks, chosen: Mask) -> tuple[int, Doubles, Doubles] | None:
    """Return the first lag, the taps, and what share of each block's power they explain; None without a copy."""
    from scipy import fft  # noqa: PLC0415 - half a second that an import of the package need not take
    from scipy.linalg import solve_toeplitz  # noqa: PLC0415 - as above

    cross, own = blocks.cross[chosen].sum(axis=0), blocks.own[chosen].sum(axis=0)
    power = np.abs(own)
    spread = fft.irfft(cross / (power + 0.01 * power.mean()))[:_LAGS]
    peak = int(np.abs(spread).argmax())
    typical = float(np.median(np.abs(spread))) / 0.6745
    if np.abs(spread[peak]) < _MIN_PEAK * typical:
        return None
    first = max(peak - _LEAD, 0)
    with_itself = fft.irfft(own).astype(np.float64)[:_TAPS]
    with_target = fft.irfft(cross).astype(np.float64)[first : first + _TAPS]
    with_itself[0] *= 1 + _RIDGE
    taps: Doubles = solve_toeplitz(with_itself, with_target)
    each = fft.irfft(blocks.cross, axis=1)[:, first : first + _TAPS].astype(np.float64) @ taps
    explained = np.maximum(each, 0) / blocks.energies(first + _LEAD - _EARLY)
    return first, taps, np.minimum(explained, 1.0)
