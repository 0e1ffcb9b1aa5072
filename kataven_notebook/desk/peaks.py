"""The peaks that a waveform is drawn from: a hundredth of the sound, made in one bounded pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from kataven_notebook.sound.recording import Recording

BINS_PER_S = 100
# A bin of digital silence: the page takes 0 for one that it doesn't know, and draws nothing there.
_SILENCE = 1
_BLOCK_S = 30.0


class PeakBlock(NamedTuple):
    """Peaks of one stretch of a recording.

    Attributes
    ----------
    first_bin
        Where it stands, counted in bins from the start of the recording.
    peaks
        `(channels, bins)` uint8: the root of the largest absolute sample, 255 for full scale, 1 for silence.
    """

    first_bin: int
    peaks: npt.NDArray[np.uint8]


class FinePeaks(NamedTuple):
    """The lowest and highest samples of a part of a recording.

    Attributes
    ----------
    first_bin
        Where they stand, counted in such bins from the start of the recording.
    bins_per_s
        How many make a second.
    is_finest
        Whether each bin is one sample.
    peaks
        `(channels, 2, bins)` int16: the lowest, then the highest sample of each bin.
    """

    first_bin: int
    bins_per_s: float
    is_finest: bool
    peaks: npt.NDArray[np.int16]


def frames_per_bin(sample_rate: int) -> int:
    """Return how many frames one bin holds: a whole number, so that bins never drift.

    Examples
    --------
    >>> frames_per_bin(8000), frames_per_bin(11025)
    (80, 111)
    """
    return max(1, -(-sample_rate // BINS_PER_S))


def peak_blocks(recording: Recording, *, block_s: float = _BLOCK_S) -> Iterator[PeakBlock]:
    """Yield the peaks of a recording block by block, so that drawing starts before decoding ends.

    Parameters
    ----------
    recording
        Any number of channels, any length; at most one block of it is held, as float32.
    block_s
        Seconds decoded at a time.

    Yields
    ------
    PeakBlock
        In order, without gaps; the last bin may cover fewer frames.

    Raises
    ------
    RecordingCorrupt
        The sound breaks off; the blocks before it were good.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> loud_then_silent = Recording.from_samples([[1.0]] * 80 + [[0.0]] * 80, 8000)
    >>> [block.peaks.tolist() for block in peak_blocks(loud_then_silent)]
    [[[255, 1]]]
    """
    size = frames_per_bin(recording.sample_rate)
    first_bin = 0
    rest = np.empty((0, recording.channels), dtype=np.float32)
    for block in recording.blocks(block_s):
        joined = np.concatenate([rest, block]) if len(rest) else block
        whole = len(joined) // size
        rest = joined[whole * size :]
        if whole:
            yield PeakBlock(first_bin, _peaks(joined[: whole * size], size))
            first_bin += whole
    if len(rest):
        yield PeakBlock(first_bin, _peaks(rest, len(rest)))


def _peaks(frames: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.uint8]:
    # A channel at a time: the maximum over contiguous samples is several times as fast.
    result = np.empty((frames.shape[1], len(frames) // size), dtype=np.uint8)
    for channel in range(frames.shape[1]):
        magnitude = np.abs(frames[:, channel]).reshape(-1, size).max(axis=1)
        # The root keeps quiet speech apart from silence in eight bits; the page squares it again.
        level = np.sqrt(np.clip(np.nan_to_num(magnitude, nan=0.0, posinf=1.0), 0.0, 1.0))
        result[channel] = np.maximum(np.round(level * 255), _SILENCE)
    return result


def fine_peaks(recording: Recording, start_s: float, end_s: float, *, bins: int) -> FinePeaks:
    """Return what a closer look at a part of a recording shows; only that part is decoded.

    Parameters
    ----------
    recording
        Any number of channels.
    start_s, end_s
        The part, in seconds from the start; it is clipped to the recording.
    bins
        About how many to return: more where the sample rate does not divide, fewer where there are fewer samples.

    Raises
    ------
    ValueError
        No part of the recording lies between them.
    RecordingCorrupt, OSError
        The sound breaks off before it; the file is gone or can't be read.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> clicks = Recording.from_samples([0.0, 0.5, -1.0, 0.0], 8000)
    >>> fine_peaks(clicks, 0.0, 0.0005, bins=2).peaks.tolist()
    [[[0, -32767], [16384, 0]]]
    """
    rate = recording.sample_rate
    size = max(1, int((end_s - start_s) * rate / max(1, bins)))
    first_bin = int(max(0.0, start_s) * rate) // size
    frames = recording.slice(first_bin * size / rate, end_s).samples
    values = np.round(np.clip(np.nan_to_num(frames.T, nan=0.0), -1.0, 1.0) * 32767).astype(np.int16)
    # The last bin may cover fewer frames: its last one stands for those that are missing.
    whole = np.pad(values, ((0, 0), (0, -values.shape[1] % size)), mode="edge").reshape(len(values), -1, size)
    peaks = np.stack([whole.min(axis=2), whole.max(axis=2)], axis=1)
    return FinePeaks(first_bin, rate / size, size == 1, peaks)
