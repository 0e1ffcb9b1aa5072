"""Nothing secret stands in a text that may be shown."""

from __future__ import annotations

import logging

import pytest

import kataven_notebook as kn
from kataven_notebook.redact import guard_http_logging, redact

pytestmark = pytest.mark.core

SECRETS = (
    "https://b.s3.amazonaws.com/a.wav?X-Amz-Signature=SECRET&X-Amz-Credential=SECRET",
    "HTTPS://B.example/a?token=SECRET#SECRET",
    "https://user:SECRET@host/path",
    "a store on sftp://user:SECRET@host/calls",
    "simplecache::ftp://user:SECRET@host/calls",
    f"https://a.example/{'a' * 4_000}?token=SECRET",
    "X-Amz-Security-Token=SECRET%2F/end",
    "/calls/a.wav?X-Amz-Date=20260101T000000Z&X-Amz-Signature=SECRET",
    "x-amz-credential%3DSECRET",
    "Signature=SECRET&Expires=1",
    "sig=SECRET",
    "<AWSAccessKeyId>SECRET</AWSAccessKeyId>",
    "key sk_live_acme_SECRET-x.",
    "Authorization: Bearer SECRET",
    "eyJSECRETSECRET.eyJSECRET.SECRET_-",
)


@pytest.mark.parametrize("text", SECRETS)
def test_keys_tokens_and_signed_queries_are_taken_out(text) -> None:
    """Whatever the shape, the secret part is gone and the text says so."""
    assert "SECRET" not in redact(text)
    assert "[redacted" in redact(text)


def test_a_known_secret_is_taken_out_whatever_its_shape() -> None:
    """The configured key may have any shape."""
    assert redact("it said hunter2!", "hunter2", None) == "it said [redacted]!"


def test_plain_text_stays_as_it_is() -> None:
    """Nothing is taken for a secret that is none."""
    text = "GET https://api.kataven.ai/v1/sessions/agent_01HZ/recording gave 404 (no recording)"
    assert redact(text) == text


def test_the_http_library_logs_no_signature_and_no_key(hub, caplog) -> None:
    """The library logs URLs at INFO and httpcore headers at DEBUG: both go through the filter."""
    guard_http_logging()
    with caplog.at_level(logging.DEBUG):
        kn.audio(hub.sessions.head(2), settings=hub.settings, progress=False)
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "/sessions/s0/recording" in text
    assert hub.api_key not in text
    assert "X-Amz-Signature=" not in text.replace("X-Amz-Signature=[redacted]", "")
