"""What the tests of numbers share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scripted_calls import FIRST, SECOND, measured, sound

if TYPE_CHECKING:
    from kataven_notebook.numbers.measures import CallMeasures


@pytest.fixture(scope="module")
def call() -> CallMeasures:
    """Return a stereo call: a response, an interruption of the agent (channel 0), a backchannel, dead air."""
    return measured(sound(FIRST, SECOND))
