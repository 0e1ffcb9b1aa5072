"""What a store knows of one session, and the name of its file."""

from __future__ import annotations

import pytest

from kataven_notebook import Recording
from kataven_notebook.store.entry import Entry, is_file_name

pytestmark = pytest.mark.core


def test_an_entry_of_sound_gives_the_recording_back(wav) -> None:
    """Header and size, so that a recording can be shown before its file is read."""
    recording = Recording.from_bytes(wav)
    entry = Entry.of_sound("s1", recording, "ab" * 32)
    assert entry.sound_info == recording.info
    assert (entry.status, entry.size_bytes, entry.is_settled) == ("downloaded", len(wav), True)


def test_the_name_of_a_file_is_its_sessions_and_its_sounds(wav) -> None:
    """Safe and silent whatever the id is, and another one for other sound of the same session."""
    recording = Recording.from_bytes(wav)
    names = [
        Entry.of_sound(each, recording, sha * 32).file for each in ("s1", "../Frau Müller") for sha in ("ab", "cd")
    ]
    assert len(set(names)) == 4
    assert all(map(is_file_name, names))


@pytest.mark.parametrize("status", ["missing", "corrupt", "pending", "failed", "limited"])
def test_only_final_answers_are_settled(status) -> None:
    """The others are asked for again."""
    assert Entry("s1", status).is_settled == (status in ("missing", "corrupt"))
