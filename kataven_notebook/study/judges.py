"""The listeners whose labels are compared: who they are, what each heard, and what each said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.redact import encodable
from kataven_notebook.study.labels import decisions_of
from kataven_notebook.study.units import MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    import pandas as pd

    Doubles = npt.NDArray[np.float64]

UNNAMED = "unnamed"


@dataclass(slots=True)
class Judge:
    """One listener.

    Attributes
    ----------
    name : str
        As tables show it.
    heard : dict of str to None
        The calls that were heard, in their order.
    labels : dict of str to set of str
        The labels on each whole call.
    regions : dict of tuple to list of tuple
        By call and label: start and end in seconds.
    notes : dict of str to list of str
        What was noted, a call.
    """

    name: str
    heard: dict[str, None] = field(default_factory=dict)
    labels: dict[str, set[str]] = field(default_factory=dict)
    regions: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def spans(self, call: str, label: str) -> Doubles:
        """Return the regions of a call with a label, `(n, 2)`, in seconds."""
        return np.array(self.regions.get((call, label), ()), dtype=np.float64).reshape(-1, 2)

    def count(self, label: str | None) -> int:
        """Return how many regions have a label; None for all of them."""
        return sum(len(spans) for (_, each), spans in self.regions.items() if label in (None, each))

    def take(self, decisions: pd.DataFrame, key: str, wanted: set[str] | None) -> None:
        """Take over decisions; of labels those that are wanted, None being all."""
        columns = (decisions[each] for each in (key, "label", "start_s", "end_s", "note"))
        for call, label, start, end, note in zip(*columns, strict=True):
            self.heard[call] = None
            if isinstance(note, str):
                self.notes.setdefault(call, []).append(note)
            if not isinstance(label, str) or (wanted is not None and label not in wanted):
                continue
            if np.isnan(start):
                self.labels.setdefault(call, set()).add(label)
            else:
                self.regions.setdefault((call, label), []).append((start, end))


@dataclass(frozen=True)
class Panel:
    """All listeners, and what is compared: calls, or moments where all labels name one.

    Attributes
    ----------
    judges
        Two at least.
    key
        The name of the column of what is compared.
    """

    judges: list[Judge]
    key: str

    @cached_property
    def calls(self) -> list[str]:
        """Everything that anybody heard, in order of appearance."""
        return list(dict.fromkeys(call for judge in self.judges for call in judge.heard))

    @cached_property
    def only_one(self) -> int:
        """How many calls one listener alone heard."""
        return sum(len(self.listeners(call)) == 1 for call in self.calls)

    def listeners(self, call: str) -> list[Judge]:
        """Return who heard a call."""
        return [judge for judge in self.judges if call in judge.heard]


def find_panel(
    labels_a: pd.DataFrame, labels_b: pd.DataFrame | None, *, session: str, wanted: set[str] | None, heard: Any
) -> Panel:
    """Return the listeners of two frames, one of each, or of one frame that names its annotators.

    Parameters
    ----------
    labels_a, labels_b
        Frames of labels; without the second, the first holds all, told apart by `annotator`.
    session
        The session column.
    wanted
        Which labels count; None for all.
    heard
        As for `agreement`.

    Raises
    ------
    FrameError
        There are not two listeners, or one of two frames has several.
    ConfigurationError
        `heard` is neither "all" nor ids.
    """
    frames = [decisions_of(labels_a, session, "labels_a")]
    if labels_b is not None:
        frames.append(decisions_of(labels_b, session, "labels_b"))
    are_of_moments = all(len(each) and each[MOMENT].notna().all() for each in frames)
    key = MOMENT if are_of_moments else "session"
    if labels_b is None:
        judges = _by_annotator(frames[0], key, wanted)
    else:
        names = [_only_name(each, name) for each, name in zip(frames, ("labels_a", "labels_b"), strict=True)]
        if names[0] == names[1]:
            names = [f"{each} ({at})" for at, each in enumerate(names, start=1)]
        judges = [Judge(each) for each in names]
        for judge, decisions in zip(judges, frames, strict=True):
            judge.take(decisions, key, wanted)
    column = MOMENT if are_of_moments else session
    more = _also_heard(heard, Panel(judges, column))
    for judge in judges:
        judge.heard.update(dict.fromkeys(more))
    return Panel(judges, column)


def _by_annotator(decisions: pd.DataFrame, key: str, wanted: set[str] | None) -> list[Judge]:
    judges = []
    for name, part in decisions.groupby(decisions["annotator"].fillna(UNNAMED), sort=True):
        judges.append(Judge(str(name)))
        judges[-1].take(part, key, wanted)
    if len(judges) < 2:
        whose = f"only of {judges[0].name}" if judges else "of nobody"
        raise FrameError(
            f"labels_a holds labels {whose}: agreement takes two listeners or more. Pass a second frame, or one whose "
            "column 'annotator' says who decided, as player(annotator=...) writes it"
        )
    return judges


def _only_name(decisions: pd.DataFrame, frame: str) -> str:
    names = sorted(decisions["annotator"].fillna(UNNAMED).unique())
    if len(names) > 1:
        raise FrameError(
            f"{frame} holds labels of {len(names)} annotators ({', '.join(names[:5])}): beside a second frame each "
            "holds those of one. Pass one frame with all of them, or select one annotator of each"
        )
    return str(names[0]) if names else UNNAMED


def _also_heard(heard: Any, panel: Panel) -> Iterable[str]:
    if heard is None:
        return ()
    if isinstance(heard, str):
        if heard != "all":
            raise ConfigurationError(f'heard={heard!r}: pass "all", or the ids of what everybody listened to')
        return panel.calls
    try:
        return [encodable(str(each)) for each in heard]
    except TypeError:
        raise ConfigurationError(f'heard={heard!r}: pass "all", or the ids of what everybody listened to') from None
