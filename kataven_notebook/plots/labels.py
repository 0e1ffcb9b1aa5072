"""What stands beside axes: each metric in words with its unit, and whose number it is."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from kataven_notebook.numbers.definitions import ALL_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "duration_s": "duration",
        "agent_channel": "agent's channel",
        "agent_channel_confidence": "confidence in the agent's channel",
        "speech_s": "time in speech",
        "silence_s": "time in silence",
        "silence_ratio": "share of silence",
        "longest_silence_s": "longest silence",
        "dead_air_s": "time in silences of 3 s or more",
        "dead_air_count": "silences of 3 s or more",
        "time_to_first_word_s": "time to the first word",
        "agent_talk_s": "agent's talk",
        "caller_talk_s": "caller's talk",
        "talk_ratio": "agent's share of the talk",
        "overlap_s": "time in which both speak",
        "turn_count": "turns",
        "agent_turns": "agent's turns",
        "caller_turns": "caller's turns",
        "backchannels": "backchannels",
        "interruptions_by_agent": "interruptions by the agent",
        "interruptions_by_caller": "interruptions by the caller",
        "time_to_yield_p50_s": "agent's time to yield, median",
        "response_count": "agent's responses",
        "response_latency_mean_s": "response latency, mean",
        "response_latency_p50_s": "response latency, median",
        "response_latency_p90_s": "response latency, 90th percentile",
        "response_latency_max_s": "response latency, longest",
        "response_latency_s": "response latency",
        "caller_response_latency_p50_s": "caller's response latency, median",
        "floor_transfer_offset_p50_s": "floor transfer offset, median",
        "overlap_transfer_ratio": "share of the floor's transfers in overlap",
        "premature_cut_in_ratio": "share of premature cut-ins",
        "longest_monologue_s": "longest monologue",
        "agent_lufs": "agent's loudness",
        "caller_lufs": "caller's loudness",
        "agent_peak_dbfs": "agent's peak",
        "caller_peak_dbfs": "caller's peak",
        "agent_clipping_ratio": "agent's share of clipped samples",
        "caller_clipping_ratio": "caller's share of clipped samples",
        "agent_noise_floor_dbfs": "agent's noise floor",
        "caller_noise_floor_dbfs": "caller's noise floor",
        "agent_snr_db": "agent's signal-to-noise ratio",
        "caller_snr_db": "caller's signal-to-noise ratio",
        "silent_channels": "silent channels",
    }
)
"""Each column of numbers in words, without its unit."""

UNITS = {"s": "s", "ms": "ms", "min": "min", "db": "dB", "dbfs": "dBFS", "lufs": "LUFS", "hz": "Hz", "bytes": "bytes"}
_NO_UNIT = ("count", "1", None)
_OF_THE_AGENT = ("response_latency_", "interruptions_by_agent", "response_count", "premature_cut_in", "time_to_yield_")

Party = Literal["agent", "caller"]


def unit_of(metric: str) -> str:
    """Return the unit of a column's numbers, empty for counts and shares and where the name tells none.

    Examples
    --------
    >>> unit_of("response_latency_p50_s"), unit_of("lag_ms"), unit_of("backchannels")
    ('s', 'ms', '')
    """
    if (known := ALL_COLUMNS.get(metric)) is not None:
        return "" if known.unit in _NO_UNIT else str(known.unit)
    name, _, unit = metric.rpartition("_")
    return UNITS.get(unit.lower(), "") if name else ""


def words_of(metric: str) -> str:
    """Return a column's name as people say it, without its unit.

    Examples
    --------
    >>> words_of("talk_ratio"), words_of("lag_ms"), words_of("CSAT")
    ("agent's share of the talk", 'lag', 'CSAT')
    """
    if metric in WORDS:
        return WORDS[metric]
    name = metric.rpartition("_")[0] if unit_of(metric) else metric
    # A name is the caller's: a lone dollar would begin a formula.
    return name.replace("_", " ").strip().replace("$", r"\$") or metric


def label_of(metric: str) -> str:
    """Return a column's name as people write it, with the unit in brackets.

    Examples
    --------
    >>> label_of("response_latency_p50_s"), label_of("agent_snr_db"), label_of("talk_ratio")
    ('response latency, median (s)', "agent's signal-to-noise ratio (dB)", "agent's share of the talk")
    """
    unit = unit_of(metric)
    return f"{words_of(metric)} ({unit})" if unit else words_of(metric)


def is_share(metric: str) -> bool:
    """Whether a column's numbers lie between 0 and 1 by their definition."""
    known = ALL_COLUMNS.get(metric)
    return known is not None and known.unit == "1"


def party_of(metric: str) -> Party | None:
    """Return whose number it is, so that it can be drawn in that party's colour; None where it is nobody's alone.

    Examples
    --------
    >>> party_of("response_latency_p50_s"), party_of("caller_snr_db"), party_of("overlap_s")
    ('agent', 'caller', None)
    """
    if metric.startswith(("caller_", "interruptions_by_caller")):
        return "caller"
    return "agent" if metric.startswith(("agent_", *_OF_THE_AGENT)) else None
