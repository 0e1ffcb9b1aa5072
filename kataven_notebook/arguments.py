"""What callers pass: numbers of Python or numpy, and paths."""

from __future__ import annotations

import numbers
import os
from pathlib import Path
from typing import TypeGuard

from kataven_notebook.errors import ConfigurationError


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a real number; a bool is none, NaN and infinity are.

    Examples
    --------
    >>> is_number(2.5), is_number(True), is_number("2.5")
    (True, False, False)
    """
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def is_whole(value: object) -> TypeGuard[float]:
    """Whether a value is a whole number, also as a float: `int(value)` loses nothing.

    Examples
    --------
    >>> is_whole(5e6), is_whole(0.5), is_whole(float("inf"))
    (True, False, False)
    """
    # A large int is no float.
    if isinstance(value, numbers.Integral):
        return is_number(value)
    return is_number(value) and float(value).is_integer()


def check_count(name: str, value: object, *, least: int = 1) -> None:
    """Refuse what is no whole number from `least`, such as "5MB".

    Raises
    ------
    ConfigurationError
        Which option, and what it takes.
    """
    if not is_whole(value) or value < least:
        raise ConfigurationError(f"{name}={value!r}: pass a whole number from {least}")


def check_probability(name: str, value: object) -> None:
    """Refuse what does not lie between 0 and 1, such as a confidence level of 95.

    Raises
    ------
    ConfigurationError
        Which option, and what it takes.
    """
    if not is_number(value) or not 0 < value < 1:
        raise ConfigurationError(f"{name}={value!r}: pass a number between 0 and 1")


def absolute_path(name: str, path: str | os.PathLike[str]) -> Path:
    """Return the absolute path that a caller gave as `name`.

    Raises
    ------
    ConfigurationError
        No path is spelled so: an unknown home, or a character that no path has.
    """
    why = "there is no such home folder"
    try:
        found = Path(path).expanduser().absolute()
        why = "it has a character that no path has"
        found.lstat()
    except OSError:
        return found  # not there yet, or whoever opens it says why that can't be
    except (RuntimeError, ValueError):
        raise ConfigurationError(f"{name}={os.fspath(path)!r} is no path: {why}; write the path in full") from None
    return found
