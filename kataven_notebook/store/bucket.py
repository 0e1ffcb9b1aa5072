"""The store on object storage: the same promises as far as a bucket can keep them, and a local cache."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from kataven_notebook.errors import StoreError
from kataven_notebook.redact import redact
from kataven_notebook.settings import current_settings
from kataven_notebook.sound.recording import Recording
from kataven_notebook.status import Status
from kataven_notebook.store.accounts import account_mark
from kataven_notebook.store.audit import of_other_size
from kataven_notebook.store.entry import Entry, hashed_id
from kataven_notebook.store.failures import folder_errors
from kataven_notebook.store.folder import Store
from kataven_notebook.store.ledger import Ledger
from kataven_notebook.store.objects import ObjectFolder, RemoteObject, outcome_file
from kataven_notebook.store.packs import PackedResults
from kataven_notebook.store.places import cache_folder, forgettable
from kataven_notebook.store.results import RESULTS_FILE, STEM_CHARS
from kataven_notebook.store.table import table

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

    from kataven_notebook.settings import Settings
    from kataven_notebook.store.results import Results

# Up to here each outcome is asked for by name; above it a listing is cheaper.
_MOST_BY_NAME = 500
# Up to here the sound of each session is looked for alone.
_MOST_ALONE = 20


class RemoteStore(Store):
    """A store in a bucket, or on anything else that fsspec opens; `Store("s3://bucket/calls")` makes it.

    Guaranteed: sound is uploaded and verified before its outcome is written, so what has an outcome
    is whole; a killed process loses no finished session; many machines may read and write. Not
    guaranteed: that two machines never fetch the same session at once. Buckets have no locks; both
    then store the same sound, and the later outcome stays. Processes of one machine do keep out of
    each other's way. An outcome without sound never hides sound, whichever machine writes it: sound is
    found again by its name. What is known of sessions is also in an SQLite file in the state directory,
    which may be deleted: it is made again from the bucket.

    Parameters
    ----------
    path
        A URL such as `s3://bucket/calls`. Credentials and endpoint are fsspec's business.

    Raises
    ------
    StoreError
        The place can't be used, or another version of this package wrote it.
    MissingExtra
        The URL needs a package that is not installed: `[s3]` for `s3://`.
    ConfigurationError
        fsspec does not know such a URL.

    Examples
    --------
    >>> with Store("memory://calls") as store:
    ...     store
    <Store 'memory://calls': empty>
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.folder = ObjectFolder(str(path).rstrip("/"))
        self._place = redact(self.folder.url)
        head = self.folder.head()
        folder, self._temporary = cache_folder()
        name = hashlib.sha256(self.folder.url.encode()).hexdigest()[:32]
        self._results: Results | None = None
        self._results_path = folder / f"{name}.{RESULTS_FILE}"
        self._ledger = Ledger(folder / f"{name}.sqlite3", follow=False)
        if head is not None:
            self._recognise(head)
        elif self._ledger.meta("store") is not None:
            self._forget_cache()  # somebody has removed the store

    @property
    def path(self) -> Path:
        """Raise: there is no folder of this machine.

        Raises
        ------
        StoreError
            Always.
        """
        raise StoreError(f"the store {self._place} is no folder of this machine")

    def adopt(self, settings: Settings | None = None) -> None:
        """Bind the store to the account of `settings`, by default the configured one.

        Parameters
        ----------
        settings
            Whose store it is from now on.

        Raises
        ------
        StoreError
            It can't be written.
        ConfigurationError
            The environment holds a setting that can't work.
        """
        head = self.folder.head() or {}
        self._recognise(self.folder.write_head(account_mark(current_settings(settings)), store_id=head.get("id")))

    def _account(self) -> str | None:
        head = self.folder.head()
        if head is None:
            return None
        self._recognise(head)
        return head["account"]

    def _bound(self, mark: str) -> str | None:
        if self.folder.head() is None:
            self.folder.write_head(mark)
        return self._account()  # as it is there now: another machine may have written it meanwhile

    def _recognise(self, head: dict[str, str]) -> None:
        """Forget the cache where it is of another store that once was at this place."""
        if self._ledger.meta("store", head["id"]) != head["id"]:
            self._forget_cache()
            self._ledger.set_meta("store", head["id"])

    def _forget_cache(self) -> None:
        self._ledger.forget([entry.session_id for entry in self._ledger.entries()])

    def load(self, session_ids: Sequence[str] | None = None) -> dict[str, Entry]:
        """Return what is known of some sessions, or of all, by session id.

        An entry whose sound is gone, or has another size, is left out, of the cache too. What that lacks is looked up
        in the bucket, since another machine may have stored sound of a session that had none, or other sound.

        Raises
        ------
        StoreError
            The bucket can't be read.
        """
        known = {each.session_id: each for each in self._ledger.entries(session_ids)}
        for entry in of_other_size(self.folder, known.values()):
            self._ledger.drop_sound(entry, "the sound in the store was gone or damaged: call again")
            del known[entry.session_id]
        unsure = None if session_ids is None else [each for each in session_ids if not _has_sound(known.get(each))]
        if unsure is not None and len(unsure) <= _MOST_BY_NAME:
            names = {hashed_id(each) for each in unsure}
        else:
            names = self._names_by_listing(known, unsure)
        news = [entry for entry in self.folder.outcomes(names) if entry != known.get(entry.session_id)]
        found = {entry.session_id: entry for entry in news}
        for session_id in self._doubtful([entry.session_id for entry in news if not _has_sound(entry)]):
            found[session_id] = self._recovered(session_id) or found[session_id]
        for entry in of_other_size(self.folder, found.values()):
            del found[entry.session_id]
        self._ledger.take_over(found.values())
        return known | found

    def _doubtful(self, session_ids: list[str]) -> list[str]:
        """Return those of sessions without sound that may have some; where they are many, by one listing."""
        if len(session_ids) <= _MOST_ALONE:
            return session_ids
        there = self._stems()
        return [each for each in session_ids if hashed_id(each)[:40] in there]

    def _stems(self) -> set[str]:
        return {file.rpartition("/")[2].partition("-")[0] for file in self.folder.sizes()}

    def _names_by_listing(self, known: dict[str, Entry], session_ids: Sequence[str] | None) -> set[str]:
        """Return which outcomes are to be read, by two listings; what somebody has deleted is forgotten."""
        there = self.folder.listed()
        gone = [each for each in known if hashed_id(each) not in there]
        self._ledger.forget(gone)
        for each in gone:
            del known[each]
        settled = {hashed_id(each): entry for each, entry in known.items() if entry.is_settled}
        silent = {name[:40] for name, entry in settled.items() if not _has_sound(entry)}
        if silent:
            silent &= self._stems()
        names = {each for each in there if each not in settled or each[:40] in silent}
        return names if session_ids is None else names & {hashed_id(each) for each in session_ids}

    def _recovered(self, session_id: str) -> Entry | None:
        """Return sound that is here although the session's outcome names none, and let its outcome name it again.

        Sound is written before its outcome, so another machine's late outcome without sound can't hide it for good.
        """
        entry = self.folder.recovered(session_id)
        if entry is not None:
            with contextlib.suppress(StoreError):  # reading may be all that is allowed here
                self.folder.write_outcome(entry)
        return entry

    def recording(self, entry: Entry) -> Recording:
        """Return the recording of an entry that has sound; it is read from the bucket when asked."""
        assert entry.file is not None  # noqa: S101 - callers look first
        source = RemoteObject(self.folder, entry.file, entry.size_bytes or 0)
        return Recording(source, entry.sound_info, entry.size_bytes or 0, session_id=entry.session_id)

    @contextlib.contextmanager
    def part(self) -> Iterator[BinaryIO]:
        """Yield a private local file for sound that is arriving; it has no name, so that not even a kill leaves it."""
        with folder_errors(Path(tempfile.gettempdir())), tempfile.TemporaryFile(prefix="kataven-") as file:
            yield file

    def arrived(self, session_id: str, part: BinaryIO) -> Recording:
        """Return the recording in a file that `part` gave.

        Raises
        ------
        RecordingCorrupt, FormatUnsupported
            It is no sound that can be read.
        """
        part.seek(0)
        return Recording.from_bytes(part.read(), session_id=session_id)

    def keep(self, session_id: str, part: BinaryIO, sha256: str) -> Recording:
        """Upload verified sound, and then its outcome.

        Raises
        ------
        StoreError
            It can't be written.
        RecordingCorrupt, FormatUnsupported
            The sound can't be read after all.
        """
        entry = self.folder.deposit(session_id, self.arrived(session_id, part), sha256)
        self.learn(entry)
        return self.recording(entry)

    def learn(self, entry: Entry) -> None:
        """Take into the cache what a worker has put into the bucket; a file that it replaces is removed.

        Raises
        ------
        StoreError
            The cache can't be written.
        """
        before = self._ledger.put(entry)
        if before is not None and before != entry.file:
            with contextlib.suppress(StoreError):
                self.folder.remove([before])

    def note(self, session_id: str, status: Status, error: str | None) -> None:
        """Write what became of a session that has no sound here; sound stays what became of it.

        Raises
        ------
        StoreError
            It can't be written.
        """
        before = next(iter(self._ledger.entries([session_id])), None)
        now = time.time()
        entry = Entry(session_id, status.value, error, first_at=now, updated_at=now)
        if before is not None:
            entry = replace(entry, attempts=before.attempts + 1, first_at=before.first_at)
        there = next(self.folder.outcomes([hashed_id(session_id)]), None)
        if there is None or not self._is_whole(there):
            there = self._written(entry)
            if before is not None and before.file is not None:
                self._ledger.drop_sound(before, str(error))  # the cache follows
        self._ledger.put(there)

    def _is_whole(self, entry: Entry) -> bool:
        return entry.file is not None and self.folder.size_of(entry.file) == entry.size_bytes

    def _written(self, entry: Entry) -> Entry:
        """Write an outcome without sound, and return what is the session's outcome then.

        Between the look and the writing another machine may have stored sound: it lies there already.
        """
        self.folder.write_outcome(entry)
        return self._recovered(entry.session_id) or entry

    def drop_sound(self, entry: Entry, error: str) -> bool:
        """Note that the sound an entry names is damaged, unless its outcome names other sound by now.

        Raises
        ------
        StoreError
            It can't be written.
        """
        there = next(self.folder.outcomes([hashed_id(entry.session_id)]), None)
        if there is None or there.file != entry.file:
            return False
        failed, now = Status.FAILED.value, time.time()
        noted = Entry(entry.session_id, failed, error, entry.attempts, first_at=entry.first_at, updated_at=now)
        self.folder.write_outcome(noted)
        self._ledger.drop_sound(entry, error)
        return self._recovered(entry.session_id) is None

    def tell_others(self) -> None:
        """Give the store a new id, so that other machines, which remember sound that is damaged, look anew.

        Raises
        ------
        StoreError
            It can't be written.
        """
        head = self.folder.head()
        if head is not None:
            self._ledger.set_meta("store", self.folder.write_head(head["account"])["id"])

    def close(self) -> None:
        """Close the cache; recordings that came from the store stay usable."""
        super().close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _open_results(self) -> Results:
        return PackedResults(self.folder, self._results_path)

    @property
    def sounds(self) -> ObjectFolder:
        """Where the sound lies."""
        return self.folder

    def all_outcomes(self) -> tuple[list[Entry], list[tuple[str | None, str | None]]]:
        """Return every outcome, and session id and object, as far as they are known, of each damaged one.

        Raises
        ------
        StoreError
            The bucket can't be read.
        """
        whole, damaged = self.folder.all_outcomes()
        self._ledger.take_over(whole)
        return whole, [(None, file) for file in damaged]

    def forget(self, session_ids: Iterable[str] | str) -> pd.DataFrame:
        """Delete the sound, the outcomes and the results of sessions for good, and report what was removed.

        A bucket that keeps old versions keeps these too: that is the bucket's setting.

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
            The store can't be written.
        ConfigurationError
            An id is not text; one that is missing is passed over.
        """
        wanted = forgettable(session_ids)
        entries = self.load(wanted)
        report = table(entries.values())
        # The outcome first: what is left of a removal that breaks off is sound that nothing names.
        self.folder.remove(outcome_file(each) for each in wanted)
        self.folder.remove(file for each in wanted for file in self.folder.sound_of(each))
        self.results.forget({hashed_id(each)[:STEM_CHARS] for each in wanted})
        self._ledger.forget(wanted)
        return report[["session_id", "recording_status", "recording_bytes"]]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a session, as `Store.to_frame`, after a look at the whole bucket.

        Returns
        -------
        pandas.DataFrame
            The columns of `Store.to_frame`; `attempts` as far as this machine has seen them.

        Raises
        ------
        StoreError
            The bucket can't be read.
        """
        self.load()
        return super().to_frame()

    def __repr__(self) -> str:
        """Place and counts by status, as far as this machine has looked."""
        counts = self._ledger.counts()
        counted = ", ".join(f"{count:,} {status}" for status, count in counts.items()) or "empty"
        return f"<Store {self._place!r}: {counted}>"


def _has_sound(entry: Entry | None) -> bool:
    return entry is not None and entry.file is not None
