"""The page around a report's sections: one file that asks nobody for anything, and that is known as a report."""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING

from kataven_notebook._version import __version__
from kataven_notebook.publish.shown import unmarked

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

MARK = '<meta name="generator" content="kataven-notebook report">'
"""What a file holds in its first lines that this module wrote."""
LOOKED_AT_BYTES = 2_048
# No script, no frame, no address: sound and pictures that the file itself holds.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
)


def page(title: str, sections: Sequence[str], *, made_on: dt.date) -> str:
    """Return the page.

    Parameters
    ----------
    title
        Escaped, as the sections are.
    sections
        HTML.
    made_on
        The date that the page shows, in its last line.

    Examples
    --------
    >>> import datetime as dt
    >>> text = page("Calls", ["<p>one</p>"], made_on=dt.date(2026, 3, 2))
    >>> MARK in text[:LOOKED_AT_BYTES], "<script" in text, text.count("2026")
    (True, False, 2)
    """
    day = made_on.isoformat()
    body = "\n".join(each for each in sections if each)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
{MARK}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{unmarked(title)}</title>
<link rel="icon" href="data:,">
<style>
{_style()}</style>
</head>
<body>
<main>
{body}
</main>
<footer>Made by kataven-notebook {__version__} on <time datetime="{day}">{day}</time>.</footer>
</body>
</html>
"""


@functools.cache
def _style() -> str:
    return resources.files(__package__).joinpath("static", "report.css").read_text(encoding="utf-8")
