"""The rows of every family of operations, joined; an operation without a row fails test_completeness."""

from __future__ import annotations

import importlib
import pkgutil

from . import cases
from .cases import Case

FAMILIES = {
    found.name: list(importlib.import_module(f"{cases.__name__}.{found.name}").CASES)
    for found in pkgutil.iter_modules(cases.__path__)
}
CASES: list[Case] = [case for family in FAMILIES.values() for case in family]
