"""The columns of numbers per call: name, dtype, unit, what each means, and who defined it so."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

_P59 = "ITU-T P.59 (1993)"
_BS1770 = "ITU-R BS.1770-4 (2015)"
_SACKS = "Sacks, Schegloff & Jefferson (1974), Language 50"
_YNGVE = "Yngve (1970), Chicago Linguistic Society 6"
_RAUX = "Raux & Eskenazi (2008), SIGdial"
_HELDNER = "Heldner & Edlund (2010), Journal of Phonetics 38"
# Numbers that the field has no agreed definition for: the docstrings of these modules give it.
_CONVERSATION = "kataven_notebook.numbers.conversation"
_TALK = "kataven_notebook.numbers.talk"
_QUALITY = "kataven_notebook.numbers.quality"
_PACKAGE = "kataven_notebook.metrics"


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """One column of numbers per call.

    Parameters
    ----------
    dtype
        Of the column in a frame.
    unit
        "s", "count", "1" (a share or ratio), "dBFS", "dB", "LUFS"; None for text and for numbers of channels.
    source
        The standard or paper that defines the number, or the module of this package that does.
    definition
        What the number means, in one sentence.
    """

    dtype: Literal["float64", "Int64", "string"]
    unit: str | None
    source: str
    definition: str


def _seconds(source: str, definition: str) -> MetricColumn:
    return MetricColumn("float64", "s", source, definition)


def _ratio(source: str, definition: str) -> MetricColumn:
    return MetricColumn("float64", "1", source, definition)


def _level(unit: str, source: str, definition: str) -> MetricColumn:
    return MetricColumn("float64", unit, source, definition)


def _count(source: str, definition: str) -> MetricColumn:
    return MetricColumn("Int64", "count", source, definition)


def _text(source: str, definition: str) -> MetricColumn:
    return MetricColumn("string", None, source, definition)


METRIC_COLUMNS: Mapping[str, MetricColumn] = MappingProxyType(
    {
        "speech_s": _seconds(_P59, "Seconds in which anybody speaks; with silence_s the duration."),
        "silence_s": _seconds(_P59, "Seconds in which nobody speaks (mutual silence)."),
        "silence_ratio": _ratio(_P59, "silence_s over the duration, 0 to 1."),
        "longest_silence_s": _seconds(
            _CONVERSATION, "Longest time without speech, the call's beginning and end included."
        ),
        "dead_air_s": _seconds(_TALK, "Seconds in silences of at least 3 s, the call's beginning and end included."),
        "dead_air_count": _count(_TALK, "How many silences of at least 3 s; `moments` lists each."),
        "time_to_first_word_s": _seconds(_CONVERSATION, "From the call's beginning to anybody's first speech."),
        "agent_talk_s": _seconds(_P59, "Seconds in which the agent speaks."),
        "caller_talk_s": _seconds(_P59, "Seconds in which the caller speaks."),
        "talk_ratio": _ratio(_P59, "agent_talk_s over agent_talk_s + caller_talk_s, 0 to 1."),
        "overlap_s": _seconds(_P59, "Seconds in which both speak (double talk)."),
        "turn_count": _count(_SACKS, "Turns of both: speech with pauses under 1 s; no backchannels."),
        "agent_turns": _count(_SACKS, "Turns of the agent."),
        "caller_turns": _count(_SACKS, "Turns of the caller."),
        "backchannels": _count(
            _YNGVE,
            "Short utterances (under 0.8 s) during the other's turn, which goes on; answers in its pauses are turns.",
        ),
        "interruptions_by_agent": _count(
            _CONVERSATION, "Turns of 0.45 s or more that the agent begins while the caller holds the floor."
        ),
        "interruptions_by_caller": _count(
            _CONVERSATION,
            "Turns of 0.45 s or more that the caller begins while the agent holds the floor (barge-in), "
            "however late the agent stops, up to 3 s.",
        ),
        "time_to_yield_p50_s": _seconds(
            _CONVERSATION,
            "Median time from the start of a caller's interruption until the agent stops, of those it yields to.",
        ),
        "response_count": _count(
            _CONVERSATION, "Turns of the agent that begin after the caller has finished; no premature cut-ins."
        ),
        "response_latency_mean_s": _seconds(
            _HELDNER,
            "Mean time from the caller's last speech to the agent's response, never negative: what other tools "
            "report as latency.",
        ),
        "response_latency_p50_s": _seconds(
            _HELDNER, "Median time from the caller's last speech to the agent's response."
        ),
        "response_latency_p90_s": _seconds(_HELDNER, "90th percentile of the response latency."),
        "response_latency_max_s": _seconds(_HELDNER, "Longest response latency."),
        "caller_response_latency_p50_s": _seconds(_HELDNER, "Median response latency of the caller after the agent."),
        "floor_transfer_offset_p50_s": _seconds(
            _HELDNER,
            "Median time from the end of a caller's turn to the start of the agent's, overlaps negative: not the "
            "response latency, which leaves overlaps out.",
        ),
        "overlap_transfer_ratio": _ratio(
            _HELDNER, "Share of the floor's transfers from caller to agent that begin in overlap, 0 to 1."
        ),
        "premature_cut_in_ratio": _ratio(
            _RAUX,
            "Share of the agent's starts after the caller's speech where the caller had not finished and goes on "
            "within 0.7 s, 0 to 1; the others are responses.",
        ),
        "longest_monologue_s": _seconds(
            _CONVERSATION, "Longest stretch of one party without a turn of the other or 3 s of silence."
        ),
        "agent_lufs": _level("LUFS", _BS1770, "Integrated loudness of all that is on the agent's channel."),
        "caller_lufs": _level("LUFS", _BS1770, "Integrated loudness of all that is on the caller's channel."),
        "agent_peak_dbfs": _level("dBFS", _QUALITY, "Largest sample of the agent's channel."),
        "caller_peak_dbfs": _level("dBFS", _QUALITY, "Largest sample of the caller's channel."),
        "agent_clipping_ratio": _ratio(
            _QUALITY, "Share of the agent's samples that are cut off, 0 to 1; estimated behind a codec."
        ),
        "caller_clipping_ratio": _ratio(
            _QUALITY, "Share of the caller's samples that are cut off, 0 to 1; estimated behind a codec."
        ),
        "agent_noise_floor_dbfs": _level(
            "dBFS", _QUALITY, "Median level of the agent's channel where the agent doesn't speak, music included."
        ),
        "caller_noise_floor_dbfs": _level(
            "dBFS", _QUALITY, "Median level of the caller's channel where the caller doesn't speak, music included."
        ),
        "agent_snr_db": _level(
            "dB", _QUALITY, "Power of the agent's speech over that of the channel's noise, music and tones not counted."
        ),
        "caller_snr_db": _level(
            "dB",
            _QUALITY,
            "Power of the caller's speech over that of the channel's noise, music and tones not counted.",
        ),
        "silent_channels": _count(_QUALITY, "Channels that never reach -60 dBFS."),
        "parties": _text(
            _PACKAGE,
            'How the parties are told apart: "channels" where each has one, "estimated" by their voices '
            '(`mono="estimate"`), missing where they are not.',
        ),
        "speech_method": _text(_PACKAGE, "What found the speech."),
        "metrics_error": _text(_PACKAGE, "Which of these numbers are missing, and why."),
    }
)
"""Columns of `rows.call_row`, in their order."""

CALL_COLUMNS: Mapping[str, MetricColumn] = MappingProxyType(
    {
        "duration_s": _seconds(_PACKAGE, "Length of the recording."),
        "agent_channel": MetricColumn("Int64", None, _PACKAGE, "Which channel is the agent's, from 0."),
        "agent_channel_confidence": _ratio(
            _PACKAGE,
            "How likely that is, 0.5 to 1, by the shared voice, silence, noise and first speaker of the frame's calls; "
            "1 where the caller of `metrics` says it, 0 where there are no two parties.",
        ),
    }
)
"""Columns that `metrics` puts before them."""

ALL_COLUMNS: Mapping[str, MetricColumn] = MappingProxyType({**CALL_COLUMNS, **METRIC_COLUMNS})
"""Columns that `metrics` adds beside status and error, in their order."""
