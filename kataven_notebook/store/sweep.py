"""Goes through many recordings of a store in threads: with a progress bar, and stopped at once."""

from __future__ import annotations

import itertools
import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Self, TypeVar

from kataven_notebook.notices import is_watched

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    Item = TypeVar("Item")
    Found = TypeVar("Found")

log = logging.getLogger("kataven_notebook")
# Reading and hashing release Python's lock; a bucket is mostly waited for.
THREADS = 8
# How often a sweep without a bar writes a line into the log.
_LOG_EVERY_S = 10.0
_POLL_S = 0.2


def sweep(
    function: Callable[[Item], Found], items: Sequence[Item], *, label: str, progress: bool | None
) -> Generator[tuple[Item, Found]]:
    """Yield each item and what `function` returns of it, as they are ready.

    What is under way when the caller stops ends by itself; nothing more is begun.

    Parameters
    ----------
    function
        Called in several threads at once.
    items
        What it is called with.
    label, progress
        For the progress bar; None shows it in notebooks and terminals.

    Yields
    ------
    tuple
        The item, and its result.

    Raises
    ------
    Exception
        What `function` raises first.
    """
    if not items:
        return
    pool = ThreadPoolExecutor(min(THREADS, len(items)), thread_name_prefix="kataven-store")
    todo = iter(items)
    running: dict[Future[Found], Item] = {}

    def begin(count: int) -> None:
        running.update((pool.submit(function, each), each) for each in itertools.islice(todo, count))

    try:
        with _Shown(len(items), label, show=progress) as shown:
            begin(2 * THREADS)
            while running:
                for future in wait(running, timeout=_POLL_S, return_when=FIRST_COMPLETED).done:
                    item = running.pop(future)
                    found = future.result()
                    begin(1)
                    shown.count()
                    yield item, found
    finally:
        pool.shutdown(wait=not running, cancel_futures=True)


class _Shown:
    """A bar, or lines in the log where there is none."""

    def __init__(self, total: int, label: str, *, show: bool | None) -> None:
        self._total, self._label, self._done = total, label, 0
        self._logged_at = time.monotonic()
        self._bar: Any = None
        if is_watched() if show is None else show:
            from tqdm.auto import tqdm  # noqa: PLC0415 - imports widgets, and only where it is seen

            self._bar = tqdm(total=total, desc=label, unit="call", dynamic_ncols=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def count(self) -> None:
        self._done += 1
        if self._bar is not None:
            self._bar.update(1)
        elif time.monotonic() - self._logged_at > _LOG_EVERY_S:
            self._logged_at = time.monotonic()
            log.info("%s: %s of %s", self._label, f"{self._done:,}", f"{self._total:,}")
