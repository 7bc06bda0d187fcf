"""`wasmcloud-secrets v2 plugin-endpoint`: a service whose front is HTTPS for plug-ins of hosts."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.admin_http.server import AdminHttp
from adapters.wasmcloud2.plugin_app import PATH, PluginApp
from adapters.wasmcloud2.settings import PluginEndpointSettings
from bootstrap import main
from bootstrap.settings import Problem, SettingsError
from bootstrap.wasmcloud2 import unfit_for
from ports.transport import Transport
from ports.transport_plugin import TransportParts

if TYPE_CHECKING:
    from adapters.system.service_manager import ServiceManager
    from bootstrap.containers import Container
    from bootstrap.settings import Configuration
    from ports.clock import Clock
    from ports.transport import RequestHandler


def plugin_endpoint() -> int:
    """Run the endpoint until a signal to stop, and return the exit code."""

    def run(configuration: Configuration, manager: ServiceManager) -> None:
        if problems := [*unfit_for("the endpoint", configuration)]:
            raise SettingsError(*problems)
        settings = configuration.of(PluginEndpointSettings)
        tls = tls_context(settings)
        main.run_front(configuration, manager, lambda built: build_front(built, settings, tls))

    return main.serve(run, (PluginEndpointSettings,))


def tls_context(settings: PluginEndpointSettings) -> ssl.SSLContext:
    """Read the certificates; every client must show one of the hosts' authority.

    Raises:
        SettingsError: a file holds no certificate or key, or the two do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(settings.client_ca_file)
    except OSError:
        advice = "holds no certificate in PEM form."
        raise SettingsError(Problem("V2_PLUGIN_CLIENT_CA_FILE", advice)) from None
    try:
        context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file, password="")
    except OSError:
        names = "V2_PLUGIN_TLS_CERT_FILE, V2_PLUGIN_TLS_KEY_FILE"
        advice = (
            "are no certificate and its private key, both in PEM form and the key without a "
            "passphrase."
        )
        raise SettingsError(Problem(names, advice)) from None
    return context


def build_front(
    container: Container, settings: PluginEndpointSettings, tls: ssl.SSLContext
) -> TransportParts:
    """Build the endpoint on the container's store, rules and audit trail."""
    service, clock = container.configuration().service, container.clock()
    app = PluginApp(
        container.traced_reads(),
        clock,
        timeout_seconds=service.request_timeout_seconds,
        max_in_flight=service.max_in_flight,
    )
    return TransportParts(
        PluginEndpoint(app, settings, tls, clock),
        samples=app.samples,
        announced={"address": f"https://{settings.address}{PATH}"},
    )


@final
class PluginEndpoint(Transport):
    """Listens with TLS while the service serves; a worker's `handler` takes nothing here."""

    def __init__(
        self, app: PluginApp, settings: PluginEndpointSettings, tls: ssl.SSLContext, clock: Clock
    ) -> None:
        self._app = app
        self._server = AdminHttp(settings.address, app, clock, tls=tls, setting="V2_PLUGIN_ADDR")

    @override
    async def start(self, handler: RequestHandler) -> None:
        """Listen.

        Raises:
            AdminHttpError: the address cannot be listened on.
        """
        await self._server.start()

    @override
    async def stop(self, grace_seconds: float) -> None:
        self._app.is_stopping = True
        await self._server.aclose()
