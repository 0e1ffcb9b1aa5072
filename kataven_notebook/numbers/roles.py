"""Which channel is the agent, from the sound of a whole frame of calls, with a stated confidence.

Nothing in a recording says it for certain, so this is inference, by Bayes' rule from a few observations
whose likelihoods are written down below. Two kinds of doubt are kept apart. One call may be unlike the
others: its agent was slow to greet. And a whole frame may be unlike what one expects: on an outbound campaign
it is the callee who says hello first, in every call. The first doubt shrinks as calls agree, the
second doesn't, and it keeps the confidence honest however many calls there are.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from kataven_notebook.numbers.measures import CallMeasures

    Doubles = npt.NDArray[np.float64]

MIN_CONFIDENCE = 0.8
"""Below this no channel is named: one call in five would have its parties swapped."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How much one observation says.

    Attributes
    ----------
    expected : float
        Prior probability that, in a frame, the observation points to the agent rather than to the caller.
    reliable : float
        Share of calls in which it then does; also the share in which it points to the caller, in a frame
        where it does that. With two values, many calls that agree would seem to settle which it is.
    """

    expected: float
    reliable: float


FIRST_SPEAKER = Evidence(expected=0.85, reliable=0.9)
"""Who speaks first. Agents greet; on outbound campaigns the callee answers with "hello" before they do."""
DIGITAL_SILENCE = Evidence(expected=0.93, reliable=0.97)
"""Whose channel alone is without any noise between words. Synthetic speech has no room around it; a
telephone leg may have silence suppressed, which platforms do to all calls or to none."""
QUIETER_FLOOR = Evidence(expected=0.85, reliable=0.85)
"""Whose noise is at least 10 dB lower at its quietest, where neither is digital silence."""
_FLOOR_DIFFERENCE_DB = 10.0
_STILL_RATIO = 0.1  # the rest may be music or leaks; a real room has no still moment
# Shares of calls with the agent on the second channel; the ends are left out, where logarithms are infinite.
_GRID = np.linspace(0.005, 0.995, 100)


@dataclass(frozen=True, slots=True)
class AgentChannel:
    """Which channel is the agent, or None, and how sure that is.

    Attributes
    ----------
    channel : int or None
        The agent's channel; None where the confidence is too low or there are no two parties.
    confidence : float
        Probability in [0.5, 1] that the likelier channel is the agent; 0.0 where there are no two parties.
    """

    channel: int | None
    confidence: float


def infer_agent_channels(
    calls: Sequence[CallMeasures | None], *, min_confidence: float = MIN_CONFIDENCE
) -> list[AgentChannel]:
    """Return for each call of a frame which channel is the agent, from all calls together.

    Each call's evidence (`FIRST_SPEAKER`, `DIGITAL_SILENCE`, `QUIETER_FLOOR`) says how likely either order of
    channels is. How often the agent is on the second channel is unknown and shared by the frame: where
    calls agree, a call with little evidence follows them; where they don't, it stays undecided. One call
    with no more than a first speaker is not enough for the default confidence.

    Parameters
    ----------
    calls
        The frame's calls; None where there is no sound.
    min_confidence
        In [0.5, 1]. Below it the channel is None; 0.8 by default, so that at most one call in five of those
        that only just pass is wrong.

    Raises
    ------
    ValueError
        `min_confidence` is outside [0.5, 1].

    Examples
    --------
    >>> infer_agent_channels([None])
    [AgentChannel(channel=None, confidence=0.0)]
    """
    if not 0.5 <= min_confidence <= 1:
        raise ValueError(f"min_confidence={min_confidence!r}: pass a probability from 0.5 to 1")
    usable = [index for index, call in enumerate(calls) if call is not None and call.parties is not None]
    result = [AgentChannel(None, 0.0)] * len(calls)
    if not usable:
        return result
    pointers = np.array([_pointers(calls[index]) for index in usable])
    for index, second in zip(usable, _probability_of_second(pointers), strict=True):
        measures = calls[index]
        if measures is None or measures.parties is None:
            continue
        confidence = float(max(second, 1 - second))
        channel = measures.parties[int(second > 0.5)] if confidence >= min_confidence else None
        result[index] = AgentChannel(channel, confidence)
    return result


def _pointers(call: CallMeasures | None) -> tuple[int, int, int]:
    """Return which party each kind of evidence points to: 1 the second, -1 the first, 0 neither."""
    if call is None or call.parties is None:
        return (0, 0, 0)
    first, second = call.parties
    starts = [float(call.speech[channel][0, 0]) if len(call.speech[channel]) else None for channel in (first, second)]
    # A side that never speaks was not outrun: it says nothing about who greets.
    speaks_first = 0 if starts[0] is None or starts[1] is None else int(np.sign(starts[0] - starts[1]))
    heard = all(not call.quality[channel].silent for channel in (first, second))
    # A dead channel is as still as a synthetic voice, so stillness says nothing here.
    if not heard:
        return (speaks_first, 0, 0)
    still = [call.quality[channel].digital_silence_ratio > _STILL_RATIO for channel in (first, second)]
    if still[0] != still[1]:
        return (speaks_first, 1 if still[1] else -1, 0)
    if still[0]:
        return (speaks_first, 0, 0)
    # The quietest level rather than the median one: hold music is no noise of the room.
    difference_db = call.quality[first].quietest_dbfs - call.quality[second].quietest_dbfs
    if not abs(difference_db) >= _FLOOR_DIFFERENCE_DB:
        return (speaks_first, 0, 0)
    return (speaks_first, 0, int(np.sign(difference_db)))


def _probability_of_second(pointers: npt.NDArray[np.int_]) -> Doubles:
    """Return for each call the probability that the agent is its second party.

    Sums over what is unknown about the frame: for each kind of evidence whether it points the expected way,
    and the share of calls with the agent on the second channel (100 values, Jeffreys' prior).
    """
    kinds = (FIRST_SPEAKER, DIGITAL_SILENCE, QUIETER_FLOOR)
    prior = np.log(1 / np.sqrt(_GRID * (1 - _GRID)))
    weights, posteriors = [], []
    for expected in itertools.product((True, False), repeat=len(kinds)):
        log_second, log_first, log_prior = _log_likelihoods(pointers, kinds, expected)
        joint_second = np.log(_GRID)[:, None] + log_second
        joint = np.logaddexp(joint_second, np.log1p(-_GRID)[:, None] + log_first)
        weights.append(log_prior + prior + joint.sum(axis=1))
        posteriors.append(np.exp(joint_second - joint))
    # Of a thousand calls the likelihood alone would be smaller than any float.
    weight = np.concatenate(weights)
    weight = np.exp(weight - weight.max())
    result: Doubles = weight @ np.concatenate(posteriors) / weight.sum()
    return result


def _log_likelihoods(
    pointers: npt.NDArray[np.int_], kinds: Sequence[Evidence], expected: Sequence[bool]
) -> tuple[Doubles, Doubles, float]:
    """Return per call the log-likelihoods of its evidence for second and first party, and the prior."""
    log_second = np.zeros(len(pointers))
    log_first = np.zeros(len(pointers))
    log_prior = 0.0
    for column, (kind, as_expected) in enumerate(zip(kinds, expected, strict=True)):
        to_agent = kind.reliable if as_expected else 1 - kind.reliable
        log_prior += np.log(kind.expected if as_expected else 1 - kind.expected)
        points = pointers[:, column]
        log_second += np.select([points > 0, points < 0], [np.log(to_agent), np.log(1 - to_agent)], 0.0)
        log_first += np.select([points < 0, points > 0], [np.log(to_agent), np.log(1 - to_agent)], 0.0)
    return log_second, log_first, float(log_prior)
