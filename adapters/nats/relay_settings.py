"""The two NATS accounts of wasmCloud 2 that the relay stands between."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from adapters.nats.settings import NatsLoginSettings
from adapters.system.setting_types import NatsServers


class OperatorNatsSettings(NatsLoginSettings):
    """The account in which the operator of wasmCloud 2 is; read by the relay alone."""

    prefix: ClassVar[str] = "RELAY_OPERATOR_"

    urls: NatsServers = Field(
        validation_alias="RELAY_OPERATOR_URL",
        repr=False,  # as above
        description="NATS servers of wasmCloud's operator, comma-separated, as its "
        "`schedulerUrl` names them. `tls://` insists on TLS. Required for the relay.",
    )


class HostsNatsSettings(NatsLoginSettings):
    """The account in which the hosts of wasmCloud 2 are; read by the relay alone."""

    prefix: ClassVar[str] = "RELAY_HOSTS_"

    urls: NatsServers = Field(
        validation_alias="RELAY_HOSTS_URL",
        repr=False,  # as above
        description="NATS servers of the hosts, comma-separated, as their "
        "`--scheduler-nats-url` names them. `tls://` insists on TLS. Required for the relay.",
    )
