"""Session ids: which are sent, and why others are not."""

from __future__ import annotations

import re
import unicodedata

from kataven_notebook import errors

MAX_ID_BYTES = 512
# Letters and marks that are drawn as nothing.
_FILLERS = "\u034f\u115f\u1160\u2800\u3164\uffa0"
# Nearly all ids match this; only others are checked in detail.
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,511}")


def _unseen_around(text: str) -> set[str]:
    """Return the characters before and after what can be seen: spaces of any kind, and what no screen shows.

    They come from files and from copying, not from the service.
    """
    unseen: set[str] = set()
    for side in (text, reversed(text)):
        for each in side:
            if each not in _FILLERS and unicodedata.category(each) not in ("Cc", "Cf", "Zl", "Zp", "Zs"):
                break
            unseen.add(each)
    return unseen


def _removal(unseen: set[str]) -> str:
    """Return how the characters are removed from a column."""
    named = "" if all(each.isspace() for each in unseen) else ascii("".join(sorted(unseen)))
    reading = "; or read the file with encoding='utf-8-sig'" if "\ufeff" in unseen else ""
    return f".str.strip({named}) removes it{reading}"


def check_session_id(session_id: object) -> str:
    """Return a usable session id unchanged; raise for any other.

    Raises
    ------
    InvalidSessionId
        Missing, blank, not a string, longer than 512 bytes, with space around it, or of a shape that
        would reach another route: slashes, backslashes, control characters, or dots only.
    """
    if isinstance(session_id, str) and _PLAIN_ID.fullmatch(session_id):
        return session_id
    if not isinstance(session_id, str):
        missing = session_id is None or type(session_id).__name__ in ("NAType", "NaTType")
        # Floats alone are compared: whether an array differs from itself is an array.
        missing = missing or (isinstance(session_id, float) and session_id != session_id)  # noqa: PLR0124 - NaN differs from itself
        kind = type(session_id).__name__
        raise errors.InvalidSessionId(
            "there is no session id: nothing was sent; fill it in, or leave the row as it is"
            if missing
            else f"the session id is of type {kind}, not text: it was not sent; write the id as text"
        )
    # A slash or dots would change the path of the request, and with it the route.
    problem = None
    unseen = _unseen_around(session_id)
    if set(session_id) <= unseen:
        problem = "the session id is blank"
    elif unseen:
        problem = f"the session id begins or ends with a space or an invisible character ({_removal(unseen)})"
    elif set(session_id) == {"."}:
        problem = "the session id is dots only, which reaches another route"
    elif re.search(r"[/\\\x00-\x1f\x7f-\x9f]", session_id):
        problem = "the session id holds a slash, a backslash or a control character"
    else:
        try:
            if len(session_id.encode()) > MAX_ID_BYTES:
                problem = f"the session id is longer than {MAX_ID_BYTES} bytes"
        except UnicodeEncodeError:
            problem = "the session id holds half a character (a lone surrogate)"
    if problem:
        raise errors.InvalidSessionId(f"{problem}: it was not sent; correct it in the frame", session_id=session_id)
    return session_id
