"""A relay on fakes: two NATS accounts in memory, and what reads for workloads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from adapters.wasmcloud2.filling import Filling
from adapters.wasmcloud2.relay import Relay
from adapters.wasmcloud2.rolls import Rolls
from tests.support.workloads import Reads
from wasmcloud_secrets.testing.echo_handler import EchoHandler

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from adapters.wasmcloud2.side import Sink
    from domain.model.access import AccessPolicy


HOST = "host-1"


class FakeAccount:
    """One side's connection; keeps what is published and hands messages to subscriptions.

    Attributes:
        sent: subject, reply subject, body and header block of each message, in order.
        answer: what a listener at the other end answers to a request, if one is there.
    """

    def __init__(self) -> None:
        self.is_connected, self.is_closed, self.max_payload = True, False, 1024 * 1024
        self.refused: frozenset[str] = frozenset()
        self.sent: list[tuple[str, str, bytes, bytes]] = []
        self.answer: Callable[[str, bytes], bytes | None] | None = None
        self._subscriptions: dict[int, tuple[str, str, Sink]] = {}

    async def subscribe_raw(self, subject: str, queue: str, sink: Sink) -> int:
        number = len(self._subscriptions) + 1
        self._subscriptions[number] = (subject, queue, sink)
        return number

    async def unsubscribe_raw(self, sid: int) -> None:
        self._subscriptions.pop(sid)

    async def subscribe_again(self) -> frozenset[str]:
        return frozenset()

    async def flush(self) -> None:
        """Nothing is kept back here."""

    def publish_raw(
        self, subject: bytes, body: bytes, header_block: bytes = b"", reply_to: bytes = b""
    ) -> None:
        self.sent.append((subject.decode(), reply_to.decode(), body, header_block))
        if self.answer is not None and reply_to:
            answer = self.answer(subject.decode(), body)
            if answer is not None:
                self.deliver(reply_to.decode(), answer)

    def deliver(
        self, subject: str, body: bytes, reply_to: str = "", headers: bytes | None = None
    ) -> None:
        """Hand a message to every subscription of its subject."""
        for pattern, _, sink in tuple(self._subscriptions.values()):
            if _matches(pattern, subject):
                waiting = sink(subject.encode(), reply_to.encode(), body, headers)
                assert waiting is None

    @property
    def subjects(self) -> list[tuple[str, str]]:
        """What is subscribed to, with the queue group."""
        return [(subject, queue) for subject, queue, _ in self._subscriptions.values()]


class Rig:
    """The relay between two accounts, with a host that starts and stops whatever it is asked to.

    Attributes:
        states: what the host says of each workload by id; one that is missing is not found.
        messages: the message that goes with a state.
        started: the bodies of the start requests that reached the host.
        rolling: where a test runs `rolls`.
    """

    def __init__(self, access: AccessPolicy | None = None, *, max_starts: int = 8) -> None:
        self.reads = Reads() if access is None else Reads(access)
        self.operator, self.hosts = FakeAccount(), FakeAccount()
        self.hosts.answer = self.host
        self.states: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self.started: list[dict[str, Any]] = []
        self.log: list[str] = []
        self.rolling: asyncio.Task[None]
        clock = self.reads.clock
        filling = Filling(self.reads.read, "prod", clock, timeout_seconds=8)
        self.relay = Relay(self.operator, self.hosts, filling, clock, max_starts=max_starts)
        self.rolls = Rolls(
            self.relay.held,
            self.relay.to_hosts,
            filling,
            self.reads.read.authorize.location_of,
            clock,
            figures=self.relay.figures,
        )

    async def start(self) -> None:
        await self.relay.start(EchoHandler())

    def ask(
        self,
        what: str,
        body: bytes | dict[str, Any],
        *,
        host: str = HOST,
        headers: bytes | None = None,
    ) -> None:
        """Send a request as the operator does; its answers are `answers`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.operator.deliver(f"runtime.host.{host}.{what}", data, "_INBOX.operator.1", headers)

    @property
    def answers(self) -> list[tuple[bytes, bytes]]:
        """Body and header block of each answer to the operator."""
        return [
            (body, block)
            for subject, _, body, block in self.operator.sent
            if subject == "_INBOX.operator.1"
        ]

    @property
    def status(self) -> dict[str, str]:
        """The one answer to the operator, as the status that it is."""
        ((body, _),) = self.answers
        status: dict[str, str] = json.loads(body)["workloadStatus"]
        return status

    def host(self, subject: str, body: bytes) -> bytes:
        what = subject.split(".", 3)[3]
        request = json.loads(body)
        workload_id = request["workloadId"]
        self.log.append(f"{what} {workload_id}")
        match what:
            case "workload.start":
                self.started.append(request)
                state = self.states.setdefault(workload_id, "RUNNING")
            case "workload.stop":
                state = "STOPPING" if self.states.pop(workload_id, None) else "NOT_FOUND"
            case _:
                state = self.states.get(workload_id, "NOT_FOUND")
        status = {
            "workloadId": workload_id,
            "workloadState": f"WORKLOAD_STATE_{state}",
            "message": self.messages.get(state, ""),
        }
        return json.dumps({"workloadStatus": status}).encode()


def start_request(
    config: dict[str, str] | None = None,
    environment: dict[str, str] | None = None,
    *,
    workload_id: str = "one",
    namespace: str = "shop",
    name: str = "cart",
) -> dict[str, Any]:
    """Return a start request as the operator writes it."""
    return {
        "workloadId": workload_id,
        "workload": {
            "namespace": namespace,
            "name": name,
            "annotations": {},
            "witWorld": {
                "components": [
                    {
                        "image": "registry/cart:1",
                        "poolSize": 1,
                        "localResources": {"environment": environment or {}, "memoryLimitMb": 64},
                    }
                ],
                "hostInterfaces": [
                    {
                        "namespace": "wasmcloud",
                        "package": "secrets",
                        "interfaces": ["store"],
                        "config": config or {},
                    }
                ],
            },
        },
    }


def _matches(pattern: str, subject: str) -> bool:
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        return len(given) >= len(wanted) and wanted[:-1] == given[: len(wanted) - 1]
    return len(wanted) == len(given) and all(
        part in {"*", other} for part, other in zip(wanted, given, strict=True)
    )


CANARY = "canary-hunter2"
