"""What a worker of an executor does with one session: fetch, decode, call; it never raises.

A worker is another thread, process or machine. It gets a signed URL, which opens one recording for
some minutes, and never the API key.
"""

from __future__ import annotations

import atexit
import functools
import os
import signal
import threading
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cloudpickle

from kataven_notebook.errors import KatavenError, SessionError, StoreError
from kataven_notebook.machine.cores import keep_to_one_core
from kataven_notebook.run.invoke import call, failure_text
from kataven_notebook.service.download import Downloader, Transfer
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.service.answers import SignedUrl
    from kataven_notebook.store.ledger import Entry
    from kataven_notebook.store.objects import ObjectFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """How a worker downloads: the bounds of a run's plan, and where the sound is kept.

    Parameters
    ----------
    request_timeout_s, total_timeout_s, max_bytes, verify_full
        As in `Plan`.
    folder
        The object storage that keeps the sound, or None to drop it after the call.
    """

    request_timeout_s: float
    total_timeout_s: float
    max_bytes: int
    verify_full: bool
    folder: ObjectFolder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One session for a worker; its repr, which schedulers log, shows neither URL nor function.

    Parameters
    ----------
    session_id
        Whose sound it is.
    function
        What is called: itself within a process, else as cloudpickle made it.
    recording
        The sound, where it is here already.
    signed
        Where to fetch it from, otherwise.
    fetching
        How.
    fn_timeout_s
        After how many seconds a call is left behind.
    home_pid
        The process that gave the job out.
    """

    session_id: str | None
    function: bytes | Callable[[Recording], Any] = field(repr=False)
    recording: Recording | None = None
    signed: SignedUrl | None = None
    fetching: Fetching = field(repr=False)
    fn_timeout_s: float | None = None
    home_pid: int = field(default_factory=os.getpid, repr=False)

    @property
    def is_home(self) -> bool:
        """Whether it runs in the process that gave it out."""
        return not isinstance(self.function, bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a worker says of one session: small, and sure to be picklable.

    Parameters
    ----------
    value
        What the function returned, packed where it crosses processes.
    error
        Why the function returned nothing, in one sentence.
    exception
        What it raised, packed where it crosses processes.
    failure
        Why there was no sound.
    entry
        What the object storage was told.
    timed_out
        Whether a call was left behind, still running.
    """

    value: Any = field(default=None, repr=False)
    error: str | None = None
    exception: Any = field(default=None, repr=False)
    failure: SessionError | None = None
    entry: Entry | None = None
    timed_out: bool = False


def run_job(job: Job) -> Report:
    """Fetch the sound if need be, call the function on it, and report."""
    if os.getpid() != job.home_pid:
        _ignore_interrupts()
        _keep_to_one_core(os.getpid())
    entry = None
    try:
        if job.recording is None:
            recording, entry = _fetched(job)
        else:
            _check_readable(job.recording)
            recording = job.recording.near()
    except SessionError as error:
        return Report(failure=error)
    except (KatavenError, OSError) as error:
        return Report(error=str(error), exception=_packed(error, job))
    try:
        fn = job.function if not isinstance(job.function, bytes) else _unpacked(job.function)
    except Exception as error:  # noqa: BLE001 - whatever the worker's installation lacks
        text = f"the function can't be loaded in the worker: {type(error).__name__}: {error}; install what it needs"
        return Report(error=text, exception=_packed(error, job), entry=entry)
    called = call(fn, recording, timeout_s=job.fn_timeout_s)
    try:
        value = called.value if job.is_home else cloudpickle.dumps(called.value)
    except Exception as error:  # noqa: BLE001 - a value can refuse to be pickled in any way
        text = f"what the function returned can't be sent back: {failure_text(error, fn)}"
        return Report(error=text, exception=_packed(error, job), entry=entry)
    exception = None if called.exception is None else _packed(called.exception, job)
    return Report(value=value, error=called.error, exception=exception, entry=entry, timed_out=called.timed_out)


def _fetched(job: Job) -> tuple[Recording, Entry | None]:
    assert job.signed is not None  # noqa: S101 - a job has either sound or a URL
    fetching = job.fetching
    transfer = Transfer()
    _downloader(os.getpid(), fetching).fetch(job.signed, transfer, session_id=job.session_id)
    recording = Recording.from_bytes(transfer.content(), session_id=job.session_id)
    recording.verify(full=fetching.verify_full)
    if fetching.folder is None:
        return recording, None
    return recording, fetching.folder.deposit(job.session_id or "", recording, transfer.sha256)


@functools.lru_cache(maxsize=4)
def _downloader(_pid: int, fetching: Fetching) -> Downloader:
    # One for all jobs of a process: connections to the storage are used again. A fork makes its own.
    downloader = Downloader(
        timeout_s=fetching.request_timeout_s,
        max_bytes=fetching.max_bytes,
        total_timeout_s=fetching.total_timeout_s,
    )
    atexit.register(downloader.close)
    return downloader


@functools.lru_cache(maxsize=8)
def _unpacked(function: bytes) -> Callable[[Recording], Any]:
    # The same function object for all jobs of a process: what it caches, such as a model, stays.
    unpacked: Callable[[Recording], Any] = cloudpickle.loads(function)
    return unpacked


def _packed(error: BaseException, job: Job) -> Any:
    """Make an exception fit to travel, with its traceback as a note."""
    if job.is_home:
        return error
    error.add_note("".join(traceback.format_exception(error)))
    try:
        packed = cloudpickle.dumps(error)
        cloudpickle.loads(packed)
    except Exception:  # noqa: BLE001 - exceptions of extension modules may not survive pickling
        return cloudpickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return packed


def _check_readable(recording: Recording) -> None:
    path = recording.path
    if path is not None and not path.is_file():
        raise StoreError(
            f"the worker has no file {path}: it runs on another machine than the store; keep the sound where both can "
            'read it, such as store="s3://bucket/calls"'
        )


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the notebook's process: a terminal sends it to all."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@functools.cache
def _keep_to_one_core(_pid: int) -> None:
    """Let this process's linear algebra use one core, once: the other cores have workers of their own."""
    keep_to_one_core()
