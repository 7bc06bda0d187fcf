"""What a real OpenBao answered to logins, and what becomes of it."""

from __future__ import annotations

import json

import pytest

from adapters.upstream.message import UpstreamResponse
from adapters.vault.caller_errors import caller_login_error
from adapters.vault.login import login_error, read_token
from adapters.vault.wire import Answer
from domain.model.errors import UpstreamError
from tests.support.vault_recordings import RECORDINGS, recording

EXPECTED = json.loads((RECORDINGS / "expected-logins.json").read_text("utf-8"))
TOKENS: dict[str, list[object]] = EXPECTED["tokens"]
SERVICE: dict[str, list[str]] = EXPECTED["service_refusals"]
CALLER: dict[str, list[str]] = EXPECTED["caller_refusals"]


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

    with pytest.raises(UpstreamError) as refused:
        read_token(Answer.of(response))

    assert refused.value.reason == "answer_unreadable"


def test_a_login_that_lasts_for_ever_has_no_end() -> None:
    body = b'{"request_id":"a","auth":{"client_token":"s.a","lease_duration":0}}'

    assert read_token(Answer.of(UpstreamResponse(200, {}, body))).seconds is None
