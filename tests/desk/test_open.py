"""The arguments of `player`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from kataven_notebook.desk.open import player
from kataven_notebook.errors import ConfigurationError, FrameError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


def test_wrong_arguments_are_refused_before_anything_is_shown(calls: pd.DataFrame, tmp_path: Path) -> None:
    """Each names what to pass instead."""
    with pytest.raises(FrameError, match="session="):
        player(calls)
    with pytest.raises(FrameError, match="nothing_here"):
        player(calls, session="call", columns=["nothing_here"])
    with pytest.raises(FrameError, match="start_s"):
        player(calls, session="call", marks=pd.DataFrame({"call": ["a"]}))
    with pytest.raises(ConfigurationError, match="list"):
        player(calls, session="call", labels="good")
    with pytest.raises(ConfigurationError, match="list"):
        player(calls, session="call", labels=None)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(FrameError, match=r"columns=\['agent'\]"):
        player(calls, session="call", columns="score")
    with pytest.raises(FrameError, match="rename all but one"):
        player(pd.concat([calls, calls[["score"]]], axis=1), session="call", columns=["score"])
    with pytest.raises(FrameError, match="not list"):
        player(["a", "b"])  # type: ignore[arg-type]  # what is tested
    for path, why in ((tmp_path, "folder"), (tmp_path / "no" / "a.csv", "not there"), (5, "no path")):
        with pytest.raises(ConfigurationError, match=why):
            player(calls, session="call", save_to=path)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ConfigurationError, match="one line"):
        player(calls, session="call", labels=["good\nbad"])
    with pytest.raises(ConfigurationError, match="hundred"):
        player(calls, session="call", labels=[f"label {i}" for i in range(101)])
    for annotator in ("", "a\nb", 5):
        with pytest.raises(ConfigurationError, match="annotator="):
            player(calls, session="call", annotator=annotator)  # type: ignore[arg-type]  # what is tested
    desk = player(calls, session="call")
    with pytest.raises(FrameError, match="zzz"):
        desk.select("zzz")
    with pytest.raises(ValueError, match="0 or more"):
        desk.seek(-1)


def test_a_call_can_be_saved_as_a_file_only_where_that_is_asked_for(calls: pd.DataFrame) -> None:
    """By default the sound does not leave the notebook."""
    assert player(calls, session="call").first["download"] is False
    assert player(calls, session="call", download=True).first["download"] is True
