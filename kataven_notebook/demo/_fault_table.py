"""The table of faults: what a kind of fault is, and what its function is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kataven_notebook.demo._asgi import Answer, Responder

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Context:
    """Where a fault happens.

    Attributes
    ----------
    side
        ``"api"`` or ``"storage"``.
    now
        The service's clock.
    url
        Address of this request, query included.
    elsewhere
        Gives an address of the same thing that works, at another host name.
    """

    side: str
    now: datetime
    url: str
    elsewhere: Callable[[], str]


Build = Callable[[Mapping[str, Any], Answer, Context], Responder]


@dataclass(frozen=True)
class Kind:
    """One kind of fault: how its answer is made, on which sides, its options and their defaults."""

    build: Build
    sides: tuple[str, ...]
    options: Mapping[str, Any]


KINDS: dict[str, Kind] = {}
BOTH = ("api", "storage")


def kind(name: str, sides: tuple[str, ...] = BOTH, **options: Any) -> Callable[[Build], Build]:
    """Enter a function in the table."""

    def enter(build: Build) -> Build:
        KINDS[name] = Kind(build, sides, options)
        return build

    return enter


def sized(answer: Answer, **changes: str) -> dict[str, str]:
    """Give an answer's headers with its length, or with a false one."""
    return {**answer.headers, "Content-Length": str(len(answer.body)), **changes}


def without(headers: Mapping[str, str], name: str) -> dict[str, str]:
    """Give headers but for one."""
    return {key: value for key, value in headers.items() if key.lower() != name.lower()}


def date_of(answer: Answer) -> dict[str, str]:
    """Give an answer's ``Date`` alone, for another answer in its place."""
    return {name: value for name, value in answer.headers.items() if name == "Date"}
