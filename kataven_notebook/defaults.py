"""The names of columns that `configure` sets for all functions, as defaults of their arguments."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from kataven_notebook.settings import NAMES, configured_name

if TYPE_CHECKING:
    from collections.abc import Callable

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def with_configured_names(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Return a function whose `session=` and `prefix=`, where they are not passed, are what `configure` was given.

    What a call passes wins, also where it is the default that the signature shows.
    """
    parameters = inspect.signature(function).parameters
    # A default of None says that the function looks itself.
    names = [name for name in NAMES if name in parameters and parameters[name].default is not None]

    @functools.wraps(function)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        for name in names:
            if name not in kwargs and (configured := configured_name(name)) is not None:
                kwargs[name] = configured
        return function(*args, **kwargs)

    return call
