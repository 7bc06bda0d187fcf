"""A caller that is covered by a wildcard alone cannot tell absent from forbidden."""

from __future__ import annotations

from typing import Any

import pytest
from typing_extensions import override

from domain.model.access import AccessPolicy, AccessRequest, Decision, TrustedIssuers
from domain.model.errors import (
    SecretNotFound,
    Unauthorized,
    UpstreamError,
)
from domain.model.secret import Secret, SecretValue
from tests.support.core import Core


@pytest.fixture
def core() -> Core:
    return Core()


class Covering(AccessPolicy):
    """Allows everything, as by a wildcard or as written out."""

    def __init__(self, *, knows_of: bool) -> None:
        self._decision = Decision(allowed=True, reason="granted", grant="g", knows_of=knows_of)

    @override
    def decide(self, request: AccessRequest) -> Decision:
        return self._decision

    @property
    @override
    def revision(self) -> object:
        return self._decision


MISSING: list[dict[str, Any]] = [
    {"key": "ABSENT"},
    {"key": "KEY", "version": "7"},
    {"key": "KEY", "field": "absent"},
]


@pytest.mark.parametrize("asked", MISSING)
async def test_who_is_only_covered_by_a_wildcard_cannot_tell_absent_from_forbidden(
    asked: dict[str, Any],
) -> None:
    core = Core(access=Covering(knows_of=False), hide_missing=True)
    forbidding = Core(access=TrustedIssuers(frozenset()), hide_missing=True)
    for one in (core, forbidding):
        one.store.put("/KEY", "{}")

    hidden, refused = await core.get(**asked), await forbidding.get(**asked)

    assert isinstance(hidden, Unauthorized)
    assert isinstance(refused, Unauthorized)
    assert hidden.args == refused.args
    assert core.event.error == "Unauthorized"
    assert core.event.reason in {"secret_not_found", "field_not_found"}


@pytest.mark.parametrize("asked", MISSING)
@pytest.mark.parametrize(("knows_of", "hide"), [(True, True), (False, False)])
async def test_who_may_know_of_a_secret_is_told_that_it_is_missing(
    asked: dict[str, Any], knows_of: bool, hide: bool
) -> None:
    core = Core(access=Covering(knows_of=knows_of), hide_missing=hide)
    core.store.put("/KEY", "{}")

    assert isinstance(await core.get(**asked), SecretNotFound)
    assert core.event.error == "SecretNotFound"


async def test_hiding_what_is_missing_hides_nothing_else() -> None:
    core = Core(access=Covering(knows_of=False), hide_missing=True)
    core.store.put("/KEY", "value")

    assert await core.get() == Secret("1", SecretValue("value"))
    core.store.failure = UpstreamError("Ask again.", reason="away")
    assert isinstance(await core.get(), UpstreamError)
