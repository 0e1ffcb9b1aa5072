"""`Hub`: a running demo service and the handles to it."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kataven_notebook.demo._limits import Limiter
from kataven_notebook.demo._sample import sample_sessions, true_speech
from kataven_notebook.demo._server import ServerThread, listen
from kataven_notebook.demo._service import api_app
from kataven_notebook.demo._storage import storage_app
from kataven_notebook.demo._world import Options, State, StoredSession, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from kataven_notebook.demo._accounts import Accounts
    from kataven_notebook.demo._faults import Faults
    from kataven_notebook.demo._log import RequestLog
    from kataven_notebook.settings import Limits, Settings

ACCOUNT = "demo"


class Hub:
    """A running demo Hub; `kataven_notebook.demo.hub` makes one and says what the parameters are.

    Attributes
    ----------
    account, api_key
        Who may ask; the key is new with each hub.
    base_url
        Of the API, ``http://127.0.0.1:PORT/v1``; the same routes are under ``/api/v1`` and ``/hub-api``.
    storage_url
        Of the object storage, which is another origin.
    requests
        What was asked: `RequestLog`.
    faults
        What is to go wrong: `Faults`.
    options
        How the service behaves: `Options`, whose fields may be changed at any time.
    limiter
        Counts requests: `Limiter`; ``limiter.limits`` may be replaced.
    accounts
        Who is known: `Accounts`.
    notes
        A sentence for each file of a folder of calls that is not served, or is no sound; else empty.
    settings
        A `kataven_notebook.Settings` for this hub, with a private state directory that goes with it.

    Raises
    ------
    ValueError
        When a life is under a second, a fault is not known, or ``calls`` is of no use.
    OSError
        When a port is taken, or a folder of calls can't be read.

    Examples
    --------
    >>> from kataven_notebook import demo
    >>> with demo.hub(sessions={}) as hub:
    ...     hub.add("call-1", b"not audio", content_type="text/plain")
    ...     hub.faults.add("call-1", "storage:reset_middle", times=1)
    ...     hub.requests.count()
    0
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        sessions: Mapping[str, bytes] | None = None,
        calls: int | str | os.PathLike[str] | None = None,
        faults: Mapping[str, str] | None = None,
        port: int = 0,
        storage_port: int = 0,
        **options: Any,
    ) -> None:
        # Settings and Limits are all that the hub takes from the package, and only here.
        from kataven_notebook.settings import Limits, Settings  # noqa: PLC0415 - see above

        limits = Limits() if limits is None else limits
        self._world = World(Options(**options), Limiter(limits))
        if self.options.url_life_s < 1:
            raise ValueError(f"url_life_s={self.options.url_life_s}: S3 counts lives in whole seconds, from 1.")
        self.account = ACCOUNT
        self.api_key = self.accounts.add(ACCOUNT)
        self._truth: dict[str, dict[str, Any]] = {}
        self.notes: list[str] = []
        self._fill(sessions, calls)
        for session_id, name in (faults or {}).items():
            self.faults.add(session_id, name)
        api_port = self._listen(port, storage_port)
        self.base_url = f"http://127.0.0.1:{api_port}/v1"
        self.storage_url = f"http://127.0.0.1:{self._world.storage_port}"
        self._state_dir = Path(tempfile.mkdtemp(prefix="kataven-demo-"))
        # Also at the interpreter's end, for hubs that nobody closes. On Windows a database that is still
        # open can't be removed: then the system's own tidying will.
        self._remove_state = weakref.finalize(self, shutil.rmtree, self._state_dir, ignore_errors=True)
        self.settings: Settings = Settings(
            api_key=self.api_key, base_url=self.base_url, limits=limits, state_dir=self._state_dir
        )

    def _listen(self, port: int, storage_port: int) -> int:
        api = listen(port)
        try:
            storage = listen(storage_port)
        except OSError:
            api.close()
            raise
        self._world.storage_port = storage.getsockname()[1]
        api_port: int = api.getsockname()[1]
        self._server = ServerThread([(api, api_app(self._world)), (storage, storage_app(self._world))])
        self._server.start()
        return api_port

    def _fill(self, sessions: Mapping[str, bytes] | None, calls: int | str | os.PathLike[str] | None) -> None:
        if calls is not None:
            if sessions is not None:
                raise ValueError("sessions= and calls= both say what the hub serves: pass one of them.")
            self._fill_with_calls(calls)
        elif sessions is None:
            self._world.sessions.update(sample_sessions())
            self._truth = true_speech()
        else:
            for session_id, data in sessions.items():
                self.add(session_id, data)

    def _fill_with_calls(self, calls: int | str | os.PathLike[str]) -> None:
        # numpy and libsndfile are loaded where they are needed alone.
        if isinstance(calls, str | os.PathLike):
            from kataven_notebook.demo._own_files import own_sessions  # noqa: PLC0415 - see above

            sessions, self.notes = own_sessions(calls)
        else:
            from kataven_notebook.demo._study import MOST_CALLS, study_calls  # noqa: PLC0415 - see above

            if isinstance(calls, bool) or not hasattr(calls, "__index__") or not 1 <= calls <= MOST_CALLS:
                raise ValueError(f"calls={calls!r}: pass a number from 1 to {MOST_CALLS:,}, or a folder.")
            sessions, self._truth = study_calls(int(calls))
        self._world.sessions.update(sessions)

    @property
    def accounts(self) -> Accounts:
        """Who is known: `Accounts`."""
        return self._world.accounts

    @property
    def faults(self) -> Faults:
        """What is to go wrong: `Faults`."""
        return self._world.faults

    @property
    def limiter(self) -> Limiter:
        """Counts requests: `Limiter`."""
        return self._world.limiter

    @property
    def options(self) -> Options:
        """How the service behaves: `Options`."""
        return self._world.options

    @property
    def requests(self) -> RequestLog:
        """What was asked: `RequestLog`."""
        return self._world.log

    @property
    def sessions(self) -> pd.DataFrame:
        """A new frame of all sessions, one a row.

        Columns: ``session_id``, ``agent``, ``agent_version``, ``outcome`` (string) and ``started_at``
        (datetime64, UTC); missing where a session was added without them. With ``calls=60`` also ``prompt`` and
        ``caller_id``, with a folder what its CSV has (all string, and ``started_at`` too where it holds no times).
        """
        import pandas as pd  # noqa: PLC0415 - a hub that runs on its own needs no pandas

        rows = self.rows()
        own = ["session_id", "agent", "agent_version", "started_at", "outcome"]
        frame = pd.DataFrame(rows, columns=list(dict.fromkeys([*own, *(name for row in rows for name in row)])))
        texts = [name for name in frame.columns if name != "started_at"]
        try:
            frame["started_at"] = pd.to_datetime(frame["started_at"], utc=True).astype("datetime64[us, UTC]")
        except ValueError:
            texts.append("started_at")
        return frame.astype(dict.fromkeys(texts, "string"))

    def rows(self) -> list[dict[str, Any]]:
        """Give what is known of each session, in order: ``session_id`` and its details."""
        return [{"session_id": session.session_id, **session.details} for session in self._stored()]

    @property
    def truth(self) -> dict[str, dict[str, Any]]:
        """When each party really speaks, by session id, for the sample calls and those of a study.

        Each is ``{"sample_rate", "duration_s", "channels": [role or "mixed", ...], "turns": [{"role",
        "channel", "kind", "segments": [[start_s, end_s], ...]}, ...]}``; pauses of 0.1 s and more inside a
        turn are left out of its segments.
        """
        return self._truth

    def add(
        self,
        session_id: str,
        data: bytes = b"",
        *,
        content_type: str = "audio/wav",
        state: State = "ready",
        **details: object,
    ) -> None:
        """Add a session, or replace one.

        Parameters
        ----------
        session_id
            Any id.
        data
            The recording's bytes, kept as they are: thousands of sessions may share them.
        content_type
            As storage says it.
        state
            ``"ready"`` (default), ``"missing"`` (404) or ``"pending"`` (409).
        **details
            Values for `sessions`: ``agent``, ``agent_version``, ``started_at``, ``outcome``.

        Raises
        ------
        TypeError
            When the data are no bytes.
        """
        if not isinstance(data, bytes):
            raise TypeError(f"session {session_id!r}: a recording is its file's bytes, not {type(data).__name__}.")
        self._world.sessions[session_id] = StoredSession(session_id, data, content_type, state, details)

    def remove(self, session_id: str) -> None:
        """Take a session away: the API answers 404, and storage to a URL that was signed before NoSuchKey."""
        self._world.sessions.pop(session_id, None)

    def data(self, session_id: str) -> bytes:
        """Give the bytes that storage holds for a session.

        Raises
        ------
        KeyError
            When the hub has no such session.
        OSError
            When its file is gone.
        """
        return self._world.sessions[session_id].content()[0]

    def sign(self, session_id: str, *, life_s: float | None = None) -> str:
        """Give a presigned URL without asking the API; its life is `Options.url_life_s` unless given."""
        return self._world.sign(session_id, life_s=life_s)

    def jwt(self, *, life_s: float = 3_600.0) -> str:
        """Make a JWT of an interactive session, good for any account that is sent with it."""
        return self.accounts.jwt(self._world.now().timestamp(), life_s)

    def spend(self, requests: int, *, account: str = ACCOUNT) -> None:
        """Use up that many requests of an account's limits, as somebody else on it would."""
        self.limiter.spend(account, requests)

    def close(self) -> None:
        """Stop serving, cut all connections and remove the state directory; harmless when repeated."""
        self._server.stop()
        self._remove_state()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Hub(base_url={self.base_url!r}, sessions={len(self._world.sessions)})"

    def _stored(self) -> list[StoredSession]:
        return list(self._world.sessions.values())
