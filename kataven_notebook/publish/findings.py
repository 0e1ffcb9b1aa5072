"""What the numbers say: estimates of all calls, groups beside a reference, and both in a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kataven_notebook.notices import counted
from kataven_notebook.publish.shown import interval, isolated, number, with_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kataven_notebook.publish.quantities import Quantity

_NAN = float("nan")
_MOST_SENTENCES = 3
_STATISTICS = {"rate": "per minute of call"}


@dataclass(frozen=True, slots=True)
class Span:
    """A value and its interval; NaN where there is none.

    Parameters
    ----------
    value, low, high
        The value, and the ends of its interval.
    """

    value: float = _NAN
    low: float = _NAN
    high: float = _NAN

    @property
    def is_known(self) -> bool:
        """Whether value and interval are there."""
        return math.isfinite(self.value) and math.isfinite(self.low) and math.isfinite(self.high)


@dataclass(frozen=True, slots=True)
class Finding:
    """One quantity of one group, or of all calls.

    Parameters
    ----------
    quantity
        What is counted or measured.
    group
        The group's name as it is shown, not escaped; empty for all calls.
    statistic
        What was made of the calls: "median", "mean", ...
    n, missing, calls
        Values, values that are missing, and the calls that they come from.
    estimate
        The group's value.
    difference
        The group's value minus the reference's.
    reference
        Which group that is; empty for the reference itself, and where there is none.
    p_adjusted
        The p-value of the difference, corrected for the number of comparisons; NaN where there is none.
    note
        Why an interval is missing.
    """

    quantity: Quantity
    group: str
    statistic: str
    n: int
    missing: int
    calls: int
    estimate: Span
    difference: Span = Span()
    reference: str = ""
    p_adjusted: float = _NAN
    note: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return self.difference.is_known and not self.difference.low <= 0 <= self.difference.high

    def is_kept(self, level: float) -> bool:
        """Whether it is shown also where p is corrected for the number of comparisons."""
        return self.is_shown and not self.p_adjusted >= 1 - level


def sentence(finding: Finding, reference: Finding, level: float, alpha: float) -> str:
    """Return what a comparison says, in one sentence; names are as the findings have them.

    Parameters
    ----------
    finding, reference
        A group, and the one that it is compared with.
    level
        The level of the intervals, such as 0.95.
    alpha
        Below which corrected p-value a difference counts as shown.

    Examples
    --------
    >>> from kataven_notebook.publish.quantities import Quantity
    >>> latency = Quantity("response_latency_p50_s", "Response latency", "s")
    >>> v1 = Finding(latency, "v1", "median", 198, 0, 198, Span(1.4, 1.3, 1.5))
    >>> v2 = Finding(latency, "v2", "median", 212, 0, 212, Span(0.98, 0.9, 1.1), Span(-0.42, -0.55, -0.3))
    >>> sentence(v2, v1, 0.95, 0.05).replace(chr(160), " ")
    'Response latency, median: v2 is 0.42 s faster than v1 (95 % interval 0.30 to 0.55 s; 212 and 198 calls).'
    """
    unit, gap = finding.quantity.unit, finding.difference
    head = f"{finding.quantity.label}, {statistic_text(finding.statistic)}: "
    calls = f"{finding.calls:,} and {counted(reference.calls, 'call')}"
    if not gap.is_known:
        return head + _unsure(finding, reference, calls)
    name = f"{level * 100:g}\N{NO-BREAK SPACE}% interval"
    if not finding.is_shown:
        ends = _ends(gap.low, gap.high, unit)
        size = with_unit(gap.value, unit, is_signed=True, beside=(gap.low, gap.high))
        return (
            f"{head}no difference between {isolated(finding.group)} and {isolated(reference.group)} is shown "
            f"({size}, {name} {ends}; {calls})."
        )
    low, high = sorted((abs(gap.low), abs(gap.high)))
    size = with_unit(abs(gap.value), unit, beside=(low, high))
    text = f"{isolated(finding.group)} is {size} {_direction(finding)} than {isolated(reference.group)}"
    doubt = ""
    if math.isfinite(finding.p_adjusted) and finding.p_adjusted >= alpha:
        doubt = f"; corrected for all comparisons p = {p_text(finding.p_adjusted)}, so that chance may explain it"
    return f"{head}{text} ({name} {_ends(low, high, unit)}; {calls}{doubt})."


def headline(findings: Sequence[Finding], level: float, by: str = "") -> list[str]:
    """Return the sentences that a report begins with, of its first quantity.

    Parameters
    ----------
    findings
        Those of groups, or those of all calls.
    level
        The level of the intervals.
    by
        The column of the groups, which stands before names that say nothing alone: "hour 9", "escalated True".
    """
    if not findings:
        return []
    first = [
        replace(each, group=_told(each.group, by), reference=_told(each.reference, by))
        for each in findings
        if each.quantity is findings[0].quantity
    ]
    by_name = {each.group: each for each in first}
    others = [each for each in first if each.reference]
    if not others:
        return [_of_all(first[0], level)]

    def sentence_of(finding: Finding) -> str:
        return sentence(finding, by_name[finding.reference], level, 1 - level)

    if len(others) <= _MOST_SENTENCES:
        return [sentence_of(each) for each in others]
    shown = [each for each in others if each.is_kept(level)]
    head = f"{first[0].quantity.label}, {statistic_text(first[0].statistic)}: "
    references = {each.reference for each in others}
    reference = references.pop() if len(references) == 1 else "their reference"
    if not shown:
        return [f"{head}none of {len(others)} groups is shown to differ from {reference}."]
    largest = max(shown, key=lambda each: abs(each.difference.value))
    some = f"{len(shown)} of {len(others)} groups differ" if len(shown) > 1 else f"one of {len(others)} groups differs"
    return [f"{head}{some} from {reference}; the largest difference follows.", sentence_of(largest)]


def _told(group: str, by: str) -> str:
    says_nothing = group in ("True", "False") or not any(map(str.isalpha, group))
    # Of several columns no name fits.
    return f"{by} {group}" if by and group and says_nothing and ", " not in by else group


def statistic_text(statistic: str) -> str:
    """Return a statistic in words.

    Examples
    --------
    >>> statistic_text("median"), statistic_text("p90"), statistic_text("rate")
    ('median', '90th percentile', 'per minute of call')
    """
    if statistic[:1] == "p" and statistic[1:].replace(".", "", 1).isdigit():
        return f"{statistic[1:]}th percentile"
    return _STATISTICS.get(statistic, statistic)


def p_text(value: float) -> str:
    r"""Return a p-value as papers print it.

    Examples
    --------
    >>> p_text(0.00004), p_text(0.0312), p_text(float("nan"))
    ('< 0.001', '0.031', '\u2013')
    """
    if math.isfinite(value):
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return number(value)


def _unsure(finding: Finding, reference: Finding, calls: str) -> str:
    """Return what is said of a difference without an interval."""
    why = finding.note or reference.note or "there are too few values"
    size = with_unit(abs(finding.difference.value), finding.quantity.unit)
    if not math.isfinite(finding.difference.value) or not finding.difference.value:
        return f"{isolated(finding.group)} can't be compared with {isolated(reference.group)} ({why}; {calls})."
    than = f"{size} {_direction(finding)} than {isolated(reference.group)}"
    return (
        f"{isolated(finding.group)} is {than} in these calls, and no interval says how sure that is ({why}; {calls})."
    )


def _of_all(finding: Finding, level: float) -> str:
    head = f"{finding.quantity.label}, {statistic_text(finding.statistic)}: "
    of = f" of {isolated(finding.group)}" if finding.group else ""
    if not math.isfinite(finding.estimate.value):
        return f"{head}no call{of} has this number."
    span = finding.estimate
    text = with_unit(span.value, finding.quantity.unit, beside=(span.low, span.high))
    calls = counted(finding.calls, "call") + of
    if not finding.estimate.is_known:
        return f"{head}{text} ({calls}; no interval{': ' + finding.note if finding.note else ''})."
    ends = _ends(finding.estimate.low, finding.estimate.high, finding.quantity.unit)
    return f"{head}{text} ({level * 100:g}\N{NO-BREAK SPACE}% interval {ends}; {calls})."


def _ends(low: float, high: float, unit: str | None) -> str:
    suffix = "" if unit in (None, "1", "count") else f"\N{NO-BREAK SPACE}{unit}"
    return interval(low, high, unit) + suffix


def _direction(finding: Finding) -> str:
    is_less = finding.difference.value < 0
    name = str(finding.quantity.column)
    if finding.quantity.unit == "s":
        if "latency" in name or "time_to" in name:
            return "faster" if is_less else "slower"
        return "shorter" if is_less else "longer"
    return "lower" if is_less else "higher"
