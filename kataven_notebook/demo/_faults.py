"""Faults on demand: which request gets which, and how often."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kataven_notebook.demo import _fault_kinds  # noqa: F401 - enters its faults in the table
from kataven_notebook.demo._fault_table import KINDS, Context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kataven_notebook.demo._asgi import Answer, Responder

EVERY_SESSION = "*"


@dataclass
class Fault:
    """One fault that is due.

    Attributes
    ----------
    name
        ``"api:..."`` or ``"storage:..."``.
    times
        How many more requests get it; None for all.
    skip
        How many requests pass before the first that gets it.
    options
        What the kind allows.
    """

    name: str
    times: int | None = None
    skip: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, answer: Answer, context: Context) -> Responder:
        """Turn the answer that would have been given into the faulty one."""
        return KINDS[self.name.partition(":")[2]].build(self.options, answer, context)


def fault_names() -> list[str]:
    """List all names that `Faults.add` takes."""
    return sorted(f"{side}:{name}" for name, kind in KINDS.items() for side in kind.sides)


class Faults:
    """The faults of a running hub; may be changed from any thread at any time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[tuple[str, str], list[Fault]] = {}

    def add(
        self,
        session_ids: str | Iterable[str],
        name: str,
        *,
        times: int | None = None,
        skip: int = 0,
        **options: Any,
    ) -> None:
        """Add a fault.

        Faults of one session and side are taken in the order in which they were added: the first that still
        has `times` left is applied. Faults happen to requests that would have been answered: wrong
        credentials, a spent limit or a bad signature are answered as such and use up no fault.

        Parameters
        ----------
        session_ids
            One id, several (each gets a fault of its own), or ``"*"`` for whatever session asks (one fault
            whose requests are counted together).
        name
            Side and kind, as `fault_names` lists them: ``"storage:truncated"``.
        times
            How many requests get it; None (the default) for all.
        skip
            How many requests pass first.
        **options
            The kind's own, such as ``at_bytes`` or ``retry_after``.

        Raises
        ------
        ValueError
            When there is no fault of that name, or it has no such option; the message lists those there are.
        """
        side, _, short = name.partition(":")
        kind = KINDS.get(short)
        if kind is None or side not in kind.sides:
            raise ValueError(f"There is no fault {name!r}; there are {', '.join(fault_names())}.")
        unknown = sorted(set(options) - set(kind.options))
        if unknown:
            known = ", ".join(kind.options) or "none"
            raise ValueError(f"The fault {name!r} has no option {', '.join(unknown)}; its options: {known}.")
        ids = [session_ids] if isinstance(session_ids, str) else list(session_ids)
        with self._lock:
            for session_id in ids:
                fault = Fault(name, times, skip, {**kind.options, **options})
                self._due.setdefault((side, session_id), []).append(fault)

    def clear(self, session_id: str | None = None) -> None:
        """Take all faults away, or those of one session."""
        with self._lock:
            for key in [key for key in self._due if session_id in (None, key[1])]:
                del self._due[key]

    def take(self, side: str, session_id: str) -> Fault | None:
        """Give the fault that this request gets, and count it."""
        if not self._due:
            return None
        with self._lock:
            for key in ((side, session_id), (side, EVERY_SESSION)):
                for fault in self._due.get(key, ()):
                    if fault.skip > 0:
                        fault.skip -= 1
                        break
                    if fault.times is None:
                        return fault
                    if fault.times > 0:
                        fault.times -= 1
                        return fault
        return None
