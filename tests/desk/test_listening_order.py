"""The order in which calls are heard: from the seed, and kept beside the labels."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.desk.listening_order import ListeningOrder, order_file, shuffled
from kataven_notebook.desk.open import player
from kataven_notebook.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

IDS = [f"s{number}" for number in range(40)]


def frame(ids: list[str] = IDS) -> pd.DataFrame:
    """Return calls without sound."""
    sessions = pd.Series(ids, dtype=object)  # no other dtype holds half a character
    return pd.DataFrame({"session_id": sessions, "prompt": ["A", "B"] * (len(ids) // 2) + ["A"] * (len(ids) % 2)})


def heard(calls: pd.DataFrame, **options: Any) -> list[str]:
    """Return the sessions in the order in which the player lists them."""
    desk = player(calls, **{"order": "random", **options})
    order = [desk._calls.session_id(key) for key in desk._calls.order.tolist()]
    assert desk.session_id == (order[0] if order else "")
    desk.close()
    return order


def test_a_seed_gives_one_order_whatever_that_of_the_frame() -> None:
    """Two listeners hear the same; another seed gives another order, and none the same as the rows."""
    first = heard(frame(), seed=3)
    assert sorted(first) == sorted(IDS)
    assert heard(frame().sample(frac=1, random_state=1), seed=3) == first
    assert heard(frame(), seed=4) != first
    assert heard(frame()) == heard(frame(), seed=0) != IDS
    assert heard(frame(), order=None) == IDS, "the frame's own where nothing is hidden"
    assert heard(frame(), order=None, blind=["prompt"]) == heard(frame())
    assert heard(frame(), order="frame", blind=["prompt"]) == IDS


def test_no_group_comes_first() -> None:
    """Over many seeds each half of the order has as many of a prompt."""
    halves = [sum(int(each[1:]) % 2 for each in shuffled(IDS, seed)[:20]) for seed in range(300)]
    assert 9.5 < sum(halves) / len(halves) < 10.5


def test_the_order_is_kept_beside_the_labels(tmp_path: Path) -> None:
    """A player that goes on needs no seed; calls that are gone are left out, and new ones come last."""
    labels = tmp_path / "labels.csv"
    first = heard(frame(IDS[:20]), seed=7, save_to=labels)
    kept = pd.read_csv(tmp_path / "labels.order.csv")
    assert kept.columns.tolist() == ["place", "session_id", "seed"]
    assert kept["session_id"].tolist() == first
    assert kept["place"].tolist() == list(range(1, 21))
    assert not labels.exists(), "a file of labels begins with the first label"
    if os.name == "posix":
        assert (tmp_path / "labels.order.csv").stat().st_mode & 0o077 == 0
    more = heard(frame(IDS[5:]), save_to=labels)
    assert more[:15] == [each for each in first if each in IDS[5:]]
    assert set(more[15:]) == set(IDS[20:])
    assert heard(frame(IDS[::-1]), save_to=str(labels), seed=7)[:20] == first
    assert len(pd.read_csv(tmp_path / "labels.order.csv")) == 40
    with pytest.raises(ConfigurationError, match="holds an order of seed=7, not of seed=8"):
        heard(frame(), save_to=labels, seed=8)


def test_labels_lie_where_they_always_do(tmp_path: Path) -> None:
    """By the session ids, in the file and in `labels`, and the next player shows them."""
    labels = tmp_path / "labels.csv"
    desk = player(frame(), blind=["prompt"], labels=["good"], save_to=labels)
    desk.add_label("good", session_id="s7")
    again = player(frame(), blind=["prompt"], labels=["good"], save_to=labels)
    assert again.labels["session_id"].tolist() == ["s7"]
    assert "s7" in labels.read_text(encoding="utf-8")
    assert again.frame.loc[again.frame["label"].notna(), "prompt"].tolist() == ["B"], "Python has all columns"


@pytest.mark.parametrize("ids", [[], ["a"], ['"', "a,b", "two\nlines", "שיחה", "caf\udce9", "-1"]])
def test_any_ids_are_kept(tmp_path: Path, ids: list[str]) -> None:
    """None, one, and those that CSV has to quote."""
    labels = tmp_path / "labels.csv"
    first = heard(frame(ids), save_to=labels)
    assert heard(frame(ids[::-1]), save_to=labels) == first
    assert order_file(labels).exists() is bool(ids)


def test_half_a_line_is_left_out_and_begun_anew(tmp_path: Path) -> None:
    """A kernel that was killed while it wrote loses no place that was written whole."""
    labels = tmp_path / "labels.csv"
    heard(frame(IDS[:10]), save_to=labels)
    path = order_file(labels)
    content = path.read_text(encoding="utf-8")
    path.write_text(content[:-4], encoding="utf-8")
    whole = heard(frame(IDS[:10]), save_to=labels)
    assert whole == shuffled(IDS[:10], 0)
    assert heard(frame(), save_to=labels)[:10] == whole


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Said at once, and nothing is written to it."""
    order_file(tmp_path / "labels.csv").write_text("my,own\n1,2\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is no order of a player"):
        heard(frame(), save_to=tmp_path / "labels.csv")
    assert order_file(tmp_path / "labels.csv").read_text(encoding="utf-8") == "my,own\n1,2\n"


def test_a_damaged_file_is_read_or_refused(tmp_path: Path) -> None:
    """Bytes changed, cut and joined anywhere: an order of all sessions, or the package's own error."""
    labels, draw = tmp_path / "labels.csv", np.random.default_rng(0)
    ListeningOrder(IDS, seed=7, labels=labels, session_column="session_id").keep()
    whole = order_file(labels).read_bytes()
    odd = [b"", b'"', b"\x00", b"\xff", b'"' + b"a" * 200_000 + b'"', b",,,\n", b"1,x," + b"9" * 5_000 + b"\n"]
    for number in range(120):
        cut = int(draw.integers(len(whole)))
        order_file(labels).write_bytes(whole[:cut] + odd[number % len(odd)] + whole[cut + int(draw.integers(9)) :])
        with contextlib.suppress(ConfigurationError):
            found = ListeningOrder(IDS, seed=None, labels=labels, session_column="session_id")
            assert set(IDS) <= found.places.keys()


def test_an_order_that_can_not_be_kept_is_told(tmp_path: Path) -> None:
    """A folder stands in its place: the order is the seed's, and the next calls come in between."""
    order = ListeningOrder(IDS, seed=1, labels=tmp_path / "labels.csv", session_column="session_id")
    order_file(tmp_path / "labels.csv").mkdir()
    with pytest.warns(UserWarning, match="it comes from the seed alone"):
        order.keep()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": "worst"}, "pass 'frame'"),
        ({"order": 1}, "pass 'frame'"),
        ({"seed": "x"}, "no whole number"),
        ({"seed": True}, "no whole number"),
        ({"seed": 1.5}, "no whole number"),
        ({"order": "frame", "seed": 1}, "order='random' with it"),
    ],
)
def test_what_is_no_order_and_no_seed_is_refused(options: dict[str, Any], words: str) -> None:
    """In a sentence that says what to pass."""
    with pytest.raises(ConfigurationError, match=words):
        heard(frame(), **options)


def test_wrong_arguments_leave_no_file(tmp_path: Path) -> None:
    """The order is written when the player stands."""
    with pytest.raises(ConfigurationError):
        player(frame(), order="random", labels="good", save_to=tmp_path / "labels.csv")
    assert not list(tmp_path.iterdir())
