"""Which channel is the agent: honest about one call, sharper about many."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.numbers.measures import CallMeasures
from kataven_notebook.numbers.quality import measure_quality
from kataven_notebook.numbers.roles import infer_agent_channels
from kataven_notebook.speech.intervals import tidy

pytestmark = pytest.mark.core

RATE = 8_000


def call(
    first: list, second: list, *, floors_dbfs: tuple[float, float] = (-60.0, -60.0), seed: int = 0
) -> CallMeasures:
    """Measures of a call of 6 s: speech where it is said, over noise of these levels (-inf: none)."""
    speech = (tidy(first), tidy(second))
    random = np.random.default_rng(seed)
    time = np.arange(6 * RATE) / RATE
    samples = random.normal(size=(6 * RATE, 2)) * 10 ** (np.array(floors_dbfs) / 20)
    for channel, intervals in enumerate(speech):
        for start, end in intervals:
            samples[(time >= start) & (time < end), channel] += 0.1 * random.normal()
    quality = measure_quality([samples], RATE, speech)
    return CallMeasures(6.0, RATE, 2, speech, "given", quality)


EARLY, LATE = [(0.5, 1.5)], [(2.0, 3.0)]
GREETING = call(LATE, EARLY)
SYNTHETIC = call(LATE, EARLY, floors_dbfs=(-60.0, -np.inf))


def test_one_call_with_no_more_than_a_first_speaker_is_left_open() -> None:
    """Agents greet, but not surely enough for one call alone; the likelihood is told all the same."""
    (found,) = infer_agent_channels([GREETING])
    assert found.channel is None
    assert found.confidence == pytest.approx(0.78, abs=0.005)


def test_a_first_speaker_without_noise_is_enough() -> None:
    """Two kinds of evidence that agree."""
    (found,) = infer_agent_channels([SYNTHETIC])
    assert (found.channel, found.confidence > 0.95) == (1, True)


def test_evidence_that_disagrees_is_left_open() -> None:
    """The channel without noise speaks second."""
    (found,) = infer_agent_channels([call(EARLY, LATE, floors_dbfs=(-60.0, -np.inf))])
    assert found.channel is None


def test_calls_that_agree_lift_each_other_but_not_to_certainty() -> None:
    """A frame's greetings may all be the callees': a thousand of them settle no more than ten."""
    ten, many = infer_agent_channels([GREETING] * 10)[0], infer_agent_channels([GREETING] * 1_000)[0]
    assert ten.channel == many.channel == 1
    assert 0.8 < ten.confidence <= many.confidence < 0.86


def test_a_call_without_evidence_follows_its_frame() -> None:
    """Both start at once: alone it is a coin toss, among others it is as they are."""
    together = call(EARLY, EARLY)
    assert infer_agent_channels([together])[0].confidence == pytest.approx(0.5)
    assert infer_agent_channels([SYNTHETIC] * 10 + [together])[-1].channel == 1


def test_a_frame_of_both_orders_is_decided_call_by_call() -> None:
    """Strong evidence keeps each call its own channel; a call without any stays open."""
    turned = call(EARLY, LATE, floors_dbfs=(-np.inf, -60.0))
    found = infer_agent_channels([SYNTHETIC, turned] * 5 + [call(EARLY, EARLY)])
    assert [one.channel for one in found[:-1]] == [1, 0] * 5
    assert found[-1].channel is None


def test_swapped_channels_give_the_other_channel_with_equal_confidence() -> None:
    """Neither channel is preferred."""
    quieter = call(LATE, EARLY, floors_dbfs=(-50.0, -65.0))
    swapped = call(EARLY, LATE, floors_dbfs=(-65.0, -50.0))
    there, back = infer_agent_channels([quieter])[0], infer_agent_channels([swapped])[0]
    assert (there.channel, back.channel) == (1, 0)
    assert there.confidence == pytest.approx(back.confidence)


def test_confidence_is_calibrated_on_frames_drawn_from_the_stated_likelihoods() -> None:
    """Of the channels named with about 0.9, about 9 in 10 are right, whatever the frame is like."""
    random = np.random.default_rng(3)
    kinds = {
        (a, b): call(LATE if a else EARLY, EARLY if a else LATE, floors_dbfs=(-60.0, -60.0 - 15 * b))
        for a in (0, 1)
        for b in (-1, 0, 1)
    }
    right, sure = [], []
    for _ in range(150):
        second_share = random.beta(0.5, 0.5)
        usual = random.random(2) < 0.85
        truth, calls = [], []
        for _ in range(6):
            second = random.random() < second_share
            greets = (random.random() < (0.9 if usual[0] else 0.1)) == second
            quiet = 1 if (random.random() < (0.85 if usual[1] else 0.15)) == second else -1
            truth.append(int(second))
            calls.append(kinds[int(greets), quiet if random.random() < 0.5 else 0])
        for one, agent in zip(infer_agent_channels(calls), truth, strict=True):
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
    assert infer_agent_channels([GREETING], min_confidence=0.7)[0].channel == 1
    with pytest.raises(ValueError, match=r"0\.5 to 1"):
        infer_agent_channels([], min_confidence=0.3)
