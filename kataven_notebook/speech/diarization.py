"""Tells two voices in one channel apart: which cells of speech sound alike, and who is heard in each.

Windows of speech become points in which one voice scatters by 1 in every direction, whatever it says. Two voices are
two points of that space; a call is cut between them by a hidden Markov model with a state for each voice, in which a
change of speakers costs more within a stretch of speech than across a pause.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from kataven_notebook.speech.voice_windows import VoiceWindows

    Doubles = npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int_]

CHANGE_WITHIN_STRETCH = 2.0
"""What a change of speakers costs without a pause, as a logarithm of probability."""
CHANGE_AT_PAUSE = 1.5
"""What it costs at a pause of 0.25 s or more: one in five."""
_DIRECTIONS = 24  # that a caller's vectors are looked at in; a cohort holds too few windows for more
_SHRINKAGE = 0.1
_PAIRS_TO_TRUST = 50
_KEPT_PAIRS = 0.9  # the others are taken for changes of speakers without a pause
_TRIMMED_TOO_MUCH = 1.15  # pairs of one voice are lost with them
_ROUNDS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Where windows of speech become points: `(vector - origin) @ axes`."""

    origin: Doubles
    axes: Doubles

    @classmethod
    def of(cls, calls: Sequence[VoiceWindows]) -> Space | None:
        """Return the space in which one voice scatters by 1, or None where no stretch of speech is long enough.

        How far a voice scatters is seen in windows of one stretch that share no sound: they hold other words of
        the same voice, nearly always.
        """
        vectors = [call.vectors.astype(np.float64) for call in calls]
        everything = np.concatenate(vectors)
        origin = everything.mean(axis=0)
        first = np.eye(everything.shape[1])
        if calls[0].by_function:
            _, _, directions = np.linalg.svd(everything - origin, full_matrices=False)
            first = directions[:_DIRECTIONS].T
        pairs = np.concatenate([_pairs(call, vector @ first) for call, vector in zip(calls, vectors, strict=True)])
        if len(pairs) < 2:
            return None
        covariance = _covariance(pairs)
        unlikely = np.einsum("ij,jk,ik->i", pairs, np.linalg.inv(covariance), pairs)
        covariance = _covariance(pairs[unlikely <= np.quantile(unlikely, _KEPT_PAIRS)]) * _TRIMMED_TOO_MUCH
        variance, directions = np.linalg.eigh(covariance)
        return cls(origin, first @ (directions / np.sqrt(variance)))

    def points(self, call: VoiceWindows) -> Doubles:
        """Return a call's windows as points, (n, d)."""
        found: Doubles = (call.vectors.astype(np.float64) - self.origin) @ self.axes
        return found


def _pairs(call: VoiceWindows, vectors: Doubles) -> Doubles:
    """Return the differences of windows that lie side by side in one stretch, over the square root of 2."""
    apart = 2 * call.reach + 1
    if len(vectors) <= apart:
        return vectors[:0]
    same = call.stretch[apart:] == call.stretch[:-apart]
    found: Doubles = (vectors[apart:] - vectors[:-apart])[same] / np.sqrt(2)
    return found


def _covariance(pairs: Doubles) -> Doubles:
    """Return the covariance of a voice, the less of it between features the fewer pairs there are."""
    scale = np.sqrt(np.mean(pairs**2, axis=0)) + 1e-6
    scaled = pairs / scale
    alike = scaled.T @ scaled / len(pairs)
    kept = (1 - _SHRINKAGE) * len(pairs) / (len(pairs) + _PAIRS_TO_TRUST)
    mixed = kept * alike + (1 - kept) * np.eye(len(alike))
    result: Doubles = mixed * np.outer(scale, scale)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A call cut between two voices.

    Attributes
    ----------
    labels : numpy.ndarray
        (n,): 0 or 1 for each cell.
    voices : numpy.ndarray
        (2, d): the two points.
    doubt : numpy.ndarray
        (n,): probability that the cell is the other voice's.
    windows : tuple of float
        How many windows without common sound each voice has.
    score : float
        Logarithm of the likelihood, to compare splits of one call.
    """

    labels: Labels
    voices: Doubles
    doubt: Doubles
    windows: tuple[float, float]
    score: float

    @property
    def distance(self) -> float:
        """How far apart the voices are, in units of the scatter of one, less what few windows of one voice are."""
        first, second = self.voices
        by_chance = len(first) * sum(1 / max(count, 0.1) for count in self.windows)
        return math.sqrt(max(0.0, float(np.square(first - second).sum()) - by_chance))


def split(call: VoiceWindows, points: Doubles, *, known: Doubles | None = None) -> Split:
    """Return the best cut of a call between two voices.

    Parameters
    ----------
    call, points
        Its windows, and where they lie.
    known
        The first voice, where it is known from elsewhere; only the second is looked for then.
    """
    weight = call.weight.astype(np.float64) + 1e-3
    centre = np.average(points, axis=0, weights=weight)
    found = [_refined(call, points, weight, labels, known) for labels in _starts(points, weight, centre, known)]
    return max(found, key=lambda one: one.score)


def _starts(points: Doubles, weight: Doubles, centre: Doubles, known: Doubles | None) -> list[Labels]:
    if known is not None:
        away = np.square(points - known).sum(axis=1)
        return [(away > np.quantile(away, share)).astype(int) for share in (0.3, 0.5, 0.7)]
    _, _, directions = np.linalg.svd((points - centre) * np.sqrt(weight)[:, None], full_matrices=False)
    return [((points - centre) @ direction > 0).astype(int) for direction in directions[:3]]


def _refined(call: VoiceWindows, points: Doubles, weight: Doubles, labels: Labels, known: Doubles | None) -> Split:
    """Move voices and cuts by turns until neither changes (Viterbi training)."""
    voices = np.stack([points.mean(axis=0) if known is None else known] * 2)
    change = np.where(np.diff(call.stretch) > 0, CHANGE_AT_PAUSE, CHANGE_WITHIN_STRETCH)
    for _ in range(_ROUNDS):
        for voice in (0, 1) if known is None else (1,):
            mine = weight * (labels == voice)
            if mine.sum() > 0.5:
                voices[voice] = mine @ points / mine.sum()
        likelihood = _likelihood(call, points, voices)
        odds = likelihood[:, 1] - likelihood[:, 0]
        found = _best_path(odds, change)
        if (found == labels).all():
            break
        labels = found
    score = likelihood[np.arange(len(found)), found].sum() - change[np.diff(found) != 0].sum()
    for_second = _posterior(odds, change)
    heard = call.weight / (2 * call.reach + 1)
    return Split(
        labels=found,
        voices=voices,
        doubt=np.where(found == 1, 1 - for_second, for_second),
        windows=(float(heard[found == 0].sum()), float(heard[found == 1].sum())),
        score=float(score),
    )


def _likelihood(call: VoiceWindows, points: Doubles, voices: Doubles) -> Doubles:
    """Return the logarithm of the likelihood of each window under each voice, its share of the sound they share."""
    away = np.square(points[:, None, :] - voices[None, :, :]).sum(axis=2)
    found: Doubles = -0.5 * away * (call.weight / (2 * call.reach + 1))[:, None]
    return found


def _best_path(odds: Doubles, change: Doubles) -> Labels:
    """Return the likeliest sequence of two states (Viterbi), from the logarithms of the odds of the second.

    Between two states a change costs the same both ways, so it is enough to follow by how much the second leads.
    """
    lead = [float(odds[0])]
    for gain, cost in zip(odds[1:].tolist(), change.tolist(), strict=True):
        lead.append(min(max(lead[-1], -cost), cost) + gain)
    label = int(lead[-1] > 0)
    labels = [label]
    for before, cost in zip(lead[-2::-1], change[::-1].tolist(), strict=True):
        label = int(before >= -cost) if label else int(before > cost)
        labels.append(label)
    return np.array(labels[::-1])


def _posterior(odds: Doubles, change: Doubles) -> Doubles:
    """Return the probability of the second state in each cell, all sequences counted."""
    later = _carried(odds[::-1], change[::-1])[::-1]
    both = _carried(odds, change) + odds + later
    found: Doubles = 1 / (1 + np.exp(-np.clip(both, -500, 500)))
    return found


def _carried(odds: Doubles, change: Doubles) -> Doubles:
    """Return the logarithms of the odds of the second state in each cell, as far as those before it say."""
    carried = [0.0]
    for gain, cost in zip(odds[:-1].tolist(), change.tolist(), strict=True):
        known = min(max(carried[-1] + gain, -500.0), 500.0)
        stays, changes = math.exp(known), math.exp(-cost)
        carried.append(math.log((stays + changes) / (1 + stays * changes)))
    return np.array(carried)
