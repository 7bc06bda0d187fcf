"""Reads through the store: what goes over the wire, and what becomes of each kind of answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from adapters.kubernetes import reasons
from adapters.kubernetes.bounds import Bounds
from adapters.kubernetes.credentials import TokenFile
from adapters.upstream.engine import Failure, TransportError
from domain.model.errors import RateLimited, SecretNotFound, Unauthorized, UpstreamError
from tests.contracts.secret_store import OUTAGE_TEXT, SecretStoreContract
from tests.fakes.clock import FakeClock
from tests.support.infisical_model import Result
from tests.support.kubernetes_model import ACCOUNT, TOKEN, Right, status
from tests.support.refused import refused
from tests.unit.adapters.kubernetes.kubernetes_rig import (
    PLAIN,
    KubernetesRig,
    cut,
    rig_with_a_secret,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ports.clock import Clock
    from ports.secret_store import SecretStore


@pytest.fixture
def rig() -> KubernetesRig:
    return rig_with_a_secret()


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
    with refused(SecretNotFound, reasons.VERSION_NOT_FOUND):
        await rig.get("plain/password", version="101")
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
    with refused(Unauthorized, reasons.READ_DENIED):
        await rig.get("absent/key")


async def test_a_refused_token_is_read_again_and_tried_once_more(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("canary-expired")
    rig = KubernetesRig(tokens=TokenFile(file, FakeClock()))
    rig.model.put("shop", "plain", {"password": "hello"})
    with refused(UpstreamError, reasons.CREDENTIALS_REFUSED):
        await rig.get("plain/password")
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

    with refused(UpstreamError, reason):
        await rig.get("plain/password")


class TestKubernetesSecretStore(SecretStoreContract):
    history = False

    @pytest.fixture(autouse=True)
    def _rig(self) -> None:
        self.rig = KubernetesRig()
        self.data: dict[str, dict[str, str | bytes]] = {}

    @override
    def store(self) -> SecretStore:
        return self.rig.store

    @override
    async def put(self, key: str, value: str | bytes) -> str:
        name, _, value_key = key.partition("/")
        data = self.data.setdefault(name, {})
        data[value_key] = value
        return self.rig.model.put("shop", name, data)

    @override
    def deadline(self) -> float:
        return self.rig.clock.monotonic() + 8.0

    @override
    async def silence(self) -> Clock:
        self.rig.gate.clear()
        return self.rig.clock

    @override
    async def outage(self) -> None:
        self.rig.failures += [TransportError(Failure.UNREACHABLE, OUTAGE_TEXT)] * 20

    @override
    async def pass_time(self, seconds: float) -> None:
        await self.rig.settle()
        self.rig.clock.advance(seconds)
        await self.rig.settle()

    @override
    async def test_a_version_of_another_secret_is_not_found(self) -> None:
        # A version is the Secret's, so keys inside one share it: two Secrets are needed.
        await self.put("one/key", "1")
        await self.put("two/key", "1")
        other = await self.put("two/key", "2")

        with pytest.raises(SecretNotFound):
            await self.get("one/key", other)
