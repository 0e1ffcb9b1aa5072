"""Names for moments that are the same in every run, on every machine: a finding is cited and looked up by them."""

from __future__ import annotations

import base64
import hashlib
import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CELL_S = 0.1
"""Places nearer than this are one place: an edge that is found a few milliseconds off changes no name."""
# Edges lie on frames and samples, whose times are whole parts of a second. Moved by this much no boundary between
# two cells is within a microsecond of such a time, so that the last bit of a float decides nothing.
_OFF_THE_GRID_S = 3.7e-6
_BYTES = 10
_CHARS = 12


def moment_id(checksum: str, kind: str, channel: int | None, start_s: float, *, nth: int = 0) -> str:
    """Return the name of a moment: "m" and twelve letters or digits, safe in file names and spreadsheets.

    Sixty bits of a SHA-256: among a million moments two have the same name with a probability of 4 in 10 million.

    Parameters
    ----------
    checksum
        The beginning of the SHA-256 of the encoded sound, hexadecimal.
    kind, channel
        What it is, and on which channel; None for all.
    start_s
        Where it begins, in seconds; rounded to a tenth.
    nth
        Which of those that are of one kind, channel and place, from 0.

    Examples
    --------
    >>> moment_id("9f86d081884c7d65", "dead air", None, 12.3)
    'm7vugk6fqvec5'
    >>> moment_id("9f86d081884c7d65", "dead air", None, 12.300000000000002)
    'm7vugk6fqvec5'
    """
    cell = math.floor((start_s + _OFF_THE_GRID_S) / CELL_S + 0.5)
    where = "all" if channel is None else str(int(channel))
    return short_name("m", checksum, kind, where, str(cell), str(nth))


def short_name(first: str, *parts: str) -> str:
    """Return the same name for the same parts everywhere: a letter that says of what, and twelve letters or digits.

    Examples
    --------
    >>> short_name("c", "agent_01", "12.3")
    'cfugd4szrk6lf'
    """
    # The length of each part is said, so that no two lists of parts are one text.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return first + base64.b32encode(digest[:_BYTES]).decode("ascii").lower()[:_CHARS]


def moment_ids(checksum: str, moments: Iterable[tuple[str, int | None, float]]) -> list[str | None]:
    """Return the names of a call's moments, no two of which are the same; None where the sound is not known.

    Parameters
    ----------
    checksum
        As for `moment_id`; empty where it is not known.
    moments
        Kind, channel and start of each, in any order; those of one kind, channel and place are told apart by their
        order in time.

    Examples
    --------
    >>> same = [("dead air", None, 5.02), ("dead air", None, 5.01), ("dead air", None, 9.0)]
    >>> len(set(moment_ids("9f86d081884c7d65", same)))
    3
    """
    listed = list(moments)
    if not checksum:
        return [None] * len(listed)
    found: list[str | None] = [None] * len(listed)
    seen: Counter[str] = Counter()
    for at in sorted(range(len(listed)), key=lambda at: listed[at][2]):
        first = moment_id(checksum, *listed[at])
        found[at] = first if not seen[first] else moment_id(checksum, *listed[at], nth=seen[first])
        seen[first] += 1
    return found
