"""Windows renames, replaces and removes no file that is open; this holds the package to it on any system."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.desk.labels import LabelBook
from kataven_notebook.store.folder import Store

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="sees what is open by /proc"),
]


def open_here(path: object) -> bool:
    """Whether this process holds a file open, under whatever name."""
    with contextlib.suppress(OSError):
        wanted = os.stat(path)  # type: ignore[arg-type]  # noqa: PTH116 - anything that is a path
        for descriptor in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(int(descriptor)), wanted):
                    return True
    return False


@pytest.fixture(autouse=True)
def as_windows(monkeypatch):
    """Refuse what Windows refuses, and yield what was asked for."""
    asked: list[str] = []

    def refusing(name: str):
        real = getattr(os, name)

        def call(*paths: object, **options: object) -> object:
            asked.append(name)
            for path in paths:
                if open_here(path):
                    raise PermissionError(13, f"os.{name}: the file is open in this process", str(path))
            return real(*paths, **options)

        monkeypatch.setattr(os, name, call)

    for name in ("replace", "rename", "unlink", "remove"):
        refusing(name)
    return asked


def test_the_rule_is_emulated(tmp_path, as_windows) -> None:
    """A test that sees nothing would hold nothing."""
    file = tmp_path / "x"
    with file.open("w"):
        for breaks in (file.unlink, lambda: file.replace(tmp_path / "y"), lambda: file.rename(tmp_path / "y")):
            with pytest.raises(PermissionError, match="open in this process"):
                breaks()
    file.unlink()
    assert sorted(set(as_windows)) == ["rename", "replace", "unlink"]


@pytest.mark.parametrize("kind", ["folder", "file://"])
def test_a_store_moves_and_removes_closed_files_alone(hub, tmp_path, wav, as_windows, kind) -> None:
    """Stored, taken from memory, fetched anew with other sound, checked and forgotten."""
    place = str(tmp_path / "calls") if kind == "folder" else f"file://{tmp_path / 'calls'}"
    frame = pd.DataFrame({"session_id": ["s0", "s1", "s2"]})
    options = {"settings": hub.settings, "progress": False}
    heard = kn.audio(frame, store=place, verify="full", **options)
    assert heard["recording_status"].eq("downloaded").all()
    hub.add("s0", wav[:-4] + b"\1\2\3\4")
    assert kn.audio(frame, store=place, refresh=True, **options)["recording_status"].eq("downloaded").all()
    memory = kn.audio(pd.DataFrame({"session_id": ["s3"]}), **options)
    kn.audio(memory, store=place, **options)
    store = Store(place)
    assert store.check(full=True, progress=False).empty
    assert len(store.forget(["s0", "s3"])) == 2
    assert "replace" in as_windows


def test_labels_and_exports_move_closed_files_alone(hub, tmp_path, as_windows) -> None:
    """A label taken back, a folder exported twice, converted, and turns as text."""
    book = LabelBook("session_id", tmp_path / "labels.csv")
    decision = book.add("s0", "good", note="clear")
    book.remove(decision.decision_id)
    assert len(LabelBook("session_id", tmp_path / "labels.csv")) == 0
    calls = kn.audio(pd.DataFrame({"session_id": ["s0", "s1"]}), settings=hub.settings, progress=False)
    for name, options in (("plain", {}), ("plain", {}), ("converted", {"format": "flac", "channels": "split"})):
        folder = kn.to_audiofolder(calls, tmp_path / name, settings=hub.settings, progress=False, **options)
        assert kn.read_audiofolder(folder)["recording_status"].eq("downloaded").all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kn.to_rttm(kn.turns(calls, settings=hub.settings, progress=False), tmp_path / "calls.rttm")
    assert "replace" in as_windows
