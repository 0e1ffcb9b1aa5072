"""Results that last: what earlier runs found in recordings that lie in stores, and what this one finds."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from kataven_notebook.errors import StoreError
from kataven_notebook.notices import warn_caller
from kataven_notebook.run.invoke import Result
from kataven_notebook.store.opening import home_of
from kataven_notebook.store.results import checksum_in, place_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeVar

    from kataven_notebook.run.plan import Delegate, Outcome, Plan, Task, Work
    from kataven_notebook.service.answers import SignedUrl
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.folder import Store
    from kataven_notebook.store.results import Subject

    T = TypeVar("T")


class Keeper:
    """Finds the results of one subject in the stores that recordings lie in, and keeps new ones there.

    Where a store can't be read or written the work is done, and nothing is kept: a warning says so at the end.

    Parameters
    ----------
    subject
        What the results are of; None to find and keep nothing.
    encode
        Makes bytes of a value; what it raises ends the run.
    decode
        Makes the value of bytes; a `ValueError` means that it is to be made again.
    fits
        Whether a session may have a value that is there; False for one that is to be made again.
    """

    def __init__(
        self,
        subject: Subject | None,
        *,
        encode: Callable[[Any], bytes],
        decode: Callable[[bytes], Any],
        fits: Callable[[str, Any], bool] = lambda _session_id, _value: True,
    ) -> None:
        self._subject = subject
        self._encode = encode
        self._decode = decode
        self._fits = fits
        self._homes: dict[str, tuple[Store, str]] = {}
        self._failure: str | None = None
        self.others = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for store in self._by_store() if self._failure is None else ():
            self._tried(_flush, store)
        self._warn()

    def _warn(self) -> None:
        if self._failure is not None:
            warn_caller(f"results could not be kept, or read, so the next call makes them again: {self._failure}")

    def find(self, tasks: Mapping[int, Task]) -> dict[int, Any]:
        """Return the values that are there already, by position.

        `others` counts those of them that are there in another version only.
        """
        if self._subject is None:
            return {}
        for task in tasks.values():
            if task.recording is not None:
                self._settle(task.session_id, task.recording)
        found: dict[str, Any] = {}
        for store, places in self._by_store().items():
            there = self._values(store, places)
            found |= there
            lacking = places - there.keys()
            if lacking and self._subject.version:
                self.others += self._tried(_count_others, store, self._subject, lacking) or 0
        kept = {}
        for position, task in tasks.items():
            home = self._homes.get(task.session_id)
            if home is not None and home[1] in found and self._fits(task.session_id, found[home[1]]):
                kept[position] = found[home[1]]
        return kept

    def checksum(self, session_id: str) -> str:
        """Return the beginning of the checksum of a session's sound, hexadecimal; empty where it lies in no store."""
        home = self._homes.get(session_id)
        return "" if home is None else checksum_in(home[1])

    def applied_to(self, plan: Plan) -> Plan:
        """Return the plan with work whose results are kept."""
        if self._subject is None:
            return plan
        work, delegate = plan.work, plan.delegate
        return replace(
            plan,
            work=None if work is None else self._keeping(work),
            delegate=None if delegate is None else self._keeping_delegate(delegate, plan.store),
        )

    def find_more(self, name: str, session_ids: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept beside the values under another name, by session."""
        if self._subject is None:
            return {}
        found: dict[str, bytes] = {}
        wanted = {each: self._homes[each] for each in session_ids if each in self._homes}
        for store, places in self._by_store(wanted).items():
            found |= self._tried(_find, store, replace(self._subject, name=name), places) or {}
        return {session_id: found[place] for session_id, (_, place) in wanted.items() if place in found}

    def keep_more(self, name: str, values: Mapping[str, bytes]) -> None:
        """Keep beside the values what was made of them, by session, also when the run has ended."""
        if self._subject is None or self._failure is not None:
            return
        wanted = {each: self._homes[each] for each in values if each in self._homes}
        for store in self._by_store(wanted):
            of_store = {home[1]: values[each] for each, home in wanted.items() if home[0] is store}
            self._tried(_put, store, replace(self._subject, name=name), of_store)
            self._tried(_flush, store)
        self._warn()

    def _keeping(self, work: Work) -> Work:
        def kept(session_id: str, recording: Recording, stop: threading.Event) -> Result:
            home = self._homes.get(session_id)
            if home is None:
                # The sound has just come, and may be what was worked on before it was lost here.
                home = self._settle(session_id, recording)
                for value in [] if home is None else self._values(home[0], {home[1]}).values():
                    if self._fits(session_id, value):
                        return Result(value=value)
            result = work(session_id, recording, stop)
            if home is not None and result.error is None:
                self._keep(*home, result.value)
            return result

        return kept

    def _keeping_delegate(self, delegate: Delegate, store: Store | None) -> Delegate:
        def kept(session_id: str, signed: SignedUrl, stop: threading.Event) -> Outcome:
            outcome = delegate(session_id, signed, stop)
            if store is not None and outcome.file is not None and outcome.work_error is None:
                home = self._homes[session_id] = (store, place_of(outcome.file))
                self._keep(*home, outcome.value)
            return outcome

        return kept

    def _settle(self, session_id: str, recording: Recording) -> tuple[Store, str] | None:
        """Note and return where the results of a session's recording lie; None where it is in no store."""
        found = self._tried(home_of, recording)
        if found is None:
            return None
        home = self._homes[session_id] = (found[0], place_of(found[1]))
        return home

    def _by_store(self, homes: Mapping[str, tuple[Store, str]] | None = None) -> dict[Store, set[str]]:
        found: dict[Store, set[str]] = {}
        for store, place in list((self._homes if homes is None else homes).values()):
            found.setdefault(store, set()).add(place)
        return found

    def _keep(self, store: Store, place: str, value: Any) -> None:
        data = self._encode(value)
        if self._failure is None:
            self._tried(_put, store, self._subject, {place: data})

    def _values(self, store: Store, places: set[str]) -> dict[str, Any]:
        """Return the values that are in a store, by place; what can't be read is to be made again."""
        found = {}
        for place, data in (self._tried(_find, store, self._subject, places) or {}).items():
            with contextlib.suppress(ValueError):
                found[place] = self._decode(data)
        return found

    def _tried(self, do: Callable[..., T], *arguments: Any) -> T | None:
        """Return what `do` returns; where a store can't be used, None, and nothing more is kept."""
        try:
            return do(*arguments)
        except StoreError as error:
            self._failure = self._failure or str(error)
            return None


def _find(store: Store, subject: Subject, places: set[str]) -> dict[str, bytes]:
    return store.results.find(subject, places)


def _count_others(store: Store, subject: Subject, places: set[str]) -> int:
    return store.results.of_other_versions(subject, places)


def _put(store: Store, subject: Subject, values: Mapping[str, bytes]) -> None:
    store.results.put(subject, values)


def _flush(store: Store) -> None:
    store.results.flush()
