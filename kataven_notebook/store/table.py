"""What a store knows, as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kataven_notebook.status import Status
from kataven_notebook.store.entry import hashed_id
from kataven_notebook.store.results import STEM_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kataven_notebook.store.entry import Entry


def table(entries: Iterable[Entry], results: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Return one row a session, with the columns of `Store.to_frame`; `results` counts by the stems of places."""
    rows = list(entries)
    lengths = [entry.frames / entry.sample_rate if entry.frames and entry.sample_rate else None for entry in rows]
    columns = {
        "session_id": pd.array([entry.session_id for entry in rows], dtype="string"),
        "recording_status": pd.Categorical([entry.status for entry in rows], [each.value for each in Status]),
        "recording_error": pd.array([entry.error for entry in rows], dtype="string"),
        "attempts": pd.array([entry.attempts for entry in rows], dtype="Int64"),
        "recording_bytes": pd.array([entry.size_bytes for entry in rows], dtype="Int64"),
        "sha256": pd.array([entry.sha256 for entry in rows], dtype="string"),
        "recording_format": pd.array([entry.format for entry in rows], dtype="string"),
        "duration_s": pd.Series(lengths, dtype="float64"),
        "sample_rate": pd.array([entry.sample_rate for entry in rows], dtype="Int64"),
        "channels": pd.array([entry.channels for entry in rows], dtype="Int64"),
        "first_at": pd.to_datetime([entry.first_at for entry in rows], unit="s", utc=True).as_unit("us"),
        "updated_at": pd.to_datetime([entry.updated_at for entry in rows], unit="s", utc=True).as_unit("us"),
        "file": pd.array([entry.file for entry in rows], dtype="string"),
    }
    if results is not None:
        counts = [results.get(hashed_id(entry.session_id)[:STEM_CHARS], 0) for entry in rows]
        columns["results"] = pd.array(counts, dtype="Int64")
    return pd.DataFrame(columns)
