"""Many recordings in threads: each once, shown as they go, and stopped at once."""

from __future__ import annotations

import logging
import threading

import pytest

from kataven_notebook.store import sweep as module
from kataven_notebook.store.sweep import sweep

pytestmark = pytest.mark.core


def test_each_item_comes_once_with_its_result() -> None:
    """In any order, and none without items."""
    found = dict(sweep(lambda each: each * each, range(100), label="Squaring", progress=False))
    assert found == {each: each * each for each in range(100)}
    assert list(sweep(str, [], label="Nothing", progress=True)) == []


def test_the_first_error_ends_it() -> None:
    """Nothing more is begun."""
    begun = []

    def fails(each: int) -> None:
        begun.append(each)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        list(sweep(fails, range(1_000), label="Failing", progress=False))
    assert len(begun) <= 3 * module.THREADS


def test_who_stops_does_not_wait_for_what_is_under_way() -> None:
    """A large file may take a while; the threads end by themselves."""
    go_on = threading.Event()
    running = sweep(lambda each: each == 0 or go_on.wait(30), range(50), label="Waiting", progress=False)
    assert next(running) == (0, True)
    running.close()
    assert not go_on.is_set()
    go_on.set()


def test_progress_is_a_bar_or_lines(monkeypatch, capsys, caplog) -> None:
    """A log gets a line every some seconds."""
    list(sweep(str, range(3), label="Shown", progress=True))
    assert "Shown: 100%" in capsys.readouterr().err
    monkeypatch.setattr(module, "_LOG_EVERY_S", 0.0)
    with caplog.at_level(logging.INFO, logger="kataven_notebook"):
        list(sweep(str, range(3), label="Logged", progress=False))
    assert "Logged: 3 of 3" in caplog.text
