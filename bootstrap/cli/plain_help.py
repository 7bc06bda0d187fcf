"""Help as a person reads it: `--file FILE`, and no types of this program's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperGroup, TyperOption
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable


class PlainGroup(TyperGroup):
    """The root of all commands; as they are added it names what their options take."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        name_values(self.commands.values())


class _PlainArgument(TyperArgument):
    """KEY, or [PREFIX] where it may be left out, with no type beside it."""

    @override
    def display_type(self, ctx: Any) -> str:
        return ""

    @override
    def _usage_display_name(self) -> str:
        return self.display_name_raw if self.required else f"[{self.display_name_raw}]"


def name_values(commands: Iterable[Any]) -> None:
    """Name what the options and arguments of these commands take, and of those below them."""
    for command in commands:
        for parameter in command.params:
            if isinstance(parameter, TyperArgument):
                # Typer takes no class of arguments, and these differ in two texts only.
                parameter.__class__ = _PlainArgument
                name = parameter.metavar or (parameter.name or "").upper()
                parameter.metavar = name.strip("[].")
            elif isinstance(parameter, TyperOption) and parameter.metavar is None:
                _name_value(parameter)
        name_values(getattr(command, "commands", {}).values())


def _name_value(option: TyperOption) -> None:
    if option.is_flag:
        return
    if option.type_descriptor.is_choice:
        option.metavar = "|".join(map(str, option.type_descriptor.choices or ()))
        return
    longest = max(option.opts, key=len)
    option.metavar = longest.lstrip("-").rpartition("-")[2].upper()
