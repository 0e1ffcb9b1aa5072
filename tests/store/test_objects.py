"""Sound and outcomes as objects: what is damaged is none of it, and no password is shown."""

from __future__ import annotations

import uuid

import fsspec
import pytest

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.store.entry import Entry, hashed_id
from kataven_notebook.store.objects import ObjectFolder, RemoteObject, outcome_file

pytestmark = pytest.mark.core


@pytest.mark.parametrize("text", ["5", "[]", "{}", '{"version": 1, "id": "x"}', "[" * 100_000, "\xff"])
def test_a_damaged_head_is_said_to_be(tmp_path, text) -> None:
    """And nothing is taken for another store's."""
    (tmp_path / "store.json").write_text(text, encoding="latin1")
    with pytest.raises(errors.StoreError):
        kn.Store(f"file://{tmp_path}")


def test_a_store_shows_no_password(tmp_path) -> None:
    """Which the URLs of some places hold."""
    assert "hunter2" not in repr(ObjectFolder("sftp://user:hunter2@host/calls"))
    with pytest.raises(errors.KatavenError) as caught:
        kn.Store("nonsense://user:hunter2@host/calls")
    assert "hunter2" not in str(caught.value)


ENTRY = Entry("s1", "missing", "the session has no recording", first_at=1.0, updated_at=2.0)


@pytest.fixture
def objects() -> ObjectFolder:
    """A new place in memory."""
    return ObjectFolder(f"memory://{uuid.uuid4().hex}")


def test_an_outcome_comes_back_as_it_was_and_only_where_it_belongs(objects) -> None:
    """One that lies in another session's place would answer for that one."""
    objects.write_outcome(ENTRY)
    objects.write(outcome_file("s2"), objects.read(outcome_file("s1")))
    objects.write(outcome_file("s3"), b"[" * 100_000)
    assert list(objects.outcomes(map(hashed_id, ("s1", "s2", "s3", "s4")))) == [ENTRY]
    assert objects.listed() == set(map(hashed_id, ("s1", "s2", "s3")))


def test_a_missing_object_is_no_broken_store(objects) -> None:
    """A head that is not there yet is None, and what is gone can be removed again."""
    assert objects.head() is None
    assert objects.listed() == set()
    objects.remove([outcome_file("s1")])
    with pytest.raises(FileNotFoundError):
        objects.read(outcome_file("s1"))


def test_sound_of_another_size_is_not_read(objects) -> None:
    """Somebody has put another object in its place: the message says how to fetch it again."""
    objects.write("audio/a.wav", b"RIFF")
    assert RemoteObject(objects, "audio/a.wav", 4).read() == b"RIFF"
    with pytest.raises(errors.StoreError, match=r"holds 4 bytes where it noted 5: pass refresh=True"):
        RemoteObject(objects, "audio/a.wav", 5).read()


def test_a_bucket_that_is_not_there_is_named(objects, monkeypatch) -> None:
    """A backend says of it what it says of a missing object, with the first that is written."""

    def missing(*_: object) -> None:
        raise FileNotFoundError("The specified bucket does not exist")

    monkeypatch.setattr(fsspec.filesystem("memory"), "pipe_file", missing)
    with pytest.raises(errors.StoreError, match=r"bucket does not exist.*check that it exists"):
        objects.write("store.json", b"{}")


@pytest.mark.parametrize("sign", "*?[")
def test_a_place_that_fsspec_takes_for_a_pattern_is_refused(tmp_path, sign) -> None:
    """What is written there would not be found again."""
    with pytest.raises(errors.ConfigurationError, match="patterns"):
        kn.Store(f"file://{tmp_path}/calls{sign}2026")
