"""Puts the store together from its settings, with its figures for metrics."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from adapters.upstream.admission import Admission
from adapters.upstream.admission_config import AdmissionConfig, worker_share
from adapters.upstream.config import UpstreamConfig
from adapters.upstream.opening import open_http
from adapters.upstream.policy_choices import FolderBounds
from adapters.upstream.server_address import host_and_port
from adapters.upstream.statistics import upstream_samples
from adapters.vault.addressing import Addressing, Place
from adapters.vault.api import KvVersions, VaultApi
from adapters.vault.caller_logins import partition
from adapters.vault.check import VaultCheck
from adapters.vault.http_calls import HttpCalls, is_vault_answer
from adapters.vault.quotas import without_quotas
from adapters.vault.store import VaultSecretStore
from adapters.vault.who_asks import asks_as
from ports.plugin import Sample
from ports.store_plugin import StoreParts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.upstream.http import UpstreamHttp
    from adapters.upstream.statistics import CallStatistics
    from adapters.vault.api import KvVersion
    from adapters.vault.quotas import MountPauses
    from adapters.vault.service_tokens import ServiceTokens
    from adapters.vault.settings import VaultSettings
    from ports.store_plugin import StoreContext

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""A secret has 1 MiB at most on raft, and six bytes for each character that HTML knows."""

_KV_VERSIONS: Final[dict[str, KvVersion | None]] = {"auto": None, "1": 1, "2": 2}


def vault_samples(
    tokens: ServiceTokens | None,
    admission: Admission,
    statistics: CallStatistics,
    pauses: MountPauses,
) -> Iterator[Sample]:
    """Yield every figure of the Vault client as it is now."""
    if tokens is not None:
        yield from _token_samples(tokens)
    state = admission.state()
    yield Sample(
        "vault_pause_seconds",
        "Seconds until reads of every mount may be sent, for a rate limit; 0 if they may be now.",
        max(state.pause_seconds, pauses.longest_seconds),
    )
    yield from upstream_samples("vault", "Vault", state, statistics.durations, admission.waits)


def _token_samples(tokens: ServiceTokens) -> Iterator[Sample]:
    if not math.isinf(tokens.remaining_seconds):
        yield Sample(
            "vault_token_remaining_seconds",
            "Seconds for which the service's token is still used, 0 without one; absent for a "
            "token without an end, and where callers log in.",
            tokens.remaining_seconds,
        )
    obtained, failed = tokens.counts
    for outcome, count in (("obtained", obtained), ("failed", failed)):
        yield Sample(
            "vault_logins_total",
            "Logins and renewals of the service by outcome.",
            count,
            (("outcome", outcome),),
            "counter",
        )


def build_parts(settings: VaultSettings, context: StoreContext) -> StoreParts:
    """Build the store.

    Raises:
        PluginError: a file cannot be used.
    """
    clock = context.clock
    config = _upstream(settings, context.user_agent)
    http = _client(config, context)
    nodes = {
        _origin(address): _client(replace(config, base_url=address), context)
        for address in settings.redirect_addresses
        if _origin(address) != _origin(settings.addr)
    }
    admission = Admission(
        AdmissionConfig(
            name="Vault",
            code="vault",
            limit_setting="VAULT_MAX_REQUESTS_PER_MINUTE",
            max_in_flight=config.read_connections,
            max_per_minute=worker_share(settings.max_requests_per_minute, context),
        ),
        clock,
    )
    calls = HttpCalls(
        http, admission, clock, context.jitter, {_origin(settings.addr): http, **nodes}
    )
    asks = asks_as(settings, calls, context)
    versions = KvVersions(clock, _KV_VERSIONS[settings.kv_version])
    api = VaultApi(calls=calls, access=asks.access, versions=versions, clock=clock)
    callers = settings.method == "caller"
    addressing = Addressing(
        default=Place(settings.mount, settings.namespace, (settings.role or "") if callers else ""),
        bounds=FolderBounds.of(settings.secret_path, settings.allowed_paths, settings.prefix),
        mounts=frozenset(settings.allowed_mounts),
        namespaces=frozenset(settings.allowed_namespaces),
        roles=frozenset(settings.allowed_roles),
    )

    async def close() -> None:
        if asks.close is not None:
            await asks.close()
        await calls.aclose()

    def reload() -> None:
        versions.forget()
        if asks.reload is not None:
            asks.reload()

    def samples() -> Iterator[Sample]:
        return vault_samples(asks.tokens, admission, http.statistics, calls.pauses)

    return StoreParts(
        VaultSecretStore(addressing, api, clock),
        VaultCheck(
            addressing,
            api,
            clock,
            address=settings.addr,
            callers=callers,
            publishes_keys=bool(asks.routes),
        ),
        preflight=asks.preflight,
        run=asks.run,
        close=close,
        reload=reload,
        problem=asks.problem,
        samples=samples,
        routes=asks.routes,
        partition=partition if callers else None,
        server=host_and_port(settings.addr),
    )


def _upstream(settings: VaultSettings, user_agent: str) -> UpstreamConfig:
    certificate = None
    if settings.client_cert is not None and settings.client_key is not None:
        certificate = (settings.client_cert, settings.client_key)
    return UpstreamConfig(
        name="Vault",
        code="vault",
        base_url=settings.addr,
        url_setting="VAULT_ADDR",
        ca_setting="VAULT_CACERT",
        certificate_setting="VAULT_CLIENT_CERT and VAULT_CLIENT_KEY",
        ca_file=settings.cacert,
        client_certificate=certificate,
        tls_server_name=settings.tls_server_name,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        read_timeout_seconds=settings.read_timeout_seconds,
        max_connections=settings.max_connections,
        max_body_bytes=MAX_ANSWER_BYTES,
        user_agent=user_agent,
    )


def _client(config: UpstreamConfig, context: StoreContext) -> UpstreamHttp:
    http = open_http(
        config,
        context,
        is_vault_answer,
        settings="VAULT_CACERT, VAULT_CLIENT_CERT, VAULT_CLIENT_KEY",
        advice="must name certificates in PEM form, and the key that belongs to the client's.",
    )
    http.adapt = without_quotas
    return http


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
