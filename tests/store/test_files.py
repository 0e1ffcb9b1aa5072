"""The files of a store's folder: named when they are whole, and with the names that outcomes have."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from kataven_notebook.store.files import SoundFolder

pytestmark = pytest.mark.core
NAME = "audio/ab/" + "ab" * 20 + "-" + "01" * 8 + ".wav"


@pytest.fixture
def sounds(folder) -> SoundFolder:
    """A new folder."""
    return SoundFolder(folder)


def put(sounds: SoundFolder, data: bytes, name: str = NAME) -> None:
    """Store a file."""
    with sounds.part() as part:
        part.write(data)
        sounds.take(part, name, hashlib.sha256(data).hexdigest())


def test_a_file_is_found_by_the_name_that_outcomes_have(sounds, folder) -> None:
    """With slashes on every system, alone or in a listing."""
    assert sounds.sizes() == {}
    put(sounds, b"RIFF")
    assert sounds.sizes() == {NAME: 4}
    assert sounds.size_of(NAME) == 4
    assert sounds.checksum(NAME) == hashlib.sha256(b"RIFF").hexdigest()
    assert Path(sounds.place_of(NAME)) == folder / NAME
    (folder / NAME).unlink()
    (folder / NAME).symlink_to(folder / "nowhere")
    assert sounds.sizes() == {NAME: -1}
    assert sounds.size_of(NAME) is None
    sounds.remove(NAME)
    sounds.remove(NAME)


def test_a_file_that_somebody_reads_is_the_same_sound_or_an_error(sounds, monkeypatch) -> None:
    """Windows replaces no open file; a name says what is in it."""
    put(sounds, b"RIFF")

    def is_open(*_: object) -> None:
        raise PermissionError(13, "The process cannot access the file because it is being used")

    monkeypatch.setattr(os, "replace", is_open)
    put(sounds, b"RIFF")
    with pytest.raises(OSError, match="being used"):
        put(sounds, b"other")
    assert sounds.checksum(NAME) == hashlib.sha256(b"RIFF").hexdigest()


def test_what_is_forgotten_is_all_sound_of_the_session(sounds) -> None:
    """Also what no outcome names; sessions whose names begin with the same letters stay."""
    put(sounds, b"RIFF")
    put(sounds, b"RIFX", NAME.replace("0101", "0202"))
    other = NAME.replace("abab-", "abac-")
    put(sounds, b"RIFX", other)
    sounds.forget({"ab" * 20})
    assert list(sounds.sizes()) == [other]
