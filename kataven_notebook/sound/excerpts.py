"""Many parts of one recording: each second is decoded once, and each part is kept in few bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kataven_notebook.sound import decode
from kataven_notebook.sound.encode import MOST_FLAC_BITS, as_flac, as_wav, lack_of
from kataven_notebook.sound.silencing import silence
from kataven_notebook.sound.source import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kataven_notebook.sound.decode import Samples
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.sound.silencing import Intervals

# Parts that lie nearer to each other are read together; what is read together is no longer than the second.
_GAP_S, _TOGETHER_S = 5.0, 600.0


def read_spans(recording: Recording, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, Samples]]:
    """Yield the position of each span and its samples, `(frames, channels)` float32; views of what is read together.

    Parameters
    ----------
    recording
        Of which they are parts.
    spans
        First frame of each part, and the one after its last; within the recording, in any order.

    Yields
    ------
    tuple of int and numpy.ndarray
        By their beginning, so that no more than ten minutes are in memory.

    Raises
    ------
    RecordingCorrupt, OSError
        The file ends before a part, or as in `Recording.blocks`.
    """
    source = readable(recording.source)
    for run in _runs(spans, recording.sample_rate):
        first, last = spans[run[0]][0], max(spans[at][1] for at in run)
        samples = decode.read_part(source, recording.info, first, last, session_id=recording.session_id)
        for at in run:
            yield at, samples[spans[at][0] - first : spans[at][1] - first]


def packed(samples: Samples, recording: Recording, quiet: Sequence[Intervals] | None = None) -> Recording:
    """Return samples that are made of a recording as a recording in few bytes: FLAC of as many bits.

    Sound of float samples, of more than 24 bits, or that FLAC can't hold for another reason, becomes WAV.

    Parameters
    ----------
    samples
        `(frames, channels)` float32; what lossy codecs decode to is rounded to 16 bits.
    recording
        What they are made of.
    quiet
        What is to be taken out of the samples, per channel as `intervals_per_channel` returns it.
    """
    bits = recording._needed_bits  # noqa: SLF001 - of the same wing, and nobody else's business
    if quiet is not None:
        samples = silence(samples, recording.sample_rate, quiet, beep=False, bits=bits)
    lack = lack_of("flac", recording.sample_rate, samples.shape[1])
    is_flac = bits is not None and bits <= MOST_FLAC_BITS and lack is None
    encode = as_flac if is_flac else as_wav
    return recording._made(samples, recording.sample_rate, bits, encode)  # noqa: SLF001 - the same


def _runs(spans: Sequence[tuple[int, int]], sample_rate: int) -> Iterator[list[int]]:
    """Yield the positions of spans that are read together, by their beginning."""
    run: list[int] = []
    first = last = 0
    for at in sorted(range(len(spans)), key=lambda at: spans[at]):
        start, end = spans[at]
        is_near = start <= last + _GAP_S * sample_rate and max(end, last) - first <= _TOGETHER_S * sample_rate
        if run and not is_near:
            yield run
            run = []
        if not run:
            first = last = start
        run.append(at)
        last = max(last, end)
    if run:
        yield run
