"""Where the admin HTTP listens, as an operator writes it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import NamedTuple

from typing_extensions import override

LOOPBACK = "127.0.0.1"
MAX_PORT = 65535

_ADDRESS = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*):(?P<port>[0-9]{1,5})", re.ASCII)
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)


class AdminAddressError(ValueError):
    """The text is no address; the message says how one is written."""


class AdminHttpError(Exception):
    """The admin HTTP cannot listen at the configured address; the text says what to change.
    `may_pass`: whether another start may succeed as it is configured.
    """

    def __init__(self, text: str, *, may_pass: bool = False) -> None:
        super().__init__(text)
        self.may_pass = may_pass


class AdminAddress(NamedTuple):
    """A host and a TCP port.

    Attributes:
        host: a name or an IP address, the latter without brackets.
        port: 0 lets the system choose.
    """

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it, as far as is known without a name server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    @override
    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_admin_address(text: str) -> AdminAddress:
    """Read "host:port"; without a host it is the loopback address, and IPv6 stands in brackets.

    Raises:
        AdminAddressError: it is none of these.
    """
    found = _ADDRESS.fullmatch(text.strip())
    host = _host(found["host"]) if found else None
    if found is None or host is None:
        raise AdminAddressError(
            'must be "host:port", such as 127.0.0.1:9090, [::1]:9090 or 0.0.0.0:9090; ":9090" is '
            "short for 127.0.0.1:9090."
        )
    port = int(found["port"])
    if not 1 <= port <= MAX_PORT:
        raise AdminAddressError(f"must end in a port from 1 to {MAX_PORT}.")
    return AdminAddress(host, port)


def _host(text: str) -> str | None:
    if not text:
        return LOOPBACK
    bracketed = text.startswith("[")
    host = text.strip("[]")
    try:
        version = ip_address(host).version
    except ValueError:
        # All digits and dots would be an IPv4 address that is none.
        is_name = _NAME.fullmatch(host) and not re.fullmatch(r"[0-9.]+", host)
        return host if is_name and not bracketed else None
    return host if bracketed == (version == 6) else None  # noqa: PLR2004  of the internet protocol
