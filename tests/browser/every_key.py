"""Every key on every kind of element of the player, in both front ends; run by name, as it takes minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browsing import Lab, chromium_page, jupyter
from pressing import EVERY_KEY, open_player, press_on_each

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("application", "tree"), [("jupyterlab", "lab/tree"), ("notebook", "notebooks")])
def test_no_key_in_the_player_changes_the_notebook(tmp_path: Path, application: str, tree: str) -> None:
    """Its cells, its kernel and its mode are the same afterwards, and no dialog asks for anything."""
    with jupyter(tmp_path, application) as address, chromium_page() as page:
        lab = Lab(page, address, tmp_path / "notebooks", tree)
        kinds = open_player(lab, "keys.ipynb")
        assert len(kinds) > 15
        press_on_each(lab, kinds, EVERY_KEY)
