"""The plug-ins that are installed, by their entry points; only a chosen one is loaded.

The shipped stores and transports are registered in the same way as those of other distributions.
"""

from __future__ import annotations

from copy import copy
from enum import StrEnum
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Final

import structlog

from adapters.telemetry.fault_log import describe_error, place_within
from ports.plugin import API_VERSION
from ports.settings import Problem, SettingsError, SettingsGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.metadata import Distribution

    from ports.store_plugin import StorePlugin
    from ports.transport_plugin import TransportPlugin

_log = structlog.get_logger()


class Kind(StrEnum):
    """What is plugged in, by the variable that chooses it."""

    STORE = "SECRET_STORE"
    TRANSPORT = "TRANSPORT"

    @property
    def group(self) -> str:
        """The entry-point group."""
        return f"wasmcloud_secrets.{'stores' if self is Kind.STORE else 'transports'}"

    @property
    def base(self) -> str:
        """The class that its plug-ins derive from."""
        return "StorePlugin" if self is Kind.STORE else "TransportPlugin"

    @property
    def needed(self) -> tuple[str, ...]:
        """What the service reads of a plug-in, beside what it identifies it by."""
        of_all = ("title", "warnings", "build")
        return (*of_all, "needs_entity_token") if self is Kind.STORE else of_all


OWN: Final = "wasmcloud-secrets"
"""The distribution that the shipped plug-ins are part of."""


class Registry:
    """The plug-ins of one environment.

    Args:
        found: entry points of all groups; None for those that are installed.

    Attributes:
        logs: whether a plug-in that does not load is logged.
    """

    def __init__(self, found: Iterable[EntryPoint] | None = None) -> None:
        self._found = None if found is None else tuple(found)
        self.logs = True

    def silent(self) -> Registry:
        """Return the same plug-ins; one that does not load is not logged, as it is not chosen."""
        silent = copy(self)
        silent.logs = False
        return silent

    def names(self, kind: Kind) -> list[str]:
        """Return the names that can be chosen, sorted."""
        return sorted(self._by_name(kind))

    def shipped(self, kind: Kind) -> list[str]:
        """Return the names of the plug-ins that come with the service, sorted."""
        return sorted(
            name for name, points in self._by_name(kind).items() if _owner(points[0]) == OWN
        )

    def store(self, name: str) -> StorePlugin[Any]:
        """Load a store's plug-in.

        Raises:
            SettingsError: there is none of that name, or it cannot be used.
        """
        plugin: StorePlugin[Any] = self._load(Kind.STORE, name)
        return plugin

    def transport(self, name: str) -> TransportPlugin[Any]:
        """Load a transport's plug-in.

        Raises:
            SettingsError: there is none of that name, or it cannot be used.
        """
        plugin: TransportPlugin[Any] = self._load(Kind.TRANSPORT, name)
        return plugin

    def _by_name(self, kind: Kind) -> Mapping[str, list[EntryPoint]]:
        found = _installed() if self._found is None else self._found
        by_name: dict[str, list[EntryPoint]] = {}
        for point in found:
            if point.group == kind.group:
                by_name.setdefault(point.name, []).append(point)
        return by_name

    def _load(self, kind: Kind, name: str) -> Any:
        installed = self._by_name(kind)
        points = installed.get(name, [])
        if not points:
            raise _problem(kind, _unknown(kind, sorted(installed)))
        for other, claims in sorted(installed.items()):
            if len(claims) > 1:
                owners = " and ".join(sorted(_owner(point) for point in claims))
                raise _problem(
                    kind,
                    f"cannot be chosen safely: {owners} both install {other!r}. Uninstall one of "
                    "them.",
                )
        (point,) = points
        plugin = self._loaded(kind, point)
        if problem := _refusal(kind, plugin, point):
            raise _problem(kind, f"chooses a plug-in that cannot be used: {problem}")
        return plugin

    def _loaded(self, kind: Kind, point: EntryPoint) -> Any:
        try:
            return point.load()
        except Exception as error:  # noqa: BLE001  whatever a plug-in's import raises
            what = failure_in(error, point.module, missing=_missing(error, point))
            if self.logs:
                _log.error("plugin.not_loaded", **failure_fields(point.name, error))
        raise _problem(
            kind,
            f"chooses a plug-in that does not load: {point.value} of {_owner(point)} raises "
            f"{what}. Install its dependencies, or another version of it.",
        )


def failure_in(error: Exception, module: str, *, missing: str | None = None) -> str:
    """Say what a plug-in raised and where, without the exception's text, which may hold a secret.

    Args:
        module: one of the plug-in's own; the place named is in the same package.
        missing: the name that was not found, if that is what failed.
    """
    place = place_within(error, module.partition(".")[0])
    named = f" for {missing}" if missing else ""
    return type(error).__name__ + named + (f" at {place}" if place else "")


def failure_fields(plugin: str, error: Exception) -> dict[str, object]:
    """Return log fields for what a plug-in raised. `plugin`: its name."""
    frames = describe_error(error)["frames"]
    return {"plugin": plugin, "error": type(error).__name__, "frames": frames}


def _missing(error: Exception, point: EntryPoint) -> str | None:
    if isinstance(error, ImportError):
        return error.name
    # The module loads, and has nothing of that name. Another name may be what a plug-in has read.
    is_entry = isinstance(error, AttributeError) and error.name == point.attr
    return point.attr if is_entry else None


@cache
def _installed() -> tuple[EntryPoint, ...]:
    """Look once: it reads the metadata of every distribution that is installed."""
    found = entry_points()
    return tuple(point for kind in Kind for point in found.select(group=kind.group))


def _refusal(kind: Kind, plugin: Any, point: EntryPoint) -> str | None:
    what = f"{point.value} of {_owner(point)}"
    if not hasattr(plugin, "api_version"):
        return f"{what} is no {kind.base}: it has no 'api_version'. Report it to its authors."
    version = plugin.api_version
    if version != API_VERSION:
        return (
            f"{what} is written for version {version} of the plug-ins' interface, and this service "
            f"has version {API_VERSION}. Install a version of it that fits."
        )
    name = getattr(plugin, "name", None)
    if name != point.name:
        return (
            f"{what} is installed as {point.name!r} and calls itself {name!r}. Report it to its "
            "authors."
        )
    settings = getattr(plugin, "settings", None)
    if not (isinstance(settings, type) and issubclass(settings, SettingsGroup)):
        return f"{what} has no settings model. Report it to its authors."
    for attribute in kind.needed:
        if not hasattr(plugin, attribute):
            return f"{what} has no {attribute!r}, as {kind.base} has it. Report it to its authors."
    return None


def _unknown(kind: Kind, names: list[str]) -> str:
    if names:
        return f"must be one of those installed: {', '.join(names)}."
    return (
        f"can choose nothing: no plug-in is installed in the group {kind.group}. Install the "
        "service as a package, with pip; a plain checkout has none."
    )


def _problem(kind: Kind, advice: str) -> SettingsError:
    return SettingsError(Problem(kind.value, advice))


def _owner(point: EntryPoint) -> str:
    return "an unknown distribution" if point.dist is None else _name_of(point.dist)


@cache
def _name_of(distribution: Distribution) -> str:
    """Read the name once: each time it is asked for, the whole metadata is parsed."""
    return distribution.name
