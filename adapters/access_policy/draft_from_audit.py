"""From the audit log of observed requests to a draft policy; docs/audit-log.md has the fields."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.access_policy.draft import DraftEntity, DraftGrant, DraftSecrets, merged, write_draft
from adapters.crypto.nkeys_text import InvalidNKeyError, KeyKind, decode_public
from domain.model.identity import AccountKey, SubjectKey
from domain.model.patterns import InvalidPatternError, PathPattern
from domain.model.strict_json import MalformedJsonError, parse_json
from domain.model.transport import WORKLOAD_READ, Operation
from domain.model.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVENT = "secret_request"
SCHEMA = 1
MAX_LINE = 1024 * 1024
CUT = "…"
"""Ends a text that the audit log has cut."""

REDACTED = "[redacted]"
"""Stands for a value that the audit log does not show."""

_SCOPE = "scope_"

_HEADER = (
    "A DRAFT, made from the audit log of requests that were answered. Read every grant before you",
    "use it: an entity that should not have had a secret is listed like any other. A client that",
    "reaches the backend can sign with a key of its own, so first find out whose each issuer's",
    'key is, and replace its "FILL-IN-…" by a name everywhere. Then run: policy check FILE',
)


@dataclass(slots=True)
class AuditDraft:
    """What was learned from the lines taken so far.

    Attributes:
        used: how many requests the draft stands on.
        left_out: how many lines it does not stand on, by the reason why.
    """

    used: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    _seen: defaultdict[DraftEntity | Workload, set[DraftSecrets]] = field(
        default_factory=lambda: defaultdict(set)
    )
    _names: defaultdict[DraftEntity | Workload, set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )

    def take(self, lines: Iterable[bytes]) -> None:
        """Read further lines of the log; those that tell nothing are counted in `left_out`."""
        for line in lines:
            if line.strip():
                reason = self._take_line(line)
                if reason is None:
                    self.used += 1
                else:
                    self.left_out[reason] += 1

    def text(self) -> str:
        """Write the draft."""
        counted = [f"Left out: {count} {why}." for why, count in sorted(self.left_out.items())]
        return write_draft(
            (*_HEADER, f"It stands on {self.used} requests.", *counted),
            (
                DraftGrant(caller, merged(seen), tuple(self._names.get(caller, ())))
                for caller, seen in self._seen.items()
            ),
        )

    def _take_line(self, line: bytes) -> str | None:
        record = _record(line)
        if record is None:
            return "broken lines"
        operation = record.get("operation")
        if record.get("event") != EVENT or operation not in {Operation.GET, WORKLOAD_READ}:
            return "lines about something else"
        if record.get("schema") != SCHEMA:
            return "records of another schema"
        if record.get("outcome") != "answered":
            return "requests that were not answered"
        try:
            who = _workload(record) if operation == WORKLOAD_READ else _entity(record)
            secrets = _secrets(record)
        except _UnfitError as error:
            return error.reason
        self._seen[who].add(secrets)
        name = record.get("entity_name")
        if isinstance(name, str):
            self._names[who].add(name)
        return None


class _UnfitError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _record(line: bytes) -> Mapping[str, object] | None:
    if len(line) > MAX_LINE:
        return None
    try:
        record = parse_json(line)
    except MalformedJsonError:
        return None
    return record if isinstance(record, dict) else None


def _workload(record: Mapping[str, object]) -> Workload:
    names = [_text(record, f"workload_{part}") for part in ("environment", "namespace", "name")]
    match names:
        case [str(environment), str(namespace), str(name)] if "" not in names:
            if any("*" in text for text in (environment, namespace, name)):
                raise _UnfitError('requests of a workload with "*" in its name')
            return Workload(environment, namespace, name)
        case _:
            raise _UnfitError("broken lines")


def _entity(record: Mapping[str, object]) -> DraftEntity:
    issuer, subject = record.get("issuer"), record.get("entity")
    if isinstance(issuer, str) and isinstance(subject, str):
        try:
            decode_public(issuer, KeyKind.ACCOUNT)
            if decode_public(subject)[0] in {KeyKind.COMPONENT, KeyKind.PROVIDER}:
                return DraftEntity(AccountKey(issuer), SubjectKey(subject))
        except InvalidNKeyError:
            pass
    raise _UnfitError("broken lines")


def _secrets(record: Mapping[str, object]) -> DraftSecrets:
    path = _text(record, "path")
    if path is None:
        raise _UnfitError("broken lines")
    if "*" in path:
        raise _UnfitError('requests whose path holds "*", which a rule cannot spell')
    try:
        PathPattern(path)
    except InvalidPatternError:
        path = None
    if path is None:
        raise _UnfitError("broken lines")
    field_asked, version = _text(record, "field"), _text(record, "version_asked")
    backend = _text(record, "backend")
    return DraftSecrets(
        keys=frozenset({path}),
        fields=None if field_asked is None else frozenset({field_asked}),
        versions="latest" if version is None else frozenset({version}),
        backends=frozenset({backend} if backend else ()),
        properties=tuple(sorted(_properties(record).items())),
    )


def _properties(record: Mapping[str, object]) -> dict[str, str]:
    """Return the values that the rules would have judged by."""
    asked = record.get("properties", {})
    if not isinstance(asked, dict):
        raise _UnfitError("broken lines")
    judged = {str(name): _text(asked, name) or "" for name in asked}
    for name in record:
        if name.startswith(_SCOPE):
            # Where the store says the secret is counts for more than what was asked for.
            judged[name.removeprefix(_SCOPE)] = _text(record, name) or ""
    if REDACTED in judged.values() or any(name.endswith(CUT) for name in judged):
        raise _UnfitError("requests with a property that the log does not show")
    return judged


def _text(record: Mapping[str, object], name: str) -> str | None:
    text = record.get(name)
    if text is None:
        return None
    if not isinstance(text, str) or any("\ud800" <= char <= "\udfff" for char in text):
        raise _UnfitError("broken lines")
    if text.endswith(CUT):
        raise _UnfitError("requests of which the log holds only a part, since a text was long")
    return text
