"""Options that several functions share."""

from __future__ import annotations

import pytest
from frames import calls

import kataven_notebook as kn

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "option",
    [
        {"max_bytes": 0},
        {"in_flight": 0},
        {"verify": "maybe"},
        {"max_wait": "soon"},
        {"poll_pending": -1},
        {"settings": 1},
    ],
)
def test_options_that_cannot_work_are_errors_before_any_request(hub, option) -> None:
    """Each names itself."""
    with pytest.raises(kn.errors.ConfigurationError, match=next(iter(option))):
        kn.audio(calls("s1"), **{"settings": hub.settings, **option})
    assert hub.requests.count("api") == 0
