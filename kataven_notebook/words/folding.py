"""Texts as they are compared: letters of any case and accent, and regular expressions that are to find them."""

from __future__ import annotations

import functools
import re
import unicodedata

_APOSTROPHES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00ad": None, "\u200b": None})


@functools.lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """Return text as it is compared: in small letters, without accents, with one kind of apostrophe.

    Marks that make another letter in scripts other than Latin, Greek and Cyrillic stay.

    Examples
    --------
    >>> folded("Straße"), folded("Ça va, José?"), folded("don\u2019t")
    ('strasse', 'ca va, jose?', "don't")
    """
    if text.isascii():
        return text.lower()
    # Some signs are letters only once they are taken apart, and some letters are two once they are small.
    small = unicodedata.normalize("NFKD", text).translate(_APOSTROPHES).casefold()
    parts = unicodedata.normalize("NFKD", small)
    # The block of the accents; other blocks have vowels among their marks.
    return unicodedata.normalize("NFKC", "".join(each for each in parts if not "\u0300" <= each <= "\u036f"))


def folded_pattern(pattern: str) -> str:
    r"""Return a regular expression that finds in folded text what `pattern` means in plain text.

    Its letters of ASCII stay, as case is ignored where it is used; what stands behind a backslash stays too.

    Examples
    --------
    >>> folded_pattern(r"Straße\b|[éè]t\S+"), folded_pattern("Größe+")
    ('Stra(?:ss)e\\b|[ee]t\\S+', 'Gro(?:ss)e+')
    """
    found: list[str] = []
    in_class = False
    at = 0
    while at < len(pattern):
        each = pattern[at]
        at += 1
        if each == "\\" and pattern[at : at + 1].isascii():
            found.append(each + pattern[at : at + 1])
            at += 1
        elif each != "\\":
            in_class = each == "[" or (in_class and each != "]")
            found.append(each if each.isascii() else _of_one(each, in_class=in_class))
    return "".join(found)


def _of_one(letter: str, *, in_class: bool) -> str:
    plain = folded(letter)
    # What repeats a letter repeats all that it becomes.
    return plain if in_class or len(plain) < 2 else f"(?:{re.escape(plain)})"
