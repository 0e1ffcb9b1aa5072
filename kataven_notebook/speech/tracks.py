"""Reads a recording once, in parts, and keeps of each channel the few numbers that speech is found by."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.level import decibels, smoothed
from kataven_notebook.speech.silero import SpeechModel
from kataven_notebook.speech.spectrum import (
    FRAMES_PER_WINDOW,
    WINDOW_S,
    band_power,
    packed,
    parts,
    power_spectra,
    windows_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    from kataven_notebook.sound.recording import Recording

    Floats = npt.NDArray[np.float32]
    Halves = npt.NDArray[np.float16]

BLOCK_S = 30.0
"""Sound is read in blocks of this length: read whole, an hour took nearly four times the memory."""
# The model is not asked about windows that nobody could hear, which saves most of the time on synthetic speech.
_INAUDIBLE_DBFS = -70.0
# The model misses what is faint: its sound is turned up to this level, if not from nearly nothing.
_FAINT_DBFS, _MOST_GAIN_DB = -40.0, 40.0
# But it is asked about so many windows around audible ones: it judges a window by those before it.
_HANGOVER_WINDOWS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What is kept of one channel: a few numbers for each 8 ms."""

    bands: Halves  # (frames, bands) mean square, packed
    total: Floats  # (frames,)
    level_db: Floats  # (frames,), smoothed over 24 ms
    probability: Floats  # (windows,), empty without the model


def read_tracks(
    recording: Recording,
    threads: int,
    on_block: Callable[[Floats], None] = lambda _block: None,
    *,
    with_model: bool,
    channels: int | None = None,
    change: Callable[[Iterator[Floats]], Iterator[Floats]] = iter,
) -> tuple[list[Track], float]:
    """Return what is kept of each channel, and the length of the sound in seconds.

    Parameters
    ----------
    recording
        Read once, in blocks.
    threads
        How many channels are worked on at once.
    on_block
        Called with each `(frames, channels)` block as it is read.
    with_model
        Whether the model judges the sound.
    channels
        How many channels `change` leaves; by default the recording's.
    change
        What is done to the parts of the sound, at 16 kHz, before they are looked at.

    Raises
    ------
    DecodeError
        The sound can't be decoded.
    """
    rate = recording.sample_rate
    channels = recording.channels if channels is None else channels
    windows = int(recording.duration_s / WINDOW_S) + 2
    model = SpeechModel(channels) if with_model else None
    tapes = [_Tape(windows, rate, has_model=with_model) for _ in range(channels)]
    frames = 0

    def counted() -> Iterator[Floats]:
        nonlocal frames
        for block in recording.blocks(BLOCK_S):
            frames += len(block)
            on_block(block)
            yield block

    source = change(parts(counted(), rate, recording.channels))

    def keep(looks: Iterable[tuple[Floats, Floats]]) -> None:
        bands, heard = zip(*looks, strict=True)
        judged = model.judge(heard) if model is not None else heard
        for tape, energy, probability in zip(tapes, bands, judged, strict=True):
            tape.add(energy, probability)

    look = partial(_look, model=model, sample_rate=rate)
    if threads == 1:
        for part in source:
            keep(map(look, part))
    else:
        with ThreadPoolExecutor(threads) as pool:
            coming = pool.submit(next, source, None)
            while (arrived := coming.result()) is not None:
                # Reading and resampling the next part takes a tenth of the time: it goes on beside the models.
                coming = pool.submit(next, source, None)
                keep(pool.map(look, arrived))
    return [tape.track() for tape in tapes], frames / rate


def _look(sound: Floats, *, model: SpeechModel | None, sample_rate: int) -> tuple[Floats, Floats]:
    """Return the band power of one part of one channel, and what the model hears in it."""
    windows = windows_of(sound)
    power = power_spectra(windows)
    bands = band_power(power, sample_rate)
    if model is None:
        return bands, np.zeros(len(windows), np.float32)
    peaks_db = decibels(bands.sum(axis=1).reshape(-1, FRAMES_PER_WINDOW).max(axis=1))
    faint_db = max(_FAINT_DBFS - float(peaks_db.max()), 0.0)
    if 0 < faint_db < _MOST_GAIN_DB:
        windows, power, peaks_db = (
            windows * np.float32(10 ** (faint_db / 20)),
            power * np.float32(10 ** (faint_db / 10)),
            peaks_db + faint_db,
        )
    audible = np.convolve(peaks_db > _INAUDIBLE_DBFS, np.ones(2 * _HANGOVER_WINDOWS + 1)) > 0
    audible = audible[_HANGOVER_WINDOWS : _HANGOVER_WINDOWS + len(windows)]
    return bands, model.hear(windows, power, audible)


class _Tape:
    """Collects what `_look` finds in one channel, in memory laid out beforehand: pieces would fragment it."""

    def __init__(self, windows: int, sample_rate: int, *, has_model: bool) -> None:
        self._has_model = has_model
        self._used = 0
        frames = max(windows, 1) * FRAMES_PER_WINDOW
        nothing = band_power(np.empty((0, 4, 129), np.float32), sample_rate)
        self._bands = np.empty((frames, nothing.shape[1]), np.float16)
        self._total = np.empty(frames, np.float32)
        self._probability = np.empty(max(windows, 1), np.float32)

    def add(self, bands: Floats, probability: Floats) -> None:
        """Keep a few numbers of one part of the channel."""
        start, end = self._used, self._used + len(bands)
        if end > len(self._total):
            # There is more sound than the header says. Room is doubled, so that this happens rarely.
            self._bands = np.concatenate([self._bands, np.empty_like(self._bands), np.empty_like(bands, np.float16)])
            self._total = np.concatenate([self._total, np.empty_like(self._total), bands[:, 0]])
            self._probability = np.concatenate([self._probability, self._probability, probability])
        self._bands[start:end] = packed(bands)
        self._total[start:end] = bands.sum(axis=1)
        self._probability[start // FRAMES_PER_WINDOW : end // FRAMES_PER_WINDOW] = probability
        self._used = end

    def track(self) -> Track:
        """Return what was collected."""
        total = self._total[: self._used]
        heard = self._used // FRAMES_PER_WINDOW if self._has_model else 0
        return Track(self._bands[: self._used], total, decibels(smoothed(total, 3)), self._probability[:heard])
