"""What is remembered of an allowed request, and what is checked again every time."""

from __future__ import annotations

import json

import pytest
from typing_extensions import override

from domain.model.access import AccessPolicy, AccessRequest, Decision
from domain.model.authenticated_request import AskedSecret, AuthenticatedRequest
from domain.model.errors import InvalidEntityJwt, InvalidHostJwt, PolicyError, Unauthorized
from domain.model.identity import Caller, IdentityKind
from domain.model.messages import Application, SecretRequest
from domain.model.secret import Secret, SecretValue
from domain.use_cases.known_requests import MAX_LENGTH, KnownRequests, Words
from tests.fakes.secret_store import FakeSecretStore
from tests.fakes.token_verifier import fake_claims
from tests.support.core import ENTITY, HOST, Core, policy

KNOWN = AuthenticatedRequest(
    AskedSecret("KEY"), "", Caller(fake_claims(), fake_claims(IdentityKind.HOST))
)


class Switch(AccessPolicy):
    """Allows every caller or none."""

    allows = True

    @override
    def decide(self, request: AccessRequest) -> Decision:
        return Decision(self.allows, "switched")

    @property
    @override
    def revision(self) -> object:
        return self.allows


@pytest.fixture
def core() -> Core:
    core = Core(access=Switch(), store=FakeSecretStore(environments=("prod", "test")))
    core.store.put("/KEY", "value")
    return core


def test_the_same_bytes_find_the_request_again_and_no_others_do() -> None:
    requests = KnownRequests()

    requests.keep(Words.of(b"words"), KNOWN)

    assert requests.find(Words.of(b"words")) is KNOWN
    assert requests.find(Words.of(b"word")) is None


def test_the_least_recently_used_request_goes_first() -> None:
    requests = KnownRequests(capacity=2)
    requests.keep(Words.of(b"first"), KNOWN)
    requests.keep(Words.of(b"second"), KNOWN)
    requests.find(Words.of(b"first"))

    requests.keep(Words.of(b"third"), KNOWN)

    assert [requests.find(Words.of(words)) for words in (b"first", b"second", b"third")] == [
        KNOWN,
        None,
        KNOWN,
    ]


def test_a_long_request_is_not_kept() -> None:
    requests = KnownRequests()

    requests.keep(Words.of(b"w" * MAX_LENGTH), KNOWN)
    requests.keep(Words.of(b"w" * (MAX_LENGTH + 1)), KNOWN)

    assert requests.find(Words.of(b"w" * MAX_LENGTH)) is KNOWN
    assert requests.find(Words.of(b"w" * (MAX_LENGTH + 1))) is None


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

    requests.keep(Words.of(written(first)), KNOWN.with_policy(first))

    assert requests.find(Words.of(written(second))) == KNOWN.with_policy(second)
    assert requests.find(Words.of(written(second, name="other"))) is None
    assert requests.find(Words.of(written(second, version="2"))) is None


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

    requests.keep(Words.of(words), KNOWN.with_policy("same"))

    assert requests.find(Words.of(words[: -len(b'same"}}}')] + b'other"}}}')) is None


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
    requests.keep(Words.of(written("p")), KNOWN.with_policy("p"))

    assert requests.find(Words.of(written("p").removesuffix(b'"}}}') + tail)) is None


def test_a_request_without_a_policy_is_known_by_all_its_words() -> None:
    requests = KnownRequests()

    requests.keep(Words.of(written("")), KNOWN)
    requests.keep(Words.of(written("", name="bare")), KNOWN)

    assert requests.find(Words.of(written("p"))) is None


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


async def test_a_request_in_the_same_words_is_read_once(core: Core) -> None:
    first, second = await core.get(), await core.get()

    assert first == second == Secret("1", SecretValue("value"))
    assert core.tokens.asked == [ENTITY, HOST]
    one, other = core.audit.events
    assert (one.key, one.caller, one.location) == (other.key, other.caller, other.location)


async def test_another_key_version_field_or_token_is_read_anew(core: Core) -> None:
    core.tokens.register("other", fake_claims(subject="2"))
    core.store.put("/OTHER", "other value")

    await core.get()
    other = await core.get("OTHER")
    await core.get(version="1")
    await core.get(field="a")
    await core.get(entity="other")

    assert other == Secret("1", SecretValue("other value"))
    assert core.tokens.asked == [ENTITY, HOST] * 4 + ["other", HOST]
    assert core.audit.events[-1].caller != core.audit.events[0].caller


async def test_who_is_refused_is_read_anew_each_time(core: Core, switch: Switch) -> None:
    switch.allows = False

    assert isinstance(await core.get(), Unauthorized)
    assert isinstance(await core.get(), Unauthorized)

    assert core.tokens.asked == [ENTITY, HOST] * 2


async def test_rules_that_change_hold_for_requests_that_were_allowed_before(
    core: Core, switch: Switch
) -> None:
    await core.get()

    switch.allows = False

    assert isinstance(await core.get(), Unauthorized)


@pytest.mark.parametrize(
    ("token", "kind", "error"),
    [
        (ENTITY, IdentityKind.COMPONENT, InvalidEntityJwt),
        (HOST, IdentityKind.HOST, InvalidHostJwt),
    ],
)
async def test_a_token_that_expired_meanwhile_is_refused_and_the_audit_tells_what_was_asked(
    core: Core, token: str, kind: IdentityKind, error: type[Exception]
) -> None:
    core.tokens.register(token, fake_claims(kind, expires_at=int(core.clock.now()) + 10))
    assert isinstance(await core.get(), Secret)

    core.clock.jump(10 + 5)

    assert isinstance(await core.get(), error)
    event = core.audit.events[-1]
    assert (event.reason, event.key, event.caller) == ("expired", "KEY", None)


async def test_a_secret_that_changed_is_served_as_it_is_now(core: Core) -> None:
    await core.get()

    core.store.put("/KEY", "changed")

    assert (await core.get()) == Secret("2", SecretValue("changed"))


@pytest.fixture
def switch(core: Core) -> Switch:
    assert isinstance(core.access, Switch)
    return core.access
