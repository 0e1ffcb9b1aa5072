"""Each metric in words."""

from __future__ import annotations

from kataven_notebook.numbers.definitions import ALL_COLUMNS
from kataven_notebook.plots.labels import WORDS, label_of, party_of, unit_of


def test_every_column_of_numbers_has_words_of_its_own() -> None:
    """A metric that is added is named for people too; no two have the same words."""
    numbers = {name for name, column in ALL_COLUMNS.items() if column.dtype != "string"}
    assert numbers <= set(WORDS)
    assert len({label_of(name) for name in numbers}) == len(numbers)


def test_units_stand_in_brackets_and_counts_have_none() -> None:
    """As the definitions have them; other columns' units are told by their names."""
    assert label_of("response_latency_p50_s") == "response latency, median (s)"
    assert label_of("agent_lufs") == "agent's loudness (LUFS)"
    assert label_of("interruptions_by_agent") == "interruptions by the agent"
    assert (label_of("lag_ms"), unit_of("lags"), label_of("s")) == ("lag (ms)", "", "s")


def test_a_name_with_dollars_is_no_formula() -> None:
    """Matplotlib would read what stands between two as mathematics, and fail at drawing."""
    assert label_of("cost_$_per_$x") == r"cost \$ per \$x"


def test_a_metric_of_one_party_is_that_partys() -> None:
    """So that it is drawn in that party's colour."""
    for name in ALL_COLUMNS:
        if name.startswith("caller_") or name.endswith("_by_caller"):
            assert party_of(name) == "caller"
        if name.startswith(("agent_", "response_latency")) or name.endswith("_by_agent"):
            assert party_of(name) == "agent"
    assert party_of("talk_ratio") is party_of("duration_s") is None
