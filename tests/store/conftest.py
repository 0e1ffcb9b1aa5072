"""Fixtures of the store's tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def folder(tmp_path):
    """Where a test's store is."""
    return tmp_path / "calls"
