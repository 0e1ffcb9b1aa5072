"""What `kataven-notebook metrics`, `turns` and `moments` do: numbers of sessions, or of sound files."""

from __future__ import annotations

import glob
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.command_line import (
    ALL_DONE,
    INTERRUPTED,
    SOME_LEFT,
    Interrupts,
    configured,
    exit_code,
    logged,
    say,
    say_summary,
    tell_interrupted,
    tell_reasons,
    without_sound,
)
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.exchange.tables import check_writable, read_table, table_kind, write_table
from kataven_notebook.frame.analysis import metrics, moments, turns
from kataven_notebook.frame.columns import AUDIO, ERROR, STATUS
from kataven_notebook.frame.definitions import metric_definitions
from kataven_notebook.frame.from_files import from_files
from kataven_notebook.status import Status

if TYPE_CHECKING:
    import argparse

# Of many calls those that most questions are about; --out has all of them.
_SHOWN = (
    "duration_s",
    "talk_ratio",
    "response_latency_p50_s",
    "interruptions_by_agent",
    "interruptions_by_caller",
    "dead_air_s",
)
_MOST_SHOWN = 40
_WIDTH_CHARS = 140


def measure(options: argparse.Namespace) -> int:
    """Measure the calls that a table of sessions names, or that lie in sound files; return the exit code.

    Raises
    ------
    KatavenError
        What can't work, in one sentence.
    """
    if options.out is not None:
        check_writable(options.out)
    frame, session = _calls(options)
    measuring = _options(options, session)
    calls: pd.DataFrame | None = None
    with logged(quiet=options.quiet), Interrupts() as interrupts:
        try:
            calls = metrics(frame, mono=options.mono, **measuring)
            table = calls if options.command == "metrics" else _long_table(options, calls, measuring)
            interrupts.hold()
        except KeyboardInterrupt as interrupted:
            left = getattr(interrupted, "frame", calls)
            if options.out is not None and options.command == "metrics" and left is not None:
                write_table(without_sound(left, options.prefix), options.out)
            tell_interrupted(interrupted)
            return INTERRUPTED
        if options.out is not None:
            write_table(without_sound(table, options.prefix), options.out)
    if options.out is None:
        _show(table, session, options.prefix)
    elif len(calls):
        say_summary(calls, options.prefix)
    if options.prefix + AUDIO in calls:
        return _tell_of_files(calls, options.prefix)
    tell_reasons(calls, options.prefix)
    return exit_code(calls, options.prefix)


def _calls(options: argparse.Namespace) -> tuple[pd.DataFrame, str]:
    """Return the frame to measure, and its session column: sound files where no table is named."""
    name = options.calls
    if name == "-" or _is_table(name):
        if options.store is None:
            raise ConfigurationError("--store is missing: the sound of sessions and their numbers are kept there")
        configured(options)
        return read_table(name, options.session), options.session
    if options.store is not None:
        raise ConfigurationError("--store is for tables of sessions: what is measured on sound files is kept nowhere")
    if not _is_there(name) and not glob.has_magic(name):
        raise ConfigurationError(
            f"{name or repr(name)} is not there: name a table of sessions (.csv, .jsonl, .parquet), a sound file or a "
            "folder"
        )
    return from_files(name, prefix=options.prefix, progress=False if options.quiet else None), "session_id"


def _is_there(name: str) -> bool:
    try:
        return bool(name) and Path(name).exists()  # an empty name would be all of the folder one is in
    except OSError:  # such as a name that is too long
        return False


def _tell_of_files(calls: pd.DataFrame, prefix: str) -> int:
    """Say of each file that has no numbers why, of the first where they are many; return the exit code."""
    silent = calls[calls[prefix + ERROR].notna()]
    for name, reason in zip(silent["session_id"].head(_MOST_SHOWN), silent[prefix + ERROR], strict=False):
        sys.stderr.write(f"{name}: {reason}\n")
    # A file that somebody named is to be there and sound, unlike the recording of a session.
    return ALL_DONE if silent.empty else SOME_LEFT


def _is_table(name: str) -> bool:
    try:
        table_kind(name)
    except ConfigurationError:
        return False
    return not Path(name).is_dir()


def _options(options: argparse.Namespace, session: str) -> dict[str, Any]:
    agent = options.agent_channel
    return {
        "agent_channel": int(agent) if agent.isdecimal() else agent,
        "speech": options.speech,
        "session": session,
        "store": options.store,
        "max_wait": options.max_wait,
        "in_flight": options.in_flight,
        "prefix": options.prefix,
        "progress": False if options.quiet else None,
    }


def _long_table(options: argparse.Namespace, calls: pd.DataFrame, measuring: dict[str, Any]) -> pd.DataFrame:
    """Return the turns or moments of the calls that have sound; nothing is measured twice for them."""
    states = calls[options.prefix + STATUS].astype(object)
    good = calls[states.map(lambda each: Status(each).is_good).astype(bool)]  # of no rows, too
    agents = {"agent_channel": options.prefix + "agent_channel"} if measuring["agent_channel"] == "infer" else {}
    function = {"turns": turns, "moments": moments}[options.command]
    return function(good, **{**measuring, **agents, "progress": False})


def _show(table: pd.DataFrame, session: str, prefix: str) -> None:
    """Write one call's numbers below each other, and of several calls the most asked for."""
    is_of_calls = prefix + "metrics_error" in table
    if is_of_calls and len(table) == 1:
        row = table.iloc[0]
        units = metric_definitions().set_index("name")["unit"].replace({"1": "", "count": ""}).fillna("")
        width = max(map(len, units.index))
        for name, unit in units.items():
            if not pd.isna(value := row[f"{prefix}{name}"]):
                text = f"{value:.3f}" if isinstance(value, float) else str(value)
                say(f"{name:{width}}  {text} {unit}".rstrip())
        return
    if not len(table):
        say("there are no sessions in the table" if is_of_calls else "nothing was found")
        return
    names = [session, prefix + STATUS, *(prefix + each for each in _SHOWN)] if is_of_calls else list(table.columns)
    shown = table[names].head(_MOST_SHOWN)
    say(shown.to_string(index=False, na_rep="", float_format="{:.2f}".format, line_width=_WIDTH_CHARS))
    if len(table) > _MOST_SHOWN:
        sys.stderr.write(f"{len(table) - _MOST_SHOWN:,} more: --out FILE writes all\n")
