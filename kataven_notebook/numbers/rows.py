"""Measures and roles in, rows out: one flat row of numbers per call, and its turns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.numbers.conversation import (
    Turn,
    find_turns,
    floor_transfer_offsets,
    interruptions,
    longest_monologue,
)
from kataven_notebook.numbers.definitions import METRIC_COLUMNS
from kataven_notebook.numbers.mono import NOT_ESTIMATED, NUMBERS, OF_LATENCY, Parties
from kataven_notebook.numbers.responses import premature_cut_ins, response_latencies
from kataven_notebook.numbers.talk import dead_air, silences, talk_time
from kataven_notebook.speech.intervals import total_s, union

if TYPE_CHECKING:
    import numpy.typing as npt

    from kataven_notebook.numbers.measures import CallMeasures
    from kataven_notebook.speech.intervals import Intervals

Value = float | int | str | bool | None


_RESPONSES = tuple(f"response_latency_{name}_s" for name in ("mean", "p50", "p90", "max"))
_NAN = float("nan")

UNKNOWN_AGENT = "which channel is the agent is not known: pass agent_channel="


def call_row(
    measures: CallMeasures,
    agent_channel: int | None,
    estimate: Parties | None = None,
    *,
    why_no_agent: str | None = None,
) -> dict[str, Value]:
    """Return one call's numbers by the names and in the order of `METRIC_COLUMNS`.

    A number that can't be had is NaN (counts and text: None), and `metrics_error` says why. Only
    `time_to_yield_p50_s` has no reason there where `interruptions_by_caller` is 0.

    Parameters
    ----------
    measures
        What was measured on the recording.
    agent_channel
        Which channel is the agent, or None where that isn't known: each party's numbers are missing then.
    why_no_agent
        Why it isn't known, for `metrics_error`: `AgentChannel.reason`.
    estimate
        Who speaks when on the one channel of a recording, where that was estimated.

    Examples
    --------
    >>> from kataven_notebook.numbers.measures import measure
    >>> from kataven_notebook.sound.recording import Recording
    >>> row = call_row(measure(Recording.from_samples([0.0] * 8_000, 8_000)), agent_channel=None)
    >>> row["silence_s"], row["agent_talk_s"], row["turn_count"]
    (1.0, nan, None)
    """
    row, missing = _of_anybody(measures)
    parties = measures.parties
    turns = call_turns(measures)
    why = why_no_roles(measures, agent_channel, why_no_agent)
    row["parties"] = "channels" if parties is not None else None
    if parties is not None and not measures.why_unheard:
        row |= _of_both(measures, parties, turns, missing)
    if estimate is not None and measures.one_sound and not measures.why_unheard:
        why = f"{_one_sound(measures)}: {_of_estimate(estimate, row, missing)}"
    if parties is not None and agent_channel in parties and measures.why_unheard:
        row |= _of_doubted(measures, {"agent": agent_channel, "caller": sum(parties) - agent_channel}, missing)
    if parties is None or agent_channel is None or why:
        others = [name for name in METRIC_COLUMNS if name not in row and name not in missing]
        missing |= dict.fromkeys(others, why or "")
    else:
        roles = {"agent": agent_channel, "caller": sum(parties) - agent_channel}
        row |= _of_each(measures, roles, turns, missing) | _of_channels(measures, roles, missing)
    row["speech_method"] = measures.speech_method
    row["metrics_error"] = _sentence(missing)
    nothing: dict[str, Value] = {"float64": _NAN, "Int64": None, "string": None}
    for name in missing:
        row.setdefault(name, nothing[METRIC_COLUMNS[name].dtype])
    return {name: row[name] for name in METRIC_COLUMNS}


def why_no_roles(measures: CallMeasures, agent_channel: int | None, why_no_agent: str | None = None) -> str | None:
    """Return why each party's numbers are missing, or None where they can be had."""
    if why := measures.why_unheard:
        return why
    if measures.one_sound:
        return f'{_one_sound(measures)}: the parties can\'t be told apart, but mono="estimate" tries by their voices'
    if measures.parties is None:
        spoken = sum(len(intervals) > 0 for intervals in measures.speech)
        return f"{measures.channels} channels, {spoken} of them with speech: two parties are needed"
    if agent_channel is None:
        return why_no_agent or UNKNOWN_AGENT
    if agent_channel not in measures.parties:
        first, second = measures.parties
        return f"agent_channel={agent_channel}: the parties are channels {first} and {second}"
    return None


def turn_rows(measures: CallMeasures, agent_channel: int | None) -> list[dict[str, Value]]:
    """Return one dict per turn and backchannel, as `conversation.find_turns` has them, in order of start.

    Keys: turn (from 0), role ("agent", "caller", or None where the agent isn't known), channel, start_s,
    end_s, kind ("turn", "interruption", "backchannel"), gap_before_s, overlap_s, interrupts. No rows where
    the parties can't be told apart: one channel, more than two with speech, or speech that is in doubt.
    """
    # A channel that is no party is nobody's, and would make a caller of both.
    known = agent_channel if agent_channel in (measures.parties or ()) else None
    return [
        {
            "turn": index,
            "role": role_of(turn.channel, known),
            "channel": turn.channel,
            "start_s": turn.start_s,
            "end_s": turn.end_s,
            "kind": turn.kind,
            "gap_before_s": turn.gap_before_s,
            "overlap_s": turn.overlap_s,
            "interrupts": turn.interrupts,
        }
        for index, turn in enumerate(call_turns(measures))
    ]


def call_turns(measures: CallMeasures) -> tuple[Turn, ...]:
    """Return the call's turns with the recording's channel numbers; none without two parties, or where in doubt."""
    if measures.parties is None or measures.why_unheard:
        return ()
    turns = find_turns(*(measures.speech[channel] for channel in measures.parties))
    return tuple(replace(turn, channel=measures.parties[turn.channel]) for turn in turns)


def role_of(channel: int, agent_channel: int | None) -> str | None:
    """Return "agent", "caller", or None where that isn't known."""
    if agent_channel is None:
        return None
    return "agent" if channel == agent_channel else "caller"


def _of_anybody(measures: CallMeasures) -> tuple[dict[str, Value], dict[str, str]]:
    """Return what needs no parties: speech on any channel, and silence."""
    if measures.why_unheard:
        return {}, {}
    spoken: Intervals = np.empty((0, 2))
    for intervals in measures.speech:
        spoken = union(spoken, intervals)
    quiet = silences(spoken, [], measures.duration_s)
    lengths = quiet[:, 1] - quiet[:, 0]
    dead = dead_air(measures.speech, measures.duration_s)
    # By difference, so that speech and silence add up to the duration to the last bit.
    silence_s = measures.duration_s - total_s(spoken)
    row: dict[str, Value] = {
        "speech_s": total_s(spoken),
        "silence_s": max(silence_s, 0.0),
        "silence_ratio": max(silence_s, 0.0) / measures.duration_s if measures.duration_s else _NAN,
        "longest_silence_s": float(lengths.max(initial=0.0)),
        "dead_air_s": total_s(dead),
        "dead_air_count": len(dead),
        "time_to_first_word_s": float(spoken[0, 0]) if len(spoken) else _NAN,
        "silent_channels": sum(quality.silent for quality in measures.quality),
    }
    missing = {} if len(spoken) else {"time_to_first_word_s": "nobody speaks"}
    if any(quality.finite_ratio < 1 for quality in measures.quality):
        row["silent_channels"] = None
        missing["silent_channels"] = "some samples are not finite"
    return row, missing


def _of_both(
    measures: CallMeasures, parties: tuple[int, int], turns: tuple[Turn, ...], missing: dict[str, str]
) -> dict[str, Value]:
    """Return what needs two parties, but not who is who."""
    monologue = longest_monologue(turns)
    if monologue is None:
        missing["longest_monologue_s"] = "nobody speaks"
    time = talk_time(measures.speech[parties[0]], measures.speech[parties[1]], measures.duration_s)
    return {
        "overlap_s": time.overlap_s,
        "turn_count": sum(turn.kind != "backchannel" for turn in turns),
        "backchannels": sum(turn.kind == "backchannel" for turn in turns),
        "longest_monologue_s": _NAN if monologue is None else monologue.end_s - monologue.start_s,
    }


def _of_each(
    measures: CallMeasures, roles: dict[str, int], turns: tuple[Turn, ...], missing: dict[str, str]
) -> dict[str, Value]:
    """Return what each party did in the conversation."""
    agent, caller = roles["agent"], roles["caller"]
    talk = {role: total_s(measures.speech[channel]) for role, channel in roles.items()}
    both = talk["agent"] + talk["caller"]
    barge_ins = interruptions(turns)
    offsets = floor_transfer_offsets(turns, to=agent)
    yields = [one.time_to_yield_s for one in barge_ins if one.channel == caller and one.yielded_by == agent]
    row: dict[str, Value] = {
        "agent_talk_s": talk["agent"],
        "caller_talk_s": talk["caller"],
        "talk_ratio": talk["agent"] / both if both else _NAN,
        "agent_turns": sum(turn.kind != "backchannel" and turn.channel == agent for turn in turns),
        "caller_turns": sum(turn.kind != "backchannel" and turn.channel == caller for turn in turns),
        "interruptions_by_agent": sum(one.channel == agent for one in barge_ins),
        "interruptions_by_caller": sum(one.channel == caller for one in barge_ins),
        "time_to_yield_p50_s": _median(yields),
        "floor_transfer_offset_p50_s": _median(offsets),
        "overlap_transfer_ratio": float((offsets < 0).mean()) if len(offsets) else _NAN,
    }
    latencies = response_latencies(measures.speech[caller], measures.speech[agent])[:, 1]
    row |= {"response_count": len(latencies)} | _distribution(latencies)
    cut_ins = len(premature_cut_ins(measures.speech[caller], measures.speech[agent]))
    row["premature_cut_in_ratio"] = cut_ins / (cut_ins + len(latencies)) if cut_ins or len(latencies) else _NAN
    answers = response_latencies(measures.speech[agent], measures.speech[caller])[:, 1]
    row["caller_response_latency_p50_s"] = _median(answers)
    if row["interruptions_by_caller"] and not yields:
        missing["time_to_yield_p50_s"] = "the agent yields to none of the caller's interruptions"
    if not both:
        missing["talk_ratio"] = "nobody speaks"
    if not len(latencies):
        names = _RESPONSES if cut_ins else (*_RESPONSES, "premature_cut_in_ratio")
        missing |= dict.fromkeys(names, _why_no_answer(talk, "agent", "caller"))
    if not len(answers):
        missing["caller_response_latency_p50_s"] = _why_no_answer(talk, "caller", "agent")
    if not len(offsets):
        names = ("floor_transfer_offset_p50_s", "overlap_transfer_ratio")
        missing |= dict.fromkeys(names, "the floor never goes from the caller to the agent")
    return row


def _one_sound(measures: CallMeasures) -> str:
    return "one channel only" if measures.channels == 1 else "the channels hold the same sound"


def _of_estimate(estimate: Parties, row: dict[str, Value], missing: dict[str, str]) -> str:
    """Put what one channel lets be estimated into the row, and return why the rest is missing."""
    if estimate.reason is not None:
        return estimate.reason
    row["parties"] = "estimated"
    row |= {name: number(estimate) for name, number in NUMBERS.items()}
    if estimate.latency_reason is not None:
        for name in OF_LATENCY:
            del row[name]
            missing[name] = estimate.latency_reason
    elif not row["response_count"]:
        talk = {"agent": total_s(estimate.agent), "caller": total_s(estimate.caller)}
        missing["response_latency_p50_s"] = _why_no_answer(talk, "agent", "caller")
    return NOT_ESTIMATED


def _of_channels(measures: CallMeasures, roles: dict[str, int], missing: dict[str, str]) -> dict[str, Value]:
    """Return the quality of each party's channel."""
    row: dict[str, Value] = {}
    for role, channel in roles.items():
        quality = measures.quality[channel]
        for name in ("lufs", "peak_dbfs", "clipping_ratio", "noise_floor_dbfs", "snr_db"):
            row[f"{role}_{name}"] = getattr(quality, name)
        missing |= {f"{role}_{name}": why for name, why in quality.reasons}
    return row


def _of_doubted(measures: CallMeasures, roles: dict[str, int], missing: dict[str, str]) -> dict[str, Value]:
    """Return what holds whoever else is heard: each channel's sound, and the talk of the party that is not in doubt."""
    row = _of_channels(measures, roles, missing)
    for role, channel in roles.items():
        if measures.doubts[channel] is None:
            row[f"{role}_talk_s"] = total_s(measures.speech[channel])
        else:
            # The level of speech is that of whatever was taken for it.
            del row[f"{role}_snr_db"]
            missing.pop(f"{role}_snr_db", None)
    return row


def _why_no_answer(talk: dict[str, float], who: str, whom: str) -> str:
    silent = next((role for role in (who, whom) if not talk[role]), None)
    return f"the {silent} never speaks" if silent else f"the {who} never begins after the {whom} has finished"


def _median(values: npt.ArrayLike) -> float:
    array = np.asarray(values, dtype=np.float64)
    return float(np.median(array)) if array.size else _NAN


def _distribution(latencies: npt.NDArray[np.float64]) -> dict[str, Value]:
    if not len(latencies):
        return dict.fromkeys(_RESPONSES, _NAN)
    values = (latencies.mean(), np.median(latencies), np.percentile(latencies, 90), latencies.max())
    return {name: float(value) for name, value in zip(_RESPONSES, values, strict=True)}


def _sentence(missing: dict[str, str]) -> str | None:
    """Return the reasons, each after the columns it is about, or None where nothing is missing."""
    by_reason: dict[str, list[str]] = {}
    for name in METRIC_COLUMNS:
        if name in missing:
            by_reason.setdefault(missing[name], []).append(name)
    parts = []
    for why, names in by_reason.items():
        # Where a whole party is missing, thirty names would hide the reason.
        parts.append(why if len(names) > 6 else f"{', '.join(names)}: {why}")
    return "; ".join(parts) or None
