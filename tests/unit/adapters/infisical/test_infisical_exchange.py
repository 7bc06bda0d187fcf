"""One call: what its failures are called, and what they keep."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx
import pytest
from typing_extensions import override

from adapters.infisical import reasons
from adapters.infisical.exchange import ExchangeFailedError, exchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def failing(error: Exception) -> httpx.AsyncClient:
    def handle(_: httpx.Request) -> httpx.Response:
        raise error

    return httpx.AsyncClient(transport=httpx.MockTransport(handle))


async def failure_of(http: httpx.AsyncClient) -> ExchangeFailedError:
    request = http.build_request("GET", "https://infisical.test/", headers={"x": "canary"})
    async with http:
        with pytest.raises(ExchangeFailedError) as failure:
            await exchange(http, request)
    return failure.value


async def test_an_untrusted_certificate_is_told_from_a_missing_server() -> None:
    untrusted, lower = httpx.ConnectError("verify failed"), httpx.ConnectError("lower layer")
    untrusted.__cause__, lower.__cause__ = lower, ssl.SSLCertVerificationError("self-signed")

    assert (await failure_of(failing(untrusted))).reason == reasons.CERTIFICATE_UNTRUSTED
    assert (await failure_of(failing(httpx.ConnectError("x")))).reason == reasons.UNREACHABLE
    assert (await failure_of(failing(httpx.ReadTimeout("x")))).reason == reasons.TIMED_OUT


async def test_causes_that_go_in_a_circle_end() -> None:
    one, two = httpx.ReadError("x"), httpx.ReadError("y")
    one.__cause__, two.__cause__ = two, one

    assert (await failure_of(failing(one))).reason == reasons.UNREACHABLE


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip", "identity, GZIP", "unheard"])
async def test_a_compressed_body_which_nobody_asked_for_is_never_unpacked(encoding: str) -> None:
    headers = {"content-encoding": encoding}

    class Bomb(httpx.AsyncByteStream):
        @override
        async def __aiter__(self) -> AsyncIterator[bytes]:
            raise AssertionError("it was read")
            yield b""

    http = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=Bomb()))
    )

    failure = await failure_of(http)

    assert (failure.reason, failure.kind) == (reasons.ANSWER_UNREADABLE, "EncodedAnswer")


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
async def test_a_body_that_calls_itself_uncompressed_is_read(encoding: str) -> None:
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    stream = httpx.ByteStream(b'{"error": "x"}')
    http = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=stream))
    )

    async with http:
        answer = await exchange(http, http.build_request("GET", "https://infisical.test/"))

    assert answer.label == "x"


async def test_the_failure_keeps_nothing_of_the_request() -> None:
    failure = await failure_of(failing(httpx.ReadError("canary")))

    assert failure.__context__ is None
    assert "canary" not in repr(failure) + str(vars(failure))
