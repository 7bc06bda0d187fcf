"""How classes are declared that hold what they are given and are no values.

Their objects are equal to themselves alone, and their repr shows no field: for parts that work
together, what is handed on, and what holds a secret. A frozen dataclass has methods for the rest,
which each start would compile (ADR 143).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_Type = TypeVar("_Type")


@dataclass_transform(eq_default=False, frozen_default=True, field_specifiers=(field,))
def opaque(cls: type[_Type]) -> type[_Type]:
    """Make such a dataclass, whose fields are never set again: type checkers refuse it."""
    return dataclass(slots=True, eq=False, repr=False)(cls)


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def stateful(cls: type[_Type]) -> type[_Type]:
    """Make such a dataclass, whose fields change."""
    return dataclass(slots=True, eq=False, repr=False)(cls)
