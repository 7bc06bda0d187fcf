"""Where operators and their tools ask how the service is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import override

from adapters.admin_http.address import (
    MAX_PORT,
    AdminAddress,
    AdminAddressError,
    parse_admin_address,
)
from adapters.system.setting_types import Texts, strip
from ports.settings import Problem, SettingsGroup, says_yes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def _admin_address(text: str) -> str:
    return str(parse_admin_address(text))


class AdminSettings(SettingsGroup):
    """Probes and metrics over HTTP."""

    admin_addr: Annotated[str, BeforeValidator(strip), AfterValidator(_admin_address)] | None = (
        Field(
            default=None,
            description="Address such as `:9090` that answers `/livez`, `/readyz` and `/metrics`; "
            "`:9090` is short for `127.0.0.1:9090`. Unset: no port is opened.",
        )
    )

    admin_exposed: bool = Field(
        default=False,
        description="`true` where others are meant to reach `ADMIN_ADDR` and only they do, as by a "
        "Kubernetes NetworkPolicy: the start then mentions it instead of warning about it.",
    )

    admin_hosts: Texts = Field(
        default=(),
        description="Names, comma-separated, that `ADMIN_ADDR` is asked under, such as a proxy's "
        "or a Kubernetes Service's. Requests that name another host are refused, but for loopback "
        "names and the IP address they came in at.",
    )

    admin_console: bool = Field(
        default=False,
        description="`true`: `ADMIN_ADDR` also answers `/console`, pages for a browser on this "
        "machine, as [console.md](console.md) shows them. They need no login, and answer no other "
        "machine.",
    )

    @property
    def admin_address(self) -> AdminAddress | None:
        """The address, read."""
        return None if self.admin_addr is None else parse_admin_address(self.admin_addr)

    @override
    @classmethod
    def contradictions(cls, given: Mapping[str, Any]) -> Iterable[Problem]:
        if says_yes(given.get("admin_console")) and "admin_addr" not in given:
            yield Problem(
                "ADMIN_CONSOLE",
                "needs ADMIN_ADDR, the address that the console is at; set it, such as :9090.",
            )
        try:
            port = parse_admin_address(str(given["admin_addr"])).port
            workers = int(given["workers"])
        except (KeyError, AdminAddressError, ValueError):
            return
        if workers > 1 and port + workers - 1 > MAX_PORT:
            yield Problem(
                "ADMIN_ADDR, WORKERS",
                f"do not fit: each worker listens one port further on, and {MAX_PORT} is the last "
                "one. Choose a lower port.",
            )
