"""Groups of commands: loaded when they are asked for, with help as a person reads it.

Help names what is to be given, such as `--file FILE`, and no types of this program's language.
"""

from __future__ import annotations

from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typing_extensions import override

from bootstrap.importing import NATS, STRUCTLOG, import_lean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class PlainGroup(TyperGroup):
    """A group of commands; as they are added it names what their options take."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        name_values(self.commands.values())

    @override
    def get_params(self, ctx: Any) -> Any:
        # Typer adds those of completion and of help once the group is made.
        options = super().get_params(ctx)
        for option in options:
            option.__class__ = _PlainOption
        return options


class _PlainArgument(TyperArgument):
    """KEY, or [PREFIX] where it may be left out, with no type beside it."""

    @override
    def display_type(self, ctx: Any) -> str:
        return ""

    @override
    def _usage_display_name(self) -> str:
        return self.display_name_raw if self.required else f"[{self.display_name_raw}]"

    @override
    def get_missing_message(self, ctx: Any) -> str:
        return self.help or ""


class _PlainOption(TyperOption):
    """An option whose bounds are said in words, and that costs nothing where it is not given."""

    @override
    def process_value(self, ctx: Any, value: Any) -> Any:
        # For any other value typer loads pydantic, which is most of what help would cost.
        if value is not None or self.multiple or self.required:
            return super().process_value(ctx, value)
        return None if self.callback is None else self.callback(ctx, self, value)

    @override
    def _get_number_range_help_str(self) -> str | None:
        match self.min, self.max:
            case None, None:
                return None
            case least, None:
                return f"{least:g} or more"
            case None, most:
                return f"at most {most:g}"
            case least, most:
                return f"{least:g} to {most:g}"


def name_values(commands: Iterable[Any]) -> None:
    """Name what the options and arguments of these commands take, and of those below them."""
    for command in commands:
        # A list of commands shows it whole; what it would take from the help it would cut.
        command.short_help = first_sentence(command.help or "")
        for parameter in command.params:
            # Typer takes no class of parameters, and these differ in texts only.
            if isinstance(parameter, TyperArgument):
                parameter.__class__ = _PlainArgument
                _name_argument(parameter)
            elif isinstance(parameter, TyperOption):
                parameter.__class__ = _PlainOption
                if parameter.metavar is None:
                    _name_value(parameter)
        name_values(getattr(command, "commands", {}).values())


def first_sentence(text: str) -> str:
    """Return the first sentence of a help text, on one line."""
    first, stop, _ = " ".join(text.split()).partition(". ")
    return f"{first}." if stop else first


def _name_argument(argument: TyperArgument) -> None:
    if argument.metavar is None and (choices := argument.type_descriptor.choices):
        argument.help = f"{argument.help or ''} One of {', '.join(map(str, choices))}.".strip()
    name = argument.metavar or (argument.name or "").upper()
    argument.metavar = name.strip("[].")


def _name_value(option: TyperOption) -> None:
    if option.is_flag:
        return
    if option.type_descriptor.is_choice:
        option.metavar = "|".join(map(str, option.type_descriptor.choices or ()))
        return
    if option.type_descriptor.is_path:
        option.metavar = "FILE"
        return
    longest = max(option.opts, key=len)
    option.metavar = longest.lstrip("-").rpartition("-")[2].upper()


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
    """Have a command, or each below a group, import libraries without what they load besides."""
    if hasattr(command, "commands"):
        for below in command.commands.values():
            _import_lean_first(below)
        return
    run = command.callback

    @wraps(run)
    def run_lean(*args: Any, **given: Any) -> Any:
        import_lean(STRUCTLOG, NATS)
        return run(*args, **given)

    command.callback = run_lean


def later_group(commands: Mapping[str, Later]) -> type[PlainGroup]:
    """Return the class of a group that has these commands beside those added to it."""

    class LaterGroup(PlainGroup):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self._unloaded = dict(commands)
            # What is listed for each; the command itself takes its place once it is loaded.
            for name, command in commands.items():
                self.add_command(TyperCommand(name, short_help=command.help))

        @override
        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if cmd_name in self._unloaded:
                self.add_command(self._unloaded.pop(cmd_name).load(cmd_name), cmd_name)
            return super().get_command(ctx, cmd_name)

        @override
        def format_commands(self, ctx: Any, formatter: Any) -> None:
            unloaded, self._unloaded = self._unloaded, {}
            try:
                super().format_commands(ctx, formatter)
            finally:
                self._unloaded = unloaded

    return LaterGroup
