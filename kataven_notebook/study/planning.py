"""How many calls a comparison takes, and how long signing them takes: `plan`, from a pilot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.arguments import check_count, check_probability, is_number
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import check_prefix
from kataven_notebook.frame.factors import find_groups
from kataven_notebook.frame.metric_values import AUTOMATIC, MetricValues, check_column, cluster_codes, minutes_of
from kataven_notebook.settings import current_settings
from kataven_notebook.stats.estimates import check_statistic, estimate, name_of_statistic
from kataven_notebook.stats.pilot import Pilot
from kataven_notebook.stats.power import Aim, Needed, needed

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt

    from kataven_notebook.settings import Limits, Settings
    from kataven_notebook.stats.estimates import Statistic

_COUNTS = ("pilot_calls", "calls_per_group", "calls_per_group_low", "calls_per_group_high", "calls")
_SHARES = ("pilot_estimate", "difference", "power", "power_simulated", "signing_days")
COLUMNS = (
    *("metric", "statistic", "difference", "power", "calls_per_group", "calls_per_group_low", "calls_per_group_high"),
    *("calls", "signing_days", "power_simulated", "pilot_calls", "pilot_estimate", "note"),
)
FEW = 30
"""Calls of a pilot in a group: with fewer, the spread that they show is a guess."""


@with_configured_names
def plan(
    calls: pd.DataFrame,
    metric: Hashable,
    *,
    by: Any = None,
    difference: float | Sequence[float],
    power: float = 0.8,
    statistic: Statistic = "auto",
    reference: Any = None,
    cluster: Any = AUTOMATIC,
    confidence_level: float = 0.95,
    seed: int = 0,
    settings: Settings | None = None,
    session: str = "session_id",
    prefix: str = "",
) -> pd.DataFrame:
    """Return how many calls a group it takes to see a difference, and how many days signing them takes.

    The pilot's own values say how much calls differ: samples of two groups that differ by `difference` are drawn from
    them, and compared as `compare_groups` compares them, until the size is found at which the interval of the
    difference leaves 0 out as often as `power` says. docs/study.md has the method, and how right it is.

    Calls of the pilot without a value, or without a recording, are taken for as frequent in the study: the numbers
    count all calls that are to be signed, not only those that will give a value.

    Parameters
    ----------
    calls
        The pilot: a frame with the metric. The number that it gives is as rough as the pilot is small:
        `calls_per_group_low` and `_high` say how rough.
    metric
        The column of numbers or booleans.
    by
        The column (or list of columns) whose groups are to be compared. Each group's own spread is used; the groups'
        present difference is not. Without it the whole pilot stands for two groups.
    difference
        What is to be seen: the other group's statistic minus the reference's, in the metric's unit, not 0; its sign
        matters for shares and counts. A list gives a row each.
    power
        How often it is to be seen, between 0 and 1.
    statistic
        As for `compare_groups`: "auto", "median", "mean", "share", a quantile such as "p90", "rate" or a function,
        for which the formula is not confirmed by simulation.
    reference
        The group that others are compared with; by default the first in sorting order.
    cluster
        As for `compare_groups`: rows of one session are one cluster, "caller_id" keeps callers who call again
        together, None takes each row for itself.
    confidence_level
        Of the interval that is to leave 0 out. For k comparisons use 1 - 0.05 / k.
    seed
        The same seed gives the same numbers.
    settings
        Whose limits the days are counted by; by default what is configured.
    session
        The column or index level with the session ids.
    prefix
        What stands before `duration_s`, for "rate".

    Returns
    -------
    pandas.DataFrame
        A row a difference: `metric`, `statistic` (string), `difference`, `power` (float64), `calls_per_group` (Int64),
        `calls_per_group_low`, `calls_per_group_high` (Int64: what about nine in ten pilots of this size would say),
        `calls` (Int64: of all groups), `signing_days` (float64: the least time in which the limits allow as many
        requests; 0.01 is a quarter of an hour), `power_simulated` (float64: how often samples of this size showed the
        difference; missing above 3,000 calls a group and for functions, where a formula speaks alone), `pilot_calls`
        (Int64: the smallest group's calls with a value), `pilot_estimate` (float64: of the reference) and `note`
        (string): why a number is missing, or what is to be doubted.

    Raises
    ------
    FrameError
        There is no such column, the metric holds no numbers, or there are not two groups.
    ConfigurationError
        The difference is 0, no number, or more than a share or a mean of counts can have; or an option is out of range.

    Examples
    --------
    >>> latency = np.random.default_rng(1).normal(1.0, 0.4, 120)
    >>> pilot = pd.DataFrame({"session_id": [f"c-{i}" for i in range(120)], "latency_s": latency})
    >>> found = plan(pilot, "latency_s", difference=-0.2, statistic="mean").iloc[0]
    >>> bool(30 < found["calls_per_group"] < 90), bool(found["calls"] == 2 * found["calls_per_group"])
    (True, True)
    """
    differences = _differences(difference)
    check_probability("power", power)
    check_probability("confidence_level", confidence_level)
    check_count("seed", seed, least=0)
    check_prefix(prefix)
    limits = current_settings(settings).limits
    pilots = _Pilots(calls, metric, by, reference, check_statistic(statistic), cluster, session, prefix)
    found: dict[float, Needed] = {}
    # The largest first: by chance in the samples a smaller one would now and then take less.
    for each in sorted(set(differences), key=abs, reverse=True):
        aim = Aim(pilots.statistic, each, float(power), float(confidence_level), int(seed))
        least = max((other.n for at, other in found.items() if at * each > 0 and other.n > 0), default=0.0)
        found[each] = pilots.needed(aim, least)
    rows = [pilots.row(each, found[each], float(power), limits) for each in differences]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = dict.fromkeys(("metric", "statistic", "note"), "string")
    return table.astype({**dict.fromkeys(_SHARES, "float64"), **dict.fromkeys(_COUNTS, "Int64"), **texts})


def _differences(difference: Any) -> list[float]:
    values = list(difference) if isinstance(difference, list | tuple | np.ndarray | pd.Series) else [difference]
    for each in values:
        if not is_number(each) or not math.isfinite(each) or each == 0:
            raise ConfigurationError(
                f"difference={each!r}: pass what is to be seen, a number in the metric's unit that is not 0, or a list"
            )
    if not values:
        raise ConfigurationError("difference=[]: pass what is to be seen, a number in the metric's unit")
    return [float(each) for each in values]


class _Pilots:
    """The pilot's groups: the values of each, in clusters, and how many calls a cluster with a value takes."""

    def __init__(
        self,
        calls: pd.DataFrame,
        metric: Any,
        by: Any,
        reference: Any,
        statistic: Statistic,
        cluster: Any,
        session: str,
        prefix: str,
    ) -> None:
        columns = [] if by is None else list(by) if isinstance(by, list) else [by]
        for option, name in [("metric", metric), *(("by", each) for each in columns)]:
            check_column(calls, option, name)
        codes = cluster_codes(calls, cluster, session, columns)
        minutes = minutes_of(calls, prefix + "duration_s") if statistic == "rate" else None
        values = MetricValues(calls, metric, codes, minutes)
        self.metric = metric
        self.statistic = values.statistic if statistic == AUTOMATIC else statistic
        parts = [np.arange(len(calls))]
        if columns:
            groups = find_groups(calls, columns)
            first = groups.references(reference)
            # A category that the pilot has no call of is no group of the study.
            there = [at for at, rows in enumerate(groups.rows) if len(rows)]
            parts = [groups.rows[at] for at in there]
            if len(parts) < 2:
                raise FrameError(f"by={by!r} makes {len(parts)} group(s) of the pilot: a comparison takes two")
            # The reference first; where each group has one of its own, the first group's stands for all.
            self.base = there.index(first[0]) if first[0] in there else 0
        else:
            self.base = 0
        self.groups = max(2, len(parts))
        samples = [values.sample(rows) for rows in parts]
        if self.statistic == "share" and not all(np.isin(each.values, (0, 1)).all() for each in samples):
            raise ConfigurationError(f"metric {metric!r}: statistic='share' is of True and False, or of 0 and 1")
        self.pilots = [
            Pilot(each.values, each.codes, None if each.minutes is None else each.minutes * 60) for each in samples
        ]
        ids = _ids(calls, session)
        self.calls_each = [
            len(np.unique(ids[rows])) / max(pilot.clusters, 1) for rows, pilot in zip(parts, self.pilots, strict=True)
        ]

    def needed(self, aim: Aim, least: float) -> Needed:
        """Return how many clusters a group one difference takes, at least as many as a larger one."""
        first = self.pilots[self.base]
        others = [each for at, each in enumerate(self.pilots) if at != self.base] or [first]
        return needed(first, max(others, key=lambda each: _spread(each, aim)), aim, least=least)

    def row(self, difference: float, found: Needed, power: float, limits: Limits) -> dict[str, Any]:
        """Return the row of one difference."""
        first = self.pilots[self.base]
        factor = max(self.calls_each)
        a_group, low, high = (_whole(each * factor) for each in (found.n, found.low, found.high))
        total = None if a_group is None else a_group * self.groups
        exposure = first.exposure_s if self.statistic == "rate" else None
        return {
            "metric": str(self.metric),
            "statistic": name_of_statistic(self.statistic),
            "difference": difference,
            "power": power,
            "calls_per_group": a_group,
            "calls_per_group_low": low,
            "calls_per_group_high": high,
            "calls": total,
            "signing_days": math.nan if total is None else signing_s(total, limits) / 86_400,
            "power_simulated": found.power,
            "pilot_calls": min(each.clusters for each in self.pilots),
            "pilot_estimate": estimate(first.values, self.statistic, exposure_s=exposure, resamples=2).value,
            "note": self._note(found),
        }

    def _note(self, found: Needed) -> str | None:
        few = min(each.clusters for each in self.pilots)
        said = [] if found.note is None else [found.note]
        if not math.isnan(found.n) and few < FEW:
            said.append(
                f"the pilot has {few} calls with a value in a group: the number is a guess, so plan for the high end, "
                f"or listen to {FEW} or more first"
            )
        return "; ".join(said) or None


def _spread(pilot: Pilot, aim: Aim) -> float:
    """Return how much a group's calls differ, as far as a formula says: the group that differs most takes most."""
    if pilot.clusters < 2:
        return math.inf
    if not isinstance(aim.statistic, str):
        return float(np.var(pilot.values))
    exposure = pilot.exposure_s if aim.statistic == "rate" else None
    clusters = np.repeat(np.arange(pilot.clusters), pilot.lengths)
    found = estimate(pilot.values, aim.statistic, clusters=clusters, exposure_s=exposure)
    width = (found.high - found.low) ** 2 * pilot.clusters
    return 0.0 if math.isnan(width) else width


def _ids(calls: pd.DataFrame, session: str) -> npt.NDArray[np.intp]:
    """Return for each row the number of its call; a row without a session is one of its own."""
    codes = cluster_codes(calls, AUTOMATIC, session, [])
    return np.arange(len(calls)) if codes is None else np.where(codes < 0, -1 - np.arange(len(calls)), codes)


def _whole(value: float) -> int | None:
    return None if math.isnan(value) else math.ceil(value)


def signing_s(requests: int, limits: Limits) -> float:
    """Return the least time in seconds in which limits allow a number of requests, beginning with fresh windows.

    A window opens with its first request and may be filled at once, so the last request is sent when the last window
    that is needed opens.

    Examples
    --------
    >>> from kataven_notebook.settings import Limits
    >>> signing_s(60, Limits()), signing_s(61, Limits()), signing_s(10_001, Limits()) / 3_600
    (0.0, 60.0, 24.0)
    """
    spent, left, capacity = 0.0, requests, math.inf
    windows: list[tuple[float, float]] = []
    for _, limit, length_s in limits.windows:
        # As many as the shorter windows in it allow, where that is less.
        inside = capacity * math.ceil(length_s / windows[-1][1]) if windows else math.inf
        capacity = min(inside, math.inf if limit is None else limit)
        windows.append((capacity, length_s))
    for most, length_s in reversed(windows):
        if math.isfinite(most) and left > most:
            full = (left - 1) // int(most)
            spent, left = spent + full * length_s, left - full * int(most)
    return spent
