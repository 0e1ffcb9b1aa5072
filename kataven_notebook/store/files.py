"""The files of a store's folder: those that arrive, those that are kept, and what is left of killed processes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from kataven_notebook.machine.folders import make_private, part_prefix, remove_dead_parts
from kataven_notebook.store.failures import folder_errors

if TYPE_CHECKING:
    from collections.abc import Iterator


class Sounds(Protocol):
    """Where a store's sound lies, for those who look whether it is whole."""

    def sizes(self) -> dict[str, int]:
        """Return name and size in bytes of all sound, also of what no outcome names.

        Raises
        ------
        StoreError
            The place can't be read.
        """

    def size_of(self, file: str) -> int | None:
        """Return the size of one recording's sound in bytes, or None where it is gone.

        Raises
        ------
        OSError
            That can't be told.
        """

    def checksum(self, file: str) -> str:
        """Return the SHA-256 of one recording's sound, hexadecimal.

        Raises
        ------
        OSError
            It is gone or can't be read.
        """


class SoundFolder:
    """The sound files of a store in a folder, and those that are arriving.

    Parameters
    ----------
    path
        The store's folder; the folders within it are made where there are none.

    Raises
    ------
    OSError
        They can't be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts = path / "parts"
        for folder in (path, path / "audio", self._parts):
            make_private(folder)
        # Ends with the separator, as text.
        self._prefix = os.path.join(path, "")  # noqa: PTH118 - see above

    def place_of(self, file: str) -> str:
        """Return the path of a sound file as text: in large stores, making a `Path` of each takes most of the time."""
        return self._prefix + file

    def size_of(self, file: str) -> int | None:
        """Return the size of a sound file in bytes, or None where it is gone.

        Raises
        ------
        OSError
            That can't be told: its folder can't be read, for instance.
        """
        try:
            return os.stat(self._prefix + file).st_size  # noqa: PTH116 - no `Path` of each
        except (FileNotFoundError, NotADirectoryError):
            return None

    def sizes(self) -> dict[str, int]:
        """Return name and size in bytes of all sound files.

        Raises
        ------
        StoreError
            A folder can't be read.
        """
        found = {}
        with folder_errors(self._path), contextlib.suppress(FileNotFoundError):
            for folder in os.scandir(self._path / "audio"):
                if folder.is_dir():
                    # Not by joining paths: on Windows these would have backslashes.
                    found.update({f"audio/{folder.name}/{file.name}": _size(file) for file in os.scandir(folder.path)})
        return found

    def checksum(self, file: str) -> str:
        """Return the SHA-256 of a sound file's bytes, hexadecimal.

        Raises
        ------
        OSError
            It is gone or can't be read.
        """
        with (self._path / file).open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()

    @contextlib.contextmanager
    def part(self) -> Iterator[BinaryIO]:
        """Yield a private file for sound that is arriving; it is gone afterwards unless taken.

        Raises
        ------
        StoreError
            The disk is full, or the folder can't be written.
        """
        with folder_errors(self._path):
            # Somebody may have tidied up; a store that is gone is not made again.
            self._parts.mkdir(mode=0o700, exist_ok=True)
            descriptor, name = tempfile.mkstemp(".part", part_prefix(), self._parts)
            os.close(descriptor)
            try:
                with Path(name).open("w+b") as file:
                    yield file
            finally:
                Path(name).unlink(missing_ok=True)

    def check_in_place(self, part: BinaryIO) -> None:
        """Refuse a part whose name leads to something else than what has arrived.

        Raises
        ------
        OSError
            The folder was moved, removed or replaced meanwhile.
        """
        part.flush()
        if Path(part.name).stat().st_size != os.fstat(part.fileno()).st_size:
            raise FileNotFoundError(errno.ENOENT, "replaced while sound arrived", part.name)

    def take(self, part: BinaryIO, file: str, sha256: str) -> None:
        """Bring what has arrived to the disk, close it and give it its name.

        Parameters
        ----------
        part
            What `part` gave.
        file
            Its name, as outcomes have it.
        sha256
            The checksum of its bytes, hexadecimal.

        Raises
        ------
        OSError
            The disk is full, or the folder can't be written.
        """
        part.flush()
        os.fsync(part.fileno())
        # Windows renames no file that is open.
        part.close()
        target = self._path / file
        for folder in (target.parent.parent, target.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        try:
            Path(part.name).replace(target)
        except PermissionError:
            # Nor does it replace one that somebody reads. A name is its content's: this very sound may be there.
            if self.size_of(file) is None or self.checksum(file) != sha256:
                raise

    def remove(self, file: str) -> None:
        """Remove a sound file, if that is possible: on Windows it is not while somebody reads it."""
        with contextlib.suppress(OSError):
            (self._path / file).unlink(missing_ok=True)

    def forget(self, names: set[str]) -> None:
        """Remove all sound of the sessions whose files' names begin so, also what no outcome names.

        Raises
        ------
        StoreError
            A file can't be removed.
        """
        with folder_errors(self._path):
            for folder in {name[:2] for name in names}:
                for file in (self._path / "audio" / folder).glob("*-*"):
                    if file.name.partition("-")[0] in names:
                        file.unlink(missing_ok=True)

    def remove_dead_parts(self) -> None:
        """Remove what processes that were killed have left of sound that was arriving."""
        remove_dead_parts(self._parts)


def _size(file: os.DirEntry[str]) -> int:
    try:
        return file.stat().st_size
    except OSError:  # removed meanwhile, or a link that leads nowhere
        return -1
