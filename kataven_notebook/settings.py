"""Configuration: from arguments, then from `configure`, then from the environment; never changed once made."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import threading
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import platformdirs

from kataven_notebook.arguments import absolute_path, is_number, is_whole
from kataven_notebook.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_BASE_URL = "https://api.kataven.ai/v1"
# 30 years: sockets and clocks can't be told of times beyond a few centuries.
_LONGEST_S = 1e9
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service grants one account; None lifts a limit.

    The defaults are the service's. A window is fixed: its first request opens it. So a full burst
    may be sent at once, and the next one when the window has ended.

    Parameters
    ----------
    per_minute, per_hour, per_day
        Requests in a window, at least 1.
    in_flight
        Requests in flight at once, at least 1.
    minute_s, hour_s, day_s
        Lengths of the windows in seconds; tests scale them down.

    Raises
    ------
    ConfigurationError
        A limit below 1 or a length that is not positive.

    Examples
    --------
    >>> Limits(per_minute=120).per_hour
    1000
    """

    per_minute: int | None = 60
    per_hour: int | None = 1_000
    per_day: int | None = 10_000
    in_flight: int | None = 20
    minute_s: float = field(default=60.0, kw_only=True)
    hour_s: float = field(default=3_600.0, kw_only=True)
    day_s: float = field(default=86_400.0, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("per_minute", "per_hour", "per_day", "in_flight"):
            value = getattr(self, name)
            if value is None:
                continue
            if not is_whole(value) or value < 1:
                raise ConfigurationError(f"{name}={value!r}: a limit is a whole number from 1, or None for none")
            object.__setattr__(self, name, int(value))
        for name in ("minute_s", "hour_s", "day_s"):
            if not _is_length_s(getattr(self, name)):
                raise ConfigurationError(
                    f"{name}={getattr(self, name)!r}: a window's length is a number of seconds from above 0 "
                    f"to {_LONGEST_S:g}"
                )

    @property
    def windows(self) -> tuple[tuple[str, int | None, float], ...]:
        """Name, limit and length in seconds of the three windows, shortest first."""
        return (
            ("minute", self.per_minute, self.minute_s),
            ("hour", self.per_hour, self.hour_s),
            ("day", self.per_day, self.day_s),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Credentials, address, limits and places: everything that a run takes from its environment.

    Usually made by `configure` or read from the environment by `current_settings`; the argument
    `settings=` of a function takes one for that use alone. Neither its repr nor its pickles hold
    the key.

    Parameters
    ----------
    api_key
        `sk_live_...`, or a JWT of an interactive session (`eyJ...`, needs `account_id` too).
    account_id
        The account, `^[a-z0-9][a-z0-9_-]{0,62}$`; needed with a JWT alone.
    base_url
        Where the Hub's API is; https, or http on loopback.
    limits
        What the service grants the account.
    request_timeout_s
        How long a request waits for the next byte, in seconds; 10 by default, so that the threads
        of an interrupted run end within that time.
    store
        Where sound and outcomes are kept when a function's `store=` is not given.
    state_dir
        Where the budget is counted for all processes of this machine; by default the platform's
        directory for state.

    Raises
    ------
    ConfigurationError
        A value that can't work; the message says which and why.

    Examples
    --------
    >>> Settings(api_key="sk_live_acme_0123456789")
    Settings(api_key='sk_live_[redacted]', account_id=None, base_url='https://api.kataven.ai/v1')
    """

    api_key: str | None = field(default=None, repr=False)
    account_id: str | None = None
    base_url: str = DEFAULT_BASE_URL
    limits: Limits = field(default_factory=Limits)
    request_timeout_s: float = 10.0
    store: str | None = None
    state_dir: Path | None = None

    def __post_init__(self) -> None:
        for name in ("api_key", "account_id", "base_url"):
            object.__setattr__(self, name, _text(name, getattr(self, name)))
        object.__setattr__(self, "store", _text("store", _place("store", self.store)))
        state_dir = _place("state_dir", self.state_dir)
        object.__setattr__(self, "state_dir", None if state_dir is None else absolute_path("state_dir", state_dir))
        object.__setattr__(self, "base_url", _checked_base_url(self.base_url))
        if not isinstance(self.limits, Limits):
            raise ConfigurationError(f"limits={self.limits!r}: pass a kataven_notebook.Limits")
        if not _is_length_s(self.request_timeout_s):
            raise ConfigurationError(
                f"request_timeout_s={self.request_timeout_s!r}: pass a positive number of seconds, "
                f"at most {_LONGEST_S:g}"
            )
        if self.account_id is not None and not _ACCOUNT.fullmatch(self.account_id):
            raise ConfigurationError(
                f"account_id={self.account_id!r} can't be an account: names are lower-case letters, digits, "
                "'_' and '-', at most 63, and start with a letter or digit"
            )

    def __repr__(self) -> str:
        """Return key (redacted), account and base URL."""
        return f"Settings(api_key={_shown(self.api_key)!r}, account_id={self.account_id!r}, base_url={self.base_url!r})"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle without the key, so that no cache, checkpoint or function sent to workers holds it.

        The first use of unpickled settings raises an error that says how to give a key.
        """
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "api_key"}
        return (_without_key, (values,))

    def __copy__(self) -> Self:
        """Return the same object: it never changes."""
        return self

    def __deepcopy__(self, _: object) -> Self:
        """Return the same object, as `copy.copy` does; only pickles leave the process."""
        return self

    def check_credentials(self) -> None:
        """Raise for credentials that can't work, before a request is spent on them.

        Raises
        ------
        ConfigurationError
            No key, a public widget identifier, a JWT without an account, or characters that
            can't stand in a header. A key of an unknown shape passes: the service decides.
        """
        key = self.api_key
        if not key:
            raise ConfigurationError(
                "there is no API key: set KATAVEN_API_KEY, or call kataven_notebook.configure(api_key=...). "
                "Without an account, kataven_notebook.demo.hub() serves synthetic calls"
            )
        if key.startswith("pk_live_"):
            raise ConfigurationError(
                "the key starts with pk_live_: that is the public identifier of a widget and opens nothing; "
                "use a secret key, sk_live_..."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ConfigurationError("the API key holds spaces or characters that no key has: copy it again")
        if key.startswith("eyJ") and not self.account_id:
            raise ConfigurationError(
                "the key is a session token (a JWT), which needs its account too: set KATAVEN_ACCOUNT_ID, or "
                "configure(account_id=...)"
            )

    @property
    def budget_scope(self) -> str:
        """The name of the budget that is spent: the account where it is known, else a hash of the key."""
        if self.account_id:
            return f"account:{self.account_id}"
        return "key:" + hashlib.sha256((self.api_key or "").encode()).hexdigest()[:32]

    @property
    def state_path(self) -> Path:
        """The directory of what all processes of this machine share."""
        return self.state_dir or Path(platformdirs.user_state_dir("kataven-notebook"))


def _text(name: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        # The value may be a key, so the message does not hold it.
        raise ConfigurationError(f"{name}= takes text, not {type(value).__name__}")
    return (value or "").strip() or None


def _place(name: str, value: object) -> str | None:
    place = os.fspath(value) if isinstance(value, str | os.PathLike) else value
    if place is not None and not isinstance(place, str):
        raise ConfigurationError(f"{name}={value!r}: pass a folder, as text or as a Path")
    return place


def _is_length_s(value: object) -> bool:
    return is_number(value) and 0 < value <= _LONGEST_S


def _without_key(values: Mapping[str, Any]) -> Settings:
    return Settings(**values)


def _shown(api_key: str | None) -> str | None:
    if not api_key:
        return None
    return next((p + "[redacted]" for p in ("sk_live_", "pk_live_", "eyJ") if api_key.startswith(p)), "[redacted]")


def is_loopback(host: str | None) -> bool:
    """Return whether `host` is this machine: plain http to it crosses no network."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked_base_url(base_url: object) -> str:
    if base_url is None:
        return DEFAULT_BASE_URL
    text = str(base_url)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    # `urlsplit` ignores line ends, which no request can hold.
    if parts.scheme not in ("http", "https") or not host or not text.isprintable() or " " in text:
        raise ConfigurationError(f"the base URL must look like {DEFAULT_BASE_URL}: https:// and a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError("the base URL must have no user name, query or fragment in it")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"the base URL is plain http to {host}: the API key would be sent unencrypted; use https "
            "(http is for this machine's own loopback alone)"
        )
    return text.rstrip("/")


_lock = threading.Lock()
_configured: dict[str, Any] = {}
# Of columns; no part of `Settings`, and of no environment: another program's frames have other names.
NAMES = ("session", "prefix")
_ENVIRONMENT = {
    "api_key": "KATAVEN_API_KEY",
    "account_id": "KATAVEN_ACCOUNT_ID",
    "base_url": "KATAVEN_BASE_URL",
    "state_dir": "KATAVEN_STATE_DIR",
}


def configure(
    *,
    api_key: str | None = None,
    account_id: str | None = None,
    base_url: str | None = None,
    limits: Limits | None = None,
    request_timeout_s: float | None = None,
    store: str | os.PathLike[str] | None = None,
    state_dir: str | os.PathLike[str] | None = None,
    session: str | None = None,
    prefix: str | None = None,
) -> Settings:
    """Set what all functions of this process use from now on, and return it.

    A value that is not given comes from earlier uses of `configure`, then from the environment
    (`KATAVEN_API_KEY`, `KATAVEN_ACCOUNT_ID`, `KATAVEN_BASE_URL`, `KATAVEN_STATE_DIR`), then from
    the defaults of `Settings`.

    Parameters
    ----------
    api_key, account_id, base_url, limits, request_timeout_s, store, state_dir
        As for `Settings`. An empty text resets the account, the base URL or the store to its
        default, for instance after the demo Hub in the same kernel.
    session, prefix
        What functions take for `session=` and `prefix=` where the call does not say: the column of session ids, and
        what stands before the names of added columns. An empty text resets them. They are no part of the settings.

    Returns
    -------
    Settings
        The settings in use from now on.

    Raises
    ------
    ConfigurationError
        A value that can't work; nothing has changed.

    Examples
    --------
    >>> configure(api_key="sk_live_acme_0123456789", store="calls/").store
    'calls/'
    """
    given = {
        "api_key": api_key,
        "account_id": account_id,
        "base_url": base_url,
        "limits": limits,
        "request_timeout_s": request_timeout_s,
        "store": store,
        "state_dir": state_dir,
        "session": session,
        "prefix": prefix,
    }
    for name in NAMES:
        if not isinstance(given[name], str | None):
            raise ConfigurationError(f"{name}={given[name]!r}: pass text")
    given = {name: value for name, value in given.items() if value is not None}
    with _lock:
        # Checked before anything is set: a refused value leaves all as it was.
        settings = _build(_configured | given, os.environ)
        if "api_key" in given:
            settings.check_credentials()
        _configured.update(given)
    return settings


def current_settings(settings: Settings | None = None) -> Settings:
    """Return `settings` if given, else what `configure` and the environment say.

    Raises
    ------
    ConfigurationError
        The environment holds a value that can't work, or `settings` is of another type.
    """
    if settings is not None:
        if not isinstance(settings, Settings):
            raise ConfigurationError(f"settings= takes a kataven_notebook.Settings, not {type(settings).__name__}")
        return settings
    with _lock:
        return _build(_configured, os.environ)


def _build(configured: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    values: dict[str, Any] = {
        name: environment[variable] for name, variable in _ENVIRONMENT.items() if environment.get(variable, "").strip()
    }
    values |= {name: value for name, value in configured.items() if name not in NAMES}
    return replace(Settings(), **values)


def configured_name(name: str) -> str | None:
    """Return what `configure` was given for `session` or `prefix`, or None.

    Examples
    --------
    >>> _ = configure(session="call_id")
    >>> configured_name("session")
    'call_id'
    """
    with _lock:
        return _configured.get(name) or None
