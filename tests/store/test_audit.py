"""The audit of a store: what is damaged is found, noted and fetched again, and what is whole is left alone."""

from __future__ import annotations

import sqlite3
import uuid
from concurrent.futures import ThreadPoolExecutor

import fsspec
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.store import audit, sweep
from kataven_notebook.store.audit import unsound
from kataven_notebook.store.bucket import RemoteStore
from kataven_notebook.store.objects import outcome_file

pytestmark = pytest.mark.core


@pytest.fixture
def filled(hub, folder):
    """A store with ten recordings and one outcome without sound."""
    hub.add("gone", state="missing")
    frame = pd.DataFrame({"session_id": [*(f"s{number}" for number in range(10)), "gone"]})
    kn.audio(frame, store=folder, settings=hub.settings, progress=False)
    hub.requests.clear()
    with kn.Store(folder) as store:
        yield store


def file_of(store, session_id: str):
    """Return the path of a session's sound."""
    return store.path / store.load([session_id])[session_id].file


def zero_a_block(path) -> None:
    """Overwrite 4 KB within a file, as a broken disk does; the size stays."""
    data = path.read_bytes()
    path.write_bytes(data[:8_192] + bytes(4_096) + data[12_288:])


def test_a_whole_store_has_no_findings(filled) -> None:
    """The columns are there, and the number of recordings that were looked at."""
    for full in (False, True):
        report = filled.check(full=full, progress=False)
        assert report.empty
        assert report.attrs["checked"] == 10
        assert [str(each) for each in report.dtypes] == ["string"] * 3 + ["Int64"] * 2 + ["string"]


def test_what_is_damaged_is_found_noted_and_fetched_again(hub, filled, folder, wav) -> None:
    """By size alone what is gone or cut short; with checksums a block of zeros too."""
    file_of(filled, "s0").unlink()
    file_of(filled, "s1").write_bytes(b"")
    short = file_of(filled, "s2")
    short.write_bytes(short.read_bytes()[:-1])
    zero_a_block(file_of(filled, "s3"))
    report = filled.check(progress=False).set_index("session_id")
    assert report["problem"].to_dict() == {"s0": "gone", "s1": "wrong_size", "s2": "wrong_size"}
    assert report.loc["s2", ["recording_bytes", "found_bytes"]].tolist() == [len(wav), len(wav) - 1]
    report = filled.check(full=True, progress=False)
    assert report.loc[report["problem"] == "wrong_checksum", "session_id"].tolist() == ["s3"]
    noted = filled.to_frame().set_index("session_id")
    assert set(noted.loc[["s0", "s1", "s2", "s3"], "recording_status"]) == {"failed"}
    assert noted.loc["s3", "recording_error"].startswith("the sound in the store was damaged (wrong checksum)")
    frame = pd.DataFrame({"session_id": [f"s{number}" for number in range(10)]})
    heard = kn.audio(frame, store=folder, settings=hub.settings, progress=False)
    assert heard["recording_status"].eq("downloaded").all()
    assert sorted(each.session_id for each in hub.requests.of("api")) == ["s0", "s1", "s2", "s3"]
    assert heard["audio"][3].encoded() == wav
    assert filled.check(full=True, progress=False).empty


def test_sound_that_no_outcome_names_and_damaged_outcomes_are_found(hub, filled, folder) -> None:
    """The session is named where it is known; a damaged outcome's session is asked for again, and is then whole."""
    orphan = folder / "audio" / "00" / ("0" * 40 + "-" + "1" * 16 + ".wav")
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"RIFF")
    other = file_of(filled, "s5")
    left = other.with_name(other.name.partition("-")[0] + "-" + "2" * 16 + ".wav")
    left.write_bytes(b"RIFF")
    with sqlite3.connect(folder / "ledger.sqlite3", isolation_level=None) as db:
        db.execute("UPDATE outcomes SET first_at = 'never', attempts = 1e300 WHERE session_id = 's4'")
    db.close()
    found = filled.check(progress=False)
    assert sorted(zip(found["problem"], found["session_id"].fillna("?"), strict=True)) == [
        ("damaged_outcome", "s4"),
        ("unnamed_sound", "?"),
        ("unnamed_sound", "s5"),
    ]
    frame = pd.DataFrame({"session_id": ["s4"]})
    for _ in range(2):
        assert (
            kn.audio(frame, store=folder, settings=hub.settings, progress=False)["recording_status"][0] == "downloaded"
        )
    assert hub.requests.count("api") == 1
    assert filled.check(progress=False)["problem"].eq("unnamed_sound").all()


def test_verify_full_reads_what_is_here_too(hub, filled, folder, wav) -> None:
    """A block of zeros went through `audio` and `apply` unseen."""
    zero_a_block(file_of(filled, "s3"))
    frame = pd.DataFrame({"session_id": [f"s{number}" for number in range(10)]})
    options = {"store": folder, "settings": hub.settings, "progress": False}
    assert kn.audio(frame, **options)["recording_status"].eq("downloaded").all()
    assert hub.requests.count() == 0
    found = kn.apply(frame, lambda sound: sound.encoded() == wav, columns="is_same", verify="full", **options)
    assert found["is_same"].all()
    assert [each.session_id for each in hub.requests.of("api")] == ["s3"]


def test_sound_that_is_stored_anew_meanwhile_is_not_called_damaged(filled, wav) -> None:
    """Another process has fetched other sound since the outcomes were read."""
    before = filled.load(["s0"])["s0"]
    with filled.part() as part:
        part.write(wav + b"\0")
        filled.keep("s0", part, "ab" * 32)
    assert not filled.drop_sound(before, "gone")
    assert filled.load(["s0"])["s0"].is_settled


def test_a_file_that_cant_be_read_is_reported_and_not_given_up(filled, monkeypatch) -> None:
    """It may be whole: permissions, or a disk that fails for a moment."""
    checksum = type(filled.sounds).checksum

    def fails(self, file: str) -> str:
        if file == filled.load(["s1"])["s1"].file:
            raise PermissionError(13, "Permission denied")
        return checksum(self, file)

    monkeypatch.setattr(type(filled.sounds), "checksum", fails)
    report = filled.check(full=True, progress=False)
    assert report[["session_id", "problem"]].to_numpy().tolist() == [["s1", "unreadable"]]
    assert filled.load(["s1"])["s1"].is_settled
    assert unsound(filled, list(filled.load().values()), progress=False) == {"s1"}


def test_an_interrupted_check_has_noted_what_it_found(filled, monkeypatch) -> None:
    """And carries the report so far."""
    file_of(filled, "s0").unlink()
    seen = []

    def stops(store, entry, *, full):
        seen.append(entry.session_id)
        return look(store, entry, full=full)

    look = audit._look
    monkeypatch.setattr(audit, "_look", stops)
    count = sweep._Shown.count

    def counts(self) -> None:
        count(self)
        if self._done == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(sweep._Shown, "count", counts)
    with pytest.raises(errors.Interrupted, match=r"4 of 10 recordings are checked") as caught:
        filled.check(full=True, progress=False)
    assert caught.value.frame is not None
    assert filled.to_frame().set_index("session_id").loc["s0", "recording_status"] == "failed"


def test_a_bucket_is_checked_by_listing_and_by_reading(hub, wav) -> None:
    """What is gone, cut short or changed, an outcome that is no outcome, and sound that none names."""
    url = f"memory://{uuid.uuid4().hex}"
    frame = pd.DataFrame({"session_id": [f"s{number}" for number in range(6)]})
    options = {"store": url, "settings": hub.settings, "progress": False}
    kn.audio(frame, **options)
    store = kn.Store(url)
    files = {entry.session_id: entry.file for entry in store.load().values()}
    assert store.check(full=True, progress=False).empty
    fs, root = fsspec.url_to_fs(url)
    fs.rm_file(f"{root}/{files['s0']}")
    store.folder.write(files["s1"], wav[:100])
    store.folder.write(files["s2"], wav[:8_192] + bytes(4_096) + wav[12_288:])
    store.folder.write(outcome_file("s3"), b"{")
    by_size = store.check(progress=False)
    assert sorted(zip(by_size["problem"], by_size["session_id"].fillna("?"), strict=True)) == [
        ("damaged_outcome", "?"),
        ("gone", "s0"),
        ("unnamed_sound", "?"),
        ("wrong_size", "s1"),
    ]
    assert "wrong_checksum" in store.check(full=True, progress=False)["problem"].tolist()
    hub.requests.clear()
    heard = kn.audio(frame, **options)
    assert [each.encoded() == wav for each in heard["audio"]] == [True] * 6
    assert {each.session_id for each in hub.requests.of("api")} >= {"s0", "s1", "s2"}
    store.load()
    kn.audio(frame, refresh=True, **options)
    assert store.check(full=True, progress=False).empty


def test_sizes_are_compared_at_any_number_of_rows(hub, folder, wav) -> None:
    """1,200 rows with a truncated, an empty and a removed file: three are asked for again."""
    ids = [f"many-{number}" for number in range(1_200)]
    for each in ids:
        hub.add(each, wav)
    with kn.Store(folder) as store:
        for each in ids:
            with store.part() as part:
                part.write(wav)
                store.keep(each, part, "ab" * 32)
        file_of(store, ids[3]).write_bytes(wav[:-1])
        file_of(store, ids[500]).write_bytes(b"")
        file_of(store, ids[1_100]).unlink()
    frame = pd.DataFrame({"session_id": ids})
    heard = kn.audio(frame, store=folder, settings=hub.settings, progress=False)
    assert heard["recording_status"].eq("downloaded").all()
    assert sorted(each.session_id for each in hub.requests.of("api")) == sorted([ids[3], ids[500], ids[1_100]])


def test_an_outcome_takes_the_place_of_sound_that_is_damaged(hub, filled, folder) -> None:
    """The recording is gone from the service too: its row must not name damaged sound for ever."""
    file_of(filled, "s0").write_bytes(b"")
    hub.add("s0", state="missing")
    frame = pd.DataFrame({"session_id": ["s0"]})
    for _ in range(2):
        found = kn.audio(frame, store=folder, settings=hub.settings, progress=False)
        assert found["recording_status"].tolist() == ["missing"]
    assert hub.requests.count("api") == 1


def test_other_machines_learn_that_sound_is_damaged(hub, wav, monkeypatch, tmp_path) -> None:
    """They remember that it is there: the store gets a new id, and they look anew."""
    url = f"memory://{uuid.uuid4().hex}"
    frame = pd.DataFrame({"session_id": ["s0", "s1"]})
    options = {"settings": hub.settings, "progress": False}
    kn.audio(frame, store=url, **options)
    monkeypatch.setenv("KATAVEN_STATE_DIR", str(tmp_path / "another machine's"))
    theirs = RemoteStore(url)
    assert theirs.load(["s0"])["s0"].file is not None
    monkeypatch.undo()
    mine = RemoteStore(url)
    mine.folder.write(mine.folder.sound_of("s0")[0], wav[:8_192] + bytes(4_096) + wav[12_288:])
    assert mine.check(full=True, progress=False)["session_id"].tolist() == ["s0"]
    hub.requests.clear()
    assert kn.audio(frame, store=theirs, **options)["audio"][0].encoded() == wav
    assert [each.session_id for each in hub.requests.of("api")] == ["s0"]


def test_a_place_that_cant_be_looked_at_is_unreadable(filled, folder) -> None:
    """A loop of links, or a folder of somebody else's: nothing is noted against the sound."""
    path = file_of(filled, "s2")
    path.unlink()
    path.symlink_to(path)
    report = filled.check(progress=False)
    assert report[["session_id", "problem"]].to_numpy().tolist() == [["s2", "unreadable"]]
    assert filled.to_frame().set_index("session_id").loc["s2", "recording_status"] == "downloaded"
    path.unlink()


def test_what_is_being_stored_is_not_called_damaged(hub, folder, wav) -> None:
    """Fetched, and fetched anew with other sound, while the store is checked again and again."""
    ids = [f"many-{number}" for number in range(150)]
    for each in ids:
        hub.add(each, wav)
    frame = pd.DataFrame({"session_id": ids})
    options = {"settings": hub.settings, "progress": False}
    reports = []
    with kn.Store(folder) as store, ThreadPoolExecutor(1) as pool:
        for change in (b"", b"\1"):
            for each in ids:
                hub.add(each, wav[: len(wav) - len(change)] + change)
            run = pool.submit(kn.audio, frame, store=folder, refresh=True, **options)
            while not run.done():
                reports.append(store.check(full=True, progress=False))
            assert run.result()["recording_status"].eq("downloaded").all()
        reports.append(store.check(full=True, progress=False))
    assert not any(each["problem"].isin(audit.DAMAGE).any() for each in reports)
    assert reports[-1].empty
