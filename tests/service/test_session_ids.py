"""Session ids: which are sent, and why others are not."""

from __future__ import annotations

import ast
import re

import pandas as pd
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


@pytest.mark.parametrize(
    "edge",
    [" ", "\t", "\n", "\xa0", "\u2003", "\u2028", "\u200b", "\u200e", "\u202a", "\u2060", "\u2069", "\ufeff", "\xad",
     "\u3164", " \u200b", "\x1c"],
)  # fmt: skip
def test_space_around_an_id_is_named_and_never_sent(edge) -> None:
    """It comes from a file or from copying: the service would say that there is no recording."""
    for bad in (f"s1{edge}", f"{edge}s1"):
        with pytest.raises(errors.InvalidSessionId, match="space or an invisible character") as caught:
            check_session_id(bad)
        advised = re.search(r"\.str\.strip\((.*?)\) removes it", str(caught.value))
        assert advised is not None
        named = [ast.literal_eval(advised[1])] if advised[1] else []
        assert pd.Series([bad]).str.strip(*named).tolist() == ["s1"]
        assert ("utf-8-sig" in str(caught.value)) == (edge == "\ufeff")
    with pytest.raises(errors.InvalidSessionId, match="is blank"):
        check_session_id(edge)
