"""Sound is known by one checksum, wherever it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from frames import calls

import kataven_notebook as kn
from kataven_notebook.store.checksums import short_checksum

pytestmark = pytest.mark.core


@pytest.fixture
def recording() -> kn.Recording:
    """A second of sound in memory."""
    return kn.Recording.from_samples([[0.25, -0.25]] * 8_000, 8_000, session_id="a")


def test_it_is_of_the_encoded_bytes(recording, tmp_path) -> None:
    """In memory and in any file."""
    expected = hashlib.sha256(recording.encoded()).hexdigest()[:16]
    path = tmp_path / "a.wav"
    path.write_bytes(recording.encoded())
    assert short_checksum(recording) == short_checksum(kn.Recording.from_file(path)) == expected


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_a_stores_file_is_not_read_for_it(recording, tmp_path, monkeypatch, kind) -> None:
    """Its name states the checksum."""
    place = str(tmp_path / "calls") if kind == "folder" else (tmp_path / "calls").as_uri()
    sound = kn.Recording.from_bytes(recording.encoded(), session_id="a")
    frame = kn.audio(
        calls("a", audio=[sound]), store=place, progress=False, settings=kn.Settings(api_key="sk_live_acme_key")
    )
    stored = frame["audio"].iloc[0]
    assert not stored.is_in_memory
    monkeypatch.setattr(Path, "open", None)
    monkeypatch.setattr(kn.Recording, "encoded", None)
    expected = hashlib.sha256(bytes(sound.source)).hexdigest()[:16]
    assert short_checksum(stored) == expected


def test_other_sound_is_read_once(recording, tmp_path) -> None:
    """A second question costs nothing, also where the file is gone by then; a file that never was is an error."""
    path = tmp_path / "a.wav"
    path.write_bytes(recording.encoded())
    opened = kn.Recording.from_file(path)
    found = short_checksum(opened)
    unread = kn.Recording.from_file(path)
    path.unlink()
    assert short_checksum(opened) == found
    with pytest.raises(FileNotFoundError):
        short_checksum(unread)
