"""What the relay does, and where host component plug-ins of wasmCloud 2 ask over HTTPS.

How the relay reaches its two sides is `adapters.nats.settings`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from adapters.admin_http.address import AdminAddress, parse_admin_address
from adapters.system.setting_types import ReadableFile, strip
from ports.settings import SettingsGroup


class RelaySettings(SettingsGroup):
    """Read by `wasmcloud-secrets relay` alone."""

    prefix: ClassVar[str] = "RELAY_"

    roll_on_change: bool = Field(
        default=False,
        description="Stop and start the workloads that hold a secret which the store says has "
        "changed, one at a time.",
    )
    max_starts: int = Field(
        default=256,
        ge=1,
        description="Workloads with secrets that may start at a time; more are refused.",
    )


def _address(text: str) -> str:
    return str(parse_admin_address(text))


class PluginEndpointSettings(SettingsGroup):
    """Read by `wasmcloud-secrets v2 plugin-endpoint` alone."""

    prefix: ClassVar[str] = "V2_PLUGIN_"

    addr: Annotated[str, BeforeValidator(strip), AfterValidator(_address)] = Field(
        default="127.0.0.1:8443",
        description="Address to listen on with TLS, such as `0.0.0.0:8443`.",
    )
    tls_cert_file: ReadableFile = Field(
        description="Certificate (PEM) with its chain, of the name under which hosts ask. Required "
        "for the endpoint."
    )
    tls_key_file: ReadableFile = Field(
        description="Private key (PEM) of that certificate. Required for the endpoint."
    )
    client_ca_file: ReadableFile = Field(
        description="CA certificates (PEM) of the hosts alone: their word is who asks. Required "
        "for the endpoint."
    )

    @property
    def address(self) -> AdminAddress:
        """The address, read."""
        return parse_admin_address(self.addr)
