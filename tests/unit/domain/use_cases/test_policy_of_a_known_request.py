"""Requests that differ from a known one in their policy alone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from domain.model.errors import PolicyError
from domain.model.messages import Application, SecretRequest
from domain.model.reference import SecretLocation
from domain.model.secret import Secret, SecretValue
from domain.use_cases.known_places import Place, meaning_of
from domain.use_cases.known_requests import MAX_POLICY_LENGTH, KnownRequests, words_of
from tests.fakes.token_verifier import fake_claims
from tests.support.core import ENTITY, HOST, Core, policy
from tests.unit.domain.use_cases.known_rig import KNOWN, PLACE


def place_of(properties: dict[str, str]) -> Place:
    return Place(properties, SecretLocation("/KEY"), meaning_of(properties))


def written(text: str = "", name: str | None = "shop", **others: object) -> bytes:
    """Write a request as hosts do, the policy last."""
    application = {"name": name, "policy": text}
    context = {"entity_jwt": ENTITY, "host_jwt": HOST, "application": application}
    document = {"key": "KEY", "field": None, "version": None, **others, "context": context}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("first", ["p", '{"properties":{}}'])
@pytest.mark.parametrize("second", ["not json", '{"properties":{"a":"1"}}', '\\"\n\x7f'])
def test_a_request_that_differs_in_its_policy_alone_is_known_and_brings_its_own(
    first: str, second: str
) -> None:
    requests = KnownRequests()

    requests.keep(words_of(written(first)), KNOWN.with_policy(first), PLACE)

    assert requests.find(words_of(written(second))) == (KNOWN.with_policy(second), None)
    assert requests.find(words_of(written(second, name="other"))) is None
    assert requests.find(words_of(written(second, version="2"))) is None


@pytest.mark.parametrize(
    "end",
    [
        '"policy":"same"}},"more":{"more":{"name":"","policy":"same"}}}',
        '"policy":"same","more":"","\\u0070olicies":{}}},"a":{"b":{"c":"","policy":"same"}}}',
        '"policy":"same"},"more":{"name":"","policy":"same"}},"c":{"b":{"a":0,"policy":"same"}}}',
        '"\\u0070olicy":"same"}},"more":{"more":{"name":"","policy":"same"}}}',
    ],
)
def test_another_member_of_that_name_is_not_taken_for_the_policy(end: str) -> None:
    requests = KnownRequests()
    head = '{"key":"KEY","context":{"entity_jwt":"e","host_jwt":"h","application":{'
    words = f"{head}{end}".encode()
    assert SecretRequest.from_json(words).context.application == Application(policy="same")

    requests.keep(words_of(words), KNOWN.with_policy("same"), PLACE)

    assert requests.find(words_of(words[: -len(b'same"}}}')] + b'other"}}}')) is None


@pytest.mark.parametrize(
    "tail",
    [
        b'"}}}}',
        b'"}}',
        b'","policy":"twice"}}}',
        b'","more":1}}}',
        b'"}}},',
        b'"  }}}',
        b'\x00"}}}',
        b'\\q"}}}',
        b'\xff"}}}',
        b'\\ud800"}}}',
        'ä"}}}'.encode(),
        b"[" * 65 + b'"}}}',
    ],
)
def test_a_known_beginning_proves_nothing_of_an_unusual_end(tail: bytes) -> None:
    requests = KnownRequests()
    requests.keep(words_of(written("p")), KNOWN.with_policy("p"), PLACE)

    assert requests.find(words_of(written("p").removesuffix(b'"}}}') + tail)) is None


def test_a_request_without_a_policy_is_known_by_all_its_words() -> None:
    requests = KnownRequests()

    requests.keep(words_of(written("")), KNOWN, PLACE)
    requests.keep(words_of(written("", name="bare")), KNOWN, PLACE)

    assert requests.find(words_of(written("p"))) is None
    assert requests.find(words_of(written(""))) == (KNOWN, PLACE)


def test_a_known_beginning_alone_is_no_request() -> None:
    requests = KnownRequests()
    words = words_of(written("p"))

    requests.keep(words, KNOWN.with_policy("p"), PLACE)

    assert requests.find(words_of(words[0])) is None


def test_a_known_policy_leads_to_the_known_place_in_whatever_order_it_is_written() -> None:
    requests = KnownRequests()
    one, other = policy(environment="prod", path="/"), policy(path="/", environment="prod")
    place = place_of({"environment": "prod", "path": "/"})
    reordered = place_of({"path": "/", "environment": "prod"})

    requests.keep(words_of(written(one)), KNOWN.with_policy(one), place)
    assert requests.find(words_of(written(other))) == (KNOWN.with_policy(other), None)
    requests.keep(words_of(written(other)), KNOWN.with_policy(other), reordered)

    for text in (one, other):
        found = requests.find(words_of(written(text)))
        assert found is not None
        assert found.place is reordered


def test_a_policy_that_another_request_came_with_does_not_lead_to_this_ones_place() -> None:
    requests = KnownRequests()
    prod, test = policy(environment="prod"), policy(environment="test")
    in_test = place_of({"environment": "test"})
    requests.keep(words_of(written(prod)), KNOWN.with_policy(prod), PLACE)

    requests.keep(words_of(written(test, key="OTHER")), KNOWN.with_policy(test), in_test)

    assert requests.find(words_of(written(test))) == (KNOWN.with_policy(test), None)


def test_what_an_entity_means_by_a_policy_is_not_known_for_another() -> None:
    requests = KnownRequests()
    one, other = policy(environment="prod", path="/"), policy(path="/", environment="prod")
    place = place_of({"environment": "prod", "path": "/"})
    entity = fake_claims(subject="2")
    theirs = KNOWN._replace(caller=replace(KNOWN.caller, entity=entity))
    requests.keep(words_of(written(one)), KNOWN.with_policy(one), place)

    requests.keep(words_of(written(other, name="theirs")), theirs.with_policy(other), place)

    assert requests.find(words_of(written(other))) == (KNOWN.with_policy(other), None)


def test_a_long_policy_is_read_each_time() -> None:
    requests = KnownRequests()
    long = policy(path="/" + "p" * MAX_POLICY_LENGTH)

    requests.keep(words_of(written(long)), KNOWN.with_policy(long), PLACE)

    assert requests.find(words_of(written(long))) == (KNOWN.with_policy(long), None)


async def test_a_policy_in_another_order_leads_where_the_known_one_did(core: Core) -> None:
    core.store.put("/KEY", "other value", environment="test")

    await core.get(policy=policy(environment="prod", backend="here"))
    await core.get(policy=policy(backend="here", environment="prod"))
    other = await core.get(policy=policy(backend="here", environment="test"))

    assert other == Secret("1", SecretValue("other value"))
    assert core.tokens.asked == [ENTITY, HOST]
    first, second, third = core.audit.events
    assert first.location is second.location
    assert first.properties is second.properties
    assert third.properties == {"environment": "test"}


async def test_a_policy_that_cannot_be_read_is_refused_though_the_rest_is_known(core: Core) -> None:
    await core.get(policy=policy(environment="prod"))

    assert isinstance(await core.get(policy=policy(region="eu")), PolicyError)
    assert isinstance(await core.get(policy="{"), PolicyError)
