"""Whether a store can have written what is read from it, in SQL and in Python."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kataven_notebook import Recording
from kataven_notebook.store.entry import Entry
from kataven_notebook.store.ledger import Ledger
from kataven_notebook.store.sanity import is_sane

pytestmark = pytest.mark.core

DAMAGES = [
    ("status", "unheard-of"), ("error", b"\xff"),
    ("attempts", -1), ("attempts", "two"), ("file", "audio/../" + 60 * "x"),
    ("file", "../private.wav"), ("file", None), ("size_bytes", None), ("size_bytes", 0), ("sample_rate", 0),
    ("channels", 256), ("frames", "many"), ("sha256", 5), ("first_at", 1e12), ("updated_at", None),
]  # fmt: skip


@pytest.fixture
def entry(wav) -> Entry:
    """What a store writes."""
    return Entry.of_sound("s1", Recording.from_bytes(wav), "ab" * 32, at=1_790_000_000.0)


@pytest.fixture
def ledger(tmp_path):
    """A table that accepts anything, as a damaged file does."""
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    with ledger._database.transaction() as db:
        db.execute("DROP TABLE outcomes")
        db.execute(f"CREATE TABLE outcomes ({', '.join(Entry.__slots__)})")
    yield ledger
    ledger.close()


def test_what_a_store_writes_is_sane(entry, ledger) -> None:
    """With sound and without."""
    whole = [entry, Entry("s2", "failed", "the Hub failed", first_at=1.0, updated_at=1.0)]
    assert all(map(is_sane, whole))
    ledger.take_over(whole)
    assert list(ledger.entries()) == whole


@pytest.mark.parametrize(("column", "value"), DAMAGES)
def test_rows_and_outcomes_are_judged_alike(entry, ledger, column, value) -> None:
    """What one of them let pass would be believed in a folder and not in a bucket."""
    damaged = replace(entry, **{column: value})
    assert not is_sane(damaged)
    ledger.take_over([damaged, replace(entry, session_id="s2")])
    assert [each.session_id for each in ledger.entries()] == ["s2"]
