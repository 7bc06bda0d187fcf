"""A request that asks only whether it can be opened is no refusal in the audit trail."""

from __future__ import annotations

import pytest

from domain.model.audit import Outcome
from domain.model.errors import InvalidEntityJwt, KeyProbe
from domain.model.messages import PROBE_KEY
from tests.support.core import ENTITY, HOST, Core


async def test_a_probe_gets_a_typed_error_and_is_recorded_as_answered() -> None:
    core = Core()

    error = await core.get(PROBE_KEY, entity="", host="")

    assert type(error) is InvalidEntityJwt
    assert "(request " in error.advice
    assert (core.event.outcome, core.event.reason) == (Outcome.ANSWERED, KeyProbe.default_reason)
    assert (core.event.key, core.event.error, core.event.version_served) == (PROBE_KEY, None, None)
    assert not core.event.has_left


@pytest.mark.parametrize(
    ("key", "entity", "host"),
    [("KEY", "", ""), (PROBE_KEY, "x", ""), (PROBE_KEY, "", HOST), (PROBE_KEY, "x", HOST)],
)
async def test_anything_else_without_valid_tokens_is_a_refusal(
    key: str, entity: str, host: str
) -> None:
    core = Core()

    assert isinstance(await core.get(key, entity=entity, host=host), InvalidEntityJwt)
    assert core.event.outcome is Outcome.REFUSED


async def test_a_secret_of_that_name_is_served_as_any_other() -> None:
    core = Core()
    core.store.put(f"/{PROBE_KEY}", "value")

    await core.get(PROBE_KEY, entity=ENTITY, host=HOST)

    assert core.event.version_served == "1"
