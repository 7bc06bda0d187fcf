"""The service's own settings in one value, and every group with those of the plug-ins."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from typing_extensions import override

from bootstrap.settings.access import AccessSettings, AuditSettings
from bootstrap.settings.monitoring import AdminSettings, TracingSettings
from bootstrap.settings.plugins import Kind, Registry
from bootstrap.settings.service import (
    CacheSettings,
    ChoiceSettings,
    KeySettings,
    LimitSettings,
    LogSettings,
    ProcessSettings,
    Wasmcloud2Settings,
    WorkerSettings,
)
from bootstrap.settings.variables import DOTENV, Variables
from ports.settings import SettingsError, SettingsGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ports.settings import Problem

_Group = TypeVar("_Group", bound=SettingsGroup)


class Group(NamedTuple):
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
    yield from _relay_groups()


def variable_names(groups: Iterable[type[SettingsGroup]]) -> Iterator[str]:
    """Yield the names of the variables that these groups read."""
    for group in groups:
        yield from chain.from_iterable(group.variables().values())


def every_variable(registry: Registry | None = None, *, shipped: bool = False) -> list[str]:
    """Return the names of all variables of `every_group`, sorted."""
    groups = every_group(registry, shipped=shipped)
    return sorted(variable_names(group.model for group in groups))


def known_variables(registry: Registry | None = None) -> frozenset[str]:
    """Return the names that some part of the service reads; a plug-in that fails is left out.
    `registry`: what is installed; None for the present environment.
    """
    # Whether one that fails is needed shows where it is chosen.
    known = (Registry() if registry is None else registry).silent()
    try:
        return frozenset(every_variable(known))
    except SettingsError:
        return frozenset(every_variable(known, shipped=True))


def load_settings(group: type[_Group], env_file: Path | None = DOTENV) -> _Group:
    """Read one group of settings from the environment and a `.env` file.

    Variables win over the file, which need not exist.

    Raises:
        SettingsError: with every problem found, of the settings and of the files that they name.
    """
    variables = Variables.read(env_file)
    problems = variables.unusable_of_libraries()
    if variables.file_is_used:
        problems += variables.unknown_in_file(known_variables())
    settings: _Group | None = None
    try:
        settings = variables.load(group)
    except SettingsError as error:
        problems += error.problems
    else:
        problems += settings.unusable()
    if settings is None or problems:
        raise SettingsError(*problems)
    return settings


def _relay_groups() -> Iterator[Group]:
    """Yield the groups that the relay reads; other commands do not load them."""
    from adapters.nats.relay_settings import HostsNatsSettings, OperatorNatsSettings
    from adapters.wasmcloud2.settings import PluginEndpointSettings, RelaySettings

    yield Group("wasmCloud 2: the relay", RelaySettings)
    yield Group("wasmCloud 2: the relay at the operator's NATS", OperatorNatsSettings)
    yield Group("wasmCloud 2: the relay at the hosts' NATS", HostsNatsSettings)
    yield Group("wasmCloud 2: the endpoint for plug-ins (experimental)", PluginEndpointSettings)
