"""Presigned GET URLs of object storage: AWS Signature Version 4 in its query form, signed and verified.

Written from the specification and compared with ``botocore`` in the tests, so that what the demo storage
enforces is what S3 enforces: method, host, path and every query parameter are part of the signature.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
LONGEST_LIFE_S = 604_800
# S3 bears with clocks that are ahead of its own by this much.
CLOCK_SKEW = timedelta(minutes=15)
REQUIRED_PARAMETERS = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)


@dataclass(frozen=True)
class Credentials:
    """An access key of the demo storage; worth nothing anywhere else."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    token: str | None = field(default=None, repr=False)


@dataclass
class StorageError(Exception):
    """What S3 answers instead of the object: a status, a code, a message and further XML elements."""

    status: int
    code: str
    message: str
    details: Mapping[str, str] = field(default_factory=dict)


@lru_cache(maxsize=64)
def _signing_key(secret_key: str, date: str, region: str) -> bytes:
    # Four HMACs that stay the same for a day: derived once, not once a request.
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _canonical_query(pairs: Sequence[tuple[str, str]]) -> str:
    encoded = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def string_to_sign(
    method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str], signed_headers: str
) -> str:
    """Give the text that is signed.

    Parameters
    ----------
    method
        ``"GET"``: the method is signed, which is why HEAD is refused.
    path
        Percent-encoded path.
    query
        Decoded name-value pairs, all but the signature itself.
    headers
        Request headers with names in lower case; those of `signed_headers` must be among them.
    signed_headers
        Names joined by semicolons.
    """
    values = dict(query)
    names = signed_headers.split(";")
    canonical = "\n".join(
        [
            method,
            quote(unquote(path), safe="/"),
            _canonical_query(query),
            "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names),
            signed_headers,
            UNSIGNED_PAYLOAD,
        ]
    )
    scope = values["X-Amz-Credential"].split("/", 1)[1]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return "\n".join([ALGORITHM, values["X-Amz-Date"], scope, digest])


def _signature(text: str, secret_key: str, date: str, region: str) -> str:
    return hmac.new(_signing_key(secret_key, date, region), text.encode(), hashlib.sha256).hexdigest()


def presign(url: str, credentials: Credentials, *, now: datetime, expires_s: int) -> str:
    """Presign a GET.

    Parameters
    ----------
    url
        The object's URL, its path percent-encoded, without a query.
    credentials
        Who signs.
    now
        The signer's clock, aware; cut to whole seconds as in S3.
    expires_s
        Life in whole seconds, 1 to 604,800.

    Raises
    ------
    ValueError
        When the life is out of range.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> credentials = Credentials("KEY", "secret")
    >>> url = presign("http://127.0.0.1/b/k", credentials, now=datetime(2026, 1, 1, tzinfo=UTC), expires_s=60)
    >>> url.split("&X-Amz-Signature=")[0].endswith("X-Amz-Expires=60&X-Amz-SignedHeaders=host")
    True
    """
    if not 1 <= expires_s <= LONGEST_LIFE_S:
        raise ValueError(f"A presigned URL lives 1 to {LONGEST_LIFE_S} s, not {expires_s}.")
    parts = urlsplit(url)
    moment = now.astimezone(UTC).strftime(DATE_FORMAT)
    scope = f"{moment[:8]}/{credentials.region}/s3/aws4_request"
    query = [
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{credentials.access_key}/{scope}"),
        ("X-Amz-Date", moment),
        ("X-Amz-Expires", str(expires_s)),
        ("X-Amz-SignedHeaders", "host"),
    ]
    if credentials.token is not None:
        query.append(("X-Amz-Security-Token", credentials.token))
    text = string_to_sign("GET", parts.path, query, {"host": parts.netloc}, "host")
    signature = _signature(text, credentials.secret_key, moment[:8], credentials.region)
    return f"{url}?{_canonical_query(query)}&X-Amz-Signature={signature}"


def parse_query(raw_query: str) -> list[tuple[str, str]]:
    """Split a query into decoded pairs; a plus sign stays one, as in S3."""
    pairs = []
    for part in filter(None, raw_query.split("&")):
        name, _, value = part.partition("=")
        pairs.append((unquote(name), unquote(value)))
    return pairs


def verify(
    method: str,
    path: str,
    raw_query: str,
    headers: Mapping[str, str],
    credentials: Credentials,
    *,
    now: datetime,
) -> None:
    """Let a request pass, or refuse it as S3 does.

    Parameters
    ----------
    method, path, raw_query
        As they stand in the request line, percent-encoded.
    headers
        Request headers, names in lower case.
    credentials
        The only key this storage knows.
    now
        The storage's clock, aware.

    Raises
    ------
    StorageError
        With the status, code and message of S3.
    """
    query = parse_query(raw_query)
    values = dict(query)
    _check_mechanism(values, headers)
    access_key, date, region = _scope(values)
    if access_key != credentials.access_key:
        raise StorageError(
            403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
        )
    _check_time(values, now)
    _check_headers(values["X-Amz-SignedHeaders"], headers)
    signed = [(name, value) for name, value in query if name != "X-Amz-Signature"]
    text = string_to_sign(method, path, signed, headers, values["X-Amz-SignedHeaders"])
    expected = _signature(text, credentials.secret_key, date, region)
    if not hmac.compare_digest(expected.encode(), values["X-Amz-Signature"].encode()):
        raise StorageError(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
            {
                "AWSAccessKeyId": access_key,
                "StringToSign": text,
                "SignatureProvided": values["X-Amz-Signature"],
            },
        )


def _check_mechanism(values: Mapping[str, str], headers: Mapping[str, str]) -> None:
    presigned = any(name in values for name in REQUIRED_PARAMETERS)
    if presigned and "authorization" in headers:
        raise StorageError(
            400,
            "InvalidArgument",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
            "Signature query string parameter or the Authorization header should be specified",
            {"ArgumentName": "Authorization"},
        )
    if not presigned:
        raise StorageError(403, "AccessDenied", "Access Denied")
    if not all(values.get(name) for name in REQUIRED_PARAMETERS) or values["X-Amz-Algorithm"] != ALGORITHM:
        raise _malformed(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )


def _scope(values: Mapping[str, str]) -> tuple[str, str, str]:
    parts = values["X-Amz-Credential"].split("/")
    if len(parts) != 5 or parts[3:] != ["s3", "aws4_request"] or parts[1] != values["X-Amz-Date"][:8]:
        raise _malformed("Error parsing the X-Amz-Credential parameter.")
    return parts[0], parts[1], parts[2]


def _check_time(values: Mapping[str, str], now: datetime) -> None:
    try:
        signed_at = datetime.strptime(values["X-Amz-Date"], DATE_FORMAT).replace(tzinfo=UTC)
        life_s = int(values["X-Amz-Expires"])
    except ValueError:
        raise _malformed("X-Amz-Date or X-Amz-Expires is malformed.") from None
    if not 0 <= life_s <= LONGEST_LIFE_S:
        raise _malformed("X-Amz-Expires must be less than a week (in seconds)")
    if signed_at > now + CLOCK_SKEW:
        raise StorageError(403, "AccessDenied", "Request is not yet valid")
    expires_at = signed_at + timedelta(seconds=life_s)
    if now > expires_at:
        raise expired(expires_at, now, life_s)


def _check_headers(signed_headers: str, headers: Mapping[str, str]) -> None:
    signed = signed_headers.split(";")
    if "host" not in signed:
        raise _malformed("The host header must be signed.")
    unsigned = sorted(name for name in headers if name.startswith("x-amz-") and name not in signed)
    if unsigned:
        raise StorageError(
            403,
            "AccessDenied",
            "There were headers present in the request which were not signed",
            {"HeadersNotSigned": ", ".join(unsigned)},
        )


def expired(expires_at: datetime, now: datetime, life_s: int) -> StorageError:
    """Give S3's answer to a URL whose life is over."""
    return StorageError(
        403,
        "AccessDenied",
        "Request has expired",
        {"X-Amz-Expires": str(life_s), "Expires": _iso(expires_at), "ServerTime": _iso(now)},
    )


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _malformed(message: str) -> StorageError:
    return StorageError(400, "AuthorizationQueryParametersError", message)
