"""Who may ask: API keys, JWTs of interactive sessions, and the account a request is for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
RESERVED = frozenset({"admin", "kataven", "system"})
JWT_LIFE_S = 3_600.0


@dataclass
class CredentialError(Exception):
    """A status and the plain text that goes with it."""

    status: int
    text: str


@dataclass
class Accounts:
    """The credentials that the hub knows.

    Attributes
    ----------
    keys
        API keys, each with its account.
    unconfigured
        Accounts whose playback is not configured: they are answered 503.
    forbidden
        Accounts that a good JWT may not act for: they are answered 403.
    """

    keys: dict[str, str] = field(default_factory=dict)
    unconfigured: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    _jwt_secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def add(self, account: str) -> str:
        """Make an API key for an account and give it."""
        key = f"sk_live_{account}_{secrets.token_hex(16)}"
        self.keys[key] = account
        return key

    def revoke(self, key: str) -> None:
        """Refuse an API key from now on."""
        self.keys.pop(key, None)

    def jwt(self, now_s: float, life_s: float = JWT_LIFE_S) -> str:
        """Make a JWT of an interactive session; with a negative life it has expired already."""
        claims = {"sub": "user_demo", "iat": int(now_s), "exp": int(now_s + life_s)}
        body = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
        return f"{body}.{self._sign(body)}"

    def identify(self, headers: Mapping[str, str], now_s: float) -> str:
        """Find the account that a request is for.

        Raises
        ------
        CredentialError
            400, 401 or 403, as the contract says.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise CredentialError(401, "unauthorized: missing bearer token\n")
        if not token.startswith("eyJ"):
            account = self.keys.get(token)
            if account is None:
                raise CredentialError(401, "unauthorized: invalid or revoked API key\n")
            return account
        self._check_jwt(token, now_s)
        return self._check_account(headers.get("x-account-id"))

    def _check_account(self, account: str | None) -> str:
        if not account:
            raise CredentialError(400, "X-Account-ID header is missing\n")
        if not ACCOUNT_NAME.fullmatch(account):
            raise CredentialError(400, "X-Account-ID: invalid account name\n")
        if account in RESERVED:
            raise CredentialError(403, "forbidden: reserved account\n")
        if account in self.forbidden:
            raise CredentialError(403, "forbidden: not a member of this account\n")
        return account

    def _check_jwt(self, token: str, now_s: float) -> None:
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(body).encode(), signature.encode()):
            raise CredentialError(401, "unauthorized: invalid token\n")
        payload = body.partition(".")[2]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if now_s >= claims["exp"]:
            raise CredentialError(401, "unauthorized: token has expired\n")

    def _sign(self, body: str) -> str:
        return _unpadded(hmac.new(self._jwt_secret, body.encode(), hashlib.sha256).digest())


def _encode(value: Mapping[str, object]) -> str:
    return _unpadded(json.dumps(value, separators=(",", ":")).encode())


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
