"""Fixtures that all tests share."""

from __future__ import annotations

import sys
from pathlib import Path

# The tests are no package: their fixture modules are imported by name.
sys.path.insert(0, str(Path(__file__).parent))

from weed import seaweed  # noqa: F401 - the fixture; after the path that it is found by
