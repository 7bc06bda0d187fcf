"""Draft policies: exactly what was seen, written for a person to read before it is used."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.access_policy.document import VERSION
from adapters.access_policy.values import FILL_IN
from domain.model.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from domain.model.identity import AccountKey, SubjectKey

_NAME_LENGTH = 40
_LAST_BYTE, _LAST_BMP = 0xFF, 0xFFFF


@dataclass(frozen=True, slots=True)
class DraftSecrets:
    """One entry of a grant's `secrets`.

    Attributes:
        backends: empty where the source does not tell; then any is meant.
        fields: None for any, as a caller that reads a whole value has them all.
        versions: "latest", "any", or those pinned.
        properties: sorted pairs of a property and its value.
    """

    keys: frozenset[str]
    fields: frozenset[str] | None = None
    versions: frozenset[str] | str = "any"
    backends: frozenset[str] = frozenset()
    properties: tuple[tuple[str, str], ...] = ()


class DraftEntity(NamedTuple):
    """A caller that tokens name. `issuer`: None where the source does not tell who signed the
    entity's token.
    """

    issuer: AccountKey | None
    subject: SubjectKey


@dataclass(frozen=True, slots=True)
class DraftGrant:
    """What one entity or workload was seen to need."""

    caller: DraftEntity | Workload
    secrets: tuple[DraftSecrets, ...]
    names: tuple[str, ...] = ()


def merged(seen: Iterable[DraftSecrets]) -> tuple[DraftSecrets, ...]:
    """Join entries that differ in one respect only, so that together they allow nothing more."""
    entries = set(seen)
    for respect in ("keys", "fields", "versions"):
        alike: defaultdict[DraftSecrets, set[str]] = defaultdict(set)
        rest = set()
        for entry in entries:
            part = getattr(entry, respect)
            if isinstance(part, frozenset):
                alike[_with(entry, respect, frozenset())] |= part
            else:
                rest.add(entry)
        joined = {_with(entry, respect, frozenset(parts)) for entry, parts in alike.items()}
        entries = rest | joined
    return tuple(sorted(entries, key=_order))


def write_draft(header: Iterable[str], grants: Iterable[DraftGrant]) -> str:
    """Write a draft as the text of a policy file.

    Every issuer is named with `FILL-IN`, which keeps the file from being used until the operator
    has said whose key it is: a log of observed requests may hold any client's key.
    """
    ordered = sorted(grants, key=lambda grant: _caller_order(grant.caller))
    found = sorted(
        {grant.caller.issuer or "" for grant in ordered if isinstance(grant.caller, DraftEntity)}
    )
    width = len(str(len(found)))
    issuers = {key: f"{FILL_IN}-{n:0{width}}" for n, key in enumerate(found, 1)}
    return "\n".join((*_head(header, issuers), *_grants(ordered, issuers), ""))


def _caller_order(caller: DraftEntity | Workload) -> tuple[bool, str, str, str]:
    match caller:
        case DraftEntity(issuer, subject):
            return (False, issuer or "", subject, "")
        case Workload(environment, namespace, name):
            return (True, environment, namespace, name)


def _with(entry: DraftSecrets, respect: str, part: frozenset[str]) -> DraftSecrets:
    changed: dict[str, Any] = {respect: part}
    return replace(entry, **changed)


def _order(entry: DraftSecrets) -> tuple[list[str], str]:
    versions = entry.versions if isinstance(entry.versions, str) else sorted(entry.versions)
    rest = (entry.properties, sorted(entry.backends), versions, sorted(entry.fields or ()))
    return sorted(entry.keys), repr(rest)


def _head(header: Iterable[str], issuers: Mapping[str, str]) -> Iterator[str]:
    yield from (f"# {line}".rstrip() for line in header)
    yield f"version: {VERSION}"
    yield "issuers:" if issuers else "issuers: {}"
    for key, name in issuers.items():
        yield f"  {name}: {key or FILL_IN}"


def _grants(grants: list[DraftGrant], issuers: Mapping[str, str]) -> Iterator[str]:
    yield "grants:" if grants else "grants: []"
    for number, grant in enumerate(grants, 1):
        title = f"draft {number}"
        if grant.names:
            yield f"  # It calls itself {', '.join(map(quoted, sorted(grant.names)))}."
            plain = "".join(char for char in min(grant.names) if char.isprintable())
            title = f"{title}: {plain[:_NAME_LENGTH]}"
        yield f"  - name: {quoted(title)}"
        yield from _caller(grant.caller, issuers)
        yield "    secrets:" if grant.secrets else "    secrets: []"
        for entry in grant.secrets:
            yield from _secrets(entry)


def _caller(caller: DraftEntity | Workload, issuers: Mapping[str, str]) -> Iterator[str]:
    match caller:
        case DraftEntity(issuer, subject):
            yield "    entities:"
            yield f"      - issuer: {issuers[issuer or '']}"
            yield f"        subject: {subject}"
        case Workload(environment, namespace, name):
            yield "    workloads:"
            yield f"      - environments: [{quoted(environment)}]"
            yield f"        namespaces: [{quoted(namespace)}]"
            yield f"        names: [{quoted(name)}]"


def _secrets(entry: DraftSecrets) -> Iterator[str]:
    yield "      - keys:"
    yield from (f"          - {quoted(key)}" for key in sorted(entry.keys))
    if entry.backends:
        yield f"        backends: {_list(entry.backends)}"
    if entry.fields is not None:
        yield f"        fields: {_list(entry.fields)}"
    if isinstance(entry.versions, frozenset):
        yield f"        versions: {_list(entry.versions)}"
    else:
        yield f"        versions: {entry.versions}"
    if entry.properties:
        yield "        properties:"
        yield from (f"          {quoted(name)}: [{quoted(v)}]" for name, v in entry.properties)


def _list(texts: frozenset[str]) -> str:
    return f"[{', '.join(map(quoted, sorted(texts)))}]"


def quoted(text: str) -> str:
    """Write a text between YAML's double quotes, on one line and without control characters."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in {'"', "\\"}:
        return f"\\{char}"
    if char.isprintable():
        return char
    code = ord(char)
    if code <= _LAST_BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LAST_BMP else f"\\U{code:08x}"
