"""Results in a bucket: few objects, read once by each machine."""

from __future__ import annotations

import pytest

from kataven_notebook.store import packs
from kataven_notebook.store.objects import ObjectFolder
from kataven_notebook.store.packs import FOLDER, PackedResults, packed, unpacked
from kataven_notebook.store.results import Row
from tests.store.test_results import WORDS, place

pytestmark = pytest.mark.core


@pytest.fixture
def machine(tmp_path):
    """Open the results of one bucket on one machine after another."""
    opened = []

    def open_on(name: str) -> PackedResults:
        folder = ObjectFolder((tmp_path / "bucket").as_uri())
        (tmp_path / name).mkdir(exist_ok=True)
        opened.append(PackedResults(folder, tmp_path / name / "cache.sqlite3"))
        return opened[-1]

    yield open_on
    for each in opened:
        each.close()


def objects(tmp_path) -> list[str]:
    """The names of the packs in the bucket."""
    return sorted(each.name for each in (tmp_path / "bucket" / FOLDER).glob("*"))


def test_what_one_machine_put_another_finds(machine, tmp_path) -> None:
    """Many results travel in one object."""
    one, two = machine("one"), machine("two")
    for number in range(100):
        one.put(WORDS, {place(f"s{number}"): str(number).encode()})
    one.flush()
    assert len(objects(tmp_path)) <= 3
    assert two.find(WORDS, [place("s7")]) == {place("s7"): b"7"}
    assert len(two.counts()) == 100


def test_a_pack_is_read_once(machine, tmp_path, monkeypatch) -> None:
    """From then on it costs a listing."""
    one, two = machine("one"), machine("two")
    one.put(WORDS, {place("s1"): b"one"})
    one.flush()
    assert two.find(WORDS, [place("s1")])
    monkeypatch.setattr(ObjectFolder, "read_many", lambda *_: pytest.fail("read again"))
    assert two.find(WORDS, [place("s1")]) == {place("s1"): b"one"}
    assert one.find(WORDS, [place("s1")]) == {place("s1"): b"one"}
    assert objects(tmp_path)


def test_what_a_killed_process_has_not_uploaded_the_next_one_does(machine, monkeypatch) -> None:
    """Of results that come slowly none waits longer than a second."""
    monkeypatch.setattr(packs, "_BETWEEN_PACKS_S", 1e9)
    one = machine("one")
    one.put(WORDS, {place("s1"): b"one"})
    one.close()
    assert machine("two").find(WORDS, [place("s1")]) == {}
    again = machine("one")
    assert again.find(WORDS, [place("s1")]) == {place("s1"): b"one"}
    again.flush()
    assert machine("three").find(WORDS, [place("s1")]) == {place("s1"): b"one"}


def test_forget_rewrites_the_packs_and_reaches_other_machines(machine, tmp_path) -> None:
    """The others' results in the same pack stay."""
    one, two = machine("one"), machine("two")
    one.put(WORDS, {place("s1"): b"secret words", place("s2"): b"others"})
    one.flush()
    assert len(two.find(WORDS, [place("s1"), place("s2")])) == 2
    one.forget({place("s1")[:40]})
    assert two.find(WORDS, [place("s1"), place("s2")]) == {place("s2"): b"others"}
    assert not any(b"secret words" in each.read_bytes() for each in (tmp_path / "bucket").rglob("*") if each.is_file())


def test_forget_leaves_no_damaged_bytes(machine, tmp_path) -> None:
    """They are no result any more, and words of the session all the same."""
    one = machine("one")
    one.put(WORDS, {place("s1"): b"secret words", place("s2"): b"others"})
    one.flush()
    (path,) = (tmp_path / "bucket" / FOLDER).glob("*")
    path.write_bytes(path.read_bytes().replace(b"secret words", b"sacred words"))
    one.forget({place("s1")[:40]})
    assert not any(b"sacred words" in each.read_bytes() for each in (tmp_path / "bucket").rglob("*") if each.is_file())
    assert machine("two").find(WORDS, [place("s1"), place("s2")]) == {place("s2"): b"others"}


def test_text_that_no_table_holds_is_no_result(machine, tmp_path) -> None:
    """Others may have written it, and the bucket's other results are used."""
    one = machine("one")
    one.put(WORDS, {place("s1"): b"one"})
    one.flush()
    pack = packed([Row("half a character \ud800", "", "", "p", b"1", 0)])
    (tmp_path / "bucket" / FOLDER / "0.pack").write_bytes(pack)
    assert machine("two").find(WORDS, [place("s1")]) == {place("s1"): b"one"}


@pytest.mark.parametrize("change", ["cut", "byte", "junk", "empty", "pickle"])
def test_a_damaged_pack_costs_what_it_held_alone(machine, tmp_path, change) -> None:
    """What is whole in it is used, and nothing in it is run."""
    one = machine("one")
    one.put(WORDS, {place("s1"): b"one" * 100})
    one.put(WORDS, {place("s2"): b"two" * 100})
    one.flush()
    (path,) = (tmp_path / "bucket" / FOLDER).glob("*")
    data = path.read_bytes()
    changed = {
        "cut": data[:-10],
        "byte": data[:-10] + b"?" + data[-9:],
        "junk": data + b"\x00\x00\x00\x05[[[[[" * 100,
        "empty": b"",
        "pickle": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04exit\x85R.",
    }[change]
    path.write_bytes(changed)
    found = machine("two").find(WORDS, [place("s1"), place("s2")])
    assert set(found) <= {place("s1"), place("s2")}
    assert found.get(place("s1"), b"one" * 100) == b"one" * 100
    assert bool(found) == (change in ("cut", "byte", "junk"))


def test_a_pack_round_trips() -> None:
    """Any bytes."""
    rows = [Row("n", "o", "v", f"p{number}", bytes(range(256)) * number, 0) for number in range(3)]
    assert list(unpacked(packed(rows))) == [row for row in rows if row.is_whole]
