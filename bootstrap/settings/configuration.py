"""Everything that one process runs on: the service's settings and those of the chosen plug-ins."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from bootstrap.settings.chosen import ChosenStore, ChosenTransport, asked
from bootstrap.settings.model import Settings, known_variables, own_groups, variable_names
from bootstrap.settings.plugins import Kind, Registry
from bootstrap.settings.service import ChoiceSettings
from bootstrap.settings.variables import Variables
from bootstrap.workers.worker_config import RestartHistory
from domain.model.opaque import opaque
from ports.settings import Problem, SettingsError, SettingsGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_Loaded = TypeVar("_Loaded")
_Group = TypeVar("_Group", bound=SettingsGroup)


@opaque
class Configuration:
    """What one process runs on; its repr shows none of it.

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
        store = asked(Kind.STORE, self.store.plugin, self.store.settings.resolved)
        transport = asked(Kind.TRANSPORT, self.transport.plugin, self.transport.settings.resolved)
        return replace(
            self,
            store=self.store._replace(settings=store),
            transport=self.transport._replace(settings=transport),
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
