"""`wasmcloud-secrets healthcheck`: asks the admin listener of a running service, as probes do.

For what starts containers and can only run a command in them. Exit codes: 0 all is well, 1 not;
the runtimes of containers reserve every other.
"""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bootstrap.cli.terminal import warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.admin_http.address import AdminAddress

_TIMEOUT_SECONDS: Final = 2.0
_MAX_BYTES: Final = 65_536
_OK: Final = 200


def healthcheck(
    *,
    live: Annotated[
        bool,
        typer.Option("--live", help="Ask /livez: does it run? Otherwise /readyz: does it serve?"),
    ] = False,
) -> None:
    """Ask the running service at ADMIN_ADDR whether it is well; for HEALTHCHECK of an image."""
    from bootstrap.settings.admin import AdminSettings
    from bootstrap.settings.load import load_settings
    from bootstrap.settings.problems import SettingsError
    from bootstrap.settings.workers import WorkerSettings

    try:
        address = load_settings(AdminSettings).admin_address
        workers = load_settings(WorkerSettings).workers
    except SettingsError as error:
        warn(str(error))
        raise typer.Exit(1) from None
    if address is None:
        warn("ADMIN_ADDR must be set, for the service as well: there is nothing to ask without it.")
        raise typer.Exit(1)
    problems = [
        problem
        for worker in range(workers)
        for problem in _ask(address, address.port + worker, "/livez" if live else "/readyz")
    ]
    for problem in problems:
        warn(problem)
    raise typer.Exit(1 if problems else 0)


def _ask(address: AdminAddress, port: int, path: str) -> Iterator[str]:
    """Yield what is wrong with one worker."""
    import http.client

    # Neither a proxy nor a redirect is followed.
    connection = http.client.HTTPConnection(
        _reachable(address.host), port, timeout=_TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        body = reply.read(_MAX_BYTES)
    except (OSError, http.client.HTTPException):
        yield (
            f"Port {port} does not answer {path}: see that the service runs with the same "
            "ADMIN_ADDR and WORKERS, and read its log."
        )
        return
    finally:
        connection.close()
    if reply.status != _OK:
        yield from _advice(body) or [
            f"Port {port} answers {path} with {reply.status}: see whether another program listens."
        ]


def _reachable(host: str) -> str:
    """Return where a listener on all addresses is asked."""
    from adapters.admin_http.address import LOOPBACK

    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return LOOPBACK if address.version == 4 else "::1"  # noqa: PLR2004  of the internet protocol


def _advice(body: bytes) -> list[str]:
    """Return the names and advice of the checks that fail; nothing if it is no such page."""
    try:
        checks: dict[str, Any] = json.loads(body)["checks"]
        return [f"{name}: {check['advice']}" for name, check in checks.items() if not check["ok"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
