"""Configurations that work and protect less than they could: one warning in the log for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import structlog

from adapters.system.loopback import is_loopback

if TYPE_CHECKING:
    from bootstrap.settings import Configuration, Settings
    from ports.store_plugin import StoreParts

_LONG_TTL_SECONDS: Final = 60.0
"""A component that is started again after a change gets the old value for so long at most."""

_log = structlog.get_logger()


def warn_of_weaknesses(configuration: Configuration, store: StoreParts) -> None:
    """Log one warning for each weakness, the plug-ins' own included."""
    settings = configuration.service
    _warn_about_trust(settings)
    _warn_about_admin_http(settings)
    _warn_about_old_values(configuration, store)
    for chosen in (configuration.transport, configuration.store):
        for advice in chosen.warnings():
            _log.warning("plugin.weakness", plugin=chosen.plugin.name, advice=advice)
    _warn_about_traces(settings)


def _warn_about_admin_http(settings: Settings) -> None:
    address = settings.admin_address
    if address is not None and not address.is_loopback:
        (_log.info if settings.admin_exposed else _log.warning)(
            "admin_http.exposed",
            address=str(address),
            meaning="Any client that reaches this address reads, without a login and in clear, how "
            "the service is doing. No secret and no key of one is among it.",
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
            meaning="On the way to the collector the credentials in TRACES_HEADERS can be read.",
            advice="Write https:// in TRACES_ENDPOINT, with TRACES_CA_FILE for a private CA.",
        )


def _warn_about_old_values(configuration: Configuration, store: StoreParts) -> None:
    ttl_seconds = configuration.service.cache_ttl_seconds or 0.0
    if ttl_seconds <= _LONG_TTL_SECONDS or store.announces_changes:
        return
    _log.warning(
        "cache.values_kept_long",
        ttl_seconds=ttl_seconds,
        meaning="A secret that is changed or revoked in the store is handed out as it was for up "
        "to that long, also to components that are started again for its sake.",
        advice="Have the store announce changes, such as by a webhook, where it can; or run "
        "`wasmcloud-secrets cache flush` after each change, or lower CACHE_TTL_SECONDS.",
    )


def _warn_about_trust(settings: Settings) -> None:
    if not settings.trusted_issuers and settings.access_policy_file is None:
        _log.warning(
            "access.any_issuer",
            meaning="Any signature on a component's token is trusted, so every client that the "
            "transport lets ask may read every secret this service can.",
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
