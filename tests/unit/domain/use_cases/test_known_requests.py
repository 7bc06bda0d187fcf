"""What is remembered of an allowed request, and what is checked again every time."""

from __future__ import annotations

import pytest

from domain.model.errors import InvalidEntityJwt, InvalidHostJwt, Unauthorized
from domain.model.identity import IdentityKind
from domain.model.secret import Secret, SecretValue
from domain.use_cases.known_requests import MAX_LENGTH, KnownRequests, words_of
from tests.fakes.token_verifier import fake_claims
from tests.support.core import ENTITY, HOST, Core
from tests.unit.domain.use_cases.known_rig import KNOWN, PLACE, Switch


def test_the_same_bytes_find_the_request_again_and_no_others_do() -> None:
    requests = KnownRequests()

    requests.keep(words_of(b"words"), KNOWN, PLACE)

    assert requests.find(words_of(b"words")) == (KNOWN, PLACE)
    assert requests.find(words_of(b"word")) is None


def test_the_least_recently_used_request_goes_first() -> None:
    requests = KnownRequests(capacity=2)
    requests.keep(words_of(b"first"), KNOWN, PLACE)
    requests.keep(words_of(b"second"), KNOWN, PLACE)
    requests.find(words_of(b"first"))

    requests.keep(words_of(b"third"), KNOWN, PLACE)

    assert [requests.find(words_of(words)) for words in (b"first", b"second", b"third")] == [
        (KNOWN, PLACE),
        None,
        (KNOWN, PLACE),
    ]


def test_a_long_request_is_not_kept() -> None:
    requests = KnownRequests()

    requests.keep(words_of(b"w" * MAX_LENGTH), KNOWN, PLACE)
    requests.keep(words_of(b"w" * (MAX_LENGTH + 1)), KNOWN, PLACE)

    assert requests.find(words_of(b"w" * MAX_LENGTH)) == (KNOWN, PLACE)
    assert requests.find(words_of(b"w" * (MAX_LENGTH + 1))) is None


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
