"""In which order a listener hears the calls: by chance, from a seed, and kept beside the labels.

Each session's place comes from a checksum of the seed and its id, so that two listeners with one seed hear the same,
whatever the order of their frames. With a file of labels the order lies beside it: `labels.order.csv` for
`labels.csv`, a row a session. What is in it keeps its place; sessions that were added since come after all others.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from typing import TYPE_CHECKING

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.notices import warn_caller

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FRAME, RANDOM = "frame", "random"
_DEFAULT_SEED = 0
_SEED = re.compile(r"-?[0-9]{1,1000}")
_BINARY = getattr(os, "O_BINARY", 0)


def shuffled(ids: Iterable[str], seed: int) -> list[str]:
    """Return session ids, each once, in the order that a seed gives.

    Examples
    --------
    >>> shuffled(["a-1", "a-2", "a-3"], 0) == shuffled(["a-3", "a-2", "a-1"], 0)
    True
    """

    def drawn(session_id: str) -> bytes:
        return hashlib.sha256(f"{seed}\n{session_id}".encode("utf-8", "surrogatepass")).digest()

    return sorted(dict.fromkeys(ids), key=drawn)


def checked_order(order: object, seed: object, *, is_blind: bool) -> tuple[str, int | None]:
    """Return the order that is meant, and the seed; a blind listener's order is random unless another is named.

    Raises
    ------
    ConfigurationError
        The order is none, or the seed no whole number, or given for the frame's own order.
    """
    if order is None:
        order = RANDOM if is_blind else FRAME
    if order not in (FRAME, RANDOM):
        raise ConfigurationError(f"order={order!r}: pass 'frame' for the order of the rows, or 'random'")
    if seed is None:
        return str(order), None
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        raise ConfigurationError(f"seed={seed!r} is no whole number: pass one, such as seed=7")
    if order == FRAME:
        raise ConfigurationError("seed= fixes a random order: pass order='random' with it")
    return str(order), int(seed)


class ListeningOrder:
    """The places of sessions in a random order, and the file that keeps them.

    Parameters
    ----------
    ids
        The sessions, in any order.
    seed
        Draws the order; None for the file's, else 0.
    labels
        The file of labels; None keeps the order nowhere.
    session_column
        What the column of the sessions is called in the file.

    Raises
    ------
    ConfigurationError
        The file's order was drawn with another seed, or the file is none of an order.
    OSError
        The file can't be read.
    """

    def __init__(
        self, ids: Iterable[str], *, seed: int | None, labels: str | os.PathLike[str] | None, session_column: str
    ) -> None:
        self._path = None if labels is None else order_file(labels)
        self._session_column = session_column
        kept, kept_seed = ([], None) if self._path is None else _read(self._path, session_column)
        if seed is not None and kept_seed is not None and seed != kept_seed:
            raise ConfigurationError(
                f"{self._path} holds an order of seed={kept_seed}, not of seed={seed}: pass that seed or none to go on "
                "in it, or another save_to= to begin anew"
            )
        self._seed = next((each for each in (seed, kept_seed) if each is not None), _DEFAULT_SEED)
        known = set(kept)
        self._added = [each for each in shuffled(ids, self._seed) if each not in known]
        self.places: dict[str, int] = {each: place for place, each in enumerate([*kept, *self._added], 1)}

    def keep(self) -> None:
        """Bring what is new to the file; where it can't be written, one warning says what follows."""
        if self._path is not None and self._added:
            first = len(self.places) - len(self._added) + 1
            _append(self._path, self._session_column, self._added, first=first, seed=self._seed)


def order_file(labels: str | os.PathLike[str]) -> Path:
    """Return where the order of a file of labels lies.

    Examples
    --------
    >>> order_file("labels.csv").name
    'labels.order.csv'
    """
    path = absolute_path("save_to", labels)
    return path.with_name(f"{path.stem}.order.csv")


def _read(path: Path, session_column: str) -> tuple[list[str], int | None]:
    """Return the sessions of an order file in their order, and its seed; none where there is no file yet."""
    try:
        content = path.read_bytes().decode("utf-8-sig", "replace")
    except FileNotFoundError:
        return [], None
    # A line without an end was not written whole.
    whole = content[: content.rfind("\n") + 1]
    header = ["place", session_column, "seed"]
    try:
        rows = list(csv.reader(io.StringIO(whole, newline="")))
    except csv.Error:
        rows = [[]]
    if rows and rows[0] != header:
        raise ConfigurationError(
            f"{path} is no order of a player with the session column {session_column!r}: name another file in save_to="
        )
    found = [(row[1], int(row[2])) for row in rows if len(row) == len(header) and _SEED.fullmatch(row[2])]
    return list(dict.fromkeys(each for each, _ in found)), found[0][1] if found else None


def _append(path: Path, session_column: str, added: Sequence[str], *, first: int, seed: int) -> None:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([place, each, seed] for place, each in enumerate(added, first))
    try:
        # Private, as the labels: session ids are an account's own.
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            lead = "" if size else f"place,{_cell(session_column)},seed\n"
            if size:
                os.lseek(descriptor, -1, os.SEEK_END)
                lead = "" if os.read(descriptor, 1) == b"\n" else "\n"
            os.write(descriptor, (lead + file.getvalue()).encode("utf-8", "replace"))
        finally:
            os.close(descriptor)
    except OSError as error:
        warn_caller(
            f"the order could not be kept in {path} ({error.strerror or error}): it comes from the seed alone, and "
            "sessions that are added later come in between"
        )


def _cell(text: str) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow([text])
    return file.getvalue()
