"""The moments of a call worth hearing, worst first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from kataven_notebook.numbers.conversation import DEAD_AIR_S, interruptions, response_latencies, silences
from kataven_notebook.numbers.rows import call_turns, role_of
from kataven_notebook.speech.intervals import intersection, join, tidy, total_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kataven_notebook.numbers.measures import CallMeasures
    from kataven_notebook.numbers.rows import Value
    from kataven_notebook.speech.intervals import Intervals

SLOW_RESPONSE_S = 1.5
"""People answer within a quarter of a second (Stivers et al. 2009); six times that is heard as trouble."""
CONTEST_S = 0.5
"""An interruption that takes this long to resolve is heard as two people talking at once."""
CLIPPING_S = 0.1
"""As much cut-off sound in one place is heard as distortion."""
MAX_SEVERITY = 10.0
_CLIPPING_GAP_S = 1.0  # clipped samples nearer than this are one place to listen to


def moment_rows(
    measures: CallMeasures,
    agent_channel: int | None,
    *,
    slow_response_s: float = SLOW_RESPONSE_S,
    contest_s: float = CONTEST_S,
    dead_air_s: float = DEAD_AIR_S,
    clipping_s: float = CLIPPING_S,
) -> list[dict[str, Value]]:
    """Return one dict per moment worth hearing, worst first.

    Keys: kind ("slow response", "interruption", "dead air", "clipping"), channel (None for dead air),
    start_s, end_s, severity, text. Severity compares kinds: how long it lasts over the length from which on it is
    noticed, at most 10. A response twice as late as `slow_response_s` is as bad as two people talking at
    once for twice `contest_s`. Interruptions and clipping are listed from any length on, dead air and slow
    responses from 1. Silence that is listed as a slow response is not listed again as dead air.

    Parameters
    ----------
    measures
        What was measured on the recording.
    agent_channel
        Which channel is the agent: only its responses can be slow, as callers may think. None where that
        isn't known: both parties' are listed, by their channels.
    slow_response_s, contest_s, dead_air_s, clipping_s
        Seconds from which on a response latency, the time until an interruption is resolved, silence and
        clipping within a second are noticed; above 0.
    """
    known = agent_channel if agent_channel in (measures.parties or ()) else None
    slow = list(_slow_responses(measures, known, slow_response_s))
    moments = [
        *slow,
        *_interruptions(measures, known, contest_s),
        *_clipping(measures, known, clipping_s),
        *_dead_air(measures, dead_air_s, tidy([(one.start_s, one.end_s) for one in slow])),
    ]
    return [asdict(one) for one in sorted(moments, key=lambda one: (-one.severity, one.start_s))]


@dataclass(frozen=True, slots=True)
class _Moment:
    kind: str
    channel: int | None
    start_s: float
    end_s: float
    severity: float
    text: str


def _moment(kind: str, channel: int | None, span: tuple[float, float], severity: float, text: str) -> _Moment:
    start, end = span
    return _Moment(
        kind, channel, start_s=float(start), end_s=float(end), severity=min(float(severity), MAX_SEVERITY), text=text
    )


def _slow_responses(measures: CallMeasures, agent_channel: int | None, slow_s: float) -> Iterator[_Moment]:
    parties = measures.parties or ()
    # A caller may think as long as it takes.
    for channel in parties if agent_channel is None else (agent_channel,):
        other = sum(parties) - channel
        for start, latency in response_latencies(measures.speech[other], measures.speech[channel]):
            if latency >= slow_s:
                text = f"{_name(channel, agent_channel)} answers after {latency:.1f} s"
                yield _moment("slow response", channel, (start - latency, start), latency / slow_s, text)


def _interruptions(measures: CallMeasures, agent_channel: int | None, contest_s: float) -> Iterator[_Moment]:
    for one in interruptions(call_turns(measures)):
        who = _name(one.channel, agent_channel)
        whom = _name(sum(measures.parties or ()) - one.channel, agent_channel)
        end = "who yields" if one.yielded_by != one.channel else "and gives up"
        text = f"{who} interrupts {whom}, {end} after {one.time_to_yield_s:.1f} s"
        severity = one.time_to_yield_s / contest_s
        yield _moment("interruption", one.channel, (one.start_s, one.end_s), severity, text)


def _dead_air(measures: CallMeasures, dead_air_s: float, listed: Intervals) -> Iterator[_Moment]:
    if measures.unheard:
        return
    # Of all channels together, as silence is nobody's; mono has it, too.
    spoken = [interval for intervals in measures.speech for interval in intervals]
    for start, end in silences(spoken, [], measures.duration_s, min_s=dead_air_s):
        length = end - start
        # The listener needs to hear it once, and the late answer says more.
        if total_s(intersection(tidy([(start, end)]), listed)) < length / 2:
            text = f"nobody speaks for {length:.1f} s"
            yield _moment("dead air", None, (start, end), length / dead_air_s, text)


def _clipping(measures: CallMeasures, agent_channel: int | None, clipping_s: float) -> Iterator[_Moment]:
    for channel, quality in enumerate(measures.quality):
        for start, end in join(quality.clipped, _CLIPPING_GAP_S):
            length = total_s(intersection(tidy([(start, end)]), quality.clipped))
            text = f"{_name(channel, agent_channel)} clips for {length:.2f} s"
            yield _moment("clipping", channel, (start, end), length / clipping_s, text)


def _name(channel: int, agent_channel: int | None) -> str:
    role = role_of(channel, agent_channel)
    return f"the {role}" if role else f"channel {channel}"
