"""Which of a call's two voices is heard again in the frame's other calls: an agent's is, most callers' are not.

Two calls of one voice differ by what is said in them, and a little by how it is said; the first is known
from how much each voice strays within its own call. Whether two channels have one voice is then a comparison of
Gaussian likelihoods, as in speaker verification (two-covariance model, Brümmer and de Villiers 2010).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from kataven_notebook.speech.voice import Voice

    Doubles = npt.NDArray[np.float64]
    Floats = npt.NDArray[np.float32]

MAX_REFERENCES = 128
"""Calls that each call is compared with, spread evenly over the frame: time grows with the number of calls."""
MAX_EVIDENCE = 4.0
"""Logarithm of odds; what the voices of one call say at most."""
_NO_CONTRAST = 1.0  # so much of it is left out: a slight contrast is the same in all calls, and no evidence of each
# Of the variance of a mean, over that of independent blocks: neighbouring blocks are of one sentence.
_BLOCKS_ALIKE = 2.0
# How far the same voice strays from call to call beyond what is said: cepstra, and level (in steps of 3 dB).
_WITHIN = np.array([0.12] * 12 + [0.35])
# How far the voices of callers differ, rooms and handsets included: a prior worth some voices of the frame.
_BETWEEN = np.array([1.6, 1.3, 1.1, 0.9, 0.6, 0.55, 0.45, 0.4, 0.4, 0.3, 0.3, 0.3, 1.3])
_BETWEEN_VOICES = 20
# Coefficients are not independent, and voices no Gaussians: what they say together is halved.
_TEMPER = 0.5
_SAME_VOICE = 0.25  # prior probability that two channels of two calls have one voice
# Share of a frame's calls that have a voice (Beta): of an agent's voice, and of a caller's.
_AGENT_SHARE = (1.0, 1.0)
_CALLER_SHARE = (0.3, 6.0)
# Frames in which one caller tests the agent: there, callers are heard as often as agents are.
_ONE_CALLER = 0.05
_STEP = 128  # calls at a time, so that memory stays small


def recurrence(voices: Sequence[tuple[Voice | None, Voice | None]]) -> Doubles:
    """Return per call how strongly its voices say that the second is the one that the calls share.

    Parameters
    ----------
    voices
        Per call those of its two parties; None where one says too little.

    Returns
    -------
    numpy.ndarray
        Per call the logarithm of the odds, negative for the first party; 0 where nothing is known: one call
        alone, both voices heard as often as each other, or no voice.
    """
    result = np.zeros(len(voices))
    known = [index for index, pair in enumerate(voices) if pair != (None, None)]
    if len(known) < 2:
        return result
    means, within = _gaussians([voices[index] for index in known])
    references = np.unique(np.linspace(0, len(known) - 1, min(len(known), MAX_REFERENCES)).round().astype(int))
    heard = _heard_again(means, within, references)
    others = (len(references) - np.isin(np.arange(len(known)), references))[:, None]
    caller = np.logaddexp(
        np.log1p(-_ONE_CALLER) + _log_share(heard, others, _CALLER_SHARE),
        np.log(_ONE_CALLER) + _log_share(heard, others, _AGENT_SHARE),
    )
    says = np.where(np.isnan(means[..., 0]), 0.0, _log_share(heard, others, _AGENT_SHARE) - caller)
    contrast = says[:, 1] - says[:, 0]
    result[known] = np.sign(contrast) * np.clip(np.abs(contrast) - _NO_CONTRAST, 0, MAX_EVIDENCE)
    return result


def _gaussians(voices: Sequence[tuple[Voice | None, Voice | None]]) -> tuple[Floats, Floats]:
    """Return (calls, 2, 13) means and variances of the voices, NaN for those that are missing."""
    means, spread = np.full((2, len(voices), 2, len(_WITHIN)), np.nan, np.float32)
    blocks = np.ones((len(voices), 2, 1), np.float32)
    for index, pair in enumerate(voices):
        for channel, voice in enumerate(pair):
            if voice is not None:
                means[index, channel], spread[index, channel] = voice.mean, voice.spread
                blocks[index, channel] = voice.blocks
    # One call shows its own spread badly, and voices differ little in it: all of the frame share one.
    within = _BLOCKS_ALIKE * np.nanmean(spread**2, axis=(0, 1)) / blocks + _WITHIN**2
    return means, within.astype(np.float32)


def _heard_again(means: Floats, within: Floats, references: npt.NDArray[np.intp]) -> Doubles:
    """Return (calls, 2): in how many of the reference calls each voice is heard, its own call left out."""
    between = _between(means)
    their_means, their_within = means[references], within[references]
    heard = np.empty(means.shape[:2])
    for start in range(0, len(means), _STEP):
        rows = slice(start, start + _STEP)
        odds = np.zeros((len(means[rows]), 2, len(references), 2), np.float32)
        for k, variance in enumerate(between):
            distance = means[rows, :, None, None, k] - their_means[None, None, :, :, k]
            same = within[rows, :, None, None, k] + their_within[None, None, :, :, k]
            other = same + 2 * variance
            odds += np.log(other / same) - distance**2 * (1 / same - 1 / other)
        posterior = _TEMPER * odds / 2 + np.log(_SAME_VOICE / (1 - _SAME_VOICE))
        match = 1 / (1 + np.exp(np.clip(-posterior, -80, 80)))
        # The voice may be on either channel there, but not on both; NaN is a voice that is missing.
        found = np.fmax(np.fmax(match[..., 0], match[..., 1]), 0)
        own = np.arange(len(means))[rows, None] == references[None, :]
        heard[rows] = np.where(own[:, None, :], 0.0, found).sum(axis=2)
    return heard


def _between(means: Floats) -> Floats:
    """Return the variance between voices: the frame's own, as far as it holds enough of them."""
    seen = np.count_nonzero(~np.isnan(means[..., 0]))
    variance = np.nanvar(means, axis=(0, 1))
    return np.asarray((_BETWEEN_VOICES * _BETWEEN**2 + seen * variance) / (_BETWEEN_VOICES + seen), np.float32)


def _log_share(heard: Doubles, others: npt.NDArray[np.intp], share: tuple[float, float]) -> Doubles:
    """Return the log-probability, up to a constant, of being heard in so many of the others (beta-binomial)."""
    from scipy.special import betaln  # noqa: PLC0415 - scipy is slow to import

    a, b = share
    result: Doubles = betaln(heard + a, others - heard + b) - betaln(a, b)
    return result
