"""What a page shows of the frame's texts and numbers: safe, short, and with ids masked where asked."""

from __future__ import annotations

import math
import re
import unicodedata
from html import escape
from typing import TYPE_CHECKING

from kataven_notebook.redact import encodable, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MISSING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
# A shorter id stands in many texts by chance: there it is masked only where it is a word.
_SURELY_AN_ID = 6
_ALL = 1_000_000


class Texts:
    """Makes texts of the frame fit for a page: redacted, on one line, cut, escaped; with ids masked where asked.

    Parameters
    ----------
    ids
        The session ids, in the order of the frame.
    is_masked
        Whether "call 1", "call 2", ... stand for them, wherever they occur.

    Examples
    --------
    >>> texts = Texts(["agent_01H", "agent_02H"], is_masked=True)
    >>> texts.html("<b>see agent_02H"), texts.session("agent_01H")
    ('&lt;b&gt;see call 2', 'call 1')
    """

    def __init__(self, ids: Iterable[object], *, is_masked: bool) -> None:
        known = [encodable(each) for each in ids if isinstance(each, str) and each.strip()] if is_masked else []
        self._names = {each: f"call {number}" for number, each in enumerate(dict.fromkeys(known), 1)}
        # The longest first: one id may begin another.
        self._ids = sorted(self._names, key=lambda each: (-len(each), each))
        self.is_masked = is_masked

    def plain(self, value: object, *, most_chars: int = 80) -> str:
        """Return a text as it may be shown, not escaped."""
        text = one_line(self._masked(encodable(str(value))), most_chars=_ALL)
        return text if len(text) <= most_chars else text[: most_chars - 1] + "…"

    def html(self, value: object, *, most_chars: int = 80) -> str:
        """Return a text as it may be shown, escaped, and kept apart from text of another direction."""
        return self.shown(self.plain(value, most_chars=most_chars))

    def shown(self, text: str) -> str:
        """Return a text that `plain` has returned, escaped, and kept apart from text of another direction."""
        text = escape(text)
        return text if text.isascii() else f"<bdi>{text}</bdi>"

    def session(self, session_id: object) -> str:
        """Return the name of a call, escaped."""
        return self.html(session_id)

    def _masked(self, text: str) -> str:
        found = [_pattern(each) for each in self._ids if each in text]
        # At once: what stands for one id may look like another.
        return re.sub("|".join(found), lambda each: self._names[each[0]], text) if found else text


def unmarked(html: str) -> str:
    """Return a shown text as an attribute or a page's title holds it, where there are no elements.

    Examples
    --------
    >>> unmarked("<bdi>&lt;m&gt;</bdi>")
    '&lt;m&gt;'
    """
    return html.replace("<bdi>", "").replace("</bdi>", "")


def _pattern(session_id: str) -> str:
    """Return the pattern that finds an id: a short one as a word alone."""
    exact = re.escape(session_id)
    return exact if len(session_id) >= _SURELY_AN_ID else rf"(?<![^\W_]){exact}(?![^\W_])"


def number(
    value: float | None, unit: str | None = None, *, is_signed: bool = False, beside: Sequence[float] = ()
) -> str:
    r"""Return a number with as many digits as its size and unit deserve, without the unit.

    Parameters
    ----------
    value
        None and what is not finite is a dash.
    unit
        Levels have one digit.
    is_signed
        Whether what is above 0 has a sign too.
    beside
        Numbers that are to have as many digits: the ends of its interval.

    Examples
    --------
    >>> number(0.423, "s"), number(-0.1, "s"), number(0.1, is_signed=True), number(float("nan")), number(1234.5)
    ('0.42', '\u22120.10', '+0.10', '\u2013', '1,234')
    >>> number(-21.26, "LUFS"), number(0.00012, "1"), number(0.0), number(0.0038, "1", beside=[-0.09])
    ('\u221221.3', '0.00012', '0.00', '0.00')
    >>> number(0.0031, "s", beside=[-0.0119])
    '0.003'
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return _written(value, _places((value, *beside), unit), is_signed=is_signed)


def _written(value: float, places: int, *, is_signed: bool = False) -> str:
    text = f"{abs(value):,.{places}f}"
    is_zero = not float(text.replace(",", ""))
    sign = "" if is_zero else _MINUS if value < 0 else "+" if is_signed else ""
    return sign + text


def _places(values: Sequence[float], unit: str | None) -> int:
    """Return how many digits after the point tell values apart that stand beside each other."""
    known = [each for each in values if math.isfinite(each)]
    size, width = max(map(abs, known)), max(known) - min(known)
    if unit in ("dB", "dBFS", "LUFS") or 100 <= size < 1_000:
        places = 1
    elif size >= 1_000:
        places = 0
    else:
        places = 2 if size >= 0.01 or not size else 1 - math.floor(math.log10(size))
    # A narrow interval is not to look like one value.
    return min(max(places, math.ceil(0.5 - math.log10(width)) if width else 0), 12)


def with_unit(value: float | None, unit: str | None, *, is_signed: bool = False, beside: Sequence[float] = ()) -> str:
    r"""Return a number and its unit, which shares and counts have none of.

    Examples
    --------
    >>> with_unit(0.423, "s"), with_unit(0.5, "1")
    ('0.42\xa0s', '0.50')
    """
    text = number(value, unit, is_signed=is_signed, beside=beside)
    return text if unit in (None, "1", "count") or text == MISSING else f"{text}\N{NO-BREAK SPACE}{unit}"


def interval(low: float, high: float, unit: str | None = None) -> str:
    """Return an interval's ends, empty where there is none.

    An end that is near 0 has digits enough to show on which side.

    Examples
    --------
    >>> interval(0.3, 0.55, "s"), interval(float("nan"), 1.0), interval(0.0042, 0.06)
    ('0.30 to 0.55', '', '0.004 to 0.060')
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    places = _places((low, high), unit)
    nearest = min((abs(each) for each in (low, high) if each), default=1.0)
    wanted = next((more for more in range(places, places + 3) if round(nearest, more)), places)
    return f"{_written(low, wanted)} to {_written(high, wanted)}"


def isolated(text: str) -> str:
    r"""Return a name that a sentence can hold: one that is read from right to left leaves the rest where it is.

    Examples
    --------
    >>> isolated("v1"), isolated("\u05d0").encode("unicode_escape")
    ('v1', b'\\u2068\\u05d0\\u2069')
    """
    is_reversed = any(unicodedata.bidirectional(each) in ("R", "AL") for each in text)
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}" if is_reversed else text
