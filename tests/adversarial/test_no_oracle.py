"""What the unauthorized can learn: nothing from the answer, and nothing from the work done."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.crypto.xkeys import SodiumXKeyPair
from domain.model.access import AccessPolicy, Decision
from domain.model.transport import Request
from tests.adversarial.defended_core import DefendedCore, LogText, message

if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from domain.model.access import AccessRequest
    from domain.model.transport import Reply

POLICY = '{"type":"properties.secret.wasmcloud.dev/v1alpha1","properties":{"environment":"dev"}}'
PROBES = [
    message("KEY"),
    message("MISSING"),
    message("/payments/API_KEY"),
    message("a/../b"),
    message(""),
    message("K" * 1024),
    message("KEY", version="1"),
    message("KEY", version="none"),
    message("KEY", field="user"),
    message("KEY", application={"policy": POLICY}),
    message("KEY", application={"policy": POLICY.replace("dev", "root")}),
    message("KEY", application={"policy": "malformed"}),
    message("a/../b", application={"policy": "malformed"}),
]


@dataclass
class DenyAll(AccessPolicy):
    """Refuses every caller and counts how often it was asked."""

    asked: int = field(default=0)

    @override
    def decide(self, request: AccessRequest) -> Decision:
        self.asked += 1
        return Decision(allowed=False, reason="issuer_not_trusted")

    @property
    @override
    def revision(self) -> object:
        return None


@pytest.fixture
def policy() -> DenyAll:
    return DenyAll()


@pytest.fixture
def closed(log: LogText, policy: DenyAll) -> DefendedCore:
    return DefendedCore(log, access=policy)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: json.dumps(probe)[:40])
async def test_every_refusal_is_the_same_bytes_after_the_same_steps(
    closed: DefendedCore, policy: DenyAll, probe: dict[str, Any]
) -> None:
    pair = SodiumXKeyPair.generate()
    sealed = pair.seal(json.dumps(probe).encode(), closed.server.public)

    reply = await closed.handle(sealed, pair.public)

    assert reply.body == b'{"error": "Unauthorized"}'
    assert reply.response_xkey is None
    assert closed.fetches == 0
    assert policy.asked == 1


async def test_a_refusal_does_the_same_work_whether_the_secret_exists_or_not(
    closed: DefendedCore,
) -> None:
    await calls_of(closed, message("EXISTS"))  # the tokens' signatures are remembered from now on
    closed.store.put("/EXISTS", "value")

    there, missing = [await calls_of(closed, message(key)) for key in ("EXISTS", "ABSENT")]

    assert there == missing
    assert there.total() > 50


async def test_being_allowed_makes_a_difference_that_the_count_of_calls_shows(
    log: LogText,
) -> None:
    """Guards the test above: counting calls would be no proof if it saw none."""
    core = DefendedCore(log)
    await calls_of(core, message("KEY"))

    there, missing = [await calls_of(core, message(key)) for key in ("KEY", "ABSENT")]

    assert there != missing


async def calls_of(core: DefendedCore, document: dict[str, Any]) -> Counter[str]:
    """Count the project's own functions called for one request."""
    pair = SodiumXKeyPair.generate()
    sealed = pair.seal(json.dumps(document).encode(), core.server.public)
    request = Request("get", sealed, pair.public, core.clock.monotonic())
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.partition(".")[0] in {"adapters", "domain", "tests"}:
            calls[f"{module}.{frame.f_code.co_name}"] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        reply: Reply = await core.answer.handle(request)
    finally:
        sys.setprofile(before)
    assert reply.body
    core.log.take()
    return calls


async def test_errors_before_authorization_tell_nothing_of_later_steps(
    closed: DefendedCore,
) -> None:
    """Each step's error is the same whatever the later parts of the request are."""
    for probe in PROBES:
        unsigned = {**probe, "context": {**probe["context"], "entity_jwt": "no.token.here"}}
        pair = SodiumXKeyPair.generate()
        sealed = pair.seal(json.dumps(unsigned).encode(), closed.server.public)
        refused = await closed.refused(sealed, pair.public)
        assert type(refused).__name__ == "InvalidEntityJwt"
        assert closed.record["reason"] == "bad_token"
