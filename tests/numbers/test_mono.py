"""Who the parties of one-channel calls are: right, or withheld with the reason."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from spoken_voices import AGENT, CALLERS, ENDING, TURNS, DrawnVoice, loud, mono_call, talk_s

from kataven_notebook.numbers.measures import CallMeasures, measure
from kataven_notebook.numbers.mono import (
    MIN_CALLS,
    MIN_SNR_DB,
    MIN_SNR_OF_LATENCY_DB,
    estimate_parties,
    recurrent_voices,
)
from kataven_notebook.sound.recording import Recording
from kataven_notebook.speech.intervals import total_s

pytestmark = pytest.mark.core


def heard(seed: int, **options: object) -> CallMeasures:
    """Return the measures of a drawn call, with its voices."""
    return measure(mono_call(seed, **options), speech=loud, mono="estimate")  # type: ignore[arg-type]


@cache
def cohort() -> tuple[CallMeasures, ...]:
    """Return calls of one agent with four callers by turns."""
    return tuple(heard(seed) for seed in range(8))


def reasons(calls: list[CallMeasures]) -> list[str | None]:
    """Return why the parties of each call are not known."""
    return [parties.reason for parties in estimate_parties(calls) if parties is not None]


def with_snr(call: CallMeasures, snr_db: float) -> CallMeasures:
    """Return a call in noise, by what was measured of it."""
    return replace(call, quality=tuple(replace(each, snr_db=snr_db) for each in call.quality))


def test_the_voice_that_comes_back_is_the_agents() -> None:
    """Talk times are right, and the parties never speak at once."""
    for parties in estimate_parties(cohort()):
        assert parties is not None
        assert parties.reason is None
        assert total_s(parties.agent) == pytest.approx(talk_s("agent"), abs=0.5)
        assert total_s(parties.caller) == pytest.approx(talk_s("caller"), abs=0.5)


def test_it_does_not_depend_on_who_speaks_first_or_more() -> None:
    """The caller greets, and talks twice as long."""
    turns = (("caller", 4.0), ("agent", 2.0), ("caller", 4.0), ("agent", 2.0))
    calls = [*cohort(), heard(20, turns=turns)]
    last = estimate_parties(calls)[-1]
    assert last is not None
    assert (total_s(last.agent), total_s(last.caller)) == pytest.approx((4.0, 8.0), abs=0.5)


def test_a_change_of_speakers_without_a_pause_is_cut() -> None:
    """To the length of a cell or two."""
    whole = measure(mono_call(21), speech=loud_joined, mono="estimate")
    assert len(whole.speech[0]) == 1
    last = estimate_parties([*cohort(), whole])[-1]
    assert last is not None
    assert last.reason is None
    assert total_s(last.agent) / total_s(whole.speech[0]) == pytest.approx(talk_s("agent") / 19, abs=0.1)


def loud_joined(samples: np.ndarray, rate: int) -> np.ndarray:
    """Find speech from the first to the last word, without pauses."""
    found = loud(samples, rate)
    return np.array([[found[0, 0], found[-1, 1]]])


def test_few_calls_are_withheld() -> None:
    """A voice that comes back can't be seen in them; one call alone has no numbers."""
    for count in (1, MIN_CALLS - 1):
        assert set(reasons(list(cohort()[:count]))) == {
            f"the agent's voice is learnt from 5 calls or more, and there are {count}"
        }
    assert reasons(list(cohort()[:MIN_CALLS])) == [None] * MIN_CALLS


def test_calls_without_a_common_voice_are_withheld() -> None:
    """Nobody comes back."""
    voices = [DrawnVoice(90 + 15 * n, 0.8 + 0.06 * (n * 7 % 10)) for n in range(10)]
    calls = [heard(30 + n, agent=voices[n], caller=voices[n + 5]) for n in range(5)]
    assert set(reasons(calls)) == {
        "no voice comes back in 5 calls and a fifth of all: which one is the agent is not known"
    }


def test_two_voices_that_both_come_back_are_withheld() -> None:
    """The same caller in every call could as well be the agent."""
    calls = [heard(seed, caller=CALLERS[0]) for seed in range(6)]
    assert set(reasons(calls)) == {"both voices come back in other calls: which one is the agent is not known"}


def test_a_frame_may_have_two_agents() -> None:
    """Each is learnt from its own calls."""
    calls = [heard(seed, agent=AGENT if seed % 2 else DrawnVoice(250, 1.3)) for seed in range(12)]
    for parties in estimate_parties(calls):
        assert parties is not None
        assert parties.reason is None
        assert total_s(parties.agent) == pytest.approx(talk_s("agent"), abs=0.5)


@pytest.mark.parametrize("caller", [AGENT, DrawnVoice(203, 1.15)])
@pytest.mark.parametrize("seed", [40, 41, 42])
def test_one_voice_is_not_made_two(seed: int, caller: DrawnVoice) -> None:
    """A voicemail, or parties who sound the same."""
    assert reasons([*cohort(), heard(seed, caller=caller)])[-1] == "one voice only, or two that are too alike"


def test_a_caller_without_an_agent_is_withheld() -> None:
    """Nobody answers."""
    turns = (("caller", 4.0), ("caller", 5.0), ("caller", 4.0))
    assert reasons([*cohort(), heard(50, turns=turns)])[-1] is not None


def test_next_to_nothing_of_a_voice_is_no_party() -> None:
    """A word, a cough or a beep."""
    turns = (("agent", 5.0), ("caller", 0.6), ("agent", 6.0))
    assert reasons([*cohort(), heard(51, turns=turns)])[-1] is not None


@pytest.mark.parametrize("third", [DrawnVoice(250, 1.28), DrawnVoice(230, 1.35)])
def test_a_third_voice_is_not_given_to_the_agent(third: DrawnVoice) -> None:
    """Somebody else is put through whose voice is nearer the agent's than the caller's."""
    first, second = mono_call(52), mono_call(53, agent=third, turns=(("agent", 3.0),))
    both = Recording.from_samples(np.concatenate([first.samples, second.samples]), first.sample_rate)
    assert reasons([*cohort(), measure(both, speech=loud, mono="estimate")])[-1] == "a third voice is heard"


def test_little_speech_is_withheld() -> None:
    """A greeting and a word."""
    call = heard(54, turns=(("agent", 3.0), ("caller", 2.0)))
    assert reasons([*cohort(), call])[-1] == "less than 8 s of speech"


def test_noise_withholds_latencies_first_and_then_everything() -> None:
    """Music and noise are taken for speech where they are nearly as loud."""
    calm, noisy, loudest = (with_snr(cohort()[0], snr) for snr in (30.0, MIN_SNR_OF_LATENCY_DB - 1, MIN_SNR_DB - 1))
    found = estimate_parties([*cohort(), calm, noisy, loudest])[-3:]
    assert [each is not None and each.reason is None for each in found] == [True, True, False]
    assert [each is not None and each.latency_reason is not None for each in found][:2] == [False, True]


def test_calls_without_voices_are_left_alone() -> None:
    """Calls of two channels, and rows without sound."""
    plain = measure(mono_call(0), speech=loud)
    assert plain.voice_windows is None
    found = estimate_parties([None, plain, *cohort()])
    assert found[:2] == [None, None]
    assert all(each is not None and each.reason is None for each in found[2:])


def test_recurrent_voices_come_with_the_number_of_their_calls() -> None:
    """The most frequent one first; a voice of few calls is none."""
    rng = np.random.default_rng(0)
    sides = rng.normal(0, 100, (20, 2, 10))
    sides[:12, 0] = rng.normal(0, 0.5, (12, 10))
    sides[12:18, 1] = 50 + rng.normal(0, 0.5, (6, 10))
    sides[18:, 0] = 80.0
    found = recurrent_voices(sides)
    assert [voice.calls for voice in found] == [12, 6]
    assert np.abs(found[1].at - 50).max() < 1


def test_turns_and_pauses_are_as_drawn() -> None:
    """The cuts lie in the pauses."""
    parties = estimate_parties(cohort())[0]
    assert parties is not None
    lengths = [seconds for who, seconds in TURNS + ENDING if who == "agent"]
    assert (parties.agent[:, 1] - parties.agent[:, 0]).tolist() == pytest.approx(lengths, abs=0.3)
