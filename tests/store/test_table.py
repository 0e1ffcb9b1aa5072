"""What a store knows, as a frame."""

from __future__ import annotations

import pytest

from kataven_notebook.store.entry import Entry
from kataven_notebook.store.table import table

pytestmark = pytest.mark.core


def test_dtypes_are_the_same_with_and_without_rows() -> None:
    """So that an empty store can be concatenated; what is not known is missing."""
    rows = table([Entry("s1", "missing", "the session has no recording", first_at=1.0, updated_at=2.0)])
    assert rows.dtypes.equals(table([]).dtypes)
    assert rows.loc[0, "recording_status"] == "missing"
    assert rows[["recording_bytes", "duration_s", "file"]].isna().all(axis=None)
    assert str(rows.loc[0, "updated_at"]) == "1970-01-01 00:00:02+00:00"
