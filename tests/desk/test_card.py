"""The card that stays in a saved notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kataven_notebook.desk.card import card
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


def test_what_nobody_asked_for_is_not_said(calls: pd.DataFrame) -> None:
    """Calls of which no status is known are of no status that is called unknown."""
    desk = player(calls[["call"]], session="call", labels=["good"])
    desk.add_label("good")
    assert desk._as_card()["text/plain"].startswith("Call player: 5 calls, 1 label, opened on 'b'.")
    assert "unknown" not in str({name: desk.first[name] for name in ("opened", "common", "statuses", "header")})
    desk.close()
    assert "2 calls (" in card(calls=2, title="", statuses={"unknown": 1, "ready": 1}, labels=0)["text/plain"]
