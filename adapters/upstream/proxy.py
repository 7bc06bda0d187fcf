"""The proxy that the environment names for a store, read strictly: what is unclear stops the start.

HTTP(S)_PROXY, ALL_PROXY and NO_PROXY have no common standard. An entry that one library skips in
silence sends credentials the wrong way, so each is either understood here or refused by name.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.upstream.server_address import DEFAULT_PORTS, host_and_port
from domain.model.opaque import opaque
from ports.plugin import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HOST = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", re.ASCII)


@opaque
class Proxy:
    """The proxy on the way to a store.

    Attributes:
        setting: the variable that names it, in capitals.
        url: its address, perhaps with credentials.
    """

    setting: str
    url: str


def proxy_for(base_url: str, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a store; None for none.

    Variables are read in small letters first, as other tools do. The variable of the address's own
    scheme comes before ALL_PROXY; NO_PROXY before both.

    Args:
        base_url: the store's address.
        environment: the process's variables.

    Raises:
        PluginError: a variable cannot be used. The text holds none of its value.
    """
    host, port = host_and_port(base_url)
    names = (f"{urlsplit(base_url).scheme.upper()}_PROXY", "ALL_PROXY")
    proxies = [_checked(name, text) for name in names if (text := _text(name, environment))]
    direct = any(
        _covers(entry, host, port) for entry in _entries(_text("NO_PROXY", environment) or "")
    )
    return None if direct or not proxies else proxies[0]


def _text(name: str, environment: Mapping[str, str]) -> str | None:
    return environment.get(name.lower()) or environment.get(name)


def _checked(name: str, text: str) -> Proxy:
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0 and parts.path in {"", "/"}
        usable = usable and not parts.query and not parts.fragment
    except ValueError:
        usable = False
        parts = urlsplit("")
    if usable and parts.scheme.startswith("socks"):
        raise PluginError(
            "names a SOCKS proxy, and only HTTP proxies are used; name one of those, or list the "
            "store's host in NO_PROXY and reach it without.",
            setting=name,
        )
    if not usable or parts.scheme not in DEFAULT_PORTS:
        raise PluginError(
            "must be an address such as http://proxy:3128. In a user name or password write / as "
            "%2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25.",
            setting=name,
        )
    return Proxy(name, url)


def _entries(text: str) -> Iterator[str]:
    for entry in (part.strip() for part in text.split(",")):
        if not entry:
            continue
        if not _is_entry(entry):
            raise PluginError(
                "must list host names, domains, addresses and networks, comma-separated, such as "
                "localhost,.example.com,10.0.0.0/8,[fd00::1]:8443; an asterisk stands alone.",
                setting="NO_PROXY",
            )
        yield entry


def _is_entry(entry: str) -> bool:
    host, port = _split_port(entry)
    if port is not None and not (port.isascii() and port.isdigit() and 0 < int(port) <= 65535):  # noqa: PLR2004  the largest port
        return False
    return entry == "*" or _network(host) is not None or bool(_HOST.fullmatch(host))


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, only_port = _split_port(entry)
    if only_port is not None and int(only_port) != port:
        return False
    network, address = _network(name), _network(host)
    if network is not None:
        return (
            address is not None
            and address.version == network.version
            and address.network_address in network
        )
    domain = name.strip(".").lower()
    plain = host.rstrip(".").lower()
    return plain == domain or plain.endswith(f".{domain}")


def _split_port(entry: str) -> tuple[str, str | None]:
    """Return the host of `host:port`, `[address]:port` or an entry without a port, and the port."""
    if entry.startswith("["):
        host, bracket, rest = entry[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return "", None
        return host, rest[1:] if rest else None
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, port
    return entry, None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
