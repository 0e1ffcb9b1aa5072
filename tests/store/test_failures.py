"""What goes wrong in a store, as sentences that say what to do."""

from __future__ import annotations

import sqlite3

import pytest

from kataven_notebook.errors import AccessRefused, StoreError
from kataven_notebook.store.failures import bucket_errors, folder_errors
from kataven_notebook.store.folder import Store

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(28, "No space left on device"), "free some space and call again"),
        (sqlite3.OperationalError("database or disk is full"), "free some space and call again"),
        (PermissionError(13, "Permission denied"), "check its permissions, or use another folder"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "check its permissions"),
        (sqlite3.DatabaseError("file is not a database"), "move ledger.sqlite3 away"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "move ledger.sqlite3 away"),
        (OSError(5, "Input/output error"), "can't be used"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Exception) else each,
)
def test_a_failure_of_a_folder_names_it_and_says_what_to_do(tmp_path, error, advice) -> None:
    """One class, whatever failed beneath."""
    with pytest.raises(StoreError, match=advice) as caught, folder_errors(tmp_path):
        raise error
    assert str(tmp_path) in str(caught.value)


def test_an_error_of_this_package_is_not_the_folders(tmp_path) -> None:
    """A refused account is a PermissionError too."""
    with pytest.raises(AccessRefused), folder_errors(tmp_path):
        raise AccessRefused("the Hub does not allow this")


def test_a_failure_of_a_backend_shows_no_secret() -> None:
    """Backends quote URLs, signatures included; a missing object is the caller's to judge."""
    with (
        pytest.raises(StoreError, match=r"RuntimeError: .*credentials and endpoint") as caught,
        bucket_errors("s3://b/x"),
    ):
        raise RuntimeError("GET https://b.example/x?X-Amz-Signature=0f\nfailed")
    assert "0f" not in str(caught.value)
    assert caught.value.__suppress_context__
    with pytest.raises(FileNotFoundError), bucket_errors("s3://b/x"):
        raise FileNotFoundError("x")


@pytest.mark.parametrize("where", ["calls", "above/calls", "calls/audio", "calls/parts"])
@pytest.mark.parametrize("what", ["file", "link"])
def test_what_stands_in_the_way_is_named(tmp_path, where, what) -> None:
    """A file, or a link to what is not there: "File exists" tells nobody what to do."""
    blocked = tmp_path / where.removesuffix("/calls")
    blocked.parent.mkdir(exist_ok=True)
    if what == "file":
        blocked.write_text("")
        expected = rf"{blocked} is a file and no folder"
    else:
        blocked.symlink_to(tmp_path / "unmounted")
        expected = rf"{blocked} is a link to {tmp_path}/unmounted, which is not there"
    folder = tmp_path / where.removesuffix("/audio").removesuffix("/parts")
    with pytest.raises(StoreError, match=expected) as caught:
        Store(folder)
    assert "Errno" not in str(caught.value)
