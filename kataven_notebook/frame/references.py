"""What is written of a recording where its sound stays: where that lies and what its header says, and back again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from kataven_notebook.arguments import is_whole
from kataven_notebook.errors import DecodeError, RecordingCorrupt
from kataven_notebook.notices import warn_caller
from kataven_notebook.redact import one_line, redact
from kataven_notebook.sound.decode import SoundInfo, check_claims
from kataven_notebook.sound.formats import FORMATS
from kataven_notebook.sound.recording import Recording
from kataven_notebook.store.entry import is_file_name, named_checksum
from kataven_notebook.store.objects import ObjectFolder, RemoteObject
from kataven_notebook.store.places import is_url

if TYPE_CHECKING:
    from collections.abc import Sequence


class Reference(NamedTuple):
    """A recording without its sound, as plain values: what a table says of it in other tools, too."""

    session_id: str | None
    # The sound lies in a file, or in a store's file in a bucket.
    path: str | None
    store: str | None
    file: str | None
    # As much of the checksum as the name of a store's file states.
    sha256: str | None
    format: str
    codec: str
    sample_rate: int
    channels: int
    frames: int
    size_bytes: int
    is_derived: bool
    # The encoded bytes, where the caller asks for them.
    sound: bytes | None

    @classmethod
    def of(cls, recording: Recording, *, with_bytes: bool = False) -> Self:
        """Return the reference to a recording; a store's URL is written without user, password and query.

        Raises
        ------
        OSError
            The bytes are wanted, and can't be read.
        """
        source = recording.source
        path = store = file = checksum = None
        if isinstance(source, str | Path):
            path = str(source)
            checksum = named_checksum(path)
        elif isinstance(source, RemoteObject):
            store, file = without_credentials(source.folder.url), source.file
            checksum = named_checksum(file)
        info = recording.info
        return cls(
            recording.session_id,
            path,
            store,
            file,
            checksum,
            info.format,
            info.codec,
            info.sample_rate,
            info.channels,
            info.frames,
            recording.size_bytes,
            recording.is_derived,
            recording.encoded() if with_bytes else None,
        )

    @property
    def is_lasting(self) -> bool:
        """Whether another process finds the sound."""
        return any(each is not None for each in (self.path, self.store, self.sound))

    @classmethod
    def is_written_in(cls, value: object) -> bool:
        """Whether a value is a reference as a table holds it."""
        return isinstance(value, dict) and value.keys() >= set(cls._fields)

    @classmethod
    def of_mapping(cls, values: object) -> Self:
        """Return the reference that a table holds, whatever it says; what is not there is None."""
        found: Any = map((values if isinstance(values, dict) else {}).get, cls._fields)
        return cls(*found)

    def recording(self) -> Recording:
        """Return the recording, whose file is looked at, but not opened; a bucket is asked when sound is read.

        Raises
        ------
        OSError
            The file is gone, can't be read, or is another one by now.
        DecodeError
            Nobody could have written this of a recording, or its bytes are none.
        """
        session_id = self.session_id if isinstance(self.session_id, str) else None
        if isinstance(self.sound, bytes):
            found = Recording.from_bytes(self.sound, session_id=session_id)
        else:
            info = _info_of(self)
            found = Recording(_source_of(self), info, int(self.size_bytes), session_id=session_id)
        return found.derived() if self.is_derived is True else found


def _info_of(reference: Reference) -> SoundInfo:
    numbers = (reference.sample_rate, reference.channels, reference.frames, reference.size_bytes)
    is_plain = all(isinstance(each, str) and each.isprintable() for each in (reference.format, reference.codec))
    # The format decides who decodes it, and only those are known that the first bytes of a file can name.
    if not is_plain or reference.format not in FORMATS or not all(map(is_whole, numbers)):
        raise RecordingCorrupt("what the table says of its sound can't be true")
    info = SoundInfo(reference.format, reference.codec, *map(int, numbers[:3]))
    check_claims(info, int(reference.size_bytes), None)
    return info


def _source_of(reference: Reference) -> str | RemoteObject:
    size_bytes = int(reference.size_bytes)
    if isinstance(reference.path, str) and os.path.isabs(reference.path):  # noqa: PTH117 - no `Path` of each
        _check_file(reference.path, size_bytes)
        return reference.path
    if not is_url(reference.store) or not is_file_name(reference.file):
        raise OSError("the table names neither a file nor a store in which its sound lies")
    return RemoteObject(ObjectFolder(without_credentials(str(reference.store))), str(reference.file), size_bytes)


def _check_file(path: str, size_bytes: int) -> None:
    try:
        found = os.stat(path)  # noqa: PTH116 - no `Path` of each
    except (OSError, ValueError) as error:  # a zero byte ends a name
        why = getattr(error, "strerror", None) or error
        raise OSError(f"its file {path} can't be read ({why})") from None
    if found.st_size != size_bytes:  # as of a pipe or a device, which have none
        raise OSError(f"its file {path} is another one by now")


def recordings_in(references: Sequence[Reference | None]) -> list[Recording | None]:
    """Return the recordings of a column that was read, None where the sound is gone; a warning counts those.

    Parameters
    ----------
    references
        One a row, None where there was no recording.
    """
    found: list[Recording | None] = []
    reasons: list[str] = []
    for each in references:
        recording = None
        if each is not None:
            try:
                recording = each.recording()
            except (OSError, DecodeError) as error:
                reasons.append(
                    one_line(f"{str(each.session_id)!r}: {getattr(error, 'message', error)}", most_chars=500)
                )
        found.append(recording)
    if reasons:
        warn_caller(
            f"{len(reasons):,} of {len(references) - references.count(None):,} recordings are not where the table "
            f"says, and are missing. The first is of session {reasons[0]}; audio() with store= finds or fetches them"
        )
    return found


def bytes_in_memory(recording: Recording) -> int:
    """Return how much of a recording's encoded sound is in memory, in bytes: all or nothing."""
    return recording.size_bytes if isinstance(recording._source, bytes) else 0  # noqa: SLF001 - no name for it


def without_credentials(url: str) -> str:
    """Return a store's URL without user, password and query; whoever opens it has credentials of their own.

    Examples
    --------
    >>> without_credentials("s3://key:secret@bucket/calls?token=1")
    's3://bucket/calls'
    """
    return redact(url).replace("[redacted]@", "").replace("?[redacted]", "")
