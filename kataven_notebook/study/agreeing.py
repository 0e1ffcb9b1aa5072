"""Whether listeners agree: `agreement`, coefficients with intervals and the disagreements to listen to."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from kataven_notebook.arguments import check_count, check_probability, is_number
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.stats.agreement import (
    Coefficient,
    Resampling,
    cohens_kappa,
    krippendorffs_alpha,
    positive_agreement,
)
from kataven_notebook.study.differing import disagreements_of
from kataven_notebook.study.judges import find_panel
from kataven_notebook.study.regions import matched
from kataven_notebook.study.units import as_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kataven_notebook.study.judges import Panel

_SHARES = ("agreed", "estimate", "estimate_low", "estimate_high")
_COUNTS = ("annotators", "n", "only_one")
COLUMNS = ("of", "label", "coefficient", *_COUNTS, *_SHARES, "note")
FEW = 30


@dataclass(frozen=True, slots=True)
class Agreement:
    """What `agreement` returns.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for all labels together, and one a label.
    disagreements : pandas.DataFrame
        What to listen to again.
    """

    table: pd.DataFrame
    disagreements: pd.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        """Return the table, and how many disagreements there are."""
        return f"{self.table.to_string(index=False)}\n{self._ending()}"

    def _repr_html_(self) -> str:
        return f"{self.table.to_html(index=False)}<p>{self._ending()}</p>"

    def _ending(self) -> str:
        return f"{len(self.disagreements):,} disagreement(s) to listen to: .disagreements"


@with_configured_names
def agreement(
    labels_a: pd.DataFrame,
    labels_b: pd.DataFrame | None = None,
    *,
    label: str | Sequence[str] | None = None,
    heard: Literal["all"] | Iterable[str] | None = None,
    overlap: float = 0.5,
    confidence_level: float = 0.95,
    resamples: int = 5_000,
    seed: int = 0,
    session: str = "session_id",
) -> Agreement:
    """Return how far listeners agree beyond chance, with intervals, and what they disagree on.

    Labels on whole calls: Cohen's kappa (1960) for two listeners, Krippendorff's alpha (2004, nominal) for more, which
    takes calls that not all of them heard. A listener's judgment of a call is the set of labels given to it, and
    "none" where the call was heard and has none. Labels on regions: the part of the regions that the other listener
    marked too (F1, over all pairs of listeners), since nobody counts the places that are rightly unmarked.

    A call was heard by whoever decided anything on it: a label, a region or a note. Calls that one alone heard are
    counted and left out. Intervals draw calls again (percentile method); where listeners agree on everything, the low
    end supposes as many disagreements as so many calls without one allow. docs/study.md has the formulas.

    Parameters
    ----------
    labels_a
        Decisions as `player.labels`, or as read from its file: of one listener, or of all with `annotator`.
    labels_b
        Those of the other listener, where they are in a frame of their own.
    label
        A label, or a list of labels, to count; others are as if they had not been given. All by default.
    heard
        What every listener heard, beyond what the labels show: "all" for each call that any of them decided on, or
        ids. Needed where a call without a label means that none applies.
    overlap
        From which part of the shorter region on, lying in the other, two regions are one event; above 0 to 1.
    confidence_level
        Of the intervals, between 0 and 1.
    resamples
        How often calls are drawn again, at least 2.
    seed
        The same seed gives the same intervals.
    session
        The session column of the frames. Where all labels have a `moment_id`, moments are compared and not calls.

    Returns
    -------
    Agreement
        `table`: a row for all labels together (`label` missing) and, where there are several, one a label; `of`
        ("call" or "region"), `label`, `coefficient`, `note` (string), `annotators`, `n`, `only_one` (Int64: how many
        listeners, calls that two or more heard, calls that one heard), `agreed` (float64: the share of equal judgments,
        or of regions that both marked), `estimate`, `estimate_low`, `estimate_high` (float64, at most 1).
        `disagreements`: a row each, with the session column, `label` ("ana: escalate; ben: none"), `start_s`, `end_s`
        (float64, NaN for a whole call) and `note`, as `player(..., marks=)` takes them.

    Raises
    ------
    FrameError
        There are not two listeners, one of two frames has several, or a column is not there.
    ConfigurationError
        An option is out of range.
    MissingExtra
        There are more than two listeners, and the extra [study] is not installed.

    Examples
    --------
    >>> ids = [f"c-{i}" for i in range(40)]
    >>> ana = pd.DataFrame({"session_id": ids, "label": ["escalate"] * 10 + ["fine"] * 30, "annotator": "ana"})
    >>> ben = pd.DataFrame({"session_id": ids, "label": ["escalate"] * 8 + ["fine"] * 32, "annotator": "ben"})
    >>> found = agreement(ana, ben)
    >>> found.table[["coefficient", "n", "agreed", "estimate"]].round(2).values.tolist()[0]
    ["Cohen's kappa", 40, 0.95, 0.86]
    >>> found.disagreements["label"].tolist()
    ['ana: escalate; ben: fine', 'ana: escalate; ben: fine']
    """
    resampling = _resampling(confidence_level, resamples, seed)
    if not is_number(overlap) or not 0 < overlap <= 1:
        raise ConfigurationError(f"overlap={overlap!r}: pass a number above 0 and at most 1")
    wanted = None if label is None else {str(each) for each in as_names("label", label)}
    panel = find_panel(labels_a, labels_b, session=session, wanted=wanted, heard=heard)
    rows = [*_of_calls(panel, resampling), *_of_regions(panel, overlap, resampling)]
    rows = rows or [_row(panel, "call", None, _coefficient_name(panel), _judged(panel, None, resampling))]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = dict.fromkeys(("of", "label", "coefficient", "note"), "string")
    table = table.astype({**texts, **dict.fromkeys(_COUNTS, "Int64"), **dict.fromkeys(_SHARES, "float64")})
    return Agreement(table, disagreements_of(panel, overlap))


def _resampling(confidence_level: float, resamples: int, seed: int) -> Resampling:
    check_probability("confidence_level", confidence_level)
    check_count("resamples", resamples, least=2)
    check_count("seed", seed, least=0)
    return Resampling(float(confidence_level), int(resamples), int(seed))


def _of_calls(panel: Panel, resampling: Resampling) -> list[dict[str, Any]]:
    used = sorted({each for judge in panel.judges for labels in judge.labels.values() for each in labels})
    # One label is as good as the set of labels.
    asked = [None, *used] if len(used) > 1 else used
    name = _coefficient_name(panel)
    return [_row(panel, "call", each, name, _judged(panel, each, resampling)) for each in asked]


def _coefficient_name(panel: Panel) -> str:
    return "Cohen's kappa" if len(panel.judges) == 2 else "Krippendorff's alpha"


def _judged(panel: Panel, label: str | None, resampling: Resampling) -> Coefficient:
    judged = [_judgments(panel, call, label) for call in panel.calls]
    twice = [each for each in judged if sum(one is not None for one in each) > 1]
    # In sorting order, so that the same seed draws the same calls again whatever the order of the rows.
    values = {value: at for at, value in enumerate(sorted({one for each in twice for one in each if one}))}
    if len(panel.judges) == 2:
        codes = np.array([[values[one] for one in each if one] for each in twice], dtype=np.intp).reshape(-1, 2)
        return cohens_kappa(codes[:, 0], codes[:, 1], resampling)
    counts = np.zeros((len(twice), len(values)), dtype=np.intp)
    for at, each in enumerate(twice):
        for one in each:
            if one is not None:
                counts[at, values[one]] += 1
    return krippendorffs_alpha(counts, resampling)


def _judgments(panel: Panel, call: str, label: str | None) -> list[tuple[str, ...] | None]:
    """Return what each listener said of a call: its labels, or whether it has one; None for who did not hear it."""
    found: list[tuple[str, ...] | None] = []
    for judge in panel.judges:
        if call not in judge.heard:
            found.append(None)
            continue
        given = judge.labels.get(call, set())
        found.append(("given", *(sorted(given) if label is None else given & {label})))
    return found


def _of_regions(panel: Panel, overlap: float, resampling: Resampling) -> list[dict[str, Any]]:
    used = sorted({label for judge in panel.judges for _, label in judge.regions})
    shared = [call for call in panel.calls if len(panel.listeners(call)) > 1]
    counts = {label: np.array([_marks(panel, call, label, overlap) for call in shared]) for label in used}
    asked: list[str | None] = [None, *used] if len(used) > 1 else [*used]
    rows = []
    for each in asked:
        both = sum(counts.values()) if each is None else counts[each]
        both = np.reshape(both, (-1, 2))
        row = _row(panel, "region", each, "F1", positive_agreement(both[:, 0], both[:, 1], resampling))
        whose = ", ".join(f"{judge.count(each)} of {judge.name}" for judge in panel.judges)
        rows.append({**row, "note": "; ".join(filter(None, [f"regions: {whose}", row["note"]]))})
    return rows


def _marks(panel: Panel, call: str, label: str, overlap: float) -> tuple[int, int]:
    """Return how many regions of all pairs of listeners have one of the other, and how many there are."""
    spans = [judge.spans(call, label) for judge in panel.listeners(call)]
    matches = marks = 0
    for one, other in itertools.combinations(spans, 2):
        matches += 2 * int(matched(one, other, least=overlap)[0].sum())
        marks += len(one) + len(other)
    return matches, marks


def _row(panel: Panel, of: str, label: str | None, name: str, found: Coefficient) -> dict[str, Any]:
    return {
        "of": of,
        "label": label,
        "coefficient": name,
        "annotators": len(panel.judges),
        "n": found.n,
        "only_one": panel.only_one,
        "agreed": found.agreed,
        "estimate": found.value,
        "estimate_low": found.low,
        "estimate_high": found.high,
        "note": _note(found, label, of),
    }


def _note(found: Coefficient, label: str | None, of: str) -> str | None:
    said = []
    if not found.n:
        said.append("nothing was heard by two listeners")
    elif np.isnan(found.value) and of == "region":
        said.append("nobody marked a region of what two listeners heard")
    elif np.isnan(found.value):
        what = "judgment" if label is None else f"judgment on {label!r}"
        said.append(f"the {what} was the same throughout: where nothing varies, agreement beyond chance is undefined")
    elif np.isnan(found.low):
        said.append("too few calls differ for an interval")
    elif found.n < FEW:
        said.append(f"below {FEW} calls intervals are too short")
    if found.agreed == 1 and not np.isnan(found.low):
        said.append("no disagreement: the low end is what so many calls without one allow")
    if found.undefined > 0.01:
        said.append(f"nothing varies in {found.undefined:.0%} of the resamples, which were left out")
    return "; ".join(said) or None
