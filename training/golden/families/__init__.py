"""Fixtures of one model family a module: each has `BUILDERS`, from a fixture's name to the function that makes it and returns its seed."""

import importlib
import pkgutil
from collections.abc import Callable


def builders() -> dict[str, Callable[[], int]]:
    """Every family's fixtures by name; last those of modules with `READS_FIXTURES`, which are made of others."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    found: dict[str, Callable[[], int]] = {}
    for module in sorted(modules, key=lambda module: getattr(module, "READS_FIXTURES", False)):
        found |= dict(sorted(module.BUILDERS.items()))
    return found
