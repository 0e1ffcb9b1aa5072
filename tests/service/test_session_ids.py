"""Session ids: which are sent, and why others are not."""

from __future__ import annotations

import pytest

from kataven_notebook import errors
from kataven_notebook.service.client import HubClient
from kataven_notebook.service.session_ids import check_session_id

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    "bad",
    [None, float("nan"), "", "  ", "\t", ".", "..", "...", "a/b", "a\\b", "a\nb", "a\x00", "a\x7f", "a\x85", "x" * 513,
     "ä" * 257, "\ud800", 3, 3.0, b"a", ["a"]],
)  # fmt: skip
def test_ids_that_would_reach_another_route_are_never_sent(hub, bad) -> None:
    """Each is `invalid`, and no request is made."""
    with pytest.raises(errors.InvalidSessionId), HubClient(hub.settings) as client:
        client.sign(bad)
    assert hub.requests.count() == 0


@pytest.mark.parametrize(
    "good", ["agent_01HZ2N", "0001", "a.b", "..a", "a b", "ä", "%2F", "a?b=c", "a#b", "-", "x" * 512]
)
def test_any_other_id_is_one_path_segment(hub, wav, good) -> None:
    """It arrives as it is, whatever stands in it."""
    assert check_session_id(good) == good
    hub.add(good, wav)
    with HubClient(hub.settings) as client:
        assert client.sign(good).url.startswith(hub.storage_url)
    assert [each.session_id for each in hub.requests.api] == [good]
