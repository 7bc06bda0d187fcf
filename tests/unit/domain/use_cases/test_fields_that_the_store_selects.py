"""A store whose objects hold several values selects the field itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from domain.model.errors import SecretNotFound
from domain.model.secret import Secret, SecretValue
from tests.fakes.secret_store import FakeSecretStore
from tests.support.core import Core

if TYPE_CHECKING:
    from domain.model.reference import SecretLocation, SecretQuery, SecretReference

VALUES: dict[str | None, str | bytes] = {"text": '{"a":"b"}', "binary": b"\xff\x00", None: "{}"}


class ObjectStore(FakeSecretStore):
    """Holds one object of two named values under any key."""

    @override
    def locate(self, reference: SecretReference) -> SecretLocation:
        return super().locate(reference)._replace(field=reference.field)

    @override
    async def fetch(self, query: SecretQuery) -> Secret:
        self.queries.append(query)
        if query.location.field not in VALUES:
            raise SecretNotFound("No such field; check its spelling.", reason="field_not_found")
        return Secret("1", SecretValue(VALUES[query.location.field]))


async def value(core: Core, field: str | None) -> str | bytes:
    secret = await core.get("db", field=field)
    assert isinstance(secret, Secret)
    return secret.value.reveal()


async def test_the_value_of_the_field_is_answered_as_the_store_gave_it() -> None:
    core = Core(store=ObjectStore())

    assert await value(core, "binary") == b"\xff\x00"
    assert await value(core, "text") == '{"a":"b"}'
    assert await value(core, None) == "{}"


async def test_two_fields_of_one_key_are_two_places() -> None:
    core = Core(store=ObjectStore())

    await value(core, "text")
    await value(core, "binary")
    await value(core, "text")

    assert [query.location.field for query in core.store.queries] == ["text", "binary", "text"]
    assert {query.location.path for query in core.store.queries} == {"/db"}


async def test_a_field_that_the_store_does_not_have_is_not_found() -> None:
    core = Core(store=ObjectStore())

    assert isinstance(await core.get("db", field="other"), SecretNotFound)
    assert core.event.field == "other"
