"""`Player`: one listening desk for a whole frame: list, waveform, playback, labels."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import pandas as pd

from kataven_notebook.defaults import with_configured_names
from kataven_notebook.desk.blind import heard
from kataven_notebook.desk.call_list import CallList
from kataven_notebook.desk.card import Card, card
from kataven_notebook.desk.contents import Contents
from kataven_notebook.desk.labels import MAX_NOTE, LabelBook
from kataven_notebook.desk.marks import Marks, tables_of_metrics
from kataven_notebook.desk.page import Desk
from kataven_notebook.desk.sources import source_of
from kataven_notebook.desk.still import Still
from kataven_notebook.desk.words import Words
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.sessions import session_column
from kataven_notebook.hints import did_you_mean

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Hashable, Sequence

    from kataven_notebook.desk.delivery import Call
    from kataven_notebook.desk.sources import CallSource
    from kataven_notebook.settings import Settings
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.store.opening import StoreLike

_MAX_LABELS = 100
# Those of the page's list; desk/static/speaker.js has them too.
_SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
_FRAME_COLUMNS = ("label", "label_note", "label_regions", "labelled_at")


class Player(Desk):
    """Shows, plays and labels the calls of a frame, inline.

    Made by `player`, which documents the parameters. The list, sorting, filtering and the sound
    stay in the kernel; the page asks for what it shows. It is an `anywidget`: it stands in any layout
    of ipywidgets, and with `mo.ui.anywidget(player)` marimo runs cells again that read its labels.

    Attributes
    ----------
    session_id : str
        The call that is open; empty where the frame has no rows or this row no id.
    position_s : float
        Where in that call the listener is.
    speed : float
        How fast it plays.
    labels : pandas.DataFrame
        What was decided: session, label, start_s, end_s, note, annotator, labelled_at.
    frame : pandas.DataFrame
        The frame with the labels joined.

    Examples
    --------
    >>> import pandas as pd
    >>> from kataven_notebook.desk.open import player
    >>> desk = player(pd.DataFrame({"session_id": ["a-1", "a-2"]}))
    >>> desk.select("a-2")
    >>> desk.session_id, desk.labels.columns.tolist()[:2]
    ('a-2', ['session_id', 'label'])
    >>> desk.close()
    """

    @with_configured_names
    def __init__(  # noqa: PLR0913 - as for `player`
        self,
        frame: pd.DataFrame,
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
        source: CallSource | None = None,
    ) -> None:
        # The caller may go on with the frame in place: what was opened stays as it was.
        frame = frame.copy(deep=False) if isinstance(frame, pd.DataFrame) else frame
        self._frame, self._session, self._prefix = frame, session, prefix
        self._book = LabelBook(str(session), save_to, annotator=_checked_annotator(annotator))
        shown = heard(
            frame,
            session=session,
            prefix=prefix,
            columns=columns,
            blind=blind,
            order=order,
            seed=seed,
            save_to=save_to,
        )
        self._calls = CallList(
            shown.frame, session=session, prefix=prefix, columns=columns, names=shown.names, ids_tell=shown.ids_tell
        )
        if moments is None or turns is None:
            found_moments, found_turns = tables_of_metrics(frame, session=session, prefix=prefix)
            moments, turns = (found_moments if moments is None else moments), (found_turns if turns is None else turns)
        beside = {"marks": marks, "moments": moments, "turns": turns}
        contents = Contents(
            self._calls,
            Marks(
                session,
                **shown.tables(beside, session),
                is_known=self._is_known,
                place_of=None if shown.is_worst_first else self._calls.key_of,
            ),
            self._book,
            _checked_labels(labels),
            download,
            Words(session, shown.table("words", words, session), is_known=self._is_known),
        )
        self._label_names = contents.label_names
        source = source or source_of(frame, session=session, prefix=prefix, store=store, settings=settings)
        super().__init__(contents, source)
        self._still = Still(contents, source)
        self._card = Card(self._as_card)
        shown.keep()
        self._selected.register_callback(lambda _: self._card.refresh_soon())

    def _is_known(self, session_id: str) -> bool:
        return self._calls.key_of(session_id) is not None

    # -- from Python -------------------------------------------------------------------------

    def select(self, session_id: str) -> None:
        """Open a call in the page.

        Parameters
        ----------
        session_id
            Which one.

        Raises
        ------
        FrameError
            The frame has no such session.
        """
        # A frame that was read without dtype=str has numbers for ids, and they are listed as text.
        key = self._calls.key_of(str(session_id))
        if key is None:
            raise FrameError(f"the player's frame has no session {session_id!r}: pass an id of that frame")
        self._open(key)

    def play(self) -> None:
        """Start playing; browsers refuse it until the page was clicked or typed into once."""
        self._command("play")

    def pause(self) -> None:
        """Stop playing, and stay where it is."""
        self._command("pause")

    def seek(self, position_s: float) -> None:
        """Go to a position of the open call.

        Parameters
        ----------
        position_s
            Seconds from its start; the page goes no further than its end.

        Raises
        ------
        ValueError
            Below 0, or not a finite number.
        """
        position_s = float(position_s)
        if not (math.isfinite(position_s) and position_s >= 0):
            raise ValueError(f"position_s={position_s!r}: pass seconds from the start of the call, 0 or more")
        self._command("seek", position_s=position_s)

    def add_label(
        self,
        label: str,
        *,
        session_id: str | None = None,
        start_s: float | None = None,
        end_s: float | None = None,
        note: str = "",
    ) -> None:
        """Decide as the listener does: set a label, or leave a note, on a call or on a region of it.

        A label that stands there already stays as it is.

        Parameters
        ----------
        label
            One of the player's labels; empty for a note alone.
        session_id
            On which call; by default on the one that is open.
        start_s, end_s
            The region, in seconds from the start of the call; by default the whole call.
        note
            Free text, of any number of lines.

        Raises
        ------
        FrameError
            The frame has no such session, or it has no id of one line of text.
        ConfigurationError
            The player has no such label.
        ValueError
            Half a region, one that does not end after it starts, neither label nor note, or a note
            of more than 50,000 characters.
        OSError
            The `save_to` file can't be written; then nothing is decided.
        """
        session = self.session_id if session_id is None else str(session_id)
        key = self._calls.key_of(session)
        if key is None or len(session.splitlines()) != 1:
            raise FrameError(
                f"no label can be set on session {session!r}: pass an id of one line of the player's frame"
            )
        if label and label not in self._label_names:
            known = ", ".join(map(repr, self._label_names)) or "none: pass labels= to player()"
            near = did_you_mean(label, self._label_names)
            raise ConfigurationError(f"the player has no label {label!r}{near}; it has {known}")
        if not (label or note.strip()):
            raise ValueError(f"session {session!r}: pass a label, or a note")
        start_s, end_s = _checked_region(start_s, end_s)
        if len(note) > MAX_NOTE:
            raise ValueError(f"the note on session {session!r} has {len(note):,} characters: pass up to {MAX_NOTE:,}")
        self._catch_up()
        if not label or self._book.same(session, label, start_s, end_s) is None:
            self._book.add(session, label, start_s=start_s, end_s=end_s, note=note)
            self._relist(key)

    @property
    def speed(self) -> float:
        """How fast it plays: 1 as it was spoken. Setting it changes the page.

        Raises
        ------
        ValueError
            Set to something else than 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5 or 3.
        """
        return self._listener.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        if speed not in _SPEEDS:
            raise ValueError(f"speed={speed!r}: pass one of {', '.join(f'{each:g}' for each in _SPEEDS)}")
        self._play_at(float(speed))

    @property
    def session_id(self) -> str:
        """The session that is open; empty where there is none."""
        return "" if self._key is None else self._calls.session_id(self._key)

    @property
    def labels(self) -> pd.DataFrame:
        """The decisions: session, label, start_s, end_s (missing for a whole call), note, annotator, labelled_at."""
        self._catch_up()
        return self._book.to_frame()

    @property
    def frame(self) -> pd.DataFrame:
        """The input, with `label`, `label_note`, `label_regions` and `labelled_at` of each row's call.

        `label` holds the labels of the whole call, `label_regions` how many regions have one.

        Raises
        ------
        FrameError
            The frame has some columns of these names that are its own.
        """
        names = [f"{self._prefix}{name}" for name in _FRAME_COLUMNS]
        taken = [name for name in names if name in self._frame.columns]
        if 0 < len(taken) < len(names):
            raise FrameError(
                f"the frame has columns {', '.join(taken)} of its own: rename them, or pass the prefix= "
                f"that audio() was given; the decisions are in player.labels in any case"
            )
        self._catch_up()
        joined = self._frame.copy()
        ids = session_column(self._frame, self._session)
        # A row without an id has no labels, also where some call is named "nan".
        known = ids.astype(object).where(ids.notna(), "")
        for name, values in self._book.per_session(known).items():
            joined[f"{self._prefix}{name}"] = values.array
        return joined

    def on_select(self, callback: Callable[[str], object], *, remove: bool = False) -> None:
        """Call `callback(session_id)` whenever another call is opened, in the page or from Python.

        Parameters
        ----------
        callback
            Gets the session id; what it raises is logged and stops nothing.
        remove
            Stop calling it.
        """
        self._selected.register_callback(callback, remove=remove)

    def __repr__(self) -> str:
        """How many calls, and which is open; no URL, no sound."""
        calls = len(self._calls)
        name = ("" if self._key is None else self._calls.alias(self._key)) or self.session_id
        return f"<Player of {calls:,} call{'' if calls == 1 else 's'}, {name!r} is open>"

    # -- shown -------------------------------------------------------------------------------

    def _ipython_display_(self, **_: object) -> None:
        from IPython.display import display  # noqa: PLC0415 - needed only where it is shown

        self._card.show()
        bundle = super()._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]  # IPython has no types
        threading.Thread(target=self._push_ahead, name="kataven-player-push", daemon=True).start()

    def close(self) -> None:
        """Take the player out of the page and end its threads."""
        # ipywidgets closes widgets whose construction failed, too.
        if hasattr(self, "_card"):
            self._card.close()
        super().close()

    def _send_labels(self, call: Call, *, op: object = None) -> None:
        super()._send_labels(call, op=op)
        self._card.refresh_soon()

    def _as_card(self, patience_s: float | None = None) -> dict[str, str]:
        title = "" if self._key is None else self._calls.title(self._key)
        return card(
            calls=len(self._calls),
            title=title,
            statuses=self._calls.counts(),
            labels=len(self._book),
            picture=self._still.of(self._key, patience_s=patience_s),
        )


def play_one(recording: Recording) -> Player:
    """Return a player for one recording, without a list.

    Parameters
    ----------
    recording
        Any recording; one without a session id is called "recording".
    """
    row = {"session_id": recording.session_id or "recording", "audio": recording, "duration_s": recording.duration_s}
    return Player(pd.DataFrame([row]))


def _checked_region(start_s: float | None, end_s: float | None) -> tuple[float | None, float | None]:
    if start_s is None and end_s is None:
        return None, None
    if start_s is None or end_s is None or not 0 <= float(start_s) < float(end_s) < math.inf:
        raise ValueError(
            f"start_s={start_s!r}, end_s={end_s!r}: pass both in seconds from the start of the call, "
            "the end after the start, or neither for the whole call"
        )
    return float(start_s), float(end_s)


def _checked_labels(labels: Sequence[str]) -> tuple[str, ...]:
    if not pd.api.types.is_list_like(labels):
        what = "one text" if isinstance(labels, str) else "no list"
        raise ConfigurationError(f"labels={labels!r} is {what}: pass a list, such as labels=['good', 'escalate']")
    names = tuple(labels)
    if not all(isinstance(each, str) and each.strip() for each in names):
        raise ConfigurationError("labels= holds something that is no text: pass names such as 'good'")
    if any(len(each.splitlines()) > 1 for each in names):
        raise ConfigurationError("labels= holds a name with a line break: pass names of one line")
    if len(names) > _MAX_LABELS or len(set(names)) < len(names):
        raise ConfigurationError(f"labels= has {len(names)} entries: pass up to a hundred different ones")
    return names


def _checked_annotator(annotator: str | None) -> str | None:
    if annotator is None or (isinstance(annotator, str) and annotator.strip() and len(annotator.splitlines()) == 1):
        return annotator and annotator.strip()
    raise ConfigurationError(f"annotator={annotator!r} is no line of text: pass a name or a code, such as 'anna'")
