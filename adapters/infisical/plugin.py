"""Infisical as a plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from adapters.infisical.settings import WEBHOOK_PATH, InfisicalSettings
from adapters.system.lone_process import LoneProcess
from adapters.upstream.admission_config import worker_share
from adapters.upstream.server_address import host_and_port, warn_without_tls
from ports.store_plugin import StoreParts, StorePlugin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ports.store_plugin import HttpRoute, StoreContext
    from ports.store_shape import StoreShape

_NO_WEBHOOKS: Final = (
    "Webhooks are not taken here; set INFISICAL_WEBHOOK_KEY to the secret key that the webhook has "
    "in Infisical, and start the service again."
)


class InfisicalPlugin(StorePlugin[InfisicalSettings]):
    """Registered as `infisical`."""

    name: ClassVar[str] = "infisical"
    title: ClassVar[str] = "Infisical"
    api_version: ClassVar[int] = 1
    settings = InfisicalSettings

    @override
    def warnings(self, settings: InfisicalSettings) -> Sequence[str]:
        return warn_without_tls(
            settings.base_url,
            self.title,
            "the client secret",
            "INFISICAL_BASE_URL",
            "INFISICAL_CA_FILE",
        )

    @override
    def shape(self, given: Mapping[str, str]) -> StoreShape:
        from adapters.infisical.addressing import Addressing  # noqa: PLC0415  if it is chosen
        from adapters.infisical.store import check_version  # noqa: PLC0415
        from adapters.upstream.manifest_shape import ManifestShape  # noqa: PLC0415

        return ManifestShape(Addressing.of_manifests(given).locate, check_version)

    @override
    def build(self, settings: InfisicalSettings, context: StoreContext) -> StoreParts:
        from adapters.infisical.check import InfisicalCheck  # noqa: PLC0415  if it is chosen
        from adapters.infisical.client import InfisicalApi  # noqa: PLC0415
        from adapters.infisical.protocol import is_api_answer  # noqa: PLC0415
        from adapters.infisical.state import infisical_samples  # noqa: PLC0415
        from adapters.infisical.store import InfisicalSecretStore  # noqa: PLC0415
        from adapters.upstream.login_peers import LoginPeers  # noqa: PLC0415
        from adapters.upstream.opening import open_guard, open_http  # noqa: PLC0415

        share = worker_share(settings.max_requests_per_minute, context)
        settings = settings.model_copy(update={"max_requests_per_minute": share})
        http = open_http(settings.upstream(context.user_agent), context, is_api_answer)
        identity = f"{settings.api_root}\n{(settings.client_id or '').strip()}"
        bus = None if isinstance(context.peers, LoneProcess) else context.peers
        peers = LoginPeers(
            bus, identity, context.clock, context.jitter, starts_alone=context.workers == 1
        )
        lockout_file, setting = settings.lockout_file, "INFISICAL_LOCKOUT_FILE"
        guard = open_guard(settings.lockout, lockout_file, peers.digest, setting, context)
        api = InfisicalApi(settings, http, context.clock, context.jitter, guard=guard, peers=peers)

        routes: tuple[HttpRoute, ...] = ()
        if settings.webhook_key is not None:
            from adapters.infisical.webhook import InfisicalWebhook  # noqa: PLC0415  likewise
            from adapters.infisical.webhook_signature import WebhookVerifier  # noqa: PLC0415

            verifier = WebhookVerifier(settings.webhook_key, context.clock)
            routes = (InfisicalWebhook(verifier, context.changed).route(),)
        return StoreParts(
            InfisicalSecretStore(settings, api),
            InfisicalCheck(settings, api, context.clock),
            run=lambda: peers.listen(api.tokens.refused_elsewhere),
            close=api.aclose,
            reload=lambda: api.tokens.try_again("asked_for"),
            problem=lambda: api.state().login_advice,
            samples=lambda: infisical_samples(api.state()),
            routes=routes,
            closed_routes={} if routes else {WEBHOOK_PATH: _NO_WEBHOOKS},
            server=host_and_port(settings.base_url),
            announces_changes=bool(routes),
        )


PLUGIN: Final = InfisicalPlugin()
