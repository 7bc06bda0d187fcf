"""What the operator decides; each field is a variable, documented by its description."""

from typing import ClassVar

from pydantic import Field

from wasmcloud_secrets.extension import SettingsGroup


class HttpSettings(SettingsGroup):
    """Used when TRANSPORT is http."""

    prefix: ClassVar[str] = "HTTP_TRANSPORT_"

    port: int = Field(default=8480, ge=1, le=65535, description="Port on the loopback address.")
