"""Errors as object storage words them: XML with a code, a message and details."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from kataven_notebook.demo._asgi import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kataven_notebook.demo._sigv4 import StorageError


def error_answer(refusal: StorageError, headers: Mapping[str, str]) -> Answer:
    """Give S3's XML for a refusal; `headers` are added to the answer's."""
    elements = {
        "Code": refusal.code,
        "Message": refusal.message,
        **refusal.details,
        "RequestId": secrets.token_hex(8).upper(),
        "HostId": secrets.token_hex(16),
    }
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return Answer(refusal.status, {**headers, "Content-Type": "application/xml"}, body.encode())
