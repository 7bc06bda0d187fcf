"""The token is read again and again, trimmed, never sent empty, and shows nowhere."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from adapters.kubernetes.credentials import REREAD_SECONDS, FixedToken, TokenFile
from adapters.upstream.engine import Failure, TransportError
from domain.model.errors import SecretsError, UpstreamError
from ports.store_check import StoreMisconfiguredError, StoreUnreachableError
from tests.fakes.clock import FakeClock
from tests.support.infisical_model import Result
from tests.support.kubernetes_model import MESSAGE, TOKEN, status
from tests.support.refused import refused
from tests.unit.adapters.kubernetes.kubernetes_rig import KubernetesRig

if TYPE_CHECKING:
    from pathlib import Path


async def read(source: TokenFile) -> str:
    return (await source.current()).get_secret_value()


@pytest.mark.parametrize("text", ["canary-1", " canary-1\n", "\tcanary-1\r\n"])
async def test_the_blanks_around_a_token_are_dropped(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)

    assert await read(TokenFile(file, FakeClock())) == "canary-1"


async def test_the_file_is_read_again_after_a_while(tmp_path: Path) -> None:
    clock, file = FakeClock(), tmp_path / "token"
    file.write_text("canary-1")
    source = TokenFile(file, clock)
    await read(source)

    file.write_text("canary-2")
    clock.advance(REREAD_SECONDS - 0.1)
    before = await read(source)
    clock.advance(0.1)

    assert (before, await read(source)) == ("canary-1", "canary-2")


async def test_a_refusal_has_it_read_again_at_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("canary-1")
    source = TokenFile(file, FakeClock())
    await read(source)
    file.write_text("canary-2")

    assert source.refused()
    assert await read(source) == "canary-2"


async def test_the_kubelets_swap_of_the_folder_is_followed(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"data-{number}").mkdir()
        (tmp_path / f"data-{number}" / "token").write_text(f"canary-{number}")
    (tmp_path / "data").symlink_to("data-1")
    source = TokenFile(tmp_path / "data" / "token", FakeClock())
    assert await read(source) == "canary-1"

    (tmp_path / "next").symlink_to("data-2")
    (tmp_path / "next").rename(tmp_path / "data")
    source.refused()

    assert await read(source) == "canary-2"


@pytest.mark.parametrize("text", ["", " \n", "two words", "a\0b", "canary-ä", "a\nb"])
async def test_what_is_no_token_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)

    with pytest.raises(UpstreamError) as failure:
        await TokenFile(file, FakeClock()).current()

    assert failure.value.reason == "kubernetes_token_unreadable"
    assert not text.strip() or text not in failure.value.advice


async def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with refused(UpstreamError, "kubernetes_token_unreadable"):
        await TokenFile(tmp_path / "absent", FakeClock()).current()


@pytest.mark.parametrize("broken", ["gone", "empty"])
async def test_a_token_that_is_known_serves_while_the_file_is_broken(
    tmp_path: Path, broken: str
) -> None:
    file = tmp_path / "token"
    file.write_text("canary-1")
    source = TokenFile(file, FakeClock())
    await read(source)
    if broken == "gone":
        file.unlink()
    else:
        os.truncate(file, 0)
    source.refused()

    assert await read(source) == "canary-1"


async def test_a_fixed_token_is_not_tried_twice() -> None:
    source = FixedToken(SecretStr(" canary-1 "))
    token = await source.current()

    assert token.get_secret_value() == "canary-1"
    assert not source.refused()
    assert "canary" not in repr(token)


def test_an_empty_fixed_token_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="is empty"):
        FixedToken(SecretStr("  "))


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
