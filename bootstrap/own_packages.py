"""Whether this service's packages are its own.

Their names are general ones (`domain`, `ports`, …), which another distribution in the same
environment may overwrite. Imports nothing but the standard library, so that it can be asked first.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import ModuleType

PACKAGES: Final = ("adapters", "bootstrap", "domain", "ports", "wasmcloud_secrets")
OWNER: Final = "wasmcloud-secrets"
"""What each package's `OWNER` says."""


def foreign_packages() -> str | None:
    """Return advice if one of the packages is not this service's; None if all are."""
    home = Path(__file__).parents[1]
    for name in PACKAGES:
        try:
            package: ModuleType | None = importlib.import_module(name)
        except ImportError:
            package = None
        if package is None:
            return _advice(name, "is missing")
        where = Path(package.__file__ or "").parent
        if getattr(package, "OWNER", None) != OWNER or where.parent != home:
            return _advice(name, f"in {where} is another distribution's")
    return None


def _advice(name: str, what: str) -> str:
    return (
        f"The package {name!r} {what}, so this service would run code that is not its own. Install "
        "it into a virtual environment of its own, with its plug-ins alone.\n"
    )
