"""Reads one node of the file, names its place, and collects the problems found there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import yaml

from adapters.access_policy.problems import PolicyProblem
from adapters.system.yaml_nodes import is_null, is_showable, place_of, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


_TITLED = ": "

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class NodeReader:
    """Reads a node at its place. Methods note what is wrong and return None or nothing instead.
    `problems`: where problems are collected, shared by all readers of one file.
    """

    node: yaml.Node
    place: str
    problems: list[PolicyProblem]

    def wrong(self, advice: str) -> None:
        """Note a problem about what stands here."""
        line, column = place_of(self.node)
        self.problems.append(PolicyProblem(line, self.place.removesuffix(_TITLED), advice, column))

    def titled(self, name: str) -> NodeReader:
        """Return this reader with the name that the file gives its node."""
        return NodeReader(self.node, f'{self.place} "{name}"{_TITLED}', self.problems)

    def members(
        self, known: Collection[str], required: Collection[str] = ()
    ) -> dict[str, NodeReader] | None:
        """Read a mapping of known members; None if it is no mapping."""
        entries = self.entries()
        if entries is None:
            return None
        found = dict(entries)
        for name in found.keys() - set(known):
            unknown = found.pop(name)
            unknown.wrong(_unknown_member(name, known))
        for name in required:
            if name not in found:
                self.wrong(f'the member "{name}" is missing; add it')
        return found

    def entries(self) -> list[tuple[str, NodeReader]] | None:
        """Read a mapping whose names the writer chooses; None if it is no mapping."""
        if not isinstance(self.node, yaml.MappingNode):
            self.expected("members, each as name: value")
            return None
        entries: list[tuple[str, NodeReader]] = []
        lines: dict[str, int] = {}
        for key, value in self.node.value:
            if not isinstance(key, yaml.ScalarNode):
                NodeReader(key, self.place, self.problems).expected("a plain name before the colon")
            elif key.value in lines:
                NodeReader(key, self._member_place(key.value), self.problems).wrong(
                    f"this name stands on line {lines[key.value]} already; keep one of the two"
                )
            else:
                lines[key.value] = place_of(key)[0]
                reader = NodeReader(value, self._member_place(key.value), self.problems)
                entries.append((key.value, reader))
        return entries

    def items(self) -> list[NodeReader] | None:
        """Read a list; None if it is none."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.expected("a list, such as [a, b]")
            return None
        return [
            NodeReader(item, f"{self.place}[{index}]", self.problems)
            for index, item in enumerate(self.node.value)
        ]

    def each(self, read: Callable[[NodeReader], _Value | None]) -> tuple[_Value, ...]:
        """Read a list's items; those that cannot be read are left out, their problems noted."""
        values = (read(item) for item in self.items() or ())
        return tuple(value for value in values if value is not None)

    def text(self) -> str | None:
        """Read a text; it may be empty only between quotes."""
        if isinstance(self.node, yaml.ScalarNode) and not is_null(self.node):
            return str(self.node.value)
        self.expected("a text")
        return None

    def expected(self, what: str) -> None:
        """Note that something else should stand here, unless it was refused for itself already."""
        if type(self.node) is not yaml.Node:
            found = "nothing stands here" if is_null(self.node) else "this has another form"
            self.wrong(f"{found}; write {what}")

    def _member_place(self, name: str) -> str:
        shown = name if is_showable(name) else "?"
        if not self.place or self.place.endswith(_TITLED):
            return self.place + shown
        return f"{self.place}.{shown}"


def _unknown_member(name: str, known: Collection[str]) -> str:
    if name == "<<":
        return "merging (<<) is not read here; write the members out"
    return f"no such member is known here; use {', '.join(known)}.{suggestion(name, known)}"
