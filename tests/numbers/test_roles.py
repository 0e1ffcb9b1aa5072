"""Which channel is the agent: honest about one call, sharper about many."""

from __future__ import annotations

import dataclasses
import pickle
import time

import numpy as np
import pytest
from drawn_voices import heard, identity

from kataven_notebook.numbers.measures import CallMeasures
from kataven_notebook.numbers.quality import measure_quality
from kataven_notebook.numbers.roles import QUIETER_FLOOR, infer_agent_channels
from kataven_notebook.speech.intervals import tidy

pytestmark = pytest.mark.core

RATE = 8_000


def call(
    first: list, second: list, *, floors_dbfs: tuple[float, float] = (-60.0, -60.0), seed: int = 0
) -> CallMeasures:
    """Measures of a call of 6 s: speech where it is said, over noise of these levels (-inf: none)."""
    speech = (tidy(first), tidy(second))
    random = np.random.default_rng(seed)
    seconds = np.arange(6 * RATE) / RATE
    samples = random.normal(size=(6 * RATE, 2)) * 10 ** (np.array(floors_dbfs) / 20)
    for channel, intervals in enumerate(speech):
        for start, end in intervals:
            spoken = (seconds >= start) & (seconds < end)
            samples[spoken, channel] += 0.1 * random.normal(size=spoken.sum())
    quality = measure_quality([samples], RATE, speech)
    return CallMeasures(6.0, RATE, 2, speech, "given", quality)


EARLY, LATE = [(0.5, 1.5)], [(2.0, 3.0)]
GREETING = call(LATE, EARLY)
SYNTHETIC = call(LATE, EARLY, floors_dbfs=(-60.0, -np.inf))


def swapped(one: CallMeasures) -> CallMeasures:
    """Return the call with its channels in the other order."""
    return dataclasses.replace(one, speech=one.speech[::-1], quality=one.quality[::-1], voices=one.voices[::-1])


def voiced(count: int, *, outbound: bool = False, agents: int = 1, still: float | None = None) -> list[CallMeasures]:
    """Return calls with the agent second, each with a caller of its own; nothing but voices tells them apart."""
    random = np.random.default_rng(count)
    known = [identity(random) for _ in range(agents)]
    floors = (-60.0, -60.0 if still is None else -np.inf)
    one = call(EARLY if outbound else LATE, LATE if outbound else EARLY, floors_dbfs=floors)
    return [
        dataclasses.replace(
            one,
            duration_s=6.0 + number / 1_000,  # no copies of each other
            voices=(
                heard(random, identity(random)),
                heard(random, known[number % agents], still=np.nan if still is None else still),
            ),
        )
        for number in range(count)
    ]


def test_one_call_with_no_more_than_a_first_speaker_is_left_open() -> None:
    """Agents greet, callees too; the likelihood is told all the same, and what to do."""
    (found,) = infer_agent_channels([GREETING])
    assert found.channel is None
    assert found.confidence == pytest.approx(0.584, abs=0.005)
    assert found.reason == (
        "which channel is the agent is uncertain (confidence 0.58): only who speaks first tells them apart, which is "
        "not enough; pass agent_channel="
    )


def test_a_first_speaker_without_noise_is_enough() -> None:
    """Two kinds of evidence that agree."""
    (found,) = infer_agent_channels([SYNTHETIC])
    assert (found.channel, found.reason) == (1, None)
    assert found.confidence == pytest.approx(0.925, abs=0.005)


def test_an_outbound_call_whose_callee_says_hello_is_not_confidently_wrong() -> None:
    """Stillness outweighs the first word; with nothing else the call stays open."""
    (still,) = infer_agent_channels([call(EARLY, LATE, floors_dbfs=(-60.0, -np.inf))])
    assert still.channel == 1
    assert 0.8 < still.confidence < 0.9
    (bare,) = infer_agent_channels([call(EARLY, LATE)])
    assert (bare.channel, bare.confidence < 0.6) == (None, True)


def test_evidence_that_disagrees_is_left_open() -> None:
    """The channel with less noise speaks second."""
    (found,) = infer_agent_channels([call(EARLY, LATE, floors_dbfs=(-50.0, -65.0))])
    assert found.channel is None
    assert "who speaks first and the noise floor point to different channels" in (found.reason or "")


def test_silence_that_begins_some_time_after_speech_is_not_enough_alone() -> None:
    """Telephones suppress silence as well."""
    (found,) = infer_agent_channels(voiced(1, still=0.2))
    assert found.channel is None
    assert "who speaks first and suppressed silence tell them apart, which is not enough" in (found.reason or "")
    assert infer_agent_channels(voiced(1, still=1.0))[0].channel == 1


def test_first_speakers_alone_settle_no_frame() -> None:
    """They may all be callees: forty of them settle no more than ten."""
    calls = [call(LATE, EARLY, seed=seed) for seed in range(40)]
    ten, many = infer_agent_channels(calls[:10])[0], infer_agent_channels(calls)[0]
    assert ten.channel is many.channel is None
    assert 0.5 < ten.confidence == pytest.approx(many.confidence, abs=0.01)


def test_copies_of_one_call_count_once() -> None:
    """A recording that stands in a frame under many ids says no more than once."""
    alone = infer_agent_channels([SYNTHETIC])[0]
    assert infer_agent_channels([SYNTHETIC] * 20) == [alone] * 20
    calls = voiced(3)
    assert infer_agent_channels([*calls, *calls])[:3] == infer_agent_channels(calls)


@pytest.mark.parametrize("outbound", [False, True])
@pytest.mark.parametrize("agents", [1, 2])
def test_the_voice_that_a_frame_shares_is_the_agent(outbound: bool, agents: int) -> None:  # noqa: FBT001 - a case
    """Whoever speaks first, and whether there are one or two agents."""
    found = infer_agent_channels(voiced(20, outbound=outbound, agents=agents))
    assert sum(one.channel == 1 for one in found) >= 18
    assert not any(one.channel == 0 for one in found)


def test_calls_of_the_rarer_order_are_not_lost_to_the_others() -> None:
    """Each keeps the channel that its own sound gives it."""
    calls = voiced(60)
    rare = range(0, 60, 12)
    found = infer_agent_channels([swapped(one) if index in rare else one for index, one in enumerate(calls)])
    assert [found[index].channel for index in rare] == [0] * len(rare)
    assert sum(one.channel == 1 for one in found) >= 50
    still = [call(LATE, EARLY, floors_dbfs=(-60.0, -np.inf), seed=seed) for seed in range(30)]
    assert infer_agent_channels([*still, swapped(SYNTHETIC)])[-1].channel == 0


def test_a_call_without_evidence_follows_its_frame() -> None:
    """Both start at once: alone it is a coin toss, among others it is as they are, but less surely."""
    together = call(EARLY, EARLY)
    alone = infer_agent_channels([together])[0]
    assert alone.confidence == pytest.approx(0.5)
    assert "nothing in the sound tells the agent from the caller" in (alone.reason or "")
    still = [call(LATE, EARLY, floors_dbfs=(-60.0, -np.inf), seed=seed) for seed in range(10)]
    among = infer_agent_channels([*still, together])
    assert 0.7 < among[-1].confidence < 0.9 < among[0].confidence
    assert infer_agent_channels([*still, together], min_confidence=0.7)[-1].channel == 1


def test_a_frame_of_both_orders_is_decided_call_by_call() -> None:
    """Strong evidence keeps each call its own channel; a call without any stays open."""
    still = [call(LATE, EARLY, floors_dbfs=(-60.0, -np.inf), seed=seed) for seed in range(10)]
    found = infer_agent_channels(
        [swapped(one) if index % 2 else one for index, one in enumerate(still)] + [call(EARLY, EARLY)]
    )
    assert [one.channel for one in found[:-1]] == [1, 0] * 5
    assert found[-1].channel is None


def test_swapped_channels_give_the_other_channel_with_equal_confidence() -> None:
    """Neither channel is preferred."""
    quieter = call(LATE, EARLY, floors_dbfs=(-50.0, -65.0))
    there, back = (infer_agent_channels([one], min_confidence=0.6)[0] for one in (quieter, swapped(quieter)))
    assert (there.channel, back.channel) == (1, 0)
    assert there.confidence == pytest.approx(back.confidence)


def test_confidence_is_calibrated_on_frames_drawn_from_the_stated_likelihoods() -> None:
    """Of the channels named with about 0.9, about 9 in 10 are right, whatever the frame is like."""
    random = np.random.default_rng(3)
    kinds = {
        (a, b): [
            call(LATE if a else EARLY, EARLY if a else LATE, floors_dbfs=(-60.0, -60.0 - 15 * b), seed=seed)
            for seed in range(6)
        ]
        for a in (0, 1)
        for b in (-1, 0, 1)
    }
    right, sure = [], []
    for _ in range(300):
        second_share = random.choice([0.1, 0.5, 0.9])
        greeting = random.choice([0.92, 0.5, 0.08], p=[0.5, 0.2, 0.3])
        usual = random.random() < QUIETER_FLOOR.expected
        truth, calls = [], []
        for number in range(6):
            second = random.random() < second_share
            greets = (random.random() < greeting) == second
            reliable = QUIETER_FLOOR.reliable
            quiet = 1 if (random.random() < (reliable if usual else 1 - reliable)) == second else -1
            truth.append(int(second))
            calls.append(kinds[int(greets), quiet if random.random() < 0.5 else 0][number])
        for one, agent in zip(infer_agent_channels(calls, min_confidence=0.7), truth, strict=True):
            if one.channel is not None:
                right.append(one.channel == agent)
                sure.append(one.confidence)
    assert len(right) > 300
    assert np.mean(right) == pytest.approx(np.mean(sure), abs=0.05)


def test_without_two_parties_there_is_nothing_to_infer() -> None:
    """No sound, and one channel, leave the others as they are."""
    mono = CallMeasures(6.0, RATE, 1, SYNTHETIC.speech[:1], "given", SYNTHETIC.quality[:1])
    found = infer_agent_channels([None, SYNTHETIC, mono])
    assert [(one.channel, one.confidence > 0) for one in found] == [(None, False), (1, True), (None, False)]
    assert infer_agent_channels([]) == []


def test_a_side_that_never_speaks_proves_nothing() -> None:
    """An agent nobody answers, and a caller whose agent is dead, sound the same."""
    assert infer_agent_channels([call([], EARLY)])[0].confidence == pytest.approx(0.5)
    dead = call([], EARLY, floors_dbfs=(-np.inf, -60.0))
    assert infer_agent_channels([dead])[0].confidence == pytest.approx(0.5)


def test_the_threshold_can_be_set() -> None:
    """And must be a probability that can decide."""
    assert infer_agent_channels([GREETING], min_confidence=0.55)[0].channel == 1
    with pytest.raises(ValueError, match=r"0\.5 to 1"):
        infer_agent_channels([], min_confidence=0.3)


def test_two_thousand_calls_take_no_longer_than_a_breath() -> None:
    """Each is compared with a part of the frame, and what comes back is small."""
    many = voiced(2_000, agents=3)
    start = time.perf_counter()
    found = infer_agent_channels(many)
    assert time.perf_counter() - start < 10
    assert sum(one.channel == 1 for one in found) > 1_800
    assert len(pickle.dumps(many[0])) < 3_000
