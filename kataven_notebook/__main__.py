"""The command line: `kataven-notebook fetch`, `metrics`, `turns`, `moments`, `check` and `demo`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kataven_notebook._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DESCRIPTION = """\
From session ids to the sound of voice-agent calls. The commands are the same engine as the Python
functions: limits are kept, finished work is never lost, and calling again is how one goes on.
"""
_FETCH = """\
Fetch the recording of every session in a file into a store: a folder, or a place in object storage.
Run the same command again to go on: what is there stays, what is final is left alone, the rest is
asked for. On a terminal a bar shows progress; in a log there is a plain line every ten seconds.
"""
_FETCH_NOTES = """\
credentials come from the environment, never from the command line, where others could see them:
  KATAVEN_API_KEY       the secret key, sk_live_..., or a session token
  KATAVEN_ACCOUNT_ID    the account; needed with a session token
  KATAVEN_BASE_URL      another Hub than the default
  KATAVEN_STATE_DIR     where the request budget is counted for all processes of this machine

exit codes:
  0    every session is downloaded, or known to have no usable recording (missing, corrupt) or no usable id
       (invalid); also where the file names no session
  1    some are left: failed, limited, pending, ...; run it again, or read --report
  2    it can't work as asked: options, the file, a file without any usable id, the store, or credentials that the
       service refuses
  130  interrupted (Ctrl-C, SIGTERM, SIGHUP); what is finished is in the store, and --report holds the rest as skipped

examples:
  kataven-notebook fetch sessions.csv --store calls/
  kataven-notebook fetch sessions.parquet --store s3://bucket/calls --max-wait 50min --report left.csv
  cut -d, -f1 export.csv | kataven-notebook fetch - --store calls/
"""
_MEASURE = {
    "metrics": "Measure calls: who spoke how long, how fast the agent answers, interruptions, silence, quality.",
    "turns": "List who spoke when in calls: one row a turn.",
    "moments": "List the moments of calls that are worth hearing, worst first.",
}
_MEASURE_NOTES = """\
The calls are those of a table of sessions (CSV, Parquet or JSON lines; - reads CSV from the standard input),
which are fetched into --store as far as they are not there; or those in a sound file, a folder or a pattern
such as "calls/**/*.wav", which need neither credentials nor a store. What a store has measured once is read
from then on: the same command again measures what is new.

exit codes:
  as those of fetch; of sound files, 1 where one of them could not be read, which is named

examples:
  kataven-notebook metrics call.wav
  kataven-notebook moments recordings/
  kataven-notebook metrics sessions.csv --store calls/ --out metrics.parquet
"""
_CHECK = """\
Compare the sound in a store with what was noted when it was stored: sizes, or every byte. What is damaged
is noted, and asked for again by the next fetch; nothing is deleted. Needs no credentials of the service.
"""
_CHECK_NOTES = """\
exit codes:
  0    all that the store names is whole
  1    some is damaged: each is named, and the next fetch asks for it again
  2    it can't work as asked: there is no such store, or it can't be read or written
  130  interrupted (Ctrl-C or SIGTERM); what was found is noted

examples:
  kataven-notebook check calls/
  kataven-notebook check s3://bucket/calls --full --report damaged.csv
"""
_DEMO = """\
Run the main job against a complete service on this machine, with synthetic calls: sign, download,
measure, and show what came of it. Takes a few seconds and needs neither account nor network.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code.

    Parameters
    ----------
    arguments
        As on the command line; by default those.

    Returns
    -------
    int
        0, 1, 2 or 130, as `kataven-notebook fetch --help` says.

    Raises
    ------
    SystemExit
        Arguments that can't be used (2), or `--help` and `--version` (0).

    Examples
    --------
    >>> main(["fetch", "no_such_file.csv", "--store", "calls/"])
    2
    """
    _open_streams()
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and not getattr(options, "serve", False):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    # What commands need takes a moment to import, and --help should not.
    from kataven_notebook import command_line, errors  # noqa: PLC0415 - see above

    try:
        with command_line.plain_warnings():
            return _run(options, rest)
    except KeyboardInterrupt as interrupted:
        command_line.tell_interrupted(interrupted)
        return command_line.INTERRUPTED
    except errors.KatavenError as error:
        print(f"kataven-notebook: {error}", file=sys.stderr)
        return command_line.UNUSABLE


def _run(options: argparse.Namespace, rest: Sequence[str]) -> int:
    from kataven_notebook import check_command, command_line, demo, measure_command  # noqa: PLC0415 - as in `main`

    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "fetch": command_line.fetch,
        "check": check_command.check,
        **dict.fromkeys(_MEASURE, measure_command.measure),
    }
    if options.command in commands:
        return commands[options.command](options)
    if options.serve:
        return demo.serve(list(rest))
    return command_line.open_lab() if options.lab else command_line.show_demo()


def _open_streams() -> None:
    """Give a process that was started without standard output or error, as by a scheduler, somewhere to write."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for the rest of the process


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kataven-notebook", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"kataven-notebook {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    raw = argparse.RawDescriptionHelpFormatter
    fetch = commands.add_parser(
        "fetch", help="fetch recordings into a store", description=_FETCH, epilog=_FETCH_NOTES, formatter_class=raw
    )
    _add_fetch_options(fetch)
    for name, description in _MEASURE.items():
        measured = commands.add_parser(
            name,
            help=description[0].lower() + description[1:].rstrip("."),
            description=description,
            epilog=_MEASURE_NOTES,
            formatter_class=raw,
        )
        _add_measure_options(measured)
    check = commands.add_parser(
        "check", help="look whether a store is whole", description=_CHECK, epilog=_CHECK_NOTES, formatter_class=raw
    )
    check.add_argument("store", help="a folder, or a URL such as s3://bucket/calls (extra [s3])")
    check.add_argument("--full", action="store_true", help="read all sound and compare checksums, not only sizes")
    check.add_argument("--report", metavar="FILE", help="write what was found there")
    check.add_argument("--quiet", action="store_true", help="no bar and no lines; only the result and the exit code")
    shown = commands.add_parser("demo", help="see it work, without an account", description=_DEMO, formatter_class=raw)
    instead = shown.add_mutually_exclusive_group()
    instead.add_argument("--lab", action="store_true", help="open the first notebook in JupyterLab (extra [lab])")
    instead.add_argument(
        "--serve",
        action="store_true",
        help="keep the demo service running until Ctrl-C; takes the options of python -m kataven_notebook.demo --help",
    )
    return parser


def _add_measure_options(measured: argparse.ArgumentParser) -> None:
    measured.add_argument("calls", help="a table of sessions, a sound file, a folder or a pattern; see below")
    measured.add_argument("--store", help="where sound and numbers are kept: a folder, or a URL (extra [s3])")
    measured.add_argument("--out", metavar="FILE", help="write the table there: .csv, .jsonl or .parquet")
    measured.add_argument("--session", default="session_id", metavar="COLUMN", help="default: session_id")
    measured.add_argument(
        "--agent-channel", default="infer", metavar="N", help="0, 1, or the name of a column; by default inferred"
    )
    measured.add_argument("--speech", default="auto", choices=["auto", "silero", "energy"], help="default: auto")
    measured.add_argument(
        "--mono", default="withhold", choices=["withhold", "estimate"], help="what becomes of one channel"
    )
    measured.add_argument("--prefix", default="", metavar="TEXT", help="before the names of the columns that are added")
    _add_service_options(measured)


def _add_fetch_options(fetch: argparse.ArgumentParser) -> None:
    fetch.add_argument(
        "sessions", help="CSV, Parquet or JSON lines by its ending, text in UTF-8; - reads CSV from the standard input"
    )
    fetch.add_argument("--store", required=True, help="a folder, or a URL such as s3://bucket/calls (extra [s3])")
    fetch.add_argument("--session", default="session_id", metavar="COLUMN", help="default: session_id")
    fetch.add_argument(
        "--report", metavar="FILE", help="write the sessions with status, error and length there, also when interrupted"
    )
    fetch.add_argument("--refresh", action="store_true", help="ask for all again, also for what is known and final")
    fetch.add_argument("--verify-full", action="store_true", help="decode all of each recording, not only its ends")
    fetch.add_argument("--poll-pending", metavar="TIME", help="how long to ask again for those not uploaded yet: 10min")
    fetch.add_argument(
        "--max-bytes", type=int, metavar="N", default=500_000_000, help="leave recordings above it; default: 500000000"
    )
    _add_service_options(fetch)


def _add_service_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--max-wait", metavar="TIME", help="how long to wait for the request budget; then exit with 1")
    command.add_argument("--in-flight", type=int, metavar="N", help="sessions under way at once; default: 20")
    command.add_argument("--per-minute", type=int, metavar="N", help="an account's limit, where it is not 60")
    command.add_argument("--base-url", metavar="URL", help="another Hub than the default")
    command.add_argument("--account", metavar="NAME", help="the account; needed with a session token")
    command.add_argument("--quiet", action="store_true", help="no bar and no lines; only the summary and the exit code")


if __name__ == "__main__":
    sys.exit(main())
