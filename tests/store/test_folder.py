"""The store: nothing finished is lost, nothing half-written is taken for whole."""

from __future__ import annotations

import gc
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import Status, Store
from kataven_notebook.errors import StoreError
from kataven_notebook.run.plan import Plan, Task
from kataven_notebook.run.run import Run
from kataven_notebook.service.budget import shared_budget
from kataven_notebook.store.ledger import Ledger

pytestmark = pytest.mark.core


def fetch(hub, store, *ids: str, **options) -> pd.DataFrame:
    """Run `audio` through a store."""
    frame = pd.DataFrame({"session_id": list(ids) if ids else hub.sessions["session_id"]})
    return kn.audio(frame, settings=hub.settings, store=store, progress=False, **options)


def files(folder) -> list[str]:
    """The sound files of a store."""
    return sorted(str(path.relative_to(folder)) for path in (folder / "audio").rglob("*") if path.is_file())


def test_what_is_finished_is_not_asked_for_again(hub, folder, wav) -> None:
    """Sound and final answers come from the store, in a new process too; the rest is asked for."""
    hub.add("gone", state="missing")
    hub.add("broken", b"<html>")
    hub.add("late", state="pending")
    first = fetch(hub, folder, "s0", "gone", "broken", "late")
    assert first["recording_status"].tolist() == ["downloaded", "missing", "corrupt", "pending"]
    hub.requests.clear()
    again = fetch(hub, str(folder), "s0", "gone", "broken", "late", "s1")
    assert again["recording_status"].tolist() == ["downloaded", "missing", "corrupt", "pending", "downloaded"]
    assert sorted(each.session_id for each in hub.requests.api) == ["late", "s1"]
    assert again["audio"][0].encoded() == wav
    assert again["audio"][0].path is not None


def test_sound_in_a_store_takes_no_memory(hub, folder, wav) -> None:
    """Forty times a megabyte: the frame holds recordings that read their files when they are asked."""
    sound = wav[:40] + (1_000_000).to_bytes(4, "little") + bytes(1_000_000)  # the same header over more sound
    ids = [f"large-{number}" for number in range(40)]
    for name in ids:
        hub.add(name, sound)
    fetch(hub, folder, "s0")  # what is imported and kept once
    tracemalloc.start()
    try:
        found = fetch(hub, folder, *ids)
        gc.collect()
        held_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert found["recording_status"].eq("downloaded").all()
    assert held_bytes < 10e6
    assert found["audio"][39].encoded() == sound


def test_everything_about_a_session_is_returned(hub, folder, wav) -> None:
    """One row a session, with size, checksum, length and times."""
    fetch(hub, folder, "s0")
    with Store(folder) as store:
        row = store.to_frame().iloc[0]
        assert repr(store) == f"<Store '{folder}': 1 downloaded>"
    assert (row["recording_status"], row["recording_bytes"], row["duration_s"]) == ("downloaded", len(wav), 0.5)
    assert row["sha256"] == hashlib.sha256(wav).hexdigest()
    assert hashlib.sha256((folder / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    assert abs(pd.Timestamp.now(tz="UTC") - row["updated_at"]) < pd.Timedelta("1min")


def test_attempts_count_what_was_asked_and_not_what_waited(hub, folder) -> None:
    """Two runs that asked are two; a row that was skipped or limited was no attempt."""
    hub.faults.add("s0", "api:no_url")
    fetch(hub, folder, "s0")
    fetch(hub, folder, "s0")
    limited = kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=kn.Limits(per_minute=1))
    frame = pd.DataFrame({"session_id": ["s1", "s2", "s3"]})
    kn.audio(frame, settings=limited, store=folder, max_wait=0, progress=False)
    with Store(folder) as store:
        told = store.to_frame().set_index("session_id")["attempts"].to_dict()
    assert told["s0"] == 2
    assert len(told) == 2


def test_a_failure_does_not_hide_sound_that_is_there(hub, folder, wav) -> None:
    """`refresh` that fails says so in the frame, and the store keeps what it has."""
    fetch(hub, folder, "s0")
    hub.faults.add("s0", "storage:denied", times=1)
    assert fetch(hub, folder, "s0", refresh=True)["recording_status"].tolist() == ["failed"]
    hub.requests.clear()
    assert fetch(hub, folder, "s0")["audio"][0].encoded() == wav
    assert hub.requests.count() == 0


def test_refreshed_sound_takes_the_place_of_the_old(hub, folder, wav) -> None:
    """One file a session, and the entry is about that one."""
    fetch(hub, folder, "s0")
    other = wav[:-4] + b"\1\2\3\4"
    hub.add("s0", other)
    assert fetch(hub, folder, "s0", refresh=True)["audio"][0].encoded() == other
    assert len(files(folder)) == 1
    assert fetch(hub, folder, "s0")["audio"][0].encoded() == other


def test_a_file_that_is_gone_is_asked_for_again(hub, folder) -> None:
    """Somebody tidied up: the session is fetched anew."""
    fetch(hub, folder, "s0", "s1")
    (folder / files(folder)[0]).unlink()
    hub.requests.clear()
    assert set(fetch(hub, folder, "s0", "s1")["recording_status"]) == {"downloaded"}
    assert hub.requests.count("api") == 1


def test_everything_is_private(hub, folder) -> None:
    """Calls are nobody else's business on the machine."""
    fetch(hub, folder, "s0")
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_store_of_another_account_says_so_and_can_be_adopted(hub, folder) -> None:
    """Two accounts' sessions are not mixed; a renamed account takes its store over once."""
    fetch(hub, folder, "s0")
    other = kn.Settings(api_key=hub.api_key, account_id="other", base_url=hub.base_url)
    frame = pd.DataFrame({"session_id": ["s1"]})
    hub.requests.clear()
    with pytest.raises(StoreError, match="another account"):
        kn.audio(frame, settings=other, store=folder, progress=False)
    assert hub.requests.count() == 0
    with Store(folder) as store:
        store.adopt(other)
        store.bind(other)
        with pytest.raises(StoreError, match="another account"):
            store.bind(hub.settings)


def test_a_renewed_key_is_the_same_account(hub, folder) -> None:
    """Keys rotate; the store stays."""
    fetch(hub, folder, "s0")
    renewed = kn.Settings(api_key=hub.accounts.add(hub.account), base_url=hub.base_url)
    assert renewed.api_key != hub.api_key
    with Store(folder) as store:
        store.bind(renewed)


def test_a_finished_store_can_be_read_without_a_key(hub, folder, wav) -> None:
    """On a machine that has no credentials the sound is still there, and what is known of sessions without any."""
    hub.add("gone", state="missing")
    frame = pd.DataFrame({"session_id": ["s0", "gone"]})
    fetch(hub, folder, *frame["session_id"])
    found = kn.audio(frame, settings=kn.Settings(), store=folder, progress=False)
    assert found["recording_status"].tolist() == ["downloaded", "missing"]
    assert found["audio"][0].encoded() == wav


def test_a_file_in_the_folders_place_is_one_error(tmp_path) -> None:
    """No traceback of the operating system's."""
    (tmp_path / "calls").write_text("")
    with pytest.raises(StoreError, match="can't be"):
        Store(tmp_path / "calls")


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path) -> None:
    """Permissions are named; root, who may write everywhere, becomes nobody first."""
    code = (
        "import os, sys; from kataven_notebook import Store\n"
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: Store(sys.argv[1])\n"
        "except OSError as error: print(type(error).__name__, error)"
    )
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = subprocess.run(
        [sys.executable, "-c", code, str(closed / "calls")], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("StoreError")
    assert "can't be written" in done.stdout


def test_a_full_disk_is_one_error_and_no_corruption(hub, folder, wav) -> None:
    """Simulated by a file size limit of the process: what is finished stays, nothing half is taken for whole."""
    code = f"""
import resource, signal, sys
import pandas as pd
import kataven_notebook as kn
settings = kn.Settings(api_key={hub.api_key!r}, base_url={hub.base_url!r}, limits=kn.Limits(None, None, None, 20))
frame = pd.DataFrame({{"session_id": ["s0"]}})
kn.audio(frame, settings=settings, store=sys.argv[1], progress=False)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))
try:
    kn.audio(pd.DataFrame({{"session_id": ["s0", "s1", "s2"]}}), settings=settings, store=sys.argv[1], progress=False)
except kn.errors.StoreError as error:
    print("StoreError", error)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("StoreError"), done.stderr
    with Store(folder) as store:
        assert store.to_frame()["session_id"].tolist() == ["s0"]
        assert store.load(["s0"])["s0"].is_settled
    assert list((folder / "parts").iterdir()) == []
    found = fetch(hub, folder, "s0", "s1", "s2")
    assert [each.encoded() == wav for each in found["audio"]] == [True] * 3


def test_sound_is_on_the_disk_before_it_gets_its_name(folder, wav, monkeypatch) -> None:
    """Written, brought to the disk, renamed, and only then named in the ledger: in this order, whatever fails next."""
    done: list[str] = []
    fsync, replace, put = os.fsync, Path.replace, Ledger.put

    def syncs(descriptor: int) -> None:
        done.append(f"fsync {os.fstat(descriptor).st_size}")
        fsync(descriptor)

    def renames(self: Path, target: Path) -> Path:
        done.append(f"rename to {target.suffix}")
        return replace(self, target)

    def writes(self, entry):
        done.append(f"ledger {entry.status}")
        return put(self, entry)

    monkeypatch.setattr(os, "fsync", syncs)
    monkeypatch.setattr(Path, "replace", renames)
    monkeypatch.setattr(Ledger, "put", writes)
    with Store(folder) as store, store.part() as part:
        part.write(wav)
        assert store.keep("s0", part, hashlib.sha256(wav).hexdigest()).encoded() == wav
    assert done == [f"fsync {len(wav)}", "rename to .wav", "ledger downloaded"]


def test_two_processes_share_a_store_and_ask_once_a_session(many_slow, folder) -> None:
    """Whoever comes to a session first does it; the other takes what is there."""
    code = f"""
import sys
import pandas as pd
import kataven_notebook as kn
settings = kn.Settings(api_key={many_slow.api_key!r}, base_url={many_slow.base_url!r},
                       limits=kn.Limits(None, None, None, 20))
frame = pd.DataFrame({{"session_id": [f"s{{n}}" for n in range(60)]}})
found = kn.audio(frame, settings=settings, store=sys.argv[1], progress=False)
print((found["recording_status"] == "downloaded").sum())
"""
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [each.communicate()[0].strip() for each in running] == ["60", "60"]
    assert (many_slow.requests.count("api"), many_slow.requests.refused) == (60, 0)
    assert many_slow.requests.most_in_flight("api") <= 20
    assert len(files(folder)) == 60


@pytest.fixture
def many_slow(wav):
    """A Hub that takes its time, so that two processes meet."""
    sessions = {f"s{number}": wav for number in range(60)}
    limits = kn.Limits(None, None, None, 20)
    with kn.demo.hub(sessions=sessions, limits=limits, api_latency_s=0.1, storage_latency_s=0.2) as running:
        yield running


def test_a_session_that_another_process_settles_waits_for_the_budget_no_longer(hub, folder) -> None:
    """Two kernels share a store, the hour is used up, and the other one has done the rest."""
    limits = kn.Limits(per_minute=2, per_hour=None, per_day=None, minute_s=3_600.0)
    settings = kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=limits)
    frame = pd.DataFrame({"session_id": [f"elsewhere-{number}" for number in range(40)]})
    found = []
    with Store(folder) as store, Store(folder) as theirs:
        run = threading.Thread(
            target=lambda: found.append(kn.audio(frame, settings=settings, store=store, progress=False)), daemon=True
        )
        run.start()
        while run.is_alive() and (hub.requests.count("api") < 2 or not shared_budget(settings).waiting):
            time.sleep(0.005)
        for each in frame["session_id"]:
            theirs.note(each, Status.CORRUPT, "the file is empty")
        run.join(30)  # the hour is longer
        assert found
    assert hub.requests.count("api") == 2
    assert set(found[0]["recording_status"]) == {"corrupt", "missing"}


def test_a_failed_row_gives_its_claim_back(hub, folder) -> None:
    """Another kernel may try it at once."""
    hub.faults.add("s0", "storage:stall")
    settings = kn.Settings(api_key=hub.api_key, base_url=hub.base_url, limits=kn.Limits(None, None, None, 20),
                           request_timeout_s=0.5)  # fmt: skip
    frame = pd.DataFrame({"session_id": ["s0"]})
    kn.audio(frame, settings=settings, store=folder, progress=False)
    with sqlite3.connect(folder / "ledger.sqlite3") as db:
        assert db.execute("SELECT count(*) FROM claims").fetchone() == (0,)
    db.close()


def test_an_interrupted_run_gives_its_claims_back(hub, folder) -> None:
    """A download that was cut off is another kernel's at once."""
    hub.faults.add("s0", "storage:drip", bytes_per_s=400.0)
    with Store(folder) as store:
        with Run(Plan(settings=hub.settings, store=store), [Task("s0")]) as run:
            run._start_threads()
            while not hub.requests.count("storage"):
                time.sleep(0.005)
            assert [row[0] for row in store._ledger._read("SELECT session_id FROM claims", ())] == ["s0"]
            assert run.drain() == []
        for thread in run._threads:
            thread.join()
        assert store._ledger._read("SELECT session_id FROM claims", ()) == []


def test_forget_removes_sound_and_outcome_for_good(hub, folder) -> None:
    """Neither the file, nor the id in the ledger, nor in its write-ahead log; the rest stays."""
    hub.add("caller-0815", hub.data("s0"))
    fetch(hub, folder, "caller-0815", "s1")
    with Store(folder) as store:
        before = files(folder)
        removed = store.forget(["caller-0815", "unknown"])
        assert removed["session_id"].tolist() == ["caller-0815"]
        assert len(files(folder)) == len(before) - 1
        assert store.to_frame()["session_id"].tolist() == ["s1"]
    raw = b"".join(path.read_bytes() for path in folder.glob("ledger.sqlite3*"))
    assert b"caller-0815" not in raw
    assert b"s1" in raw


def test_parts_of_the_dead_are_cleared_away_and_those_of_the_living_stay(folder) -> None:
    """A killed download's rest is removed when somebody opens the store."""
    Store(folder).close()
    dead = folder / "parts" / f"{os.uname().nodename}~999999~1.00~x.part"
    dead.write_bytes(b"half")
    with Store(folder) as store, store.part() as part:
        part.write(b"x")
        with Store(folder):
            assert [path.name for path in (folder / "parts").iterdir()] == [os.path.basename(part.name)]  # noqa: PTH119 - a name
    assert list((folder / "parts").iterdir()) == []


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="mounts a small disk of its own")
def test_a_disk_that_filled_up_goes_on_with_space_again(hub, tmp_path, wav) -> None:
    """On a real disk of a megabyte: what is finished is whole, and with space again the same call goes on."""
    disk = tmp_path / "disk"
    disk.mkdir()
    sound = wav[:40] + (320_000).to_bytes(4, "little") + bytes(320_000)  # the same header over more sound
    ids = [f"large-{number}" for number in range(6)]
    for name in ids:
        hub.add(name, sound)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    try:
        with pytest.raises(StoreError, match=r"full.*free some space"):
            fetch(hub, disk / "calls", *ids, in_flight=1)
        with Store(disk / "calls") as store:
            finished = store.load()
            assert 0 < len(finished) < len(ids)
            assert all(store.recording(entry).encoded() == sound for entry in finished.values())
            assert list((disk / "calls" / "parts").iterdir()) == []
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        hub.requests.clear()
        heard = fetch(hub, disk / "calls", *ids)
        assert heard["recording_status"].eq("downloaded").all()
        assert not {request.session_id for request in hub.requests.of("api")} & set(finished)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_large_store_whose_sound_was_removed_is_asked_for_again(hub, folder) -> None:
    """Above the number from which on folders are listed and no file is looked at alone."""
    fetch(hub, folder, "s0")
    store = Store(folder)
    for number in range(1, 1_002):
        store.note(f"s{number}", Status.MISSING, None)
    shutil.rmtree(folder / "audio")
    assert "s0" not in store.load()
    assert len(store.load()) == 1_001


needs_moving = pytest.mark.skipif(os.name == "nt", reason="no open file is moved there")


@needs_moving
def test_a_store_that_is_replaced_while_it_is_open_knows_what_it_keeps(hub, folder) -> None:
    """Its ledger is the one that others see, not the one that was removed."""
    store = Store(folder)
    assert fetch(hub, store, "s0")["recording_status"].tolist() == ["downloaded"]
    shutil.rmtree(folder)
    with pytest.raises(StoreError, match="check that the folder is there"):
        fetch(hub, store, "s1")
    assert not folder.exists()
    Store(folder).close()
    assert fetch(hub, store, "s0", "s1")["recording_status"].tolist() == ["downloaded", "downloaded"]
    with Store(folder) as fresh:
        assert sorted(fresh.load()) == ["s0", "s1"]


@needs_moving
@pytest.mark.parametrize("other", [b"RI", None], ids=["a copy", "gone"])
def test_sound_whose_folder_was_moved_while_it_arrived_is_not_corrupt(folder, wav, other) -> None:
    """That would be final; what lies in its place is a copy of its beginning, or nothing."""
    with Store(folder) as store, store.part() as part:
        part.write(wav)
        part.flush()
        Path(part.name).rename(folder / "elsewhere")
        if other is not None:
            Path(part.name).write_bytes(other)
        with pytest.raises(StoreError, match="check that the folder is there"):
            store.arrived("s0", part)


@pytest.mark.parametrize("name", ["parts", "audio"])
def test_a_folder_of_a_store_that_was_tidied_away_is_made_again(hub, folder, name) -> None:
    """Also by the store that is open."""
    with Store(folder) as store:
        assert fetch(hub, store, "s0")["recording_status"].tolist() == ["downloaded"]
        shutil.rmtree(folder / name)
        assert fetch(hub, store, "s1")["recording_status"].tolist() == ["downloaded"]
        assert (folder / name).stat().st_mode & 0o077 == 0 or os.name == "nt"
