"""Reads in the caller's name: what the token says, and how it goes along."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.vault.addressing import Place
from adapters.vault.api import KvVersions, VaultApi
from adapters.vault.caller_logins import partition
from domain.model.errors import StoreUnavailable, Unauthorized, UpstreamError
from domain.model.identity import AccountKey, Caller, IdentityKind, SubjectKey
from domain.model.reference import SecretLocation, SecretQuery
from domain.model.workload import Workload
from tests.support.refused import refused
from tests.support.vault_logins import decode_segment
from tests.unit.adapters.vault.caller_rig import CALLER, PLACE, UNNAMED, Rig

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.vault.access import Pass


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def members(token: str) -> tuple[dict[str, object], dict[str, object]]:
    header, claims, _ = token.split(".")
    return json.loads(decode_segment(header)), json.loads(decode_segment(claims))


def test_the_token_says_what_was_verified_and_marks_what_was_not(rig: Rig) -> None:
    header, claims = members(rig.logins.token_for(CALLER))
    now = int(rig.clock.now())

    assert header["alg"] == "EdDSA"
    assert claims == {
        "iss": "wasmcloud-secrets",
        "sub": "MSHOP",
        "aud": "Vault",
        "iat": now,
        "nbf": now - 30,
        "exp": now + 60,
        "kind": "component",
        "issuer": "ATEAM",
        "name": "shop",
        "unproven_application": "store-front",
        "component": {"iss": "ATEAM", "sub": "MSHOP", "wascap": {"name": "shop"}},
    }


def test_a_provider_without_a_name_says_no_more_than_there_is(rig: Rig) -> None:
    _, claims = members(rig.logins.token_for(UNNAMED))

    assert claims["provider"] == {"iss": "ATEAM", "sub": "MSHOP"}
    assert not {"name", "unproven_application", "component"} & set(claims)


def test_a_token_is_used_again_for_a_third_of_its_time(rig: Rig) -> None:
    first = rig.logins.token_for(CALLER)
    rig.clock.advance(19)
    assert rig.logins.token_for(replace(CALLER, host=UNNAMED.entity)) == first
    rig.clock.advance(2)
    assert rig.logins.token_for(CALLER) != first


@pytest.mark.parametrize(
    "other",
    [
        replace(CALLER, application="other"),
        replace(CALLER, application=None),
        replace(CALLER, entity=replace(CALLER.entity, subject=SubjectKey("MOTHER"))),
        replace(CALLER, entity=replace(CALLER.entity, issuer=AccountKey("AOTHER"))),
        replace(CALLER, entity=replace(CALLER.entity, name="other")),
        replace(CALLER, entity=replace(CALLER.entity, kind=IdentityKind.PROVIDER)),
    ],
)
async def test_callers_that_the_token_tells_apart_share_nothing(rig: Rig, other: Caller) -> None:
    assert partition(other) != partition(CALLER)
    assert rig.logins.token_for(other) != rig.logins.token_for(CALLER)
    mine, theirs = [await rig.tokens.authorize(PLACE, caller) for caller in (CALLER, other)]
    assert mine.headers != theirs.headers


async def test_an_inline_login_is_headers_of_the_read_and_no_token(rig: Rig) -> None:
    used = await rig.inline.authorize(PLACE, CALLER)

    assert used.headers["X-Vault-Inline-Auth-Path"] == "auth/jwt/login"
    role = used.headers["X-Vault-Inline-Auth-Parameter-role"]
    assert json.loads(decode_segment(role)) == {"key": "role", "value": "demo"}
    assert "=" not in role
    assert "X-Vault-Token" not in used.headers
    assert rig.calls.made == []
    assert "Inline" not in repr(used)


async def test_a_caller_logs_in_once_until_two_thirds_of_its_token_s_time(rig: Rig) -> None:
    rig.server.lease = 300
    rig.calls.gate.clear()
    waiting = [asyncio.create_task(rig.tokens.authorize(PLACE, CALLER)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting[0].cancel()
    rig.calls.gate.set()
    passes = await asyncio.gather(*waiting[1:])
    assert len({used.headers["X-Vault-Token"] for used in passes}) == 1

    rig.clock.advance(199)
    await rig.tokens.authorize(PLACE, CALLER)
    assert rig.server.logins == 1
    rig.clock.advance(2)
    await rig.tokens.authorize(PLACE, CALLER)
    assert rig.server.logins == 2
    assert [claims["sub"] for claims in rig.server.claims] == ["MSHOP", "MSHOP"]


async def test_roles_and_namespaces_have_logins_of_their_own(rig: Rig) -> None:
    rig.server.jwt_roles["other"] = "Vault"
    rig.calls.model.mounts["team1", "secret"] = 2
    places = [PLACE, replace(PLACE, role="other"), replace(PLACE, namespace="team1")]
    passes = [await rig.tokens.authorize(place, CALLER) for place in places]

    assert len({used.headers["X-Vault-Token"] for used in passes}) == 3
    assert rig.calls.made[2].headers == {"X-Vault-Namespace": "team1"}


async def test_a_caller_s_token_that_has_served_is_replaced_once_refused(rig: Rig) -> None:
    used = await rig.tokens.authorize(PLACE, CALLER)
    assert not used.doubt()
    used.confirm()
    assert used.doubt()
    again = await rig.tokens.authorize(PLACE, CALLER)

    assert again.headers != used.headers


async def test_a_refused_login_tells_each_request_and_is_tried_for_the_next(rig: Rig) -> None:
    rig.calls.instead = ["jwt_bound_claim_wrong"]
    with refused(Unauthorized, "caller_login_refused"):
        await rig.tokens.authorize(PLACE, CALLER)

    assert (await rig.tokens.authorize(PLACE, CALLER)).headers


async def test_the_server_s_way_is_found_out_once(rig: Rig) -> None:
    passes = await asyncio.gather(*(rig.either.authorize(PLACE, CALLER) for _ in range(4)))

    assert all("X-Vault-Inline-Auth-Path" in used.headers for used in passes)
    assert len(rig.calls.made) == 1


async def test_a_quota_that_refuses_that_question_pauses_the_reads_of_its_mount(rig: Rig) -> None:
    location = SecretLocation("/KEY", PLACE.scope())
    api = VaultApi(
        calls=rig.calls, access=rig.either, versions=KvVersions(rig.clock), clock=rig.clock
    )
    await api.sees_mount(SecretQuery(location, None, CALLER, rig.clock.monotonic() + 8.0))

    assert len(rig.calls.made) == 2
    assert len({call.mount for call in rig.calls.made}) == 1


async def test_a_server_without_inline_login_gets_a_login_before_the_read(rig: Rig) -> None:
    rig.server.knows_inline = False
    used = await rig.either.authorize(PLACE, CALLER)

    assert used.headers["X-Vault-Token"].startswith("b.")
    assert rig.server.logins == 1


async def test_another_server_in_its_place_is_found_out(rig: Rig) -> None:
    used: Pass = await rig.either.authorize(PLACE, CALLER)
    rig.server.knows_inline = False
    assert not used.doubt()
    rig.clock.advance(61)
    assert used.doubt()

    again = await rig.either.authorize(PLACE, CALLER)
    assert "X-Vault-Token" in again.headers
    again.confirm()
    assert again.doubt()


@pytest.mark.parametrize(
    ("name", "error", "reason"),
    [
        ("sealed_read", StoreUnavailable, "store_sealed"),
        ("namespace_missing_no_token", UpstreamError, "namespace_not_found"),
        ("path_bad_percent", UpstreamError, "vault_wrong_address"),
    ],
)
async def test_a_server_that_does_not_tell_is_asked_again(
    rig: Rig, name: str, error: type[UpstreamError], reason: str
) -> None:
    rig.calls.instead = [name]
    with refused(error, reason):
        await rig.either.authorize(PLACE, CALLER)

    assert (await rig.either.authorize(PLACE, CALLER)).headers


async def test_tokens_that_stay_behind_are_warned_of_once(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.server.token_type = "service"
    for caller in (CALLER, UNNAMED):
        await rig.tokens.authorize(PLACE, caller)

    assert capsys.readouterr().out.count("vault.caller_tokens_left_behind") == 1


async def test_closing_ends_logins_that_still_run(rig: Rig) -> None:
    rig.calls.gate.clear()
    waiting = asyncio.create_task(rig.tokens.authorize(PLACE, CALLER))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await rig.tokens.aclose()

    with refused(StoreUnavailable, "closed"):
        await waiting


CART = Workload("prod", "shop", "cart")


@pytest.mark.parametrize("way", ["inline", "tokens"])
async def test_a_workload_is_not_logged_in(tmp_path: Path, way: str) -> None:
    rig = Rig(tmp_path)
    access = rig.inline if way == "inline" else rig.tokens

    with refused(UpstreamError, "store_needs_token"):
        await access.authorize(Place("secret"), CART)
