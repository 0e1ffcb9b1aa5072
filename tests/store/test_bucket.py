"""The store on object storage: on a real S3 server, and on whatever else fsspec opens."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import uuid
import warnings
from concurrent.futures import ProcessPoolExecutor

import fsspec
import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from weed import ACCESS_KEY, BUCKET, SECRET_KEY

import kataven_notebook as kn
from kataven_notebook import demo, errors
from kataven_notebook.frame.apply import apply
from kataven_notebook.settings import current_settings
from kataven_notebook.store.accounts import account_mark
from kataven_notebook.store.bucket import RemoteStore
from kataven_notebook.store.entry import Entry, hashed_id
from kataven_notebook.store.objects import ObjectFolder, outcome_file

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@pytest.fixture(scope="module")
def service():
    """Six good sessions, one missing, one pending and one broken."""
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(0).normal(0, 0.1, (2_000, 2)), 8_000, format="WAV")
    unlimited = kn.Limits(per_minute=None, per_hour=None, per_day=None)
    with demo.hub(sessions={f"s{number}": file.getvalue() for number in range(6)}, limits=unlimited) as running:
        running.add("gone", state="missing")
        running.add("later", state="pending")
        running.add("broken", b"<html>")
        yield running


@pytest.fixture
def hub(service):
    """The module's Hub as it was at first."""
    service.requests.clear()
    service.faults.clear()
    return service


@pytest.fixture
def frame() -> pd.DataFrame:
    """One row a session."""
    return pd.DataFrame({"session_id": [*(f"s{number}" for number in range(6)), "gone", "later", "broken"]})


STATES = [*["downloaded"] * 6, "missing", "pending", "corrupt"]


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    """A state directory of the test's own: `fresh()` is another machine."""

    def fresh() -> None:
        monkeypatch.setenv("KATAVEN_STATE_DIR", str(tmp_path / uuid.uuid4().hex))
        # Stores stay open for a whole process; another machine has opened none.
        monkeypatch.setattr("kataven_notebook.store.opening._open", {})

    fresh()
    return fresh


@pytest.fixture(scope="module")
def bucket(request) -> str:
    """A place in SeaweedFS, its endpoint and credentials where s3fs looks for them."""
    pytest.importorskip("s3fs")
    server = request.getfixturevalue("seaweed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        # A request that a busy machine leaves without an answer is asked again soon, and not after minutes.
        quick = {"connect_timeout": 5, "read_timeout": 8, "retries": {"max_attempts": 6}}
        patch.setitem(fsspec.config.conf, "s3", {"config_kwargs": quick})
        yield f"s3://{BUCKET}/stores"


@pytest.fixture(params=["memory", "s3", "file"])
def url(request, tmp_path) -> str:
    """A new place on every kind of storage."""
    if request.param == "memory":
        return f"memory://{uuid.uuid4().hex}"
    if request.param == "file":
        return f"file://{tmp_path}/store"
    return f"{request.getfixturevalue('bucket')}/{uuid.uuid4().hex}"


def test_the_second_machine_needs_no_service(hub, frame, url, state) -> None:
    """What one has fetched another one reads, sound and outcomes; only what may change is asked for."""
    first = kn.audio(frame, store=url, settings=hub.settings, progress=False)
    assert first["recording_status"].tolist() == STATES
    assert first["audio"][0].path is None
    samples = first["audio"][0].samples
    state()
    hub.requests.clear()
    second = kn.audio(frame, store=url, settings=hub.settings, progress=False)
    assert second["recording_status"].tolist() == STATES
    assert [each.session_id for each in hub.requests.api] == ["later"]
    assert not hub.requests.storage
    np.testing.assert_array_equal(second["audio"][0].samples, samples)
    told = kn.Store(url).to_frame()
    assert told["recording_status"].astype(str).value_counts().to_dict() == {
        "downloaded": 6,
        "missing": 1,
        "pending": 1,
        "corrupt": 1,
    }


def test_workers_put_the_sound_there_themselves(hub, frame, bucket, state) -> None:
    """Neither key nor sound passes through the notebook's process; the next analysis reads the bucket."""
    url = f"{bucket}/{uuid.uuid4().hex}"
    found = apply(
        frame,
        lambda r: r.frames,
        columns="frames",
        store=url,
        executor=lambda: ProcessPoolExecutor(2),
        settings=hub.settings,
        progress=False,
    )
    assert found["frames"].tolist()[:6] == [2_000] * 6
    state()
    hub.requests.clear()
    again = apply(frame.iloc[:6], lambda r: r.duration_s, columns="s", store=url, settings=hub.settings, progress=False)
    assert again["s"].tolist() == [0.25] * 6
    assert hub.requests.count() == 0


def test_what_has_no_outcome_is_not_there(hub, frame, state) -> None:
    """Sound is written first: a process that died in between left something that nothing names."""
    url = f"memory://{uuid.uuid4().hex}"
    kn.audio(frame.iloc[:2], store=url, settings=hub.settings, progress=False)
    fs, root = fsspec.url_to_fs(url)
    outcomes = sorted(fs.find(f"{root}/outcomes"))
    fs.rm_file(outcomes[0])
    lost = 1 - [json.loads(fs.cat_file(outcomes[1]))["session_id"] == f"s{number}" for number in range(2)].index(True)
    state()
    hub.requests.clear()
    kn.audio(frame.iloc[:2], store=url, settings=hub.settings, progress=False)
    assert [each.session_id for each in hub.requests.api] == [f"s{lost}"]


def test_the_cache_can_be_made_again(hub, frame, state, tmp_path, monkeypatch) -> None:
    """Many sessions at once: by a listing, in which those that somebody has forgotten are gone."""
    url = f"memory://{uuid.uuid4().hex}"
    monkeypatch.setattr("kataven_notebook.store.bucket._MOST_BY_NAME", 3)
    kn.audio(frame, store=url, settings=hub.settings, progress=False)
    here = kn.Store(url)
    state()
    elsewhere = RemoteStore(url)
    assert sorted(elsewhere.load(frame["session_id"].tolist())) == sorted(frame["session_id"])
    report = elsewhere.forget(["s0", "unknown"])
    assert report["session_id"].tolist() == ["s0"]
    assert sorted(here.load()) == sorted(set(frame["session_id"]) - {"s0"})
    fs, root = fsspec.url_to_fs(url)
    assert len(fs.find(f"{root}/audio")) == 5


@pytest.mark.parametrize("most_by_name", [500, 3])
def test_sound_that_is_gone_or_cut_short_is_asked_for_again(hub, frame, state, monkeypatch, most_by_name) -> None:
    """On the machine that stored it, whose frame holds it, and on one that has not seen it."""
    monkeypatch.setattr("kataven_notebook.store.audit._MOST_BY_NAME", most_by_name)
    url = f"memory://{uuid.uuid4().hex}"
    options = {"store": url, "settings": hub.settings, "progress": False}
    calls = kn.audio(frame, **options)
    objects = ObjectFolder(url)
    for fresh in (lambda: None, state):
        fresh()
        objects.remove(objects.sound_of("s0"))
        objects.write(objects.sound_of("s1")[0], b"RIFF")
        hub.requests.clear()
        found = kn.audio(calls, **options)
        assert found["recording_status"].tolist() == STATES
        assert sorted({each.session_id for each in hub.requests.api} - {"later"}) == ["s0", "s1"]
        assert [each.samples.shape for each in found["audio"][:6]] == [(2_000, 2)] * 6


def test_what_another_machine_removed_or_replaced_is_seen(hub, frame, state, wav) -> None:
    """A cache outlives what it names: forgotten sound is asked for again, other sound is taken as it is there."""
    url = f"memory://{uuid.uuid4().hex}"
    options = {"store": url, "settings": hub.settings, "progress": False}
    kn.audio(frame.iloc[:3], **options)
    here = RemoteStore(url)
    state()
    elsewhere = RemoteStore(url)
    elsewhere.load(["s1"])
    elsewhere.forget("s0")
    with elsewhere.part() as part:
        part.write(wav)
        elsewhere.keep("s1", part, hashlib.sha256(wav).hexdigest())
    found = here.load(["s0", "s1", "s2"])
    assert sorted(found) == ["s1", "s2"]
    assert here.recording(found["s1"]).encoded() == wav


def test_sound_that_goes_during_a_run_is_its_rows_error(hub, frame) -> None:
    """And refresh fetches it again."""
    url = f"memory://{uuid.uuid4().hex}"
    calls = kn.audio(frame.iloc[:2], store=url, settings=hub.settings, progress=False)
    ObjectFolder(url).remove(ObjectFolder(url).sound_of("s0"))
    found = apply(calls, lambda r: r.frames + len(r.encoded()), columns="n", settings=hub.settings, progress=False)
    assert "refresh=True" in found["apply_error"][0]
    assert found["apply_error"].isna().tolist() == [False, True]


def test_a_store_is_one_accounts_and_one_versions(hub, frame) -> None:
    """Another account is refused before any request; adopt() binds it anew; the future is not read."""
    url = f"memory://{uuid.uuid4().hex}"
    store = kn.Store(url)
    store.bind(hub.settings)
    other = kn.Settings(api_key="sk_live_other_0123456789abcdef", base_url=hub.settings.base_url)
    hub.requests.clear()
    with pytest.raises(errors.StoreError, match="another account"):
        kn.audio(frame, store=url, settings=other, progress=False)
    assert hub.requests.count() == 0
    store.adopt(other)
    store.bind(other)
    fs, root = fsspec.url_to_fs(url)
    head = json.loads(fs.cat_file(f"{root}/store.json"))
    assert head["account"] == account_mark(other)
    fs.pipe_file(f"{root}/store.json", json.dumps(head | {"version": 2}).encode())
    with pytest.raises(errors.StoreError, match="version 2"):
        RemoteStore(url)


def test_places_that_cant_be_used_are_one_error(hub, frame, bucket, monkeypatch) -> None:
    """No bucket, wrong credentials, an unknown kind of URL, a missing package: each says what to do."""
    with pytest.raises(errors.StoreError, match="can't be used"):
        kn.audio(frame, store="s3://no-such-bucket-here/x", settings=hub.settings, progress=False)
    with monkeypatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        with pytest.raises(errors.StoreError, match="can't be used"):
            kn.audio(frame, store=bucket, settings=hub.settings, progress=False)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(errors.ConfigurationError, match="can't be opened"):
        kn.Store("nonsense://calls")
    with pytest.raises(errors.MissingExtra, match="needs another package"):
        kn.Store("gdrive://calls")
    assert hub.requests.count() == 0


def test_a_bucket_that_fails_in_mid_run_ends_it_with_one_error(hub, frame, monkeypatch) -> None:
    """As a full disk does; what is finished is safe."""
    url = f"memory://{uuid.uuid4().hex}"
    fs, _ = fsspec.url_to_fs(url)
    write, calls = type(fs).pipe_file, []

    def fails(self, path, value, **options):
        calls.append(path)
        if len(calls) > 4:
            raise OSError("quota exceeded")
        return write(self, path, value, **options)

    monkeypatch.setattr(type(fs), "pipe_file", fails)
    with pytest.raises(errors.StoreError, match="quota exceeded"):
        kn.audio(frame, store=url, settings=hub.settings, progress=False, in_flight=1)
    monkeypatch.undo()
    assert [entry.session_id for entry in kn.Store(url).load().values()] == ["s0"]


def test_the_repr_tells_place_and_counts(hub, frame) -> None:
    """And no credentials that stand in the URL."""
    url = f"memory://{uuid.uuid4().hex}"
    kn.audio(frame, store=url, settings=hub.settings, progress=False)
    assert repr(kn.Store(url)) == f"<Store '{url}': 1 corrupt, 6 downloaded, 1 missing, 1 pending>"
    with pytest.raises(errors.StoreError, match="no folder"):
        _ = kn.Store(url).path
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kn.Store(url).close()


DAMAGES = {
    "status": "unheard-of", "frames": "many", "size_bytes": 10**30, "channels": [1], "sample_rate": 0, "error": {},
    "format": "\x1b[2J", "session_id": "s1", "codec": "\ud800", "first_at": float("nan"), "file": "../elsewhere",
}  # fmt: skip


@pytest.mark.parametrize("field", DAMAGES)
def test_a_damaged_outcome_is_asked_for_again(hub, frame, state, tmp_path, field) -> None:
    """Whatever its fields hold, and whosesoever it says to be: no other session is touched."""
    url = f"file://{tmp_path / 'calls'}"
    kn.audio(frame.head(2), store=url, settings=hub.settings, progress=False)
    outcome = tmp_path / "calls" / outcome_file("s0")
    outcome.write_text(json.dumps(json.loads(outcome.read_text()) | {field: DAMAGES[field]}))
    state()
    hub.requests.clear()
    got = kn.audio(frame.head(2), store=url, settings=hub.settings, progress=False)
    assert got["recording_status"].tolist() == ["downloaded"] * 2
    assert [each.session_id for each in hub.requests.api] == ["s0"]
    assert repr(got["audio"][0]).isprintable()
    state()
    assert sorted(kn.Store(url).to_frame()["session_id"]) == ["s0", "s1"]


def test_a_failure_does_not_hide_sound_that_is_there(hub, frame, state) -> None:
    """`refresh` that fails says so in the frame; the next machine still finds outcome and sound."""
    url = f"memory://{uuid.uuid4().hex}"
    options = {"store": url, "settings": hub.settings, "progress": False}
    sound = kn.audio(frame.head(1), **options)["audio"][0].encoded()
    hub.faults.add("s0", "storage:denied", times=1)
    assert kn.audio(frame.head(1), refresh=True, **options)["recording_status"].tolist() == ["failed"]
    state()
    hub.requests.clear()
    again = kn.audio(frame.head(1), **options)
    assert again["recording_status"].tolist() == ["downloaded"]
    assert again["audio"][0].encoded() == sound
    assert hub.requests.count() == 0


def other_machine(state, hub, url: str, session_id: str, wav: bytes) -> None:
    """Store sound of a session from another machine."""
    hub.add(session_id, wav)
    state()
    heard = kn.audio(pd.DataFrame({"session_id": [session_id]}), store=url, settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded"]


@pytest.mark.parametrize("answer", ["missing", "failed"])
def test_another_machines_failure_never_hides_sound(hub, frame, url, state, wav, answer) -> None:
    """It asks again and gets nothing: its row says so, and the sound stays in the bucket for all, itself included."""
    other_machine(state, hub, url, "s0", wav)
    state()
    if answer == "missing":
        hub.add("s0", state="missing")
    else:
        hub.faults.add("s0", "storage:denied", times=1)
    options = {"store": url, "settings": hub.settings, "progress": False}
    try:
        assert kn.audio(frame.head(1), refresh=True, **options)["recording_status"].tolist() == [answer]
        for fresh in (lambda: None, state):
            fresh()
            hub.requests.clear()
            again = kn.audio(frame.head(1), **options)
            assert again["recording_status"].tolist() == ["downloaded"]
            assert again["audio"][0].encoded() == wav
            assert hub.requests.count() == 0
    finally:
        hub.add("s0", wav)


def test_sound_that_arrives_between_look_and_writing_is_not_hidden(hub, frame, url, state, wav, monkeypatch) -> None:
    """Two machines start together: one gets sound, the other an error, and the error is written last."""
    late = RemoteStore(url)
    write = ObjectFolder.write_outcome

    def writes_late(self: ObjectFolder, entry: Entry) -> None:
        ObjectFolder.write_outcome = write
        other_machine(state, hub, url, "s0", wav)
        write(self, entry)

    ObjectFolder.write_outcome = writes_late
    try:
        late.note("s0", kn.Status.MISSING, "the session has no recording")
    finally:
        ObjectFolder.write_outcome = write
    assert [entry.status for entry in ObjectFolder(url).outcomes([hashed_id("s0")])] == ["downloaded"]
    assert late.load(["s0"])["s0"].file is not None
    state()
    assert RemoteStore(url).load(["s0"])["s0"].file is not None


@pytest.mark.parametrize("by_name", [True, False], ids=["by name", "by listing"])
def test_sound_is_found_again_by_its_name(hub, frame, url, state, wav, monkeypatch, by_name) -> None:
    """A machine was killed after it wrote an outcome without sound; what is cut short is not taken for sound."""
    if not by_name:
        monkeypatch.setattr("kataven_notebook.store.bucket._MOST_BY_NAME", 0)
        monkeypatch.setattr("kataven_notebook.store.bucket._MOST_ALONE", 0)
    ids = ["s0", "s1", "s2"]
    for each in ids:
        other_machine(state, hub, url, each, wav)
    objects = ObjectFolder(url)
    [file] = objects.sound_of("s1")
    objects.write(file, wav[:-10])
    for each in ids:
        objects.write_outcome(Entry(each, "missing", "the session has no recording", first_at=1.0, updated_at=2.0))
    state()
    known = RemoteStore(url).load(ids)
    assert [known[each].status for each in ids] == ["downloaded", "missing", "downloaded"]
    assert RemoteStore(url).recording(known["s0"]).encoded() == wav
    found = {each.session_id: each.status for each in objects.outcomes(map(hashed_id, ids))}
    assert found == {"s0": "downloaded", "s1": "missing", "s2": "downloaded"}


@pytest.mark.parametrize("by_name", [True, False], ids=["by name", "by listing"])
def test_sound_that_comes_later_is_seen_by_who_knew_of_none(hub, frame, state, wav, monkeypatch, by_name) -> None:
    """What a machine remembers of a session without sound is not the last word."""
    if not by_name:
        monkeypatch.setattr("kataven_notebook.store.bucket._MOST_BY_NAME", 0)
    url = f"memory://{uuid.uuid4().hex}"
    mine = RemoteStore(url)
    mine.note("s0", kn.Status.MISSING, "the session has no recording")
    assert mine.load(["s0"])["s0"].file is None
    hub.add("s0", wav)
    state()
    kn.audio(frame.head(1), store=url, refresh=True, settings=hub.settings, progress=False)
    assert mine.load(["s0"])["s0"].file is not None


def test_an_outcome_takes_the_place_of_sound_that_is_gone(hub, frame, state, wav) -> None:
    """Somebody has deleted the sound, and the service has it no longer."""
    url = f"memory://{uuid.uuid4().hex}"
    other_machine(state, hub, url, "s0", wav)
    objects = ObjectFolder(url)
    objects.remove(objects.sound_of("s0"))
    for fresh in (lambda: None, state):
        fresh()
        store = RemoteStore(url)
        store.note("s0", kn.Status.MISSING, "the session has no recording")
        assert store.load(["s0"])["s0"].status == "missing"


@pytest.mark.skipif(os.name == "nt", reason="no open file is removed there")
def test_a_cache_may_be_deleted_while_it_is_open() -> None:
    """It is made again from the bucket; the run goes on."""
    store = RemoteStore(f"memory://{uuid.uuid4().hex}")
    shutil.rmtree(current_settings().state_path / "stores")
    store.note("s0", kn.Status.MISSING, "the session has no recording")
    assert store.load(["s0"])["s0"].status == "missing"


def test_a_store_that_was_removed_is_not_remembered(hub, frame) -> None:
    """The cache of this machine outlives the bucket; what it names is gone."""
    url = f"memory://{uuid.uuid4().hex}"
    kn.audio(frame.head(2), store=url, settings=hub.settings, progress=False)
    fs, root = fsspec.url_to_fs(url)
    fs.rm(root, recursive=True)
    assert RemoteStore(url).load(["s0", "s1"]) == {}
