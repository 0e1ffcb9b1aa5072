"""One recording is measured once, and what was measured is small and forgotten with it."""

from __future__ import annotations

import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scripted_calls import FIRST, RATE, SECOND, sound, tones
from spoken_voices import loud, mono_call

from kataven_notebook.numbers.measures import CallMeasures, measure
from kataven_notebook.numbers.rows import call_row
from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


def test_measuring_again_costs_nothing_and_decodes_once() -> None:
    """The same object comes back, per recording and detector; speech and quality share one decoding."""
    read = []

    class Counting(Recording):
        __slots__ = ()

        def blocks(self, block_s: float = 30.0, *, overlap_s: float = 0.0):
            read.append(block_s)
            return super().blocks(block_s, overlap_s=overlap_s)

    recording = Counting.from_samples(sound(FIRST, SECOND), RATE)
    first = measure(recording, speech="energy")
    assert len(read) == 1
    with ThreadPoolExecutor(4) as pool:
        assert all(found is first for found in pool.map(lambda _: measure(recording, speech="energy"), range(8)))
    assert len(read) == 1
    assert measure(recording, speech=tones) is not first


def test_measures_are_forgotten_with_their_recording() -> None:
    """The cache keeps no recording alive."""
    recording = Recording.from_samples(sound(FIRST, SECOND), RATE)
    kept = weakref.ref(measure(recording, speech=tones).speech[0])
    del recording
    gc.collect()
    assert kept() is None


def test_measures_travel_between_processes_small(call: CallMeasures) -> None:
    """Pickled they are a few kilobytes and give the same row."""
    data = pickle.dumps(call)
    assert len(data) < 4_000
    assert call_row(pickle.loads(data), 0) == call_row(call, 0)  # noqa: S301 - our own bytes


def test_voices_are_described_only_where_that_is_asked_for() -> None:
    """And only on one channel; what was measured without them is not measured again."""
    recording = mono_call(0)
    plain = measure(recording, speech="energy")
    described = measure(recording, speech="energy", mono="estimate")
    assert plain.voice_windows is None
    assert described.voice_windows is not None
    assert described.quality is plain.quality
    assert measure(recording, speech="energy", mono="estimate") is described
    assert measure(recording, speech="energy").voice_windows is None
    stereo = Recording.from_samples(np.repeat(recording.samples, 2, axis=1), recording.sample_rate)
    assert measure(stereo, speech=loud, mono="estimate").voice_windows is None


def test_another_function_describes_anew() -> None:
    """Its vectors are kept apart from the package's own."""
    recording = mono_call(0)

    def embed(samples: np.ndarray) -> np.ndarray:
        return np.array([samples.std(), 1.0])

    own = measure(recording, speech=loud, mono="estimate").voice_windows
    given = measure(recording, speech=loud, mono="estimate", voices=embed).voice_windows
    assert own is not None
    assert given is not None
    assert (own.by_function, given.by_function) == (False, True)
    assert given.vectors.shape[1] == 2


def test_a_channel_that_is_no_number_has_no_voices() -> None:
    """It is not known when anybody speaks."""
    samples = mono_call(0).samples.copy()
    samples[: len(samples) // 2] = np.nan
    assert measure(Recording.from_samples(samples, 8_000), speech="energy", mono="estimate").voice_windows is None
