"""NATS as a plug-in: the transport that wasmCloud's hosts speak."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from adapters.nats.settings import NatsSettings
from adapters.system.loopback import is_loopback
from ports.plugin import Sample
from ports.transport_plugin import TransportFailedError, TransportParts, TransportPlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from adapters.nats.self_check import SelfCheck
    from ports.transport_plugin import TransportContext


class NatsPlugin(TransportPlugin[NatsSettings]):
    """Registered as `nats`."""

    name: ClassVar[str] = "nats"
    title: ClassVar[str] = "NATS"
    api_version: ClassVar[int] = 1
    settings = NatsSettings

    @override
    def warnings(self, settings: NatsSettings) -> Sequence[str]:
        exposed = [str(address) for address in settings.addresses if not is_loopback(address.host)]
        if not exposed or settings.insists_on_tls:
            return ()
        advice = (
            f"NATS at {', '.join(exposed)} is reached without TLS: on the way there it can be read "
            "how this service logs in, and requests can be dropped or replayed. Values themselves "
            "are sealed for the hosts. Write tls:// in NATS_URL, or set NATS_TLS_CA_FILE."
        )
        return (advice,)

    @override
    def build(self, settings: NatsSettings, context: TransportContext) -> TransportParts:
        from adapters.nats.after_flood import give_memory_back  # noqa: PLC0415  if it is chosen
        from adapters.nats.channel import NatsChannel  # noqa: PLC0415
        from adapters.nats.connect_errors import NatsConnectError  # noqa: PLC0415
        from adapters.nats.connection import NatsConnection  # noqa: PLC0415
        from adapters.nats.moving import SharedConnection, move  # noqa: PLC0415
        from adapters.nats.peer_bus import NatsPeerBus  # noqa: PLC0415
        from adapters.nats.self_check import SelfCheck  # noqa: PLC0415
        from adapters.nats.subjects import (  # noqa: PLC0415
            ControlSubjects,
            SecretsSubjects,
            own_inbox,
        )
        from adapters.nats.transport import NatsTransport  # noqa: PLC0415

        def connect(purpose: str = "") -> NatsConnection:
            name = f"{context.user_agent}{purpose}"
            return NatsConnection(settings, context.clock, name=name, serves=True)

        def listener(of: NatsConnection) -> NatsTransport:
            return NatsTransport(
                of.client,
                subjects,
                context.clock,
                max_in_flight=context.max_in_flight,
                own_inbox=inbox,
                max_body_bytes=context.max_request_bytes,
                patience_seconds=context.request_timeout_seconds,
                vouches_for_requesters=settings.requester_required,
            )

        def second() -> tuple[NatsConnection, NatsTransport]:
            bridge = connect(" (moving)")
            return bridge, listener(bridge)

        connection = connect()
        shared = SharedConnection(lambda: connect(" (store)"))
        subjects = SecretsSubjects(settings.subject_prefix, settings.api_version, context.backend)
        control = ControlSubjects(settings.subject_prefix, context.backend)
        inbox = own_inbox(settings.inbox_prefix)
        peers = NatsPeerBus(
            connection.client, control, context.clock, context.peer_messages, own_inbox=inbox
        )
        transport = listener(connection)
        grace = context.request_timeout_seconds
        connection.leave = lambda: move(connection, transport, second, context.clock, grace)

        self_check = SelfCheck(connection.client, subjects, settings.inbox_prefix, context.clock)
        connection.why_hung_up_on = lambda: (
            transport.why_hung_up_on() or self_check.why_hung_up_on()
        )
        servers = settings.addresses

        def problem() -> str | None:
            if connection.is_connected and shared.is_connected:
                return self_check.problem()
            if refusal := connection.refusal or shared.refusal:
                return f"{refusal} The service goes on trying."
            return _NOT_CONNECTED

        async def open_both() -> None:
            await connection.open()
            try:
                await shared.open()
            except NatsConnectError:
                # Else it might connect again by itself, and once more with the next try.
                await connection.close()
                raise

        async def close() -> None:
            await peers.aclose()
            await asyncio.gather(shared.close(), connection.close())

        return TransportParts(
            transport=transport,
            channel=NatsChannel(connection.client, subjects, inbox=settings.inbox_prefix),
            open=open_both,
            close=close,
            run=lambda: _watch(self_check, lambda: give_memory_back(transport, context.clock)),
            problem=problem,
            samples=lambda: nats_samples(
                in_flight=transport.in_flight,
                limit=context.max_in_flight,
                dropped=transport.dropped,
                is_connected=connection.is_connected,
            ),
            peers=peers,
            shared=shared,
            server=(servers[0].host, servers[0].port) if len(servers) == 1 else None,
            address_of=subjects.of,
            system="nats",
            announced={"subjects": subjects.every_operation, "queue_group": subjects.queue_group},
            identifies_requesters=settings.requester_required,
        )


async def _watch(self_check: SelfCheck, beside: Callable[[], Coroutine[None, None, None]]) -> None:
    helper = asyncio.create_task(beside(), name="memory-after-flood")
    try:
        await self_check.run()
    finally:
        helper.cancel()
    raise TransportFailedError(
        "The connection to NATS is closed for good. Check the records above, NATS_URL and the "
        "credentials, and start the service again."
    )


def nats_samples(
    *, in_flight: int, limit: int, dropped: int, is_connected: bool
) -> Iterable[Sample]:
    """Return the figures of the transport; `limit` is its `max_in_flight`."""
    return (
        Sample("requests_in_flight", "Requests being served now.", in_flight),
        Sample(
            "requests_in_flight_limit",
            "Requests served at a time; more are refused at once.",
            limit,
        ),
        Sample(
            "requests_dropped_total",
            "Requests left unanswered: no reply may go to their subject, or a flood of them came.",
            dropped,
            kind="counter",
        ),
        Sample("nats_connected", "1 while connected to NATS, otherwise 0.", is_connected),
    )


_NOT_CONNECTED: Final = (
    "Not connected to NATS; check that nats-server runs, NATS_URL and the credentials. The "
    "service goes on trying."
)

PLUGIN: Final = NatsPlugin()
