"""Opens the store of a place: a folder or a bucket, one for the whole process."""

from __future__ import annotations

import atexit
import os
import re
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.redact import redact
from kataven_notebook.store.bucket import RemoteStore
from kataven_notebook.store.entry import is_file_name
from kataven_notebook.store.folder import LEDGER_FILE, Store
from kataven_notebook.store.objects import RemoteObject
from kataven_notebook.store.places import is_url

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from kataven_notebook.sound.recording import Recording

    StoreLike = str | os.PathLike[str] | Store | None

# This module is the first that knows both classes, and the package always imports it.
Store._class_for_urls = RemoteStore  # noqa: SLF001 - this is the place that sets it


def open_store(store: StoreLike) -> Store | None:
    """Return the store of a folder, the same one for the whole process.

    Raises
    ------
    ConfigurationError
        It is neither a place nor a store, or fsspec does not know such a URL.
    StoreError
        It can't be opened.
    MissingExtra
        The URL needs a package that is not installed.
    """
    if store is None or isinstance(store, Store):
        return store
    place = os.fspath(store) if isinstance(store, str | os.PathLike) else None
    if not isinstance(place, str) or not place.strip():
        raise ConfigurationError(f"store={store!r}: pass a folder, a URL such as s3://bucket/calls, or a Store")
    if re.match(r"[A-Za-z][A-Za-z0-9+.\-]+:/(?!/)", place):
        # It would be made as a folder here, and nothing would reach the bucket.
        raise ConfigurationError(f"store={redact(place)!r}: a URL has two slashes, such as s3://bucket/calls")
    return shared_store(place)


# A store that nobody uses any more is closed: each holds three files open.
_open: MutableMapping[tuple[int, str], Store] = weakref.WeakValueDictionary()
_open_lock = threading.Lock()


def shared_store(path: str) -> Store:
    """Return this process's one open store of a folder or URL, so that recordings and runs share it.

    Raises
    ------
    StoreError
        It can't be opened.
    ConfigurationError, MissingExtra
        It is no path, fsspec does not know such a URL, or needs a package for it.
    """
    place = path.rstrip("/") if is_url(path) else str(absolute_path("store", path))
    key = (os.getpid(), place)
    with _open_lock:
        store = _open.get(key)
        if store is not None and not is_url(path) and not (store.path / LEDGER_FILE).exists():
            store.close()  # somebody removed the folder
            store = None
        if store is None:
            store = _open[key] = Store(path)
        return store


def home_of(recording: Recording) -> tuple[Store, str] | None:
    """Return the store that a recording lies in, and the name of its file there; None for any other recording.

    Raises
    ------
    StoreError
        The store can't be opened.
    """
    source = recording.source
    if isinstance(source, RemoteObject):
        return shared_store(source.folder.url), source.file
    if isinstance(source, bytes):
        return None
    folder, *names = str(source).replace(os.sep, "/").rsplit("/", 3)
    file = "/".join(names)
    if not is_file_name(file):
        return None
    with _open_lock:
        known = _open.get((os.getpid(), folder))
    if known is None and not Path(folder, LEDGER_FILE).is_file():
        return None
    return known or shared_store(folder), file


@atexit.register
def _close_stores() -> None:
    for (pid, _), store in list(_open.items()):
        # A forked child must leave its parent's connections alone.
        if pid == os.getpid():
            store.close()
