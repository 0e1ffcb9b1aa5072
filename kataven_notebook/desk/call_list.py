"""The list of calls: it stays in the kernel, which sorts and filters; a page asks for windows of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_list_like, is_numeric_dtype, is_timedelta64_dtype

from kataven_notebook.desk.call_search import CallSearch
from kataven_notebook.desk.cells import decimals_of, length_text, number_text
from kataven_notebook.desk.marks import text_of
from kataven_notebook.errors import FrameError
from kataven_notebook.frame.sessions import session_column
from kataven_notebook.hints import did_you_mean
from kataven_notebook.redact import encodable, redact
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import numpy.typing as npt

UNKNOWN = "unknown"
_NO_ID = "(no session id)"
# More would take longer to draw than anybody scrolls.
_MAX_COLUMNS = 100


class CallList:
    """The distinct sessions of a frame, in its order, as rows of text.

    A session that stands in many rows is listed once, with its first row. A call's *key* is the
    position of that row: unique also where ids are missing.

    Parameters
    ----------
    frame
        Any frame with a session column.
    session
        The session column's name, or that of an index level.
    prefix
        In front of the names of this package's columns.
    columns
        Further columns to show, as text.
    names
        What each row is called in place of its id, which then is neither shown nor found; see `blind`.
    ids_tell
        Whether the page must not have the ids either.

    Raises
    ------
    FrameError
        A column is not there, or stands there twice, and the message lists those that are; or too many.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        session: Hashable,
        prefix: str = "",
        columns: Sequence[Hashable] = (),
        names: Sequence[str] | None = None,
        ids_tell: bool = False,
    ) -> None:
        ids = session_column(frame, session)
        check_columns(frame, columns)
        missing = ids.isna().to_numpy()
        self._frame = frame
        self._ids = ["" if gone else encodable(str(each)) for each, gone in zip(ids, missing, strict=True)]
        self.keys = np.flatnonzero(~ids.duplicated().to_numpy() | missing)
        self._key_of: dict[str, int] = {}
        for key in self.keys.tolist():
            if self._ids[key]:
                self._key_of.setdefault(self._ids[key], key)
        self._names, self._ids_tell = names, ids_tell
        self._prefix = prefix
        self._statuses = _statuses(frame, prefix)
        self._shows_status = len({self._statuses[key] for key in self.keys.tolist()}) > 1
        self._length = f"{prefix}duration_s"
        length = [self._length] if self._length in frame.columns else []
        self._columns = [*columns, *(each for each in length if each not in columns)]
        self._decimals = [decimals_of(frame[each]) for each in self._columns]
        self._session_name = str(session) if names is None else "call"
        self.order: npt.NDArray[np.intp] = self.keys
        self._last_sorted: tuple[object, npt.NDArray[np.intp]] = None, self.keys
        # What could not be understood of the filter.
        self.note = ""
        self._search = CallSearch(frame if names is None else frame[self._columns], self._texts, self._own_columns())

    def __len__(self) -> int:
        return len(self.keys)

    def session_id(self, key: int) -> str:
        """Return the session id of a call; empty where the row has none."""
        return self._ids[key]

    def title(self, key: int) -> str:
        """Return how a call is named to the listener."""
        return text_of(self._shown_ids[key]) or _NO_ID

    def alias(self, key: int) -> str:
        """Return what a call is called in place of its id; empty where ids are shown."""
        return "" if self._names is None else self._names[key]

    def page_id(self, key: int) -> str:
        """Return by what the page knows a call: its id; where ids tell what is hidden, its name and a checksum of it.

        Another player may give the name to another call, and gets labels that the page has kept.
        """
        session_id = self._ids[key]
        if not (self._ids_tell and session_id):
            return session_id
        digest = hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self.alias(key)} ({digest[:12]})"

    def key_on_page(self, page_id: str) -> int | None:
        """Return the key of a call by its `page_id`; None where the frame lacks it."""
        if not self._ids_tell:
            return self.key_of(page_id)
        digest = page_id.rpartition(" ")[2]
        return next((key for key in self.keys.tolist() if digest and self.page_id(key).endswith(f" {digest}")), None)

    @property
    def _shown_ids(self) -> Sequence[str]:
        return self._ids if self._names is None else self._names

    def status(self, key: int) -> str:
        """Return a call's status; "unknown" where nothing was asked yet."""
        return self._statuses[key]

    def error(self, key: int) -> str:
        """Return the sentence in `recording_error`; empty where all is well or nothing is known."""
        return text_of(self.value(key, "recording_error"), max_length=500)

    def value(self, key: int, column: str) -> Any:
        """Return the value of one of this package's columns; None where the frame lacks it."""
        name = f"{self._prefix}{column}"
        return self._frame[name].iloc[key] if name in self._frame.columns else None

    def key_of(self, session_id: str) -> int | None:
        """Return the key of a session; None where the frame lacks it."""
        return self._key_of.get(session_id)

    def duration_s(self, key: int) -> float | None:
        """Return a call's length, of its sound where it is there; None where the frame has no number of seconds."""
        sound = self.value(key, "audio")
        if isinstance(sound, Recording):
            return sound.duration_s
        value = pd.to_numeric(pd.Series([self.value(key, "duration_s")], dtype=object), errors="coerce").iloc[0]
        return float(value) if np.isfinite(value) else None

    def header(self) -> list[dict[str, object]]:
        """Return the columns as the page shows them: id, title, and whether they hold numbers.

        Where all calls have one status there is no column for it.
        """
        shown: list[dict[str, object]] = [{"id": "session", "title": self._session_name}]
        if self._shows_status:
            shown.append({"id": "status", "title": "status"})
        for position, name in enumerate(self._columns):
            title = "length" if name == self._length else text_of(name)
            is_number = name == self._length or self._decimals[position] is not None
            shown.append({"id": str(position), "title": title, **({"number": True} if is_number else {})})
        return [*shown, {"id": "labels", "title": "labels"}]

    def counts(self) -> dict[str, int]:
        """Return how many calls have each status, most frequent first; empty where none is known."""
        counted = dict(Counter(self._statuses[key] for key in self.keys).most_common())
        return {} if counted.keys() == {UNKNOWN} else counted

    def arrange(
        self,
        *,
        sort: str | None = None,
        descending: bool = False,
        status: str = "",
        text: str = "",
        labels: Callable[[str], str],
    ) -> None:
        """Sort and filter the list; what is missing stands last in both directions.

        Parameters
        ----------
        sort
            The id of a column of `header`; None for the frame's order.
        descending
            Largest first.
        status
            Only this status; "labelled" and "unlabelled" for those with and without labels.
        text
            A filter, see `call_filter`; plain words are looked for in the shown columns, in any case.
            `note` then says what could not be understood of it.
        labels
            A session's labels as text.
        """
        keys = self._sorted(sort, descending, labels)
        if status in ("labelled", "unlabelled"):
            wanted = status == "labelled"
            keys = keys[[bool(labels(self._ids[key])) is wanted for key in keys.tolist()]]
        elif status:
            keys = keys[[self._statuses[key] == status for key in keys.tolist()]]
        self.note = ""
        if text.strip():
            keys, self.note = self._search.find(text, keys, [labels(self._ids[key]) for key in keys.tolist()])
        self.order = np.asarray(keys, dtype=np.intp)

    def _sorted(self, sort: str | None, descending: bool, labels: Callable[[str], str]) -> npt.NDArray[np.intp]:  # noqa: FBT001 - passed on
        """Return all calls in an order; the last one is kept, as each key of a filter asks for it again."""
        if sort is None or not len(self.keys):
            return self.keys
        if self._last_sorted[0] != (sort, descending) or sort == "labels":
            values = pd.Series(self._sortable(sort, self.keys, labels), index=self.keys)
            # An empty text is a missing value, too.
            values = values.where(values != "")
            values = values.sort_values(ascending=not descending, kind="stable", na_position="last")
            self._last_sorted = (sort, descending), values.index.to_numpy()
        return self._last_sorted[1]

    def index_of(self, key: int) -> int:
        """Return where a call stands in the list as it is arranged; -1 where it is filtered out."""
        found = np.flatnonzero(self.order == key)
        return int(found[0]) if len(found) else -1

    def window(self, start: int, count: int, *, labels: Callable[[str], str]) -> list[list[object]]:
        """Return some rows as `[key, status, text, text, ...]`, a text for each column of `header`."""
        keys = self.order[max(0, start) : max(0, start) + count]
        cells = [self._column_texts(position, keys) for position in range(len(self._columns))]
        rows: list[list[object]] = []
        for i, key in enumerate(keys.tolist()):
            status = self._statuses[key]
            own = [self.title(key), *([status.replace("_", " ")] if self._shows_status else [])]
            rows.append([key, status, *own, *(column[i] for column in cells), labels(self._ids[key])])
        return rows

    def _column_texts(self, position: int, keys: npt.NDArray[np.intp]) -> list[str]:
        """Return a column as texts, for some rows."""
        name, decimals = self._columns[position], self._decimals[position]
        values = self._frame[name].iloc[keys].tolist()
        if name == self._length:
            return [length_text(each) for each in values]
        if decimals is not None:
            return [number_text(each, decimals) for each in values]
        # The first rows are saved with the notebook, and the column may be `recording_url`.
        texts = {each: text_of(redact(each)) for each in {each for each in values if isinstance(each, str)}}
        return [texts[each] if isinstance(each, str) else text_of(each) for each in values]

    def _texts(self) -> list[str]:
        everything = np.arange(len(self._frame))
        texts = [self._column_texts(position, everything) for position in range(len(self._columns))]
        return ["\n".join(row).casefold() for row in zip(self._shown_ids, self._statuses, *texts, strict=True)]

    def _own_columns(self) -> dict[str, Callable[[], pd.Series]]:
        """Return what the list calls otherwise than the frame does."""
        own: dict[str, Callable[[], pd.Series]] = {
            "session": lambda: pd.Series(self._shown_ids, dtype=object),
            self._session_name.casefold(): lambda: pd.Series(self._shown_ids, dtype=object),
            "status": lambda: pd.Series(self._statuses, dtype=object),
        }
        if self._length in self._frame.columns:
            own["length"] = lambda: self._frame[self._length]
        return own

    def _sortable(
        self, sort: str, keys: npt.NDArray[np.intp], labels: Callable[[str], str]
    ) -> npt.NDArray[Any] | list[str]:
        if sort == "status":
            return [self._statuses[key] for key in keys]
        if sort == "labels":
            return [labels(self._ids[key]) for key in keys]
        if sort.isdecimal() and int(sort) < len(self._columns):
            column = self._frame[self._columns[int(sort)]].iloc[keys]
            # What has an order of its own keeps it; mixed columns as the text that is shown.
            if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
                column = column.cat.codes.where(column.notna())
            if is_numeric_dtype(column):
                return column.to_numpy(dtype=float, na_value=np.nan)
            if is_datetime64_any_dtype(column) or is_timedelta64_dtype(column):
                return column.to_numpy()
            return [text_of(each) for each in column]
        # By their names calls stand as they are numbered, and not as their ids would.
        return [self._ids[key] for key in keys] if self._names is None else keys


def check_columns(frame: pd.DataFrame, columns: Sequence[Hashable]) -> None:
    """Refuse columns that can't be shown.

    Raises
    ------
    FrameError
        As for `CallList`.
    """
    if not is_list_like(columns):
        raise FrameError(f"columns={columns!r} is no list: pass a list of column names, such as columns=['agent']")
    have: list[Hashable] = list(frame.columns)
    if len(columns) > _MAX_COLUMNS:
        raise FrameError(
            f"columns= names {len(columns):,} columns: pass up to {_MAX_COLUMNS} to show; the filter of the list finds "
            f"calls by the others, too"
        )
    absent = [str(each) for each in columns if each not in have]
    if absent:
        near = did_you_mean(absent[0], have)
        raise FrameError(
            f"columns= names {', '.join(absent)}, which the frame lacks"
            + (f", {absent[0]!r}{near}" if near else "")
            + f"; it has {', '.join(map(str, have))}"
        )
    if twice := [str(each) for each in columns if have.count(each) > 1]:
        raise FrameError(f"columns= names {', '.join(twice)}, which the frame has several times: rename all but one")


def _statuses(frame: pd.DataFrame, prefix: str) -> list[str]:
    known = f"{prefix}recording_status"
    statuses = [UNKNOWN] * len(frame)
    if known in frame.columns:
        statuses = [text_of(each) or UNKNOWN for each in frame[known]]
    sound = f"{prefix}audio"
    if sound in frame.columns:
        for position, each in enumerate(frame[sound].tolist()):
            # Sound that is there can be played whatever a column from an earlier run says.
            if isinstance(each, Recording):
                statuses[position] = "downloaded"
    return statuses
