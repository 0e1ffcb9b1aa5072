"""Whether a store can have written what is read from it: SQLite keeps any type in any column, and files get damaged."""

from __future__ import annotations

import json
from dataclasses import dataclass

from kataven_notebook.status import Status
from kataven_notebook.store.entry import COLUMNS, Entry, hashed_id, is_file_name


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a store writes into one column: a type of SQLite's, and between which numbers."""

    column: str
    kind: str
    least: float = 0.0
    most: float = 0.0
    is_optional: bool = False

    @property
    def sql(self) -> str:
        """The rule as a condition on a row."""
        # SQLite keeps any type in any column.
        kinds = f"IN ('{self.kind}', 'null')" if self.is_optional else f"= '{self.kind}'"
        between = "" if self.kind == "text" else f" AND {self.column} BETWEEN {self.least} AND {self.most}"
        return f"typeof({self.column}) {kinds}{between}"

    def holds(self, value: object) -> bool:
        """Whether a value from elsewhere keeps the rule."""
        if value is None:
            return self.is_optional
        if self.kind == "text":
            return isinstance(value, str) and _is_encodable(value)
        number = float | int if self.kind == "real" else int
        return isinstance(value, number) and not isinstance(value, bool) and self.least <= value <= self.most


# Until the year 2255: pandas counts some times in nanoseconds.
_MOST_S = 9e9
_RULES = (
    _Rule("session_id", "text"),
    _Rule("error", "text", is_optional=True),
    _Rule("sha256", "text", is_optional=True),
    _Rule("format", "text", is_optional=True),
    _Rule("codec", "text", is_optional=True),
    _Rule("attempts", "integer", 0, 1e9),
    _Rule("first_at", "real", 0, _MOST_S),
    _Rule("updated_at", "real", 0, _MOST_S),
)
# These are NULL where there is no file.
_RULES_OF_SOUND = (
    _Rule("size_bytes", "integer", 1, 1e15),
    _Rule("sample_rate", "integer", 1, 1e6),
    _Rule("channels", "integer", 1, 255),
    _Rule("frames", "integer", 1, 1e15),
)


def _sane_sql() -> str:
    """Return the condition that a store wrote a row; a damaged row counts as none, and its session is asked for again.

    In SQL, because hundreds of thousands of rows are read at once.
    """
    rules = [rule.sql for rule in _RULES]
    rules.append(f"status IN ({', '.join(repr(each.value) for each in Status)})")
    no_sound = " AND ".join(f"{rule.column} IS NULL" for rule in _RULES_OF_SOUND)
    sound = " AND ".join(rule.sql for rule in _RULES_OF_SOUND)
    # Coarser than `is_file_name`, and four times as fast; no name that passes leads out of its folder.
    file = (
        "typeof(file) = 'text' AND substr(file, 1, 6) = 'audio/' AND length(file) BETWEEN 68 AND 75 "
        "AND substr(file, 9, 1) = '/' AND instr(substr(file, 10), '/') = 0 "
        "AND instr(file, '..') = 0 AND instr(file, '\\') = 0"
    )
    rules.append(f"(file IS NULL AND {no_sound} OR {file} AND {sound})")
    return " AND ".join(rules)


SANE_SQL = _sane_sql()


def is_sane(entry: Entry) -> bool:
    """Whether a store could have written an entry that comes from outside the ledger."""
    if entry.status not in tuple(Status) or not all(rule.holds(getattr(entry, rule.column)) for rule in _RULES):
        return False
    # These are shown as they are.
    if not all(text.isprintable() for text in (entry.sha256, entry.format, entry.codec) if text is not None):
        return False
    if entry.file is None:
        return all(getattr(entry, rule.column) is None for rule in _RULES_OF_SOUND)
    return is_file_name(entry.file) and all(rule.holds(getattr(entry, rule.column)) for rule in _RULES_OF_SOUND)


def entry_in(text: bytes, file: str) -> Entry | None:
    """Return the outcome in an object, or None: damaged, or another session's, which is asked for again."""
    try:
        found = json.loads(text)
        entry = Entry(**{each: found[each] for each in COLUMNS if each in found})
    except (ValueError, TypeError, RecursionError):
        return None
    is_its_own = is_sane(entry) and file.endswith(f"/{hashed_id(entry.session_id)}.json")
    return entry if is_its_own else None


def _is_encodable(text: str) -> bool:
    """Whether SQLite can keep a text: it can't keep half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
