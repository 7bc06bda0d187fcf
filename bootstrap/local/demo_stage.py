"""What the demo plays on and what it shows: server, service, bucket and host; tables in ASCII."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nats.js import JetStreamContext
from pydantic import SecretStr
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from adapters.crypto.seed_file import write_seed
from adapters.crypto.xkeys import SodiumXKeyPair
from adapters.nats.channel import NatsChannel
from adapters.nats.connection import NatsConnection
from adapters.nats.settings import NatsSettings
from adapters.nats.subjects import SecretsSubjects
from adapters.nats_kv.operating import NatsKvSecretWriter
from adapters.nats_kv.plugin import PLUGIN as NATS_KV
from adapters.nats_kv.settings import DEFAULT_BUCKET, NatsKvSettings
from bootstrap.cli.terminal import new_table
from bootstrap.local.demo_host import DemoComponent, DemoHost
from bootstrap.local.nats_server import LocalNatsServer
from bootstrap.local.service_process import ServiceProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from ports.clock import Clock

_NARROW, _WIDE = 80, 100
_BYTES_PER_LINE = 8


class DemoFailedError(Exception):
    """Something is not as the demo says; the text tells what."""


def check(claim: bool, otherwise: str) -> None:  # noqa: FBT001  it reads as `assert` does
    """Hold one claim against what happened.

    Raises:
        DemoFailedError: it does not hold.
    """
    if not claim:
        raise DemoFailedError(otherwise)


class DemoReport:
    """Writes to standard output, with or without a terminal. `console`: by default one of 80 to 100
    columns on standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _default_console()
        self._headings = 0

    def say(self, text: str, style: str = "") -> None:
        """Show one sentence."""
        self._console.print(Text(text, style=style))

    def heading(self, text: str) -> None:
        """Begin the next numbered part."""
        self._headings += 1
        self.say("")
        self.say(f"{self._headings}. {text}", "bold cyan")

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """Show names and what they stand for."""
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, fact in rows:
            grid.add_row(Text(name), Text(fact))
        self._indented(grid)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], right: int = 0) -> None:
        """Show rows below column names; the last `right` columns are numbers."""
        numbers = range(len(columns) - right, len(columns))
        self._indented(new_table(columns, rows, right=numbers))

    def side_by_side(self, rows: Iterable[tuple[str, bytes, str]]) -> None:
        """Show sealed bytes in hex beside what they are when opened. `rows`: what it is, the sealed
        bytes, the opened text.
        """
        cells = [
            (name, Text(_hex_lines(sealed, opened.count("\n") + 1), "red"), Text(opened, "green"))
            for name, sealed, opened in rows
        ]
        self._console.print()
        self._indented(new_table(("", "sealed, on the wire", "opened"), cells))

    def _indented(self, what: RenderableType) -> None:
        self._console.print(Padding(what, (0, 0, 0, 2), expand=False))


def _hex_lines(data: bytes, count: int) -> str:
    """Write the first bytes over so many lines, the last of them telling how many remain."""
    shown = data[: (count - 1) * _BYTES_PER_LINE]
    lines = [
        shown[start : start + _BYTES_PER_LINE].hex(" ")
        for start in range(0, len(shown), _BYTES_PER_LINE)
    ]
    return "\n".join([*lines, f"... {len(data)} bytes in all"])


def _default_console() -> Console:
    console = Console(highlight=False)
    width = console.width if console.is_terminal else _NARROW
    console.width = min(max(width, _NARROW), _WIDE)
    return console


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStage:
    """Everything there is while the demo plays.

    Attributes:
        nats_version: as the server itself says.
        server_pair: the service's own key pair; the demo made it, so it can open requests.
        seeds: every seed the service has.
    """

    nats: LocalNatsServer
    nats_version: str
    service: ServiceProcess
    subjects: SecretsSubjects
    server_pair: SodiumXKeyPair
    writer: NatsKvSecretWriter
    component: DemoComponent
    host: DemoHost
    seeds: tuple[str, ...] = field(repr=False)
    jetstream: JetStreamContext

    async def at_rest(self, version: str) -> bytes:
        """Return what the bucket really holds for a version."""
        message = await self.jetstream.get_msg(f"KV_{DEFAULT_BUCKET}", seq=int(version))
        return message.data or b""

    def check_log(self, requests: int, confidential: Iterable[bytes]) -> None:
        """See that the log has a record for each request, and nothing confidential.

        Raises:
            DemoFailedError: it has not.
        """
        records = [
            record
            for record in self.service.records("secret_request")
            if record.get("operation") == "get"
        ]
        check(
            len(records) == requests,
            f"the audit log has {len(records)} records of {requests} requests",
        )
        log = "\n".join(self.service.log).encode()
        credentials = (text.encode() for text in (*self.seeds, *self.component.tokens))
        for secret in (*confidential, *credentials):
            check(secret not in log, "the service's log holds a value, a token or a seed")


@asynccontextmanager
async def set_up(folder: Path, clock: Clock) -> AsyncIterator[DemoStage]:
    """Start everything in the folder, and stop it in reverse order.

    Raises:
        NatsServerUnavailableError: nats-server is not installed, or did not start.
        ServiceProcessError: the service did not start.
        NatsConnectError: the demo itself cannot connect.
    """
    server_pair, encryption_pair = SodiumXKeyPair.generate(), SodiumXKeyPair.generate()
    component = DemoComponent(clock)
    subjects = SecretsSubjects(backend=NATS_KV.name)
    seeds = {"SERVER_XKEY_SEED_FILE": server_pair, "ENCRYPTION_XKEY_SEED_FILE": encryption_pair}
    files = {name: folder / name.lower() for name in seeds}
    for name, pair in seeds.items():
        write_seed(files[name], pair.seed_text())
    async with LocalNatsServer(jetstream=True, store_dir=folder / "jetstream") as nats:
        settings = {
            "NATS_URL": nats.url,
            "SECRET_STORE": NATS_KV.name,
            "BACKEND_NAME": subjects.backend,
            "TRUSTED_ISSUERS": component.account,
            **{name: str(path) for name, path in files.items()},
        }
        seed = SecretStr(encryption_pair.seed_text())
        bucket = NatsKvSettings(encryption_xkey_seed=seed)
        connection = NatsConnection(NatsSettings(urls=(nats.url,)), clock)
        async with ServiceProcess(settings, folder) as service, connection:
            client, version = connection.client, connection.client.connected_server_version
            yield DemoStage(
                nats=nats,
                nats_version=f"{version.major}.{version.minor}.{version.patch}",
                service=service,
                subjects=subjects,
                server_pair=server_pair,
                writer=NatsKvSecretWriter(
                    client=client, config=bucket, encryption_xkey=encryption_pair, clock=clock
                ),
                component=component,
                host=DemoHost(NatsChannel(client, subjects), clock),
                seeds=tuple(pair.seed_text() for pair in seeds.values()),
                jetstream=JetStreamContext(client),
            )
