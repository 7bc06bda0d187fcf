"""YAML nodes with lines, and what is found at them.

Nodes are typed as serde_yaml 0.9 types them: wadm reads manifests with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

import yaml

from adapters.system.yaml_nodes import (
    MAX_SHOWN,
    YamlError,
    YamlTooDeepError,
    is_null,
    is_plain,
    is_showable,
    nodes_of,
)

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 128
"""As serde_yaml has it."""

MAX_VISITS = 50_000
"""Aliases may name one part many times."""

_NUMBER = re.compile(
    r"[-+]?(0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+|0|[1-9][0-9]*|"
    r"([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?|\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN"
)
_BOOLEANS = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})


class Level(StrEnum):
    """Error: the start fails, wadm refuses, or another value is served than the one written."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to correct in one file.

    Attributes:
        line: counted from 1.
        place: the member it is about, such as `components[0] "shop": properties.secrets[1]`.
        code: a constant snake_case name of the kind of finding.
        advice: what happens and what to do.
    """

    line: int
    place: str
    code: str
    level: Level
    advice: str


class ManifestUnreadableError(Exception):
    """The file is no YAML at all; the text says where and holds nothing of it."""


def shown(name: str) -> str:
    """Return a name between quotes as a finding may repeat it."""
    return f'"{name}"' if is_showable(name) else '"…"'


class Kind(StrEnum):
    """What a node is to wadm."""

    TEXT = "a text"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    NOTHING = "nothing"
    LIST = "a list"
    MEMBERS = "members"


def read_documents(data: bytes) -> list[yaml.Node]:
    """Read every document of a file.

    Raises:
        ManifestUnreadableError: it is too large, no UTF-8, no YAML, or nested too deeply.
    """
    if len(data) > MAX_BYTES:
        raise ManifestUnreadableError(f"the file has more than {MAX_BYTES} bytes")
    try:
        return nodes_of(data.decode("utf-8-sig"), MAX_DEPTH)
    except UnicodeDecodeError:
        problem = "this is not UTF-8; save the file as UTF-8 text"
    except YamlError as error:
        where = f"line {error.line}: " if error.line else ""
        problem = f"{where}this is not YAML; check the indentation, colons and quotes near it"
    except YamlTooDeepError:
        problem = "lists and members are nested too deeply; flatten them"
    raise ManifestUnreadableError(problem)


@dataclass(slots=True)
class Visits:
    """How many nodes were looked at."""

    count: int = 0

    def add(self) -> None:
        """Count one.

        Raises:
            ManifestUnreadableError: too many.
        """
        self.count += 1
        if self.count > MAX_VISITS:
            raise ManifestUnreadableError(f"the file holds more than {MAX_VISITS} values")


@dataclass(frozen=True, slots=True)
class NodeReader:
    """Reads one node at its place, and collects findings about it. `line`: the line of its name, or
    where it begins, from 1.
    """

    node: yaml.Node
    place: str
    line: int
    findings: list[Finding]
    visits: Visits

    @classmethod
    def top(cls, node: yaml.Node, findings: list[Finding], visits: Visits) -> NodeReader:
        """Begin with a whole document."""
        return cls(node, "", _line(node), findings, visits)

    @property
    def kind(self) -> Kind:
        """What wadm takes it for."""
        if isinstance(self.node, yaml.MappingNode):
            return Kind.MEMBERS
        if isinstance(self.node, yaml.SequenceNode):
            return Kind.LIST
        text = str(self.node.value)
        if not is_plain(self.node):
            return Kind.TEXT
        if is_null(self.node):
            return Kind.NOTHING
        if text in _BOOLEANS:
            return Kind.BOOLEAN
        return Kind.NUMBER if _NUMBER.fullmatch(text) else Kind.TEXT

    def error(self, code: str, advice: str) -> None:
        """Note an error about what stands here."""
        self.findings.append(Finding(self.line, self.place, code, Level.ERROR, advice))

    def warning(self, code: str, advice: str) -> None:
        """Note a warning about what stands here."""
        self.findings.append(Finding(self.line, self.place, code, Level.WARNING, advice))

    def titled(self) -> NodeReader:
        """Return this reader with the name that the manifest gives its node, if any."""
        if not isinstance(self.node, yaml.MappingNode):
            return self
        for key, value in self.node.value:
            if key.value == "name" and isinstance(value, yaml.ScalarNode):
                place = f"{self.place} {shown(str(value.value))}:"
                return replace(self, place=place)
        return self

    def members(self) -> dict[str, NodeReader]:
        """Return the members of a mapping; notes if it is none, or if a name stands twice."""
        if not isinstance(self.node, yaml.MappingNode):
            self.error("wrong_form", f"this is {self.kind}; write members, each as name: value")
            return {}
        found: dict[str, NodeReader] = {}
        for key, value in self.node.value:
            self.visits.add()
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            inside = replace(self, node=value, place=self._inside(name), line=_line(key))
            if name in found:
                inside.error("member_twice", "this member stands twice; wadm refuses it, keep one")
            else:
                found[name] = inside
        return found

    def items(self) -> list[NodeReader]:
        """Return the items of a list; notes if it is none."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.error("wrong_form", f"this is {self.kind}; write a list, each item after a dash")
            return []
        readers = []
        for index, item in enumerate(self.node.value):
            self.visits.add()
            place = f"{self.place}[{index}]"
            readers.append(replace(self, node=item, place=place, line=_line(item)))
        return readers

    def text(self) -> str | None:
        """Return a text that wadm takes only as a text; notes anything else."""
        kind = self.kind
        if kind is Kind.TEXT:
            return str(self.node.value)
        if kind in {Kind.NUMBER, Kind.BOOLEAN}:
            self.error("not_text", f"wadm takes only text here, and this is {kind}; quote it")
        else:
            self.error("not_text", f"wadm takes only text here, and this is {kind}; write a text")
        return None

    def _inside(self, name: str) -> str:
        step = name if name.isprintable() and len(name) <= MAX_SHOWN else "?"
        if not self.place:
            return step
        return f"{self.place} {step}" if self.place.endswith(":") else f"{self.place}.{step}"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
