"""Grants and denials as the file writes them."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeVar

import yaml

from adapters.access_policy import values
from adapters.access_policy.node_reader import NodeReader
from adapters.system.yaml_nodes import suggestion
from domain.model.access_patterns import EntityPattern, SecretPattern, WorkloadPattern
from domain.model.access_rules import Denial, Grant
from domain.model.identity import AccountKey
from domain.model.patterns import TextPattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.model.identity import SubjectKey

    Members = Mapping[str, NodeReader]
    Issuers = Mapping[str, AccountKey | None]

_OF_TOKENS = ("applications", "hosts", "accounts", "users")
_GRANT = ("name", "entities", "workloads", *_OF_TOKENS, "secrets")
_DENIAL = ("name", "entities", "workloads", "keys")
_WHO = ("subject", "subjects", "names", "tags")
_ENTITY = ("issuer", *_WHO, "kinds", "min_rev", "hashes", "max_token_age")
_WORKLOAD = ("environments", "namespaces", "names")
_SECRET = ("keys", "backends", "fields", "versions", "properties")
_EVERYBODY = TextPattern("*")

_Value = TypeVar("_Value")


def grant(reader: NodeReader, name: str, issuers: Issuers) -> Grant | None:
    """Read one grant; `name` is the one it was found to have."""
    members = reader.members(_GRANT, required=("secrets",))
    if members is None:
        return None
    _check_callers(reader, members)
    return Grant(
        name=name,
        entities=_listed(members, "entities", lambda item: _entity(item, issuers)) or (),
        secrets=_listed(members, "secrets", _secret) or (),
        workloads=_listed(members, "workloads", _workload),
        applications=_listed(members, "applications", values.text_pattern),
        hosts=_set(members, "hosts", values.host_key),
        accounts=_set(members, "accounts", values.name),
        users=_set(members, "users", values.name),
    )


def denial(reader: NodeReader, name: str, issuers: Issuers) -> Denial | None:
    """Read one denial; `name` is the one it was found to have."""
    members = reader.members(_DENIAL)
    if members is None:
        return None
    if not members.keys() & {"entities", "workloads", "keys"}:
        reader.wrong("this would deny every request; name entities, workloads or keys")
    _refuse_empty_lists(members)
    return Denial(
        name=name,
        entities=_listed(members, "entities", lambda item: _entity(item, issuers, denied=True)),
        paths=_listed(members, "keys", values.path_pattern),
        workloads=_listed(members, "workloads", partial(_workload, denied=True)),
    )


def _check_callers(reader: NodeReader, members: Members) -> None:
    if not members.keys() & {"entities", "workloads"}:
        reader.wrong('neither "entities" nor "workloads" is there; add whom the grant is for')
    if "workloads" not in members:
        return
    for member in _OF_TOKENS:
        if member in members:
            members[member].wrong(
                "this looks at what comes with a signed token, and a workload has none; remove it, "
                "or grant to entities and to workloads in two grants"
            )


def _workload(reader: NodeReader, *, denied: bool = False) -> WorkloadPattern | None:
    members = reader.members(_WORKLOAD, required=("environments",))
    if members is None:
        return None
    if denied:
        _refuse_empty_lists(members)
    return WorkloadPattern(
        environments=_listed(members, "environments", values.text_pattern) or (),
        namespaces=_listed(members, "namespaces", values.text_pattern),
        names=_listed(members, "names", values.text_pattern),
    )


def _refuse_empty_lists(members: Members) -> None:
    for reader in members.values():
        if isinstance(reader.node, yaml.SequenceNode) and not reader.node.value:
            reader.wrong(
                "an empty list would deny nothing; name some, or remove the member to mean all"
            )


def _check_denied(members: Members) -> None:
    for member in members.keys() & {"min_rev", "max_token_age"}:
        members[member].wrong(
            "in a denial this would pass over the old and deny the new; put it into the grants"
        )
    _refuse_empty_lists(members)


def _entity(reader: NodeReader, issuers: Issuers, *, denied: bool = False) -> EntityPattern | None:
    members = reader.members(_ENTITY)
    if members is None:
        return None
    if denied:
        _check_denied(members)
    if "issuer" not in members:
        reader.wrong(
            'the member "issuer" is missing; add the name of one that stands under issuers'
        )
    if not members.keys() & set(_WHO):
        reader.wrong(
            "this does not say whom it means; add a subject, names or tags "
            '(names: ["*"] means every entity of the issuer)'
        )
    names = _listed(members, "names", values.text_pattern)
    if names is not None and _EVERYBODY in names:
        # A pattern on names would pass over a token that holds no name at all.
        names = None
    issuer = _read(members, "issuer", lambda item: _issuer(item, issuers))
    return EntityPattern(
        # Where there is none a problem has been noted, and the rules will never be used.
        issuer=issuer or AccountKey(""),
        subjects=_subjects(members),
        kinds=_set(members, "kinds", values.kind),
        names=names,
        tags=_listed(members, "tags", values.text_pattern),
        min_revision=_read(members, "min_rev", values.revision),
        hashes=_set(members, "hashes", values.artifact_hash),
        max_token_age=_read(members, "max_token_age", values.age),
    )


def _issuer(reader: NodeReader, issuers: Issuers) -> AccountKey | None:
    text = reader.text()
    if text is not None and text not in issuers:
        advice = "no issuer has this name; write one of the names that stand under issuers."
        reader.wrong(advice + suggestion(text, issuers.keys()))
    return None if text is None else issuers.get(text)


def _subjects(members: Members) -> frozenset[SubjectKey] | None:
    one = _read(members, "subject", values.entity_key)
    several = _set(members, "subjects", values.entity_key)
    if "subject" not in members:
        return several
    if several is not None:
        members["subject"].wrong('"subjects" stands beside it; write all of them there')
    return frozenset() if one is None else frozenset({one})


def _secret(reader: NodeReader) -> SecretPattern | None:
    members = reader.members(_SECRET, required=("keys",))
    if members is None:
        return None
    fields = _any_or_listed(members, "fields", ("any",))
    versions = _any_or_listed(members, "versions", ("any", "latest"))
    return SecretPattern(
        paths=_listed(members, "keys", values.path_pattern) or (),
        backends=_set(members, "backends", values.name),
        fields=fields if isinstance(fields, frozenset) else None,
        versions="any" if versions is None else versions,
        properties=_read(members, "properties", _properties),
    )


def _any_or_listed(
    members: Members, member: str, words: tuple[Literal["any", "latest"], ...]
) -> frozenset[str] | Literal["any", "latest"] | None:
    reader = members.get(member)
    if reader is None:
        return None
    if not isinstance(reader.node, yaml.ScalarNode):
        # A member of a JSON object may be named "", so an empty text is one to list.
        return frozenset(reader.each(NodeReader.text))
    for word in words:
        if reader.node.value == word:
            return word
    reader.wrong(f"write {' or '.join(words)}, or a list of the {member} meant")
    return None


def _properties(reader: NodeReader) -> Mapping[str, frozenset[str]] | None:
    listed: dict[str, frozenset[str]] = {}
    for name, allowed in reader.entries() or ():
        if name == "backend":
            allowed.wrong('rules never see the property "backend"; list "backends" beside the keys')
        listed[name] = frozenset(allowed.each(NodeReader.text))
    return MappingProxyType(listed)


def _read(
    members: Members, member: str, read: Callable[[NodeReader], _Value | None]
) -> _Value | None:
    return read(members[member]) if member in members else None


def _listed(
    members: Members, member: str, read: Callable[[NodeReader], _Value | None]
) -> tuple[_Value, ...] | None:
    return members[member].each(read) if member in members else None


def _set(
    members: Members, member: str, read: Callable[[NodeReader], _Value | None]
) -> frozenset[_Value] | None:
    return frozenset(members[member].each(read)) if member in members else None
