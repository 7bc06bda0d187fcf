"""From audit records to a draft that allows exactly what was seen."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.access_policy.document import read_policy
from adapters.access_policy.draft_from_audit import AuditDraft
from adapters.crypto.nkeys_text import KeyKind, encode_public
from domain.model.audit import AuditEvent, Outcome
from domain.model.identity import AccountKey
from tests.support.audit_text import audit_line
from tests.unit.adapters.access_policy.policies import (
    NOW,
    OTHER_TEAM,
    PROVIDER,
    TEAM,
    problems_in,
    request,
)

if TYPE_CHECKING:
    from domain.model.access import AccessRequest
    from domain.model.access_rules import AccessRules


def event_of(asked: AccessRequest) -> AuditEvent:
    """Record a request as the service does when it only observes."""
    assert asked.location is not None
    return AuditEvent(
        time=NOW,
        duration=0.01,
        request_id="abcdefgh-000001",
        operation="get",
        received_at=0.0,
        outcome=Outcome.ANSWERED,
        reason="observed_no_grants",
        caller=asked.caller,
        requester=asked.requester,
        key="as/sent",
        field=asked.field,
        version_asked=asked.version,
        version_served="7",
        location=asked.location,
        backend=asked.backend,
        properties=asked.properties,
        allowed=True,
        served_from="store",
    )


def draft_of(*asked: AccessRequest) -> str:
    draft = AuditDraft()
    draft.take(audit_line(event_of(each)) + b"\n" for each in asked)
    assert (draft.used, draft.left_out) == (len(asked), {})
    return draft.text()


def filled_in(draft: str) -> AccessRules:
    """Name the issuers, as the draft's reader must, and read it."""
    # What was asked for stands in quotes, and may be any text.
    return read_policy(re.sub('(?<!")FILL-IN', "team", draft).encode()).rules


PROD = {"environment": "prod", "project_id": "p1"}
SEEN = (
    request(scope=PROD, name="checkout"),
    request("/payments/DB", scope=PROD, field="user", name="checkout"),
    request("/payments/DB", scope=PROD, field="pass", name="checkout"),
    request("/payments/OLD", scope=PROD, version="3"),
    request("/payments/OLD", scope=PROD, version="4"),
    request(
        "/eu/CERT",
        scope={**PROD, "environment": "staging"},
        properties={"environment": "staging", "path": "/eu", "encoding": "base64"},
    ),
    request("/mail/KEY", subject=PROVIDER, issuer=OTHER_TEAM, scope=PROD),
)


def test_until_the_issuers_are_named_the_draft_is_refused() -> None:
    found = problems_in(draft_of(*SEEN))

    assert len(found) == 2
    assert all("still to be filled in" in mistake for mistake in found)


@pytest.mark.parametrize("asked", SEEN)
def test_a_request_that_was_seen_is_allowed(asked: AccessRequest) -> None:
    assert filled_in(draft_of(*SEEN)).decide(asked).allowed


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (request("/payments/OTHER", scope=PROD), "key_not_granted"),
        (request("/payments", scope=PROD), "key_not_granted"),
        (request("/mail/KEY", scope=PROD), "key_not_granted"),
        (request(scope=PROD, version="3"), "version_not_granted"),
        (request("/payments/OLD", scope=PROD), "version_not_granted"),
        (request("/payments/OLD", scope=PROD, version="5"), "version_not_granted"),
        (request("/payments/DB", scope=PROD), "field_not_granted"),
        (request("/payments/DB", scope=PROD, field="host"), "field_not_granted"),
        (request(scope={**PROD, "environment": "staging"}), "property_not_granted"),
        (request(scope=PROD, properties={"path": "/payments"}), "property_not_granted"),
        (request(scope=PROD)._replace(backend="vault"), "backend_not_granted"),
        (request(scope=PROD, issuer=OTHER_TEAM), "entity_subject_differs"),
        (request(scope=PROD, subject=PROVIDER), "entity_subject_differs"),
    ],
)
def test_a_request_that_was_not_seen_is_refused(asked: AccessRequest, reason: str) -> None:
    decision = filled_in(draft_of(*SEEN)).decide(asked)

    assert (decision.allowed, decision.reason) == (False, reason)


def test_each_entity_of_each_issuer_has_one_grant_that_says_its_name() -> None:
    draft = draft_of(*SEEN, request(issuer=OTHER_TEAM, scope=PROD, name='"\u202e\n- evil'))

    assert len(filled_in(draft).grants) == 3
    assert '# It calls itself "checkout".' in draft
    assert '# It calls itself "\\"\\u202e\\x0a- evil".' in draft
    assert "A DRAFT" in draft.splitlines()[0]


def test_many_issuers_get_names_of_which_none_begins_another() -> None:
    keys = [AccountKey(encode_public(KeyKind.ACCOUNT, bytes([n]) * 32)) for n in range(12)]
    draft = draft_of(*(request(issuer=key, scope=PROD) for key in keys))

    assert [f"  FILL-IN-{n:02}: " in draft for n in range(1, 13)] == [True] * 12


def test_the_same_request_seen_twice_changes_nothing_but_the_count() -> None:
    once, twice = draft_of(SEEN[0]), draft_of(SEEN[0], SEEN[0])

    assert once.partition("version:")[2] == twice.partition("version:")[2]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0*/…"), min_size=1)


@given(
    st.lists(TEXTS.filter(lambda part: part not in {".", ".."}), min_size=1, max_size=3),
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.dictionaries(
        TEXTS.filter(lambda name: name != "backend" and name.isalpha()), TEXTS, max_size=2
    ),
    st.none() | TEXTS,
)
def test_any_request_that_was_seen_is_allowed_by_its_draft(
    parts: list[str],
    field: str | None,
    version: str | None,
    properties: dict[str, str],
    name: str | None,
) -> None:
    asked = request(
        "/" + "/".join(parts),
        field=field,
        version=version,
        properties=properties,
        scope={"environment": "prod"},
        name=name,
    )
    draft = AuditDraft()
    draft.take([audit_line(event_of(asked))])
    if draft.used:
        assert filled_in(draft.text()).decide(asked).allowed


def record(**changes: object) -> bytes:
    fields = {**json.loads(audit_line(event_of(SEEN[0]))), **changes}
    return json.dumps({key: value for key, value in fields.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "broken lines"),
        (b"[1]", "broken lines"),
        (b"\xff{}", "broken lines"),
        (b" " * 2 + b"{" * 2_000_000, "broken lines"),
        (record(event="nats.connected"), "lines about something else"),
        (record(operation="server_xkey"), "lines about something else"),
        (record(schema=2), "records of another schema"),
        (record(outcome="refused"), "requests that were not answered"),
        (record(outcome="cancelled"), "requests that were not answered"),
        (record(entity=...), "broken lines"),
        (record(entity=TEAM), "broken lines"),
        (record(issuer="A: b"), "broken lines"),
        (record(path=...), "broken lines"),
        (record(path=["/a"]), "broken lines"),
        (record(path="a"), "broken lines"),
        (record(path="/\ud800"), "broken lines"),
        (record(properties=["a"]), "broken lines"),
        (record(path="/a*"), 'requests whose path holds "*", which a rule cannot spell'),
        (
            record(path="/" + "a" * 255 + "…"),
            "requests of which the log holds only a part, since a text was long",
        ),
        (
            record(properties={"api_token": "[redacted]"}),
            "requests with a property that the log does not show",
        ),
        (
            record(properties={"a…": "b"}),
            "requests with a property that the log does not show",
        ),
    ],
)
def test_a_line_that_tells_nothing_sure_is_counted_and_left_out(line: bytes, reason: str) -> None:
    draft = AuditDraft()

    draft.take([line, b"\n"])

    assert (draft.used, dict(draft.left_out)) == (0, {reason: 1})
    assert f"Left out: 1 {reason}." in draft.text()
    assert filled_in(draft.text()).grants == ()


def test_lines_of_another_shape_beside_good_ones_do_no_harm() -> None:
    draft = AuditDraft()

    draft.take([b"\n", b"Starting\n", record(), record(extra=1)])

    assert (draft.used, draft.left_out["broken lines"]) == (2, 1)
