"""What several tests of runs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from frames import FREE

from kataven_notebook import demo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kataven_notebook.demo import Hub


@pytest.fixture
def many(wav: bytes) -> Iterator[Hub]:
    """A Hub with a hundred sessions."""
    with demo.hub(sessions={f"s{number:02d}": wav for number in range(100)}, limits=FREE) as running:
        yield running
