"""What a real OpenBao answered to reads and logins, and what becomes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from adapters.upstream.admission import Admission
from adapters.upstream.admission_config import AdmissionConfig
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.http import UpstreamHttp
from adapters.upstream.message import UpstreamResponse
from adapters.vault.caller_errors import caller_login_error
from adapters.vault.error_map import error_for
from adapters.vault.http_calls import HttpCalls, is_vault_answer
from adapters.vault.login import login_error, read_token
from adapters.vault.quotas import without_quotas
from adapters.vault.values import read_unversioned, read_versioned
from adapters.vault.wire import OK, Answer, Call
from domain.model.errors import RateLimited, SecretNotFound, SecretsError, UpstreamError
from domain.model.reference import SecretLocation
from tests.fakes.clock import FakeClock
from tests.fakes.http_engine import FakeHttpEngine
from tests.support.refused import refused
from tests.support.vault_recordings import RECORDINGS, recording

if TYPE_CHECKING:
    from domain.model.secret import Secret


NOW = 1_795_900_000.0
LOCATION = SecretLocation("/app/db")
CONFIG = UpstreamConfig("Vault", "vault", "https://vault.test", "VAULT_ADDR", "VAULT_CACERT")
UNVERSIONED_MOUNTS = ("/v1/kv1/", "/v1/kvnover/")

READS = json.loads((RECORDINGS / "expected-reads.json").read_text("utf-8"))
VALUES: dict[str, list[str]] = READS["values"]
REFUSALS: dict[str, list[str]] = READS["refusals"]


async def answered(name: str) -> Answer:
    """Return a recorded answer as the client of the store has it; no call has time for a pause."""
    clock = FakeClock()
    engine = FakeHttpEngine(lambda _: recording(name).response)
    http = UpstreamHttp(CONFIG, clock, lambda: 0.0, is_api_answer=is_vault_answer, engine=engine)
    http.adapt = without_quotas
    admission = Admission(AdmissionConfig("Vault", "vault", "LIMIT", 4), clock)
    calls = HttpCalls(http, admission, clock, lambda: 0.0, {})
    call = Call("GET", "/v1/secret/data/app/db", tenant="app", mount="secret")
    return await calls.call(call, clock.monotonic() + 0.2)


def outcome(name: str, version: str | None = None, answer: Answer | None = None) -> Secret:
    """Read a recorded answer as the store does."""
    recorded = recording(name)
    answer = answer or Answer.of(recorded.response)
    if answer.status != OK:
        raise error_for(answer)
    if recorded.target.startswith(UNVERSIONED_MOUNTS):
        return read_unversioned(answer, LOCATION)
    return read_versioned(answer, LOCATION, version, NOW)


@pytest.mark.parametrize(("name", "expected"), VALUES.items())
def test_a_recorded_value_is_served_with_its_version(name: str, expected: list[str]) -> None:
    secret = outcome(name)

    assert [secret.version, secret.value.reveal()] == expected
    assert secret.upstream_request_id is not None


@pytest.mark.parametrize(("name", "expected"), REFUSALS.items())
async def test_a_recorded_refusal_is_the_typed_error_that_it_means_without_a_word_of_the_server(
    name: str, expected: list[str]
) -> None:
    answer = Answer.of(recording(name).response)
    with pytest.raises(SecretsError) as refused:
        outcome(name, answer=await answered(name))

    assert [type(refused.value).__name__, refused.value.reason] == expected
    assert refused.value.__context__ is None
    for text in filter(None, (answer.texts, answer.warnings)):
        assert text not in refused.value.advice
    assert "secret/data" not in refused.value.advice
    assert "errors" not in repr(answer)


@pytest.mark.parametrize(
    ("name", "version"),
    [("kv2_version_01", "2"), ("kv2_version_010_is_octal", "10"), ("kv2_version_0", "1")],
)
def test_another_version_than_the_one_asked_for_is_not_served(name: str, version: str) -> None:
    with refused(SecretNotFound, "version_not_found"):
        outcome(name, version)


def test_a_value_that_is_to_be_deleted_may_be_cached_until_then() -> None:
    secret = outcome("kv2_deletion_time_in_future")

    assert secret.max_age_seconds == pytest.approx(35.3478, abs=0.001)


@pytest.mark.parametrize(("name", "seconds"), [("kv1_ttl_member", 30.0), ("kv1_read_ok", 2764800)])
def test_advice_of_version_1_bounds_the_cache(name: str, seconds: float) -> None:
    assert outcome(name).max_age_seconds == seconds


def test_numbers_that_the_server_may_have_changed_are_noted() -> None:
    assert outcome("kv2_typed_values").note == "numbers_may_be_inexact"
    assert outcome("kv2_read_ok").note is None
    assert outcome("kv1_read_ok").note is None


def test_custom_metadata_has_fields_read_as_base64() -> None:
    assert outcome("kv2_custom_metadata").field_encoding == "base64"
    assert outcome("kv2_read_ok").field_encoding is None


def test_a_value_of_version_1_that_looks_like_version_2_is_not_read_as_one() -> None:
    answer = Answer.of(recording("kv1_looks_like_v2").response)

    with refused(UpstreamError, "answer_unreadable"):
        read_versioned(answer, LOCATION, None, NOW)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("quota_headers_off_4", 1.0), ("quota_headers_on_4", 4.0), ("quota_block_3", 9.0)],
)
async def test_a_rate_limit_tells_when_to_come_back(name: str, seconds: float) -> None:
    with pytest.raises(RateLimited) as refused:
        await answered(name)

    assert refused.value.retry_after == seconds


LOGINS = json.loads((RECORDINGS / "expected-logins.json").read_text("utf-8"))
TOKENS: dict[str, list[object]] = LOGINS["tokens"]
SERVICE: dict[str, list[str]] = LOGINS["service_refusals"]
CALLER: dict[str, list[str]] = LOGINS["caller_refusals"]


def answer(name: str) -> Answer:
    return Answer.of(recording(name).response)


@pytest.mark.parametrize(("name", "expected"), TOKENS.items())
def test_a_recorded_login_gives_a_token_with_its_time(name: str, expected: list[object]) -> None:
    token = read_token(answer(name))

    assert [token.seconds, token.is_renewable, token.is_batch] == expected
    assert token.value.get_secret_value() not in repr(token)


@pytest.mark.parametrize(("name", "expected"), SERVICE.items())
def test_a_recorded_refusal_of_the_service_has_its_reason(name: str, expected: list[str]) -> None:
    error: UpstreamError
    try:
        token = read_token(answer(name)) if answer(name).status == 200 else None
        assert token is None
        error = login_error(answer(name))
    except UpstreamError as raised:
        error = raised

    assert [type(error).__name__, error.reason] == expected


@pytest.mark.parametrize(("name", "expected"), CALLER.items())
def test_a_recorded_refusal_of_a_caller_has_its_reason(name: str, expected: list[str]) -> None:
    error = caller_login_error(answer(name))

    assert [type(error).__name__, error.reason] == expected


def test_no_word_of_a_refused_login_is_passed_on() -> None:
    for name in CALLER:
        for error in (login_error(answer(name)), caller_login_error(answer(name))):
            for text in filter(None, answer(name).texts.split("\n")):
                assert text not in error.advice, name


@pytest.mark.parametrize(
    "auth",
    [
        "null",
        "{}",
        '{"client_token":"","lease_duration":1}',
        '{"client_token":"s.a b","lease_duration":1}',
        '{"client_token":"s.a\\r\\nX: y","lease_duration":1}',
        '{"client_token":"s.a","lease_duration":-1}',
        '{"client_token":"s.a","lease_duration":"1"}',
        '{"client_token":"s.a","lease_duration":1.5}',
        '{"client_token":"s.a"}',
    ],
)
def test_an_answer_without_a_token_that_can_be_sent_is_an_error(auth: str) -> None:
    response = UpstreamResponse(200, {}, f'{{"request_id":"a","auth":{auth}}}'.encode())

    with refused(UpstreamError, "answer_unreadable"):
        read_token(Answer.of(response))


def test_a_login_that_lasts_for_ever_has_no_end() -> None:
    body = b'{"request_id":"a","auth":{"client_token":"s.a","lease_duration":0}}'

    assert read_token(Answer.of(UpstreamResponse(200, {}, body))).seconds is None
