"""Fixtures of one model family a module: each has `BUILDERS`, from a fixture's name to the function that makes it and returns its seed."""

import importlib
import pkgutil
from collections.abc import Callable


def builders() -> dict[str, Callable[[], int]]:
    """Every family's fixtures by name."""
    found: dict[str, Callable[[], int]] = {}
    for module in pkgutil.iter_modules(__path__):
        found |= importlib.import_module(f"{__name__}.{module.name}").BUILDERS
    return found
