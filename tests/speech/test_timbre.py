"""What a voice sounds like does not depend on how loud it is."""

import numpy as np

from kataven_notebook.speech.spectrum import packed
from kataven_notebook.speech.timbre import COEFFICIENTS, cepstra


def test_cepstra_do_not_change_with_the_level() -> None:
    """A voice heard from afar is the same voice."""
    power = np.random.default_rng(0).uniform(1e-4, 1e-2, (50, 16)).astype(np.float32)
    quiet, loud = cepstra(packed(power * np.float32(0.1))), cepstra(packed(power))
    assert quiet.shape == (50, COEFFICIENTS)
    np.testing.assert_allclose(quiet, loud, atol=0.01)


def test_cepstra_tell_spectra_apart() -> None:
    """A low and a high voice differ."""
    low, high = np.full((1, 16), 1e-6, np.float32), np.full((1, 16), 1e-6, np.float32)
    low[:, :8], high[:, 8:] = 1e-2, 1e-2
    assert np.abs(cepstra(packed(low)) - cepstra(packed(high))).max() > 1


def test_cepstra_of_sound_with_fewer_bands_have_the_same_shape() -> None:
    """Low sample rates fill fewer bands."""
    assert cepstra(packed(np.full((3, 9), 1e-3, np.float32))).shape == (3, COEFFICIENTS)
