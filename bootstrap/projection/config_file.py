"""The agent's configuration file: bytes in, a plan out, or every problem in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import yaml

from adapters.access_policy import values
from adapters.access_policy.node_reader import NodeReader
from adapters.access_policy.problems import AccessPolicyError, PolicyProblem
from adapters.access_policy.yaml_tree import MAX_BYTES, parse_tree
from adapters.projection.content import DirectoryRights, name_problem
from adapters.system.files import read_file, why_not_read
from adapters.system.yaml_nodes import suggestion
from bootstrap.projection import config_values
from bootstrap.projection.config_values import member_or, read_member
from bootstrap.projection.plan import (
    LEASE_SECONDS,
    MAX_STALE_SECONDS,
    SHORTEST_LEASE_SECONDS,
    Plan,
    PlannedDirectory,
    PlannedFile,
)
from domain.model.authenticated_request import AskedSecret
from domain.model.errors import InvalidRequest
from domain.model.secret_uri import SecretUri, parse_secret_uri
from domain.model.workload import Workload
from domain.use_cases.follow_secrets import FollowedSecret

if TYPE_CHECKING:
    from pathlib import Path

_TOP: Final = ("version", "max_stale", "lease", "refresh", "directories")
_DIRECTORY: Final = ("path", "consumer", "tmpfs", "mode", "group", "file_mode", "owner", "files")
_CONSUMER: Final = ("environment", "namespace", "workload")
_FILE: Final = ("key", "field", "version", "properties", "mode", "owner", "group")
_TMPFS: Final = ("required", "any")

VERSION: Final = "1"
DIRECTORY_MODE: Final = 0o700
FILE_MODE: Final = 0o400


def read_plan_file(path: Path, environment: str | None) -> Plan:
    """Read a configuration file once; blocks. `environment`: that of consumers for whom the file
    names none.

    Raises:
        AccessPolicyError: with every problem in it.
    """
    return read_plan(read_plan_bytes(path), environment)


def read_plan_bytes(path: Path) -> bytes:
    """Read what a configuration file holds; blocks.

    Raises:
        AccessPolicyError: it cannot be read.
    """
    try:
        return read_file(path, MAX_BYTES + 1).data
    except (OSError, ValueError) as error:
        advice = why_not_read(error, "the file")
    raise AccessPolicyError((PolicyProblem(0, "", advice),))


def read_plan(data: bytes, environment: str | None) -> Plan:
    """Read a configuration; docs/wasmcloud2-files.md describes its form.

    Raises:
        AccessPolicyError: with every problem found.
    """
    tree, problems = parse_tree(data)
    plan = _plan(NodeReader(tree, "", problems), environment)
    if problems or plan is None:
        raise AccessPolicyError(tuple(problems))
    return replace(plan, source=data)


def _plan(reader: NodeReader, environment: str | None) -> Plan | None:
    members = reader.members(_TOP, required=("version", "directories"))
    if members is None:
        return None
    if "version" in members and members["version"].text() not in {None, VERSION}:
        members["version"].wrong(f"this version of the form is unknown here; write {VERSION}")
    lease = read_member(members, "lease", values.age) or LEASE_SECONDS
    if lease < SHORTEST_LEASE_SECONDS:
        members["lease"].wrong(f"the shortest lease is {SHORTEST_LEASE_SECONDS:g}s; write more")
    directories = members.get("directories")
    found = directories.each(lambda item: _directory(item, environment)) if directories else ()
    if directories is not None and not (found or directories.problems):
        directories.wrong("there is none; name at least one directory")
    _refuse_nested(directories, found)
    return Plan(
        found,
        max_stale_seconds=read_member(members, "max_stale", values.age) or MAX_STALE_SECONDS,
        lease_seconds=lease,
        refresh_seconds=read_member(members, "refresh", values.age),
    )


def _refuse_nested(reader: NodeReader | None, found: tuple[PlannedDirectory, ...]) -> None:
    paths = [directory.path for directory in found]
    for index, path in enumerate(paths):
        others = (*paths[:index], *paths[index + 1 :])
        if reader is not None and any(path.is_relative_to(other) for other in others):
            reader.wrong("one directory is, or lies in, another one of them; keep them apart")
            return


def _directory(reader: NodeReader, environment: str | None) -> PlannedDirectory | None:
    members = reader.members(_DIRECTORY, required=("path", "consumer", "files"))
    if members is None:
        return None
    path = read_member(members, "path", config_values.absolute_path)
    consumer = read_member(members, "consumer", lambda item: _consumer(item, environment))
    group = member_or(members, "group", config_values.group, -1)
    owner = (member_or(members, "owner", config_values.user, -1), group)
    file_mode = member_or(members, "file_mode", config_values.file_mode, FILE_MODE)
    files = []
    for name, item in (members["files"].entries() or ()) if "files" in members else ():
        if problem := name_problem(name):
            item.wrong(f"{problem}; choose another name")
        if consumer is not None:
            files.append(_file(item, consumer, name, file_mode, owner))
    if path is None or consumer is None:
        return None
    return PlannedDirectory(
        path,
        consumer,
        tuple(file for file in files if file is not None),
        DirectoryRights(
            member_or(members, "mode", config_values.directory_mode, DIRECTORY_MODE), group
        ),
        needs_memory=_tmpfs(members.get("tmpfs")),
    )


def _consumer(reader: NodeReader, environment: str | None) -> Workload | None:
    members = reader.members(_CONSUMER, required=("namespace", "workload"))
    if members is None:
        return None
    namespace = read_member(members, "namespace", config_values.plain_name)
    workload = read_member(members, "workload", config_values.plain_name)
    stated = read_member(members, "environment", config_values.plain_name) or environment
    if stated is None:
        reader.wrong("no environment is known; add it here, or set V2_ENVIRONMENT")
    if stated is None or namespace is None or workload is None:
        return None
    return Workload(stated, namespace, workload)


def _file(
    reader: NodeReader, consumer: Workload, name: str, mode: int, owner: tuple[int, int]
) -> PlannedFile | None:
    if isinstance(reader.node, yaml.ScalarNode):
        named = _reference(reader)
        if named is None:
            return None
        return PlannedFile(FollowedSecret(consumer, named, name), mode, owner)
    members = reader.members(_FILE, required=("key",))
    if members is None:
        return None
    key = read_member(members, "key", values.name)
    wanted = SecretUri(
        AskedSecret(
            key or "",
            read_member(members, "field", NodeReader.text),
            read_member(members, "version", values.name),
        ),
        read_member(members, "properties", _properties) or {},
    )
    user, group = owner
    return PlannedFile(
        FollowedSecret(consumer, wanted, name),
        member_or(members, "mode", config_values.file_mode, mode),
        (
            member_or(members, "owner", config_values.user, user),
            member_or(members, "group", config_values.group, group),
        ),
    )


def _reference(reader: NodeReader) -> SecretUri | None:
    text = reader.text()
    if text is None:
        return None
    try:
        return parse_secret_uri(text)
    except InvalidRequest as error:
        advice = error.advice.rstrip(".")
    reader.wrong(f"{advice[0].lower()}{advice[1:]}; write one, or members such as key: NAME")
    return None


def _properties(reader: NodeReader) -> dict[str, str]:
    read = {name: item.text() for name, item in reader.entries() or ()}
    return {name: text for name, text in read.items() if text is not None}


def _tmpfs(reader: NodeReader | None) -> bool:
    text = None if reader is None else reader.text()
    if reader is not None and text is not None and text not in _TMPFS:
        reader.wrong(f"write {' or '.join(_TMPFS)}.{suggestion(text, _TMPFS)}")
    return text != "any"
