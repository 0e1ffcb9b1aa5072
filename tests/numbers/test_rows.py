"""Measures in, honest rows out, whatever the sound."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scripted_calls import FIRST, RATE, SECOND, measured, sound

from kataven_notebook.numbers.definitions import METRIC_COLUMNS
from kataven_notebook.numbers.moments import moment_rows
from kataven_notebook.numbers.mono import Parties
from kataven_notebook.numbers.rows import call_row, call_turns, turn_rows
from kataven_notebook.speech.parties import ONE_SOUND

if TYPE_CHECKING:
    from kataven_notebook.numbers.measures import CallMeasures

pytestmark = pytest.mark.core


def test_each_number_of_a_known_call(call: CallMeasures) -> None:
    """Talk, silence, turns, latencies and levels, worked out by hand."""
    row = call_row(call, 0)
    expected = {
        "agent_talk_s": 8.5,
        "caller_talk_s": 4.0,
        "talk_ratio": 8.5 / 12.5,
        "overlap_s": 1.0,
        "speech_s": 11.5,
        "silence_s": 6.5,
        "silence_ratio": 6.5 / 18,
        "longest_silence_s": 4.0,
        "dead_air_s": 4.0,
        "dead_air_count": 1,
        "time_to_first_word_s": 0.5,
        "turn_count": 5,
        "agent_turns": 3,
        "caller_turns": 2,
        "backchannels": 1,
        "interruptions_by_agent": 0,
        "interruptions_by_caller": 1,
        "time_to_yield_p50_s": 0.5,
        "response_count": 2,
        "response_latency_mean_s": 0.75,
        "response_latency_p50_s": 0.75,
        "response_latency_p90_s": 0.95,
        "response_latency_max_s": 1.0,
        "caller_response_latency_p50_s": 0.5,
        "floor_transfer_offset_p50_s": 0.75,
        "overlap_transfer_ratio": 0.0,
        "premature_cut_in_ratio": 0.0,
        "longest_monologue_s": 4.5,
        "agent_noise_floor_dbfs": pytest.approx(-60, abs=0.3),
        "agent_snr_db": pytest.approx(37, abs=0.4),
        "agent_peak_dbfs": pytest.approx(-20, abs=0.5),
        "agent_clipping_ratio": 0.0,
        "silent_channels": 0,
        "speech_method": "callable",
        "metrics_error": None,
    }
    for name, value in expected.items():
        known = pytest.approx(value, abs=0.011) if isinstance(value, float) else value
        assert row[name] == known, name


def test_a_row_has_the_columns_and_dtypes_of_the_table(call: CallMeasures) -> None:
    """In their order; floats are floats and counts are counts."""
    kinds = {"float64": float, "Int64": int, "string": str}
    for agent_channel in (0, None):
        row = call_row(call, agent_channel)
        assert list(row) == list(METRIC_COLUMNS)
        for name, value in row.items():
            assert value is None or type(value) is kinds[METRIC_COLUMNS[name].dtype], name


def test_swapping_the_agent_swaps_the_parties(call: CallMeasures) -> None:
    """The other channel as agent exchanges agent and caller; what belongs to both stays."""
    there, back = call_row(call, 0), call_row(call, 1)
    for name in METRIC_COLUMNS:
        if name.startswith("agent_"):
            assert there[name] == back[name.replace("agent_", "caller_")]
    assert there["interruptions_by_caller"] == back["interruptions_by_agent"]
    assert there["caller_response_latency_p50_s"] == back["response_latency_p50_s"]
    assert there["overlap_s"] == back["overlap_s"]


def test_without_a_known_agent_only_the_parties_numbers_are_missing(call: CallMeasures) -> None:
    """What needs no roles is there; the reason names the option."""
    row = call_row(call, None)
    assert np.isnan(row["agent_talk_s"])
    assert row["agent_turns"] is None
    assert (row["turn_count"], row["backchannels"]) == (5, 1)
    assert "pass agent_channel=" in row["metrics_error"]
    why = "which channel is the agent is uncertain: two callers; pass agent_channel="
    assert why in call_row(call, None, why_no_agent=why)["metrics_error"]
    assert "agent_channel=5: the parties are channels 0 and 1" in call_row(call, 5)["metrics_error"]


def test_a_mono_call_has_the_union_of_speech_and_no_guesses() -> None:
    """Per-party numbers, turns and overlaps are missing."""
    measures = measured(sound(FIRST, SECOND).sum(axis=1, keepdims=True))
    row = call_row(measures, 0)
    assert row["speech_s"] == pytest.approx(11.5, abs=0.05)
    assert row["dead_air_count"] == 1
    for name in ("agent_talk_s", "overlap_s", "response_latency_p50_s", "agent_lufs"):
        assert np.isnan(row[name]), name
    assert row["turn_count"] is None
    assert row["metrics_error"].startswith("one channel only")
    assert turn_rows(measures, 0) == []


def test_six_channels_have_two_parties_where_only_two_speak() -> None:
    """And none where three do."""
    two = measured(sound([], FIRST, [], [], SECOND, []))
    assert two.parties == (1, 4)
    assert call_row(two, 4)["agent_talk_s"] == pytest.approx(4.0, abs=0.05)
    assert {row["channel"] for row in turn_rows(two, 4)} == {1, 4}
    three = measured(sound(FIRST, SECOND, FIRST))
    assert three.parties is None
    assert "3 channels, 3 of them with speech" in call_row(three, 0)["metrics_error"]


def test_only_interruptions_that_are_yielded_to_have_a_time_to_yield() -> None:
    """A caller who gives up is counted, but the agent yielded to nobody."""
    row = call_row(measured(sound([(0.5, 8.0)], [(3.0, 4.5)])), 0)
    assert row["interruptions_by_caller"] == 1
    assert np.isnan(row["time_to_yield_p50_s"])
    assert "time_to_yield_p50_s: the agent yields to none of the caller's" in row["metrics_error"]


def test_cut_ins_and_overlaps_have_their_shares() -> None:
    """Of the agent's four starts one is in overlap, one cuts in on the caller, and two are responses."""
    agent = [(3.0, 4.0), (6.8, 9.0), (12.6, 13.5), (17.0, 18.0)]
    caller = [(1.0, 2.5), (5.0, 7.0), (10.0, 12.0), (13.0, 16.0)]
    row = call_row(measured(sound(agent, caller, duration_s=20)), 0)
    assert (row["response_count"], row["response_latency_max_s"]) == (2, pytest.approx(1.0, abs=0.011))
    assert row["premature_cut_in_ratio"] == pytest.approx(1 / 3)
    assert row["overlap_transfer_ratio"] == 0.25


def test_a_rate_that_leaves_nothing_of_speech_is_not_taken_for_silence() -> None:
    """Of 500 frames a second nobody can say whether anybody spoke."""
    row = call_row(measured(sound(FIRST, SECOND, rate=500), rate=500), 0)
    assert row["metrics_error"] == "the sample rate of 500 Hz leaves nothing of speech"
    assert np.isnan([row["speech_s"], row["silence_s"], row["agent_talk_s"]]).all()


def test_sound_that_is_no_number_is_not_taken_for_silence() -> None:
    """A channel of NaN says nothing about who spoke; a few of them spoil the levels alone."""
    samples = sound(FIRST, SECOND)
    samples[100:105, 1] = np.nan
    row = call_row(measured(samples), 0)
    assert row["caller_talk_s"] == pytest.approx(4.0, abs=0.05)
    assert (row["agent_peak_dbfs"] < 0, row["silent_channels"]) == (True, None)
    assert "silent_channels: some samples are not finite" in row["metrics_error"]
    assert "5 samples are not finite" in row["metrics_error"]
    samples[:, 1] = np.inf
    broken = measured(samples)
    row = call_row(broken, 0)
    assert row.pop("metrics_error") == "more than a tenth of the samples of channel 1 are not finite"
    assert row.pop("speech_method") == "callable"
    assert all(value is None or np.isnan(value) for value in row.values())
    assert turn_rows(broken, 0) == []
    assert not any(moment["kind"] == "dead air" for moment in moment_rows(broken, 0))


def test_a_silent_call_says_which_numbers_it_lacks() -> None:
    """By column, with the reason; no 0 stands in their place."""
    row = call_row(measured(np.zeros((RATE, 2))), 0)
    reasons = row["metrics_error"].split("; ")
    lacking = [name for reason in reasons for name in reason.partition(": ")[0].split(", ")]
    assert len(lacking) > 10
    assert all(row[name] is None or np.isnan(row[name]) for name in lacking)
    assert "time_to_first_word_s, talk_ratio, longest_monologue_s: nobody speaks" in reasons
    assert "agent_peak_dbfs, caller_peak_dbfs: every sample is 0" in reasons


def test_a_call_in_which_nobody_answers() -> None:
    """The agent's monologue: no responses, and the reason instead of 0 s."""
    row = call_row(measured(sound(FIRST, [])), 0)
    assert row["response_count"] == 0
    assert np.isnan(row["response_latency_p50_s"])
    assert row["talk_ratio"] == 1.0
    assert "the caller never speaks" in row["metrics_error"]
    assert "response_latency_p50_s" in row["metrics_error"]


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((RATE, 2)),
        np.full((RATE, 2), 0.5),
        np.full((RATE, 2), np.nan),
        np.zeros((1, 2)),
        np.zeros((100, 1)),
        sound(FIRST, SECOND)[:, :1].repeat(2, axis=1),
        np.sin(np.arange(2 * RATE))[:, None].repeat(6, axis=1),
    ],
    ids=["silence", "DC", "NaN", "one frame", "10 ms of mono", "twice the same", "a tone on 6 channels"],
)
@pytest.mark.parametrize("agent_channel", [0, None])
def test_hopeless_sound_gives_an_honest_row(samples: np.ndarray, agent_channel: int | None) -> None:
    """No exception, no warning; every missing number has its reason; levels are never 0 for want of one."""
    measures = measured(samples)
    row = call_row(measures, agent_channel)
    missing = [name for name, value in row.items() if value is None or value != value]  # noqa: PLR0124 - NaN
    heads = [why.partition(": ")[0].split(", ") for why in (row["metrics_error"] or "").split("; ")]
    # A reason without names is that of a whole party.
    if all(METRIC_COLUMNS.keys() >= set(names) for names in heads):
        assert set(missing) <= {"metrics_error", "time_to_yield_p50_s"}.union(*heads)
    assert not any(row[name] == 0.0 for name in ("agent_lufs", "agent_noise_floor_dbfs", "response_latency_p50_s"))
    if not measures.unheard:
        assert row["silence_s"] + row["speech_s"] == pytest.approx(measures.duration_s)
    moment_rows(measures, agent_channel)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000])
def test_the_rate_changes_no_times(rate: int) -> None:
    """The same call at another sample rate has the same turns, to the detector's 10 ms."""
    rows = turn_rows(measured(sound(FIRST, SECOND, rate=rate), rate), 0)
    assert [row["kind"] for row in rows] == ["turn", "turn", "turn", "interruption", "turn", "backchannel"]
    assert [row["start_s"] for row in rows] == pytest.approx([0.5, 3.0, 6.0, 7.5, 9.5, 11.0], abs=0.011)


def test_turn_rows_name_roles_and_gaps(call: CallMeasures) -> None:
    """The long table's columns, and roles only where they are known."""
    rows = turn_rows(call, 1)
    assert list(rows[1]) == [
        *("turn", "role", "channel", "start_s", "end_s"),
        *("kind", "gap_before_s", "overlap_s", "interrupts"),
    ]
    assert [row["role"] for row in rows[:2]] == ["caller", "agent"]
    assert rows[1]["gap_before_s"] == pytest.approx(0.5, abs=0.011)
    assert rows[3]["interrupts"] is True
    assert {row["role"] for row in turn_rows(call, None)} == {None}


def test_an_estimated_row_has_only_what_one_channel_can_say() -> None:
    """Talk times and responses after a pause; no turns, overlaps or levels, and the reason."""
    measures = measured(sound(FIRST, SECOND).sum(axis=1, keepdims=True))
    agent, caller = np.array([[0.5, 2.5], [6.0, 8.0], [9.5, 14.0]]), np.array([[3.0, 5.0], [8.0, 9.0]])
    row = call_row(measures, None, Parties(agent, caller))
    assert row["parties"] == "estimated"
    assert (row["agent_talk_s"], row["caller_talk_s"]) == (8.5, 3.0)
    assert row["talk_ratio"] == pytest.approx(8.5 / 11.5)
    assert (row["response_count"], row["response_latency_p50_s"]) == (2, 0.75)
    for name in ("turn_count", "overlap_s", "interruptions_by_caller", "response_latency_max_s", "agent_lufs"):
        assert row[name] is None or np.isnan(row[name]), name
    assert row["metrics_error"] == "one channel only: overlaps, turns, and each party's level can't be had from it"
    assert list(row) == list(METRIC_COLUMNS)


def test_a_change_without_a_pause_is_no_response() -> None:
    """It may have been an overlap."""
    measures = measured(sound(FIRST, SECOND).sum(axis=1, keepdims=True))
    row = call_row(measures, None, Parties(np.array([[3.0, 5.0]]), np.array([[1.0, 3.0]])))
    assert row["response_count"] == 0
    assert "response_latency_p50_s: the agent never begins after" in row["metrics_error"]


def test_an_estimate_that_is_withheld_says_why() -> None:
    """In the place of the sentence for every mono call."""
    measures = measured(sound(FIRST, SECOND).sum(axis=1, keepdims=True))
    row = call_row(measures, None, Parties.unknown("a third voice is heard"))
    assert row["parties"] is None
    assert np.isnan(row["agent_talk_s"])
    assert row["metrics_error"] == "one channel only: a third voice is heard"


def test_latencies_alone_may_be_withheld() -> None:
    """Where answers begin in noise; talk times stay."""
    measures = measured(sound(FIRST, SECOND).sum(axis=1, keepdims=True))
    agent, caller = np.array([[6.0, 8.0]]), np.array([[3.0, 5.0]])
    row = call_row(measures, None, Parties(agent, caller, latency_reason="loud music"))
    assert row["agent_talk_s"] == 2.0
    assert (row["response_count"], np.isnan(row["response_latency_p50_s"])) == (None, True)
    assert "response_count, response_latency_p50_s: loud music" in row["metrics_error"]


def test_parties_say_how_they_are_told_apart(call: CallMeasures) -> None:
    """By channels, whoever is the agent; not at all on one channel."""
    assert call_row(call, 0)["parties"] == call_row(call, None)["parties"] == "channels"
    assert call_row(measured(sound(FIRST)), None)["parties"] is None


def test_a_doubt_withholds_what_depends_on_it_and_no_more() -> None:
    """Another voice behind the caller leaves the agent's talk time and both channels' sound."""
    known = measured(sound([(1, 3), (6, 8)], [(3.5, 5.5), (8.5, 10)]))
    doubt = "another voice is heard behind the party, about 14 dB below"
    row = call_row(replace(known, doubts=(doubt, None)), agent_channel=1)
    assert row["agent_talk_s"] == call_row(known, agent_channel=1)["agent_talk_s"]
    assert row["caller_peak_dbfs"] == call_row(known, agent_channel=1)["caller_peak_dbfs"]
    for name in ("caller_talk_s", "talk_ratio", "overlap_s", "silence_s", "response_latency_p50_s", "caller_snr_db"):
        assert np.isnan(row[name]), name
    for name in ("interruptions_by_caller", "turn_count", "response_count", "dead_air_count"):
        assert row[name] is None, name
    assert row["metrics_error"] == f"on channel 0 {doubt}"


def test_a_doubted_call_has_no_turns() -> None:
    """What is not known to be somebody's speech is nobody's turn."""
    known = measured(sound([(1, 3)], [(3.5, 5.5)]))
    assert call_turns(known)
    assert call_turns(replace(known, doubts=(None, "speech is only 4 dB above the noise"))) == ()


def test_channels_with_the_same_sound_have_no_parties() -> None:
    """Mono stored twice has what mono has: when anybody speaks."""
    known = measured(sound([(1, 3)], [(1, 3)]))
    row = call_row(replace(known, doubts=(ONE_SOUND, ONE_SOUND)), agent_channel=1)
    assert row["speech_s"] == pytest.approx(2, abs=0.2)
    assert np.isnan(row["agent_talk_s"])
    assert row["turn_count"] is None
    assert row["metrics_error"].startswith("the channels hold the same sound: the parties can't be told apart")


def test_one_sound_on_two_channels_may_be_estimated_as_one_channel_is() -> None:
    """Who stores mono twice can ask for the same as who stores it once."""
    known = replace(measured(sound([(1, 3), (4, 6)], [(1, 3), (4, 6)])), doubts=(ONE_SOUND, ONE_SOUND))
    row = call_row(known, None, Parties(np.array([[4.0, 6.0]]), np.array([[1.0, 3.0]])))
    assert (row["parties"], row["talk_ratio"], row["response_count"]) == ("estimated", 0.5, 1)
    assert np.isnan(row["overlap_s"])
    assert row["metrics_error"].startswith("the channels hold the same sound: overlaps, turns")
