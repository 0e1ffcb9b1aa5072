"""Who the two parties of one-channel calls are, estimated from the voices of a whole frame of calls.

Each call is cut between the two voices that tell it apart best (`speech.diarization`). The agent is the voice that
comes back from call to call, and callers come and go: so it takes several calls to know the agent. What is doubtful
stays unknown, with the reason: voices that are too alike, a call with one voice, a voice that nobody else's call has,
two voices that both come back.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.numbers.responses import response_latencies
from kataven_notebook.speech.diarization import Space, Split, split
from kataven_notebook.speech.intervals import join, total_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from kataven_notebook.numbers.measures import CallMeasures
    from kataven_notebook.speech.intervals import Intervals
    from kataven_notebook.speech.voice_windows import VoiceWindows

    Doubles = npt.NDArray[np.float64]

MIN_CALLS = 5
"""Calls in which a voice has to be heard to be taken for the agent's."""
MIN_SHARE = 0.2
"""Share of a frame's calls in which it has to be heard, too: of many callers some sound like five others."""
MAX_WIDTH = 3.0
"""Median distance from call to call; the calls of one voice lie closer together than people who sound alike."""
MIN_SPEECH_S = 8.0
"""Speech of a call; with less there are too few windows to tell voices by."""
MIN_PARTY_S = 2.0
"""Speech of each party; with less, its voice can't be told from a cough or a beep."""
MIN_DISTANCE = 4.5
"""Between the two voices of a call, in units of the scatter of one: closer ones are too alike, or one."""
MAX_DOUBT = 0.05
"""Share of the time of speech that may be the other party's: by the model's own probability, and by how far the cut
with the agent's voice of the whole frame differs from the cut of the call alone."""
MIN_SNR_DB = 5.0
"""Of speech over what is between it; below, music and noise are taken for a party's speech."""
MIN_SNR_OF_LATENCY_DB = 15.0
"""Below, enough of hold music is taken for speech to move where answers begin; noise alone does less harm, but the two
can't be told apart by their level."""
FAR = 6.0
"""How far a run of speech of a second or more lies from its voice at most; farther, it is a third one's."""
MAX_FAR = 0.05
"""Share of the agent's speech that may be a third voice."""
NEAR = 4.0
"""How far one voice is from itself, from call to call, at most."""
_ALIKE = "one voice only, or two that are too alike"
_ROUNDS = 10
_MAX_SEEDS = 200  # a voice of one call in forty is met by some; all of them would take the square of the time
_RIVAL = 0.4  # share of the agent's calls in which another voice may come back


@dataclass(frozen=True, slots=True, eq=False)
class Parties:
    """When each party of a one-channel call speaks, as far as that can be said.

    Attributes
    ----------
    agent, caller : numpy.ndarray
        Estimated speech, `(n, 2)`, seconds; the two never overlap. Empty where `reason` says why.
    reason : str or None
        Why the parties can't be told apart.
    latency_reason : str or None
        Why it is not known when answers begin, where talk times are.
    """

    agent: Intervals
    caller: Intervals
    reason: str | None = None
    latency_reason: str | None = None

    @classmethod
    def unknown(cls, reason: str) -> Parties:
        """Return parties that can't be told apart."""
        return cls(np.empty((0, 2)), np.empty((0, 2)), reason)


def _responses(parties: Parties) -> Doubles:
    """Return the latencies of the agent's responses, of those that come after a pause.

    A change of speakers without one may be an overlap, which one channel can't show.
    """
    latencies = response_latencies(parties.caller, parties.agent)[:, 1]
    heard: Doubles = latencies[latencies > 0]
    return heard


def _median_s(latencies: Doubles) -> float:
    return float(np.median(latencies)) if len(latencies) else float("nan")


NUMBERS: Mapping[str, Callable[[Parties], float | int]] = MappingProxyType(
    {
        "agent_talk_s": lambda parties: total_s(parties.agent),
        "caller_talk_s": lambda parties: total_s(parties.caller),
        "talk_ratio": lambda parties: total_s(parties.agent) / (total_s(parties.agent) + total_s(parties.caller)),
        "response_count": lambda parties: len(_responses(parties)),
        "response_latency_p50_s": lambda parties: _median_s(_responses(parties)),
    }
)
"""The numbers that hold for estimated parties, each a function of them; none of them needs overlaps."""
OF_LATENCY = ("response_count", "response_latency_p50_s")
"""Those of them that need to know when answers begin."""
NOT_ESTIMATED = "overlaps, turns, and each party's level can't be had from it"


def estimate_parties(calls: Sequence[CallMeasures | None]) -> list[Parties | None]:
    """Return for each call of a frame that has `voice_windows` who speaks when; None for the others.

    Parameters
    ----------
    calls
        The frame's calls; None where there is no sound.

    Examples
    --------
    >>> estimate_parties([None])
    [None]
    """
    result: list[Parties | None] = [None] * len(calls)
    usable: list[int] = []
    for index, call in enumerate(calls):
        if call is None or call.voice_windows is None:
            continue
        if _time_s(call.voice_windows).sum() < MIN_SPEECH_S:
            result[index] = Parties.unknown(f"less than {MIN_SPEECH_S:g} s of speech")
        elif call.quality[0].snr_db < MIN_SNR_DB:
            result[index] = Parties.unknown(f"noise or music is within {MIN_SNR_DB:g} dB of speech")
        else:
            usable.append(index)
    windows = [call.voice_windows for index in usable if (call := calls[index]) is not None and call.voice_windows]
    for index, parties in zip(usable, _of_cohort(windows), strict=True):
        result[index], measures = parties, calls[index]
        if measures is not None and measures.quality[0].snr_db < MIN_SNR_OF_LATENCY_DB:
            why = f"noise or music is within {MIN_SNR_OF_LATENCY_DB:g} dB of speech, and answers may begin in it"
            result[index] = replace(parties, latency_reason=why)
    return result


def _time_s(windows: VoiceWindows) -> Doubles:
    return windows.end_s - windows.start_s


def _of_cohort(windows: list[VoiceWindows]) -> list[Parties]:
    few = f"the agent's voice is learnt from {MIN_CALLS} calls or more, and there are {len(windows)}"
    if len(windows) < MIN_CALLS:
        return [Parties.unknown(few)] * len(windows)
    space = Space.of(windows)
    if space is None:
        return [Parties.unknown("no stretch of speech is long enough to tell voices by")] * len(windows)
    points = [space.points(one) for one in windows]
    splits = [split(one, where) for one, where in zip(windows, points, strict=True)]
    usual = recurrent_voices(np.array([one.voices for one in splits]))
    return [_of_call(*each, usual) for each in zip(windows, points, splits, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class RecurrentVoice:
    """A voice that is heard in several calls: where it lies, and in how many."""

    at: Doubles
    calls: int


def recurrent_voices(sides: Doubles) -> list[RecurrentVoice]:
    """Return the voices that come back from call to call, the most frequent one first.

    Parameters
    ----------
    sides
        (calls, 2, d): the two voices of each call.
    """
    found: list[RecurrentVoice] = []
    least = max(MIN_CALLS, MIN_SHARE * len(sides))
    left = np.ones(sides.shape[:2], bool)
    while left.any():
        seeds = sides[left]
        near, at = max(
            (_settled(sides, left, seed) for seed in seeds[:: -(-len(seeds) // _MAX_SEEDS)]),
            key=lambda one: one[0].any(axis=1).sum(),
        )
        count = int(near.any(axis=1).sum())
        if count < least:
            break
        if np.median(np.linalg.norm(sides[near] - at, axis=1)) <= MAX_WIDTH:
            found.append(RecurrentVoice(at, count))
        left &= ~near
    return found


def _settled(sides: Doubles, left: npt.NDArray[np.bool_], at: Doubles) -> tuple[npt.NDArray[np.bool_], Doubles]:
    """Move a point to the middle of the voices around it; return which they are, and where it comes to rest."""
    near = np.zeros_like(left)
    for _ in range(_ROUNDS):
        before = near
        near = left & (np.linalg.norm(sides - at, axis=2) <= NEAR)
        if not near.any() or (near == before).all():
            break
        at = np.median(sides[near], axis=0)
    return near, at


def _of_call(windows: VoiceWindows, points: Doubles, free: Split, usual: list[RecurrentVoice]) -> Parties:
    if free.distance < MIN_DISTANCE:
        return Parties.unknown(_ALIKE)
    if not usual:
        return Parties.unknown(
            f"no voice comes back in {MIN_CALLS} calls and a fifth of all: which one is the agent is not known"
        )
    away = np.array([[np.linalg.norm(side - voice.at) for voice in usual] for side in free.voices])
    # How often each side's voice is heard over the frame.
    heard = [max((v.calls for v, d in zip(usual, row, strict=True) if d <= NEAR), default=0) for row in away]
    if not any(heard):
        return Parties.unknown("neither voice is the agent's of the other calls")
    agent = int(heard[1] > heard[0])
    if heard[1 - agent] > _RIVAL * heard[agent]:
        return Parties.unknown("both voices come back in other calls: which one is the agent is not known")
    voice = usual[int(np.argmin(away[agent]))]
    enrolled = split(windows, points, known=voice.at)
    if _far_s(windows, points, enrolled) > MAX_FAR * _time_s(windows)[enrolled.labels == 0].sum():
        return Parties.unknown("a third voice is heard")
    return _checked(windows, free, agent, enrolled)


def _far_s(windows: VoiceWindows, points: Doubles, enrolled: Split) -> float:
    """Return how long somebody is heard who was taken for the agent for want of a voice that is nearer."""
    time_s, far_s = _time_s(windows), 0.0
    firsts = np.flatnonzero(np.diff(enrolled.labels, prepend=-1) | np.diff(windows.stretch, prepend=-1))
    for first, last in itertools.pairwise([*firsts, len(time_s)]):
        run_s = float(time_s[first:last].sum())
        if enrolled.labels[first] == 0 and run_s >= 1.0:
            middle = np.average(points[first:last], axis=0, weights=windows.weight[first:last] + 1e-3)
            far_s += run_s * (np.linalg.norm(middle - enrolled.voices[0]) > FAR)
    return far_s


def _checked(windows: VoiceWindows, free: Split, agent: int, enrolled: Split) -> Parties:
    """Return the parties as cut with the agent's voice of the whole frame, or why they are in doubt."""
    time_s = _time_s(windows)
    spoken_s = [float(time_s[enrolled.labels == side].sum()) for side in (0, 1)]
    if min(spoken_s) < MIN_PARTY_S:
        return Parties.unknown("one voice only, or next to nothing of another")
    if enrolled.distance < MIN_DISTANCE:
        return Parties.unknown(_ALIKE)
    # Two ways to the same cut, one from the call alone: where they part, neither is to be trusted.
    moved_s = time_s[(free.labels == agent) != (enrolled.labels == 0)].sum()
    if max(moved_s, time_s @ enrolled.doubt) > MAX_DOUBT * time_s.sum():
        return Parties.unknown("the two voices can't be told apart well enough")
    edges = np.column_stack([windows.start_s, windows.end_s])
    agent_s, caller_s = (join(edges[enrolled.labels == side], 1e-6) for side in (0, 1))
    return Parties(agent_s, caller_s)
