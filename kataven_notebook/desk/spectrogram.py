"""The spectrogram of a part of a call: as many columns as a screen shows, computed in a bounded pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.fft import rfft

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from kataven_notebook.sound.recording import Recording

FLOOR_DB = -127.5
STEP_DB = 0.5
ROWS = 128
MAX_COLUMNS = 2048
# Two periods of a low voice: its harmonics are told apart, and so are its syllables.
_WINDOW_S = 0.032
# Voices have nothing to tell above it.
_MAX_HZ = 8000.0
# A column of a long part is the mean of so many looks at most: what is between them is not computed.
_LOOKS = 4
# A longer part is decoded from the recording's start, block by block, so that it need not fit in memory.
_AT_ONCE_S = 120.0


class Spectrogram(NamedTuple):
    """The levels of a part of a recording.

    Attributes
    ----------
    top_hz
        Where the highest row ends; the lowest one begins at 0 Hz.
    levels
        `(channels, ROWS, columns)` uint8, the highest row first: `FLOOR_DB` plus as many times `STEP_DB`; a sine of
        full scale has 0 dB.
    """

    top_hz: float
    levels: npt.NDArray[np.uint8]


def spectrogram(recording: Recording, start_s: float, end_s: float, *, columns: int) -> Spectrogram:
    """Return the spectrogram of a part of a recording.

    Parameters
    ----------
    recording
        Any number of channels; of a long one a block at a time is held.
    start_s, end_s
        The part, in seconds from the start; what lies outside the recording has the lowest level.
    columns
        Into how many columns the part is divided, up to `MAX_COLUMNS`.

    Raises
    ------
    ValueError
        No part of the recording lies between them.
    RecordingCorrupt, OSError
        The sound breaks off; the file is gone or can't be read.

    Examples
    --------
    >>> import numpy as np
    >>> from kataven_notebook.sound.recording import Recording
    >>> tone = Recording.from_samples(np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000), 8000)
    >>> found = spectrogram(tone, 0.0, 1.0, columns=10)
    >>> found.top_hz, int(found.levels[0, :, 5].argmax())
    (4000.0, 95)
    """
    rate = recording.sample_rate
    columns = min(max(1, columns), MAX_COLUMNS)
    if not start_s < end_s:  # NaN too
        raise ValueError(f"nothing lies between {start_s} s and {end_s} s")
    size = max(16, round(_WINDOW_S * rate))
    hop = (end_s - start_s) * rate / columns
    looks = min(_LOOKS, max(1, round(hop / size)))
    # The middle of each look, counted in frames from the start of the recording.
    middles = start_s * rate + (np.arange(columns * looks) + 0.5) * hop / looks
    firsts = np.round(middles - size / 2).astype(np.int64)
    top_hz = min(rate / 2, _MAX_HZ)
    powers = np.zeros((recording.channels, columns * looks, ROWS), np.float32)
    window = np.hanning(size).astype(np.float32)[:, None] * 2 / (size / 2)
    for at, block in _blocks(recording, start_s, end_s, size):
        here = np.flatnonzero((firsts >= at) & (firsts + size <= at + len(block)))
        if len(here):
            places = (firsts[here] - at)[:, None] + np.arange(size)
            spectra = np.abs(rfft(block[places] * window, axis=1)) ** 2
            powers[:, here] = _rows(spectra, top_hz * size / rate).transpose(2, 0, 1)
    means = powers.reshape(recording.channels, columns, looks, ROWS).mean(axis=2)
    levels = (10 * np.log10(np.maximum(means, 1e-20)) - FLOOR_DB) / STEP_DB
    # The page draws from above: high frequencies first.
    return Spectrogram(top_hz, np.clip(np.round(levels), 0, 255).astype(np.uint8).transpose(0, 2, 1)[:, ::-1])


def _rows(spectra: npt.NDArray[np.float32], top: float) -> npt.NDArray[np.float32]:
    """Return `(looks, ROWS, channels)`: the strongest of the frequencies that share a row, up to the bin `top`."""
    edges = np.arange(ROWS) * top / ROWS
    rows = np.maximum.reduceat(spectra, edges.astype(np.int64), axis=1)
    # The last stretch goes on to the highest frequency, which may be above the top row.
    rows[:, -1] = spectra[:, int(edges[-1]) : max(int(edges[-1]) + 1, int(top) + 1)].max(axis=1)
    return rows


def _blocks(
    recording: Recording, start_s: float, end_s: float, size: int
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Yield blocks that begin at a frame and overlap by a window, silence before the start and after the end."""
    rate, edge = recording.sample_rate, np.zeros((size, recording.channels), np.float32)
    if end_s - start_s <= _AT_ONCE_S:
        first = round(max(0.0, start_s - _WINDOW_S) * rate)
        part = recording.slice(first / rate, end_s + _WINDOW_S).samples
        yield first - size, np.nan_to_num(np.concatenate([edge, part, edge]), nan=0.0)
        return
    at, before = -size, edge
    for block in recording.blocks(60.0):
        joined = np.concatenate([before, block])
        if at + len(joined) > start_s * rate - size:
            yield at, np.nan_to_num(joined, nan=0.0)
        at += len(joined) - size
        before = joined[-size:]
        if at > end_s * rate + size:
            return
    yield at, np.nan_to_num(np.concatenate([before, edge]), nan=0.0)
