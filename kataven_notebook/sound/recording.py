"""`Recording`: the sound of one call, kept encoded and decoded on demand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import DecodeError, RecordingCorrupt
from kataven_notebook.sound import decode
from kataven_notebook.sound.card import card
from kataven_notebook.sound.described import DescribedSound
from kataven_notebook.sound.encode import as_wav, bits_of
from kataven_notebook.sound.saving import save
from kataven_notebook.sound.silencing import intervals_per_channel, silence
from kataven_notebook.sound.source import readable

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from kataven_notebook.sound.source import Source

    Samples = npt.NDArray[np.float32]
    Encoder = Callable[[Samples, int, int | None], tuple[bytes, bool]]


class Recording(DescribedSound):
    """One call's sound: encoded bytes, a file or samples, decoded at each use and not kept.

    Immutable; two are equal only when they are the same object. Sound arrays are always
    `(frames, channels)` float32 in [-1, 1]: *frame* is one instant of all channels. A recording has
    no length and is neither a sequence nor an array, so that pandas keeps it whole in a cell; its
    repr, JSON and HTML never hold sound.

    Made by `from_bytes`, `from_file` and `from_samples`, and by `audio()` in each row.

    Examples
    --------
    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    >>> recording = Recording.from_samples(np.column_stack([tone, 0 * tone]), 8000)
    >>> recording
    <Recording 1.0 s, 8000 Hz, 2 channels, wav>
    >>> recording.channel(0).resample(16_000).samples.shape
    (16000, 1)
    """

    __slots__ = ()

    # `kataven_notebook` sets it: the desk is above this module, which can't import it.
    _player_of: ClassVar[Callable[[Recording], Any]]

    @classmethod
    def from_bytes(cls, data: bytes, *, session_id: str | None = None) -> Self:
        """Return the recording in the bytes of a sound file of any known format.

        Parameters
        ----------
        data, session_id
            The file's bytes, kept as they are; the session that it is of, for messages.

        Raises
        ------
        TypeError
            `data` is not bytes.
        RecordingCorrupt
            Empty, not audio, or a header that can't be true.
        FormatUnsupported
            Audio that needs the extra `[av]`, which is not installed.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"from_bytes takes the bytes of a sound file, not {type(data).__name__}")
        data = bytes(data)
        return cls(data, decode.probe(data, session_id), len(data), session_id=session_id)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, session_id: str | None = None) -> Self:
        """Return the recording in a file, which is read at each use.

        Parameters
        ----------
        path, session_id
            The sound file, whose format is read from its bytes and not from its name; its session, for messages.

        Raises
        ------
        OSError
            The file can't be read; `FileNotFoundError` where there is none.
        ConfigurationError
            `path` is no path.
        RecordingCorrupt, FormatUnsupported
            As in `from_bytes`.
        """
        path = absolute_path("path", path)
        return cls(path, decode.probe(path, session_id), path.stat().st_size, session_id=session_id)

    @classmethod
    def from_samples(cls, samples: npt.ArrayLike, sample_rate: int, *, session_id: str | None = None) -> Self:
        """Return a recording of `samples`, kept as 32-bit float WAV so that nothing is lost.

        Parameters
        ----------
        samples
            `(frames, channels)` or `(frames,)`, in [-1, 1]; divide 16-bit whole numbers by 32768.
        sample_rate, session_id
            Frames a second, Hz; the session that it is of, for messages.

        Raises
        ------
        ValueError
            No frames, more than two dimensions or 64 channels, whole numbers beyond [-1, 1], or a
            sample rate that is not a whole number from 1 to 768,000.

        Examples
        --------
        >>> Recording.from_samples([0.0, 0.5, -0.5, 0.0], 8000).frames
        4
        """
        rate = decode.check_sample_rate(sample_rate)
        data, _ = as_wav(decode.as_frames(samples), rate, None)
        return cls.from_bytes(data, session_id=session_id).derived()

    @property
    def samples(self) -> Samples:
        """All samples, `(frames, channels)` float32 in [-1, 1], decoded at each use.

        A file of float samples may hold values beyond [-1, 1], or NaN; they are returned as recorded.

        Raises
        ------
        DecodeError
            The samples would take more than 8 GiB: use `blocks`.
        RecordingCorrupt, OSError
            The sound can't be decoded; the file is gone or can't be read.
        """
        if self.frames * self.channels * 4 > decode.MAX_DECODED_BYTES:
            raise DecodeError(
                "decoded at once the sound would take more than 8 GiB: go through it with blocks()",
                session_id=self._session_id,
            )
        parts = list(self.blocks(60.0))
        if not parts:
            raise RecordingCorrupt("no sound could be decoded", session_id=self._session_id)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def blocks(self, block_s: float = 30.0, *, overlap_s: float = 0.0) -> Iterator[Samples]:
        """Yield the sound in blocks, so that an hour needs no more memory than a minute.

        Parameters
        ----------
        block_s
            Length of a block in seconds; the last one is shorter. 30 s of stereo at 8 kHz are 2 MB.
        overlap_s
            How many seconds of a block's end the next block begins with; below `block_s`.

        Yields
        ------
        numpy.ndarray
            `(n, channels)` float32 in [-1, 1].

        Raises
        ------
        ValueError
            `block_s` or `overlap_s` is out of range.
        RecordingCorrupt, OSError
            The decoder fails, what was yielded before is good; the file is gone or can't be read.
        """
        if not 0 <= overlap_s < block_s:
            raise ValueError(f"block_s={block_s!r}, overlap_s={overlap_s!r}: need 0 <= overlap_s < block_s")
        overlap = round(overlap_s * self.sample_rate)
        length = max(1, round(block_s * self.sample_rate) - overlap)
        # The end of a block, kept for the beginning of the next one.
        kept: Samples | None = None
        for block in decode.blocks(readable(self._source), self._info, length, session_id=self._session_id):
            joined = block if kept is None else np.concatenate([kept, block])
            yield joined
            kept = joined[-overlap:] if overlap else None

    def channel(self, index: int) -> Recording:
        """Return one channel alone, sample for sample, in as many bits as the recording has.

        Parameters
        ----------
        index
            From 0; negative ones count from the end.

        Raises
        ------
        IndexError
            There is no such channel.
        DecodeError, OSError
            As in `samples`.
        """
        if not -self.channels <= index < self.channels:
            raise IndexError(f"there is no channel {index}: pass 0 to {self.channels - 1}")
        return self._made(self.samples[:, [index]], self.sample_rate, self._needed_bits)

    def mono(self) -> Recording:
        """Return the mean of all channels as one, kept as floats where whole numbers would round it.

        `recording.mono().resample(16_000).samples[:, 0]` is what most speech models take.

        Raises
        ------
        DecodeError, OSError
            As in `samples`.
        """
        return self._computed(self.samples.mean(axis=1, keepdims=True, dtype=np.float32), self.sample_rate)

    def slice(self, start_s: float, end_s: float) -> Recording:
        """Return the part from `start_s` to `end_s`, clipped to the recording, sample for sample.

        It has as many bits as the recording: a part of 16-bit, mu-law or A-law sound is 16-bit WAV. What a lossy
        codec, such as MP3, decodes to is kept as floats.

        Parameters
        ----------
        start_s, end_s
            Seconds from the beginning; `slice(60, math.inf)` is all from the first minute on.

        Raises
        ------
        ValueError
            No part of the recording lies between them.
        RecordingCorrupt, OSError
            The file is cut short before `start_s`, or as in `blocks`.

        Examples
        --------
        >>> Recording.from_samples([[0.1]] * 8000, 8000).slice(0.25, 0.75).duration_s
        0.5
        """
        first, last = (round(min(max(0.0, at_s), self.duration_s) * self.sample_rate) for at_s in (start_s, end_s))
        if not start_s < end_s or first >= last:  # NaN too
            raise ValueError(
                f"nothing lies between {start_s} s and {end_s} s of a recording of {self.duration_s:.3f} s"
            )
        source = readable(self._source)
        part = decode.read_part(source, self._info, first, last, session_id=self._session_id)
        return self._made(part, self.sample_rate, self._needed_bits)

    def resample(self, sample_rate: int) -> Recording:
        """Return the same sound at another sample rate (soxr, high quality), kept as floats.

        Parameters
        ----------
        sample_rate
            Frames a second, Hz.

        Raises
        ------
        ValueError
            The sample rate is not a whole number from 1 to 768,000.
        DecodeError, OSError
            As in `samples`.
        """
        sample_rate = decode.check_sample_rate(sample_rate)
        if sample_rate == self.sample_rate:
            return self
        import soxr  # noqa: PLC0415 - only here, and not needed to import the package

        samples = soxr.resample(self.samples, self.sample_rate, sample_rate, quality="HQ")
        return self._computed(samples, sample_rate)

    def silenced(self, intervals: npt.ArrayLike | Sequence[npt.ArrayLike | None], *, beep: bool = False) -> Recording:
        """Return the same sound at the same length without what lies in the intervals, such as names and numbers.

        Nothing of it is left, in whatever format the result is saved. What is around fades within 10 ms, outside of
        the intervals, so that no click is heard. Without intervals it is the recording itself.

        Parameters
        ----------
        intervals
            `(n, 2)` start and end in seconds, in any order, for all channels; or a list of such, one a channel, None
            for nothing. What lies before the beginning or after the end is cut off.
        beep
            A tone of 1 kHz instead of silence, as loud as the channel's speech elsewhere (-36 to -16 dBFS).

        Raises
        ------
        ValueError
            Another shape; no numbers; an end that is not after its start; or more than a second outside of the
            recording, as milliseconds would be.
        DecodeError, OSError
            As in `samples`.

        Examples
        --------
        >>> call = Recording.from_samples([[0.1, 0.2]] * 8000, 8000)
        >>> call.silenced([(0.25, 0.5)]).samples[3000].tolist(), call.silenced([None, [(0.25, 0.5)]]).frames
        ([0.0, 0.0], 8000)
        """
        wanted = intervals_per_channel(intervals, self.channels, self.duration_s)
        if not any(len(each) for each in wanted):
            return self
        bits = self._needed_bits
        samples = silence(self.samples, self.sample_rate, wanted, beep=beep, bits=bits)
        return self._made(samples, self.sample_rate, bits)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the recording to a file, in the format that the name ends in, and return its path.

        Bytes that are such a file already are written unchanged. Else whole numbers are: as many bits as the
        recording has, 16 of what lossy and telephone codecs, `mono` or `resample` made; `from_samples` stays floats
        in WAV and becomes 24 bits in FLAC. What lies beyond full scale is limited.

        Parameters
        ----------
        path
            Ends in .wav, .flac, .mp3, .ogg (Vorbis) or .opus, or in the recording's own format. A file that is there
            is replaced when the new one is whole. Folders that are missing are made; both are private (0700, 0600).

        Raises
        ------
        ConfigurationError
            No such format, a format that can't hold the sample rate or the channels, a folder, or the very file that
            the recording is made of.
        StoreError
            The file can't be written; what was there is as it was.
        DecodeError, OSError
            The recording can't be decoded, or read, whole.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Recording.from_file(Recording.from_samples([0.1] * 8000, 8000).save(folder + "/call.flac"))
        <Recording 1.0 s, 8000 Hz, 1 channel, flac>
        """
        source = self._source
        return save(
            self,
            path,
            bits=self._needed_bits,
            is_computed=self._bits is not None,
            made_of=str(source) if isinstance(source, str | Path) else self._made_of,
        )

    def play(self) -> Any:
        """Return a player for this one recording; the last expression of a notebook's cell shows it.

        Raises
        ------
        ConfigurationError, StoreError
            As `player`: the environment holds a setting that can't work, or names a store that can't be opened.
        """
        return type(self)._player_of(self)  # noqa: SLF001 - its own

    def verify(self, *, full: bool = False) -> None:
        """Decode the first and the last second, or with `full` everything.

        Parameters
        ----------
        full
            Decode all of it: seconds for an hour. A file that ends before its container says so is found either way.

        Raises
        ------
        RecordingCorrupt
            A part can't be decoded, or the file is cut short.
        OSError
            The file is gone or can't be read.
        """
        decode.verify(readable(self._source), self._info, full=full, session_id=self._session_id)

    @property
    def _needed_bits(self) -> int | None:
        return bits_of(self.codec) if self._bits is None else self._bits

    def _computed(self, samples: Samples, sample_rate: int) -> Recording:
        """Return sound that was computed from this: 8 bits held the recording, but hold no mean of it."""
        bits = self._needed_bits
        return self._made(samples, sample_rate, None if bits is None else max(16, bits))

    def _made(self, samples: Samples, sample_rate: int, bits: int | None, encode: Encoder = as_wav) -> Recording:
        """Return sound that was made of this, in `bits` a sample where that loses nothing, else as floats."""
        data, fits = encode(decode.as_frames(samples), sample_rate, bits)
        made = Recording.from_bytes(data, session_id=self._session_id).derived()
        made._bits = None if fits else bits  # noqa: SLF001 - its own class
        made._made_of = str(self._source) if isinstance(self._source, str | Path) else self._made_of  # noqa: SLF001
        return made

    def _repr_html_(self) -> str:
        """Return a card for notebooks, without sound; `play` returns a player."""
        return card(self)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the path where there is one, so that processes that share a disk copy no sound."""
        state = (None, {"_is_derived": self._is_derived, "_bits": self._bits, "_made_of": self._made_of})
        return (_restore, (self._source, self._info, self._size_bytes, self._session_id), state)


def _restore(source: Source, info: decode.SoundInfo, size_bytes: int, session_id: str | None) -> Recording:
    return Recording(source, info, size_bytes, session_id=session_id)
