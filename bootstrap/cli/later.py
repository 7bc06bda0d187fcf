"""Commands that are loaded when they are asked for, not when the others are."""

from __future__ import annotations

from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperCommand
from typing_extensions import override

from bootstrap.cli.plain_help import PlainGroup, name_values
from bootstrap.importing import NATS, STRUCTLOG, import_lean

if TYPE_CHECKING:
    from collections.abc import Mapping


class Later(NamedTuple):
    """Where a command is, and what the list of commands says of it.

    Attributes:
        module: of the package `bootstrap.cli`.
        attribute: a function, or a `typer.Typer` with commands of its own.
        help: the first sentence of the command's own help.
        takes_command: options end at the first argument, which is a command with its own.
    """

    module: str
    attribute: str
    help: str
    takes_command: bool = False

    def load(self, name: str) -> Any:
        """Import the command; what it runs on is imported when it runs."""
        found = getattr(import_module(f"bootstrap.cli.{self.module}"), self.attribute)
        parent = typer.Typer(rich_markup_mode=None)
        if isinstance(found, typer.Typer):
            parent.add_typer(found, name=name)
        else:
            context = {"allow_interspersed_args": not self.takes_command}
            parent.command(name, context_settings=context)(found)
            # With a single command there would be no group to take it from.
            parent.callback()(lambda: None)
        command = typer.main.get_group(parent).commands[name]
        name_values([command])
        _import_lean_first(command)
        return command


def _import_lean_first(command: Any) -> None:
    """Have each command below import libraries without what they would load besides."""
    for below in getattr(command, "commands", {}).values():
        _import_lean_first(below)
    if (run := command.callback) is None:
        return

    @wraps(run)
    def run_lean(*args: Any, **given: Any) -> Any:
        import_lean(STRUCTLOG, NATS)
        return run(*args, **given)

    command.callback = run_lean


class LaterCommands(dict[str, Any]):
    """Commands by name; whatever gives one out loads it first."""

    @override
    def __getitem__(self, name: str) -> Any:
        command = super().__getitem__(name)
        if isinstance(command, Later):
            command = self[name] = command.load(name)
        return command

    @override
    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401  this is that method

    @override
    def values(self) -> Any:
        return {name: self[name] for name in self}.values()

    @override
    def items(self) -> Any:
        return {name: self[name] for name in self}.items()

    def listed(self) -> dict[str, Any]:
        """Return something to list for each: the command itself only where it is loaded."""
        return {
            name: TyperCommand(name, short_help=command.help)
            if isinstance(command, Later)
            else command
            for name, command in super().items()
        }


def later_group(commands: Mapping[str, Later]) -> type[PlainGroup]:
    """Return the class of a group that has these commands beside those added to it."""

    class LaterGroup(PlainGroup):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.commands = LaterCommands({**self.commands, **commands})

        @override
        def format_commands(self, ctx: Any, formatter: Any) -> None:
            whole = self.commands
            self.commands = whole.listed() if isinstance(whole, LaterCommands) else whole
            try:
                super().format_commands(ctx, formatter)
            finally:
                self.commands = whole

    return LaterGroup
