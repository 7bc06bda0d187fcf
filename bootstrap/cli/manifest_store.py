"""What an installed store says of keys, versions and properties, without reaching it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bootstrap.cli.reporting import CommandError
from bootstrap.settings.plugins import Registry
from bootstrap.settings.variables import Variables
from ports.plugin import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ports.store_plugin import StorePlugin
    from ports.store_shape import StoreShape


def shape_of(
    store: str,
    options: Iterable[str],
    variables: Variables | None = None,
    registry: Registry | None = None,
) -> StoreShape | None:
    """Return how a store reads what a manifest asks for; None where its plug-in does not say.

    Args:
        options: variables as NAME=VALUE, which win over `variables`.
        variables: what is set; None for the environment and `.env`.
        registry: what is installed; None for the present environment.

    Raises:
        SettingsError: no such store is installed, or it cannot be used.
        CommandError: an option or a variable cannot be used.
    """
    plugin = (Registry() if registry is None else registry).store(store)
    given = _given(plugin, options, Variables.read() if variables is None else variables)
    # A plug-in that subclasses nothing may be older than this method.
    shape = getattr(plugin, "shape", None)
    try:
        found: StoreShape | None = None if shape is None else shape(given)
    except PluginError as error:
        problem = f"{error.setting or store} {error}"
    else:
        return found
    raise CommandError(problem)


def _given(
    plugin: StorePlugin[Any], options: Iterable[str], variables: Variables
) -> Mapping[str, str]:
    """Return what is set of the store's settings, by the names of their fields."""
    fields = {name: field for field, names in plugin.settings.variables().items() for name in names}
    given = {
        field: text
        for name, field in reversed(fields.items())
        if (text := variables.text(name)) is not None
    }
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or name not in fields:
            raise CommandError(
                f"Write --set as NAME=VALUE with a variable of {plugin.title}: "
                f"{', '.join(sorted(fields))}."
            )
        given[fields[name]] = text
    return given
