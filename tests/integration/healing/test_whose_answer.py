"""What stands at a store's address for a while is an outage, also where it answers in JSON."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from adapters.crypto.nkeys_text import KeyKind
from adapters.crypto.token_signer import SigningKey
from domain.model.errors import SecretsError, UpstreamError
from tests.support.environments import local_infisical_environment
from tests.support.host import connected_host, new_token
from tests.support.infisical_model import Result
from tests.support.infisical_server import InfisicalServer
from tests.support.kubernetes_model import TOKEN
from tests.support.kubernetes_server import KubernetesServer
from tests.support.service_process import ServiceProcess
from tests.support.vault_logins import ROLE_ID, SECRET_ID
from tests.support.vault_server import VaultServer
from tests.support.waiting import until_awaited

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.support.host import Host

    OpenStage = Callable[[str, str, Path], AbstractAsyncContextManager["Stage"]]

JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html"}

FOREIGN = {
    "a gateway without the route": Result(404, {"message": "no Route", "request_id": "1"}),
    "a gateway that forbids": Result(403, {"message": "Forbidden"}),
    "a health page": Result(200, {"status": "ok"}),
    "half an answer": Result(200, b'{"secret":', JSON),
    "a page that is compressed": Result(200, b"..", {**HTML, "content-encoding": "gzip"}),
    "a page of 3 MB": Result(200, b"<html>" + b" " * 3_000_000, HTML),
}


class Stage(NamedTuple):
    """A store, the settings of a service on it, and how a host asks for its two secrets."""

    server: InfisicalServer | VaultServer | KubernetesServer
    settings: dict[str, str]
    keys: tuple[str, str]
    absent: str
    field: str | None = None


@asynccontextmanager
async def infisical(url: str, prefix: str, folder: Path) -> AsyncIterator[Stage]:
    async with InfisicalServer() as server:
        for key in ("KEY", "OTHER"):
            server.model.put(key, "value")
        settings = local_infisical_environment(server, url, prefix, folder)
        yield Stage(server, settings, ("KEY", "OTHER"), "ABSENT")


@asynccontextmanager
async def vault(url: str, prefix: str, folder: Path) -> AsyncIterator[Stage]:
    async with VaultServer() as server:
        for key in ("app/key", "app/other"):
            server.model.put(key, {"field": "value"})
        settings = {
            "SECRET_STORE": "vault",
            "VAULT_ADDR": server.url,
            "VAULT_LOGIN": "approle",
            "VAULT_ROLE_ID": ROLE_ID,
            "VAULT_SECRET_ID": SECRET_ID,
            "VAULT_STATE_FOLDER": str(folder),
        }
        yield Stage(server, settings, ("app/key", "app/other"), "app/absent", "field")


@asynccontextmanager
async def kubernetes(url: str, prefix: str, folder: Path) -> AsyncIterator[Stage]:
    token = folder / "token"
    token.write_text(f"{TOKEN}\n")
    async with KubernetesServer() as server:
        for key in ("key", "other"):
            server.model.put("shop", key, {"field": "value"})
        settings = {
            "SECRET_STORE": "kubernetes",
            "KUBERNETES_API_URL": server.url,
            "KUBERNETES_TOKEN_FILE": str(token),
            "KUBERNETES_NAMESPACE": "shop",
        }
        yield Stage(server, settings, ("key", "other"), "absent", "field")


async def ask(host: Host, stage: Stage, key: str) -> str:
    """Ask as a host that starts something else each time, and return the value or the error."""
    token = new_token(SigningKey.generate(KeyKind.ACCOUNT), KeyKind.HOST)
    try:
        secret = await host.get(key, field=stage.field, host_token=token)
    except SecretsError as error:
        return type(error).__name__
    return str(secret.value.reveal())


@pytest.mark.parametrize("store", [infisical, vault, kubernetes])
async def test_kept_values_are_served_and_others_are_unavailable_until_the_store_is_back(
    store: OpenStage, nats_url: str, subject_prefix: str, tmp_path: Path
) -> None:
    async with (
        store(nats_url, subject_prefix, tmp_path) as stage,
        connected_host(nats_url, subject_prefix) as host,
    ):
        settings = stage.settings | {
            "NATS_URL": nats_url,
            "NATS_SUBJECT_PREFIX": subject_prefix,
            "BACKEND_NAME": "infisical",
            "SERVER_XKEY_SEED_FILE": str(tmp_path / "server.seed"),
            "CACHE_TTL_SECONDS": "0",
            "CACHE_MAX_STALE_SECONDS": "600",
        }
        kept, other = stage.keys
        ends: dict[str, tuple[str, str]] = {}
        async with ServiceProcess(settings, tmp_path) as service:
            assert await ask(host, stage, kept) == "value"
            for name, result in FOREIGN.items():
                stage.server.answer = lambda _, result=result: result
                ends[name] = (await ask(host, stage, kept), await ask(host, stage, other))
                stage.server.answer = None
                await until_awaited(
                    lambda: ask(host, stage, stage.absent), lambda end: end == "SecretNotFound"
                )
            assert await service.stop() == 0

    assert ends == dict.fromkeys(FOREIGN, ("value", UpstreamError.__name__))
