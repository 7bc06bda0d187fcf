"""A workload as a person writes it down, in YAML or JSON: the body of its start request."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from adapters.system.yaml_nodes import YamlError, YamlTooDeepError, events_of, nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 32

_TEXTS: Final = frozenset({"annotations", "config", "environment"})
"""Members whose own members are texts: a plain `no` or `010` there is what it looks like."""

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
"""What has more digits is an identifier, and so a text."""

_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


class WorkloadFileError(Exception):
    """The file is no workload; the text says where and what to write, and nothing that it holds."""


def read_workload_file(data: bytes, workload_id: str | None = None) -> dict[str, Any]:
    """Return the body of a start request.

    Args:
        data: the whole request (`workloadId`, `workload`), or the workload alone.
        workload_id: in the place of the file's; if neither gives one, namespace and name do.

    Raises:
        WorkloadFileError: it is neither.
    """
    document = _plain(_tree(data), as_text=False)
    if not isinstance(document, dict):
        raise WorkloadFileError("This is no workload; write members, each as name: value.")
    request = document if "workload" in document else {"workload": document}
    workload = request["workload"]
    if not isinstance(workload, dict):
        raise WorkloadFileError("workload has no members; write namespace, name and witWorld.")
    for name in ("namespace", "name"):
        if not (isinstance(workload.get(name), str) and workload[name]):
            raise WorkloadFileError(f"The workload has no {name}; add it, as a text.")
    chosen = (
        workload_id or request.get("workloadId") or f"{workload['namespace']}-{workload['name']}"
    )
    if not isinstance(chosen, str):
        raise WorkloadFileError("workloadId must be a text; put it between quotes.")
    return {**request, "workloadId": chosen}


def _tree(data: bytes) -> yaml.Node:
    if len(data) > MAX_BYTES:
        raise WorkloadFileError(f"The file has more than {MAX_BYTES} bytes.")
    try:
        text = data.decode("utf-8-sig")
        nodes = nodes_of(text, MAX_DEPTH)
        if any(isinstance(event, yaml.AliasEvent) for event in events_of(text)):
            raise WorkloadFileError("An alias (*name) is not read here; write the value out.")
    except UnicodeDecodeError:
        problem = "This is not UTF-8; save the file as UTF-8 text."
    except YamlError as error:
        where = f"Line {error.line}: " if error.line else ""
        problem = f"{where}This is not YAML; check the indentation, colons and quotes near it."
    except YamlTooDeepError:
        problem = "Lists and members are nested too deeply; flatten them."
    else:
        match nodes:
            case [node]:
                return node
            case []:
                problem = "The file is empty; write a workload."
            case _:
                problem = "The file has several documents; give each a file of its own."
    raise WorkloadFileError(problem)


def _plain(node: yaml.Node, *, as_text: bool) -> Any:
    match node:
        case yaml.MappingNode():
            return dict(_members(node, as_text=as_text))
        case yaml.SequenceNode():
            return [_plain(child, as_text=False) for child in node.value]
        case _:
            return _scalar(node, as_text=as_text)


def _members(node: yaml.MappingNode, *, as_text: bool) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key, child in node.value:
        name = str(key.value)
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or name == "<<":
            raise WorkloadFileError(f"Line {line}: write a plain name before the colon.")
        if name in seen:
            raise WorkloadFileError(f"Line {line}: this name stands twice; keep one of the two.")
        seen.add(name)
        if as_text and not isinstance(child, yaml.ScalarNode):
            raise WorkloadFileError(f"Line {line}: write a text here.")
        yield name, _plain(child, as_text=as_text or name in _TEXTS)


def _scalar(node: yaml.Node, *, as_text: bool) -> Any:
    text = str(node.value)
    if as_text or getattr(node, "style", None):
        return text
    if text in _WORDS:
        return _WORDS[text]
    return json.loads(text) if _NUMBER.fullmatch(text) else text
