"""YAML as a tree of texts, each with its line and column.

Less than YAML on purpose: no aliases (a few lines of them make a document of any size), no tags
(no value is turned into an object), one document. A plain value is the text as it is written, so
`no` and `010` stay what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import yaml

from adapters.access_policy.problems import AccessPolicyError, PolicyProblem, stray_characters
from adapters.system.yaml_nodes import YamlError, events_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 16
MAX_NODES = 100_000

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BLOCK_STYLES = frozenset({"|", ">"})


class Mark(NamedTuple):
    """A place in the file, both counted from 1; columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text. `empty` says that nothing was written, or a plain `null`."""

    at: Mark
    text: str
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    at: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Members in the order written; names that stand twice are both there."""

    at: Mark
    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Something a problem has been noted for already."""

    at: Mark


Node: TypeAlias = Scalar | Sequence | Mapping | Refused


def parse_tree(data: bytes) -> tuple[Node, list[PolicyProblem]]:
    """Read a file's bytes. Returns the tree, and the problems beside which the rest could still be
    read.

    Raises:
        AccessPolicyError: the tree could not be read to its end.
    """
    text = _decode(data)
    builder = _Builder()
    try:
        for event in events_of(text):
            builder.take(event)
    except YamlError as error:
        problem = PolicyProblem(
            error.line,
            "",
            f"this is not YAML ({error.problem}); check the indentation, colons and quotes near it",
            error.column,
        )
    else:
        return builder.root or Scalar(Mark(1, 1), "", empty=True), builder.problems
    raise AccessPolicyError((*builder.problems, problem))


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _whole(0, f"the file has more than {MAX_BYTES} bytes; write fewer, wider rules")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    else:
        if problems := stray_characters(text):
            raise AccessPolicyError(tuple(problems))
        return text
    raise _whole(line, "this is not UTF-8; save the file as UTF-8 text")


def _whole(line: int, advice: str) -> AccessPolicyError:
    return AccessPolicyError((PolicyProblem(line, "", advice),))


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come."""

    at: Mark
    is_mapping: bool
    children: list[Node]

    def close(self) -> Node:
        if not self.is_mapping:
            return Sequence(self.at, tuple(self.children))
        return Mapping(self.at, tuple(self._pairs()))

    def _pairs(self) -> Iterator[tuple[Node, Node]]:
        return zip(self.children[::2], self.children[1::2], strict=True)


def _is_continued(event: yaml.ScalarEvent) -> bool:
    start, end = event.start_mark, event.end_mark
    return bool(event.value) and start is not None and end is not None and end.line > start.line


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[PolicyProblem] = []
        self._open: list[_Open] = []
        self._nodes = 0

    def take(self, event: yaml.Event) -> None:
        start = event.start_mark
        at = Mark(0, 0) if start is None else Mark(start.line + 1, start.column + 1)
        match event:
            case yaml.AliasEvent():
                self._note(at, "an alias (*name) is not read here; write the value out")
                self._add(Refused(at))
            case yaml.ScalarEvent():
                self._check_decoration(event, at)
                self._check_text(event, at)
                plain = event.style in {None, ""}
                self._add(Scalar(at, event.value, empty=plain and event.value in _NULLS))
            case yaml.CollectionStartEvent():
                self._check_decoration(event, at)
                self._begin(_Open(at, isinstance(event, yaml.MappingStartEvent), []), at)
            case yaml.CollectionEndEvent():
                self._add(self._open.pop().close())
            case _:
                pass

    def _check_decoration(self, event: yaml.NodeEvent, at: Mark) -> None:
        if event.anchor is not None:
            self._note(at, "an anchor (&name) is not read here; write the value out")
        if getattr(event, "tag", None) is not None:
            self._note(at, "a tag (!name) is not read here; write the plain value")

    def _check_text(self, event: yaml.ScalarEvent, at: Mark) -> None:
        """Refuse a text with line ends or spaces that it does not show: nothing would match it."""
        if event.style in _BLOCK_STYLES or _is_continued(event):
            self._note(
                at,
                "this text takes several lines, which adds spaces or line ends to it; write it on "
                "one line, between quotes if need be",
            )

    def _begin(self, collection: _Open, at: Mark) -> None:
        if len(self._open) >= MAX_DEPTH:
            self._stop(at, f"lists and members are nested deeper than {MAX_DEPTH}; flatten them")
        self._open.append(collection)

    def _add(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(node.at, f"the file holds more than {MAX_NODES} values; write wider rules")
        if self._open:
            self._open[-1].children.append(node)
        elif self.root is None:
            self.root = node
        else:
            self._stop(node.at, 'a second document begins before here; remove the "---" line')

    def _note(self, at: Mark, advice: str) -> None:
        self.problems.append(PolicyProblem(at.line, "", advice, at.column))

    def _stop(self, at: Mark, advice: str) -> None:
        raise AccessPolicyError((*self.problems, PolicyProblem(at.line, "", advice, at.column)))
