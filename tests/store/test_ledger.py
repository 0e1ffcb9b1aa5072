"""The table of outcomes: claims, versions, damage, and a log that stays small."""

from __future__ import annotations

import sqlite3
import time

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


def test_a_session_that_another_process_has_is_left_to_it(folder) -> None:
    """A claim holds while its process lives, and what it settles meanwhile is not done twice."""
    began = time.time()
    with Store(folder) as mine, Store(folder) as theirs:
        theirs._ledger._owner = f"{mine._ledger._owner.partition('|')[0]}|1|0.00"
        assert theirs.claim("s0", since=began)
        assert mine.claim("s0", since=began), "the owner's process is gone, so its claim is, too"
        theirs._ledger._owner = "another-machine|1|0.00"
        assert theirs.claim("s1", since=began)
        assert not mine.claim("s1", since=began)
        theirs.note("s1", Status.MISSING, "the session has no recording")
        assert not mine.claim("s1", since=began)
        assert mine.claim("s1", since=time.time())


def test_the_write_ahead_log_stays_small(folder) -> None:
    """Thousands of outcomes do not pile up beside the ledger."""
    with Store(folder) as store:
        for number in range(3_000):
            store.note(f"s{number}", Status.FAILED, "the Hub failed" * 5)
        assert (folder / "ledger.sqlite3-wal").stat().st_size < 8_000_000
