"""`read`: transcripts of any tool as one tidy frame, one row a word."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import as_array
from kataven_notebook.frame.side_tables import MAX_CHANNELS
from kataven_notebook.notices import warn_caller
from kataven_notebook.redact import encodable, one_line
from kataven_notebook.store.sweep import sweep
from kataven_notebook.words.formats import KNOWN, words_of
from kataven_notebook.words.sources import Source, find_sources
from kataven_notebook.words.spoken import Spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kataven_notebook.words.sources import SessionId

COLUMNS = {
    "start_s": "float64",
    "end_s": "float64",
    "word": "string",
    "channel": "Int64",
    "speaker": "string",
    "confidence": "float64",
}
# So many sessions are named in a warning, and so many reasons given.
_SHOWN, _REASONS = 5, 20
# To read fewer takes no time that is worth a bar.
_WORTH_A_BAR = 20


@with_configured_names
def read(
    source: Any,
    *,
    session_id: SessionId = None,
    column: str = "transcript",
    session: str = "session_id",
    errors: Literal["capture", "raise"] = "capture",
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return the words of transcripts that other tools have made, one row a word, whichever tool it was.

    Read are WhisperX, faster-whisper, openai-whisper and OpenAI's service, Deepgram, AssemblyAI, Amazon Transcribe
    (batch and Call Analytics), Google Speech-to-Text (versions 1 and 2), WebVTT and SRT. Each is recognised by its
    content and never by its name.

    Parameters
    ----------
    source
        A file; a folder (all .json, .jsonl, .vtt and .srt below it, hidden ones left out; of one name in several
        formats the first of these); a pattern such as "transcripts/**/*.json"; a list of paths; a dict of session id
        to transcript; a frame with the session column and a column of transcripts; or, with `session_id` as text,
        one transcript. A transcript is an object of `json` or of the tool's own library, text, bytes or a path.
    session_id
        Where the session ids of files come from. None: the file's name without its ending (and without that of the
        sound, as in "a.wav.json"), and its folders where two files have one name. A function: of the file's
        `pathlib.Path`. Text: of the one transcript that is passed.
    column
        The column of transcripts, in a frame; what is missing there is passed over.
    session
        The name of the session column, here and in what is returned.
    errors
        "capture": what can't be read is named with its reason in one `UserWarning`, and the others are returned; it
        is raised where it is the only one. "raise": the first is raised.
    progress
        Whether to show a progress bar; None shows it in notebooks and terminals, from 20 transcripts on.

    Returns
    -------
    pandas.DataFrame
        The session column (string), `start_s` and `end_s` (float64, seconds from the call's start), `word` (string,
        with its punctuation), `channel` (Int64, from 0), `speaker` (string, as the tool calls it) and `confidence`
        (float64, 0 to 1), missing where the tool does not say. By session in the order of `source`, then by start; a
        word without a time stays behind the one before it. Where a tool gives times of utterances alone, a row is an
        utterance, and one warning says how many transcripts are such.

    Raises
    ------
    FrameError
        What can't be read, as `errors` says; a frame without such columns; or what holds no transcripts.
    ConfigurationError
        A file or folder that is not there, a folder without transcripts, or an option that can't work.

    Notes
    -----
    Negative times, what is no number, and an end before its start are missing, which one warning counts. What each
    column is made of in each format is in docs/words.md. Words are private: they are shown in no error or warning.

    Examples
    --------
    >>> answer = {"segments": [{"words": [{"word": " Hello", "start": 0.5, "end": 0.9, "probability": 0.98}]}]}
    >>> words = read({"call 1": answer})
    >>> words[["session_id", "start_s", "end_s", "word", "confidence"]].values.tolist()
    [['call 1', 0.5, 0.9, 'Hello', 0.98]]
    """
    if errors not in ("capture", "raise"):
        raise ConfigurationError(f'errors={errors!r}: pass "capture" or "raise"')
    if session in COLUMNS:
        raise FrameError(f"the result has a column {session!r} of its own: pass another name with session=")
    sources = find_sources(source, session_id=session_id, column=column, session=session)
    found = _all_read(sources, is_raised=errors == "raise" or len(sources) == 1, progress=progress)
    whole = [each for each in found if isinstance(each, _Found)]
    _tell(whole, [each for each in found if isinstance(each, str)])
    return _frame(whole, session)


@dataclass(slots=True)
class _Found:
    """The words of one transcript, and the time behind which each has its place."""

    session_id: str
    said: list[Spoken]
    places: list[float]
    wrong_times: int


def _all_read(sources: Sequence[Source], *, is_raised: bool, progress: bool | None) -> list[_Found | str]:
    """Return what each transcript holds, or why it can't be read; the first reason is raised where that is asked."""
    found: list[_Found | str | None] = [None] * len(sources)
    settled = 0
    if progress is None and len(sources) < _WORTH_A_BAR:
        progress = False
    for position, one in sweep(lambda at: _read(sources[at]), range(len(sources)), label="Reading", progress=progress):
        found[position] = one
        # They are ready in any order, and the first of them is the first every time.
        while settled < len(found) and found[settled] is not None:
            if is_raised and isinstance(reason := found[settled], str):
                raise FrameError(reason)
            settled += 1
    return [each for each in found if each is not None]


def _read(source: Source) -> _Found | str:
    """Return what a transcript holds, or the sentence that says why it can't be read."""
    try:
        said = words_of(source.read())
    except FrameError as error:
        return f"{one_line(source.name, most_chars=300)} {error}"
    checked = [_with_possible_times(each) for each in said if each.word]
    plain = [each for each, _ in checked]
    places = pd.Series([each.start_s for each in plain], dtype="float64").ffill().fillna(-math.inf)
    return _Found(source.session_id, plain, places.tolist(), sum(is_wrong for _, is_wrong in checked))


def _with_possible_times(said: Spoken) -> tuple[Spoken, bool]:
    """Return it with what can't be missing, and whether a time was such."""
    start_s, end_s = said.start_s, said.end_s
    is_wrong = math.isinf(start_s) or math.isinf(end_s) or start_s < 0 or end_s < 0 or end_s < start_s
    if is_wrong:
        start_s = start_s if 0 <= start_s < math.inf else math.nan
        end_s = end_s if 0 <= end_s < math.inf else math.nan
        end_s = math.nan if end_s < start_s else end_s
    channel = said.channel if said.channel is not None and said.channel < MAX_CHANNELS else None
    confidence = said.confidence if 0 <= said.confidence <= 1 else math.nan
    # No column of Arrow, file or page holds half characters.
    word, speaker = encodable(said.word), said.speaker and encodable(said.speaker)
    return Spoken(word, start_s, end_s, channel, speaker, confidence, is_utterance=said.is_utterance), is_wrong


def _tell(whole: Sequence[_Found], broken: Sequence[str]) -> None:
    """Warn of what the frame does not hold, or not as one would think; a warning for each kind."""
    total = len(whole) + len(broken)
    if broken:
        # What is known is said once.
        reasons = [broken[0], *(each.replace(f" ({KNOWN})", "") for each in broken[1:])]
        warn_caller(f"{len(broken):,} of {total:,} transcripts were not read: {_listed(reasons, '; ', _REASONS)}")
    if silent := [_named(each) for each in whole if not each.said]:
        warn_caller(f"{len(silent):,} of {total:,} transcripts hold no words: {_listed(silent, ', ')}")
    if of_utterances := [_named(each) for each in whole if any(said.is_utterance for said in each.said)]:
        warn_caller(
            f"{len(of_utterances):,} of {total:,} transcripts have times of utterances, not of each word: there a row "
            f"holds all that is said from its start_s to its end_s ({_listed(of_utterances, ', ')})"
        )
    if wrong := [each for each in whole if each.wrong_times]:
        warn_caller(
            f"{sum(each.wrong_times for each in wrong):,} of {sum(len(each.said) for each in whole):,} words have a "
            "time that can't be (negative, infinite, or an end before the start), which is missing now: in "
            f"{_listed([_named(each) for each in wrong], ', ')}"
        )


def _named(found: _Found) -> str:
    return one_line(repr(found.session_id), most_chars=60)


def _listed(texts: Sequence[str], separator: str, most: int = _SHOWN) -> str:
    more = f"{separator}and {len(texts) - most:,} more" if len(texts) > most else ""
    return separator.join(texts[:most]) + more


def _placed_once(found: Sequence[_Found]) -> list[tuple[float, Spoken]]:
    """Return the words of a session with their places; a session in many rows may have its transcript in each."""
    each_once = {repr(each.said): each for each in found}.values() if len(found) > 1 else found
    return [placed for each in each_once for placed in zip(each.places, each.said, strict=True)]


def _frame(found: Iterable[_Found], session: str) -> pd.DataFrame:
    by_session: dict[str, list[_Found]] = {}
    for each in found:
        by_session.setdefault(each.session_id, []).append(each)
    rows = [
        (session_id, said)
        for session_id, of_session in by_session.items()
        for _, said in sorted(_placed_once(of_session), key=lambda one: one[0])
    ]
    columns: dict[str, Any] = {session: as_array([session_id for session_id, _ in rows], "string")}
    for name, dtype in COLUMNS.items():
        columns[name] = as_array([getattr(said, name) for _, said in rows], dtype)
    return pd.DataFrame(columns)
