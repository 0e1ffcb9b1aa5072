"""What the command line does: fetch into a store, and show the demo."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import stat
import subprocess
import sys
import textwrap
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from kataven_notebook import demo
from kataven_notebook.errors import ConfigurationError, MissingExtra
from kataven_notebook.exchange.tables import check_writable, read_table, write_table
from kataven_notebook.frame.apply import apply
from kataven_notebook.frame.columns import AUDIO, ERROR, EXPIRES_AT, STATUS, URL
from kataven_notebook.frame.fetch import audio, summary
from kataven_notebook.settings import Limits, configure
from kataven_notebook.status import Status

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import pandas as pd

    from kataven_notebook.sound.recording import Recording

ALL_DONE, SOME_LEFT, UNUSABLE, INTERRUPTED = 0, 1, 2, 130
_PAGE_CHARS = 100


def fetch(options: argparse.Namespace) -> int:
    """Fetch the sessions of a file into a store, and return the exit code that tells how it went.

    Raises
    ------
    KatavenError
        What can't work, in one sentence.
    """
    frame = read_table(options.sessions, options.session)
    if options.report is not None:
        check_writable(options.report)
    configured(options)
    calls: pd.DataFrame | None = None
    with logged(quiet=options.quiet), Interrupts() as interrupts:
        try:
            calls = _fetched(frame, options)
            interrupts.hold()
        except KeyboardInterrupt as interrupted:
            left = getattr(interrupted, "frame", calls)
            if options.report is not None:
                write_table(without_sound(_untouched(frame) if left is None else left), options.report)
            tell_interrupted(interrupted)
            return INTERRUPTED
        if options.report is not None:
            write_table(without_sound(calls), options.report)
    if len(calls):
        say_summary(calls)
    else:
        say("there are no sessions in the file")
    tell_reasons(calls)
    return exit_code(calls)


def configured(options: argparse.Namespace) -> None:
    """Take the service, the account and its limits from the command line.

    Raises
    ------
    ConfigurationError
        One of them can't be.
    """
    configure(
        base_url=options.base_url,
        account_id=options.account,
        limits=None if options.per_minute is None else Limits(per_minute=options.per_minute),
    )


def _fetched(frame: pd.DataFrame, options: argparse.Namespace) -> pd.DataFrame:
    return audio(
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


def without_sound(calls: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
    """Return what became of each session, without the sound and the URLs that open it."""
    ours = [prefix + each for each in (AUDIO, URL, EXPIRES_AT)]
    return calls.drop(columns=[each for each in ours if each in calls.columns])


def tell_interrupted(interrupted: KeyboardInterrupt) -> None:
    """Say how many sessions are finished, and how to go on in a shell."""
    done = str(interrupted).partition(";")[0] or "interrupted"
    sys.stderr.write(f"\n{done}; run the same command again to go on\n")


def _untouched(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame of a run that was interrupted before it began, or while its frame was made."""
    return frame.assign(**{STATUS: str(Status.SKIPPED), ERROR: "not attempted: the run was interrupted; call again"})


def tell_reasons(calls: pd.DataFrame, prefix: str = "") -> None:
    """Say of each status that another run or another id may change why it is so, by its first session."""
    reasons = calls.drop_duplicates(prefix + STATUS)
    for name, reason in zip(reasons[prefix + STATUS].astype(str), reasons[prefix + ERROR], strict=True):
        state = Status(name)
        if state is Status.INVALID or not (state.is_good or state.is_final or state is Status.SKIPPED):
            sys.stderr.write(f"{state}: {reason}\n")


def exit_code(calls: pd.DataFrame, prefix: str = "") -> int:
    """Return 0 where every row is good or final, 2 where no other run can be better, 1 where one may be.

    Another run needs other credentials where the account is refused, and other ids where not one of them can be sent.

    Examples
    --------
    >>> import pandas as pd
    >>> exit_code(pd.DataFrame({"recording_status": ["downloaded", "missing", "invalid"]}))
    0
    >>> exit_code(pd.DataFrame({"recording_status": ["downloaded", "limited"]}))
    1
    >>> exit_code(pd.DataFrame({"recording_status": ["refused", "skipped"]}))
    2
    >>> exit_code(pd.DataFrame({"recording_status": ["invalid", "invalid"]}))
    2
    """
    states = {Status(each) for each in calls[prefix + STATUS].astype(object)}
    if states & {Status.REFUSED, Status.UNCONFIGURED} or states == {Status.INVALID}:
        return UNUSABLE
    return ALL_DONE if all(each.is_good or each.is_final for each in states) else SOME_LEFT


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Write warnings as one line each: where in the source they were raised says nothing in a shell."""
    before = warnings.showwarning

    def show(message: Warning | str, *_: object, **__: object) -> None:
        sys.stderr.write(f"note: {message}\n")

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


@contextmanager
def logged(*, quiet: bool) -> Iterator[None]:
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


class Interrupts:
    """Takes SIGTERM and a closed terminal for Ctrl-C, and only the first of all: a second one finds the run ending.

    Where one came, what is left to do stands within the `with` too, so that the second one finds it there.

    A signal that this process was started to ignore, as by `nohup`, is still ignored.
    """

    def __init__(self) -> None:
        self._is_held = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hold(self) -> None:
        """Let no signal through until the end: what is left to do takes a moment, and must be whole."""
        self._is_held = True

    def _interrupt(self, number: int, _frame: object) -> None:
        if number == getattr(signal, "SIGHUP", None):
            _leave_terminal()
        if not self._is_held:
            self._is_held = True
            raise KeyboardInterrupt


def _leave_terminal() -> None:
    """Write no more to a terminal that was closed: each line would be an error that hides how the run went."""
    for stream in (1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(stream).st_mode) and not os.isatty(stream):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def say(text: str) -> None:
    """Write a line to standard output, where somebody still reads it."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:
        # Nobody reads on, as after `| head`, or the disk of a log is full: the exit code still tells.
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process


def say_summary(calls: pd.DataFrame, prefix: str = "") -> None:
    """Write how many sessions have which status."""
    shares = {"share": "{:.1%}".format}
    say(
        summary(calls, prefix=prefix).to_string(index=False, formatters=shares, line_width=_PAGE_CHARS, max_colwidth=60)
    )


def show_demo() -> int:
    """Run the main job against the demo Hub, and print what came of it."""
    say("A whole service runs on this machine for a moment; nothing leaves it, and no account is needed.\n")
    with demo.hub() as hub:
        calls = apply(
            hub.sessions,
            _measured,
            columns={"level_dbfs": float, "length_s": float},
            settings=hub.settings,
            progress=None,
        )  # fmt: skip - one call, one thought
    shown = calls[["session_id", "agent", "recording_status", "length_s", "level_dbfs"]]
    say(shown.to_string(index=False, na_rep="", float_format="{:.1f}".format, line_width=_PAGE_CHARS))
    say("\nThe rows without sound say why, in recording_error:\n")
    silent = calls[calls["recording_error"].notna()]
    for session_id, reason in zip(silent["session_id"], silent["recording_error"], strict=True):
        say(textwrap.fill(f"{session_id}  {reason}", _PAGE_CHARS, subsequent_indent=" " * (len(session_id) + 2)))
    say("\nWhat happened, from summary():\n")
    say_summary(calls)
    say(_NEXT)
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
