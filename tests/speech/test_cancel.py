"""Tests of `kataven_notebook.speech.cancel`: copies of one channel in another, subtracted."""

from __future__ import annotations

import numpy as np
import pytest
from copied_sounds import echoes, later, parties
from scipy import signal

from kataven_notebook.speech.cancel import cancelled
from kataven_notebook.speech.spectrum import CONTEXT, RATE, parts

pytestmark = pytest.mark.core


def test_what_a_room_and_a_line_make_of_a_copy_is_subtracted() -> None:
    """The filtered copy falls by 20 dB or more, and the party's own sound stays, also where both speak."""
    both = parties()
    rng = np.random.default_rng(0)
    room = rng.standard_normal(1_600) * np.exp(-np.arange(1_600) / 300)
    heard = 0.05 * signal.lfilter(room, [1.0], later(both[:, 1], 0.2))
    sound = both.copy()
    sound[:, 0] += heard
    (echo,) = echoes(sound)
    pieces = list(cancelled(parts([sound.astype(np.float32)], RATE, 2), [echo], [0]))
    clean = np.concatenate([piece[0, CONTEXT:] for piece in pieces])[: len(sound)]
    # Parts lose their offset.
    left = clean - both[:, 0]
    assert np.mean(left**2) < 0.01 * np.mean(heard**2)


def test_parts_of_any_length_are_cancelled_alike() -> None:
    """A copy that begins in one part and ends in the next leaves no seam."""
    both = parties()
    sound = both.copy()
    sound[:, 0] += 0.1 * later(both[:, 1], 0.5)
    (echo,) = echoes(sound)
    cut = 50 * 2_048  # parts begin at a multiple of this
    at_once = np.pad(sound, ((CONTEXT, 0), (0, 0))).T.astype(np.float32)
    pieces = [at_once[:, : cut + CONTEXT], at_once[:, cut:]]
    whole = np.concatenate([p[0, CONTEXT:] for p in cancelled([at_once], [echo], [0])])
    joined = np.concatenate([p[0, CONTEXT:] for p in cancelled(pieces, [echo], [0])])
    np.testing.assert_allclose(joined, whole, atol=2e-5)


def test_a_copy_that_gain_control_raises_is_subtracted_all_the_same() -> None:
    """A level that moves by 12 dB in five seconds leaves less than a tenth of the copy."""
    both = parties()
    time_s = np.arange(len(both)) / RATE
    gain = 10 ** (6 * np.sin(2 * np.pi * time_s / 10) / 20)
    heard = 0.1 * gain * later(both[:, 1], 0.25)
    sound = both.copy()
    sound[:, 0] += heard
    (echo,) = echoes(sound)
    pieces = list(cancelled(parts([sound.astype(np.float32)], RATE, 2), [echo], [0]))
    clean = np.concatenate([piece[0, CONTEXT:] for piece in pieces])[: len(sound)]
    assert np.mean((clean - both[:, 0]) ** 2) < 0.1 * np.mean(heard**2)
