"""Loads three libraries without the packages that they only load because these are installed.

structlog loads rich for tracebacks of variables, which would show secrets; dependency-injector
loads web frameworks, YAML and pydantic-settings for functions that are not used here; nats-py
loads aiohttp for WebSockets, which no setting asks for. Together that is half of what a start
imports, and a fifth of the memory. The packages can be imported as ever afterwards.

To be imported before whatever else uses one of the three.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_WITHOUT: Final = {
    "structlog": ("rich", "better_exceptions"),
    "dependency_injector.containers": ("fastapi", "starlette", "yaml", "pydantic_settings"),
    "nats.aio.client": ("aiohttp",),
}


def import_without(library: str, absent: Iterable[str]) -> None:
    """Import a library as if these packages were not installed; those loaded already stay."""
    hidden = [name for name in absent if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # as if it could not be found
    try:
        import_module(library)
    finally:
        for name in hidden:
            del sys.modules[name]


for _library, _absent in _WITHOUT.items():
    import_without(_library, _absent)
