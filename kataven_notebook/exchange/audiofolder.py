"""To other tools and back: folders of sound files with a table."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from kataven_notebook.arguments import absolute_path
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, DecodeError, FrameError, StoreError
from kataven_notebook.exchange import sheets as _sheets
from kataven_notebook.exchange.mark import mark_of, prepared, write_mark
from kataven_notebook.exchange.sound_files import ENCODINGS, SoundFiles, Written, alike
from kataven_notebook.frame.columns import (
    AUDIO,
    CLIP_ID,
    DTYPES,
    ERROR,
    EXPIRES_AT,
    SOUND,
    STATUS,
    URL,
    as_array,
    with_columns,
)
from kataven_notebook.frame.job import FrameJob
from kataven_notebook.frame.options import check_choice, sound_plan
from kataven_notebook.frame.sessions import session_column
from kataven_notebook.frame.silences import Silences
from kataven_notebook.machine.folders import atomic
from kataven_notebook.notices import warn_caller
from kataven_notebook.run.plan import DEFAULT_MAX_BYTES, Outcome
from kataven_notebook.run.work import working
from kataven_notebook.sound.encode import lack_of
from kataven_notebook.sound.recording import Recording
from kataven_notebook.status import Status, status_of

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from kataven_notebook.frame.options import Duration
    from kataven_notebook.run.plan import Plan, Task
    from kataven_notebook.settings import Settings
    from kataven_notebook.store.opening import StoreLike

FILE_NAME = "file_name"


@with_configured_names
def to_audiofolder(
    df: pd.DataFrame,
    folder: str | os.PathLike[str],
    *,
    format: Literal["wav", "flac", "ogg", "mp3"] | None = None,  # noqa: A002 - what everybody calls it
    sample_rate: int | None = None,
    channels: Literal["split", "mono"] | None = None,
    metadata: Literal["csv", "jsonl", "parquet"] = "csv",
    silence: pd.DataFrame | None = None,
    session: str = "session_id",
    store: StoreLike = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_wait: Duration = None,
    in_flight: int | None = None,
    prefix: str = "",
    progress: bool | None = None,
    settings: Settings | None = None,
) -> Path:
    """Write the calls as a folder of sound files with a table, and return the folder.

    What Hugging Face's `datasets.load_dataset("audiofolder", data_dir=...)` reads as it is, labels
    and metrics included, and what every tool that takes files can use. Written atomically; the
    same call again goes on where it was, and asks for nothing that is there. Rows without sound are
    left out, and a warning says why.

    Parameters
    ----------
    df
        One row a session. Sound comes from its `audio` column, else it is fetched as by `audio`.
    folder
        Where to; new, empty, or an earlier export with the same options.
    format
        "wav", "flac" (16 bit), "ogg" (Vorbis) or "mp3". By default the bytes as they were recorded,
        or "wav" where something has to be converted (or no such tool reads the format, as m4a).
    sample_rate
        What to convert to, Hz; 16,000 is what most speech models want. By default as recorded.
    channels
        "mono" for the mean of all, "split" for one file a channel, with a column `channel`. By
        default as recorded.
    metadata
        The format of the table: "csv" is read everywhere, though ids made of digits become numbers
        in some readers; "jsonl" and "parquet" (extra `[parquet]`) keep types and lists.
    silence
        What is taken out of the sound, at equal length, such as spoken names and numbers: a table with
        the session column, `start_s`, `end_s`, and perhaps `channel` (from 0; missing for all). Such
        calls are decoded, silenced as by `Recording.silenced`, and written anew; where the table changes,
        again. Times of recognised words are not exact: widen them, and leave `channel` out where one channel may
        carry the other's voice. Texts in other columns stay as they are. For clips, pass it to `clips`.
    session, store, max_bytes, max_wait, in_flight, prefix, progress, settings
        As for `audio`.

    Returns
    -------
    pathlib.Path
        The folder: `audio/` and `metadata.csv`, `.jsonl` or `.parquet`, whose column `file_name`
        says which sound a row has. Signed URLs are not written. `datasets` gives two channels as one:
        `row["audio"]["array"]` is their mean, whatever `Audio(num_channels=)` says (datasets #8005).
        Both are in `row["audio"].get_all_samples().data`, in `read_audiofolder`, and, a file each, in an
        export with `channels="split"`.

    Raises
    ------
    FrameError
        The session column can't be found, the frame has a column `file_name` (or `channel`, with
        "split"), or two columns of one name; a row of `silence` would take nothing out, or none of its
        sessions is in the frame.
    ConfigurationError
        An option that can't work, or a folder with something else in it.
    MissingExtra
        `metadata="parquet"` without pyarrow; or as for `audio`.
    StoreError
        The folder or the store can't be written; what is there stays good.
    Interrupted
        Somebody pressed stop; call again to go on.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> calls = pd.DataFrame({"session_id": ["a"], "score": [4]})
    >>> calls["audio"] = [Recording.from_samples(np.zeros(8000), 8000)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print((to_audiofolder(calls, folder) / "metadata.csv").read_text().splitlines())
    ['file_name,session_id,score', 'audio/a.wav,a,4']
    """
    options = {"format": format, "sample_rate": sample_rate, "channels": channels}
    _check_options(options, metadata)
    if silence is not None:
        options["silenced"] = True
    job = FrameJob(df, session, prefix=prefix)
    if silence is not None and session == prefix + CLIP_ID:
        raise FrameError(
            "the frame holds clips, whose times are not those of their calls: pass silence= to clips(), which takes "
            "it out where it cuts"
        )
    silences = Silences(silence, session)
    silences.check(job.sessions.ids)
    twice = df.columns[df.columns.map(str).duplicated()]
    if len(twice):
        raise FrameError(f"the frame has several columns {str(twice[0])!r}, which a table can't hold: rename them")
    taken = [name for name in (FILE_NAME, *(["channel"] if channels == "split" else [])) if name in df.columns]
    if taken:
        raise FrameError(f"the frame has a column {taken[0]!r}, which the export writes: rename it")
    plan = sound_plan(
        settings,
        store,
        max_bytes=max_bytes,
        verify="quick",
        poll_pending=None,
        max_wait=max_wait,
        in_flight=in_flight,
        keep_sound=False,
    )
    target = prepared(absolute_path("folder", folder), options)
    files = SoundFiles(
        target, format, sample_rate, channels, Written(target), names=alike(job.sessions.ids), silences=silences
    )
    outcomes = _written(job, plan, files, progress=progress)
    _write_table(job, outcomes, target, metadata=metadata, options=options)
    _warn_of_left_out(job.reasons(outcomes), len(outcomes))
    return target


def _written(job: FrameJob, plan: Plan, files: SoundFiles, *, progress: bool | None) -> list[Outcome]:
    """Write the files of all sessions that have sound, and return the outcomes.

    Raises
    ------
    StoreError, Interrupted
        As for `to_audiofolder`.
    """
    try:
        files.drop_what_was_silenced_otherwise({*files.silences.session_ids, *map(str, job.sessions.ids)})
    except OSError as error:
        raise _not_writable(files.folder, error) from None
    job.split(plan, for_work=True, progress=progress)
    job.known |= _there_already(job.tasks, files)
    rows = {task.session_id: {"session_id": task.session_id} for task in job.tasks.values()}
    with working(plan, files, rows=rows) as ready:
        outcomes = job.run(ready, label="Writing", progress=progress)
    if files.failure is not None:
        raise _not_writable(files.folder, files.failure)
    return outcomes


def _not_writable(folder: Path, error: OSError) -> StoreError:
    return StoreError(f"the folder {folder} can't be written ({error}): what is there stays good; call again to go on")


def _there_already(tasks: dict[int, Task], files: SoundFiles) -> dict[int, Outcome]:
    """Take out of `tasks` what would be fetched although an earlier call has written it."""
    found = {}
    for position, task in list(tasks.items()):
        there = files.there_already(task.session_id) if task.recording is None else None
        if there is not None:
            found[position] = Outcome(Status.DOWNLOADED, value=there)
            del tasks[position]
    return found


def _check_options(options: Mapping[str, Any], metadata: str) -> None:
    if options["format"] is not None:
        check_choice("format", options["format"], ENCODINGS)
    if options["channels"] is not None:
        check_choice("channels", options["channels"], ("split", "mono"))
    rate = options["sample_rate"]
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int) or not 1_000 <= rate <= 384_000):
        raise ConfigurationError(f"sample_rate={rate!r}: pass a whole number of Hz from 1,000 to 384,000")
    lack = None if rate is None else lack_of(options["format"] or "wav", rate)
    if lack is not None:
        raise ConfigurationError(f"{lack}: pass another rate, or format='wav'")
    _sheets.check_kind(metadata)


def _write_table(
    job: FrameJob, outcomes: list[Outcome], folder: Path, *, metadata: str, options: Mapping[str, Any]
) -> None:
    df, sessions, prefix = job.frame, job.sessions, job.prefix
    names = [outcome.value or [] for outcome in outcomes]
    rows = np.array([row for row, code in enumerate(sessions.codes) for _ in names[code]], dtype=np.intp)
    files = [name for code in sessions.codes for name in names[code]]
    table = _plain_columns(df, sessions.name, prefix, metadata).iloc[rows].reset_index(drop=True)
    table.insert(0, FILE_NAME, files)
    if options["channels"] == "split":
        split = [index for code in sessions.codes for index in range(len(names[code]))]
        table.insert(1, "channel", pd.Series(split, dtype="Int64"))
    table.attrs = {}
    dtypes = {name: _dtype_name(table[name], name, prefix) for name in table.columns}
    order = [str(name) for name in df.columns]
    try:
        write_mark(folder, options=dict(options), session=sessions.name, dtypes=dtypes, prefix=prefix, order=order)
        with atomic(folder / f"metadata.{metadata}") as file:
            file.write(_sheets.encode(table, metadata))
        for kind in set(_sheets.KINDS) - {metadata}:
            (folder / f"metadata.{kind}").unlink(missing_ok=True)
    except OSError as error:
        raise _not_writable(folder, error) from None


def _plain_columns(df: pd.DataFrame, session: str, prefix: str, metadata: str) -> pd.DataFrame:
    """Return the columns that a table can hold: no sound, no signed URLs, no nested values in CSV."""
    ours = {prefix + name for name in (AUDIO, URL, EXPIRES_AT)}
    table = df.drop(columns=[name for name in df.columns if name in ours]).reset_index(drop=True)
    if session not in table.columns:
        table.insert(0, session, session_column(df, session).to_numpy())
    sounds = [name for name in table if table[name].map(lambda each: isinstance(each, Recording)).any()]
    nested = [name for name in table if name not in sounds and not _sheets.is_flat(table[name])]
    left_out = sounds + (nested if metadata == "csv" else [])
    if left_out:
        warn_caller(
            f"the columns {left_out} hold what a {metadata} table can't: they are left out"
            + ("; metadata='parquet' takes lists and arrays" if nested else "")
        )
    return table.drop(columns=left_out).rename(columns=str)


def _dtype_name(column: pd.Series[Any], name: str, prefix: str) -> str:
    return "status" if name == prefix + STATUS else str(column.dtype)


def _warn_of_left_out(reasons: Mapping[str, str], count: int) -> None:
    if reasons:
        first, reason = next(iter(reasons.items()))
        warn_caller(
            f"{len(reasons):,} of {count:,} sessions have no sound that can be written, and are not in the folder; "
            f"{first}: {reason}"
        )


def read_audiofolder(folder: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the frame of a folder that `to_audiofolder` wrote, `audio` included; needs no network.

    Folders of other tools work too, where a `metadata.csv`, `.jsonl` or `.parquet` has a column
    `file_name`.

    Parameters
    ----------
    folder
        Where it is.

    Returns
    -------
    pandas.DataFrame
        One row a file: the columns that were written, with their dtypes, and `audio` (a `Recording`
        or None), `recording_status` and `recording_error`. A file that is gone is `failed`, one
        that can't be read `corrupt` or `unsupported`. With `channels="split"` a row a channel.

    Raises
    ------
    ConfigurationError
        The folder is no such folder, is of another version, or its table names files outside of it.
    MissingExtra
        The table is a Parquet file, and pyarrow is not installed.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> calls = pd.DataFrame({"session_id": ["007"], "audio": [Recording.from_samples(np.zeros(8000), 8000)]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     back = read_audiofolder(to_audiofolder(calls, folder))
    >>> back[["session_id", "recording_status"]].values.tolist(), back["audio"][0].duration_s
    ([['007', 'downloaded']], 1.0)
    """
    root = absolute_path("folder", folder)
    kind = next((each for each in _sheets.KINDS if (root / f"metadata.{each}").is_file()), None)
    if kind is None:
        raise ConfigurationError(
            f"{root} is no folder that to_audiofolder has finished: it has no metadata.csv, .jsonl or .parquet"
        )
    mark = mark_of(root) or {}
    table = _sheets.decode((root / f"metadata.{kind}").read_bytes(), kind, mark.get("dtypes", {}))
    if FILE_NAME not in table.columns:
        raise ConfigurationError(f"{root}/metadata.{kind} has no column {FILE_NAME!r}, which would name the files")
    session = str(mark.get("session", "session_id"))
    files = [_inside(root, name) for name in table.pop(FILE_NAME)]
    if session not in table.columns:
        table.insert(0, session, [file.stem for file in files])
    pairs = zip(files, table[session], strict=True)
    found = [_opened(file, str(session_id), is_derived=_is_converted(mark)) for file, session_id in pairs]
    return _with_sound(table, found, mark)


def _inside(root: Path, name: Any) -> Path:
    """Return the file of that name, unless the name leads out of the folder."""
    pure = PurePosixPath(str(name).replace("\\", "/"))
    out = not isinstance(name, str) or pure.is_absolute() or ".." in pure.parts or re.match(r"[A-Za-z]:", str(name))
    # A link inside the folder may lead out of it, too; a zero byte ends a name for the system alone.
    if out or "\x00" in name or not (root / pure).resolve().is_relative_to(root.resolve()):
        raise ConfigurationError(f"the table in {root} names {str(name)!r:.200}, which is no file below it: not read")
    return root / pure


def _is_converted(mark: Mapping[str, Any]) -> bool:
    """Whether the files may be others than the recordings were, or are another tool's."""
    options = mark.get("options")
    return not isinstance(options, dict) or any(options.values())


def _opened(file: Path, session_id: str, *, is_derived: bool) -> tuple[Recording | None, str, str | None]:
    try:
        recording = Recording.from_file(file, session_id=session_id)
        return recording.derived() if is_derived else recording, Status.DOWNLOADED, None
    except DecodeError as error:
        return None, status_of(error), error.message
    except OSError as error:
        return None, Status.FAILED, f"the file {file.name} can't be read ({error.strerror}): export the folder again"


def _with_sound(
    table: pd.DataFrame, found: list[tuple[Recording | None, str, str | None]], mark: Mapping[str, Any]
) -> pd.DataFrame:
    prefix = str(mark.get("prefix", ""))
    sounds, states, reasons = ([each[part] for each in found] for part in range(3))
    columns = {AUDIO: sounds, STATUS: states, ERROR: reasons}
    for name, attribute in SOUND.items():
        # Converted files are no longer what was noted of the original.
        if prefix + name in table.columns:
            columns[name] = [getattr(sound, attribute, None) for sound in sounds]
    arrays = {name: as_array(values, DTYPES[name]) for name, values in columns.items()}
    frame = with_columns(table, arrays, prefix=prefix)
    order = [name for name in mark.get("order", []) if name in frame.columns]
    frame = frame[
        [*[name for name in frame.columns if name not in order and name not in arrays], *order]
        + [prefix + name for name in arrays if prefix + name not in order]
    ]  # fmt: skip - ours come last
    return frame
