"""What labels say of the whole frame: `estimate`, the weighted share of calls or moments with a label."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from kataven_notebook.arguments import check_probability
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import as_text, check_prefix
from kataven_notebook.frame.options import check_choice
from kataven_notebook.frame.sessions import session_column
from kataven_notebook.hints import did_you_mean
from kataven_notebook.notices import warn_caller
from kataven_notebook.stats.shares import Share, share
from kataven_notebook.study.drawing import PROBABILITY, STRATUM
from kataven_notebook.study.labels import decisions_of
from kataven_notebook.study.units import MOMENT, Groups, Units, as_names, find_groups, find_units
from kataven_notebook.study.votes import votes_on, with_heard

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    import numpy.typing as npt

    from kataven_notebook.study.votes import Votes

    Doubles = npt.NDArray[np.float64]

_SHARES = ("estimate", "estimate_low", "estimate_high", "effective_n", "calls", "calls_with_label")
COLUMNS = ("label", "n", "missing", *_SHARES, "note")


@with_configured_names
def estimate(
    labels: pd.DataFrame,
    label: str | Sequence[str],
    *,
    sample: pd.DataFrame | None = None,
    calls: pd.DataFrame | None = None,
    by: Hashable | Sequence[Hashable] | None = None,
    heard: Literal["all"] | Iterable[str] | None = None,
    several: Literal["majority", "mean", "any", "all"] = "majority",
    confidence_level: float = 0.95,
    session: str = "session_id",
    prefix: str = "",
) -> pd.DataFrame:
    """Return the share of calls of the whole frame that have a label, weighted, with its interval.

    The labels are those of a sample; each labelled call counts for 1 / `inclusion_probability` calls of the frame that
    `sample` drew from (Horvitz & Thompson 1952), and the share is the sum for those with the label over the sum for
    all (Hájek 1971). The interval is Wilson's at the effective sample size (Korn & Graubard 1998): it knows strata,
    unequal chances and that the frame is finite, and is honest where no call, or every call, has the label.
    docs/study.md has the formulas, and how often the interval holds the truth.

    A call was heard where anybody decided anything on it: a label, on the call or on a part, or a note. Calls of the
    sample without any decision are no "no": they are left out, counted in `missing`, and taken for no different from
    those of their stratum that were heard. Say `heard="all"` where the label was the only button, and calls without
    it were listened to.

    Parameters
    ----------
    labels
        Decisions, as `player.labels`, as read from its file, or `player.frame` of a player over the sample.
    label
        A label, or a list of labels: a row for each.
    sample
        What `study.sample` returned. Without it, `labels` must have its columns, or `calls` is passed.
    calls
        The whole frame: `calls` of the result are then counted and not estimated. Without `sample`, the calls that
        were heard are taken for a simple random sample of it.
    by
        A column, or a list of columns, of `calls`, or where that is not passed of the sample: a share for each group.
        Rows without a group are left out.
    heard
        "all" for the whole sample, or ids: what was listened to, and has no label because none applies.
    several
        What counts where several annotators heard a call: "majority" of them, half of them being half a call; the
        "mean", the part of them that gave the label; "any" or "all" of them.
    confidence_level
        Of the intervals, between 0 and 1.
    session
        The session column, in all frames. A sample of moments is matched by `moment_id` where the labels have it, else
        by the regions that overlap the moment.
    prefix
        As it was passed to `study.sample`.

    Returns
    -------
    pandas.DataFrame
        One row a group and label: the `by` columns, `label` (string), `n` and `missing` (Int64: drawn and heard, drawn
        and not heard), `estimate`, `estimate_low`, `estimate_high` (float64, 0 to 1; missing where nothing was heard,
        the interval also where one call was), `effective_n` (float64: as many calls of a simple random sample of an
        endless frame say as much), `calls` and `calls_with_label` (float64: of the whole frame; Horvitz and
        Thompson's estimates), `note` (string, missing where there is nothing to say). For moments, `calls` are moments.

    Raises
    ------
    FrameError
        A frame or column is not there, holds no chances between 0 and 1, or several of one call, as samples do that
        were joined, or has a name of a column of the result.
    ConfigurationError
        Neither `sample` nor `calls` is given, or an option is out of range.

    Examples
    --------
    >>> from kataven_notebook.study.drawing import sample as draw
    >>> calls = pd.DataFrame({"session_id": [f"c-{i}" for i in range(1000)]})
    >>> chosen = draw(calls, 60)
    >>> labels = pd.DataFrame({"session_id": chosen["session_id"], "label": ["escalate"] * 6 + ["fine"] * 54})
    >>> found = estimate(labels, "escalate", sample=chosen)
    >>> found[["n", "estimate", "estimate_low", "estimate_high"]].round(3).values.tolist()
    [[60, 0.1, 0.047, 0.201]]
    """
    check_choice("several", several, ("majority", "mean", "any", "all"))
    check_prefix(prefix)
    check_probability("confidence_level", confidence_level)
    names = _label_names(label)
    decisions = decisions_of(labels, session, "labels")
    design = _design(labels, sample, calls, session, prefix)
    votes = with_heard(votes_on(decisions, design.units, design.rows, session), heard, design.units)
    groups, known = _groups(design, calls, by, session)
    heard_units = votes.heard(len(design.units.ids))
    hits = {name: votes.hits(name, len(heard_units), several) for name in names}
    question = _Question(design, votes, heard_units, hits, groups, known, float(confidence_level))
    rows = [question.row(group, name) for group in range(len(groups.keys)) for name in names]
    keys = groups.keys.iloc[np.repeat(np.arange(len(groups.keys)), len(names))].reset_index(drop=True)
    return pd.concat([keys, _table(rows)], axis=1)


@dataclass(frozen=True, slots=True)
class _Design:
    """What was drawn: units with their rows, chances and strata; whether by `study.sample` or only supposed."""

    units: Units
    rows: pd.DataFrame
    chances: Doubles
    strata: npt.NDArray[np.intp]
    is_supposed: bool


@dataclass(frozen=True, slots=True)
class _Question:
    """All that a share is made of, but for its group and label; made once, as there may be thousands of groups."""

    design: _Design
    votes: Votes
    heard: npt.NDArray[np.bool_]
    hits: dict[str, Doubles]
    groups: Groups
    known: npt.NDArray[np.intp] | None
    confidence_level: float
    chances: Doubles = field(init=False)
    used: list[str] = field(init=False)
    lost: int = field(init=False)

    def __post_init__(self) -> None:
        """Make what all rows share."""
        strata = self.design.strata
        object.__setattr__(self, "chances", _adjusted(self.design, self.heard))
        object.__setattr__(self, "used", sorted({each for each in self.votes.table["label"] if isinstance(each, str)}))
        object.__setattr__(self, "lost", len(set(strata) - set(strata[self.heard])))

    def row(self, group: int, label: str) -> dict[str, Any]:
        """Return one row of the result."""
        heard, inside = self.heard, self.groups.codes == group
        found = share(
            self.hits[label][heard],
            self.chances[heard],
            strata=self.design.strata[heard],
            within=inside[heard],
            confidence_level=self.confidence_level,
        )
        missing = int((inside & ~heard).sum())
        return {
            "label": label,
            "n": found.n,
            "missing": missing,
            "estimate": found.value,
            "estimate_low": found.low,
            "estimate_high": found.high,
            "effective_n": found.effective_n,
            "calls": found.size if self.known is None else float(self.known[group]),
            "calls_with_label": found.total,
            "note": self._note(found, label, missing),
        }

    def _note(self, found: Share, label: str, missing: int) -> str | None:
        units, said = self.design.units, []
        strangers = f"{units.named(self.votes.strangers)} with labels are not in the sample, and are left out"
        if not found.n:
            nothing = f"none of {units.named(missing)} was heard" if missing else f"there is no {units.kind} of these"
            return f"{nothing}; {strangers}" if self.votes.strangers else nothing
        if np.isnan(found.low):
            said.append(f"{units.named(found.n)} heard in the strata: that leaves no interval")
        if missing and self.design.is_supposed:
            said.append(
                f"{found.n:,} of {units.named(found.n + missing)} were heard, and are taken for a simple random sample "
                "of them, as sample= was not passed"
            )
        elif missing:
            said.append(f"{missing:,} of {units.named(found.n + missing)} drawn were not heard, and are left out")
        if self.lost:
            said.append(f"nothing was heard of {self.lost} of the strata: the share is that of the others")
        if self.votes.strangers:
            said.append(strangers)
        if label not in self.used:
            said.append(f"nobody gave the label {label!r}{did_you_mean(label, self.used)}")
        return "; ".join(said) or None


def _label_names(label: object) -> list[str]:
    names = as_names("label", label)
    if not names or not all(isinstance(each, str) and each.strip() for each in names):
        raise ConfigurationError(f"label={label!r}: pass a label, such as 'escalate', or a list of labels")
    return names


def _design(
    labels: pd.DataFrame, sample: pd.DataFrame | None, calls: pd.DataFrame | None, session: str, prefix: str
) -> _Design:
    name, frame, is_supposed = "sample", sample, False
    if frame is None and prefix + PROBABILITY in labels.columns:
        name, frame = "labels", labels
    if frame is None:
        name, frame, is_supposed = "calls", calls, True
    if frame is None:
        raise ConfigurationError(
            "what the labels are to speak for is not said: pass sample=, what study.sample returned, or calls=, the "
            "whole frame, of which the labelled calls are then taken for a simple random sample"
        )
    units = find_units(frame, session, name)
    rows = frame.iloc[units.rows]
    count = len(rows)
    if is_supposed:
        return _Design(units, rows, np.ones(count), np.zeros(count, dtype=np.intp), is_supposed)
    strata = np.zeros(count, dtype=np.intp)
    if prefix + STRATUM in rows.columns:
        strata = pd.factorize(rows[prefix + STRATUM], use_na_sentinel=False)[0]
    chances = _chances(rows, name, prefix + PROBABILITY)
    _check_one_draw(frame, MOMENT if units.are_moments else session, name, prefix + PROBABILITY)
    return _Design(units, rows, chances, strata, is_supposed)


def _check_one_draw(frame: pd.DataFrame, key: str, name: str, column: str) -> None:
    """Refuse units with several chances: of samples that were joined nobody knows which chance a unit had."""
    ids = as_text(session_column(frame, key)).reset_index(drop=True)
    chances = pd.to_numeric(frame[column]).reset_index(drop=True).groupby(ids).agg(["min", "max"])
    several = chances[~np.isclose(chances["min"], chances["max"], equal_nan=True)]
    if len(several):
        raise FrameError(
            f"{name}= gives {several.index[0]!r} more than one {column!r}: samples can't be joined, as what could be "
            "drawn twice had another chance; draw one sample with a larger n"
        )


def _chances(rows: pd.DataFrame, name: str, column: str) -> Doubles:
    if column not in rows.columns:
        raise FrameError(
            f"{name}= has no column {column!r}: pass what study.sample returned, or for labels of calls that were "
            "not drawn by it calls= alone, the whole frame"
        )
    try:
        chances: Doubles = pd.to_numeric(rows[column]).to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):
        chances = np.full(len(rows), np.nan)
    wrong = np.flatnonzero(~((chances > 0) & (chances <= 1)))
    if len(wrong):
        raise FrameError(
            f"{name}= has {len(wrong):,} row(s) whose {column!r} is not above 0 and at most 1, as "
            f"{rows[column].iloc[wrong[0]]!r}: pass what study.sample returned"
        )
    return chances


def _adjusted(design: _Design, heard: npt.NDArray[np.bool_]) -> Doubles:
    """Return the chance to be drawn and heard: within a stratum, those that were heard stand for the others."""
    drawn = np.bincount(design.strata, minlength=1)
    rate = np.bincount(design.strata[heard], minlength=len(drawn)) / np.maximum(drawn, 1)
    return design.chances * rate[design.strata]


def _groups(
    design: _Design, calls: pd.DataFrame | None, by: Any, session: str
) -> tuple[Groups, npt.NDArray[np.intp] | None]:
    """Return the groups of what was drawn, and how many calls each has in the whole frame; None where it is unknown."""
    if calls is None:
        return find_groups(design.rows, by, keep_missing=False, taken=COLUMNS), None
    whole = find_units(calls, session, "calls")
    positions = {each: at for at, each in enumerate(whole.ids)}
    if not positions.keys() >= set(design.units.ids):
        raise FrameError(
            f"sample= has {design.units.kind}s that calls= has not: pass the frame that the sample was drawn from"
        )
    if not design.is_supposed:
        _tell_of_other_frames(design, len(whole.ids))
    # Of the whole frame, so that a group of which nothing was drawn has its row.
    found = find_groups(calls.iloc[whole.rows], by, keep_missing=False, taken=COLUMNS)
    codes = found.codes[np.array([positions[each] for each in design.units.ids], dtype=np.intp)]
    sizes = np.bincount(found.codes[found.codes >= 0], minlength=len(found.keys))
    return Groups(codes, found.keys), sizes.astype(np.intp)


def _tell_of_other_frames(design: _Design, count: int) -> None:
    """Warn of a sample whose chances are those of one draw from a frame of another size."""
    weights = 1 / design.chances
    size, spread = float(weights.sum()), math.sqrt(float((weights * (weights - 1)).sum()))
    if abs(size - count) > 4 * spread + 1:
        warn_caller(
            f"sample= speaks for about {design.units.named(round(size))}, and calls= has {count:,}: pass one sample, "
            "and the frame that it was drawn from; samples can't be joined"
        )


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = {"label": "string", "note": "string", "n": "Int64", "missing": "Int64"}
    return table.astype({**dict.fromkeys(_SHARES, "float64"), **kinds})
