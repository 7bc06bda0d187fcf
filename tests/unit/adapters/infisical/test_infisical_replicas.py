"""Several processes of one identity when a client secret is deleted or rotated.

Simulated, with messages of 2 ms and logins of 63 ms. Servers of late 2026 end the tokens of a
client secret with it (read in their code), so that all processes need a login in the same moment.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from adapters.infisical.client import InfisicalApi
from adapters.infisical.protocol import is_api_answer
from adapters.infisical.store import InfisicalSecretStore
from adapters.upstream.http import UpstreamHttp
from adapters.upstream.lockout import LockoutGuard
from adapters.upstream.login_peers import LoginPeers
from adapters.upstream.message import UpstreamRequest, UpstreamResponse
from domain.model.errors import UpstreamError
from domain.model.reference import SecretQuery, SecretReference
from tests.contracts.secret_store import CALLER
from tests.fakes.clock import FakeClock
from tests.fakes.http_engine import FakeHttpEngine
from tests.fakes.peer_bus import LatePeerBus
from tests.support.infisical_generations import LATE_2026
from tests.support.infisical_lockout import LoginLockout
from tests.support.infisical_model import CLIENT_SECRET, LOGIN_PATH, Call, InfisicalModel
from tests.unit.adapters.infisical.conftest import CONFIG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from ports.peer_bus import PeerBus

SECOND = "canary-second-secret"


@dataclass
class Replicas:
    """Processes before one server, sharing a file with the client secret.

    Attributes:
        most: how many logins were under way at a time, at most.
    """

    file: Path
    model: InfisicalModel = field(default_factory=lambda: InfisicalModel(LATE_2026))
    clock: FakeClock = field(default_factory=FakeClock)
    random: random.Random = field(default_factory=lambda: random.Random(7))
    buses: list[LatePeerBus] = field(default_factory=list)
    stores: list[InfisicalSecretStore] = field(default_factory=list)
    listening: list[asyncio.Task[None]] = field(default_factory=list)
    running: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        self.model.put("KEY", "v")
        self.model.lockout = LoginLockout(self.clock.monotonic)
        self.file.write_text(CLIENT_SECRET)

    def start(self, count: int, *, messages: bool = True) -> None:
        config = CONFIG.model_copy(update={"client_secret": None, "client_secret_file": self.file})
        draw = self.random.random
        for _ in range(count):
            bus: PeerBus | None = None
            if messages:
                bus = LatePeerBus(self.clock, 0.002, self.buses)
            engine = FakeHttpEngine(self.respond)
            http = UpstreamHttp(
                config.upstream("tests"),
                self.clock,
                draw,
                is_api_answer=is_api_answer,
                engine=engine,
            )
            peers = LoginPeers(bus, "identity", self.clock, draw)
            guard = LockoutGuard(config.lockout, self.clock, draw)
            api = InfisicalApi(config, http, self.clock, draw, guard=guard, peers=peers)
            self.stores.append(InfisicalSecretStore(config, api))
            self.listening.append(asyncio.create_task(peers.listen(api.tokens.refused_elsewhere)))

    async def respond(self, request: UpstreamRequest) -> UpstreamResponse:
        headers = {name.lower(): text for name, text in request.headers.items()}
        target = request.url.removeprefix(CONFIG.base_url)
        is_login = target == LOGIN_PATH
        self.running += is_login
        self.most = max(self.most, self.running)
        await self.clock.sleep(0.063 if is_login else 0.01)
        self.running -= is_login
        result = self.model.answer(Call(request.method, target, headers, request.body or b""))
        headers, body = result.encoded()
        return UpstreamResponse(result.status, headers, body)

    async def all_read(self) -> list[str | bytes | UpstreamError]:
        """Have every process read at the same moment, within 8 seconds."""
        reads = [asyncio.create_task(self._read(store)) for store in self.stores]
        await self.clock.run(*reads)
        return [read.result() for read in reads]

    async def wait(self, seconds: float) -> None:
        await self.clock.run(asyncio.create_task(self.clock.sleep(seconds)))

    async def _read(self, store: InfisicalSecretStore) -> str | bytes | UpstreamError:
        deadline = self.clock.monotonic() + 8.0
        query = SecretQuery(store.locate(SecretReference("KEY")), None, CALLER, deadline)
        try:
            return (await store.fetch(query)).value.reveal()
        except UpstreamError as error:
            return error

    @property
    def wrong_logins(self) -> int:
        return sum(CLIENT_SECRET.encode() in call.body for call in self.model.logins)


async def inline(work: Callable[..., object], *given: object) -> object:
    """Stand in for `asyncio.to_thread`: simulated time does not wait for threads."""
    return work(*given)


@pytest.fixture
async def replicas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Replicas]:
    monkeypatch.setattr(asyncio, "to_thread", inline)
    built = Replicas(tmp_path / "client-secret")
    yield built
    for store in built.stores:
        await store._api.aclose()
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


async def test_a_rotation_in_the_documented_order_costs_no_request_and_one_login_at_a_time(
    replicas: Replicas,
) -> None:
    replicas.start(20)
    assert await replicas.all_read() == ["v"] * 20
    replicas.most = 0
    replicas.model.client_secrets.add(SECOND)
    replicas.file.write_text(SECOND)
    replicas.model.delete_client_secret(CLIENT_SECRET)

    assert await replicas.all_read() == ["v"] * 20
    assert replicas.most == 1
    assert len(replicas.model.logins) == 40


@pytest.mark.parametrize("processes", [3, 20])
async def test_a_deleted_secret_that_is_still_in_the_file_locks_no_identity(
    replicas: Replicas, processes: int
) -> None:
    replicas.start(processes)
    await replicas.all_read()
    replicas.model.client_secrets.add(SECOND)
    replicas.model.delete_client_secret(CLIENT_SECRET)
    wrong = replicas.wrong_logins

    answers = await replicas.all_read()

    assert {type(answer) for answer in answers} == {UpstreamError}
    # Of three that lock; another is left to a secret that changes.
    assert replicas.wrong_logins - wrong == 1
    replicas.file.write_text(SECOND)
    await replicas.wait(8.0)
    assert await replicas.all_read() == ["v"] * processes
    lockout = replicas.model.lockout
    assert lockout is not None
    assert lockout.times_locked == 0


async def test_a_secret_that_stays_deleted_never_locks_the_identity(replicas: Replicas) -> None:
    replicas.start(8)
    await replicas.all_read()
    replicas.model.delete_client_secret(CLIENT_SECRET)

    for _ in range(20):
        await replicas.all_read()
        await replicas.wait(12.0)

    lockout = replicas.model.lockout
    assert lockout is not None
    assert lockout.times_locked == 0


async def test_without_messages_the_same_locks_the_identity(replicas: Replicas) -> None:
    replicas.start(20, messages=False)
    await replicas.all_read()
    replicas.model.delete_client_secret(CLIENT_SECRET)

    await replicas.all_read()

    lockout = replicas.model.lockout
    assert lockout is not None
    assert lockout.times_locked > 0
