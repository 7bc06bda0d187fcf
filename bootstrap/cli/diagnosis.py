"""`check`, `settings` and `healthcheck`: how a configuration and a running service are."""

import io
import json
from collections.abc import Iterator
from ipaddress import ip_address
from textwrap import fill, indent
from typing import Annotated, Any, Final

import typer

from adapters.admin_http.address import AdminAddress
from bootstrap.cli.reporting import AsJson, guarded, guarded_run
from bootstrap.cli.terminal import say, warn, write_json

_WIDTH = 76

_TIMEOUT_SECONDS: Final = 2.0
_MAX_BYTES: Final = 65_536
_OK: Final = 200


def check(*, as_json: AsJson = False) -> None:
    """Look at all that a start needs, one line each, and change nothing.

    Settings, files and modes, rules, ports, disk, NATS, other replicas and the store. It logs in to
    NATS and to the store as the service does.

    Exit code 0 if the service can start, 1 if something does not answer or refuses, 2 if settings
    or files must be put right.
    """
    from adapters.telemetry.log_setup import configure_logging
    from bootstrap.preflight.run import preflight

    # What would be logged is said by the findings.
    configure_logging("error", "json", io.StringIO())
    findings = guarded_run(preflight)
    if as_json:
        found = [
            {"level": one.level.word, "topic": one.topic, "text": one.text}
            for one in findings.found
        ]
        write_json({"exit_code": findings.exit_code, "findings": found})
    else:
        width = max(len(one.topic) for one in findings.found)
        for one in findings.found:
            text = one.text.replace("\n", "\n" + " " * (width + 4))
            say(f"{one.level.mark} {one.topic:<{width}}  {text}")
    raise typer.Exit(findings.exit_code)


def settings(
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that are at their default.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON, for a program to read; always all of them.")
    ] = False,
) -> None:
    """Show the variables in force: value, origin and meaning; secrets are masked.

    Of stores and transports those that are chosen. Exit code 2 if a setting cannot be read, or a
    name in `.env` is no setting.
    """
    from bootstrap.settings_table import setting_rows

    rows = guarded(setting_rows)
    if as_json:
        write_json(rows)
        return
    shown = [row for row in rows if every or row["origin"] != "default"]
    for row in shown:
        say(f"{row['variable']}={row['value']}  ({row['origin']})")
        say(indent(fill(row["meaning"], _WIDTH), "    "), style="dim")


def healthcheck(
    *,
    live: Annotated[
        bool,
        typer.Option("--live", help="Ask /livez: does it run? Otherwise /readyz: does it serve?"),
    ] = False,
) -> None:
    """Ask the running service at ADMIN_ADDR whether it is well; for HEALTHCHECK of an image."""
    from bootstrap.settings.model import load_settings
    from bootstrap.settings.monitoring import AdminSettings
    from bootstrap.settings.service import WorkerSettings
    from ports.settings import SettingsError

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
