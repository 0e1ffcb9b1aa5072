"""The disagreements of listeners, one a row, to be listened to again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.study.regions import matched, overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kataven_notebook.study.judges import Judge, Panel

NONE = "none"


def disagreements_of(panel: Panel, overlap: float) -> pd.DataFrame:
    """Return what listeners who heard the same call say differently of it.

    Parameters
    ----------
    panel
        The listeners.
    overlap
        From which part of the shorter region on two regions are one event.

    Returns
    -------
    pandas.DataFrame
        The column of calls or moments, `label` (who said what), `start_s`, `end_s` (NaN for a whole call), `note`.
    """
    rows: list[dict[str, Any]] = []
    for call in panel.calls:
        judges = panel.listeners(call)
        if len(judges) < 2:
            continue
        notes = "; ".join(f"{judge.name}: {note}" for judge in judges for note in judge.notes.get(call, ()))
        found = [*_on_the_whole(judges, call), *sorted(_on_regions(judges, call, overlap))]
        for start, end, text in dict.fromkeys(found):
            rows.append({panel.key: call, "label": text, "start_s": start, "end_s": end, "note": notes or None})
    table = pd.DataFrame(rows, columns=[panel.key, "label", "start_s", "end_s", "note"])
    texts = dict.fromkeys((panel.key, "label", "note"), "string")
    return table.astype({**texts, "start_s": "float64", "end_s": "float64"})


def _on_the_whole(judges: list[Judge], call: str) -> Iterator[tuple[float, float, str]]:
    said = {judge.name: ", ".join(sorted(judge.labels.get(call, ()))) or NONE for judge in judges}
    if len(set(said.values())) > 1:
        yield np.nan, np.nan, _text(said)


def _on_regions(judges: list[Judge], call: str, overlap: float) -> Iterator[tuple[float, float, str]]:
    """Yield regions that somebody else who heard the call did not mark so, with what was marked there instead."""
    used = sorted({label for judge in judges for where, label in judge.regions if where == call})
    told: list[tuple[float, float, str]] = []
    for judge in judges:
        others = [each for each in judges if each is not judge]
        for label in used:
            spans = judge.spans(call, label)
            alone = np.zeros(len(spans), dtype=np.bool_)
            for other in others:
                alone |= ~matched(spans, other.spans(call, label), least=overlap)[0]
            for start, end in spans[alone].tolist():
                there = {each.name: _there(each, call, used, (start, end), overlap) for each in judges}
                one = (start, end, _text({name: ", ".join(labels) or NONE for name, labels in there.items()}))
                # What two marked differently in one place is one disagreement.
                if not any(text == one[2] and start <= until and end >= since for since, until, text in told):
                    told.append(one)
                    yield one


def _there(judge: Judge, call: str, used: list[str], span: tuple[float, float], overlap: float) -> list[str]:
    place = np.array([span])
    return [label for label in used if (overlaps(place, judge.spans(call, label)) >= overlap).any()]


def _text(said: dict[str, str]) -> str:
    return "; ".join(f"{name}: {labels}" for name, labels in said.items())
