"""scipy's functions of distributions, imported at first use."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from kataven_notebook.stats import special

pytestmark = pytest.mark.core


def test_quantiles_are_those_of_the_tables() -> None:
    """Of the normal, Student's t and the Beta distribution."""
    assert special.ndtri(0.975) == pytest.approx(1.959964, abs=1e-6)
    assert special.ndtr(special.ndtri([0.1, 0.9])) == pytest.approx([0.1, 0.9])
    assert special.stdtrit(4, 0.975) == pytest.approx(2.776445, abs=1e-6)
    assert special.betaincinv(1, 1, np.array([0.2])) == pytest.approx([0.2])


def test_scipy_comes_with_the_first_call() -> None:
    """And not with the modules that may need it."""
    code = (
        "import sys\n"
        "from kataven_notebook.stats import estimates\n"
        "assert 'scipy' not in sys.modules\n"
        "estimates.estimate([1.0, 2.0, 4.0], 'mean')\n"
        "assert 'scipy' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
