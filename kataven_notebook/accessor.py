"""`df.kataven`: the same functions as methods of a frame."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.desk.open import player
from kataven_notebook.exchange import audiofolder
from kataven_notebook.frame import analysis, fetch, groups
from kataven_notebook.frame import apply as applying
from kataven_notebook.frame.from_files import from_files
from kataven_notebook.overview import as_html, as_text
from kataven_notebook.publish import cutting
from kataven_notebook.publish.reporting import report

if TYPE_CHECKING:
    from collections.abc import Callable


# In the order in which a frame goes through them.
_GROUPS = {
    "fetch": ("audio", "recordings", "iter_recordings", "from_files"),
    "measure": ("metrics", "turns", "moments", "apply"),
    "look": ("summary", "compare_groups", "player"),
    "hand on": ("clips", "report", "to_audiofolder"),
}


class _method:  # noqa: N801 - it stands where a decorator would
    """Makes a method of a function whose first parameter is the frame: same signature, same docstring.

    Bound to the frame itself, and not called from a function here: that would be one step more in each traceback,
    and Python would count the warnings of all cells as one place's, and show only the first.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __get__(self, accessor: KatavenAccessor | None, _: type | None = None) -> Callable[..., Any]:
        return self._function if accessor is None else MethodType(self._function, accessor._frame)  # noqa: SLF001 - its own


@pd.api.extensions.register_dataframe_accessor("kataven")
class KatavenAccessor:
    """The functions of `kataven_notebook` as methods of a frame of sessions.

    By itself it shows what the frame has already, and the methods in groups with a line each.

    It keeps nothing but the frame: every method is the module's function of the same name.

    Examples
    --------
    >>> import kataven_notebook
    >>> calls = pd.DataFrame({"recording_status": ["missing"]})
    >>> calls.kataven.summary()["rows"].tolist()
    [1]
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        # Nothing may fail here: an AttributeError would run this twice, others escape hasattr.
        self._frame = frame

    recordings = _method(fetch.recordings)
    audio = _method(fetch.audio)
    metrics = _method(analysis.metrics)
    turns = _method(analysis.turns)
    moments = _method(analysis.moments)
    compare_groups = _method(groups.compare_groups)
    apply = _method(applying.apply)
    summary = _method(fetch.summary)
    iter_recordings = _method(fetch.iter_recordings)
    from_files = _method(from_files)
    clips = _method(cutting.clips)
    to_audiofolder = _method(audiofolder.to_audiofolder)
    player = _method(player)
    report = _method(report)

    def __repr__(self) -> str:
        """Return what the frame has, and the methods with a line each."""
        return as_text(self._frame, _groups())

    def _repr_html_(self) -> str:
        """Return the same as a table."""
        return as_html(self._frame, _groups())


def _groups() -> dict[str, list[tuple[str, Callable[..., Any]]]]:
    return {group: [(name, getattr(KatavenAccessor, name)) for name in names] for group, names in _GROUPS.items()}
