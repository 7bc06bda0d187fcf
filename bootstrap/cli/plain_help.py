"""Help as a person reads it: `--file FILE`, and no types of this program's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperGroup, TyperOption
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable


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
