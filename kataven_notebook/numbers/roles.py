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

from kataven_notebook.numbers.recurrence import recurrence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from kataven_notebook.numbers.measures import CallMeasures
    from kataven_notebook.speech.voice import Voice

    Doubles = npt.NDArray[np.float64]

MIN_CONFIDENCE = 0.8
"""Below this no channel is named: one call in five would have its parties swapped."""

DIRECTIONS = ((0.92, 0.5), (0.5, 0.2), (0.08, 0.3))
"""Share of a frame's calls in which the agent speaks first, and how likely such a frame is: inbound, where agents
greet; both; outbound, where the callee says hello first. Of all calls together, six in ten begin with the agent."""


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


DIGITAL_SILENCE = Evidence(expected=0.91, reliable=0.985)
"""Whose channel alone is without any noise, right from the end of each word. Synthetic speech has no room around it."""
SUPPRESSED_SILENCE = Evidence(expected=0.7, reliable=0.985)
"""Whose channel alone is without any noise, but only some time after each word. That may be synthetic speech with
breath in it, or a telephone leg whose silence is suppressed, which platforms do to all calls or to none."""
BOTH_SILENCES_REVERSED = 0.08
"""Prior probability that, in a frame, both of these point to the caller. They have one cause then: telephones whose
silence is suppressed call an agent with comfort noise."""
QUIETER_FLOOR = Evidence(expected=0.75, reliable=0.85)
"""Whose noise is at least 10 dB lower at its quietest, where neither is digital silence."""
RECURRING_VOICE_EXPECTED = 0.98
"""Prior probability that, in a frame, the voice that the calls share is the agent's (`recurrence`). It would be the
caller's where one person calls agents of many voices."""
_EVIDENCE = (DIGITAL_SILENCE, SUPPRESSED_SILENCE, QUIETER_FLOOR)
_FLOOR_DIFFERENCE_DB = 10.0
_STILL_RATIO = 0.1  # the rest may be music or leaks; a real room has no still moment
# Shares of calls with the agent on the second channel. The others' order counts for six to one at most, so
# that a call of the rarer order is not lost to the majority.
_ORDERS = np.linspace(0.15, 0.85, 8)
_STILL_AFTER_SPEECH = 0.75
# What each observation is called where it is not enough.
_KINDS = (
    "who speaks first",
    "digital silence",
    "suppressed silence",
    "the noise floor",
    "a voice that the calls share",
)


@dataclass(frozen=True, slots=True)
class AgentChannel:
    """Which channel is the agent, or None, and how sure that is.

    Attributes
    ----------
    channel : int or None
        The agent's channel; None where the confidence is too low or there are no two parties.
    confidence : float
        Probability in [0.5, 1] that the likelier channel is the agent; 0.0 where there are no two parties.
    reason : str or None
        Why the channel is None although there are two parties, in one sentence.
    """

    channel: int | None
    confidence: float
    reason: str | None = None


def infer_agent_channels(
    calls: Sequence[CallMeasures | None], *, min_confidence: float = MIN_CONFIDENCE
) -> list[AgentChannel]:
    """Return for each call of a frame which channel is the agent, from all calls together.

    What points to the agent: the voice that the calls share (`recurrence`), a channel without noise
    (`DIGITAL_SILENCE`, `SUPPRESSED_SILENCE`), less noise (`QUIETER_FLOOR`), and who speaks first (`DIRECTIONS`).
    Unknown, and shared by the frame, are which of these point to the agent in it, whether its calls are
    inbound or outbound, and how often the agent is on the second channel. A call with little evidence follows
    the others; one that has evidence keeps its own order. Copies of one call count once. A single call with
    no more than a first speaker is not enough for the default confidence.

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

    Notes
    -----
    The confidence is a probability over calls that may be inbound or outbound. How often the stated ones are
    right: ``python benchmarks/roles.py``.

    Examples
    --------
    >>> infer_agent_channels([None])
    [AgentChannel(channel=None, confidence=0.0, reason=None)]
    """
    if not 0.5 <= min_confidence <= 1:
        raise ValueError(f"min_confidence={min_confidence!r}: pass a probability from 0.5 to 1")
    result = [AgentChannel(None, 0.0)] * len(calls)
    copies: dict[bytes, list[int]] = {}
    for index, call in enumerate(calls):
        if call is not None and call.parties is not None:
            copies.setdefault(_fingerprint(call), []).append(index)
    if not copies:
        return result
    once = [(call, call.parties) for call in (calls[same[0]] for same in copies.values()) if call and call.parties]
    pointers = np.array([_pointers(call, parties) for call, parties in once])
    voices = recurrence([_voices(call, parties) for call, parties in once])
    probabilities = _probability_of_second(pointers, voices)
    for number, (same, second) in enumerate(zip(copies.values(), probabilities, strict=True)):
        confidence = float(max(second, 1 - second))
        found = AgentChannel(once[number][1][int(second > 0.5)], confidence)
        if confidence < min_confidence:
            found = AgentChannel(None, confidence, _reason(pointers[number], voices[number], confidence))
        for index in same:
            result[index] = found
    return result


def _fingerprint(call: CallMeasures) -> bytes:
    """Return what only copies of one recording have in common."""
    levels = [(one.peak_dbfs, one.quietest_dbfs, one.lufs, one.digital_silence_ratio) for one in call.quality]
    return b"".join([np.array([call.duration_s, *np.ravel(levels)]).tobytes(), *(one.tobytes() for one in call.speech)])


def _voices(call: CallMeasures, parties: tuple[int, int]) -> tuple[Voice | None, Voice | None]:
    if not call.voices:
        return (None, None)
    return (call.voices[parties[0]], call.voices[parties[1]])


def _pointers(call: CallMeasures, parties: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return which party speaks first, is still, suppressed, has less noise: 1 the second, -1 the first, 0 neither."""
    first, second = parties
    starts = [float(call.speech[channel][0, 0]) if len(call.speech[channel]) else None for channel in (first, second)]
    # A side that never speaks was not outrun: it says nothing about who greets.
    speaks_first = 0 if starts[0] is None or starts[1] is None else int(np.sign(starts[0] - starts[1]))
    # A dead channel is as still as a synthetic voice, so stillness says nothing there.
    if any(call.quality[channel].silent for channel in (first, second)):
        return (speaks_first, 0, 0, 0)
    still = [call.quality[channel].digital_silence_ratio > _STILL_RATIO for channel in (first, second)]
    if still[0] != still[1]:
        way = 1 if still[1] else -1
        voice = _voices(call, parties)[int(still[1])]
        # A few words end in silence by chance; without tracks nothing is known of what follows speech.
        suppressed = bool(call.voices) and (voice is None or voice.still_after_speech < _STILL_AFTER_SPEECH)
        return (speaks_first, 0, way, 0) if suppressed else (speaks_first, way, 0, 0)
    # The quietest level rather than the median one: hold music is no noise of the room.
    difference_db = call.quality[first].quietest_dbfs - call.quality[second].quietest_dbfs
    if still[0] or not abs(difference_db) >= _FLOOR_DIFFERENCE_DB:
        return (speaks_first, 0, 0, 0)
    return (speaks_first, 0, 0, int(np.sign(difference_db)))


def _probability_of_second(pointers: npt.NDArray[np.int_], voices: Doubles) -> Doubles:
    """Return for each call the probability that the agent is its second party.

    Sums over what is unknown about the frame: whether each kind of evidence points the expected way, how
    often the agent speaks first, and the share of calls with the agent on the second channel (Jeffreys' prior).
    """
    log_order = -0.5 * np.log(_ORDERS * (1 - _ORDERS))
    weights = []
    for prior, odds in _hypotheses(pointers, voices):
        _, both = _joint(odds)
        weights.append(np.log(prior) + log_order + both.sum(axis=1))
    # Of a thousand calls the likelihood alone would be smaller than any float.
    weight = np.exp(np.array(weights) - np.max(weights))
    weight /= weight.sum()
    result: Doubles = np.zeros(len(pointers))
    # Once more rather than kept: ten thousand calls under every hypothesis fill memory.
    for share, (_, odds) in zip(weight, _hypotheses(pointers, voices), strict=True):
        second, both = _joint(odds)
        result += share @ np.exp(second - both)
    return np.clip(result, 0.0, 1.0)


def _hypotheses(pointers: npt.NDArray[np.int_], voices: Doubles) -> Iterator[tuple[float, Doubles]]:
    """Yield what a frame may be like: its prior, and (kinds, calls) log-odds of the second party being the agent."""
    reliable = np.array([_logit(kind.reliable) for kind in _EVIDENCE])
    for (first, share), way in itertools.product(DIRECTIONS, itertools.product((1, -1), repeat=len(_EVIDENCE) + 1)):
        digital, suppressed, floor, voice = way
        floors = QUIETER_FLOOR.expected if floor > 0 else 1 - QUIETER_FLOOR.expected
        heard = RECURRING_VOICE_EXPECTED if voice > 0 else 1 - RECURRING_VOICE_EXPECTED
        prior = share * _silences_prior(digital > 0, suppressed > 0) * floors * heard
        scale = np.array([_logit(first), *(np.array(way[:-1]) * reliable)])
        yield prior, np.vstack([pointers.T * scale[:, None], voice * voices])


def _silences_prior(digital: bool, suppressed: bool) -> float:  # noqa: FBT001 - the two of them
    """Return how likely a frame is in which the two kinds of silence point to the agent, or don't."""
    none, not_digital = BOTH_SILENCES_REVERSED, 1 - DIGITAL_SILENCE.expected - BOTH_SILENCES_REVERSED
    not_suppressed = 1 - SUPPRESSED_SILENCE.expected - BOTH_SILENCES_REVERSED
    if digital:
        return 1 - none - not_digital - not_suppressed if suppressed else not_suppressed
    return not_digital if suppressed else none


def _joint(odds: Doubles) -> tuple[Doubles, Doubles]:
    """Return (orders, calls) log-likelihoods: of the second party being the agent, and of either."""
    second = -np.logaddexp(0, -odds).sum(axis=0) + np.log(_ORDERS)[:, None]
    first = -np.logaddexp(0, odds).sum(axis=0) + np.log1p(-_ORDERS)[:, None]
    return second, np.logaddexp(second, first)


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _reason(pointers: npt.NDArray[np.int_], voice: float, confidence: float) -> str:
    """Return why no channel is named, in one sentence."""
    says = [*pointers.tolist(), voice if abs(voice) >= 1 else 0]
    kinds = [name for name, way in zip(_KINDS, says, strict=True) if way]
    if not kinds:
        why = "nothing in the sound tells the agent from the caller"
    elif min(says) < 0 < max(says):
        why = f"{' and '.join([', '.join(kinds[:-1]), kinds[-1]])} point to different channels"
    else:
        why = f"only {' and '.join(kinds)} tell{'s' * (len(kinds) == 1)} them apart, which is not enough"
    return f"which channel is the agent is uncertain (confidence {confidence:.2f}): {why}; pass agent_channel="
