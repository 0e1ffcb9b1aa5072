"""What `kataven-notebook check` does: the audit of a whole store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kataven_notebook.arguments import absolute_path
from kataven_notebook.command_line import INTERRUPTED, Interrupts, logged, say, tell_interrupted
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.exchange.tables import check_writable, write_table
from kataven_notebook.redact import redact
from kataven_notebook.store.audit import DAMAGE
from kataven_notebook.store.folder import LEDGER_FILE, Store
from kataven_notebook.store.places import is_url

if TYPE_CHECKING:
    import argparse

    import pandas as pd

ALL_WHOLE, SOME_DAMAGED = 0, 1
_MOST_SHOWN = 20


def check(options: argparse.Namespace) -> int:
    """Compare a store's sound with what was noted of it, and return the exit code that tells how it went.

    Where it is interrupted, as `fetch`, what was found is reported all the same.

    Raises
    ------
    KatavenError
        What can't work, in one sentence.
    """
    # In a place that was misspelled all would be well: opening a folder makes a store of it.
    no_store = ConfigurationError(f"there is no store in {redact(options.store)}: name the place that fetch filled")
    if not is_url(options.store) and not (absolute_path("store", options.store) / LEDGER_FILE).exists():
        raise no_store
    if options.report is not None:
        check_writable(options.report)
    with logged(quiet=options.quiet), Interrupts() as interrupts, Store(options.store) as store:
        try:
            report = store.check(full=options.full, progress=False if options.quiet else None)
            interrupts.hold()
        except KeyboardInterrupt as interrupted:
            found = getattr(interrupted, "frame", None)
            if found is not None:
                _tell(found, options)
            tell_interrupted(interrupted)
            return INTERRUPTED
        if report.empty and not report.attrs["checked"] and is_url(options.store) and not store.load():
            raise no_store
    _tell(report, options)
    return SOME_DAMAGED if report["problem"].isin(DAMAGE).any() else ALL_WHOLE


def _tell(report: pd.DataFrame, options: argparse.Namespace) -> None:
    if options.report is not None:
        write_table(report, options.report)
    how = "read, and compared with their checksums" if options.full else "compared with their sizes"
    counts = report["problem"].value_counts()
    found = ", ".join(f"{count:,} {problem}" for problem, count in counts.items())
    say(f"{report.attrs['checked']:,} recordings {how}: {found or 'all are whole'}")
    if report.attrs.get("results"):
        say(f"{report.attrs['results']:,} results of metrics and apply(keep=) are kept")
    for row in report.head(_MOST_SHOWN).fillna({"session_id": "(not known)", "file": "(not known)"}).itertuples():
        sys.stderr.write(f"{row.problem}: session {row.session_id}, {row.file}; {row.what_to_do}\n")
    if len(report) > _MOST_SHOWN:
        sys.stderr.write(f"{len(report) - _MOST_SHOWN:,} more: --report FILE lists all\n")
