"""Whether a store's sound is what it was when it was stored: sizes, or every byte."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from kataven_notebook.errors import Interrupted, StoreError
from kataven_notebook.store.entry import hashed_id
from kataven_notebook.store.results import STEM_CHARS, place_of
from kataven_notebook.store.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

    from kataven_notebook.store.entry import Entry
    from kataven_notebook.store.files import Sounds
    from kataven_notebook.store.folder import Store

_AGAIN = "fetch the session again, which the next run does"
PROBLEMS = {
    "gone": _AGAIN,
    "wrong_size": _AGAIN,
    "wrong_checksum": _AGAIN,
    "unreadable": "find out why the file can't be read: permissions, or the disk",
    "damaged_outcome": _AGAIN,
    "unnamed_sound": "nothing: it is what a killed process left, or what was damaged before",
    "damaged_result": "nothing: it is removed, and the next call makes it again",
}
"""What can be wrong, and what is to be done then."""
DAMAGE = frozenset(PROBLEMS) - {"unnamed_sound", "damaged_result"}
# Up to here the size of each is asked for by name; above it a listing is cheaper.
_MOST_BY_NAME = 500
_NOTED = "the sound in the store was damaged ({problem}): call again to fetch it again"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a store."""

    session_id: str | None
    problem: str
    file: str | None
    recording_bytes: int | None = None
    found_bytes: int | None = None


def audit(store: Store, *, full: bool, progress: bool | None) -> pd.DataFrame:
    """Return what `Store.check` returns.

    Raises
    ------
    StoreError
        The store can't be read or written.
    Interrupted
        Somebody pressed stop; carries the report so far.
    """
    findings: list[Finding] = []
    checked = total = 0
    try:
        # Sound before outcomes: what is stored meanwhile has an outcome that names it.
        sizes = store.sounds.sizes()
        entries, damaged = store.all_outcomes()
        findings += [Finding(session_id, "damaged_outcome", file) for session_id, file in damaged]
        findings += _unnamed(store, sizes, entries, {file for _, file in damaged})
        with_sound = [entry for entry in entries if entry.file is not None]
        total = len(with_sound)
        with closing(_damages(store, with_sound, sizes, findings, full=full, progress=progress)) as looked:
            for _ in looked:
                checked += 1
        if full:
            findings += _damaged_results(store, entries)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted: {checked:,} of {total:,} recordings are checked; what was found is noted, and check() "
            "begins anew",
            frame=_report(findings, checked),
        ) from None
    report = _report(findings, checked)
    report.attrs["results"] = sum(store.results.counts().values())
    return report


def unsound(store: Store, entries: Sequence[Entry], *, progress: bool | None) -> set[str]:
    """Return which sessions' sound is not what was stored, by its checksum; this is noted.

    Raises
    ------
    StoreError
        The store can't be read or written.
    """
    named = [entry for entry in entries if entry.file is not None]
    findings: list[Finding] = []
    with closing(_damages(store, named, None, findings, full=True, progress=progress)) as looked:
        for _ in looked:
            pass
    return {str(finding.session_id) for finding in findings}


def of_other_size(sounds: Sounds, entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries whose sound is gone or has another size; where they are many, by one listing.

    Raises
    ------
    StoreError
        The place can't be read.
    """
    named = [entry for entry in entries if entry.file is not None]
    if len(named) > _MOST_BY_NAME:
        sizes = sounds.sizes()
        return [entry for entry in named if sizes.get(str(entry.file)) != entry.size_bytes]
    looked = sweep(lambda entry: sounds.size_of(str(entry.file)), named, label="Checking", progress=False)
    return [entry for entry, size in looked if size != entry.size_bytes]


def _damages(
    store: Store,
    entries: Sequence[Entry],
    sizes: dict[str, int] | None,
    findings: list[Finding],
    *,
    full: bool,
    progress: bool | None,
) -> Generator[None]:
    """Look at each entry's sound, and yield as often; what is wrong is noted and added to `findings` at once."""
    doubtful = []
    for entry in entries:
        if full or sizes is None or sizes.get(str(entry.file)) != entry.size_bytes:
            doubtful.append(entry)
        else:
            yield

    def look(entry: Entry) -> None:
        # In the thread that noted it: who interrupts the rest gets it all the same.
        finding = _look(store, entry, full=full)
        if finding is not None:
            findings.append(finding)

    looked = sweep(look, doubtful, label="Checking", progress=progress)
    before = len(findings)
    try:
        for _ in looked:
            yield
    finally:
        looked.close()
        if any(finding.problem != "unreadable" for finding in findings[before:]):
            store.tell_others()


def _look(store: Store, entry: Entry, *, full: bool) -> Finding | None:
    """Return what is wrong with an entry's sound, once that is noted."""
    file = str(entry.file)
    size = None
    try:
        size = store.sounds.size_of(file)
        problem = "gone" if size is None else "wrong_size" if size != entry.size_bytes else None
        if problem is None and full and entry.sha256 is not None and store.sounds.checksum(file) != entry.sha256:
            problem = "wrong_checksum"
    except FileNotFoundError:
        problem = "gone"
    except StoreError:
        raise
    except OSError:
        # It may be whole: nothing is noted against it.
        return Finding(entry.session_id, "unreadable", file, entry.size_bytes, size)
    if problem is None or not store.drop_sound(entry, _NOTED.format(problem=problem.replace("_", " "))):
        return None
    return Finding(entry.session_id, problem, file, entry.size_bytes, size)


def _unnamed(
    store: Store, sizes: dict[str, int], entries: Sequence[Entry], others: set[str | None]
) -> Iterator[Finding]:
    named = others | {entry.file for entry in entries}
    left = [file for file in sizes if file not in named]
    if not left:
        return
    # Their outcomes may have been written since.
    named |= {entry.file for entry in store.all_outcomes()[0]}
    ids = _ids_by_stem(entries)
    for file in left:
        if file not in named:
            session_id = ids.get(place_of(file)[:STEM_CHARS])
            yield Finding(session_id, "unnamed_sound", file, None, sizes[file])


def _damaged_results(store: Store, entries: Sequence[Entry]) -> Iterator[Finding]:
    ids = _ids_by_stem(entries)
    for place in store.results.remove_damaged():
        yield Finding(ids.get(place[:STEM_CHARS]), "damaged_result", None)


def _ids_by_stem(entries: Sequence[Entry]) -> dict[str, str]:
    """Return session ids by the names that their files have: a name holds no id, but the id leads to the name."""
    return {hashed_id(entry.session_id)[:STEM_CHARS]: entry.session_id for entry in entries}


def _report(found: Sequence[Finding], checked: int) -> pd.DataFrame:
    findings = list(found)  # threads of a check that was interrupted may still add to it
    report = pd.DataFrame(
        {
            "session_id": pd.array([each.session_id for each in findings], dtype="string"),
            "problem": pd.array([each.problem for each in findings], dtype="string"),
            "file": pd.array([each.file for each in findings], dtype="string"),
            "recording_bytes": pd.array([each.recording_bytes for each in findings], dtype="Int64"),
            "found_bytes": pd.array([each.found_bytes for each in findings], dtype="Int64"),
            "what_to_do": pd.array([PROBLEMS[each.problem] for each in findings], dtype="string"),
        }
    )
    report.attrs["checked"] = checked
    return report
