"""What an operator should know about a configuration that works and protects less than it could."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from bootstrap.settings.stores import INFISICAL

if TYPE_CHECKING:
    from adapters.nats.config import NatsConfig
    from bootstrap.settings import Settings

_LONG_TTL_SECONDS = 60.0
"""Who changes a secret and starts a component again waits so long at most, unknowingly."""

_log = structlog.get_logger()


def warn_of_weaknesses(settings: Settings, nats: NatsConfig) -> None:
    """Log one warning for each weakness."""
    _warn_about_trust(settings)
    _warn_about_admin_http(settings)
    _warn_about_old_values(settings)
    exposed = [str(address) for address in nats.addresses if not is_loopback(address.host)]
    if exposed and not nats.insists_on_tls:
        _log.warning(
            "nats.tls_not_required",
            servers=exposed,
            meaning="Whoever is on the way to NATS can read how this service logs in, and drop or "
            "replay requests. Values themselves are sealed for the hosts.",
            advice="Write tls:// in NATS_URL, or set NATS_TLS_CA_FILE.",
        )
    infisical = urlsplit(settings.infisical_base_url)
    if (
        settings.secret_store == INFISICAL
        and infisical.scheme == "http"
        and not is_loopback(infisical.hostname or "")
    ):
        _log.warning(
            "infisical.unencrypted",
            server=settings.infisical_base_url,
            meaning="Whoever is on the way to Infisical can read every secret and the client "
            "secret.",
            advice="Write https:// in INFISICAL_BASE_URL, with INFISICAL_CA_FILE for a private CA.",
        )
    _warn_about_traces(settings)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, whatever the network does."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _warn_about_admin_http(settings: Settings) -> None:
    address = settings.admin_address
    if address is not None and not address.is_loopback:
        (_log.info if settings.admin_exposed else _log.warning)(
            "admin_http.exposed",
            address=str(address),
            meaning="Whoever reaches this address reads, without a login and in clear, how the "
            "service is doing. No secret and no key of one is among it.",
            advice="Let only Prometheus and the orchestrator through, by a NetworkPolicy or a "
            "firewall, and webhooks by a proxy with TLS that passes on their path alone, and set "
            "ADMIN_EXPOSED=true; or set ADMIN_ADDR to a loopback address such as :9090.",
        )


def _warn_about_traces(settings: Settings) -> None:
    has_headers = settings.traces_headers is not None or settings.traces_headers_file is not None
    collector = urlsplit(settings.traces_endpoint or "")
    if has_headers and collector.scheme == "http" and not is_loopback(collector.hostname or ""):
        _log.warning(
            "traces.unencrypted",
            server=settings.traces_endpoint,
            meaning="Whoever is on the way to the collector can read the credentials in "
            "TRACES_HEADERS.",
            advice="Write https:// in TRACES_ENDPOINT, with TRACES_CA_FILE for a private CA.",
        )


def _warn_about_old_values(settings: Settings) -> None:
    ttl_seconds = settings.cache_ttl_seconds or 0.0
    of_infisical = settings.secret_store == INFISICAL
    told_of_changes = of_infisical and settings.infisical_webhook_key is not None
    if ttl_seconds <= _LONG_TTL_SECONDS or told_of_changes:
        return
    _log.warning(
        "cache.values_kept_long",
        ttl_seconds=ttl_seconds,
        meaning="A secret that is changed or revoked in the store is handed out as it was for up "
        "to that long, also to components that are started again for its sake.",
        advice="Set INFISICAL_WEBHOOK_KEY and ADMIN_ADDR, so that Infisical tells of changes, or "
        "run `wasmcloud-secrets cache flush` after each change, or lower CACHE_TTL_SECONDS."
        if of_infisical
        else "Run `wasmcloud-secrets cache flush` after each change, or leave CACHE_TTL_SECONDS "
        "out: this store is then asked each time.",
    )


def _warn_about_trust(settings: Settings) -> None:
    if not settings.trusted_issuers and settings.access_policy_file is None:
        _log.warning(
            "access.any_issuer",
            meaning="Anybody can sign a component's token with a key of their own, so whoever "
            "NATS lets publish to these subjects may read every secret this service can.",
            advice="Set ACCESS_POLICY_FILE, or TRUSTED_ISSUERS to the accounts that sign your "
            "components.",
        )
    if settings.observes_only:
        _log.warning(
            "access.only_observed",
            meaning="No request is refused, whatever the rules say: nothing is protected.",
            advice="Look for reasons that begin with observed_ in the audit trail; once there are "
            "none, set AUTHORIZATION_MODE=enforce.",
        )
