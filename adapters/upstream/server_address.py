"""A server's address: its host and port, and what a plug-in warns of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from adapters.system.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def host_and_port(url: str) -> tuple[str, int]:
    """Return the server's host name and port."""
    server = urlsplit(url)
    return server.hostname or "", server.port or DEFAULT_PORTS[server.scheme]


def warn_without_tls(
    url: str, name: str, readable: str, url_setting: str, ca_setting: str
) -> Sequence[str]:
    """Return a warning for a server that is reached over a network without TLS.

    Args:
        name: the store's name.
        readable: what beside every secret can be read on the way.
        url_setting: the setting that holds the address.
        ca_setting: the setting for a private CA.
    """
    server = urlsplit(url)
    if server.scheme != "http" or is_loopback(server.hostname or ""):
        return ()
    advice = (
        f"{name} at {url} is reached without TLS: on the way there every secret and {readable} can "
        f"be read. Write https:// in {url_setting}, with {ca_setting} for a private CA."
    )
    return (advice,)
