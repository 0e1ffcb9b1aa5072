"""What callers pass to a store: a place, and session ids."""

from __future__ import annotations

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import Store
from kataven_notebook.errors import ConfigurationError

pytestmark = pytest.mark.core


def test_forget_refuses_a_frame(folder) -> None:
    """Its columns' names would be taken for ids, and whoever passed it believe that the sound is gone."""
    with Store(folder) as store:
        for wrong in (pd.DataFrame({"session_id": ["s1"]}), None):
            with pytest.raises(ConfigurationError, match="takes session ids"):
                store.forget(wrong)


@pytest.mark.parametrize("place", ["", "  ", 5, None, b"calls"])
def test_what_is_no_place_is_one_error(place, tmp_path, monkeypatch) -> None:
    """Above all not an empty text, which would make its folders in the current one."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="pass a folder"):
        Store(place)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["~nobody-of-this-name/calls", "a\0b", "a\ud800b"])
def test_what_can_be_no_path_is_one_error(hub, place) -> None:
    """A home that is not there, or a character that no path has."""
    with pytest.raises(ConfigurationError, match=r"^store=.* is no path: .*; write the path in full"):
        Store(place)
    with pytest.raises(ConfigurationError, match=r"^store=.* is no path: .*; write the path in full"):
        kn.audio(hub.sessions, settings=hub.settings, store=place, progress=False)
