"""What a channel sounds like: loudness, peak, clipping, noise floor, signal-to-noise ratio.

Pure functions of samples, `(frames, channels)` float32 in [-1, 1], where 1 is full scale (0 dBFS).
`measure_quality` takes them in blocks, so that an hour needs no more memory than a minute. A number that
can't be had is NaN, and `ChannelQuality.reasons` says why; a level is never 0 for want of one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.numbers.clipping import ClippingMeter
from kataven_notebook.numbers.loudness import LoudnessMeter
from kataven_notebook.numbers.noise import (
    DIGITAL_SILENCE_DBFS,
    MIN_NOISE_WINDOWS,
    TonalityMeter,
    find_noise,
    signal_to_noise,
)
from kataven_notebook.speech.intervals import Intervals, tidy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]
    Doubles = npt.NDArray[np.float64]

WINDOW_S = 0.01
"""Levels are taken over windows of this length."""
SILENT_DBFS = -60.0
"""A channel whose level never reaches this is silent: nobody can be heard on it."""
NOISE_GUARD_S = 0.1
"""Sound this near to speech may be its beginning or decay and is not taken for noise."""
_LOUDEST = 1e6  # times full scale: what is beyond is no sound, and its square no number of 32 bits


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """One channel's signal in numbers; NaN where `reasons` says why.

    Attributes
    ----------
    lufs : float
        Integrated loudness, LUFS, of the channel alone: ITU-R BS.1770-4 with K-weighting and both gates
        (-70 LUFS, and 10 LU below what passes it). A 997 Hz sine at full scale has -3.0. It is the loudness of all
        that is on the channel: hold music, ringback or noise within 10 LU of speech count, and draw it to theirs.
    peak_dbfs : float
        Largest sample, dBFS; sample peak, not true peak.
    clipping_ratio : float
        Share of samples in [0, 1] that are cut off: at least three equal ones in a row at full scale
        (also that of G.711), or at a flat top below it where far more samples lie than just beneath. Where a codec
        or another sample rate came afterwards, an estimate: how many more samples lie at the level of flat crests
        than the sound beneath lets expect. Missing where crests look cut off but their number can't be told. A
        band-pass of 300 to 3400 Hz hides most clipping, and less than 1 % before a codec may read 0; a limiter of
        1 ms that flattens crests counts as clipping.
    noise_floor_dbfs : float
        Level where nobody speaks: median over 10 ms windows at least 0.1 s from speech, dBFS RMS, whatever is heard
        there: noise, hold music, a leak of the other party.
    snr_db : float
        Power of speech, the noise under it taken off, over the mean power of noise, dB. Noise is what is heard at
        least 0.1 s from speech but for music and tones: the median of its mean power over 0.2 s. It is not
        `noise_floor_dbfs`, which lies below the mean of low-pitched noise (by 1.6 dB in a car). Missing where
        music or tones leave too little noise, or where the background is found as speech.
    quietest_dbfs : float
        Level that a tenth of those windows don't exceed, dBFS RMS: what lies under hold music or a voice in the
        background. -inf for digital silence.
    digital_silence_ratio : float
        Share of those non-speech windows in [0, 1] without any noise: synthetic speech has no room around it.
    silent : bool
        The level never reaches -60 dBFS.
    clipped : numpy.ndarray
        Where it clips, `(n, 2)` seconds, to 10 ms.
    reasons : tuple of (str, str)
        Which of these numbers is missing, and why.
    finite_ratio : float
        Share of samples in [0, 1] that are numbers at all; floating-point files may hold others.
    """

    lufs: float
    peak_dbfs: float
    clipping_ratio: float
    noise_floor_dbfs: float
    snr_db: float
    quietest_dbfs: float
    digital_silence_ratio: float
    silent: bool
    clipped: Intervals = field(repr=False)
    reasons: tuple[tuple[str, str], ...]
    finite_ratio: float = 1.0


def measure_quality(
    blocks: Iterable[Samples], sample_rate: int, speech: Sequence[npt.ArrayLike]
) -> tuple[ChannelQuality, ...]:
    """Return each channel's quality, from sound in consecutive blocks.

    Parameters
    ----------
    blocks
        `(n, channels)` in [-1, 1], for instance `recording.blocks()`.
    sample_rate
        Frames a second, Hz.
    speech
        Per channel when there is speech, `(n, 2)` seconds.

    Raises
    ------
    ValueError
        A block that has not as many channels as `speech`.

    Examples
    --------
    >>> import numpy as np
    >>> sound = np.random.default_rng(0).normal(0, 0.001, 16_000)
    >>> sound[:8_000] += 0.1 * np.sin(2 * np.pi * 997 * np.arange(8_000) / 8_000)
    >>> quality = measure_quality([sound[:, None]], 8_000, [[(0, 1)]])[0]
    >>> round(quality.snr_db), round(quality.noise_floor_dbfs), round(quality.peak_dbfs)
    (37, -60, -20)
    """
    meter = QualityMeter(sample_rate, len(speech))
    for block in blocks:
        meter.add(block)
    return meter.result(speech)


class QualityMeter:
    """Gathers what `ChannelQuality` is made of, block after block, in about 10 MB an hour.

    Parameters
    ----------
    sample_rate
        Frames a second, Hz.
    channels
        How many channels the blocks have.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.sample_rate = sample_rate
        self._channels = [_Channel(sample_rate) for _ in range(channels)]

    def add(self, block: npt.NDArray[np.floating]) -> None:
        """Take the next block, `(n, channels)`.

        Raises
        ------
        ValueError
            It has another number of channels.
        """
        if block.ndim != 2 or block.shape[1] != len(self._channels):
            raise ValueError(f"a block of shape {block.shape}: pass (frames, {len(self._channels)})")
        if not len(block):
            return
        for index, channel in enumerate(self._channels):
            channel.add(block[:, index].astype(np.float64))

    def result(self, speech: Sequence[npt.ArrayLike]) -> tuple[ChannelQuality, ...]:
        """Return the quality of what was taken so far; `speech` as in `measure_quality`."""
        return tuple(channel.result(tidy(intervals)) for channel, intervals in zip(self._channels, speech, strict=True))


class _Channel:
    """One channel's sums."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._window_length = max(1, round(WINDOW_S * sample_rate))
        self._rest: Doubles = np.empty(0)
        self._means: list[npt.NDArray[np.float32]] = []
        self._powers: list[npt.NDArray[np.float32]] = []
        self._samples = 0
        self._not_finite = 0
        self._beyond = 0  # of these, those that are numbers, but of no sound
        self._peak = 0.0
        self._clipping = ClippingMeter(self._window_length)
        self._tonality = TonalityMeter(self._window_length)
        self._loudness = LoudnessMeter(sample_rate)

    def add(self, samples: Doubles) -> None:
        peak = max(float(samples.max()), -float(samples.min()))
        # A comparison with NaN is false.
        if not peak < _LOUDEST:
            finite = np.abs(samples) < _LOUDEST
            self._beyond += int(np.isfinite(samples[~finite]).sum())
            self._not_finite += int((~finite).sum())
            samples = np.where(finite, samples, 0.0)
            peak = float(np.abs(samples).max())
        self._samples += len(samples)
        self._peak = max(self._peak, peak)
        self._loudness.add(samples)
        joined = np.concatenate([self._rest, samples])
        whole = len(joined) // self._window_length * self._window_length
        windows = joined[:whole].reshape(-1, self._window_length)
        self._clipping.add(samples, windows)
        self._tonality.add(windows)
        means = windows.mean(axis=1)
        self._means.append(means.astype(np.float32))
        # The variance is kept apart from the mean: a large offset would drown a small signal otherwise.
        self._powers.append(
            (np.einsum("ij,ij->i", windows, windows) / self._window_length - means**2).astype(np.float32)
        )
        self._rest = joined[whole:]

    def result(self, speech: Intervals) -> ChannelQuality:
        reasons: dict[str, str] = {}
        if not self._samples or self._not_finite:
            beyond = " or over a million times full scale" if self._beyond else ""
            why = f"{self._not_finite} samples are not finite{beyond}" if self._samples else "there is no sound"
            return self._nothing(why)
        powers = self._window_powers()
        clipped = self._clipping.result()
        if clipped.reason:
            reasons["clipping_ratio"] = clipped.reason
        free = ~self._in(speech, len(powers), guard_s=NOISE_GUARD_S)
        floor, quietest_dbfs, digital = self._floor(powers[free], reasons)
        lufs, why = self._loudness.result()
        if why:
            reasons["lufs"] = why
        if not self._peak:
            reasons["peak_dbfs"] = "every sample is 0"
        # Of less than a window there is only the peak.
        loudest = float(powers.max()) if len(powers) else self._peak**2
        return ChannelQuality(
            lufs=lufs,
            peak_dbfs=_decibel(self._peak**2),
            clipping_ratio=clipped.ratio,
            noise_floor_dbfs=_decibel(floor),
            snr_db=self._snr_db(powers, speech, free, reasons),
            quietest_dbfs=quietest_dbfs,
            digital_silence_ratio=digital,
            silent=_decibel(loudest, nothing=-np.inf) < SILENT_DBFS,
            clipped=self._seconds(clipped.windows),
            reasons=tuple(reasons.items()),
        )

    def _nothing(self, why: str) -> ChannelQuality:
        """Return the quality of what is no sound."""
        names = ("lufs", "peak_dbfs", "clipping_ratio", "noise_floor_dbfs", "snr_db", "quietest_dbfs")
        missing = dict.fromkeys((*names, "digital_silence_ratio"), float("nan"))
        return ChannelQuality(
            **missing,
            silent=False,
            clipped=tidy([]),
            reasons=tuple((name, why) for name in names[:5]),
            finite_ratio=1 - self._not_finite / max(self._samples, 1),
        )

    def _window_powers(self) -> Doubles:
        """Return the power of each window about the channel's offset, which is no sound."""
        means = np.concatenate(self._means).astype(np.float64)
        powers = np.concatenate(self._powers).astype(np.float64)
        if not len(powers):
            return powers
        # The mean of all samples would be that of the speech, which leans to one side; the median of the quiet
        # windows would be one half-wave of hum, which the middle of two quartiles is not.
        offset = np.quantile(means[powers <= np.quantile(powers, 0.1)], [0.25, 0.75]).mean()
        result: Doubles = np.maximum(powers, 0.0) + (means - offset) ** 2
        # What float32 leaves of a constant offset is no signal either.
        result[result < (abs(offset) * 1e-6) ** 2] = 0.0
        return result

    def _in(self, intervals: Intervals, count: int, *, guard_s: float = 0.0) -> npt.NDArray[np.bool_]:
        """Return which of `count` windows have their centre within `intervals`, widened by `guard_s`."""
        inside = np.zeros(count, dtype=bool)
        windows_s = self._window_length / self._rate
        edges = np.round((intervals + np.array([-guard_s, guard_s])) / windows_s).astype(np.int64)
        for start, end in np.maximum(edges, 0):
            inside[start:end] = True
        return inside

    def _floor(self, quiet: Doubles, reasons: dict[str, str]) -> tuple[float, float, float]:
        """Return the noise floor's power, its quietest level, and how much of non-speech is digital silence."""
        if len(quiet) < MIN_NOISE_WINDOWS:
            reasons["noise_floor_dbfs"] = "less than 0.1 s is free of speech"
            return float("nan"), float("nan"), float("nan")
        still = quiet < 10 ** (DIGITAL_SILENCE_DBFS / 10)
        # The median, so that a cough or a stretch of speech that was not found doesn't count.
        power = float(np.median(quiet))
        if power < 10 ** (DIGITAL_SILENCE_DBFS / 10):
            reasons["noise_floor_dbfs"] = "digital silence where nobody speaks"
            power = 0.0
        quietest_dbfs = _decibel(float(np.quantile(quiet, 0.1)), nothing=-np.inf)
        return power, quietest_dbfs, float(still.mean())

    def _snr_db(
        self, powers: Doubles, speech: Intervals, free: npt.NDArray[np.bool_], reasons: dict[str, str]
    ) -> float:
        noise = find_noise(powers, free, self._tonality.tonal(free))
        ratio, why = signal_to_noise(powers, self._in(speech, len(powers)), noise)
        if why:
            reasons["snr_db"] = why
        return _decibel(ratio)

    def _seconds(self, windows: npt.NDArray[np.int64]) -> Intervals:
        length_s = self._window_length / self._rate
        # Wider than a window by a hair, so that neighbours join.
        edges = np.column_stack([windows, windows + 1 + 1e-6]) * length_s
        return tidy(edges, duration_s=self._samples / self._rate)


def _decibel(power: float, *, nothing: float = float("nan")) -> float:
    return float(10 * np.log10(power)) if power > 0 else nothing
