"""Nothing confidential leaves by a log, an exception or a repr."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from adapters.upstream.engine import TransportError
from domain.model.errors import SecretsError
from tests.support.infisical_model import CLIENT_SECRET, Result, refusal
from tests.unit.adapters.infisical.conftest import timed_out, unreachable, with_v4

if TYPE_CHECKING:
    from tests.unit.adapters.infisical.conftest import World

VALUE = "canary-value"
UPSTREAM_WORDS = "canary words of the upstream"
WRONG = {"secretKey": "OTHER", "secretValue": VALUE, "version": 1}

FAULTS: list[Result | TransportError] = [
    refusal(401, "UnauthorizedError", UPSTREAM_WORDS),
    refusal(403, "TokenError", UPSTREAM_WORDS),
    refusal(403, UPSTREAM_WORDS + "=1", UPSTREAM_WORDS),
    refusal(404, "NotFound", UPSTREAM_WORDS),
    refusal(422, "ValidationFailure", [UPSTREAM_WORDS]),
    refusal(500, "x", UPSTREAM_WORDS),
    refusal(429, "x", UPSTREAM_WORDS, retry_after="60"),
    Result(200, {"secret": WRONG}),
    Result(200, {"secret": {**WRONG, "secretKey": "KEY", "secretValue": "canary-${REF}"}}),
    Result(200, f'{{"secret": "{VALUE}'.encode(), {"content-type": "application/json"}),
    Result(200, VALUE.encode(), {"content-type": "text/html"}),
    unreachable("ReadError", never_sent=False),
    timed_out(),
]


def whole_story(error: BaseException | None) -> str:
    """Everything an error and those it was raised from could tell, locals included."""
    parts: list[str] = []
    while error is not None:
        parts += [repr(error), str(vars(error))]
        summary = traceback.TracebackException.from_exception(error, capture_locals=False)
        parts += list(summary.format(chain=False))
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_read_tells_nothing(
    world: World, fault: Result | TransportError, capsys: pytest.CaptureFixture[str]
) -> None:
    if isinstance(fault, TransportError):
        world.connection_faults = [fault] * 9
    else:
        world.model.faults = [fault] * 9

    with capture_logs() as logs, pytest.raises(SecretsError) as failure:
        await world.get("KEY")

    told = whole_story(failure.value) + str(logs) + capsys.readouterr().out
    assert "canary" not in told
    assert failure.value.__context__ is None


@pytest.mark.parametrize("fault", [f for f in FAULTS if isinstance(f, Result)])
async def test_a_failed_login_tells_nothing(world: World, fault: Result) -> None:
    world.model.login_faults = [fault] * 9

    with capture_logs() as logs, pytest.raises(SecretsError) as failure:
        await world.get("KEY")

    told = whole_story(failure.value) + str(logs)
    assert "canary" not in told
    assert failure.value.__context__ is None


@with_v4
async def test_a_good_read_logs_the_login_and_nothing_confidential(world: World) -> None:
    world.model.put("KEY", VALUE)

    with capture_logs() as logs:
        secret = await world.get("KEY")

    assert [log["event"] for log in logs] == ["infisical.login_succeeded"]
    assert "canary" not in str(logs) + repr(secret) + repr(world.store) + repr(world.config)


async def test_no_object_of_the_adapter_shows_credentials_in_its_repr(world: World) -> None:
    world.model.put("KEY", VALUE)
    await world.get("KEY")
    token = world.api.tokens._token

    assert "canary" not in repr(token) + repr(world.api.__dict__) + repr(world.store.__dict__)
    assert CLIENT_SECRET.startswith("canary")
