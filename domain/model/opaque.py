"""How a class is declared that only holds what it is given, and is no value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_Type = TypeVar("_Type")


@dataclass_transform(eq_default=False, frozen_default=True, field_specifiers=(field,))
def opaque(cls: type[_Type]) -> type[_Type]:
    """Make a dataclass whose objects are equal to themselves alone, and whose repr shows no field.

    For parts that work together, settings handed on, and what holds a secret. Type checkers keep
    the fields from being set again; nothing does at run time, which spares each start compiling
    the methods that a frozen dataclass has (ADR 143).
    """
    return dataclass(slots=True, eq=False, repr=False)(cls)
