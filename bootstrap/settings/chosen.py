"""A plug-in that was chosen, with its settings; each exception of it ends the start with a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import structlog

from bootstrap.settings.plugins import Kind, failure_fields, failure_in
from ports.plugin import PluginError
from ports.settings import Problem, SettingsError
from ports.store_plugin import StoreParts
from ports.transport_plugin import TransportParts

if TYPE_CHECKING:
    from collections.abc import Callable

    from ports.settings import SettingsGroup
    from ports.store_plugin import StoreContext, StorePlugin
    from ports.transport_plugin import TransportContext, TransportPlugin

_log = structlog.get_logger()

_Answer = TypeVar("_Answer")


class ChosenStore(NamedTuple):
    """A store's plug-in with its settings."""

    plugin: StorePlugin[Any]
    settings: SettingsGroup

    def build(self, context: StoreContext) -> StoreParts:
        """Build the store.

        Raises:
            SettingsError: it cannot work as it is set.
        """
        parts = asked(Kind.STORE, self.plugin, lambda: self.plugin.build(self.settings, context))
        return _checked(Kind.STORE, self.plugin, parts, StoreParts)

    def warnings(self) -> tuple[str, ...]:
        """Return the security weaknesses of its settings.

        Raises:
            SettingsError: the plug-in cannot say.
        """
        return asked(Kind.STORE, self.plugin, lambda: tuple(self.plugin.warnings(self.settings)))


class ChosenTransport(NamedTuple):
    """A transport's plug-in with its settings."""

    plugin: TransportPlugin[Any]
    settings: SettingsGroup

    def build(self, context: TransportContext) -> TransportParts:
        """Build the transport.

        Raises:
            SettingsError: it cannot work as it is set.
        """
        parts = asked(
            Kind.TRANSPORT, self.plugin, lambda: self.plugin.build(self.settings, context)
        )
        return _checked(Kind.TRANSPORT, self.plugin, parts, TransportParts)

    def warnings(self) -> tuple[str, ...]:
        """Return the security weaknesses of its settings.

        Raises:
            SettingsError: the plug-in cannot say.
        """
        return asked(
            Kind.TRANSPORT, self.plugin, lambda: tuple(self.plugin.warnings(self.settings))
        )


def asked(
    kind: Kind, plugin: StorePlugin[Any] | TransportPlugin[Any], ask: Callable[[], _Answer]
) -> _Answer:
    """Return what a plug-in answers.

    Raises:
        SettingsError: it raised something.
    """
    try:
        return ask()
    except SettingsError:
        raise
    except PluginError as error:
        problem = Problem(error.setting, error.advice)
    except ModuleNotFoundError as error:
        # Plug-ins import what they need only when they are chosen.
        problem = Problem(
            kind,
            f"chooses a plug-in that needs the package {error.name}, which is not installed. "
            "Install the dependencies: those of the shipped plug-ins stand in requirements.txt.",
        )
    except Exception as error:  # noqa: BLE001  whatever a plug-in raises
        _log.error("plugin.failed", **failure_fields(plugin.name, error))
        problem = Problem(
            kind,
            f"chooses a plug-in that fails: {plugin.title} raises "
            f"{failure_in(error, type(plugin).__module__)}. Report it to its authors.",
        )
    raise SettingsError(problem)


def _checked(
    kind: Kind,
    plugin: StorePlugin[Any] | TransportPlugin[Any],
    parts: object,
    expected: type[_Answer],
) -> _Answer:
    """Return what a plug-in built, if it is of the promised type; raises `SettingsError`."""
    if isinstance(parts, expected):
        return parts
    problem = Problem(
        kind,
        f"chooses a plug-in that fails: what {plugin.title} builds is of type "
        f"{type(parts).__name__}, not {expected.__name__}. Report it to its authors.",
    )
    raise SettingsError(problem)
