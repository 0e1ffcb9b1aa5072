"""What a report says: collected from the frame, then put in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.frame.columns import STATUS, statuses
from kataven_notebook.frame.metric_values import AUTOMATIC
from kataven_notebook.notices import counted, warn_caller
from kataven_notebook.publish import figures, sections
from kataven_notebook.publish.clip_list import PRIVATE
from kataven_notebook.publish.comparing import Comparing, NamedGroups, compared, named_groups, overall
from kataven_notebook.publish.facts import Facts, facts_of, once_each
from kataven_notebook.publish.findings import headline
from kataven_notebook.publish.quantities import Quantity, numbers_of, quantities

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kataven_notebook.frame.sessions import Sessions
    from kataven_notebook.publish.clip_list import ClipList
    from kataven_notebook.publish.findings import Finding
    from kataven_notebook.publish.shown import Texts

_OF_OVERVIEW = (
    *("duration_s", "talk_ratio", "response_latency_p50_s", "silence_ratio"),
    *("interruptions_by_agent", "interruptions_by_caller"),
)
_MOST_DRAWN_GROUPS = 12
_DRAWN = 3
"""So many of the numbers that were asked for have a figure of their own: more would say less."""
_NO_FIGURES = "Figures are left out: matplotlib was not installed where this page was made."


@dataclass(frozen=True, slots=True)
class Contents:
    """What was found in a frame.

    Parameters
    ----------
    facts
        Its counts.
    chosen
        The numbers that are shown.
    of_all, of_groups
        What they are over all calls, and by group.
    by
        How the columns of the groups are called; empty where there are no groups.
    groups, agents
        The name of each session's group, and its agent's channel, where they are known.
    options
        How groups are compared.
    drawn
        Figures with their captions, escaped.
    """

    facts: Facts
    chosen: list[Quantity]
    of_all: list[Finding]
    of_groups: list[Finding]
    by: str
    groups: Mapping[Any, str]
    agents: Mapping[Any, int]
    options: Comparing
    drawn: list[tuple[str, str]]


def found_in(
    df: pd.DataFrame, sessions: Sessions, texts: Texts, *, by: Any, metric: Any, options: Comparing
) -> Contents:
    """Return what a report says of a frame.

    Raises
    ------
    FrameError, ConfigurationError
        As in `report`.
    """
    groups = named_groups(df, by, texts)
    chosen = [replace(each, label=texts.plain(each.label)) for each in quantities(df, metric, options.prefix)]
    labels = None if groups is None else groups.by_row(len(df))
    columns = [] if groups is None else [texts.plain(each) for each in groups.columns]
    agents = _by_session(df, sessions, options.prefix + "agent_channel")
    of_all = overall(df, chosen, texts, options) if len(df) else []
    of_groups = compared(df, groups, chosen, texts, options) if groups and groups.names and chosen else []
    pictured = chosen[: 1 if metric is None else _DRAWN]
    return Contents(
        facts=facts_of(df, sessions, options.prefix),
        chosen=chosen,
        of_all=of_all,
        of_groups=of_groups,
        by=", ".join(columns),
        groups={sessions.ids[code]: name for code, name in zip(sessions.codes, labels or [], strict=False) if name},
        agents={each: int(channel) for each, channel in agents.items() if channel in (0, 1)},
        options=options,
        drawn=_drawn(
            (df, once_each(df, sessions, options.prefix)), (of_all, of_groups), pictured, groups, texts, options
        ),
    )


def page_sections(contents: Contents, texts: Texts, title: str, clips: ClipList | None) -> list[str]:
    """Return the sections of the page, in order; those without anything to say are empty.

    Parameters
    ----------
    contents
        What was found.
    texts
        Makes texts fit to be shown.
    title
        Escaped.
    clips
        The clips, None where none were asked for.
    """
    level = contents.options.level
    return [
        sections.top(
            title, headline(contents.of_groups or contents.of_all, level, contents.by) or [_nothing_found(contents)]
        ),
        sections.section(
            "What was measured", sections.counts(contents.facts, texts), sections.status_table(contents.facts)
        ),
        _comparison(contents, texts),
        sections.section("Numbers", sections.number_table(contents.of_all, texts, level) if contents.of_all else ""),
        _figures(contents),
        _clips(clips),
        sections.section("Definitions", sections.definitions(contents.chosen, texts)),
        sections.section("How this page was made", sections.fact_list(_made(contents, clips), texts)),
    ]


def _nothing_found(contents: Contents) -> str:
    if not contents.facts.rows:
        return "The frame has no calls."
    return f"{counted(contents.facts.sessions, 'call')}, of which no number is known: metrics() measures them."


def _comparison(contents: Contents, texts: Texts) -> str:
    if not contents.by:
        return ""
    by = texts.shown(contents.by)
    if not contents.of_groups:
        return sections.section("Comparison", sections.paragraph(f"No call has a group in {by}, or no number."))
    level = f"{100 * contents.options.level:g}\N{NO-BREAK SPACE}%"
    shown = sections.comparison_table(contents.of_groups, texts, by=by, level=contents.options.level)
    explained = (
        f"A difference is in bold where its {level} interval leaves out 0 and p is below "
        f"{1 - contents.options.level:.2g}. p is corrected for the number of comparisons (Holm): of many intervals "
        "some leave out 0 by chance."
    )
    left = contents.facts.sessions - sum(isinstance(each, str) for each in contents.groups)
    rest = f"{counted(left, 'call')} in no group of {by}: left out here, and counted in the numbers of all calls."
    return sections.section(
        "Comparison",
        shown,
        sections.paragraph(rest, "note") if left > 0 else "",
        sections.paragraph(explained, "note"),
    )


def _figures(contents: Contents) -> str:
    if not contents.drawn:
        is_lacking = bool(contents.chosen) and not figures.is_possible()
        return sections.section("Figures", sections.paragraph(_NO_FIGURES, "note")) if is_lacking else ""
    return sections.section("Figures", *(sections.figure(svg, caption) for svg, caption in contents.drawn))


def _clips(clips: ClipList | None) -> str:
    if clips is None:
        return ""
    warning = sections.paragraph(escape(PRIVATE), "private") if clips.playing else ""
    said = sections.paragraph(escape(clips.said))
    return sections.section("Clips", warning, said, clips.html)


def _made(contents: Contents, clips: ClipList | None) -> list[tuple[str, str]]:
    level = f"{100 * contents.options.level:g} %"
    made = list(contents.facts.made_with)
    if contents.of_all:
        made.append(("Intervals", f"{level}; {_clusters(contents.options.cluster)}"))
    sound = f"{counted(clips.playing, 'clip')}, MP3" if clips is not None and clips.playing else "none in this file"
    if clips is not None and clips.is_silenced:
        sound += ", parts of which were silenced"
    return [*made, ("Sound", sound)]


def _clusters(cluster: Any) -> str:
    if cluster is None:
        return "each row stands for itself"
    what = "call" if isinstance(cluster, str) and cluster == AUTOMATIC else f"{cluster}"
    return f"rows of one {what} may be alike, and count as one"


def _by_session(df: pd.DataFrame, sessions: Sessions, name: str) -> dict[Any, Any]:
    if name not in df.columns or not isinstance(df.loc[:, name], pd.Series):
        return {}
    column = df.loc[:, name].astype(object)
    known = column.notna().to_numpy(dtype=np.bool_)
    return {
        sessions.ids[code]: value
        for code, value, is_known in zip(sessions.codes, column, known, strict=True)
        if is_known
    }


def _drawn(
    frames: tuple[pd.DataFrame, pd.DataFrame],
    found: tuple[list[Finding], list[Finding]],
    chosen: Sequence[Quantity],
    groups: NamedGroups | None,
    texts: Texts,
    options: Comparing,
) -> list[tuple[str, str]]:
    """Return the figures with their captions: of what was found in all calls and by group, and of each call once."""
    df, once = frames
    if not chosen or not len(df):
        return []
    if not figures.is_possible():
        warn_caller('the report has no figures: pip install "kataven-notebook[plots]" brings them')
        return []
    of_all, of_groups = found
    prefix = options.prefix
    are_grouped = groups is not None and 0 < len(groups.names) <= _MOST_DRAWN_GROUPS and bool(of_groups)
    drawn = []
    for at, each in enumerate(chosen):
        caption, by = texts.shown(each.label), ""
        numbers = numbers_of(df, each.column)
        calls: list[tuple[Any, Any]] = [("all calls", numbers)]
        if are_grouped and groups is not None:
            by = ", ".join(texts.plain(name) for name in groups.columns)
            caption += f" by {texts.shown(by)}"
            calls = [
                (key, numbers[rows]) for key, rows in zip(groups.keys(), groups.found.rows, strict=True) if len(rows)
            ]
        shown = [one for one in (of_groups if are_grouped else of_all) if one.quantity is each]
        metric = texts.plain(str(each.column).removeprefix(prefix))
        svg = figures.distribution(
            shown, calls, metric=metric, by=by, level=options.level, name=f"figure{at}", label=caption
        )
        drawn.append((svg, caption))
    return [*drawn, *_glance(once, prefix)]


def _glance(once: pd.DataFrame, prefix: str) -> list[tuple[str, str]]:
    """Return the figure of all calls, each of which counts once."""
    columns = set(once.columns[~once.columns.duplicated(keep=False)])
    known = [name for name in _OF_OVERVIEW if prefix + name in columns]
    if not set(known) - {"duration_s"}:
        return []
    frame = pd.DataFrame({name: numbers_of(once, prefix + name) for name in known})
    if prefix + STATUS in columns:
        frame[STATUS] = statuses(once, prefix)
    caption = "All calls at a glance: statuses, lengths, talk, latencies, silence, interruptions"
    return [(figures.at_a_glance(frame, name="glance", label=caption), caption)]
