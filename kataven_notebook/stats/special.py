"""The functions of distributions that intervals are made of, from scipy.

It is imported when the first of them is called: it takes longer to import than the whole package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64] | float | list[float]


def ndtr(z: Numbers) -> Any:
    """Return the share of a standard normal distribution below `z`."""
    from scipy import special  # noqa: PLC0415 - see the module's docstring

    return special.ndtr(z)


def ndtri(share: Numbers) -> Any:
    """Return the standard normal distribution's quantile."""
    from scipy import special  # noqa: PLC0415 - see the module's docstring

    return special.ndtri(share)


def stdtrit(df: Numbers, share: Numbers) -> Any:
    """Return the quantile of Student's t distribution with `df` degrees of freedom."""
    from scipy import special  # noqa: PLC0415 - see the module's docstring

    return special.stdtrit(df, share)


def betaincinv(a: Numbers, b: Numbers, share: Numbers) -> Any:
    """Return the quantile of the Beta distribution with parameters `a` and `b`."""
    from scipy import special  # noqa: PLC0415 - see the module's docstring

    return special.betaincinv(a, b, share)
