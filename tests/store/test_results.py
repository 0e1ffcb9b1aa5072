"""What is kept of recordings: by place, in order of nothing, and never run as code."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from kataven_notebook import Status, Store
from kataven_notebook.errors import StoreError
from kataven_notebook.store.entry import hashed_id
from kataven_notebook.store.results import RESULTS_FILE, Results, Subject

pytestmark = pytest.mark.core

WORDS = Subject("words", "fast", "1")


def place(session_id: str, sound: str = "0123456789abcdef") -> str:
    """Where results of a session's sound are."""
    return f"{hashed_id(session_id)[:40]}-{sound}"


@pytest.fixture
def results(tmp_path):
    """An empty table."""
    opened = Results(tmp_path / RESULTS_FILE)
    yield opened
    opened.close()


def test_what_was_put_is_found_by_another_process(results, tmp_path) -> None:
    """By subject and place; the file is private."""
    results.put(WORDS, {place("s1"): b"one", place("s2"): b"two"})
    other = Results(tmp_path / RESULTS_FILE)
    assert other.find(WORDS, [place("s1"), place("s3")]) == {place("s1"): b"one"}
    assert other.find(Subject("words", "slow", "1"), [place("s1")]) == {}
    assert (tmp_path / RESULTS_FILE).stat().st_mode & 0o077 == 0
    other.close()


def test_very_many_are_found_at_once(results) -> None:
    """More than a query can name."""
    places = [place(f"s{number}") for number in range(12_000)]
    results.put(WORDS, dict.fromkeys(places, b"x"))
    assert results.find(WORDS, places[:-1]) == dict.fromkeys(places[:-1], b"x")
    assert len(results.find(WORDS, places[:3_000])) == 3_000


def test_another_version_is_told_from_none(results) -> None:
    """It is counted, and not used."""
    results.put(WORDS, {place("s1"): b"old"})
    newer = Subject("words", "fast", "2")
    assert results.find(newer, [place("s1")]) == {}
    assert results.of_other_versions(newer, [place("s1"), place("s2")]) == 1
    assert results.of_other_versions(WORDS, [place("s1")]) == 0


def test_bytes_that_have_changed_are_no_result(results, tmp_path) -> None:
    """Nor is a value of another type, which SQLite would keep."""
    results.put(WORDS, {place("s1"): b"one", place("s2"): b"two", place("s3"): b"three"})
    with sqlite3.connect(tmp_path / RESULTS_FILE) as db:
        db.execute("UPDATE results SET value = x'00' WHERE place = ?", (place("s1"),))
        db.execute("UPDATE results SET value = 'two' WHERE place = ?", (place("s2"),))
    db.close()
    assert results.find(WORDS, [place("s1"), place("s2"), place("s3")]) == {place("s3"): b"three"}
    assert sorted(results.remove_damaged()) == sorted([place("s1"), place("s2")])
    assert results.counts() == {hashed_id("s3")[:40]: 1}


@pytest.mark.parametrize("junk", [b"", b"no database at all" * 1_000])
def test_a_file_that_is_none_is_made_anew(tmp_path, junk) -> None:
    """Results can be made again, so it is no reason to stop."""
    (tmp_path / RESULTS_FILE).write_bytes(junk)
    results = Results(tmp_path / RESULTS_FILE)
    results.put(WORDS, {place("s1"): b"one"})
    assert results.find(WORDS, [place("s1")]) == {place("s1"): b"one"}
    results.close()
    assert [each.name for each in tmp_path.iterdir()] == [RESULTS_FILE]


def test_no_session_gets_the_result_of_another(results, tmp_path) -> None:
    """Where a damaged index names the wrong row."""
    results.put(WORDS, {place("s1"): b"one", place("s2"): b"two"})
    results.close()
    with sqlite3.connect(tmp_path / RESULTS_FILE) as db:
        found = db.execute("SELECT value, checksum FROM results WHERE place = ?", (place("s2"),)).fetchone()
        db.execute("UPDATE results SET value = ?, checksum = ?", found)
    db.close()
    again = Results(tmp_path / RESULTS_FILE)
    assert again.find(WORDS, [place("s1"), place("s2")]) == {place("s2"): b"two"}
    again.close()


def test_what_can_be_read_of_a_damaged_file_is_taken_over(results, tmp_path) -> None:
    """A transcription of a night is not lost to one bad sector."""
    places = [place(f"s{number}") for number in range(2_000)]
    results.put(WORDS, {each: each.encode() * 20 for each in places})
    results.close()
    path = tmp_path / RESULTS_FILE
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 8192] = b"\xff" * 8192
    path.write_bytes(data)
    again = Results(path)
    found = again.find(WORDS, places)
    assert len(found) > 1_000
    assert all(value == name.encode() * 20 for name, value in found.items())
    again.put(WORDS, {places[0]: b"anew"})
    assert again.find(WORDS, places[:1]) == {places[0]: b"anew"}
    again.close()


def test_what_a_kill_left_behind_is_taken_over_and_forgotten(results, tmp_path) -> None:
    """What has been made again since stays."""
    results.put(WORDS, {place("s1"): b"secret words", place("s2"): b"old", place("s3"): b"three"})
    results.close()
    (tmp_path / RESULTS_FILE).replace(tmp_path / "moved")
    anew = Results(tmp_path / RESULTS_FILE)
    anew.put(WORDS, {place("s2"): b"anew"})
    anew.close()
    (tmp_path / "moved").replace(tmp_path / f"{RESULTS_FILE}.damaged")
    again = Results(tmp_path / RESULTS_FILE)
    again.forget({place("s1")[:40]})
    assert again.find(WORDS, [place(f"s{number}") for number in (1, 2, 3)]) == {
        place("s2"): b"anew",
        place("s3"): b"three",
    }
    assert not any(b"secret words" in each.read_bytes() for each in tmp_path.iterdir())
    again.close()


def test_a_table_of_other_columns_is_made_anew(tmp_path) -> None:
    """Somebody's own database in that place."""
    with sqlite3.connect(tmp_path / RESULTS_FILE) as db:
        db.execute("CREATE TABLE results (name TEXT)")
    db.close()
    results = Results(tmp_path / RESULTS_FILE)
    results.put(WORDS, {place("s1"): b"one"})
    assert results.find(WORDS, [place("s1")]) == {place("s1"): b"one"}
    results.close()


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TRIGGER t BEFORE INSERT ON results BEGIN SELECT RAISE(ABORT, 'no'); END",
        """DROP TABLE results; CREATE VIEW results AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n)
        SELECT 'words' name, 'fast' options, '1' version, x place, x value, x checksum, x pack FROM n""",
    ],
)
def test_what_others_wrote_into_the_form_is_not_run(results, tmp_path, change) -> None:
    """It could keep results from being kept or forgotten, or never end."""
    results.put(WORDS, {place("s1"): b"one"})
    results.close()
    with sqlite3.connect(tmp_path / RESULTS_FILE) as db:
        db.executescript(change)
    db.close()
    again = Results(tmp_path / RESULTS_FILE)
    again.put(WORDS, {place("s2"): b"two"})
    found = again.find(WORDS, [place("s1"), place("s2")])
    assert found == {place("s2"): b"two"} | ({} if "DROP" in change else {place("s1"): b"one"})
    again.close()


def test_a_closed_table_is_not_taken_for_a_damaged_one(results, tmp_path) -> None:
    """It stays as it is."""
    results.put(WORDS, {place("s1"): b"one"})
    results.close()
    with pytest.raises(StoreError):
        results.find(WORDS, [place("s1")])
    again = Results(tmp_path / RESULTS_FILE)
    assert again.find(WORDS, [place("s1")]) == {place("s1"): b"one"}
    again.close()


def test_a_link_in_its_place_is_refused(tmp_path) -> None:
    """It would be made readable elsewhere."""
    (tmp_path / RESULTS_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="link"):
        Results(tmp_path / RESULTS_FILE)


def test_threads_may_write_at_once(results) -> None:
    """None of theirs is lost."""

    def write(start: int) -> None:
        for number in range(start, start + 50):
            results.put(WORDS, {place(f"s{number}"): b"x"})

    threads = [threading.Thread(target=write, args=(start,)) for start in range(0, 200, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results.counts()) == 200


def test_forget_takes_the_results_too(folder) -> None:
    """Of all sound that the session ever had; nothing of their bytes stays in the folder."""
    with Store(folder) as store:
        store.note("s1", Status.MISSING, "the session has no recording")
        store.results.put(WORDS, {place("s1"): b"secret words", place("s1", "f" * 16): b"secret words"})
        store.results.put(WORDS, {place("s2"): b"others"})
        store.forget("s1")
        assert store.results.counts() == {hashed_id("s2")[:40]: 1}
    assert not any(b"secret words" in each.read_bytes() for each in folder.rglob("*") if each.is_file())


def test_a_store_counts_its_results(folder) -> None:
    """In its frame, one number a session."""
    with Store(folder) as store:
        store.note("s1", Status.MISSING, "the session has no recording")
        store.note("s2", Status.MISSING, "the session has no recording")
        store.results.put(WORDS, {place("s2"): b"others"})
        assert dict(store.to_frame()[["session_id", "results"]].to_numpy()) == {"s1": 0, "s2": 1}


def test_a_check_counts_results_and_removes_damaged_ones(folder) -> None:
    """They are no damage to sound: they are made again."""
    with Store(folder) as store:
        store.note("s1", Status.MISSING, "the session has no recording")
        store.results.put(WORDS, {place("s1"): b"one", place("s2"): b"two"})
        assert store.check(progress=False).attrs["results"] == 2
        with sqlite3.connect(folder / RESULTS_FILE) as db:
            db.execute("UPDATE results SET value = x'00' WHERE place = ?", (place("s1"),))
        db.close()
        report = store.check(full=True, progress=False)
        assert report[["session_id", "problem"]].to_numpy().tolist() == [["s1", "damaged_result"]]
        assert report.attrs["results"] == 1
        assert store.check(full=True, progress=False).empty
