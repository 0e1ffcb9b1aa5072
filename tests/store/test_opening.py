"""Which store a place opens: a folder or a bucket, one for the whole process."""

from __future__ import annotations

import gc
import shutil
import uuid
from pathlib import Path

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.store.bucket import RemoteStore
from kataven_notebook.store.opening import open_store

pytestmark = pytest.mark.core


def test_a_url_with_one_slash_is_no_folder(hub, tmp_path, monkeypatch) -> None:
    """It would fill a folder of that name here, and nobody would find it in the bucket."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(errors.ConfigurationError, match="two slashes"):
        kn.audio(hub.sessions, store="s3:/bucket/calls", settings=hub.settings, progress=False)
    assert not list(tmp_path.iterdir())
    assert hub.requests.count() == 0


def test_a_place_has_one_open_store_in_a_process(tmp_path, monkeypatch) -> None:
    """However it is written; recordings and runs share its connections."""
    monkeypatch.chdir(tmp_path)
    store = open_store("calls")
    assert open_store(tmp_path / "calls") is open_store(str(tmp_path / "calls") + "/") is open_store(store) is store
    url = f"memory://{uuid.uuid4().hex}"
    assert isinstance(open_store(url), RemoteStore)
    assert open_store(url + "/") is open_store(url)
    assert open_store(None) is None


def test_a_folder_that_was_removed_is_opened_anew(tmp_path) -> None:
    """A connection to a file that is gone would take what is written with it."""
    store = open_store(tmp_path / "calls")
    shutil.rmtree(tmp_path / "calls")
    again = open_store(tmp_path / "calls")
    assert again is not store
    again.note("s1", kn.Status.MISSING, "the session has no recording")
    assert list(open_store(tmp_path / "calls").load()) == ["s1"]


@pytest.mark.parametrize("place", ["", "  ", 5, b"calls"])
def test_what_is_neither_a_place_nor_a_store_is_one_error(place) -> None:
    """The message says what can be passed."""
    with pytest.raises(errors.ConfigurationError, match=r"pass a folder, a URL .* or a Store"):
        open_store(place)


@pytest.fixture
def uncollected():
    """Without the collector: what is let go of is closed at once, and not when the collector comes by."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts what /proc lists")
@pytest.mark.usefixtures("uncollected")
def test_a_store_that_nobody_uses_any_more_is_closed(hub, tmp_path) -> None:
    """Thirty stores held ninety files open; their recordings are read all the same."""
    frame = pd.DataFrame({"session_id": ["s0"]})
    heard = [
        kn.audio(frame, store=tmp_path / f"calls-{number}", settings=hub.settings, progress=False)
        for number in range(10)
    ]
    kept = open_store(tmp_path / "calls-0")
    held = [each.readlink() for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    assert {each.parent.name for each in held if "ledger.sqlite3" in each.name} == {"calls-0"}
    assert open_store(tmp_path / "calls-0") is kept
    assert all(each["audio"][0].samples.size for each in heard)
