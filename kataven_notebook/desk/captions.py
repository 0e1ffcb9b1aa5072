"""Texts and marks as the page shows them; made in the kernel, so that the front end stays small."""

from __future__ import annotations

import json
from bisect import bisect
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from kataven_notebook.desk.label_file import Decision
    from kataven_notebook.desk.marks import Mark

Item = TypeVar("Item")

# Each is a line of the list that the player shows; desk/static/keys.js acts on them.
KEYS = (
    ("Space, K", "play, pause"),
    ("← →", "5 s back, on (Shift: 1 s)"),
    ("J L", "10 s back, on"),
    ("Home End", "to the start, the end"),
    ("[ ]", "slower, faster"),
    ("P N", "previous, next call"),
    ("M", "next moment, of any call"),
    (". ,", "next, previous mark in this call"),
    ("F", "search the words"),
    ("I O", "region starts, ends here"),
    ("R", "loop"),
    ("G", "skip silence"),
    ("Esc", "clear the region"),
    ("+ − 0", "zoom in, out, all"),  # noqa: RUF001 - a minus sign, as on the button
    ("PageUp PageDown", "part before, after"),
    ("↑ ↓", "volume; in the list, choose"),
    ("↑ ↓", "with Shift: higher, lower waves"),
    ("S", "spectrogram"),
    ("1 … 9", "set a label, or take it back"),
    ("T", "select the next label (Shift: previous)"),
    ("Enter", "hear the selected"),
    ("Del, Backspace", "delete the selected"),
    ("Z, U", "undo (Shift+Z: redo)"),
    ("A", "after a label, next without one"),
    ("/", "to the filter"),
    ("?", "this list"),
)
_MARK_KINDS = {
    "overlap": "both speak",
    "interruption": "interruption",
    "silence": "dead air",
    "slow": "slow response",
    "clipping": "clipping",
    "moment": "moment",
    "mark": "mark",
    "label": "your labels",
}


def fitting(items: list[Item], *, max_bytes: int, at_least: int) -> list[Item]:
    """Return the first of `items` that take no more than `max_bytes` as JSON, and never less than `at_least`.

    Examples
    --------
    >>> fitting(["ab", "cd", "ef"], max_bytes=9, at_least=1)
    ['ab', 'cd']
    """
    sizes = accumulate(len(json.dumps(each, ensure_ascii=False).encode()) for each in items)
    return items[: max(at_least, bisect(list(sizes), max_bytes))]


def drawn(marks: list[Mark], decisions: list[Decision]) -> dict[str, Any]:
    """Return marks as the page draws them: speech a channel, the rest, and the kinds that there are."""
    spoken = [mark for mark in marks if mark["kind"] == "speech"]
    channels = 1 + max((mark["channel"] for mark in spoken), default=-1)
    speech: list[list[tuple[float, float]]] = [[] for _ in range(channels)]
    for mark in spoken:
        speech[mark["channel"]].append((mark["start_s"], mark["end_s"]))
    others = [mark for mark in marks if mark["kind"] != "speech"]
    # In order of time: the page leaves out the name of a mark that would cover the one before.
    others.sort(key=lambda mark: float(mark["start_s"]))
    kinds = {mark["kind"] for mark in others}
    # The page draws the regions itself, as they are moved there.
    kinds |= {"label" for each in decisions if not each.is_of_whole_call}
    legend = [(kind, name) for kind, name in _MARK_KINDS.items() if kind in kinds]
    return {"marks": others, "speech": speech, "legend": legend}


def captioned(decision: Decision, *, is_own: bool) -> dict[str, object]:
    """Return a decision as the page shows it; `is_own` where the listener may have made it."""
    return {
        "id": decision.decision_id,
        "label": decision.label,
        "start_s": decision.start_s,
        "end_s": decision.end_s,
        "note": decision.note,
        "by": decision.annotator,
        "at": decision.labelled_at.isoformat(timespec="seconds"),
        "own": is_own,
    }
