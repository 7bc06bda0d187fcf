"""`wasmcloud-secrets relay`: a service whose front is the control API of wasmCloud 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from adapters.nats.relay_settings import HostsNatsSettings, OperatorNatsSettings
from adapters.system.loopback import is_loopback
from adapters.wasmcloud2.settings import RelaySettings
from bootstrap import main
from bootstrap.settings import Problem, SettingsError
from bootstrap.wasmcloud2 import unfit_for
from bootstrap.wasmcloud2.relay_front import RelayConfig, RelayFront

if TYPE_CHECKING:
    from adapters.system.service_manager import ServiceManager
    from bootstrap.containers import Container
    from bootstrap.settings import Configuration
    from ports.transport_plugin import TransportParts


_log = structlog.get_logger()

GROUPS = (RelaySettings, OperatorNatsSettings, HostsNatsSettings)


def relay() -> int:
    """Run the relay until a signal to stop, and return the exit code."""

    def run(configuration: Configuration, manager: ServiceManager) -> None:
        config = relay_config(configuration)
        for advice in weaknesses(config):
            _log.warning("plugin.weakness", plugin="relay", advice=advice)
        main.run_front(configuration, manager, lambda built: build_front(built, config))

    return main.serve(run, GROUPS)


def relay_config(configuration: Configuration) -> RelayConfig:
    """Return what the relay runs on.

    Raises:
        SettingsError: with everything that is missing or does not fit.
    """
    service = configuration.service
    problems = [*unfit_for("the relay", configuration)]
    if service.v2_environment is None:
        problems.insert(
            0,
            Problem(
                "V2_ENVIRONMENT",
                "is required for the relay: your word for these hosts, such as prod.",
            ),
        )
    if service.v2_environment is None or problems:
        raise SettingsError(*problems)
    return RelayConfig(
        service.v2_environment,
        configuration.of(RelaySettings),
        configuration.of(OperatorNatsSettings),
        configuration.of(HostsNatsSettings),
    )


def build_front(container: Container, config: RelayConfig) -> TransportParts:
    """Build the relay on the container's store, rules and audit trail."""
    return RelayFront(
        config,
        container.configuration().service,
        container.traced_reads(),
        container.pipeline(),
        container.clock(),
        locate=container.authorize().location_of,
    ).parts()


def weaknesses(config: RelayConfig) -> list[str]:
    """Name what these settings leave open, each with what to do about it."""
    hosts = config.hosts
    exposed = [str(address) for address in hosts.addresses if not is_loopback(address.host)]
    if hosts.insists_on_tls or not exposed:
        return []
    advice = (
        f"The hosts' NATS at {', '.join(exposed)} is reached without TLS, and start requests carry "
        "secrets in clear: they can be read on the way. Write tls:// in RELAY_HOSTS_URL, or set "
        "RELAY_HOSTS_TLS_CA_FILE."
    )
    return [advice]
