"""Reads through the store: what goes over the wire, and what becomes of each kind of answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.kubernetes import reasons
from adapters.kubernetes.bounds import Bounds
from adapters.kubernetes.credentials import TokenFile
from adapters.kubernetes.reader import OUTAGE_SECONDS
from adapters.upstream.engine import Failure, TransportError
from domain.model.errors import (
    RateLimited,
    SecretNotFound,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from tests.fakes.clock import FakeClock
from tests.support.infisical_model import Result
from tests.support.kubernetes_model import ACCOUNT, TOKEN, Right, status
from tests.unit.adapters.kubernetes.kubernetes_rig import KubernetesRig

if TYPE_CHECKING:
    from pathlib import Path

    from domain.model.secret import Secret

PLAIN = "/api/v1/namespaces/shop/secrets/plain"


@pytest.fixture
def rig() -> KubernetesRig:
    made = KubernetesRig()
    made.model.put("shop", "plain", {"password": "hello", "binary": b"\xff\x00"})
    return made


def cut() -> TransportError:
    return TransportError(Failure.UNREACHABLE, "RemoteProtocolError", reused=True)


async def test_field_and_name_slash_key_read_the_same_value(rig: KubernetesRig) -> None:
    assert (await rig.get("plain", "password")).value.reveal() == "hello"
    assert (await rig.get("plain/password")).value.reveal() == "hello"
    assert (await rig.get("plain", "binary")).value.reveal() == b"\xff\x00"
    assert rig.targets == [PLAIN] * 3


async def test_the_version_served_is_the_resource_version_and_the_audit_id_is_kept(
    rig: KubernetesRig,
) -> None:
    secret = await rig.get("plain/password")

    assert secret.version == "101"
    assert secret.upstream_request_id == "audit-1"
    assert (secret.source, secret.note) == ("store", None)


async def test_the_version_asked_for_must_be_the_present_one_and_is_never_sent(
    rig: KubernetesRig,
) -> None:
    assert (await rig.get("plain/password", version="101")).version == "101"
    rig.model.put("shop", "plain", {"password": "new"})
    with pytest.raises(SecretNotFound) as failure:
        await rig.get("plain/password", version="101")

    assert failure.value.reason == reasons.VERSION_NOT_FOUND
    assert all("resourceVersion" not in target for target in rig.targets)


async def test_a_call_carries_the_token_and_no_impersonation(rig: KubernetesRig) -> None:
    await rig.get("plain/password")
    (call,) = rig.model.calls

    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.headers["accept"] == "application/json"
    assert "impersonate-user" not in call.headers


async def test_an_allowed_user_is_impersonated() -> None:
    rig = KubernetesRig(Bounds.of("shop", users=("jane",)))
    rig.model.put("shop", "plain", {"password": "hello"})
    rig.model.rights = {Right(ACCOUNT, "impersonate", "", "jane"), Right("jane", "get", "shop")}

    assert (await rig.get("plain/password", impersonate="jane")).value.reveal() == "hello"
    with pytest.raises(Unauthorized):
        await rig.get("plain/password")
    assert [call.headers.get("impersonate-user") for call in rig.model.calls[:1]] == ["jane"]
    assert "impersonate-user" not in rig.model.calls[1].headers


async def test_what_rbac_denies_is_kept_apart_from_what_is_missing(rig: KubernetesRig) -> None:
    with pytest.raises(SecretNotFound):
        await rig.get("absent/key")
    rig.model.rights.clear()
    with pytest.raises(Unauthorized) as failure:
        await rig.get("absent/key")

    assert failure.value.reason == reasons.READ_DENIED


async def test_a_refused_token_is_read_again_and_tried_once_more(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("canary-expired")
    rig = KubernetesRig(tokens=TokenFile(file, FakeClock()))
    rig.model.put("shop", "plain", {"password": "hello"})
    with pytest.raises(UpstreamError) as failure:
        await rig.get("plain/password")
    assert failure.value.reason == reasons.CREDENTIALS_REFUSED
    assert len(rig.model.calls) == 2

    file.write_text(f"{TOKEN}\n")

    assert (await rig.get("plain/password")).value.reveal() == "hello"
    assert len(rig.model.calls) == 4


async def test_a_fixed_token_is_tried_once(rig: KubernetesRig) -> None:
    rig.model.tokens.clear()
    with pytest.raises(UpstreamError):
        await rig.get("plain/password")

    assert len(rig.model.calls) == 1


async def test_a_connection_closed_without_an_answer_is_tried_again(rig: KubernetesRig) -> None:
    rig.failures = [cut()]

    assert (await rig.get("plain/password")).value.reveal() == "hello"


@pytest.mark.parametrize(
    "fault",
    [
        Result(429, b"Too many requests, please try again later.\n", {"retry-after": "60"}),
        status(503, "ServiceUnavailable", retry_after="60"),
    ],
)
async def test_a_pause_that_is_asked_for_is_told(rig: KubernetesRig, fault: Result) -> None:
    rig.model.faults = [fault]

    with pytest.raises(RateLimited) as failure:
        await rig.get("plain/password")

    assert failure.value.retry_after is not None
    assert failure.value.retry_after >= 60


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Result(504, b'{"metadata":{},"status":"Failure","reason":"Timeout"}'), reasons.FAILING),
        (Result(500, b""), reasons.FAILING),
        (Result(302, b"", {"location": "https://elsewhere"}), reasons.WRONG_ADDRESS),
        (Result(200, b"<html>"), reasons.WRONG_ADDRESS),
        (Result(200, {"kind": "SecretList", "items": []}), reasons.ANSWER_UNREADABLE),
        (
            Result(
                200,
                {
                    "kind": "Secret",
                    "metadata": {
                        "name": "other",
                        "namespace": "shop",
                        "uid": "u",
                        "resourceVersion": "1",
                    },
                },
            ),
            reasons.ANSWER_UNREADABLE,
        ),
    ],
)
async def test_what_is_not_the_secret_asked_for_is_never_served(
    rig: KubernetesRig, fault: Result, reason: str
) -> None:
    rig.model.faults = [fault] * 9

    with pytest.raises(UpstreamError) as failure:
        await rig.get("plain/password")

    assert failure.value.reason == reason


def stale_rig() -> KubernetesRig:
    rig = KubernetesRig(may_be_stale=True)
    rig.model.put("shop", "plain", {"password": "hello"})
    return rig


def etcd_hangs(rig: KubernetesRig) -> None:
    """Have fresh reads fail and leave those from the watch cache alone."""
    rig.model.faults = [
        lambda call: None if "resourceVersion" in call.query else Result(504, b"")
    ] * 20


async def wait_for(rig: KubernetesRig, read: asyncio.Task[Secret]) -> Secret:
    for _ in range(40):
        await rig.settle()
        if read.done():
            break
        rig.clock.advance(0.5)
    return await read


async def test_in_an_outage_the_watch_cache_answers_and_the_answer_says_so() -> None:
    rig = stale_rig()
    etcd_hangs(rig)

    secret = await rig.get("plain/password")

    assert secret.value.reveal() == "hello"
    assert (secret.source, secret.note) == ("stale", "kubernetes_watch_cache")
    assert rig.targets[-1] == f"{PLAIN}?resourceVersion=0"
    assert (rig.reader.stale_reads, rig.reader.outages) == (1, 1)


async def test_a_read_that_hangs_gives_way_to_the_watch_cache_before_the_deadline() -> None:
    rig = stale_rig()
    rig.gate.clear()
    read = asyncio.create_task(rig.get("plain/password"))
    await rig.settle()
    rig.clock.advance(2.0)
    await rig.settle()
    rig.gate.set()

    assert (await read).source == "stale"


async def test_while_the_outage_lasts_reads_go_to_the_watch_cache_at_once() -> None:
    rig = stale_rig()
    etcd_hangs(rig)
    await rig.get("plain/password")
    before = len(rig.targets)

    await rig.get("plain/password")
    assert rig.targets[before:] == [f"{PLAIN}?resourceVersion=0"]

    rig.model.faults.clear()
    rig.clock.advance(OUTAGE_SECONDS)
    assert (await rig.get("plain/password")).source == "store"


async def test_that_something_is_absent_is_not_concluded_from_the_watch_cache() -> None:
    rig = stale_rig()
    rig.model.faults = [Result(504, b"")] * 5

    with pytest.raises(StoreUnavailable):
        await rig.get("absent/key")
    with pytest.raises(StoreUnavailable):
        await rig.get("absent/key")


async def test_without_leave_no_read_is_stale(rig: KubernetesRig) -> None:
    rig.model.faults = [Result(504, b"")] * 20

    with pytest.raises(StoreUnavailable):
        await rig.get("plain/password")

    assert all("resourceVersion" not in target for target in rig.targets)


async def test_an_unreachable_server_is_unavailable_with_and_without_leave() -> None:
    for rig in (stale_rig(), KubernetesRig()):
        rig.failures = [cut() for _ in range(40)]
        with pytest.raises(StoreUnavailable):
            await wait_for(rig, asyncio.create_task(rig.get("plain/password")))
