"""Who heard which call or moment, and which labels they gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import as_text
from kataven_notebook.frame.sessions import session_column
from kataven_notebook.redact import encodable
from kataven_notebook.study.units import MOMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from kataven_notebook.study.units import Units

    Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Votes:
    """What listeners said of units.

    Attributes
    ----------
    table
        A row for each label that an annotator gave a unit, or one without a label: `unit` (position), `annotator`,
        `label`; None where there is no name or label.
    strangers
        How many calls or moments were labelled that are none of the units.
    """

    table: pd.DataFrame
    strangers: int

    def heard(self, count: int) -> npt.NDArray[np.bool_]:
        """Whether each of `count` units was heard by anybody."""
        found = np.zeros(count, dtype=np.bool_)
        found[self.table["unit"].to_numpy(dtype=np.intp)] = True
        return found

    def hits(self, label: str, count: int, several: str) -> Doubles:
        """Return for each unit whether it has a label, from 0 to 1, by the rule for several annotators."""
        said = (self.table["label"] == label).groupby([self.table["unit"], self.table["annotator"].fillna("")]).any()
        part = said.groupby(level=0).mean()
        share = part.to_numpy(dtype="float64")
        if several == "majority":
            # Half of them is no more for it than against it.
            share = (np.sign(share - 0.5) + 1) / 2
        elif several != "mean":
            share = np.asarray((share > 0) if several == "any" else (share == 1), dtype=np.float64)
        hits = np.zeros(count)
        hits[part.index.to_numpy(dtype=np.intp)] = share
        return hits


def votes_on(decisions: pd.DataFrame, units: Units, rows: pd.DataFrame, session: str) -> Votes:
    """Return which units were heard, and as what.

    A label on any part of a call is one of the call. A moment has the labels of the regions that overlap it; where the
    labels name moments (`moment_id`), those of its own.

    Parameters
    ----------
    decisions
        As `decisions_of` returns them.
    units
        What was drawn, or the whole frame.
    rows
        One row a unit.
    session
        The name of the session column of `rows`.

    Raises
    ------
    FrameError
        Moments have neither ids in the labels nor a session and times of their own.
    """
    key = "session"
    if units.are_moments:
        if decisions[MOMENT].isna().all() and session != MOMENT and len(decisions):
            return _votes_by_overlap(decisions, rows, session)
        key = MOMENT if decisions[MOMENT].notna().any() else "session"
    positions = {each: at for at, each in enumerate(units.ids)}
    unit = decisions[key].map(positions)
    known = unit.notna()
    table = decisions.loc[known, ["annotator", "label"]].assign(unit=unit[known].astype("int64"))
    return Votes(table, decisions.loc[~known, key].nunique())


def _votes_by_overlap(decisions: pd.DataFrame, rows: pd.DataFrame, session: str) -> Votes:
    lacking = [each for each in ("start_s", "end_s") if each not in rows.columns]
    if lacking:
        raise FrameError(
            f"the moments have no column {lacking[0]!r}, and the labels no {MOMENT!r}: one of the two is needed to "
            "tell which label is about which moment"
        )
    moments = pd.DataFrame({"session": as_text(session_column(rows, session)).astype(object).to_numpy()})
    moments["session"] = moments["session"].map(encodable, na_action="ignore")
    for each in ("start_s", "end_s"):
        moments["moment_" + each] = pd.to_numeric(rows[each]).to_numpy(dtype="float64", na_value=np.nan)
    moments["moment_end_s"] = moments["moment_end_s"].fillna(moments["moment_start_s"])
    regions = decisions[decisions["start_s"].notna()]
    pairs = regions.merge(moments.assign(unit=np.arange(len(rows))), on="session")
    near = (pairs["start_s"] <= pairs["moment_end_s"]) & (pairs["end_s"] >= pairs["moment_start_s"])
    heard = set(decisions["session"])
    return Votes(pairs.loc[near, ["annotator", "label", "unit"]], len(heard - set(moments["session"])))


def with_heard(votes: Votes, heard: Any, units: Units) -> Votes:
    """Return the votes with those units that are said to have been heard, and have no label.

    Parameters
    ----------
    votes
        What is known from labels.
    heard
        "all", ids, or None for nothing more.
    units
        The units.

    Raises
    ------
    ConfigurationError
        It is none of these.
    """
    if heard is None:
        return votes
    if isinstance(heard, str):
        if heard != "all":
            raise ConfigurationError(f'heard={heard!r}: pass "all", or the ids of what was listened to')
        named = np.ones(len(units.ids), dtype=np.bool_)
    else:
        named = _named(heard, units)
    more = np.flatnonzero(named & ~votes.heard(len(units.ids)))
    added = pd.DataFrame({"annotator": None, "label": None, "unit": more}, dtype=object)
    return Votes(pd.concat([votes.table.astype(object), added], ignore_index=True), votes.strangers)


def _named(heard: Iterable[object], units: Units) -> npt.NDArray[np.bool_]:
    try:
        ids = {encodable(str(each)) for each in heard}
    except TypeError:
        raise ConfigurationError(f'heard={heard!r}: pass "all", or the ids of what was listened to') from None
    found = np.array([each in ids for each in units.ids], dtype=np.bool_)
    if ids and not found.any():
        raise ConfigurationError(
            f"heard= names no {units.kind} that there is ({min(ids)!r} is one of {len(ids):,}): pass ids as the frame "
            "has them"
        )
    return found
