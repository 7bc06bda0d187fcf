"""Three nats-servers, a store and a service of two workers, on loopback."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from bootstrap.local.nats_server import LocalNatsServer
from tests.support.environments import local_infisical_environment
from tests.support.free_ports import neighbouring_ports
from tests.support.host import Host, connected_host
from tests.support.infisical_server import InfisicalServer
from tests.support.service_process import ServiceProcess
from tests.support.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PREFIX: Final = "soak"
ALL: Final = ("_INBOX.>", f"{PREFIX}.>")


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
    service: ServiceProcess
    host: Host
    keys: list[str]

    async def permit(
        self, hears: tuple[str, ...] = ALL, publishes: tuple[str, ...] = (">",)
    ) -> None:
        """Have every server grant the service these subjects."""
        for number, server in enumerate(self.servers):
            await server.reload(node(number, self.ports, hears, publishes))

    def processes(self) -> list[int]:
        """Return the service's processes, the supervisor first."""
        supervisor = self.service.pid
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text("ascii")
        return [supervisor, *map(int, children.split())]

    def memory_and_descriptors(self) -> tuple[float, int]:
        """Return MiB resident and open descriptors, of all processes together."""
        mebibytes, descriptors = 0.0, 0
        for pid in self.processes():
            status = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
            line = next(line for line in status if line.startswith("VmRSS:"))
            mebibytes += int(line.split()[1]) / 1024
            descriptors += len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return mebibytes, descriptors


@asynccontextmanager
async def set_up(*, keys: int = 50) -> AsyncIterator[Stage]:
    """Start everything, and end it afterwards."""
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="soak-")))
        first = neighbouring_ports(3)
        ports = [first, first + 1, first + 2]
        servers = [
            await opened.enter_async_context(LocalNatsServer(config=node(n, ports, ALL, (">",))))
            for n in range(3)
        ]
        store = await opened.enter_async_context(InfisicalServer())
        names = [f"KEY_{number}" for number in range(keys)]
        for name in names:
            store.model.put(name, f"value of {name}")
        proxy = await opened.enter_async_context(TcpProxy(int(store.address.rpartition(":")[2])))
        urls = ",".join(f"nats://backend:b@127.0.0.1:{s.port}" for s in servers[:2])
        settings = local_infisical_environment(store, urls, PREFIX, folder) | {
            "INFISICAL_BASE_URL": f"http://127.0.0.1:{proxy.port}",
            "CACHE_TTL_SECONDS": "0",
            "WORKERS": "2",
        }
        service = await opened.enter_async_context(ServiceProcess(settings, folder))
        url = f"nats://host:h@127.0.0.1:{servers[2].port}"
        host = await opened.enter_async_context(connected_host(url, PREFIX))
        yield Stage(servers, ports, store, proxy, service, host, names)
