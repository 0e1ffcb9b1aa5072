"""The sample sessions: synthetic calls shipped with the package, and sessions without a usable recording."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from kataven_notebook.demo._world import StoredSession

CONTENT_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg", "flac": "audio/flac"}


@lru_cache(maxsize=1)
def _index() -> list[dict[str, Any]]:
    path = files(__package__) / "calls" / "sessions.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


@lru_cache(maxsize=32)
def _read(name: str) -> bytes:
    return (files(__package__) / "calls" / name).read_bytes()


def sample_sessions() -> dict[str, StoredSession]:
    """Give the sample sessions by id, in the order in which they were held."""
    return {row["session_id"]: _session(row) for row in _index()}


def _session(row: dict[str, Any]) -> StoredSession:
    details = {name: row[name] for name in ("agent", "agent_version", "started_at", "outcome")}
    name = row["file"]
    if name is None:
        return StoredSession(row["session_id"], state=row["state"], details=details)
    data = _read(name)
    if row["state"] == "truncated":
        # Half an upload: its header promises more than there is.
        data = data[: len(data) // 2]
    elif row["state"] == "not_audio":
        data = b"<!doctype html><title>Upload failed</title><p>The upload of this recording failed.</p>\n"
    content_type = CONTENT_TYPES[name.rpartition(".")[2]]
    return StoredSession(row["session_id"], data, content_type, details=details)


def true_speech() -> dict[str, dict[str, Any]]:
    """Give the true speech times of each whole sample call, by session id."""
    return {
        row["session_id"]: json.loads(_read(row["file"].rpartition(".")[0] + ".json"))
        for row in _index()
        if row["state"] == "ready"
    }
