"""What a real API server answered to reads, replayed over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.kubernetes import reasons
from domain.model.errors import (
    CallFailed,
    RateLimited,
    SecretNotFound,
    SecretsError,
    StoreUnavailable,
    Unauthorized,
    UpstreamError,
)
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
