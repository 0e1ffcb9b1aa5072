"""What the API and the storage share: sessions, clock, options, faults, counts."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from kataven_notebook.demo._accounts import Accounts
from kataven_notebook.demo._faults import Faults
from kataven_notebook.demo._log import RequestLog
from kataven_notebook.demo._sigv4 import Credentials, presign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kataven_notebook.demo._limits import Limiter

BUCKET = "kataven-demo-recordings"
State = Literal["ready", "missing", "pending"]
ExpiryField = Literal["expires_at", "expires_at_epoch", "expires_in"]


@dataclass
class StoredSession:
    """One session of the hub and the bytes of its recording, if there is one."""

    session_id: str
    data: bytes = b""
    content_type: str = "audio/wav"
    state: State = "ready"
    details: Mapping[str, object] = field(default_factory=dict)
    etag: str = ""
    path: Path | None = None

    def __post_init__(self) -> None:
        if not self.etag and self.path is None:
            self.etag = _etag(self.data)

    def content(self) -> tuple[bytes, str]:
        """Give the recording's bytes and their ETag; of a file of the user's as it is now.

        Raises
        ------
        OSError
            The file is gone.
        """
        if self.path is None:
            return self.data, self.etag
        data = self.path.read_bytes()
        return data, _etag(data)


# Thousands of sessions of a benchmark share the same bytes: hashing them once is enough.
_etags: dict[int, tuple[bytes, str]] = {}


def _etag(data: bytes) -> str:
    known = _etags.get(id(data))
    if known is not None and known[0] is data:
        return known[1]
    etag = f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
    if len(_etags) > 16:
        _etags.clear()
    _etags[id(data)] = (data, etag)
    return etag


@dataclass
class Options:
    """How the service behaves; every field may be changed while it runs.

    Attributes
    ----------
    url_life_s
        Life of a presigned URL in whole seconds, from 1; the service's own is 300.
    api_latency_s, storage_latency_s
        Added to every answer.
    clock_offset_s
        How far the clock of both servers is ahead of this machine's (behind where negative): it dates the
        answers, signs the URLs and decides what has expired.
    url_field
        Name of the field that holds the URL in the body of a 200.
    nested
        Whether that field is under ``data``.
    expiry_field
        A further field that says when the URL expires: ``"expires_at"`` (ISO 8601), ``"expires_at_epoch"``
        (the same name, in seconds), ``"expires_in"`` (seconds), or None for none.
    limit_text
        Body of a 429, with ``{limit}`` and ``{allowed}`` filled in.
    retry_after
        Its ``Retry-After``, with ``{seconds}`` and ``{date}`` filled in; None for none.
    cors
        Whether the storage lets pages of other origins read.
    signer
        A function from session id to URL which takes the place of the demo storage.
    """

    url_life_s: float = 300.0
    api_latency_s: float = 0.0
    storage_latency_s: float = 0.0
    clock_offset_s: float = 0.0
    url_field: str = "url"
    nested: bool = False
    expiry_field: ExpiryField | None = None
    limit_text: str = "rate_limited: {limit} ({allowed}) exceeded\n"
    retry_after: str | None = "{seconds}"
    cors: bool = False
    signer: Callable[[str], str] | None = None


@dataclass
class World:
    """The state of one running hub."""

    options: Options
    limiter: Limiter
    accounts: Accounts = field(default_factory=Accounts)
    faults: Faults = field(default_factory=Faults)
    log: RequestLog = field(default_factory=RequestLog)
    credentials: Credentials = field(default_factory=lambda: Credentials("DEMOACCESSKEY", "demo-secret"))
    sessions: dict[str, StoredSession] = field(default_factory=dict)
    storage_port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def now(self) -> datetime:
        """Give the service's clock, aware, offset included."""
        return datetime.fromtimestamp(time.time() + self.options.clock_offset_s, UTC)

    def http_date(self) -> str:
        """Give the service's clock as a ``Date`` header."""
        return format_datetime(self.now(), usegmt=True)

    def object_url(self, session_id: str, host: str = "127.0.0.1") -> str:
        """Give the address of a session's recording on the demo storage, without a signature."""
        return f"http://{host}:{self.storage_port}/{BUCKET}/{quote(object_key(session_id))}"

    def sign(self, session_id: str, *, life_s: float | None = None, host: str = "127.0.0.1") -> str:
        """Give a presigned URL for a session's recording."""
        if self.options.signer is not None:
            return self.options.signer(session_id)
        life_s = self.options.url_life_s if life_s is None else life_s
        url = self.object_url(session_id, host)
        return presign(url, self.credentials, now=self.now(), expires_s=max(1, round(life_s)))


def object_key(session_id: str) -> str:
    """Give the object's key: it says nothing of the format, as in the service."""
    return f"recordings/{session_id}"
