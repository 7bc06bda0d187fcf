"""What needs no wait is answered before `begin` returns; everything else is begun and awaited."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from domain.model.audit import Outcome
from domain.model.errors import DecryptionFailed, RequestError, SecretNotFound
from domain.model.secret import Secret, SecretValue
from domain.model.transport import Operation, Reply, Request
from ports.secret_store import CachedSecrets
from tests.fakes.secret_store import FakeSecretStore
from tests.support.core import ENTITY, HOST, Core

if TYPE_CHECKING:
    from domain.model.reference import SecretQuery


class Unasked(FakeSecretStore):
    """Must not be asked."""

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        raise AssertionError("the secret is cached")


class OneCached(CachedSecrets):
    @override
    def cached(self, query: SecretQuery) -> Secret | None:
        return Secret("7", SecretValue('{"user": "kept"}'))


def begin(core: Core, field: str | None = None) -> Secret | RequestError | None:
    """Begin one request as a host would send it; None if its reply has to be awaited."""
    host = core.host_keys.generate()
    message = {
        "key": "KEY",
        "field": field,
        "context": {"entity_jwt": ENTITY, "host_jwt": HOST},
    }
    sealed = host.seal(json.dumps(message).encode(), core.current.public)
    begun = core.answer.begin(core.request(sealed, host.public))
    if isinstance(begun, Reply):
        return core.open_reply(begun, host)
    begun.close()
    return None


@pytest.mark.parametrize(("field", "value"), [(None, '{"user": "kept"}'), ("user", "kept")])
async def test_what_is_cached_is_answered_at_once(field: str | None, value: str) -> None:
    core = Core(store=Unasked(), cache=OneCached())

    assert begin(core, field) == Secret("7", SecretValue(value))

    assert (core.event.outcome, core.event.version_served) == (Outcome.ANSWERED, "7")


async def test_a_field_missing_from_what_is_cached_is_refused_at_once() -> None:
    core = Core(store=Unasked(), cache=OneCached())

    assert isinstance(begin(core, "nothing"), SecretNotFound)

    assert core.event.reason == "field_not_found"


async def test_what_the_store_must_be_asked_for_is_only_begun() -> None:
    core = Core()
    core.store.put("/KEY", "value")

    assert begin(core) is None

    assert core.audit.events == []


async def test_a_bad_request_is_refused_at_once() -> None:
    core = Core()
    host = core.host_keys.generate()

    begun = core.answer.begin(core.request(b"not sealed", host.public))

    assert isinstance(begun, Reply)
    assert isinstance(core.open_reply(begun, host), DecryptionFailed)
    assert core.event.outcome is Outcome.REFUSED


async def test_the_server_xkey_is_told_at_once() -> None:
    core = Core()

    begun = core.answer.begin(Request(Operation.SERVER_XKEY, b"", None, core.clock.monotonic()))

    assert begun == Reply(core.current.public.encode())
    assert core.event.reason == "public"
