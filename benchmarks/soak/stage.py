"""Three nats-servers, a store, a name server and a service of two workers, on loopback."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, TypeAlias

from benchmarks.process_usage import descendants
from benchmarks.soak.load import connected_load
from benchmarks.soak.namespaces import small_disk, use_name_server
from bootstrap.local.nats_server import LocalNatsServer
from tests.support.environments import local_infisical_environment
from tests.support.free_ports import neighbouring_ports
from tests.support.infisical_server import InfisicalServer
from tests.support.name_server import NameServer
from tests.support.service_process import ROOT, ServiceProcess
from tests.support.tcp_proxy import TcpProxy
from tests.support.wall_clock import WallClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.soak.load import Load

PREFIX: Final = "soak"
ALL: Final = ("_INBOX.>", f"{PREFIX}.>")
LASTS_SECONDS: Final = 5.0
NATS_NAMES: Final = ("nats-a.test", "nats-b.test")
STORE_NAME: Final = "infisical.test"
STORE_ADDRESSES: Final = ("127.0.0.2", "127.0.0.3")
_DISK_MEBIBYTES: Final = 64
_SPARE_BYTES_A_SECOND: Final = 120_000
"""Somewhat more than the load's audit events take."""


def node(number: int, ports: list[int], hears: tuple[str, ...], publishes: tuple[str, ...]) -> str:
    """Return a server's configuration; the service does not get hosts' own server."""
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    advertise = "no_advertise: true, " if number == len(ports) - 1 else ""
    rights = json.dumps({"subscribe": list(hears), "publish": list(publishes)})
    return (
        f'server_name: n{number}\nlame_duck_grace_period: "1s", lame_duck_duration: "30s"\n'
        f'cluster {{ name: soak, {advertise}listen: "127.0.0.1:{ports[number]}", '
        f"routes: [{routes}] }}\n"
        f"authorization {{ users: [{{user: backend, password: b, permissions: {rights}}}\n"
        "{user: host, password: h}] }\n"
    )


@dataclass
class Stage:
    """What faults are made on; the last server is the hosts' own and stays."""

    servers: list[LocalNatsServer]
    ports: list[int]
    store: InfisicalServer
    proxy: TcpProxy
    names: NameServer
    clock: WallClock
    audit_folder: Path
    service: ServiceProcess
    load: Load

    async def permit(
        self, hears: tuple[str, ...] = ALL, publishes: tuple[str, ...] = (">",)
    ) -> None:
        """Have every server grant the service these subjects."""
        for number, server in enumerate(self.servers):
            await server.reload(node(number, self.ports, hears, publishes))

    async def listen_at(self, address: str) -> None:
        """Have the store be reached at another address, on the same port, and no longer here."""
        port = self.proxy.port
        await self.proxy.__aexit__(None, None, None)
        self.proxy = _proxy_to(self.store, address, port)
        await self.proxy.__aenter__()

    def processes(self) -> list[int]:
        """Return the service's processes: supervisor, template, workers."""
        supervisor = self.service.pid
        return [supervisor, *descendants(supervisor)]


Fault: TypeAlias = Callable[[Stage], Awaitable[None]]
"""Makes one fault and returns at its end."""


def _proxy_to(store: InfisicalServer, address: str, port: int = 0) -> TcpProxy:
    return TcpProxy(int(store.address.rpartition(":")[2]), host=address, listen_on=port)


@asynccontextmanager
async def set_up(seconds: float, *, keys: int = 50) -> AsyncIterator[Stage]:
    """Start everything for a run of that length, and end it afterwards."""
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="soak-")))
        clock_folder, audit_folder = folder / "clock", folder / "audit"
        clock_folder.mkdir()
        audit_folder.mkdir()
        use_name_server(folder)
        mebibytes = _DISK_MEBIBYTES + int(_SPARE_BYTES_A_SECOND * seconds / 1024 / 1024)
        opened.enter_context(small_disk(audit_folder, mebibytes))
        first = neighbouring_ports(3)
        ports = [first, first + 1, first + 2]
        servers = [
            await opened.enter_async_context(LocalNatsServer(config=node(n, ports, ALL, (">",))))
            for n in range(3)
        ]
        store = await opened.enter_async_context(InfisicalServer())
        wanted = [f"KEY_{number}" for number in range(keys)]
        for name in wanted:
            store.model.put(name, f"value of {name}")
        addresses = {name: ["127.0.0.1"] for name in NATS_NAMES}
        names = NameServer(addresses | {STORE_NAME: list(STORE_ADDRESSES[:1])})
        await opened.enter_async_context(names)
        proxy = _proxy_to(store, STORE_ADDRESSES[0])
        await proxy.__aenter__()
        logins = zip(NATS_NAMES, servers, strict=False)
        urls = ",".join(f"nats://backend:b@{name}:{server.port}" for name, server in logins)
        clock = WallClock(clock_folder)
        settings = local_infisical_environment(store, urls, PREFIX, folder) | {
            "INFISICAL_BASE_URL": f"http://{STORE_NAME}:{proxy.port}",
            "CACHE_TTL_SECONDS": "0",
            "WORKERS": "2",
            "AUDIT_FILE": str(audit_folder / "audit.jsonl"),
            "PYTHONPATH": f"{clock_folder}:{ROOT}",
        }
        service = ServiceProcess(settings, folder, ready="workers.started")
        await opened.enter_async_context(service)
        url = f"nats://host:h@127.0.0.1:{servers[2].port}"
        load = await opened.enter_async_context(connected_load(url, PREFIX, wanted))
        stage = Stage(
            servers, ports, store, proxy, names, clock, audit_folder, service=service, load=load
        )
        try:
            yield stage
        finally:
            await stage.proxy.__aexit__(None, None, None)
