"""What a real API server answered to reads, the bytes that leave, and connections that break."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from adapters.kubernetes import reasons
from domain.model.errors import (
    CallFailed,
    InvalidRequest,
    PolicyError,
    RateLimited,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
from ports.store_check import StoreUnreachableError
from tests.support.infisical_model import Result, html
from tests.support.infisical_server import Break
from tests.support.kubernetes_model import ACCOUNT, TOKEN, Right
from tests.support.kubernetes_server import KubernetesServer, plays, recording

if TYPE_CHECKING:
    from tests.integration.kubernetes.conftest import OpenAdapter


REFUSALS: dict[str, tuple[type[SecretsError], str]] = {
    "get_not_found": (SecretNotFound, "secret_not_found"),
    "get_namespace_missing_admin": (SecretNotFound, "secret_not_found"),
    "get_namespace_missing": (Unauthorized, reasons.READ_DENIED),
    "get_forbidden": (Unauthorized, reasons.READ_DENIED),
    "get_named_other": (Unauthorized, reasons.READ_DENIED),
    "auth_anonymous": (Unauthorized, reasons.READ_DENIED),
    "auth_expired": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "auth_garbage": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "auth_service_account_deleted": (UpstreamError, reasons.CREDENTIALS_REFUSED),
    "impersonate_user_not_allowed": (UpstreamError, reasons.IMPERSONATION_DENIED),
    "throttled_reject": (RateLimited, reasons.RATE_LIMITED),
    "throttled_queue_full": (RateLimited, reasons.RATE_LIMITED),
    "shutdown_default_get_new": (RateLimited, reasons.RATE_LIMITED),
    "etcd_hung_get": (StoreUnavailable, reasons.FAILING),
    "etcd_down_get": (StoreUnavailable, reasons.FAILING),
    "get_rv_garbage": (CallFailed, reasons.FAILING),
    "accept_xml": (UpstreamError, reasons.REQUEST_REFUSED),
    "path_wrong_version": (UpstreamError, reasons.WRONG_ADDRESS),
    "path_name_bad_percent": (UpstreamError, reasons.WRONG_ADDRESS),
    "path_name_empty": (UpstreamError, reasons.ANSWER_UNREADABLE),
    "accept_metadata": (UpstreamError, reasons.ANSWER_UNREADABLE),
    "get_gzip_large": (UpstreamError, "kubernetes_answer_unreadable"),
}


@pytest.mark.parametrize(
    "name",
    [
        "get_ok_plain",
        "get_ok_name_with_dots",
        "get_ok_immutable",
        "get_ok_tls_type",
        "get_ok_docker_type",
        "get_ok_custom_type",
        "get_named_ok",
    ],
)
async def test_every_value_of_a_recorded_secret_is_served(
    open_adapter: OpenAdapter, name: str
) -> None:
    body = recording(name)["response"]["body"]
    metadata = body["metadata"]
    async with KubernetesServer(plays(name)) as server:
        adapter = open_adapter(server.url, namespace=metadata["namespace"])
        for key in body["data"]:
            secret = await adapter.get(metadata["name"], key)
            assert secret.version == metadata["resourceVersion"]
            assert secret.upstream_request_id


@pytest.mark.parametrize(("name", "expected"), REFUSALS.items(), ids=REFUSALS)
async def test_every_recorded_refusal_is_its_error(
    open_adapter: OpenAdapter, name: str, expected: tuple[type[SecretsError], str]
) -> None:
    async with KubernetesServer(plays(name)) as server:
        adapter = open_adapter(server.url)
        with pytest.raises(SecretsError) as failure:
            await adapter.get("plain", "password", seconds=0.8)

    assert (type(failure.value), failure.value.reason) == expected


PLAIN = "/api/v1/namespaces/shop/secrets/plain"


@pytest.mark.usefixtures("without_proxies")
async def test_a_read_is_one_plain_get_past_all_proxies(open_adapter: OpenAdapter) -> None:
    async with KubernetesServer() as server:
        server.model.put("shop", "plain", {"password": "hello"})
        adapter = open_adapter(server.url)

        assert (await adapter.get("plain", "password")).value.reveal() == "hello"
        (call,) = server.model.calls

    assert (call.method, call.target) == ("GET", PLAIN)
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.headers["accept-encoding"] == "identity"
    assert call.headers["user-agent"] == "wasmcloud-secrets/9.9.9"
    assert "impersonate-user" not in call.headers
    assert "cookie" not in call.headers


async def test_the_longest_names_are_sent_as_they_are(open_adapter: OpenAdapter) -> None:
    name = ".".join(["a-1" * 20] * 4)
    async with KubernetesServer() as server:
        server.model.put("shop", name, {".dockerconfigjson": "{}"})
        adapter = open_adapter(server.url)
        await adapter.get(f"{name}/.dockerconfigjson")

    assert server.model.calls[0].target == f"/api/v1/namespaces/shop/secrets/{name}"


@pytest.mark.parametrize(
    "key",
    ["", "/", "..", "../../pay/secrets/plain", "plain/../x", "pl%61in", "plain?x", "plain#x", "Ä"],
)
async def test_nothing_is_sent_for_a_name_that_cannot_be(
    open_adapter: OpenAdapter, key: str
) -> None:
    async with KubernetesServer() as server:
        adapter = open_adapter(server.url)
        with pytest.raises(InvalidRequest):
            await adapter.get(key)
        with pytest.raises(PolicyError):
            await adapter.get("plain", namespace=key)

    assert server.model.calls == []


async def test_a_redirect_is_never_followed(open_adapter: OpenAdapter) -> None:
    async with KubernetesServer() as target, KubernetesServer() as server:
        target.model.put("shop", "plain", {"password": "hello"})
        server.answer = lambda _: Result(307, b"", {"location": f"{target.url}{PLAIN}"})
        adapter = open_adapter(server.url)
        with pytest.raises(Exception, match="No Kubernetes API"):
            await adapter.get("plain", "password")

    assert target.model.calls == []


async def test_impersonation_goes_out_as_one_header(open_adapter: OpenAdapter) -> None:
    user = "system:serviceaccount:pay:reader"
    async with KubernetesServer() as server:
        server.model.put("shop", "plain", {"password": "hello"})
        server.model.rights = {Right(ACCOUNT, "impersonate", "", user), Right(user, "get", "shop")}
        adapter = open_adapter(server.url, allowed_impersonations=(user,))
        await adapter.get("plain", "password", impersonate=user)

    assert server.model.calls[0].headers["impersonate-user"] == user


@pytest.mark.parametrize("way", [Break.CLOSE, Break.RESET, Break.HALF])
async def test_a_connection_that_breaks_is_replaced(open_adapter: OpenAdapter, way: str) -> None:
    async with KubernetesServer() as server:
        server.model.put("shop", "plain", {"password": "hello"})
        adapter = open_adapter(server.url)
        await adapter.get("plain", "password")
        server.breaks = [way]

        assert (await adapter.get("plain", "password")).value.reveal() == "hello"


async def test_a_server_that_hangs_ends_with_the_deadline(open_adapter: OpenAdapter) -> None:
    async with KubernetesServer() as server:
        server.breaks = [Break.HANG] * 9
        adapter = open_adapter(server.url, read_timeout_seconds=0.2)
        with pytest.raises(StoreUnavailable):
            await adapter.get("plain", "password", seconds=0.5)


async def test_a_hanging_etcd_gives_way_to_the_watch_cache(open_adapter: OpenAdapter) -> None:
    async with KubernetesServer() as server:
        server.model.put("shop", "plain", {"password": "hello"})
        server.breaks = [Break.HANG]
        adapter = open_adapter(server.url, stale_reads=True, read_timeout_seconds=0.2)
        server.breaks *= 20
        read = asyncio.create_task(adapter.get("plain", "password"))
        await asyncio.sleep(1.9)
        server.breaks.clear()
        secret = await read

    if secret.source == "stale":
        assert server.model.calls[-1].query == {"resourceVersion": "0"}
        assert adapter.figure("kubernetes_stale_reads_total") == 1


async def test_many_reads_share_few_connections(open_adapter: OpenAdapter) -> None:
    async with KubernetesServer() as server:
        for number in range(40):
            server.model.put("shop", f"s{number}", {"v": str(number)})
        adapter = open_adapter(server.url, max_connections=4)
        secrets = await asyncio.gather(*(adapter.get(f"s{n}", "v") for n in range(40)))
        connections = server.connections

    assert [secret.value.reveal() for secret in secrets] == [str(n) for n in range(40)]
    assert connections <= 4


async def test_the_check_tells_a_wrong_address_from_one_that_is_away(
    open_adapter: OpenAdapter,
) -> None:
    async with KubernetesServer(lambda _: html()) as server:
        with pytest.raises(StoreUnreachableError, match="No Kubernetes API"):
            await open_adapter(server.url).parts.check.check()
        url = server.url
    with pytest.raises(StoreUnreachableError):
        await open_adapter(url).parts.check.check()


@pytest.mark.parametrize("seats", [1, 4])
async def test_reads_come_back_one_by_one_to_a_server_that_throttles_them(
    open_adapter: OpenAdapter, seats: int
) -> None:
    names = [f"secret-{number}" for number in range(30 * seats)]
    async with KubernetesServer() as server:
        server.seats = seats
        for name in names:
            server.model.put("shop", name, {"password": name})
        adapter = open_adapter(server.url)
        # Within the time that a host waits; sent again all at once, most are refused again.
        secrets = await asyncio.gather(*(adapter.get(name, "password") for name in names))

    assert [secret.value.reveal() for secret in secrets] == names
