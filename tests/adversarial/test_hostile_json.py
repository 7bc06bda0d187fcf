"""Opened requests that try the parser: twice-named members, huge numbers, depth, width, types."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from domain.model import strict_json
from domain.model.errors import InvalidEntityJwt, InvalidRequest, PolicyError
from domain.model.messages import SecretRequest
from domain.model.secret import Secret
from domain.model.strict_json import PEER_BRACKETS
from tests.adversarial.defended_core import (
    ENTITY_TOKEN,
    HOST_TOKEN,
    INPUT,
    MAX_REQUEST_BYTES,
    DefendedCore,
    message,
)

CONTEXT = json.dumps({"entity_jwt": ENTITY_TOKEN, "host_jwt": HOST_TOKEN})
PLAIN = json.dumps(message())


async def refused_plaintext(core: DefendedCore, plaintext: bytes | str) -> None:
    body = plaintext if isinstance(plaintext, bytes) else plaintext.encode()
    assert isinstance(await core.ask(body), InvalidRequest)
    assert core.record["reason"] == "request_malformed"
    assert core.fetches == 0


@pytest.mark.parametrize(
    "plaintext",
    [
        f'{{"key":"KEY","key":"OTHER","context":{CONTEXT}}}',
        f'{{"key":"KEY","\\u006bey":"OTHER","context":{CONTEXT}}}',
        f'{{"key":"KEY","context":{CONTEXT},"context":{CONTEXT}}}',
        f'{{"key":"KEY","context":{{"entity_jwt":"a",{CONTEXT[1:]}}}',
        f'{{"key":"KEY","context":{CONTEXT},"unknown":{{"a":1,"a":1}}}}',
        f'{{"key":"KEY","context":{CONTEXT},"application":{{}},"x":[{{"":0,"":0}}]}}',
    ],
)
async def test_a_member_named_twice_is_refused_wherever_it_stands(
    core: DefendedCore, plaintext: str
) -> None:
    await refused_plaintext(core, plaintext)


@pytest.mark.parametrize(
    "number", ["9" * 5000, "-" + "9" * 5000, "NaN", "Infinity", "-Infinity", "0x10", "01", "1_000"]
)
async def test_a_number_that_is_too_long_or_none_is_refused(
    core: DefendedCore, number: str
) -> None:
    await refused_plaintext(core, f'{{"key":"KEY","context":{CONTEXT},"x":{number}}}')


@pytest.mark.parametrize("number", ["9" * 4000, "1e999999", "-1e-999999", "1" + "0" * 300 + ".5"])
async def test_a_huge_number_where_nobody_looks_does_no_harm(
    core: DefendedCore, number: str
) -> None:
    answer = await core.ask(f'{{"key":"KEY","context":{CONTEXT},"x":{number}}}'.encode())

    assert isinstance(answer, Secret)


@pytest.mark.parametrize("depth", [65, 1000, 60_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
async def test_deep_nesting_is_refused(
    core: DefendedCore, depth: int, opening: str, closing: str
) -> None:
    depth = min(depth, MAX_REQUEST_BYTES // (2 * len(opening + closing)))
    nest = opening * depth + "1" + closing * depth

    await refused_plaintext(core, f'{{"key":"KEY","context":{CONTEXT},"x":{nest}}}')
    await refused_plaintext(core, opening * depth)


async def test_as_many_members_as_fit_are_read_and_ignored(core: DefendedCore) -> None:
    room = MAX_REQUEST_BYTES - len(PLAIN) - 100
    members = ",".join(f'"{number:x}":0' for number in range(room // 10))

    assert isinstance(await core.ask(f"{PLAIN[:-1]},{members}}}".encode()), Secret)


async def test_a_list_as_long_as_fits_is_read_and_ignored(core: DefendedCore) -> None:
    nothing = ",".join(["0"] * ((MAX_REQUEST_BYTES - len(PLAIN) - 100) // 2))

    assert isinstance(await core.ask(f'{PLAIN[:-1]},"x":[{nothing}]}}'.encode()), Secret)


@pytest.mark.parametrize(
    "plaintext",
    [
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-32-le"),
        PLAIN.encode() + b"\0",
        PLAIN.encode() + b"{}",
        b"\0" + PLAIN.encode(),
        PLAIN.encode().replace(b"KEY", b"\xed\xa0\x80"),
        PLAIN.encode().replace(b"KEY", b"\xc0\x80"),
        PLAIN.encode().replace(b"KEY", b"K\nY"),
        PLAIN.encode().replace(b"KEY", b"\xff"),
        PLAIN.encode().replace(b'"', b"'"),
        PLAIN.encode()[:-1],
        b"null",
        b"[]",
        b"0",
        b'"text"',
        b"",
        b" ",
    ],
)
async def test_what_is_not_one_document_of_utf8_is_refused(
    core: DefendedCore, plaintext: bytes
) -> None:
    await refused_plaintext(core, plaintext)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": None},
        {"key": 1},
        {"key": ["KEY"]},
        {"key": {"KEY": 1}},
        {"field": 0},
        {"field": ["a"]},
        {"version": 1},
        {"version": True},
        {"entity_jwt": None},
        {"entity_jwt": [ENTITY_TOKEN]},
        {"host_jwt": {}},
        {"application": "shop"},
        {"application": []},
        {"application": {"name": 1}},
        {"application": {"policy": {"type": "x", "properties": {}}}},
    ],
    ids=repr,
)
async def test_a_member_of_another_type_is_refused(
    core: DefendedCore, changes: dict[str, Any]
) -> None:
    await refused_plaintext(core, json.dumps(message(**changes)))


async def test_members_injected_beside_the_protocols_change_nothing(core: DefendedCore) -> None:
    injected = message(
        issuer="A", allowed=True, environment="dev", project_id="other", path="/payments",
        __class__="Secret", caller={"entity": {}},
    )  # fmt: skip

    assert isinstance(await core.ask(injected), Secret)
    assert core.record["path"] == "/KEY"
    assert core.record["scope_environment"] == "prod"


async def test_an_unreadable_requests_words_reach_neither_log_nor_reply(
    core: DefendedCore,
) -> None:
    for plaintext in (INPUT, f'{{"{INPUT}":1}}', json.dumps(message([INPUT]))):
        await refused_plaintext(core, plaintext)
        assert INPUT not in json.dumps(core.record)


def test_no_document_is_parsed_that_is_made_of_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    decoder = strict_json._DECODER

    def noted(text: str) -> Any:
        parsed.append(text)
        return json.loads(text)

    monkeypatch.setattr(decoder, "decode", noted)
    room = MAX_REQUEST_BYTES - len(PLAIN) - 100
    for units in ("{}," * (room // 3), "[]," * (room // 3), "[{}]," * PEER_BRACKETS):
        with pytest.raises(InvalidRequest):
            SecretRequest.from_json(f'{PLAIN[:-1]},"x":[{units}0]}}'.encode())
    assert parsed == []

    assert SecretRequest.from_json(PLAIN.encode()).key == "KEY"
    assert parsed == [PLAIN]


async def test_a_token_and_a_policy_made_of_objects_are_refused_unparsed(
    core: DefendedCore,
) -> None:
    many = ",".join(["{}"] * 300)
    segment = base64.urlsafe_b64encode(f'{{"x":[{many}]}}'.encode()).rstrip(b"=").decode()
    escaped = many.replace("{", r"\u007b")
    policy = f'"policy":"{{\\"x\\":[{escaped}]}}"'

    token = await core.ask(message(entity_jwt=f"{segment}.{segment}.{segment}"))
    answer = await core.ask(f'{PLAIN[:-2]},"application":{{{policy}}}}}}}'.encode())

    assert isinstance(token, InvalidEntityJwt)
    assert isinstance(answer, PolicyError)


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "K" * 1025},
        {"field": "f" * 257},
        {"version": "1" * 257},
        {"application": {"name": "-" * 12_000}},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_a_member_that_no_rule_should_be_compared_with_is_refused(
    core: DefendedCore, changes: dict[str, Any]
) -> None:
    assert isinstance(await core.ask(message(**changes)), InvalidRequest)
    assert core.record["reason"] == "request_member_too_long"
    assert core.fetches == 0
