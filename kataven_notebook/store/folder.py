"""The durable directory: sound and outcomes per session, atomic, safe for two processes.

Sound first, then its outcome: what has no outcome is not there. A file is written under another
name, brought to the disk and renamed, so that a killed process leaves nothing half-written that
could be taken for whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

import pandas as pd

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import StoreError
from kataven_notebook.machine.folders import make_private
from kataven_notebook.machine.process import is_alive, owner_name
from kataven_notebook.settings import current_settings
from kataven_notebook.sound.recording import Recording
from kataven_notebook.status import Status
from kataven_notebook.store.entry import Entry, hashed_id
from kataven_notebook.store.failures import explain_failure, folder_errors
from kataven_notebook.store.ledger import Ledger
from kataven_notebook.store.objects import is_url
from kataven_notebook.store.places import check_place, forgettable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kataven_notebook.settings import Settings

LEDGER_FILE = "ledger.sqlite3"
_DEAD_PART_S = 86_400.0


class Store:
    """A folder that keeps the sound of calls and what became of each session, for one account.

    `audio(store="calls/")`, `metrics` and `apply` fill it; the same call again does only what is left, and
    recordings that come from it read their file when asked, so that memory stays flat. Guaranteed
    on a local file system: a killed process loses no finished session, nothing half-written is
    taken for whole, and several processes can share one folder.

    Parameters
    ----------
    path
        The folder; made (mode 0700) where there is none. Or a URL that fsspec opens, such as
        `s3://bucket/calls`: then a `RemoteStore`, which says what is guaranteed there.

    Raises
    ------
    ConfigurationError
        `path` is no path, or empty.
    StoreError
        The folder can't be made or used, or another version of this package wrote it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Store(folder) as store:
    ...     store.note("s1", Status.MISSING, "the session has no recording")
    ...     store.to_frame()[["session_id", "recording_status"]].values.tolist()
    ...     store.forget("s1")["session_id"].tolist(), len(store.load())
    [['s1', 'missing']]
    (['s1'], 0)
    """

    # `store.opening` sets it: the bucket's class derives from this one, which can't import it.
    _class_for_urls: ClassVar[type[Store]]

    def __new__(cls, path: str | os.PathLike[str]) -> Store:  # noqa: PYI034 - of another class for a URL
        """Return a store of the class that fits the place, as `Path` does.

        Raises
        ------
        ConfigurationError
            `path` is no path, or empty.
        """
        check_place(path)
        return super().__new__(cls._class_for_urls if cls is Store and is_url(path) else cls)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = absolute_path("store", path)
        try:
            for folder in (self._path, self._path / "audio", self._path / "parts"):
                make_private(folder)
        except OSError as error:
            raise StoreError(explain_failure(self._path, error)) from None
        self._prefix = os.path.join(self._path, "")  # noqa: PTH118 - ends with the separator, as text
        self._ledger = Ledger(self._path / LEDGER_FILE)
        self._remove_dead_parts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the ledger; recordings that came from the store stay usable."""
        self._ledger.close()

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    def bind(self, settings: Settings) -> None:
        """Make sure that the store is of the account that is asked for.

        Raises
        ------
        StoreError
            It holds the sessions of another account.
        """
        if not settings.api_key and not settings.account_id:
            return  # Nobody in particular reads what is here; without credentials nothing is asked for.
        mine = account_mark(settings)
        theirs = self._ledger.meta("account", mine)
        if theirs != mine:
            raise StoreError(
                f"the store {self._path} holds the sessions of another account: use another folder; if it is the same "
                "account under a new key or name, call kataven_notebook.Store(path).adopt() once"
            )

    def adopt(self, settings: Settings | None = None) -> None:
        """Bind the store to the account of `settings`, by default the configured one.

        For an account whose key or name has changed.

        Parameters
        ----------
        settings
            Whose store it is from now on.

        Raises
        ------
        ConfigurationError
            The environment holds a setting that can't work.
        StoreError
            The store can't be written.
        """
        self._ledger.set_meta("account", account_mark(current_settings(settings)))

    def load(self, session_ids: Sequence[str] | None = None) -> dict[str, Entry]:
        """Return what is known of some sessions, or of all, by session id.

        An entry whose sound file is gone is left out: the session is asked for again.

        Raises
        ------
        StoreError
            The ledger or a folder of sound can't be read.
        """
        entries = {entry.session_id: entry for entry in self._ledger.entries(session_ids)}
        if not any(entry.file for entry in entries.values()):
            return entries
        there = self._files() if len(entries) > 1_000 else None
        return {key: entry for key, entry in entries.items() if entry.file is None or self._has(entry, there)}

    def _files(self) -> dict[str, int]:
        """Name and size of all sound files; one look at each folder is far cheaper than one at each file."""
        found = {}
        with folder_errors(self._path), contextlib.suppress(FileNotFoundError):
            for folder in os.scandir(self._path / "audio"):
                if folder.is_dir():
                    found.update({f"audio/{folder.name}/{file.name}": -1 for file in os.scandir(folder.path)})
        return found

    def _has(self, entry: Entry, there: dict[str, int] | None) -> bool:
        if there is not None:
            return entry.file in there
        try:
            return (self._path / (entry.file or "")).stat().st_size == entry.size_bytes
        except OSError:
            return False

    def recording(self, entry: Entry) -> Recording:
        """Return the recording of an entry that has a file; its sound is read when asked."""
        assert entry.file is not None  # noqa: S101 - callers look first
        path = self._prefix + entry.file
        return Recording(path, entry.sound_info, entry.size_bytes or 0, session_id=entry.session_id)

    @contextlib.contextmanager
    def part(self) -> Iterator[BinaryIO]:
        """Yield a private file for sound that is arriving; it is gone afterwards unless kept.

        Raises
        ------
        StoreError
            The disk is full, or the folder can't be written.
        """
        with folder_errors(self._path):
            prefix = owner_name().replace("|", "~").replace("/", "_") + "~"
            descriptor, name = tempfile.mkstemp(".part", prefix, self._path / "parts")
            os.close(descriptor)
            try:
                with Path(name).open("w+b") as file:
                    yield file
            finally:
                Path(name).unlink(missing_ok=True)

    def arrived(self, session_id: str, part: BinaryIO) -> Recording:
        """Return the recording in a file that `part` gave.

        Raises
        ------
        RecordingCorrupt, FormatUnsupported
            It is no sound that can be read.
        """
        part.flush()
        return Recording.from_file(part.name, session_id=session_id)

    def keep(self, session_id: str, part: BinaryIO, sha256: str) -> Recording:
        """Take verified sound into the store: the file first, then its outcome.

        Raises
        ------
        StoreError
            The disk is full, or the folder can't be written.
        RecordingCorrupt, FormatUnsupported
            The sound can't be read after all.
        """
        with folder_errors(self._path):
            arrived = self.arrived(session_id, part)
            os.fsync(part.fileno())
            entry = Entry.of_sound(session_id, arrived, sha256)
            target = self._path / str(entry.file)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            Path(part.name).replace(target)
        before = self._ledger.put(entry)
        if before is not None and before != entry.file:
            with contextlib.suppress(OSError):
                (self._path / before).unlink(missing_ok=True)
        return self.recording(entry)

    def note(self, session_id: str, status: Status, error: str | None) -> None:
        """Write what became of a session that has no sound here.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        self._ledger.put(Entry(session_id, status.value, error))

    def claim(self, session_id: str, *, since: float) -> bool:
        """Take a session for this process, unless another one is at it, or has settled it after `since`.

        `since` is in seconds since the epoch.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        return self._ledger.claim(session_id, since=since)

    def has_settled(self, session_id: str, *, since: float) -> bool:
        """Whether some process has settled a session after `since`, in seconds since the epoch.

        Raises
        ------
        StoreError
            The store can't be read.
        """
        return self._ledger.has_settled(session_id, since=since)

    def release(self, session_id: str) -> None:
        """Give a claimed session back.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        self._ledger.release(session_id)

    def forget(self, session_ids: Iterable[str] | str) -> pd.DataFrame:
        """Delete the sound and the outcomes of sessions for good, and report what was removed.

        The files are removed, the rows overwritten with zeros, and the write-ahead log emptied.
        What the file system or a backup keeps beyond that is outside its reach.

        Parameters
        ----------
        session_ids
            Which sessions; ids that are not there are passed over.

        Returns
        -------
        pandas.DataFrame
            What was removed: `session_id`, `recording_status`, `recording_bytes`.

        Raises
        ------
        StoreError
            The store can't be written, or another process holds it open.
        ConfigurationError
            It is a frame, or an id is not text; one that is missing is passed over.
        """
        wanted = forgettable(session_ids)
        # All of their sound, also what no outcome names because a process was killed before it was written.
        names = {hashed_id(each)[:40] for each in wanted}
        with folder_errors(self._path):
            for folder in {name[:2] for name in names}:
                for file in (self._path / "audio" / folder).glob("*-*"):
                    if file.name.partition("-")[0] in names:
                        file.unlink(missing_ok=True)
        removed = self._ledger.forget(wanted)
        return _table(removed)[["session_id", "recording_status", "recording_bytes"]]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a session: status, error, attempts, size, checksum, format, length and times.

        Returns
        -------
        pandas.DataFrame
            `session_id`, `recording_status`, `recording_error`, `attempts` (Int64),
            `recording_bytes` (Int64), `sha256`, `recording_format`, `duration_s` (float64),
            `sample_rate`, `channels` (Int64), `first_at`, `updated_at` (datetime64[us, UTC]), `file`.

        Raises
        ------
        StoreError
            The ledger can't be read.
        """
        return _table(sorted(self._ledger.entries(), key=lambda entry: entry.first_at))

    def __repr__(self) -> str:
        """Folder and counts by status."""
        counts = self._ledger.counts()
        counted = ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "empty"
        return f"<Store {str(self._path)!r}: {counted}>"

    def _remove_dead_parts(self) -> None:
        for part in (self._path / "parts").glob("*.part"):
            host, pid, created, *_ = [*part.name.split("~"), "", "", ""]
            try:
                if not is_alive(f"{host}|{pid}|{created}") or part.stat().st_mtime < time.time() - _DEAD_PART_S:
                    part.unlink(missing_ok=True)
            except OSError:
                continue


def account_mark(settings: Settings) -> str:
    """Name the account as well as it is known, without the key.

    A key's last part is random and what stands before it names the account: renewing the key
    leaves the mark as it is.
    """
    if settings.account_id:
        return f"account:{settings.account_id}"
    stem = (settings.api_key or "").rpartition("_")[0]
    return "key:" + hashlib.sha256(stem.encode()).hexdigest()[:32]


def _table(entries: Iterable[Entry]) -> pd.DataFrame:
    rows = list(entries)
    lengths = [entry.frames / entry.sample_rate if entry.frames and entry.sample_rate else None for entry in rows]
    columns = {
        "session_id": pd.array([entry.session_id for entry in rows], dtype="string"),
        "recording_status": pd.Categorical([entry.status for entry in rows], [each.value for each in Status]),
        "recording_error": pd.array([entry.error for entry in rows], dtype="string"),
        "attempts": pd.array([entry.attempts for entry in rows], dtype="Int64"),
        "recording_bytes": pd.array([entry.size_bytes for entry in rows], dtype="Int64"),
        "sha256": pd.array([entry.sha256 for entry in rows], dtype="string"),
        "recording_format": pd.array([entry.format for entry in rows], dtype="string"),
        "duration_s": pd.Series(lengths, dtype="float64"),
        "sample_rate": pd.array([entry.sample_rate for entry in rows], dtype="Int64"),
        "channels": pd.array([entry.channels for entry in rows], dtype="Int64"),
        "first_at": pd.to_datetime([entry.first_at for entry in rows], unit="s", utc=True).as_unit("us"),
        "updated_at": pd.to_datetime([entry.updated_at for entry in rows], unit="s", utc=True).as_unit("us"),
        "file": pd.array([entry.file for entry in rows], dtype="string"),
    }
    return pd.DataFrame(columns)
