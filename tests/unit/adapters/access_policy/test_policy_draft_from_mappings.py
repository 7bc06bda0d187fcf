"""From the mappings of a secrets-nats-kv backend to a draft."""

from __future__ import annotations

import json

import pytest

from adapters.access_policy.document import read_policy
from adapters.access_policy.draft_from_mappings import draft_of_mappings, state_bucket
from tests.unit.adapters.access_policy.policies import (
    COMPONENT,
    HOST,
    OTHER_TEAM,
    PROVIDER,
    TEAM,
    problems_in,
    request,
)


def mapping(*names: object) -> bytes:
    return json.dumps(names).encode()


def test_each_entity_may_read_the_secrets_it_was_mapped_to() -> None:
    draft, left_out = draft_of_mappings(
        {COMPONENT: mapping("api_key", "app/db.url"), PROVIDER: mapping("api_key")}
    )
    key_named = draft.replace(": FILL-IN\n", f": {TEAM}\n").replace("FILL-IN-1", "team")
    rules = read_policy(key_named.encode()).rules

    assert left_out == []
    assert rules.decide(request("/api_key")).allowed
    assert rules.decide(request("/app/db.url", version="2", field="x")).allowed
    assert rules.decide(request("/api_key", subject=PROVIDER)).allowed
    assert rules.decide(request("/app/db.url", subject=PROVIDER)).reason == "key_not_granted"
    assert rules.decide(request("/api_key", issuer=OTHER_TEAM)).reason == "issuer_not_trusted"


def test_until_the_issuer_is_filled_in_the_draft_is_refused() -> None:
    draft, _ = draft_of_mappings({COMPONENT: mapping("api_key")})

    assert "  FILL-IN-1: FILL-IN\n" in draft
    found = problems_in(draft)
    assert len(found) == 2
    assert all("still to be filled in" in mistake for mistake in found)


@pytest.mark.parametrize(
    ("subject", "stored", "line"),
    [
        (HOST, mapping("a"), f'"{HOST}" is no key of a component or provider.'),
        ("x\ny: z", mapping("a"), '"x\\x0ay: z" is no key of a component or provider.'),
        (COMPONENT, b"{}", f"the value of {COMPONENT} is no JSON list of names."),
        (COMPONENT, b"[1]", f"the value of {COMPONENT} is no JSON list of names."),
        (COMPONENT, b"\xff", f"the value of {COMPONENT} is no JSON list of names."),
        (COMPONENT, mapping("/a"), f'{COMPONENT} may read "/a", which no rule here can spell.'),
        (COMPONENT, mapping("a*"), f'{COMPONENT} may read "a*", which no rule here can spell.'),
        (COMPONENT, mapping("a//b"), f'{COMPONENT} may read "a//b", which no rule here can spell.'),
        (COMPONENT, mapping(""), f'{COMPONENT} may read "", which no rule here can spell.'),
        (COMPONENT, b'["\\ud800"]', f'{COMPONENT} may read "\\ud800", which no rule here can spel'),
    ],
)
def test_what_cannot_be_granted_exactly_is_left_out_and_said(
    subject: str, stored: bytes, line: str
) -> None:
    draft, left_out = draft_of_mappings({subject: stored, PROVIDER: mapping("good")})

    assert len(left_out) == 1
    assert left_out[0].startswith(line)
    assert f"# Left out: {left_out[0]}\n" in draft
    assert '- "/good"' in draft
    assert len(problems_in(draft)) == 2


def test_an_entity_without_secrets_is_granted_none() -> None:
    draft, left_out = draft_of_mappings({COMPONENT: mapping()})

    assert left_out == []
    assert "secrets: []" in draft


def test_without_mappings_the_draft_grants_nothing() -> None:
    draft, _ = draft_of_mappings({})

    assert read_policy(draft.encode()).rules.grants == ()


def test_the_bucket_is_named_as_the_old_backend_names_it() -> None:
    assert state_bucket("nats-kv") == "SECRETS_nats-kv_state"
