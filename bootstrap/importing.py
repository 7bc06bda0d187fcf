"""Imports of libraries without the packages that they only load because these are installed.

structlog loads rich for tracebacks of variables, which would show secrets; dependency-injector
loads web frameworks, YAML and pydantic-settings for functions that are not used here; nats-py
loads aiohttp for WebSockets, which no setting asks for. Together that is half of what a start
imports, and a fifth of its memory. The packages can be imported as ever afterwards.

nats-py's client also loads all of its JetStream, for the names of two headers. That is loaded once
something asks for it: a store in NATS KV, an audit trail in a stream, a server's status line. See
ADR 146.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from typing import TYPE_CHECKING, Final

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

STRUCTLOG: Final = "structlog"
CONTAINERS: Final = "dependency_injector.containers"
NATS: Final = "nats.aio.client"

_NOT_NEEDED: Final = {
    STRUCTLOG: ("rich", "better_exceptions"),
    CONTAINERS: ("fastapi", "starlette", "yaml", "pydantic_settings"),
    NATS: ("aiohttp",),
}

_LOADED_WHEN_USED: Final = {NATS: ("nats.js",)}


def import_lean(*libraries: str) -> None:
    """Import some of the libraries above, before whatever else would."""
    for library in libraries:
        if (later := _LOADED_WHEN_USED.get(library)) is not None:
            sys.meta_path.insert(0, _WhenUsed(later))
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


class _WhenUsed:
    """Finds these packages as ones that are loaded by the first use of what is in them."""

    def __init__(self, packages: Iterable[str]) -> None:
        self._packages = frozenset(packages)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in self._packages:
            spec = PathFinder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = LazyLoader(spec.loader)
            return spec
        if name in sys.modules and name.rpartition(".")[0] in self._packages:
            # An import of `package.module` looks for the package's folder first, which loads the
            # package and that module with it; Python would load the module once more.
            return ModuleSpec(name, _AsLoaded())
        return None


class _AsLoaded(Loader):
    @override
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return sys.modules[spec.name]

    @override
    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: it has been."""
