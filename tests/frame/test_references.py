"""What is written of a recording, and what becomes of it when it is read."""

from __future__ import annotations

import os

import numpy as np
import pytest

from kataven_notebook import Recording, Store
from kataven_notebook.frame.references import Reference, bytes_in_memory, recordings_in, without_credentials
from kataven_notebook.store.objects import ObjectFolder, RemoteObject

pytestmark = pytest.mark.core


def kept(place: str, wav: bytes) -> Recording:
    """Return a store's recording of sound."""
    with Store(place) as store, store.part() as part:
        part.write(wav)
        return store.keep("s1", part, "ab" * 32)


@pytest.fixture
def written(wav, tmp_path) -> Reference:
    """What is written of a file."""
    (tmp_path / "a.wav").write_bytes(wav)
    return Reference.of(Recording.from_file(tmp_path / "a.wav", session_id="s1"))


def test_a_file_is_named_and_found_again(written, wav, tmp_path) -> None:
    """With what its header says, so that it need not be opened."""
    assert (written.path, written.store, written.sha256, written.sound) == (str(tmp_path / "a.wav"), None, None, None)
    assert (written.format, written.sample_rate, written.size_bytes) == ("wav", 8_000, len(wav))
    (tmp_path / "a.wav").write_bytes(bytes(len(wav)))
    found = written.recording()
    assert (found.session_id, found.duration_s, found.path) == ("s1", 0.5, tmp_path / "a.wav")


@pytest.mark.parametrize("place", ["calls", "memory://references/calls"])
def test_sound_of_a_store_is_named_with_the_checksum_that_its_name_states(place, wav, tmp_path) -> None:
    """A file of this machine, or of a bucket."""
    recording = kept(str(tmp_path / place) if place == "calls" else place, wav)
    written = Reference.of(recording)
    assert written.sha256 == "ab" * 8
    assert (written.path is None) == (written.store is not None) == (place != "calls")
    assert written.recording().encoded() == wav


def test_sound_in_memory_is_written_only_where_it_is_asked_for(wav) -> None:
    """And comes back as it was, marked where it is a part of other sound."""
    part = Recording.from_bytes(wav, session_id="s1").slice(0.1, 0.2)
    assert not Reference.of(part).is_lasting
    written = Reference.of(part, with_bytes=True)
    assert written.is_lasting
    found = written.recording()
    assert (found.encoded(), found.is_derived, bytes_in_memory(found)) == (part.encoded(), True, part.size_bytes)


def test_a_stores_url_is_written_without_credentials(wav) -> None:
    """Whoever opens it has their own."""
    folder = ObjectFolder("s3://key:s3cret@bucket/calls?token=s3cret")
    remote = RemoteObject(folder, f"audio/ab/{'ab' * 20}-{'cd' * 8}.wav", len(wav))
    written = Reference.of(Recording(remote, Recording.from_bytes(wav).info, len(wav)))
    assert written.store == "s3://bucket/calls"
    assert "s3cret" not in repr(written.recording().__reduce__())
    assert without_credentials("memory://calls") == "memory://calls"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"path": "{folder}/gone.wav"}, "can't be read"),
        ({"path": "{folder}"}, "another one by now"),
        ({"path": "{folder}/pipe"}, "another one by now"),
        ({"path": "{folder}/a.wav\0"}, "can't be read"),
        ({"size_bytes": 16_045}, "another one by now"),
        ({"path": "a.wav"}, "names neither"),
        ({"path": 0}, "names neither"),
        ({"path": None, "store": "memory://calls", "file": "../../a.wav"}, "names neither"),
        ({"path": None, "store": "/etc", "file": "passwd"}, "names neither"),
        ({"format": "hls"}, "can't be true"),
        ({"format": None}, "can't be true"),
        ({"format": ["wav"]}, "can't be true"),
        ({"codec": "pcm\x1b[2J"}, "can't be true"),
        ({"channels": 65_000}, "65000 channels"),
        ({"sample_rate": 0}, "sample rate of 0"),
        ({"frames": 2**62}, "can't hold"),
        ({"frames": 0.5}, "can't be true"),
        ({"frames": None}, "can't be true"),
        ({"frames": -1}, "no sound"),
        ({"sound": b"RIFF and no more"}, "not audio"),
    ],
)
def test_what_is_gone_or_nobody_could_have_written_is_missing_with_a_reason(written, tmp_path, change, reason) -> None:
    """A table may come from anybody: nothing is opened, no pipe waited for, and only formats that we read decoded."""
    os.mkfifo(tmp_path / "pipe")
    placed = {name: each.format(folder=tmp_path) if isinstance(each, str) else each for name, each in change.items()}
    with pytest.warns(UserWarning, match="1 of 2 recordings are not where the table says") as told:
        found = recordings_in([written, None, written._replace(**placed)])
    assert [each is None for each in found] == [False, True, True]
    text = str(told[0].message)
    assert reason in text
    assert "session 's1'" in text
    assert text.isprintable()


def test_numbers_that_became_floats_are_taken(written) -> None:
    """Pandas makes floats of whole numbers among which one is missing."""
    loose = {name: float(each) if type(each) is int else each for name, each in written._asdict().items()}
    assert Reference.is_written_in(loose)
    assert Reference.of_mapping(loose).recording().frames == written.frames
    assert not Reference.is_written_in({"path": "a.wav"})


def test_a_table_may_say_anything_of_whether_sound_is_derived(written) -> None:
    """What is no answer is none."""
    assert not written._replace(is_derived=np.array([1, 1])).recording().is_derived
    assert written._replace(is_derived=True).recording().is_derived
