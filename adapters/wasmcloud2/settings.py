"""What the relay does; how it reaches the two sides is `adapters.nats.settings`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

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
