"""Sound that is here already goes into a store, and only where it is whole."""

from __future__ import annotations

import uuid

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import Recording, Store, errors
from kataven_notebook.store import sweep
from kataven_notebook.store.intake import take_in

pytestmark = pytest.mark.core


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_sound_in_memory_becomes_the_stores(folder, wav, kind) -> None:
    """The recording that comes back reads it there."""
    with Store(folder if kind == "folder" else f"memory://{uuid.uuid4().hex}") as store:
        kept = take_in(store, {"s1": Recording.from_bytes(wav, session_id="s1")}, progress=False)["s1"]
        assert kept is not None
        assert kept.encoded() == wav
        assert (kept.path is not None) == (kind == "folder")
        assert store.load(["s1"])["s1"].is_settled
        assert store.check(full=True, progress=False).empty


def test_what_cant_be_read_or_is_damaged_is_not_taken(folder, wav, tmp_path) -> None:
    """A file that is gone, one that has changed since, and another store's whose bytes its name contradicts."""
    loose = tmp_path / "loose.wav"
    loose.write_bytes(wav)
    sounds = {"gone": Recording.from_file(loose, session_id="gone")}
    loose.unlink()
    for name, change in (("short", wav[:-1]), ("zeroed", wav[:8_192] + bytes(4_096) + wav[12_288:])):
        with Store(tmp_path / "other") as other:
            sounds[name] = take_in(other, {name: Recording.from_bytes(wav, session_id=name)}, progress=False)[name]
        sounds[name].path.write_bytes(change)
    with Store(folder) as store:
        assert take_in(store, sounds, progress=False) == dict.fromkeys(sounds)
        assert store.load() == {}
        assert not list((folder / "parts").iterdir())


def test_an_interrupt_keeps_what_was_taken(folder, wav, monkeypatch) -> None:
    """The message says how many, and that the same call goes on."""
    count = sweep._Shown.count

    def counts(self) -> None:
        count(self)
        if self._done == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(sweep._Shown, "count", counts)
    sounds = {f"s{number}": Recording.from_bytes(wav, session_id=f"s{number}") for number in range(50)}
    with Store(folder) as store:
        with pytest.raises(errors.Interrupted, match="2 of 50 sessions"):
            take_in(store, sounds, progress=False)
        assert 3 <= len(store.load()) < 50


def test_a_store_of_another_account_gets_no_sound(hub, folder) -> None:
    """It is refused before anything is written."""
    frame = kn.audio(pd.DataFrame({"session_id": ["s0"]}), settings=hub.settings, progress=False)
    with Store(folder) as store:
        store.bind(kn.Settings(api_key="sk_live_other_0123456789"))
        with pytest.raises(errors.StoreError, match="another account"):
            kn.audio(frame, store=store, settings=hub.settings, progress=False)
        assert store.load() == {}
