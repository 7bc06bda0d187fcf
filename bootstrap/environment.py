"""The environment, once settings are read from it: it keeps none of them, and passes none on.

`/proc/PID/environ` shows a process's first environment for as long as it lives, to root and, where
the process is dumpable, to all processes of its user; child processes inherit it.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import bootstrap
from adapters.telemetry.redaction import is_sensitive_name
from bootstrap.settings.model import every_variable, variable_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bootstrap.settings import Configuration


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are no setting of the service."""
    settings = frozenset(every_variable(shipped=True))
    return {name: text for name, text in environment.items() if name.upper() not in settings}


def without_credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that are neither a setting nor named as a credential."""
    kept = without_settings(environment)
    return {name: text for name, text in kept.items() if not is_sensitive_name(name)}


def with_this_package(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables by which a child finds this very package first: it need not be installed."""
    root = str(Path(bootstrap.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
    return {**environment, "PYTHONPATH": path}


def forget_settings(configuration: Configuration) -> None:
    """Remove the settings from this process's environment, and overwrite where they stood.

    The settings in force go; if what remains names a credential, those of all shipped plug-ins as
    well. Call it while there is one thread. Python's own copies are freed, not overwritten.
    """
    settings = {*variable_names(type(group) for group in configuration.groups)}
    if any(is_sensitive_name(name) for name in os.environ if name.upper() not in settings):
        settings.update(every_variable(shipped=True))
    _forget([name for name in os.environ if name.upper() in settings])


def forget_credentials() -> None:
    """Remove from this process's environment whatever is named as a credential; the settings in
    force are gone already. No plug-in is loaded for it, which each template would do for itself.
    """
    _forget([name for name in os.environ if is_sensitive_name(name)])


def _forget(names: Iterable[str]) -> None:
    for name in names:
        _overwrite(os.environb[os.fsencode(name)], os.fsencode(name))
        del os.environ[name]


def _overwrite(value: bytes, name: bytes) -> None:
    """Put zeros where the C library finds the value: at first that is what `/proc` shows."""
    if not sys.platform.startswith("linux"):
        return
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    address = getenv(name)
    if address and ctypes.string_at(address) == value:
        ctypes.memset(address, 0, len(value))
