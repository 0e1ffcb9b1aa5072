"""Units of the columns of numbers, held against their names."""

from __future__ import annotations

import pytest

from kataven_notebook.numbers.definitions import ALL_COLUMNS, MetricColumn

pytestmark = pytest.mark.core

# A name that ends so has this unit; what ends otherwise is counted, or is no number.
SUFFIXES = {"_s": "s", "_ratio": "1", "_confidence": "1", "_dbfs": "dBFS", "_db": "dB", "_lufs": "LUFS"}


@pytest.mark.parametrize(("name", "column"), ALL_COLUMNS.items())
def test_the_unit_is_that_of_the_name(name: str, column: MetricColumn) -> None:
    """A name ends in its unit."""
    expected = next((unit for suffix, unit in SUFFIXES.items() if name.endswith(suffix)), None)
    if expected is None:
        assert column.unit == ("count" if column.dtype == "Int64" and name != "agent_channel" else None)
    else:
        assert (column.unit, column.dtype) == (expected, "float64")
