"""The noise of a channel where nobody speaks, without music and tones.

A median over windows of 10 ms lies below the mean power of noise that has most of its power at low frequencies, and
music and tones are sound that somebody plays, not the noise that speech stands in. So levels are averaged over 0.2 s
before their median is taken, which leaves coughs and missed words out, and stretches whose power is in a few lines
of the spectrum are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]
    Singles = npt.NDArray[np.float32]
    Mask = npt.NDArray[np.bool_]

DIGITAL_SILENCE_DBFS = -90.0
"""Below one step of 16-bit sound there is no noise to measure."""
LEVEL_WINDOWS = 20
"""Windows of 10 ms over which levels are averaged."""
STRETCH_WINDOWS = 40
"""Windows of which it is told together whether they are tonal, by the 0.1 s in their middle."""
_LOOK = slice(15, 25)
MIN_NOISE_WINDOWS = 10
_FEW_TONAL = 0.2  # of what is free of speech: the rest is noise
_MIN_SHARE_BESIDE_MUSIC = 0.5
"""Of what is free of speech: less may be the music's own softer notes, unless it is far below the music."""
_FAR_BELOW = 0.1  # in power
_MIN_PAUSE_WINDOWS = 50
_BAND_HZ = (250.0, 3_600.0)  # below lie hum and rumble, which are noise
_GROUP_HZ = 250.0
_LINE = 16.0
"""Power of a spectral line over the median of the 250 Hz around it. Noise has 12 at most in a hundred stretches."""
_TONAL = 0.65
"""Share of power in lines: 0.7 to 1.0 in music and tones 10 dB above noise; above it in 0 % of stretches of white and
pink noise, 1 % of those in a car, 10 % of babble."""
_NEIGHBOURS = 1  # stretches to each side of a tonal one, which may be a softer part of the same
_OTHER_SOUND = "music, tones or other voices where nobody speaks"
_AUDIBLE = 10 ** (DIGITAL_SILENCE_DBFS / 10)
_AT_NOISE_LEVEL = 2.0  # times the noise's power
_MAX_SPEECH_AT_NOISE_LEVEL = 0.25
_MIN_SNR = 0.3
"""-5 dB. Below, the difference of two powers is smaller than what either varies by."""
_CLEAR_SNR = 5.0
"""Where speech has this many times the power of noise, few of its stretches sink to the level of the noise."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The mean power of a channel's noise, full scale 1; NaN where `reason` says why."""

    power: float
    reason: str = ""


class TonalityMeter:
    """Tells which stretches of 0.4 s are music or tones, block after block, from a quarter of each.

    Parameters
    ----------
    window_length
        Samples in a window of 10 ms.
    """

    def __init__(self, window_length: int) -> None:
        self._rest: Doubles = np.empty((0, window_length))
        self._shares: list[Doubles] = []

    def add(self, windows: Doubles) -> None:
        """Take the next whole windows, `(n, window_length)`."""
        joined = np.concatenate([self._rest, windows])
        whole = len(joined) // STRETCH_WINDOWS * STRETCH_WINDOWS
        if whole:
            middle = joined[:whole].reshape(-1, STRETCH_WINDOWS, joined.shape[1])[:, _LOOK]
            self._shares.append(_share_in_lines(middle.reshape(len(middle), -1)))
        self._rest = joined[whole:]

    def tonal(self, free: Mask) -> Mask:
        """Return which windows belong to music, a tone or another voice, or are next to it.

        Parameters
        ----------
        free
            Which windows are free of speech. Speech has lines, too: stretches looked at in speech are not counted.
        """
        from scipy.ndimage import binary_dilation  # noqa: PLC0415 - slow to import

        shares = np.concatenate(self._shares) if self._shares else np.empty(0)
        if not len(shares):
            return np.zeros(len(free), dtype=bool)
        looked_at = free[: len(shares) * STRETCH_WINDOWS].reshape(-1, STRETCH_WINDOWS)[:, _LOOK]
        tonal = binary_dilation((shares > _TONAL) & looked_at.all(axis=1), iterations=_NEIGHBOURS)
        # The last windows fill no stretch; they are as the one before.
        each = np.repeat(tonal, STRETCH_WINDOWS)
        return np.pad(each, (0, max(len(free) - len(each), 0)), mode="edge")


def find_noise(powers: Doubles, free: Mask, tonal: Mask) -> Noise:
    """Return the noise among windows of 10 ms.

    Parameters
    ----------
    powers
        Of each window.
    free
        Which are free of speech.
    tonal
        Which are music or tones.
    """
    heard = powers[free]
    if len(heard) < MIN_NOISE_WINDOWS:
        return Noise(float("nan"), "less than 0.1 s is free of speech")
    # A tone below what 16-bit sound can hold is what a converter left of silence.
    played = free & tonal & (powers >= _AUDIBLE)
    quiet = powers[free & ~played]
    if not len(quiet):
        return Noise(float("nan"), _OTHER_SOUND)
    levels = averaged(quiet)
    power = float(np.median(levels))
    if played.sum() >= _FEW_TONAL * len(heard):
        # What follows a note or a voice, and has no lines itself, is still there: the quieter quarter is without.
        pause = float(np.quantile(levels, 0.25))
        if len(quiet) >= _MIN_PAUSE_WINDOWS and pause < _FAR_BELOW * float(powers[played].mean()):
            power = pause
        elif len(quiet) < _MIN_SHARE_BESIDE_MUSIC * len(heard):
            return Noise(float("nan"), _OTHER_SOUND)
    if power < _AUDIBLE:
        return Noise(float("nan"), "digital silence where nobody speaks")
    return Noise(power)


def signal_to_noise(powers: Doubles, speaking: Mask, noise: Noise) -> tuple[float, str]:
    """Return the power of speech over that of the noise, and why it is missing (NaN).

    Parameters
    ----------
    powers
        Of each window of 10 ms.
    speaking
        Which windows are speech.
    noise
        As `find_noise` returns it.
    """
    spoken = powers[speaking]
    if not len(spoken):
        return float("nan"), "there is no speech"
    if noise.reason:
        return float("nan"), noise.reason
    ratio = float(spoken.mean()) / noise.power - 1
    if ratio < _MIN_SNR:
        return float("nan"), "speech is hardly louder than the noise"
    sunk = averaged(spoken) < _AT_NOISE_LEVEL * noise.power
    if ratio > _CLEAR_SNR and sunk.mean() > _MAX_SPEECH_AT_NOISE_LEVEL:
        return float("nan"), "much of what was found as speech is as quiet as the background: other voices may be in it"
    return ratio, ""


def averaged(powers: Doubles) -> Doubles:
    """Return the mean powers of stretches of 0.2 s, or of all where there is less."""
    whole = len(powers) // LEVEL_WINDOWS * LEVEL_WINDOWS
    if not whole:
        return np.asarray([powers.mean()])
    return np.asarray(powers[:whole].reshape(-1, LEVEL_WINDOWS).mean(axis=1))


def _share_in_lines(stretches: Doubles) -> Doubles:
    """Return, of each row of sound 0.1 s long, the share of power that is in lines of its spectrum."""
    from scipy import fft  # noqa: PLC0415 - slow to import

    length = stretches.shape[1]
    bins_per_hz = 0.1  # of 0.1 s of sound
    first, last = (round(hz * bins_per_hz) for hz in _BAND_HZ)
    group = round(_GROUP_HZ * bins_per_hz)
    groups = (min(last, round(0.45 * length)) - first) // group
    if groups < 1:
        return np.zeros(len(stretches))
    steady = stretches - stretches.mean(axis=1, keepdims=True)
    spectra = fft.rfft((steady * np.hanning(length)).astype(np.float32), axis=1)
    power = np.square(spectra.real) + np.square(spectra.imag)
    grouped = power[:, first : first + groups * group].reshape(len(power), groups, group)
    lines = grouped > _LINE * np.median(grouped, axis=2, keepdims=True)
    total = grouped.sum(axis=(1, 2))
    share: Doubles = (grouped * lines).sum(axis=(1, 2)) / np.maximum(total, np.finfo(np.float32).tiny)
    return share
