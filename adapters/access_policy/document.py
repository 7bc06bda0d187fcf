"""The access policy file: bytes in, rules out, or every problem in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import yaml

from adapters.access_policy import rules_section, values
from adapters.access_policy.idle_rules import idle_rules
from adapters.access_policy.node_reader import NodeReader
from adapters.access_policy.problems import AccessPolicyError, PolicyProblem
from adapters.access_policy.values import FILL_IN
from adapters.access_policy.yaml_tree import parse_tree
from adapters.system.yaml_nodes import MAX_SHOWN, is_null, is_showable, place_of
from domain.model.access_rules import AccessRules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.model.identity import AccountKey, SubjectKey

VERSION = "1"

_TOP = ("version", "issuers", "revoked", "grants", "denials")
_REVOKED = ("subjects", "token_ids")

_Rule = TypeVar("_Rule")


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A file without problems.

    Attributes:
        issuers: each issuer's friendly name.
        lines: the line on which each grant and denial begins, by its name.
        warnings: rules that can match nothing.
    """

    rules: AccessRules
    issuers: Mapping[AccountKey, str]
    lines: Mapping[str, int]
    warnings: tuple[PolicyProblem, ...] = ()


def read_policy(data: bytes) -> PolicyDocument:
    """Read a policy file; docs/access-policy.md describes its form.

    Raises:
        AccessPolicyError: with every problem found.
    """
    tree, problems = parse_tree(data)
    document = _read_top(NodeReader(tree, "", problems))
    if problems or document is None:
        raise AccessPolicyError(tuple(problems))
    return replace(document, warnings=idle_rules(document.rules, document.lines))


def _read_top(reader: NodeReader) -> PolicyDocument | None:
    members = reader.members(_TOP, required=("version", "issuers", "grants"))
    if members is None:
        return None
    if "version" in members:
        _check_version(members["version"])
    issuers = _issuers(members["issuers"]) if "issuers" in members else {}
    lines: dict[str, int] = {}
    subjects, tokens = _revoked(members.get("revoked"))
    rules = AccessRules(
        issuers=frozenset(key for key in issuers.values() if key is not None),
        grants=_named(
            members.get("grants"),
            lines,
            lambda item, name: rules_section.grant(item, name, issuers),
        ),
        denials=_named(
            members.get("denials"),
            lines,
            lambda item, name: rules_section.denial(item, name, issuers),
        ),
        revoked_subjects=subjects,
        revoked_tokens=tokens,
    )
    return PolicyDocument(rules, {key: name for name, key in issuers.items() if key}, lines)


def _check_version(reader: NodeReader) -> None:
    text = reader.text()
    if text is not None and text != VERSION:
        reader.wrong(f"this version of the form is unknown here; write {VERSION}")


def _issuers(reader: NodeReader) -> dict[str, AccountKey | None]:
    """Return the key of each name; None for one that has no good key, to be used all the same."""
    issuers: dict[str, AccountKey | None] = {}
    owners: dict[AccountKey, str] = {}
    for name, item in reader.entries() or ():
        key = values.account_key(item)
        issuers[name] = key
        if not is_showable(name):
            item.wrong("an issuer's name must be short and printable; choose another")
        elif name.startswith(FILL_IN):
            item.wrong(
                "this issuer is still to be filled in; find out whose key it is and name it, here "
                "and in the grants, or remove both"
            )
        if key is not None and owners.setdefault(key, name) != name:
            item.wrong(f'the issuer "{owners[key]}" has the same key; keep one of the two')
    return issuers


def _revoked(reader: NodeReader | None) -> tuple[frozenset[SubjectKey], frozenset[str]]:
    members = (reader and reader.members(_REVOKED)) or {}
    return (
        frozenset(members["subjects"].each(values.entity_key) if "subjects" in members else ()),
        frozenset(members["token_ids"].each(values.name) if "token_ids" in members else ()),
    )


def _named(
    reader: NodeReader | None,
    lines: dict[str, int],
    read: Callable[[NodeReader, str], _Rule | None],
) -> tuple[_Rule, ...]:
    """Read a list of rules; each one's name is found first, so that its problems can say it."""
    rules = []
    for item in (reader and reader.items()) or ():
        name = _name_of(item)
        if name is not None and name in lines:
            item.wrong(f'the rule on line {lines[name]} is named "{name}" too; rename one of them')
        elif name is not None:
            lines[name] = place_of(item.node)[0]
        rules.append(read(item if name is None else item.titled(name), name or ""))
    return tuple(rule for rule in rules if rule is not None)


def _name_of(reader: NodeReader) -> str | None:
    if not isinstance(reader.node, yaml.MappingNode):
        # Reading the rule itself reports that.
        return None
    for member, value in reader.node.value:
        if member.value == "name" and isinstance(value, yaml.ScalarNode):
            if is_showable(value.value) and not is_null(value):
                return str(value.value)
            break
    reader.wrong(f"give this rule a name of 1 to {MAX_SHOWN} printable characters, for the log")
    return None
