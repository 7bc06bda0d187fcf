"""Everything that one process runs on: the service's settings and those of the chosen plug-ins."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from bootstrap.settings.model import Settings, known_variables, own_groups, variable_names
from bootstrap.settings.plugins import Kind, Registry
from bootstrap.settings.service import ChoiceSettings
from bootstrap.settings.variables import Variables
from bootstrap.workers.worker_config import RestartHistory
from ports.plugin import PluginError
from ports.settings import Problem, SettingsError, SettingsGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ports.store_plugin import StoreContext, StoreParts, StorePlugin
    from ports.transport_plugin import TransportContext, TransportParts, TransportPlugin


_Loaded = TypeVar("_Loaded")
_Group = TypeVar("_Group", bound=SettingsGroup)


@dataclass(frozen=True, slots=True)
class ChosenStore:
    """A store's plug-in with its settings."""

    plugin: StorePlugin[Any]
    settings: SettingsGroup

    def build(self, context: StoreContext) -> StoreParts:
        """Build the store.

        Raises:
            SettingsError: it cannot work as it is set.
        """
        return _built(Kind.STORE, lambda: self.plugin.build(self.settings, context))


@dataclass(frozen=True, slots=True)
class ChosenTransport:
    """A transport's plug-in with its settings."""

    plugin: TransportPlugin[Any]
    settings: SettingsGroup

    def build(self, context: TransportContext) -> TransportParts:
        """Build the transport.

        Raises:
            SettingsError: it cannot work as it is set.
        """
        return _built(Kind.TRANSPORT, lambda: self.plugin.build(self.settings, context))


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one process runs on; its repr hides every secret.

    Attributes:
        history: how the processes ended that had this worker's place before.
        further: the settings that only the command which runs reads.
        misspelt: names in the environment that are one edit off a setting's, with the setting.
    """

    service: Settings
    store: ChosenStore
    transport: ChosenTransport
    workers: int = 1
    history: RestartHistory = field(default_factory=RestartHistory)
    misspelt: tuple[tuple[str, str], ...] = ()
    further: tuple[SettingsGroup, ...] = ()

    @property
    def groups(self) -> tuple[SettingsGroup, ...]:
        """The settings in force."""
        return (self.service, self.store.settings, self.transport.settings, *self.further)

    def unusable(self) -> list[Problem]:
        """Return what is wrong with the files and extras that the settings name."""
        problems = chain.from_iterable(group.unusable() for group in self.groups)
        return list(dict.fromkeys(problems))

    def of(self, group: type[_Group]) -> _Group:
        """Return the further settings of that group.

        Raises:
            LookupError: the command does not read it.
        """
        for settings in self.further:
            if isinstance(settings, group):
                return settings
        raise LookupError(group.__name__)

    def resolved(self) -> Configuration:
        """Return it with what its plug-ins read from files once.

        A worker that is started again next week runs on the same.

        Raises:
            SettingsError: a file cannot be used.
        """
        store = _built(Kind.STORE, self.store.settings.resolved)
        transport = _built(Kind.TRANSPORT, self.transport.settings.resolved)
        return replace(
            self,
            store=replace(self.store, settings=store),
            transport=replace(self.transport, settings=transport),
        )

    @property
    def worker(self) -> int:
        """This process's number among the workers, from 0."""
        return self.history.number


def load_configuration(
    variables: Variables | None = None,
    registry: Registry | None = None,
    further: Sequence[type[SettingsGroup]] = (),
) -> Configuration:
    """Read all that is set, and load the chosen plug-ins.

    Args:
        variables: what is set; None for the environment and `.env`.
        registry: what is installed; None for the present environment.
        further: groups that the command which runs reads beside these.

    Raises:
        SettingsError: with every problem found, of the settings and of the files that they name.
    """
    known = Registry() if registry is None else registry
    given = Variables.read() if variables is None else variables
    groups: list[SettingsGroup] = []
    problems: list[Problem] = []

    def collected(load: Callable[[], _Loaded]) -> _Loaded | None:
        try:
            loaded = load()
        except SettingsError as error:
            problems.extend(error.problems)
            return None
        if isinstance(loaded, SettingsGroup):
            groups.append(loaded)
        return loaded

    service = collected(lambda: given.load(Settings))
    choice = collected(lambda: given.load(ChoiceSettings)) if service is None else service
    store = transport = None
    if choice is not None:
        store = collected(lambda: known.store(choice.secret_store))
        transport = collected(lambda: known.transport(choice.transport))
    store_settings = None if store is None else collected(lambda: given.load(store.settings))
    transport_settings = (
        None if transport is None else collected(lambda: given.load(transport.settings))
    )
    more = [collected(partial(given.load, group)) for group in further]
    unknown, misspelt = _strange_names(given, [type(group) for group in groups], known)
    problems = [*unknown, *given.unusable_of_libraries(), *problems]
    if service and store and store_settings and transport and transport_settings and not problems:
        return Configuration(
            service,
            ChosenStore(store, store_settings),
            ChosenTransport(transport, transport_settings),
            workers=service.workers,
            misspelt=misspelt,
            further=tuple(group for group in more if group is not None),
        )
    # The process ends here, so whatever else is wrong is said with it.
    if service is None:
        for model in own_groups():
            with suppress(SettingsError):
                groups.append(given.load(model))
    problems.extend(chain.from_iterable(group.unusable() for group in groups))
    raise SettingsError(*dict.fromkeys(problems))


def groups_in_force(given: Variables) -> list[type[SettingsGroup]]:
    """Return the groups of the service, the chosen transport and the chosen store.

    Raises:
        SettingsError: the choice cannot be read, or a plug-in cannot be used.
    """
    known, choice = Registry(), given.load(ChoiceSettings)
    transport, store = known.transport(choice.transport), known.store(choice.secret_store)
    return [ChoiceSettings, transport.settings, store.settings, *own_groups()]


def _strange_names(
    given: Variables, in_force: Sequence[type[SettingsGroup]], registry: Registry
) -> tuple[list[Problem], tuple[tuple[str, str], ...]]:
    """Return what is unknown in the `.env` file, and what is misspelt in the environment.

    The settings in force are enough to compare with where nothing else that is set looks like one.
    Otherwise every plug-in is loaded for its own, which takes a twentieth of a start.
    """
    names = frozenset(variable_names(in_force))
    plugins = {name.partition("-")[0].upper() for kind in Kind for name in registry.names(kind)}
    unknown, misspelt = given.unknown_in_file(names), given.misspelt(names)
    of_others = any(name.partition("_")[0] in plugins for name in given.names - names)
    if not (unknown or misspelt or of_others):
        return unknown, misspelt
    known = known_variables(registry)
    return given.unknown_in_file(known), given.misspelt(known)


def _built(kind: Kind, build: Callable[[], _Loaded]) -> _Loaded:
    try:
        return build()
    except PluginError as error:
        problem = Problem(error.setting, error.advice)
    except ModuleNotFoundError as error:
        # Plug-ins import what they need only when they are chosen.
        problem = Problem(
            kind,
            f"chooses a plug-in that needs the package {error.name}, which is not installed. "
            "Install the dependencies: those of the shipped plug-ins stand in requirements.txt.",
        )
    raise SettingsError(problem)
