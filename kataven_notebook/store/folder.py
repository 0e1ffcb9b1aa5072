"""The durable directory: sound and outcomes per session, atomic, safe for two processes.

Sound first, then its outcome: what has no outcome is not there. A file is written under another name, brought to the
disk and renamed, so that a killed process leaves nothing half-written that could be taken for whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, ClassVar, Self

from kataven_notebook.arguments import absolute_path
from kataven_notebook.settings import current_settings
from kataven_notebook.sound.recording import Recording
from kataven_notebook.store.accounts import account_mark, is_anonymous, refuse_other
from kataven_notebook.store.audit import audit
from kataven_notebook.store.entry import Entry, hashed_id
from kataven_notebook.store.failures import folder_errors
from kataven_notebook.store.files import SoundFolder, Sounds
from kataven_notebook.store.ledger import Ledger
from kataven_notebook.store.places import check_place, forgettable, is_url
from kataven_notebook.store.results import RESULTS_FILE, STEM_CHARS, Results
from kataven_notebook.store.table import table

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pandas as pd

    from kataven_notebook.settings import Settings
    from kataven_notebook.status import Status
    from kataven_notebook.store.claims import Claims

LEDGER_FILE = "ledger.sqlite3"


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
    >>> from kataven_notebook import Status
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
        self._place = str(self._path)
        with folder_errors(self._path):
            self._files = SoundFolder(self._path)
        self._ledger = Ledger(self._path / LEDGER_FILE)
        self._results: Results | None = None
        self._files.remove_dead_parts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the ledger; recordings that came from the store stay usable."""
        self._ledger.close()
        if self._results is not None:
            self._results.close()

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    def check_account(self, settings: Settings) -> None:
        """Refuse a store that is bound to another account than that of `settings`; nothing is written.

        Raises
        ------
        StoreError
            It holds the sessions of another account.
        """
        if not is_anonymous(settings):
            refuse_other(self._account(), settings, self._place)

    def bind(self, settings: Settings) -> None:
        """Bind the store to the account of `settings`, which an answer of the service has proved.

        A key that never worked binds nothing: the right one would then be refused.

        Raises
        ------
        StoreError
            It holds the sessions of another account.
        """
        if not is_anonymous(settings):
            refuse_other(self._bound(account_mark(settings)), settings, self._place)

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

        An entry whose sound file is gone, or has another size, is left out: the session is asked for again.

        Raises
        ------
        StoreError
            The ledger can't be read.
        """
        entries = self._ledger.entries(session_ids)
        return {entry.session_id: entry for entry in entries if entry.file is None or self._is_whole(entry)}

    def _is_whole(self, entry: Entry) -> bool:
        # A look at each file takes no longer than listing all folders with their sizes.
        try:
            return self._files.size_of(str(entry.file)) == entry.size_bytes
        except OSError:
            return False

    def recording(self, entry: Entry) -> Recording:
        """Return the recording of an entry that has a file; its sound is read when asked."""
        assert entry.file is not None  # noqa: S101 - callers look first
        return Recording(
            self._files.place_of(entry.file), entry.sound_info, entry.size_bytes or 0, session_id=entry.session_id
        )

    def part(self) -> AbstractContextManager[BinaryIO]:
        """Return a context with a private file for sound that is arriving; it is gone afterwards unless kept.

        Raises
        ------
        StoreError
            The disk is full, or the folder can't be written.
        """
        return self._files.part()

    def arrived(self, session_id: str, part: BinaryIO) -> Recording:
        """Return the recording in a file that `part` gave.

        Raises
        ------
        RecordingCorrupt, FormatUnsupported
            It is no sound that can be read.
        StoreError
            The folder was moved, removed or replaced meanwhile.
        """
        with folder_errors(self._path):
            # What lies there by that name must not be taken for a corrupt recording, which is final.
            self._files.check_in_place(part)
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
            entry = Entry.of_sound(session_id, self.arrived(session_id, part), sha256)
            self._files.take(part, str(entry.file), sha256)
        before = self._ledger.put(entry)
        if before is not None and before != entry.file:
            self._files.remove(before)
        return self.recording(entry)

    def note(self, session_id: str, status: Status, error: str | None) -> None:
        """Write what became of a session that has no sound here; whole sound stays what became of it.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        entry = Entry(session_id, status.value, error)
        if self._ledger.put(entry) is None:
            return
        # Its row names sound. Where that is damaged it would hide this outcome for good.
        for named in self._ledger.entries([session_id]):
            if named.file is not None and not self._is_whole(named) and self._ledger.drop_sound(named, str(error)):
                self._ledger.put(entry)

    def drop_sound(self, entry: Entry, error: str) -> bool:
        """Note that the sound an entry names is damaged, unless the session has other sound by now.

        The session is asked for again, and `error` says why.

        Raises
        ------
        StoreError
            The store can't be written.
        """
        return self._ledger.drop_sound(entry, error)

    def tell_others(self) -> None:
        """Let other machines know that sound was found damaged; those that share a folder see it in the ledger."""

    def claims(self) -> Claims:
        """Return the claims of a new run: which sessions it is at, beside the other runs that share the store."""
        return self._ledger.claims(self.load)

    def attempts(self, session_ids: Sequence[str]) -> dict[str, int]:
        """Return how often the sessions that are known have been asked for, whatever became of them.

        Raises
        ------
        StoreError
            The store can't be read.
        """
        return self._ledger.attempts(session_ids)

    def forget(self, session_ids: Iterable[str] | str) -> pd.DataFrame:
        """Delete the sound, the outcomes and the results of sessions for good, and report what was removed.

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
        stems = {hashed_id(each)[:STEM_CHARS] for each in wanted}
        self._files.forget(stems)
        self.results.forget(stems)
        removed = self._ledger.forget(wanted)
        return table(removed)[["session_id", "recording_status", "recording_bytes"]]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a session: status, error, attempts, size, checksum, format, length and times.

        Returns
        -------
        pandas.DataFrame
            `session_id`, `recording_status`, `recording_error`, `attempts` (Int64),
            `recording_bytes` (Int64), `sha256`, `recording_format`, `duration_s` (float64),
            `sample_rate`, `channels` (Int64), `first_at`, `updated_at` (datetime64[us, UTC]), `file`,
            `results` (Int64: how many results of `metrics` and `apply(keep=)` are kept).

        Raises
        ------
        StoreError
            The ledger can't be read.
        """
        return table(sorted(self._ledger.entries(), key=lambda entry: entry.first_at), self.results.counts())

    def check(self, *, full: bool = False, progress: bool | None = None) -> pd.DataFrame:
        """Compare every recording with what was noted when it was stored, and report what is damaged.

        What is damaged is noted: the next run asks for these sessions again. Nothing is deleted.

        Parameters
        ----------
        full
            Read all sound and compare checksums, which finds bytes that have changed. By default sizes.
        progress
            Show a progress bar; by default in notebooks and terminals.

        Returns
        -------
        pandas.DataFrame
            One row a finding, none where all is well: `session_id` (string, missing where it isn't known),
            `problem` ("gone", "wrong_size", "wrong_checksum", "unreadable"; "damaged_outcome": no store wrote what
            is noted of the session; "unnamed_sound": no outcome names the file, which does no harm;
            "damaged_result": what was found in a recording is to be found again; with `full`), `file`
            (string), `recording_bytes`, `found_bytes` (Int64: noted, and found), `what_to_do` (string). `attrs`
            holds "checked", how many recordings were looked at, and "results", how many results are kept.

        Raises
        ------
        StoreError
            The store can't be read or written.
        Interrupted
            Somebody pressed stop; carries the report so far, which is noted.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, Store(folder) as store:
        ...     len(store.check())
        0
        """
        return audit(self, full=full, progress=progress)

    @property
    def results(self) -> Results:
        """What `metrics` has measured on the recordings, and what `apply(keep=)` returned.

        Raises
        ------
        StoreError
            They can't be read.
        """
        if self._results is None:
            self._results = self._open_results()
        return self._results

    def _open_results(self) -> Results:
        return Results(self._path / RESULTS_FILE)

    @property
    def sounds(self) -> Sounds:
        """Where the sound lies."""
        return self._files

    def all_outcomes(self) -> tuple[list[Entry], list[tuple[str | None, str | None]]]:
        """Return every outcome, and session id and file, as far as they are known, of each damaged one.

        Raises
        ------
        StoreError
            The ledger can't be read.
        """
        damaged = self._ledger.damaged()
        return list(self._ledger.entries()), damaged

    def _account(self) -> str | None:
        """Return the mark of the account that the store is bound to."""
        return self._ledger.meta("account")

    def _bound(self, mark: str) -> str | None:
        """Bind the store to an account unless it is bound, and return whose it is."""
        return self._ledger.meta("account", mark)

    def __repr__(self) -> str:
        """Folder and counts by status."""
        counted = ", ".join(f"{count:,} {status}" for status, count in self._ledger.counts().items()) or "empty"
        return f"<Store {str(self._path)!r}: {counted}>"
