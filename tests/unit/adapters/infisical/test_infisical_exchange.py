"""One call: what its failures are called, and what they keep."""

from __future__ import annotations

import ssl

import httpx
import pytest

from adapters.infisical import reasons
from adapters.infisical.exchange import ExchangeFailedError, exchange


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


async def test_a_body_in_a_broken_encoding_is_no_answer() -> None:
    headers = {"content-encoding": "gzip"}
    http = httpx.AsyncClient(
        transport=httpx.MockTransport(
            lambda _: httpx.Response(200, headers=headers, stream=httpx.ByteStream(b"canary"))
        )
    )

    assert (await failure_of(http)).kind == "DecodingError"


async def test_the_failure_keeps_nothing_of_the_request() -> None:
    failure = await failure_of(failing(httpx.ReadError("canary")))

    assert failure.__context__ is None
    assert "canary" not in repr(failure) + str(vars(failure))
