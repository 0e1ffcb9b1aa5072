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


@pytest.mark.parametrize("column", ["session_id", "error", "file", "codec"])
def test_a_row_whose_text_is_damaged_costs_no_other(folder, column) -> None:
    """SQLite does not read past it: the session counts as not known, and may be noted anew."""
    with Store(folder) as store:
        for name in ("s0", "s1"):
            store.note(name, Status.MISSING, "the session has no recording")
        with sqlite3.connect(folder / "ledger.sqlite3") as db:
            db.execute(f"UPDATE outcomes SET {column} = CAST(x'73ff' AS TEXT) WHERE session_id = 's0'")  # noqa: S608 - the test's own
        db.close()
        assert list(store.load()) == ["s1"]
        assert store.to_frame()["session_id"].tolist() == ["s1"]
        store.note("s0", Status.PENDING, "not uploaded yet")
        assert store.load()["s0"].status == "pending"


def test_a_row_whose_text_is_damaged_is_reported(folder) -> None:
    """With what of it can be read."""
    with Store(folder) as store:
        store.note("s0", Status.MISSING, "the session has no recording")
        with sqlite3.connect(folder / "ledger.sqlite3") as db:
            db.execute("UPDATE outcomes SET error = CAST(x'ff' AS TEXT)")
        db.close()
        report = store.check(progress=False)
        assert report[["session_id", "problem"]].to_numpy().tolist() == [["s0", "damaged_outcome"]]
        assert store.check(progress=False).empty


def test_a_ledger_without_a_column_says_what_to_do(folder) -> None:
    """Bytes that have changed in its schema are no matter of permissions."""
    with Store(folder) as store, sqlite3.connect(folder / "ledger.sqlite3") as db:
        db.execute("ALTER TABLE outcomes RENAME COLUMN codec TO coded")
        with pytest.raises(StoreError, match=r"damaged.*move ledger"):
            store.load()
    db.close()


def test_times_that_pandas_can_not_hold_are_damage(folder) -> None:
    """A clock that was set to another age, or bytes that have changed."""
    with Store(folder) as store:
        store.note("s0", Status.MISSING, "the session has no recording")
        with sqlite3.connect(folder / "ledger.sqlite3") as db:
            db.execute("UPDATE outcomes SET updated_at = 9.9e9")
        db.close()
        assert store.to_frame().empty
        assert store.check(progress=False)["problem"].tolist() == ["damaged_outcome"]
