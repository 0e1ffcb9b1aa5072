"""The sections of a report as HTML: findings, counts, tables, figures, definitions, and how it was made."""

from __future__ import annotations

import itertools
from html import escape
from typing import TYPE_CHECKING

from kataven_notebook.publish.facts import MEANINGS
from kataven_notebook.publish.findings import p_text, statistic_text
from kataven_notebook.publish.shown import MISSING, interval, number, unmarked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kataven_notebook.publish.facts import Facts
    from kataven_notebook.publish.findings import Finding, Span
    from kataven_notebook.publish.quantities import Quantity
    from kataven_notebook.publish.shown import Texts

_WHISKER = 144
_TALL = 18


def top(title: str, sentences: Sequence[str]) -> str:
    """Return the title, and what was found in a sentence or a few; both are escaped here."""
    said = "".join(f'<p class="finding">{escape(each)}</p>' for each in sentences)
    return f"<header><h1>{title}</h1>{said}</header>"


def section(heading: str, *parts: str) -> str:
    """Return parts under a heading, nothing where there are none."""
    body = "\n".join(each for each in parts if each)
    return f"<section><h2>{heading}</h2>\n{body}</section>" if body else ""


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph of escaped text."""
    return f'<p class="{kind}">{text}</p>' if kind else f"<p>{text}</p>"


def table(caption: str, head: Sequence[str], bodies: Iterable[str], *, numbers: Sequence[int] = ()) -> str:
    """Return a table that scrolls by itself where the page is narrow.

    Parameters
    ----------
    caption
        What it shows; escaped, as all parts are.
    head
        Of its columns.
    bodies
        Rows as HTML, in groups that belong together.
    numbers
        Which columns hold numbers.
    """
    cells = "".join(
        f'<th scope="col"{_number(at in numbers)}>{name}</th>' if name else "<td></td>" for at, name in enumerate(head)
    )
    rows = "".join(f"<tbody>{each}</tbody>" for each in bodies)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{unmarked(caption)}">'
        f"<table><caption>{caption}</caption><thead><tr>{cells}</tr></thead>{rows}</table></div>"
    )


def counts(facts: Facts, texts: Texts) -> str:
    """Return rows, calls, measured calls, minutes and period."""
    entries = [("Calls", f"{facts.sessions:,}", "" if facts.rows == facts.sessions else f"in {facts.rows:,} rows")]
    if facts.measured is not None:
        entries.append(("Measured", f"{facts.measured:,}", ""))
    if facts.sound_s is not None:
        minutes = facts.sound_s / 60
        entries.append(("Sound", f"{minutes:,.0f} min" if minutes >= 10 else f"{minutes:.1f} min", ""))
    if facts.period is not None:
        first, last, column = facts.period
        span = first if first == last else f"{first} to {last}"
        entries.append(("Period", span, f"by <code>{texts.html(column)}</code>"))
    items = "".join(
        f"<div><dt>{name}</dt><dd>{value}{f'<small>{note}</small>' if note else ''}</dd></div>"
        for name, value, note in entries
    )
    return f'<dl class="counts">{items}</dl>'


def status_table(facts: Facts) -> str:
    """Return the statuses with their rows and what they mean."""
    if not facts.status_counts:
        return paragraph("The frame does not say which recordings are there.", "note")
    rows = "".join(
        f'<tr><th scope="row">{status}</th><td class="number">{count:,}</td><td class="number">'
        f"{100 * count / max(facts.rows, 1):.0f}\N{NO-BREAK SPACE}%</td><td>{MEANINGS[status]}</td></tr>"
        for status, count in facts.status_counts
    )
    return table("What became of the recordings", ["status", "rows", "share", "meaning"], [rows], numbers=(1, 2))


def number_table(findings: Sequence[Finding], texts: Texts, level: float) -> str:
    """Return the numbers of all calls with their intervals."""
    rows = "".join(
        f'<tr><th scope="row">{_name_of(each.quantity, texts)}</th><td class="number">{each.calls:,}</td>'
        f'<td class="number">{each.missing:,}</td><td>{escape(statistic_text(each.statistic))}</td>'
        f'<td class="number strong">{_value(each.estimate, each.quantity.unit)}</td>'
        f'<td class="number">{interval(each.estimate.low, each.estimate.high, each.quantity.unit) or MISSING}</td></tr>'
        for each in findings
    )
    head = ["number", "calls", "missing", "statistic", "value", f"{level * 100:g}\N{NO-BREAK SPACE}% interval"]
    return table("Numbers of all calls", head, [rows], numbers=(1, 2, 4, 5)) + _notes(findings)


def comparison_table(findings: Sequence[Finding], texts: Texts, *, by: str, level: float) -> str:
    """Return each number by group: values, differences to the reference, intervals and p-values."""
    name = f"{level * 100:g}\N{NO-BREAK SPACE}% interval"
    head = [by, "calls", "missing", "value", name, "difference", name, "", "p, corrected"]
    bodies = []
    for _, group in itertools.groupby(findings, key=lambda each: id(each.quantity)):
        each = list(group)
        statistic = escape(statistic_text(each[0].statistic))
        heading = (
            f'<tr><th scope="rowgroup" colspan="{len(head)}">{_name_of(each[0].quantity, texts)}, {statistic}</th></tr>'
        )
        reach = max((_reach(one) for one in each), default=0.0)
        bodies.append(heading + "".join(_group_row(one, texts, reach, level) for one in each))
    references = {each.reference for each in findings if each.reference}
    against = f"; differences are to {texts.shown(references.pop())}" if len(references) == 1 else ""
    caption = f"Numbers by {by}{against}"
    return table(caption, head, bodies, numbers=(1, 2, 3, 4, 5, 6, 8)) + _notes(findings)


def definitions(chosen: Sequence[Quantity], texts: Texts) -> str:
    """Return what the numbers mean, and who says so."""
    items = []
    for each in chosen:
        meaning = escape(each.definition) or "A column of the frame; this package does not define it."
        source = f' <span class="faint">{escape(each.source)}</span>' if each.source else ""
        name = f"{texts.shown(each.label)}<br><code>{texts.html(each.column)}</code>"
        items.append(f"<dt>{name}</dt><dd>{meaning}{source}</dd>")
    return f'<dl class="facts">{"".join(items)}</dl>' if items else ""


def fact_list(pairs: Iterable[tuple[str, str]], texts: Texts) -> str:
    """Return pairs of a name and a text as a list; both are escaped here."""
    items = "".join(f"<dt>{escape(name)}</dt><dd>{texts.html(text, most_chars=400)}</dd>" for name, text in pairs)
    return f'<dl class="facts">{items}</dl>'


def figure(svg: str, caption: str) -> str:
    """Return a figure with its caption, escaped, that scrolls by itself where the page is narrow."""
    region = f'<div class="scroll" role="region" tabindex="0" aria-label="{unmarked(caption)}">{svg}</div>'
    return f"<figure><figcaption>{caption}</figcaption>{region}</figure>"


def _group_row(finding: Finding, texts: Texts, reach: float, level: float) -> str:
    unit, gap = finding.quantity.unit, finding.difference
    is_kept = finding.is_kept(level)
    strong = " strong" if is_kept else ""
    cells = [
        f"{finding.calls:,}",
        f"{finding.missing:,}",
        _value(finding.estimate, unit),
        interval(finding.estimate.low, finding.estimate.high, unit) or MISSING,
        _value(gap, unit, is_signed=True),
        interval(gap.low, gap.high, unit) or MISSING,
    ]
    plain = "".join(f'<td class="number{strong if at == 4 else ""}">{each}</td>' for at, each in enumerate(cells))
    drawn = _whisker(finding, reach, is_kept=is_kept) if gap.is_known else ""
    return (
        f'<tr><th scope="row" class="name">{texts.shown(finding.group)}</th>{plain}<td>{drawn}</td>'
        f'<td class="number">{escape(p_text(finding.p_adjusted))}</td></tr>'
    )


def _reach(finding: Finding) -> float:
    gap = finding.difference
    return max(abs(gap.low), abs(gap.high)) if gap.is_known else 0.0


def _whisker(finding: Finding, reach: float, *, is_kept: bool) -> str:
    """Return the interval of a difference as a line beside 0; the numbers stand beside it."""
    half, middle = (_WHISKER - 10) / 2, _TALL / 2
    low, at, high = (
        _WHISKER / 2 + half * value / max(reach, 1e-300)
        for value in (finding.difference.low, finding.difference.value, finding.difference.high)
    )
    kind = "whisker shown" if is_kept else "whisker"
    return (
        f'<svg class="{kind}" viewBox="0 0 {_WHISKER} {_TALL}" aria-hidden="true" focusable="false">'
        f'<line class="zero" x1="{_WHISKER / 2:.0f}" x2="{_WHISKER / 2:.0f}" y1="0" y2="{_TALL}"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.0f}" y2="{middle:.0f}"/>'
        f'<circle cx="{at:.1f}" cy="{middle:.0f}" r="3.5"/></svg>'
    )


def _value(span: Span, unit: str | None, *, is_signed: bool = False) -> str:
    return number(span.value, unit, is_signed=is_signed, beside=(span.low, span.high))


def _name_of(quantity: Quantity, texts: Texts) -> str:
    unit = "" if quantity.unit in (None, "1", "count") else f" ({quantity.unit})"
    return texts.shown(quantity.label) + unit


def _notes(findings: Sequence[Finding]) -> str:
    """Return why intervals are missing, each reason once."""
    reasons = dict.fromkeys(each.note for each in findings if each.note)
    said = ". ".join(escape(each[:1].upper() + each[1:]) for each in itertools.islice(reasons, 5))
    return paragraph(f"{MISSING} No interval. {said}.", "note") if said else ""


def _number(is_number: bool) -> str:  # noqa: FBT001 - a cell's own property
    return ' class="number"' if is_number else ""
