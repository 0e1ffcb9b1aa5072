"""More than two listeners, for whom the extra is needed."""

from __future__ import annotations

import pandas as pd
import pytest

from kataven_notebook import study


def test_three_listeners_get_alpha() -> None:
    """Those who left out a call too; whoever is not named is one of them."""
    rows = [
        ("a", "x", "yes"),
        ("a", "y", "yes"),
        ("a", None, "yes"),
        ("b", "x", "no"),
        ("b", "y", "no"),
        ("c", "x", "yes"),
    ]
    rows += [("d", "x", "no"), ("d", "y", "no"), ("d", None, "yes")]
    labels = pd.DataFrame(rows, columns=["session_id", "annotator", "label"])
    found = study.agreement(labels, resamples=200)
    first = found.table.iloc[0]
    assert first["coefficient"] == "Krippendorff's alpha"
    assert (first["annotators"], first["n"], first["only_one"]) == (3, 3, 1)
    assert first["agreed"] == pytest.approx((1 + 1 + 1 / 3) / 3)
    assert first["estimate"] == pytest.approx(0.5625, abs=0.01)
    assert found.disagreements["label"].tolist() == ["unnamed: yes; x: no; y: no"]
