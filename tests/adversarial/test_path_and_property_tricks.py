"""Keys and policy properties that try to name what the rules do not grant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.access_policy.document import read_policy
from domain.model.errors import InvalidRequest, PolicyError, SecretNotFound, Unauthorized
from domain.model.policy_properties import MAX_PROPERTIES, PROPERTIES_TYPE, parse_policy
from domain.model.secret import Secret
from tests.adversarial.defended_core import (
    COMPONENT,
    ENTITY_TOKEN,
    INPUT,
    MAX_REQUEST_BYTES,
    TEAM,
    VALUE,
    DefendedCore,
    LogText,
    message,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = read_policy(
    f"""\
version: 1
issuers:
  team: {TEAM.public}
grants:
  - name: public
    entities:
      - issuer: team
        subject: {COMPONENT}
    secrets:
      - keys: ["/public/**"]
""".encode()
).rules

PATH_TRICKS = [
    "public/../KEY",
    "/public/../KEY",
    "public/./../KEY",
    "public//../KEY",
    "public/..%2fKEY",
    "public/%2e%2e/KEY",
    "%2e%2e/KEY",
    "..\\KEY",
    "public\\..\\KEY",
    "public/\uff0e\uff0e/KEY",
    "public\u2215..\u2215KEY",
    "\u202eYEK/cilbup",
    "public/\0/../KEY",
    "KEY\0public/x",
    "/",
    "//",
    "//KEY",
    "/KEY/",
    "KEY/",
    "./KEY",
    "KEY/.",
    "*",
    "/*",
    "/public/*/../../KEY",
    "**",
    "",
    " ",
    "KEY ",
    "\ufeffKEY",
    "key",
    "K\u0045\u0301Y",
    "\uff2bEY",
    "\ud800",
    "K\ud83d",
    "~/KEY",
    "file:///KEY",
    "http://localhost/KEY",
    "$KV.SECRETS.KEY",
    ">",
    "public.KEY",
    "KEY?version=1",
    "KEY#fragment",
    "KEY;ls",
    "KEY' OR '1'='1",
    "KEY\r\nX-Header: 1",
    "a/" * 510 + "KEY",
    "K" * 1025,
]


def policy(properties: Any, **members: Any) -> dict[str, Any]:
    text = json.dumps({"type": PROPERTIES_TYPE, "properties": properties, **members})
    return {"name": "shop", "policy": text}


@pytest.fixture
def ruled(log: LogText) -> DefendedCore:
    """A core whose rules grant what is below /public and nothing else."""
    core = DefendedCore(log, access=RULES)
    core.store.put("/public/OPEN", VALUE)
    return core


@pytest.mark.parametrize("key", PATH_TRICKS, ids=lambda key: repr(key[:20]))
async def test_no_spelling_of_a_key_reaches_past_a_grant(ruled: DefendedCore, key: str) -> None:
    assert isinstance(await ruled.ask(message("/public/OPEN")), Secret)

    answer = await ruled.ask(message(key))

    assert isinstance(answer, Unauthorized | SecretNotFound | InvalidRequest)
    assert all(query.location.path.startswith("/public/") for query in ruled.store.queries)


@pytest.mark.parametrize("key", PATH_TRICKS, ids=lambda key: repr(key[:20]))
async def test_no_spelling_of_a_key_is_a_second_name_of_a_secret(
    core: DefendedCore, key: str
) -> None:
    assert isinstance(await core.ask(message(key)), InvalidRequest | SecretNotFound)


async def test_a_relative_and_an_absolute_key_are_one_place_for_the_rules(
    ruled: DefendedCore,
) -> None:
    for key in ("KEY", "/KEY", "payments/API_KEY", "/payments/API_KEY"):
        assert isinstance(await ruled.ask(message(key)), Unauthorized)
    for key in ("public/OPEN", "/public/OPEN"):
        assert isinstance(await ruled.ask(message(key)), Secret)


async def test_a_token_as_key_is_not_shown_by_the_log(core: DefendedCore) -> None:
    core.secrets.add(ENTITY_TOKEN)

    assert isinstance(await core.ask(message(ENTITY_TOKEN)), SecretNotFound | InvalidRequest)


@pytest.mark.parametrize(
    "properties",
    [
        {"environment": "root"},
        {"environment": "prod,dev"},
        {"environment": "PROD"},
        {"environment": "prod "},
        {"environment": ""},
        {"environment": "prod\0"},
        {"Environment": "dev"},
        {"project_id": "other"},
        {"path": "/payments"},
        {"scope": "all"},
        {"__proto__": "x"},
        {"": ""},
    ],
    ids=repr,
)
async def test_an_injected_property_widens_nothing(
    core: DefendedCore, properties: dict[str, str]
) -> None:
    assert isinstance(await core.ask(message(application=policy(properties))), PolicyError)
    assert core.fetches == 0


@pytest.mark.parametrize("value", ["dev", "prod"])
async def test_a_property_that_no_grant_lists_is_refused(ruled: DefendedCore, value: str) -> None:
    asked = message("/public/OPEN", application=policy({"environment": value}))

    assert isinstance(await ruled.ask(asked), Unauthorized)


@pytest.mark.parametrize(
    "text",
    [
        INPUT,
        "null",
        "[]",
        "0",
        '{"type":"other","properties":{}}',
        '{"type":null}',
        '{"properties":[]}',
        '{"properties":{"environment":["dev"]}}',
        '{"properties":{"environment":1}}',
        '{"properties":{"environment":null}}',
        '{"properties":{"environment":"dev","environment":"prod"}}',
        '{"properties":{},"properties":{"environment":"dev"}}',
        '{"properties":{"environment":"dev"}}{}',
        '{"properties":' + '{"a":' * 70 + "1" + "}" * 70 + "}",
        "[" * 200,
        "9" * 5000,
        '{"properties":' + json.dumps({str(n): "" for n in range(MAX_PROPERTIES + 1)}) + "}",
        " ",
        "\ufeff{}",
    ],
    ids=lambda text: text[:30],
)
async def test_a_malformed_policy_is_refused_without_being_repeated(
    core: DefendedCore, text: str
) -> None:
    answer = await core.ask(message(application={"policy": text}))

    assert isinstance(answer, PolicyError)
    assert INPUT not in answer.advice
    assert "properties" not in core.record


async def test_a_giant_policy_is_read_and_floods_no_record(core: DefendedCore) -> None:
    giant = {"environment": "prod" + "x" * (MAX_REQUEST_BYTES // 2)}
    many = {f"p{number}" + "x" * 90: "y" * 90 for number in range(MAX_PROPERTIES)}
    for properties in (giant, many):
        answer = await core.ask(message(application=policy(properties)))
        assert isinstance(answer, PolicyError)
        assert len(json.dumps(core.record)) < 16_384


@pytest.mark.parametrize(
    "field", ["", "__class__", "user.password", "user/password", "*", "0", "a" * 256]
)
async def test_a_field_is_a_members_name_and_no_path_or_code(
    core: DefendedCore, field: str
) -> None:
    core.store.put("/JSON", json.dumps({"user": {"password": VALUE}}))

    assert isinstance(await core.ask(message("JSON", field=field)), SecretNotFound)


@pytest.mark.parametrize(
    "version", ["-1", "0", "1e1", "٣", "1 ", "latest", "9" * 4000, "", "1\0", "\ud800", "../1"]
)
async def test_a_version_that_is_none_serves_no_other(core: DefendedCore, version: str) -> None:
    assert isinstance(await core.ask(message(version=version)), InvalidRequest | SecretNotFound)


@given(st.text(max_size=80) | st.text(st.sampled_from('{}[]":, properti\\u0'), max_size=80))
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    refusal: PolicyError | None = None
    properties: Mapping[str, str] = {}
    try:
        properties = parse_policy(text)
    except PolicyError as error:
        refusal = error
    assert refusal is None or refusal.__context__ is None
    assert all(isinstance(value, str) for value in properties.values())
    assert "backend" not in properties
