"""YAML as a tree of texts, each with its line and column.

Less than YAML on purpose: no aliases (a few lines of them make a document of any size), no tags
(no value is turned into an object), one document. A plain value is the text as it is written, so
`no` and `010` stay what they are.
"""

from __future__ import annotations

from typing import Any

import yaml

from adapters.access_policy.problems import AccessPolicyError, PolicyProblem, stray_characters
from adapters.system.yaml_nodes import YamlError, events_of, place_of

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 16
MAX_NODES = 100_000

_BLOCK_STYLES = frozenset({"|", ">"})


def parse_tree(data: bytes) -> tuple[yaml.Node, list[PolicyProblem]]:
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
        return builder.root or yaml.ScalarNode("", ""), builder.problems
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


def _is_continued(event: yaml.ScalarEvent) -> bool:
    start, end = event.start_mark, event.end_mark
    return bool(event.value) and start is not None and end is not None and end.line > start.line


class _Builder:
    """Makes the tree of PyYAML's own nodes; a bare `yaml.Node` stands for what was refused."""

    def __init__(self) -> None:
        self.root: yaml.Node | None = None
        self.problems: list[PolicyProblem] = []
        self._open: list[yaml.CollectionNode] = []
        self._nodes = 0

    def take(self, event: yaml.Event) -> None:
        start: Any = event.start_mark  # its two kinds are one to nodes
        match event:
            case yaml.AliasEvent():
                self._note(event, "an alias (*name) is not read here; write the value out")
                self._add(yaml.Node("", None, start, None))
            case yaml.ScalarEvent():
                self._check_decoration(event)
                self._check_text(event)
                self._add(yaml.ScalarNode("", event.value, start, None, event.style))
            case yaml.CollectionStartEvent():
                self._check_decoration(event)
                if len(self._open) >= MAX_DEPTH:
                    self._stop(
                        event, f"lists and members are nested deeper than {MAX_DEPTH}; flatten them"
                    )
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                kind = yaml.MappingNode if is_mapping else yaml.SequenceNode
                self._open.append(kind("", [], start, None))
            case yaml.CollectionEndEvent():
                ended = self._open.pop()
                if isinstance(ended, yaml.MappingNode):
                    ended.value = [*zip(ended.value[::2], ended.value[1::2], strict=True)]
                self._add(ended)
            case _:
                pass

    def _check_decoration(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._note(event, "an anchor (&name) is not read here; write the value out")
        if getattr(event, "tag", None) is not None:
            self._note(event, "a tag (!name) is not read here; write the plain value")

    def _check_text(self, event: yaml.ScalarEvent) -> None:
        """Refuse a text with line ends or spaces that it does not show: nothing would match it."""
        if event.style in _BLOCK_STYLES or _is_continued(event):
            self._note(
                event,
                "this text takes several lines, which adds spaces or line ends to it; write it on "
                "one line, between quotes if need be",
            )

    def _add(self, node: yaml.Node) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(node, f"the file holds more than {MAX_NODES} values; write wider rules")
        if self._open:
            self._open[-1].value.append(node)
        elif self.root is None:
            self.root = node
        else:
            self._stop(node, 'a second document begins before here; remove the "---" line')

    def _note(self, at: yaml.Event | yaml.Node, advice: str) -> None:
        line, column = place_of(at)
        self.problems.append(PolicyProblem(line, "", advice, column))

    def _stop(self, at: yaml.Event | yaml.Node, advice: str) -> None:
        self._note(at, advice)
        raise AccessPolicyError(tuple(self.problems))
