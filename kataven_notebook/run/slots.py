"""The slots of an executor: how many sessions are under way for it, and which of its jobs may run beside others."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL_S = 0.2


class Slots:
    """Limits what is under way for an executor's workers.

    A *session* is under way from before its URL is signed until its result is here; a *job* is the part of it
    that the executor has.

    Parameters
    ----------
    workers
        How many jobs the executor runs at once.
    sessions
        How many sessions may be under way. More than `workers` keeps the next job ready, while its URL
        ages in the executor's queue.
    """

    def __init__(self, *, workers: int, sessions: int) -> None:
        self._workers = workers
        self._max_sessions = sessions
        self._changed = threading.Condition()
        self._sessions = 0
        self._jobs = 0
        # Threads that run a job alone, or wait to.
        self._alone = 0
        # Workers that are kept free for a job that comes soon.
        self._reserved = 0
        self._mine = threading.local()

    @contextmanager
    def session(self, stop: threading.Event) -> Iterator[None]:
        """Wait until one more session may be under way, and count it.

        Raises
        ------
        Stopped
            `stop` was set.
        """
        with self._changed:
            while self._sessions >= self._max_sessions:
                self._wait(stop)
            self._sessions += 1
        try:
            yield
        finally:
            with self._changed:
                self._sessions -= 1
                self._give_up_reserved()
                self._changed.notify_all()

    def queue_nothing(self) -> None:
        """Let no more sessions be under way than there are workers: calls are so slow that URLs expire in the queue."""
        with self._changed:
            self._max_sessions = min(self._max_sessions, self._workers)

    def reserve(self, stop: threading.Event) -> None:
        """Wait for a free worker, and keep it free for this thread until its next job or the end of its session.

        Raises
        ------
        Stopped
            `stop` was set.
        """
        with self._changed:
            while self._jobs + self._reserved >= self._workers:
                self._wait(stop)
            self._reserved += 1
            self._mine.has_reserved = True

    @contextmanager
    def job(self, *, alone: bool, stop: threading.Event) -> Iterator[None]:
        """Wait until a job may run, and count it; with `alone` no other job of this run runs meanwhile.

        Raises
        ------
        Stopped
            `stop` was set.
        """
        with self._changed:
            self._alone += alone
        try:
            self._enter(alone=alone, stop=stop)
            try:
                yield
            finally:
                with self._changed:
                    self._jobs -= 1
        finally:
            with self._changed:
                self._alone -= alone
                self._changed.notify_all()

    def _enter(self, *, alone: bool, stop: threading.Event) -> None:
        with self._changed:
            while self._jobs > 0 if alone else self._alone > 0:
                self._wait(stop)
            self._give_up_reserved()
            self._jobs += 1

    def _give_up_reserved(self) -> None:
        if getattr(self._mine, "has_reserved", False):
            self._reserved -= 1
            self._mine.has_reserved = False

    def _wait(self, stop: threading.Event) -> None:
        self._changed.wait(_POLL_S)
        if stop.is_set():
            raise Stopped
