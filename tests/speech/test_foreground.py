"""Tests of `kataven_notebook.speech.foreground`: a party, and the voices behind it."""

from __future__ import annotations

import numpy as np
import pytest

from kataven_notebook.speech.foreground import find_behind

pytestmark = pytest.mark.core

COUNT = 10_000  # frames of 8 ms
OWN = ((500, 1_500), (3_500, 4_500), (7_000, 8_000))
OTHER = ((1_700, 3_300), (4_700, 6_800), (8_200, 9_800))


def mask(*spans: tuple[int, int]) -> np.ndarray:
    """Return where the spans are."""
    found = np.zeros(COUNT, bool)
    for start, end in spans:
        found[start:end] = True
    return found


def power(own: np.ndarray, behind: np.ndarray, behind_db: float) -> np.ndarray:
    """Return the power of a party whose syllables vary by some dB, and of a voice behind it."""
    rng = np.random.default_rng(0)
    syllables = 10 ** (np.repeat(rng.normal(0, 1.5, COUNT // 20), 20) / 10)
    return (1e-2 * syllables * (own + 10 ** (behind_db / 10) * behind) + 1e-9).astype(np.float32)


@pytest.mark.parametrize("behind_db", [-18.0, -25.0, -30.0])
def test_a_voice_far_below_the_party_is_taken_out(behind_db: float) -> None:
    """A television that goes on while the other party speaks is nobody's speech."""
    own, behind = mask(*OWN), mask((0, COUNT))
    found = find_behind(power(own, behind, behind_db), own | behind, mask(*OTHER))
    assert found is not None
    assert found.level_db == pytest.approx(behind_db, abs=3)
    assert found.foreground is not None
    assert (found.foreground == own).mean() > 0.98


def test_levels_that_run_into_each_other_are_not_parted() -> None:
    """Where a party's own level reaches down to the voice behind it, nothing is claimed."""
    own, behind = mask(*OWN), mask((0, COUNT))
    soft = np.zeros(COUNT)
    for start, end in OWN:
        soft[start:end] = 10 ** (np.linspace(0, -18, end - start) / 10)
    found = find_behind(power(soft, behind, -20.0), own | behind, mask(*OTHER))
    assert found is not None
    assert found.foreground is None


def test_a_party_that_speaks_softly_at_times_is_one_party() -> None:
    """What waits for the other's silence is the party itself, 20 dB below its own level."""
    own, soft = mask(*OWN), mask((1_500, 1_690), (4_500, 4_690), (8_000, 8_190))
    assert find_behind(power(own, soft, -20.0), own | soft, mask(*OTHER)) is None


def test_one_level_is_one_voice() -> None:
    """Nothing is behind a party whose syllables vary as syllables do."""
    own = mask(*OWN)
    assert find_behind(power(own, own, -40.0), own, mask(*OTHER)) is None


def test_faint_words_in_the_others_speech_are_not_the_partys() -> None:
    """A short rest of a leak or of a television is left out by itself."""
    own, blip = mask(*OWN), mask((5_000, 5_060))
    found = find_behind(power(own, blip, -24.0), own | blip, mask(*OTHER))
    assert found is not None
    assert found.foreground is not None
    assert not found.foreground[5_000:5_060].any()


def test_without_another_party_nothing_is_parted() -> None:
    """Two parties on one channel differ in level as well."""
    own, second = mask(*OWN), mask(*OTHER)
    assert find_behind(power(own, second, -20.0), own | second, mask()) is None
