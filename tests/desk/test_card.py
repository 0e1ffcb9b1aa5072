"""The card that stays in a saved notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kataven_notebook.desk.open import player

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.core


def test_the_card_stands_before_the_widget_and_is_escaped(calls: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two outputs, the card first; an id with markup is text in it."""
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: shown.append(bundle))
    calls["call"] = ["<script>x</script>", *calls["call"][1:]]
    desk = player(calls, session="call")
    desk._ipython_display_()
    desk.close()
    assert "6 calls (4 downloaded, 1 missing, 1 corrupt)" in shown[0]["text/plain"]
    assert "<script>" not in shown[0]["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in shown[1]
