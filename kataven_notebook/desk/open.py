"""`player`: the listening desk, without importing any widget before it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kataven_notebook.defaults import with_configured_names

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable, Sequence

    import pandas as pd

    from kataven_notebook.desk.widget import Player
    from kataven_notebook.settings import Settings
    from kataven_notebook.store.opening import StoreLike


@with_configured_names
def player(  # noqa: PLR0913 - each has a default, and most calls pass one or two
    df: pd.DataFrame,
    *,
    session: Hashable = "session_id",
    prefix: str = "",
    columns: Sequence[Hashable] = (),
    marks: pd.DataFrame | None = None,
    moments: pd.DataFrame | None = None,
    turns: pd.DataFrame | None = None,
    words: pd.DataFrame | None = None,
    blind: Sequence[Hashable] = (),
    order: str | None = None,
    seed: int | None = None,
    labels: Sequence[str] = (),
    save_to: str | os.PathLike[str] | None = None,
    annotator: str | None = None,
    download: bool = False,
    store: StoreLike = None,
    settings: Settings | None = None,
) -> Player:
    """Return a player for a frame's calls: listen, look and label, inline.

    It plays what the kernel has (the `audio` column, else the store) and otherwise a signed URL,
    which it renews before it ends. It opens on the worst call at the worst moment, where `metrics` has
    measured the frame in this process or into a store (up to 300 calls with sound; of more, pass `moments`).

    Parameters
    ----------
    df
        One row a session, as `audio()` or `recordings()` return it; never changed.
    session
        The session column, or the index level of this name.
    prefix
        In front of this package's column names, as it was given to `audio()`.
    columns
        Further columns to show in the list, up to a hundred; its filter finds calls by all of the frame's.
    marks
        Marks of your own on the sound: session column, `start_s`, `end_s`, `label` (written above
        the mark), and perhaps `channel`, counted from 0. They are listed too, after the moments.
    moments
        The table of `moments()`, worst first: session column, `start_s`, `kind` (or `label`), and
        perhaps `end_s`, `channel` and `text`. Each is drawn on its call; the first fifty are listed
        at once (fewer where their texts are long), and the others as the list is scrolled.
    turns
        The table of `turns()`: draws who speaks when, overlaps, interruptions, slow responses
        (from 1.5 s) and dead air (from 3 s). What is not passed of the two comes from the metrics.
    words
        What is said, as `words.read` returns it: session column, `start_s`, `end_s`, `word`, and
        perhaps `channel` (from 0) or `speaker`, and `confidence`. Shown as text by turn and speaker, and
        under the waveform; a click seeks, F searches. A word without `start_s` is shown after the row
        before it. The words go to the page with the open call alone, and are never saved with the notebook.
    blind
        Columns of which the listener is to know nothing. The list, its filter and its sorting know then what
        `columns` names, status and length alone; calls are called "Call 1", "Call 2" in their order; texts of
        marks and moments that name a call's hidden value have three dots there; and moments are listed by call.
        Marks and moments stay unless "marks", "moments", "turns" or "words" are named too. `Player.labels`
        has the session ids as always. Labels of others in the file are shown: give each listener a `save_to`.
    order
        "frame" for the order of the rows, or "random"; by default random where something is hidden. A
        random order depends on the seed and the ids alone, so that two listeners hear the same; the player
        opens on its first call. With `save_to`
        it is kept beside the labels (`labels.order.csv`): a player that goes on has the same order, without the
        calls that the frame lacks by now, and with those that were added since at the end.
    seed
        A whole number that fixes the random order; by default the file's, else 0.
    labels
        The labels to choose from, up to a hundred; each gets a button, and the first nine a digit.
    save_to
        A CSV file to which each decision is appended at once; opened again it continues.
    annotator
        Who listens: stands beside each decision in `Player.labels` and in the file. Labels of others
        that the file holds are shown, and left alone unless one changes them. None: nobody says so.
    download
        Offer saving the open call as a file; off, as calls are private.
    store
        Where sound is that the frame does not hold; by default `configure`'s.
    settings
        Credentials and limits for signing URLs, instead of the configured ones.

    Returns
    -------
    Player
        An ipywidgets container; the last expression of a cell shows it.

    Raises
    ------
    FrameError
        No frame, a column that was named is not there or there twice, shown and hidden at once, or a table
        whose times are no numbers.
    ConfigurationError
        More than a hundred labels, one that is no line of text or twice, an `annotator` that is none,
        or a `save_to` that is something else than a player's file, or in a folder that is not there; an `order`
        or a `seed` that is none, or another seed than that of the order beside the labels.
    OSError
        The `save_to` file, or the order beside it, can't be read.
    StoreError, MissingExtra
        The store can't be opened, as for `audio`.

    Examples
    --------
    >>> import pandas as pd
    >>> from kataven_notebook.sound.recording import Recording
    >>> calls = pd.DataFrame({"session_id": ["a-1"], "audio": [Recording.from_samples([0.0] * 800, 8000)]})
    >>> desk = player(calls, labels=["good", "escalate"])
    >>> desk
    <Player of 1 call, 'a-1' is open>
    >>> desk.labels.columns.tolist()
    ['session_id', 'label', 'start_s', 'end_s', 'note', 'annotator', 'labelled_at']
    """
    from kataven_notebook.desk.widget import Player  # noqa: PLC0415 - ipywidgets only when shown

    return Player(
        df,
        session=session,
        prefix=prefix,
        columns=columns,
        marks=marks,
        moments=moments,
        turns=turns,
        words=words,
        blind=blind,
        order=order,
        seed=seed,
        labels=labels,
        save_to=save_to,
        annotator=annotator,
        download=download,
        store=store,
        settings=settings,
    )
