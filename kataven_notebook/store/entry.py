"""What a store knows of one session: its outcome, and which file holds its sound."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Self

from kataven_notebook.sound.decode import SoundInfo
from kataven_notebook.status import SETTLED, Status

if TYPE_CHECKING:
    from pathlib import Path

    from kataven_notebook.sound.recording import Recording

_FILE = re.compile(r"audio/[0-9a-f]{2}/[0-9a-f]{40}-[0-9a-f]{16}\.[a-z0-9]{1,8}")


# Not frozen: hundreds of thousands are made when a large frame is resumed, and that takes three times as long.
@dataclass(slots=True)
class Entry:
    """What a store knows of one session; the order of the fields is the table's. Never changed."""

    session_id: str
    status: str
    error: str | None = None
    attempts: int = 1
    file: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    format: str | None = None
    codec: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    frames: int | None = None
    first_at: float = 0.0
    updated_at: float = 0.0

    @classmethod
    def of_sound(cls, session_id: str, recording: Recording, sha256: str, *, at: float = 0.0) -> Self:
        """Return the entry of a downloaded recording, with the name that its file gets.

        Parameters
        ----------
        session_id, recording, sha256
            The session, its sound, and the checksum of the encoded bytes, hexadecimal.
        at
            When it was stored, in seconds since the epoch; 0 leaves that to the ledger.
        """
        name = hashed_id(session_id)
        return cls(
            session_id=session_id,
            status=Status.DOWNLOADED.value,
            # Other sound of the same session gets another name: an entry never names a file that is not its own.
            file=f"audio/{name[:2]}/{name[:40]}-{sha256[:16]}.{recording.format}",
            size_bytes=recording.size_bytes,
            sha256=sha256,
            first_at=at,
            updated_at=at,
            **asdict(recording.info),
        )

    @property
    def is_settled(self) -> bool:
        """Whether asking for the session again would bring nothing new."""
        return self.file is not None or self.status in SETTLED

    @property
    def sound_info(self) -> SoundInfo:
        """What the header of its sound says; of an entry that has a file."""
        return SoundInfo(
            self.format or "", self.codec or "", self.sample_rate or 0, self.channels or 0, self.frames or 0
        )


COLUMNS = tuple(field.name for field in fields(Entry))


def hashed_id(session_id: str) -> str:
    """Return the name that a session's files have: any id is safe in it, and none can be read from it."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def is_file_name(name: object) -> bool:
    """Whether a store could have given a sound file this name; any other name in a ledger is never opened."""
    return isinstance(name, str) and _FILE.fullmatch(name) is not None


def named_checksum(path: Path | str | None) -> str | None:
    """Return the beginning of the checksum that the name of a store's sound file states, or None for other files."""
    name = "/".join(re.split(r"[/\\]", str(path))[-3:])
    return name.rpartition("-")[2].partition(".")[0] if is_file_name(name) else None
