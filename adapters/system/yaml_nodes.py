"""YAML as nodes with their lines, from any bytes: no object is made, and every failure is typed.

PyYAML raises what it comes upon for an escape beyond Unicode and recurses as deep as a document
nests, which libyaml's composer does until the process dies. So a document's events are looked at
first: they come one after the other.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML has it: a tenth of the time."""

MAX_SHOWN: Final = 64
"""Longer texts are not repeated in a problem: they may be something pasted by accident."""

MAX_CANDIDATES: Final = 500
"""Among more names none is suggested: comparing them all would take too long."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")


class YamlError(Exception):
    """The text is no YAML. Keeps nothing of the text, which may hold credentials.

    Attributes:
        line: where, from 1; 0 if that is not known.
        column: of that line, from 1, in characters; 0 if that is not known.
        problem: a few words of the parser's own.
    """

    def __init__(self, problem: str, mark: Any = None) -> None:
        super().__init__(problem)
        self.line = 0 if mark is None else mark.line + 1
        self.column = 0 if mark is None else mark.column + 1
        self.problem = problem


class YamlTooDeepError(Exception):
    """Lists and members are nested too deeply."""


def events_of(text: str) -> Iterator[yaml.Event]:
    """Give the events of a text one after the other.

    Raises:
        YamlError: it is no YAML, or holds half a surrogate pair.
    """
    try:
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.ScalarEvent) and _HALF_PAIR.search(event.value):
                failure = YamlError("found half a character", event.start_mark)
                break
            yield event
        else:
            return
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        # After "but" the loader quotes what it found.
        problem = str(getattr(error, "problem", None) or "unreadable").split(", but ", 1)[0]
        failure = YamlError(problem, mark)
    except (ValueError, OverflowError):
        failure = YamlError("found invalid Unicode character escape code")
    # Raised out here: YAML's own error quotes the text.
    raise failure


def nodes_of(text: str, max_depth: int) -> list[yaml.Node]:
    """Return every document of a text, aliases resolved.

    Raises:
        YamlError: it is no YAML.
        YamlTooDeepError: it nests deeper than `max_depth`.
    """
    depth = 0
    for event in events_of(text):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > max_depth:
                raise YamlTooDeepError
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    try:
        return list(yaml.compose_all(text, Loader=LOADER))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        failure = YamlError(str(getattr(error, "problem", None) or "unreadable"), mark)
    raise failure


def place_of(found: yaml.Event | yaml.Node) -> tuple[int, int]:
    """Return the line and the column where it begins, both counted from 1."""
    mark = found.start_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def is_plain(node: yaml.Node) -> bool:
    """Say whether a node is a text without quotes."""
    return isinstance(node, yaml.ScalarNode) and node.style in {None, ""}


def is_null(node: yaml.Node) -> bool:
    """Say whether nothing was written, or a plain `null`."""
    return is_plain(node) and node.value in _NULLS


def is_showable(text: str) -> bool:
    """Tell whether a text may be repeated in a problem: short, and on one line."""
    return 0 < len(text) <= MAX_SHOWN and text.isprintable()


def suggestion(text: str, candidates: Collection[str]) -> str:
    """Return ' Did you mean "…"?' where one of the candidates is near, otherwise nothing."""
    if not is_showable(text) or len(candidates) > MAX_CANDIDATES:
        return ""
    near = get_close_matches(text, candidates, n=1)
    # The candidates may be names of the file itself.
    return f' Did you mean "{near[0]}"?' if near and is_showable(near[0]) else ""
