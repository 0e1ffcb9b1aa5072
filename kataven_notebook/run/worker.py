"""What a worker of an executor does with one session: download, decode, call the function.

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
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import cloudpickle

from kataven_notebook.errors import KatavenError, SessionError, StoreError
from kataven_notebook.machine.cores import keep_to_one_core
from kataven_notebook.machine.parent import ending_with, was_made_by
from kataven_notebook.run.invoke import Result, failure_text, invoke
from kataven_notebook.service.download import Downloader
from kataven_notebook.service.transfer import Transfer
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kataven_notebook.service.answers import SignedUrl
    from kataven_notebook.store.entry import Entry
    from kataven_notebook.store.objects import ObjectFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """How a worker downloads: the limits of a run's plan, and where the sound is kept.

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
        The session that the sound is of.
    function
        The function to call; packed as bytes where the job crosses processes.
    recording
        The sound, where the notebook has it.
    signed
        The URL to download it from, otherwise.
    row
        What the function takes as its argument `row`; None where it takes the recording alone.
    fetching
        How to download it.
    fn_timeout_s
        After how many seconds to return without a value; the function runs on.
    home_pid
        The process that made the job.
    ends_with_home
        Whether the worker's process ends when the process that made both it and the job is gone.
    """

    session_id: str | None
    function: bytes | Callable[[Recording], Any] = field(repr=False)
    recording: Recording | None = None
    signed: SignedUrl | None = None
    row: Mapping[str, Any] | None = field(default=None, repr=False)
    fetching: Fetching = field(repr=False)
    fn_timeout_s: float | None = None
    home_pid: int = field(default_factory=os.getpid, repr=False)
    ends_with_home: bool = field(default=False, repr=False)

    @property
    def is_home(self) -> bool:
        """Whether it runs in the process that made it."""
        return not isinstance(self.function, bytes)


def run_job(job: Job) -> Result:
    """Download the sound if need be and call the function on it; every error is in the result."""
    if os.getpid() == job.home_pid:
        return _done(job)
    _ignore_interrupts()
    _keep_to_one_core(os.getpid())
    if not (job.ends_with_home and was_made_by(job.home_pid)):
        return _done(job)
    with ending_with(job.home_pid):
        return _done(job)


def _done(job: Job) -> Result:
    entry = None
    try:
        if job.recording is None:
            recording, entry = _fetched(job)
        else:
            _check_readable(job.recording)
            recording = job.recording.near()
    except SessionError as error:
        return Result(failure=error)
    except (KatavenError, OSError) as error:
        return Result(error=str(error), exception=_packed(error, job))
    return replace(_invoked(job, recording), entry=entry)


def _invoked(job: Job, recording: Recording) -> Result:
    try:
        fn: Callable[..., Any] = job.function if not isinstance(job.function, bytes) else _unpacked(job.function)
    except Exception as error:  # noqa: BLE001 - whatever the worker's installation lacks
        text = f"the function can't be loaded in the worker: {type(error).__name__}: {error}; install what it needs"
        return Result(error=text, exception=_packed(error, job))
    if job.row is not None:
        fn = functools.partial(fn, row=job.row)
    result = invoke(fn, recording, timeout_s=job.fn_timeout_s)
    if job.is_home:
        return result
    try:
        value = cloudpickle.dumps(result.value)
    except Exception as error:  # noqa: BLE001 - a value can refuse to be pickled in any way
        text = f"what the function returned can't be sent back: {failure_text(error, fn)}"
        return Result(error=text, exception=_packed(error, job))
    exception = None if result.exception is None else _packed(result.exception, job)
    return replace(result, value=value, exception=exception)


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
    # One for all jobs of a process, so that connections to the storage are used again. A forked process makes its own.
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
    """Return an exception as bytes, with its traceback as a note; as it is where the job stays in its process."""
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
    """Leave Ctrl-C, which a terminal sends to all processes, to the notebook's."""
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@functools.cache
def _keep_to_one_core(_pid: int) -> None:
    """Let this process's linear algebra use one core, once: the other cores have workers of their own."""
    keep_to_one_core()
