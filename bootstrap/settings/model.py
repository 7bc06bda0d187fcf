"""The service's own settings in one value, and every group with those of the plug-ins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from adapters.nats.settings import HostsNatsSettings, OperatorNatsSettings
from adapters.wasmcloud2.settings import PluginEndpointSettings, RelaySettings
from bootstrap.settings.access import AccessSettings
from bootstrap.settings.admin import AdminSettings
from bootstrap.settings.audit import AuditSettings
from bootstrap.settings.cache import CacheSettings
from bootstrap.settings.choices import ChoiceSettings
from bootstrap.settings.plugins import Kind, Registry
from bootstrap.settings.problems import SettingsError
from bootstrap.settings.service import KeySettings, LimitSettings, LogSettings, ProcessSettings
from bootstrap.settings.tracing import TracingSettings
from bootstrap.settings.wasmcloud2 import Wasmcloud2Settings
from bootstrap.settings.workers import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ports.settings import Problem, SettingsGroup


@dataclass(frozen=True, slots=True)
class Group:
    """Settings under one heading, as people read about them."""

    heading: str
    model: type[SettingsGroup]


_OWN = (
    Group("Cache", CacheSettings),
    Group("Server key", KeySettings),
    Group("Access", AccessSettings),
    Group("Audit trail", AuditSettings),
    Group("Admin HTTP", AdminSettings),
    Group("Traces", TracingSettings),
    Group("Limits", LimitSettings),
    Group("Process", ProcessSettings),
    Group("Worker processes", WorkerSettings),
    Group("wasmCloud 2", Wasmcloud2Settings),
    Group("Logging", LogSettings),
)
_RELAY = (
    Group("wasmCloud 2: the relay", RelaySettings),
    Group("wasmCloud 2: the relay at the operator's NATS", OperatorNatsSettings),
    Group("wasmCloud 2: the relay at the hosts' NATS", HostsNatsSettings),
    Group("wasmCloud 2: the endpoint for plug-ins (experimental)", PluginEndpointSettings),
)
"""Read by one command alone."""

_CHOICE = Group("Store and transport", ChoiceSettings)


class Settings(
    LogSettings,
    Wasmcloud2Settings,
    WorkerSettings,
    ProcessSettings,
    LimitSettings,
    TracingSettings,
    AdminSettings,
    AuditSettings,
    AccessSettings,
    KeySettings,
    CacheSettings,
    ChoiceSettings,
):
    """The service's own settings. Frozen; its repr hides every secret."""

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        groups = (_CHOICE, *_OWN)
        return chain.from_iterable(group.model.contradictions(given) for group in groups)

    @override
    def unusable(self) -> Iterable[Problem]:
        return chain.from_iterable(group.model.unusable(self) for group in (_CHOICE, *_OWN))


def own_groups() -> Iterator[type[SettingsGroup]]:
    """Yield the groups of the service's own settings, but for the choice of plug-ins."""
    return (group.model for group in _OWN)


def every_group(registry: Registry | None = None, *, shipped: bool = False) -> Iterator[Group]:
    """Yield the groups of the service and of all plug-ins that are installed.

    Args:
        registry: what is installed; None for the present environment.
        shipped: whether the plug-ins of other distributions are left out.

    Raises:
        SettingsError: a plug-in cannot be used.
    """
    known = Registry() if registry is None else registry
    names = known.shipped if shipped else known.names
    yield _CHOICE
    for name in names(Kind.TRANSPORT):
        transport = known.transport(name)
        yield Group(transport.title, transport.settings)
    for name in names(Kind.STORE):
        store = known.store(name)
        yield Group(store.title, store.settings)
    yield from _OWN
    yield from _RELAY


def every_variable(registry: Registry | None = None, *, shipped: bool = False) -> list[str]:
    """Return the names of all variables that the service and its plug-ins read, sorted.

    Args:
        registry: what is installed; None for the present environment.
        shipped: whether the plug-ins of other distributions are left out.

    Raises:
        SettingsError: a plug-in cannot be used.
    """
    return sorted(
        variable
        for group in every_group(registry, shipped=shipped)
        for variables in group.model.variables().values()
        for variable in variables
    )


def known_variables(registry: Registry | None = None) -> frozenset[str]:
    """Return the names that some part of the service reads; a plug-in that fails is left out.
    `registry`: what is installed; None for the present environment.
    """
    try:
        return frozenset(every_variable(registry))
    except SettingsError:
        # Whether it is needed shows where it is chosen.
        return frozenset(every_variable(registry, shipped=True))
