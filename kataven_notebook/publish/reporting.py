"""`report`: one page to send, of what was measured, what it says, and how it sounds."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.arguments import check_probability, is_whole
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.frame.columns import check_prefix
from kataven_notebook.frame.sessions import find_sessions
from kataven_notebook.notices import warn_caller
from kataven_notebook.publish.chosen import chosen_clips
from kataven_notebook.publish.clip_list import clip_list
from kataven_notebook.publish.comparing import Comparing
from kataven_notebook.publish.contents import found_in, page_sections
from kataven_notebook.publish.page import page
from kataven_notebook.publish.shown import Texts
from kataven_notebook.publish.target import checked_target, write

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from kataven_notebook.settings import Settings
    from kataven_notebook.store.opening import StoreLike

_LARGE_BYTES = 5_000_000


@with_configured_names
def report(  # noqa: PLR0913 - what to compare, what to play, what to hide, where it comes from
    df: pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    by: str | Sequence[str] | None = None,
    metric: str | Sequence[str] | None = None,
    statistic: str = "auto",
    reference: Any = None,
    cluster: str | None = "auto",
    confidence_level: float = 0.95,
    clips: int | pd.DataFrame = 0,
    pad_s: float = 1.0,
    silence: pd.DataFrame | None = None,
    mask_ids: bool = False,
    title: str = "Call report",
    session: str = "session_id",
    prefix: str = "",
    store: StoreLike = None,
    progress: bool | None = None,
    settings: Settings | None = None,
) -> Path:
    """Write what was found in the calls as one page to send, and return its path.

    The page begins with the finding in a sentence, then says what was measured on how many calls, compares groups
    with intervals, draws figures, plays clips where asked, and ends with definitions and versions. It is one file
    that asks nobody for anything: it opens from a disk, by mail or from an archive, in light and dark, on paper and
    on a telephone, and needs no script. Nothing is measured: the numbers are those of the frame.

    Parameters
    ----------
    df
        The calls, as `metrics` returns them.
    path
        Where to write it; ends in .html. A report that is there is replaced, any other file is left alone. Folders
        that are missing are made. File and folders are private (0600, 0700).
    by
        The column, or columns, whose values are groups that are compared; at most 40 groups.
    metric
        The columns of numbers to show, the first of them in the headline: any of the frame's. By default the usual
        ones of `metrics` that the frame has, response latency first.
    statistic, reference, cluster, confidence_level
        As in `compare_groups`; by default the first group is the reference, and the rows of a session are one cluster.
    clips
        How many moments to play, the worst first, or the moments themselves, as `moments` returns them. By default
        the page holds no sound. Sound is fetched as by `audio` where the frame has none.
    pad_s, silence
        As in `clips`: seconds before and after each moment; and what is to be silenced.
    mask_ids
        Write "call 1", "call 2", ... in the frame's order in place of session ids, wherever they occur.
    title
        The page's title.
    session, prefix
        As for `metrics`.
    store, progress, settings
        As for `audio`; used where clips need sound.

    Returns
    -------
    pathlib.Path
        The file. The same frame gives the same bytes, but for the date in the last line.

    Raises
    ------
    FrameError
        A column is not there, twice, or holds no numbers; there are more than 40 groups; or as in `moments`.
    ConfigurationError
        `path` is a folder, does not end in .html or is a file of another kind; an option is out of range.
    StoreError
        The file can't be written; what was there is as it was. Or as in `audio`.
    MissingExtra, SessionError, Interrupted
        As in `moments`, where clips need sound.

    Examples
    --------
    >>> import tempfile
    >>> calls = pd.DataFrame(
    ...     {"session_id": ["a", "b", "c", "d"], "prompt": ["v1", "v1", "v2", "v2"], "score": [4.0, 5.0, 2.0, 3.0]}
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = report(calls, folder + "/report.html", by="prompt", metric="score").read_text()
    >>> "<h2>Comparison</h2>" in text, "<audio" in text, "http" in text.replace("http-equiv", "")
    (True, False, False)
    """
    target = checked_target(path)
    _check_options(confidence_level, clips, title, mask_ids=mask_ids)
    check_prefix(prefix)
    sessions = find_sessions(df, session)
    # Moments may be of other calls than the frame's.
    others = find_sessions(clips, session).ids if isinstance(clips, pd.DataFrame) else []
    texts = Texts([*sessions.ids, *others], is_masked=mask_ids)
    contents = found_in(
        df,
        sessions,
        texts,
        by=by,
        metric=metric,
        options=Comparing(statistic, reference, cluster, float(confidence_level), session, prefix),
    )
    excerpts = None
    if isinstance(clips, pd.DataFrame) or clips:
        sound = {"store": store, "progress": progress, "settings": settings}
        chosen = chosen_clips(df, clips, session=session, prefix=prefix, pad_s=pad_s, silence=silence, sound=sound)
        excerpts = replace(
            clip_list(
                chosen,
                texts,
                session=session,
                agents=contents.agents,
                groups=contents.groups,
                is_chosen=isinstance(clips, pd.DataFrame),
            ),
            is_silenced=silence is not None,
        )
        if not excerpts.playing:
            warn_caller(f"the report holds no sound: {excerpts.said}")
    today = dt.datetime.now(tz=dt.UTC).astimezone().date()
    shown = texts.html(title, most_chars=200)
    text = page(shown, page_sections(contents, texts, shown, excerpts), made_on=today)
    write(target, text)
    if len(text) > _LARGE_BYTES:
        warn_caller(
            f"the report takes {len(text) / 1e6:.1f} MB, which some mail refuses: fewer clips, or a smaller pad_s, "
            "make it smaller"
        )
    return target


def _check_options(level: object, clips: object, title: object, *, mask_ids: object) -> None:
    check_probability("confidence_level", level)
    if not isinstance(clips, pd.DataFrame) and (not is_whole(clips) or clips < 0):
        raise ConfigurationError(f"clips={clips!r}: pass how many, from 0, or a frame of moments")
    if not isinstance(mask_ids, bool):
        raise ConfigurationError(f"mask_ids={mask_ids!r}: pass True or False")
    if not isinstance(title, str):
        raise ConfigurationError(f"title={title!r}: pass text")
