"""Calls to NATS end by the deadline, and fail in words that say what to do."""

from __future__ import annotations

import asyncio

import nats.errors
import nats.js.errors
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.errors import APIError, ServiceUnavailableError
from typing_extensions import override

from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats_kv.calls import ask, upstream_error
from adapters.nats_kv.jetstream_errors import error_of
from adapters.nats_kv.store import NatsKvSecretStore
from domain.model.errors import PolicyError, UpstreamError
from domain.model.reference import SecretLocation, SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.support.environments import kv_settings
from tests.support.refused import refused

UPSTREAM_WORDS = "the upstream's own words"
API_ERROR = nats.js.errors.APIError


class ScriptedClient(Client):
    """A connection that was never opened; each request gets the next outcome.

    The last outcome stays for good. None is no answer at all, which the driver reports as its
    own timeout.
    """

    def __init__(self, *outcomes: bytes | Exception | None) -> None:
        super().__init__()
        self.outcomes = list(outcomes)
        self.subjects: list[str] = []

    @override
    async def request(
        self,
        subject: str,
        payload: bytes = b"",
        timeout: float = 0.5,
        old_style: bool = False,
        headers: dict[str, str] | None = None,
    ) -> Msg:
        self.subjects.append(subject)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if outcome is None:
            await asyncio.sleep(0)
            raise nats.errors.TimeoutError
        if isinstance(outcome, Exception):
            raise outcome
        return Msg(self, subject, data=outcome)


def store_over(client: Client, clock: FakeClock) -> NatsKvSecretStore:
    return NatsKvSecretStore(
        client=client,
        config=kv_settings(),
        encryption_xkey=SodiumXKeyPair.generate(),
        clock=clock,
    )


def query(deadline: float) -> SecretQuery:
    return SecretQuery(SecretLocation("/key"), None, CALLER, deadline)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "timeout"),
        (nats.errors.TimeoutError(), "timeout"),
        (nats.errors.NoRespondersError(), "jetstream_unavailable"),
        (nats.js.errors.NoStreamResponseError(), "jetstream_unavailable"),
        (nats.js.errors.ServiceUnavailableError(), "jetstream_unavailable"),
        (nats.js.errors.ServiceUnavailableError(503, err_code=10039), "jetstream_disabled"),
        (API_ERROR(400, UPSTREAM_WORDS, 10054), "jetstream_refused"),
        (API_ERROR(408, UPSTREAM_WORDS), "jetstream_refused"),
        (nats.errors.MaxPayloadError(), "message_too_long"),
        (nats.errors.ConnectionClosedError(), "nats_failed"),
        (nats.errors.OutboundBufferLimitError(), "nats_failed"),
        (ConnectionResetError(UPSTREAM_WORDS), "nats_failed"),
    ],
)
async def test_a_failure_is_told_apart_and_never_in_natss_own_words(
    error: Exception, reason: str
) -> None:
    async def call() -> None:
        raise error

    clock = FakeClock()
    with pytest.raises(UpstreamError) as caught:
        await ask(clock, clock.monotonic() + 1, call)

    assert caught.value.reason == reason
    assert UPSTREAM_WORDS not in caught.value.advice
    assert caught.value.__context__ is None


def test_every_error_that_the_driver_declares_is_translated() -> None:
    def below(kind: type[Exception]) -> list[type[Exception]]:
        return [kind, *(each for sub in kind.__subclasses__() for each in below(sub))]

    for kind in below(nats.errors.Error):
        error = kind.__new__(kind)
        assert isinstance(upstream_error(error), UpstreamError)


async def test_a_fetch_that_gets_no_answer_ends_at_the_deadline() -> None:
    clock = FakeClock()
    client = ScriptedClient(None)
    fetch = asyncio.create_task(store_over(client, clock).fetch(query(clock.monotonic() + 8)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not fetch.done()

    clock.advance(8)

    with refused(UpstreamError, "timeout"):
        await fetch


async def test_a_request_that_got_lost_is_sent_again() -> None:
    clock = FakeClock()
    missing = b'{"error": {"code": 404, "err_code": 10059, "description": "stream not found"}}'
    client = ScriptedClient(None, None, missing)

    with refused(UpstreamError, "bucket_missing"):
        await store_over(client, clock).fetch(query(clock.monotonic() + 8))
    assert client.subjects == ["$JS.API.STREAM.INFO.KV_WASMCLOUD_SECRETS"] * 3


async def test_a_deadline_already_past_is_an_upstream_error() -> None:
    clock = FakeClock()

    with pytest.raises(UpstreamError):
        await store_over(ScriptedClient(None), clock).fetch(query(clock.monotonic() - 1))


async def test_a_cancellation_from_outside_passes_through() -> None:
    clock = FakeClock()
    fetch = asyncio.create_task(
        store_over(ScriptedClient(None), clock).fetch(query(clock.monotonic() + 8))
    )
    await asyncio.sleep(0)
    fetch.cancel()

    with pytest.raises(asyncio.CancelledError):
        await fetch


def test_the_property_bucket_may_only_repeat_the_configured_one() -> None:
    store = store_over(ScriptedClient(None), FakeClock())

    located = store.locate(SecretReference("/a/B", {"bucket": "WASMCLOUD_SECRETS"}))

    assert located == SecretLocation("/a/B", (("bucket", "WASMCLOUD_SECRETS"),))
    with pytest.raises(PolicyError):
        store.locate(SecretReference("/a/B", {"bucket": "OTHER"}))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (10077, "cannot write to its disk"),
        (10023, "max_file_store"),
        (10028, "max_memory_store"),
        (10060, "stream of another name"),
        (10120, "tier"),
        (10111, "allow_rollup_hdrs"),
        (10054, "max_msg_size"),
    ],
)
def test_a_refusal_names_its_code_and_what_to_change(code: int, said: str) -> None:
    error = error_of(code)

    assert error is not None
    assert error.reason == "jetstream_refused"
    assert said in error.advice
    assert str(code) in error.advice


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("maximum bytes exceeded", "max_bytes"),
        ("maximum messages exceeded", "max_msgs"),
        ("maximum messages per subject exceeded", "discard_new_per_subject"),
        ("write /data/1.blk: no space left on device", "disk is full"),
    ],
)
def test_a_message_that_is_not_stored_says_which_limit_is_reached(words: str, said: str) -> None:
    error = error_of(10077, words)

    assert error is not None
    assert said in error.advice
    assert "/data" not in error.advice


@pytest.mark.parametrize("code", [10004, 10008, 10035, 10036, 10063, 10075, 10163, 10999])
def test_a_503_with_a_code_is_an_answer_of_jetstream(code: int) -> None:
    refused = ServiceUnavailableError(code=503, err_code=code, description="canary")

    advice = upstream_error(refused).advice

    assert str(code) in advice
    assert "does not answer" not in advice
    assert "canary" not in advice


def test_a_503_without_a_code_is_no_answer() -> None:
    assert "does not answer" in upstream_error(ServiceUnavailableError(code=503)).advice


def test_a_status_without_a_code_is_an_answer_of_jetstream() -> None:
    assert "error 408" in upstream_error(APIError(code=408, description="canary")).advice


def test_a_code_that_a_bucket_does_not_meet_has_no_text() -> None:
    assert error_of(10900) is None
    assert error_of(None) is None
