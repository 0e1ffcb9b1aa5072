"""Whose store it is: a store holds the sessions of one account."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kataven_notebook.errors import StoreError

if TYPE_CHECKING:
    from kataven_notebook.settings import Settings


# The accounts whose key an answer of the service has shown to be good, in this process.
_proved: set[str] = set()


def prove(settings: Settings) -> None:
    """Remember that an answer about a session has shown the key of `settings` to be good."""
    _proved.add(account_mark(settings))


def is_proved(settings: Settings) -> bool:
    """Whether the key of `settings` has been shown to be good in this process."""
    return account_mark(settings) in _proved


def account_mark(settings: Settings) -> str:
    """Name the account as well as it is known, without the key.

    A key's last part is random and what stands before it names the account: renewing the key
    leaves the mark as it is.
    """
    if settings.account_id:
        return f"account:{settings.account_id}"
    stem = (settings.api_key or "").rpartition("_")[0]
    return "key:" + hashlib.sha256(stem.encode()).hexdigest()[:32]


def is_anonymous(settings: Settings) -> bool:
    """Whether nobody in particular is asking: without credentials what is here is read, and nothing is asked for."""
    return not settings.api_key and not settings.account_id


def refuse_other(theirs: str | None, settings: Settings, place: str) -> None:
    """Refuse a store that is bound to another account than that of `settings`; one that is bound to none is free.

    Raises
    ------
    StoreError
        It holds the sessions of another account.
    """
    if theirs is not None and theirs != account_mark(settings):
        raise StoreError(
            f"the store {place} holds the sessions of another account: use another place; if it is the same account "
            "under a new key or name, call kataven_notebook.Store(place).adopt() once"
        )
