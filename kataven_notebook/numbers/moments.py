"""The moments of a call worth hearing, worst first."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.numbers.conversation import interruptions
from kataven_notebook.numbers.moment_ids import moment_ids
from kataven_notebook.numbers.responses import response_latencies
from kataven_notebook.numbers.rows import call_turns, role_of
from kataven_notebook.numbers.talk import DEAD_AIR_S, dead_air
from kataven_notebook.speech.intervals import intersection, join, tidy, total_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from kataven_notebook.numbers.measures import CallMeasures
    from kataven_notebook.numbers.rows import Value
    from kataven_notebook.speech.intervals import Intervals

SLOW_RESPONSE_S = 1.5
"""People answer within a quarter of a second (Stivers et al. 2009); six times that is heard as trouble."""
CONTEST_S = 0.5
"""An interruption that takes this long to resolve is heard as two people talking at once."""
CLIPPING_S = 0.5
"""As much cut-off sound in one place is heard as distortion of what is said, and not as a click."""
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

    Keys: moment_id (None where the measures know no checksum), kind ("slow response", "interruption", "dead air",
    "clipping"), channel (None for dead air), start_s, end_s, severity, text.

    Severity is one scale for all kinds: how long it lasts over the length at which a listener takes it for trouble,
    at most 10. That length is `slow_response_s` for silence, be it before a response or dead air, `contest_s` for two
    parties talking at once, and `clipping_s` for cut-off sound in one place. At the defaults 10 is reached by 15 s of
    silence, by an agent that stops 5 s after a barge-in, and by 5 s of clipping.

    Slow responses are listed from `slow_response_s` on, dead air from `dead_air_s` on, both from 1 on the scale;
    interruptions from any length on. A slow response as long as dead air is dead air, and listed once: there are as
    many of that kind as `dead_air_count` says. Of clipping the worst place of each channel is listed, as
    one bad microphone clips everywhere.

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

    Examples
    --------
    The caller speaks until 2 s; the agent answers at 8 s, which is dead air of 6 s and 6 / 1.5 = 4 on the scale. The
    next answer comes after 1.8 s, which is a slow response and 1.2:

    >>> from kataven_notebook.numbers.measures import measure
    >>> from kataven_notebook.sound.recording import Recording
    >>> recording = Recording.from_samples([[0.1, 0.2]] * 120_000, 8_000)
    >>> speech = {0.1: [(0.5, 2), (10, 11)], 0.2: [(8, 9.5), (12.8, 15)]}
    >>> measures = measure(recording, speech=lambda samples, rate: speech[round(float(samples[0]), 1)])
    >>> for row in moment_rows(measures, 1):
    ...     print(round(row["severity"], 1), row["kind"], "-", row["text"])
    4.0 dead air - nobody speaks for 6.0 s, until the agent answers
    1.2 slow response - the agent answers after 1.8 s
    """
    known = agent_channel if agent_channel in (measures.parties or ()) else None
    moments = [*_clipping(measures, known, clipping_s)]
    if not measures.why_unheard:
        quiet = tidy(dead_air(measures.speech, measures.duration_s, min_s=dead_air_s))
        moments += _slow_responses(measures, known, quiet, slow_response_s)
        moments += _dead_air(measures, known, quiet, slow_response_s)
        moments += _interruptions(measures, known, contest_s)
    moments.sort(key=lambda one: (-one.severity, one.start_s))
    ids = moment_ids(measures.checksum, [(one.kind, one.channel, one.start_s) for one in moments])
    return [{"moment_id": each, **asdict(one)} for each, one in zip(ids, moments, strict=True)]


def slow_responses(
    before: npt.ArrayLike, after: npt.ArrayLike, quiet: Intervals, *, slow_s: float = SLOW_RESPONSE_S
) -> Intervals:
    """Return the slow responses of one party that are no dead air: `(n, 2)`, when each starts and its latency.

    Parameters
    ----------
    before, after
        Speech of the party that is answered and of the one that answers, as for `response_latencies`.
    quiet
        The call's dead air.
    slow_s
        From which latency on a response is slow.

    Examples
    --------
    >>> slow_responses([(0, 2), (10, 11)], [(8, 9.5), (13, 15)], tidy([(2, 8)])).tolist()
    [[13.0, 2.0]]
    """
    found: Intervals = response_latencies(before, after)
    slow = [
        latency >= slow_s and total_s(intersection(tidy([(start - latency, start)]), quiet)) < latency / 2
        for start, latency in found
    ]
    chosen: Intervals = found[np.array(slow, dtype=bool)]
    return chosen


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


def _slow_responses(
    measures: CallMeasures, agent_channel: int | None, quiet: Intervals, slow_s: float
) -> Iterator[_Moment]:
    parties = measures.parties or ()
    # A caller may think as long as it takes.
    for channel in parties if agent_channel is None else (agent_channel,):
        other = sum(parties) - channel
        for start, latency in slow_responses(measures.speech[other], measures.speech[channel], quiet, slow_s=slow_s):
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


def _dead_air(measures: CallMeasures, agent_channel: int | None, quiet: Intervals, slow_s: float) -> Iterator[_Moment]:
    answered: dict[float, int] = {}
    for channel in measures.parties or ():
        other = sum(measures.parties or ()) - channel
        starts = response_latencies(measures.speech[other], measures.speech[channel])[:, 0]
        answered |= dict.fromkeys(starts.tolist(), channel)
    for start, end in quiet.tolist():
        text = f"nobody speaks for {end - start:.1f} s"
        if end in answered:
            text += f", until {_name(answered[end], agent_channel)} answers"
        yield _moment("dead air", None, (start, end), (end - start) / slow_s, text)


def _clipping(measures: CallMeasures, agent_channel: int | None, clipping_s: float) -> Iterator[_Moment]:
    for channel, quality in enumerate(measures.quality):
        places = join(quality.clipped, _CLIPPING_GAP_S)
        if not len(places):
            continue
        lengths = [total_s(intersection(tidy([place]), quality.clipped)) for place in places]
        worst = int(np.argmax(lengths))
        text = f"{_name(channel, agent_channel)} clips for {lengths[worst]:.2f} s"
        if len(places) > 1:
            text += f"; {sum(lengths):.2f} s in {len(places)} places of the call"
        yield _moment("clipping", channel, tuple(places[worst]), lengths[worst] / clipping_s, text)


def _name(channel: int, agent_channel: int | None) -> str:
    role = role_of(channel, agent_channel)
    return f"the {role}" if role else f"channel {channel}"
