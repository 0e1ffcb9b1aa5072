"""What the command line does: fetch into a store, and show the demo."""

from __future__ import annotations

import importlib.util
import logging
import lzma
import os
import signal
import subprocess
import sys
import textwrap
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook import demo
from kataven_notebook.arguments import absolute_path
from kataven_notebook.errors import ConfigurationError, MissingExtra
from kataven_notebook.frame.apply import apply
from kataven_notebook.frame.columns import AUDIO, ERROR, EXPIRES_AT, STATUS, URL
from kataven_notebook.frame.fetch import audio, summary
from kataven_notebook.settings import Limits, configure
from kataven_notebook.status import Status

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from kataven_notebook.sound.recording import Recording

ALL_DONE, SOME_LEFT, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
_PAGE_CHARS = 100


def fetch(options: argparse.Namespace) -> int:
    """Fetch the sessions of a file into a store, and return the exit code that tells how it went.

    Raises
    ------
    KatavenError
        What can't work, in one sentence.
    Interrupted
        Ctrl-C, or SIGTERM from a scheduler.
    """
    frame = read_table(options.sessions, options.session)
    if options.report is not None:
        _check_writable(options.report)
    configure(
        base_url=options.base_url,
        account_id=options.account,
        limits=None if options.per_minute is None else Limits(per_minute=options.per_minute),
    )
    with _logged(quiet=options.quiet), _stopped_by_scheduler():
        calls = audio(
            frame,
            session=options.session,
            store=options.store,
            refresh=options.refresh,
            verify="full" if options.verify_full else "quick",
            max_bytes=options.max_bytes,
            poll_pending=options.poll_pending,
            max_wait=options.max_wait,
            in_flight=options.in_flight,
            progress=False if options.quiet else None,
        )
    if options.report is not None:
        write_table(calls.drop(columns=_private(calls)), options.report)
    if len(calls):
        _say_summary(calls)
    else:
        _say("there are no sessions in the file")
    _tell_reasons(calls)
    return exit_code(calls)


def _tell_reasons(calls: pd.DataFrame) -> None:
    """Say of each status that another run may change why it is so, by its first session."""
    reasons = calls.drop_duplicates(STATUS)
    for name, reason in zip(reasons[STATUS].astype(str), reasons[ERROR], strict=True):
        state = Status(name)
        if not (state.is_good or state.is_final or state is Status.SKIPPED):
            sys.stderr.write(f"{state}: {reason}\n")


def exit_code(calls: pd.DataFrame) -> int:
    """Return 0 where every row is good or final, 2 where the account is refused, 1 where another run may help.

    Examples
    --------
    >>> exit_code(pd.DataFrame({"recording_status": ["downloaded", "missing"]}))
    0
    >>> exit_code(pd.DataFrame({"recording_status": ["downloaded", "limited"]}))
    1
    >>> exit_code(pd.DataFrame({"recording_status": ["refused", "skipped"]}))
    2
    """
    states = {Status(each) for each in calls[STATUS].astype(object)}
    if states & {Status.REFUSED, Status.UNCONFIGURED}:
        return UNUSABLE
    return ALL_DONE if all(each.is_good or each.is_final for each in states) else SOME_LEFT


def read_table(name: str, session: str) -> pd.DataFrame:
    """Return the frame in a file: CSV, Parquet or JSON lines, by its ending; "-" is CSV on the standard input.

    Raises
    ------
    ConfigurationError
        No such file, another format, or not what its ending says.
    MissingExtra
        Parquet without pyarrow.
    """
    kind = "csv" if name == "-" else table_kind(name)
    try:
        if kind == "parquet":
            return pd.read_parquet(name)
        if kind == "jsonl":
            return pd.read_json(name, lines=True, dtype=False)
        # Ids are text: 007 must not become 7.
        return pd.read_csv(sys.stdin if name == "-" else name, dtype={session: str}, keep_default_na=True)
    except ImportError as error:
        if kind == "parquet":
            raise MissingExtra.of("parquet", "a Parquet file") from None
        raise ConfigurationError(f"{name} can't be read as {kind}: {error}; or unpack it") from None
    except (OSError, ValueError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ConfigurationError(f"{name} can't be read as {kind}: {error}") from None


def _check_writable(name: str) -> None:
    """Find now, and not after hours of fetching, that a file can't be written."""
    table_kind(name)
    folder = absolute_path("--report", name).parent
    if Path(name).is_dir() or not os.access(folder, os.W_OK):
        raise ConfigurationError(f"{name} can't be written: there is no folder {folder}, or it is not yours to write")


def write_table(frame: pd.DataFrame, name: str) -> None:
    """Write a frame to a file, in the format of its ending.

    Raises
    ------
    ConfigurationError
        It can't be written.
    MissingExtra
        Parquet without pyarrow.
    """
    kind = table_kind(name)
    try:
        if kind == "parquet":
            frame.to_parquet(name, index=False)
        elif kind == "jsonl":
            frame.to_json(name, orient="records", lines=True, date_format="iso")
        else:
            frame.to_csv(name, index=False)
    except ImportError:
        raise MissingExtra.of("parquet", "a Parquet file") from None
    except OSError as error:
        raise ConfigurationError(f"{name} can't be written: {error}") from None


def table_kind(name: str) -> str:
    """Return "csv", "jsonl" or "parquet" by a file's ending.

    Raises
    ------
    ConfigurationError
        Another ending.
    """
    endings = [each.lower() for each in Path(name).suffixes]
    if endings and endings[-1] in (".gz", ".bz2", ".xz", ".zst"):
        endings.pop()
    kinds = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet"}
    kind = kinds.get(endings[-1] if endings else "")
    if kind is None:
        raise ConfigurationError(f"{name}: the ending tells the format, and must be .csv, .jsonl, .ndjson or .parquet")
    return kind


def _private(calls: pd.DataFrame) -> list[str]:
    """Name the columns that no report holds: sound, and URLs that open it."""
    return [name for name in (AUDIO, URL, EXPIRES_AT) if name in calls.columns]


@contextmanager
def _logged(*, quiet: bool) -> Iterator[None]:
    """Write plain lines where no bar is drawn: in the log of a scheduler."""
    log = logging.getLogger("kataven_notebook")
    if quiet or sys.stderr.isatty():
        yield
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


@contextmanager
def _stopped_by_scheduler() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C: what is finished is kept, and the next run goes on."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on, as after `| head`: the exit code still tells.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process


def _say_summary(calls: pd.DataFrame) -> None:
    shares = {"share": "{:.1%}".format}
    _say(summary(calls).to_string(index=False, formatters=shares, line_width=_PAGE_CHARS, max_colwidth=60))


def show_demo() -> int:
    """Run the main job against the demo Hub, and print what came of it."""
    _say("A whole service runs on this machine for a moment; nothing leaves it, and no account is needed.\n")
    with demo.hub() as hub:
        calls = apply(
            hub.sessions,
            _measured,
            columns={"level_dbfs": float, "length_s": float},
            settings=hub.settings,
            progress=None,
        )  # fmt: skip - one call, one thought
    shown = calls[["session_id", "agent", "recording_status", "length_s", "level_dbfs"]]
    _say(shown.to_string(index=False, na_rep="", float_format="{:.1f}".format, line_width=_PAGE_CHARS))
    _say("\nThe rows without sound say why, in recording_error:\n")
    silent = calls[calls["recording_error"].notna()]
    for session_id, reason in zip(silent["session_id"], silent["recording_error"], strict=True):
        _say(textwrap.fill(f"{session_id}  {reason}", _PAGE_CHARS, subsequent_indent=" " * (len(session_id) + 2)))
    _say("\nWhat happened, from summary():\n")
    _say_summary(calls)
    _say(_NEXT)
    return ALL_DONE


def _measured(recording: Recording) -> dict[str, Any]:
    power = np.mean([np.mean(np.square(block, dtype=np.float64)) for block in recording.blocks()])
    return {"length_s": recording.duration_s, "level_dbfs": 10 * np.log10(max(power, 1e-12))}


_NEXT = """
Next:
  kataven-notebook demo --lab      the same in JupyterLab, with metrics, figures and the player
  kataven-notebook demo --serve    keep the demo service running, to try your own code on
  kataven-notebook fetch --help    fetch your own calls: KATAVEN_API_KEY and a CSV of session ids
"""


def open_lab() -> int:
    """Open the first notebook in JupyterLab, until that is closed.

    Raises
    ------
    MissingExtra
        JupyterLab is not installed.
    ConfigurationError
        The notebooks are not here: they come with the source, not with the installed package.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingExtra.of("lab", "demo --lab")
    places = (Path.cwd(), Path(__file__).parent.parent)
    found = [place / "notebooks" / "01_quickstart.ipynb" for place in places]
    notebook = next((each for each in found if each.is_file()), None)
    if notebook is None:
        raise ConfigurationError(
            "notebooks/01_quickstart.ipynb is not here: run this in a clone of the repository, or open JupyterLab and "
            "start with: import kataven_notebook as kn; hub = kn.demo.hub()"
        )
    return subprocess.call([sys.executable, "-m", "jupyterlab", str(notebook)])  # noqa: S603 - our own notebook
