"""The table of outcomes: versions, damage, and a log that stays small."""

from __future__ import annotations

import sqlite3

import pytest

from kataven_notebook import Status, Store
from kataven_notebook.errors import StoreError

pytestmark = pytest.mark.core


def test_a_store_of_another_version_says_so(folder) -> None:
    """It is not touched."""
    Store(folder).close()
    with sqlite3.connect(folder / "ledger.sqlite3") as db:
        db.execute("UPDATE meta SET value = '9' WHERE key = 'version'")
    db.close()
    with pytest.raises(StoreError, match="version 9"):
        Store(folder)


def test_a_ledger_that_is_none_says_what_to_do(folder) -> None:
    """A damaged file is one clear error."""
    Store(folder).close()
    for path in folder.glob("ledger.sqlite3*"):
        path.unlink()
    (folder / "ledger.sqlite3").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"damaged.*move ledger"):
        Store(folder)


def test_the_write_ahead_log_stays_small(folder) -> None:
    """Thousands of outcomes do not pile up beside the ledger."""
    with Store(folder) as store:
        for number in range(3_000):
            store.note(f"s{number}", Status.FAILED, "the Hub failed" * 5)
        assert (folder / "ledger.sqlite3-wal").stat().st_size < 8_000_000
