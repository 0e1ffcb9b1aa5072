"""The model as matrix products, against the package that brings it."""

from __future__ import annotations

import numpy as np
import pytest
from speech_sounds import Sound

from kataven_notebook.speech import silero as _silero
from kataven_notebook.speech.detect import speech_intervals
from kataven_notebook.speech.spectrum import CONTEXT, WINDOW, power_spectra, windows_of

pytestmark = pytest.mark.core


def test_matrix_form_gives_the_packages_own_probabilities(call: np.ndarray) -> None:
    """The model run as matrix products says what the package says window by window, and in parts too."""
    network = _silero.load_network()
    assert network is not None
    count = len(call) // WINDOW
    sound = np.ascontiguousarray(call[: count * WINDOW, 0])
    package = _silero._package_model()
    expected = np.array([package.process(memoryview(row.copy().data)) for row in sound.reshape(-1, WINDOW)])
    windows = windows_of(np.concatenate([np.zeros(CONTEXT, np.float32), sound]))
    power = power_spectra(windows)
    audible = np.ones(count, bool)
    model = _silero.SpeechModel()
    half = count // 2
    found = np.concatenate(
        [
            model.judge([model.hear(windows[part], power[part], audible[part])])[0]
            for part in (slice(half), slice(half, None))
        ]
    )
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_model_that_cannot_be_read_is_asked_window_by_window(
    call: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a model file of another shape the package answers itself, and the result is the same."""
    expected = speech_intervals(Sound(call))
    monkeypatch.setattr(_silero, "load_network", lambda: None)
    found = speech_intervals(Sound(call))
    for a, b in zip(found.intervals, expected.intervals, strict=True):
        np.testing.assert_allclose(a, b, atol=0.01)


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"\xff" * 64, b"\x3a\x03\x0a\x7f\x00"])
def test_a_broken_model_file_is_no_network(content: bytes) -> None:
    """Whatever the file holds, reading it fails in a way that `load_network` expects."""
    with pytest.raises(_silero.UNREADABLE):
        _silero._read_network(content)
