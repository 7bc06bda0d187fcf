"""Imports of libraries without the packages that they only load because these are installed.

structlog loads rich for tracebacks of variables, which would show secrets; dependency-injector
loads web frameworks, YAML and pydantic-settings for functions that are not used here; nats-py
loads aiohttp for WebSockets, which no setting asks for. Together that is half of what a start
imports, and a fifth of its memory. The packages can be imported as ever afterwards.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

STRUCTLOG: Final = "structlog"
CONTAINERS: Final = "dependency_injector.containers"
NATS: Final = "nats.aio.client"

_NOT_NEEDED: Final = {
    STRUCTLOG: ("rich", "better_exceptions"),
    CONTAINERS: ("fastapi", "starlette", "yaml", "pydantic_settings"),
    NATS: ("aiohttp",),
}


def import_lean(*libraries: str) -> None:
    """Import some of the libraries above, before whatever else would."""
    for library in libraries:
        import_without(library, _NOT_NEEDED[library])


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
