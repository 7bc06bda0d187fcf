"""Nothing confidential leaves by a log, an exception or a repr."""

from __future__ import annotations

import traceback

import pytest
from structlog.testing import capture_logs

from adapters.upstream.engine import Failure, TransportError
from domain.model.errors import SecretsError
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from tests.support.infisical_model import Result
from tests.support.kubernetes_model import MESSAGE, TOKEN, status
from tests.unit.adapters.kubernetes.kubernetes_rig import KubernetesRig

VALUE = "canary-value"
METADATA = {"name": "db", "namespace": "shop", "uid": "u", "resourceVersion": "1"}

FAULTS: list[Result | TransportError] = [
    status(401, "Unauthorized"),
    status(403, "Forbidden", "secrets"),
    status(403, "Forbidden", "users"),
    status(404, "NotFound", "secrets"),
    status(422, MESSAGE),
    status(500, "InternalError"),
    status(429, "TooManyRequests", retry_after="60"),
    Result(200, {"kind": "Secret", "metadata": METADATA, "data": {"password": VALUE}}),
    Result(200, {"kind": "Secret", "metadata": METADATA, "data": {"other": "Y2FuYXJ5LXZhbHVl"}}),
    Result(200, {"kind": "SecretList", "items": [{"data": {"password": VALUE}}]}),
    Result(200, f'{{"kind":"Secret","data":"{VALUE}'.encode()),
    Result(200, VALUE.encode()),
    TransportError(Failure.UNREACHABLE, "ReadError"),
    TransportError(Failure.TIMED_OUT, "ReadTimeout"),
]


def whole_story(error: BaseException | None) -> str:
    """Return everything that an error and those it was raised from could tell."""
    parts: list[str] = []
    while error is not None:
        parts += [repr(error), str(vars(error))]
        parts += traceback.TracebackException.from_exception(error).format(chain=False)
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


def broken(fault: Result | TransportError) -> KubernetesRig:
    rig = KubernetesRig()
    if isinstance(fault, TransportError):
        rig.failures = [fault] * 9
    else:
        rig.model.faults = [fault] * 9
    return rig


def assert_secret(*told: object) -> None:
    for text in map(str, told):
        assert not any(
            canary in text for canary in (VALUE, TOKEN, MESSAGE, "canary", "Y2FuYXJ5LXZhbHVl")
        )


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_read_tells_nothing(
    fault: Result | TransportError, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = broken(fault)
    with capture_logs() as logs, pytest.raises(SecretsError) as failure:
        await rig.get("db", "password")

    assert_secret(whole_story(failure.value), logs, *capsys.readouterr())


@pytest.mark.parametrize("fault", FAULTS[:7])
async def test_a_failed_check_tells_nothing(fault: Result) -> None:
    rig = broken(fault)
    with capture_logs() as logs:
        try:
            await rig.check.check()
        except (StoreMisconfiguredError, StoreUnreachableError) as error:
            assert_secret(whole_story(error))

    assert_secret(logs)


async def test_no_part_shows_the_token_or_a_value() -> None:
    rig = KubernetesRig()
    rig.model.put("shop", "db", {"password": VALUE})
    secret = await rig.get("db", "password")

    assert_secret(secret, rig.engine.requests, rig.api, rig.store, rig.reader, vars(rig.reader))
