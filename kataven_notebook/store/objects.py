"""Sound and outcomes as objects in a bucket, or on whatever else fsspec speaks to."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kataven_notebook.errors import ConfigurationError, DecodeError, MissingExtra, StoreError
from kataven_notebook.redact import redact
from kataven_notebook.sound.recording import Recording
from kataven_notebook.store.entry import Entry, hashed_id
from kataven_notebook.store.failures import bucket_errors
from kataven_notebook.store.sanity import entry_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VERSION = 1
_HEAD = "store.json"
# As many objects are asked for at once as a listing would name on one page.
_BATCH = 1_000
_PIECE_BYTES = 4_194_304
_HELD: dict[int, Any] = {}


@dataclass(frozen=True, slots=True)
class ObjectFolder:
    """A place in object storage; holds its URL alone, so that it can be sent to workers.

    Credentials, endpoints and the like are fsspec's business: `AWS_...` and `FSSPEC_...` variables,
    `~/.aws`, `fsspec.config`. Every process needs them by itself. Each method that reads or writes
    raises `MissingExtra` or `ConfigurationError` where fsspec can't open the URL.

    Parameters
    ----------
    url
        Such as `s3://bucket/calls`.
    """

    url: str

    def deposit(self, session_id: str, recording: Recording, sha256: str) -> Entry:
        """Put sound there and then its outcome: what has no outcome is not there.

        Raises
        ------
        StoreError
            It can't be written.
        """
        entry = Entry.of_sound(session_id, recording, sha256, at=time.time())
        self.write(str(entry.file), recording.encoded())
        self.write_outcome(entry)
        return entry

    def write_outcome(self, entry: Entry) -> None:
        """Write what became of a session, one object for each.

        Raises
        ------
        StoreError
            It can't be written.
        """
        self.write(_outcome_file(hashed_id(entry.session_id)), json.dumps(asdict(entry)).encode())

    def outcomes(self, names: Iterable[str]) -> Iterator[Entry]:
        """Yield the outcomes of those sessions, by `hashed_id`, that have one; what is damaged is none.

        Raises
        ------
        StoreError
            They can't be read.
        """
        wanted = list(names)
        for start in range(0, len(wanted), _BATCH):
            found = self._outcomes_at([_outcome_file(name) for name in wanted[start : start + _BATCH]])
            yield from (entry for entry in found.values() if entry is not None)

    def all_outcomes(self) -> tuple[list[Entry], list[str]]:
        """Return every outcome, and the names of the objects that should be one and are damaged.

        Raises
        ------
        StoreError
            They can't be read.
        """
        files = sorted(map(_outcome_file, self.listed()))
        whole: list[Entry] = []
        damaged: list[str] = []
        for start in range(0, len(files), _BATCH):
            for file, entry in self._outcomes_at(files[start : start + _BATCH]).items():
                if entry is None:
                    damaged.append(file)
                else:
                    whole.append(entry)
        return whole, damaged

    def _outcomes_at(self, files: list[str]) -> dict[str, Entry | None]:
        """Return the outcomes in those objects that are there; None for one that is damaged."""
        found = self.read_many(files)
        by_end = {file.rpartition("/")[2]: file for file in files}
        return {by_end[path.rpartition("/")[2]]: entry_in(text, path) for path, text in found.items()}

    def listed(self) -> set[str]:
        """Return the `hashed_id` of every session that has an outcome: one request per 1,000.

        Raises
        ------
        StoreError
            The place can't be listed.
        """
        return {name.removesuffix(".json") for name in self.names("outcomes") if name.endswith(".json")}

    def names(self, folder: str) -> list[str]:
        """Return the names of all objects in a folder and below, without what leads to them.

        Raises
        ------
        StoreError
            The place can't be listed.
        """
        with self._looking() as (fs, root), contextlib.suppress(FileNotFoundError):
            found = [path.rpartition("/")[2] for path in fs.find(f"{root}/{folder}")]
            return [name for name in found if not name.startswith(".")]  # a file that is arriving
        return []

    def sound_of(self, session_id: str) -> list[str]:
        """Return all sound of a session, also what no outcome names because a process was killed before.

        Raises
        ------
        StoreError
            The place can't be listed.
        """
        name = hashed_id(session_id)
        with self._looking() as (fs, root), contextlib.suppress(FileNotFoundError):
            found = fs.glob(f"{root}/audio/{name[:2]}/{name[:40]}-*")
            return [f"audio/{name[:2]}/{path.rpartition('/')[2]}" for path in found]
        return []

    def sizes(self) -> dict[str, int]:
        """Return name and size in bytes of all sound: one request per 1,000.

        Raises
        ------
        StoreError
            The place can't be listed.
        """
        with self._looking() as (fs, root), contextlib.suppress(FileNotFoundError):
            found = fs.find(f"{root}/audio", detail=True)
            names = {path: "/".join(path.split("/")[-3:]) for path in found if "/." not in path[len(root) :]}
            return {name: int(found[path]["size"]) for path, name in names.items()}
        return {}

    def size_of(self, file: str) -> int | None:
        """Return the size of an object in bytes, or None where there is none.

        Raises
        ------
        StoreError
            The place can't be read.
        """
        with self._looking() as (fs, root), contextlib.suppress(FileNotFoundError):
            return int(fs.info(f"{root}/{file}")["size"])
        return None

    def checksum(self, file: str) -> str:
        """Return the SHA-256 of an object's bytes, hexadecimal; it is read in pieces.

        Raises
        ------
        FileNotFoundError
            There is none.
        StoreError
            It can't be read.
        """
        with bucket_errors(self.url):
            fs, root = self._opened()
            with fs.open(f"{root}/{file}", "rb") as opened:
                digest = hashlib.sha256()
                while piece := opened.read(_PIECE_BYTES):
                    digest.update(piece)
                return digest.hexdigest()

    def recovered(self, session_id: str) -> Entry | None:
        """Return an entry of whole sound of the session that lies here without an outcome that names it, if any.

        The name of sound holds a part of its checksum, so that what is cut short or changed is known without an
        outcome.

        Raises
        ------
        StoreError
            The place can't be read.
        """
        for file in self.sound_of(session_id):
            with contextlib.suppress(FileNotFoundError, DecodeError):
                data = self.read(file)
                recording = Recording.from_bytes(data, session_id=session_id)
                entry = Entry.of_sound(session_id, recording, hashlib.sha256(data).hexdigest(), at=time.time())
                if entry.file == file:
                    return entry
        return None

    def head(self) -> dict[str, str] | None:
        """Return what the store says of itself, or None where there is no store yet.

        Raises
        ------
        StoreError
            Another version of this package wrote it, or it can't be read.
        """
        try:
            text = self.read(_HEAD)
        except FileNotFoundError:
            return None
        try:
            head = dict(json.loads(text))
        except (ValueError, TypeError, RecursionError):
            head = {"version": VERSION}
        if head.get("version") != VERSION:
            raise StoreError(
                f"the store {redact(self.url)} is of version {head.get('version')}, this package reads version "
                f"{VERSION}: update kataven-notebook, or use another place"
            )
        if not {"account", "id"} <= head.keys():
            raise StoreError(
                f"{redact(self.url)}/{_HEAD} is damaged, the sound is still there: restore that file, or use another "
                "place"
            )
        return {key: str(value) for key, value in head.items()}

    def write_head(self, account: str, *, store_id: str | None = None) -> dict[str, str]:
        """Write whose store it is; the first writer gives it an id.

        Raises
        ------
        StoreError
            It can't be written.
        """
        head = {"version": VERSION, "account": account, "id": store_id or uuid.uuid4().hex}
        self.write(_HEAD, json.dumps(head).encode())
        return {key: str(value) for key, value in head.items()}

    def read(self, file: str) -> bytes:
        """Return an object's bytes.

        Raises
        ------
        FileNotFoundError
            There is none.
        StoreError
            It can't be read.
        """
        with bucket_errors(self.url):
            fs, root = self._opened()
            data: bytes = fs.cat_file(f"{root}/{file}")
            return data

    def write(self, file: str, data: bytes) -> None:
        """Write an object; object storage shows it whole or not at all.

        Raises
        ------
        StoreError
            It can't be written.
        """
        with bucket_errors(self.url, may_be_missing=False):
            fs, root = self._opened()
            path = f"{root}/{file}"
            if not _is_flat(fs):
                fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            if not _protocols(fs) & {"file", "local"}:
                fs.pipe_file(path, data)
                return
            # A file is there as soon as it is opened for writing.
            arriving = Path(path).with_name(f".{uuid.uuid4().hex}.part")
            try:
                arriving.write_bytes(data)
                arriving.replace(path)
            finally:
                arriving.unlink(missing_ok=True)

    def remove(self, files: Iterable[str]) -> None:
        """Delete objects; those that are not there are passed over.

        Raises
        ------
        StoreError
            One of them can't be deleted.
        """
        with bucket_errors(self.url):
            fs, root = self._opened()
            for file in files:
                with contextlib.suppress(FileNotFoundError):
                    fs.rm_file(f"{root}/{file}")
            fs.invalidate_cache()

    def __repr__(self) -> str:
        """Where it is; never a password, which URLs of some kinds hold."""
        return f"ObjectFolder(url={redact(self.url)!r})"

    def read_many(self, files: list[str]) -> dict[str, bytes]:
        """Return the bytes of those objects that are there, by their full paths.

        Raises
        ------
        StoreError
            One of them can't be read.
        """
        with bucket_errors(self.url):
            fs, root = self._opened()
            found = fs.cat([f"{root}/{file}" for file in files], on_error="return") if files else {}
            for value in found.values():
                if isinstance(value, Exception) and not isinstance(value, FileNotFoundError):
                    raise value
        return {path: value for path, value in found.items() if isinstance(value, bytes)}

    @contextlib.contextmanager
    def _looking(self) -> Iterator[tuple[Any, str]]:
        """Yield fsspec's file system and the place in it, without what it remembers of earlier looks."""
        with bucket_errors(self.url):
            fs, root = self._opened()
            fs.invalidate_cache()
            yield fs, root

    def _opened(self) -> tuple[Any, str]:
        import fsspec  # noqa: PLC0415 - not needed for stores in folders

        # fsspec keeps one instance a process, with its connections.
        try:
            fs, root = fsspec.url_to_fs(self.url)
        except ImportError as error:
            scheme = self.url.partition("://")[0]
            if scheme in ("s3", "s3a"):
                raise MissingExtra.of("s3", f"a store on {scheme}://") from None
            raise MissingExtra(f"a store on {scheme}:// needs another package: {error}") from None
        except ValueError as error:
            raise ConfigurationError(f"store={redact(self.url)!r} can't be opened: {redact(str(error))}") from None
        if set(root) & set("*?["):
            raise ConfigurationError(
                f"store={redact(self.url)!r}: fsspec takes *, ? and [ for patterns; use a place without them"
            )
        # Held for good: in a forked child fsspec lets go of its parent's, whose end would close connections that
        # both share, under the parent's feet.
        _HELD[id(fs)] = fs
        return fs, str(root).rstrip("/")


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """The sound of a recording that lies in object storage: read when asked, not kept."""

    folder: ObjectFolder
    file: str
    size_bytes: int

    def read(self) -> bytes:
        """Return the encoded bytes.

        Raises
        ------
        StoreError
            The object is gone, another one, or can't be read.
        """
        try:
            data = self.folder.read(self.file)
        except FileNotFoundError:
            raise StoreError(
                f"the sound is gone from the store {redact(self.folder.url)}: pass refresh=True to fetch it again"
            ) from None
        if len(data) != self.size_bytes:
            raise StoreError(
                f"the store {redact(self.folder.url)} holds {len(data):,} bytes where it noted {self.size_bytes:,}: "
                "pass refresh=True to fetch the sound again"
            )
        return data


def _outcome_file(name: str) -> str:
    return f"outcomes/{name[:2]}/{name}.json"


def outcome_file(session_id: str) -> str:
    """Return where a session's outcome lies."""
    return _outcome_file(hashed_id(session_id))


def _is_flat(fs: Any) -> bool:
    """Whether keys need no folders made before them."""
    return not {"file", "local", "memory", "sftp", "ssh", "smb", "hdfs"} & _protocols(fs)


def _protocols(fs: Any) -> set[str]:
    return {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
