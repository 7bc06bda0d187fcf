"""nats-py's client, made to outlive what peers and servers send.

As of 2.16, by its source: a header block or a subject that is no text ends the read loop without a
word; a late PONG does too; a flush overtakes what it should confirm, and swallows cancellations; a
revoked login closes the client for good; a failed TLS handshake makes a reconnect wait for ever; a
first connect with endless reconnects never returns; `tls://` without TLS on the server goes on in
clear. Each override below takes one of these away and leaves the rest to nats-py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nats import errors
from nats.aio.client import PING_PROTO
from nats.js.api import DEFAULT_PREFIX
from typing_extensions import override

from adapters.nats.raw_messages import RawMessageClient
from adapters.nats.tcp import SteadyTcpTransport
from adapters.system.cancelling import honour_cancellation

if TYPE_CHECKING:
    from nats.aio.client import Srv
    from nats.js import JetStreamContext


class AllServersFailedError(Exception):
    """The first connect has tried every server once."""


class SteadyClient(RawMessageClient):
    """Keeps its connection.

    Attributes:
        insists_on_tls: whether to refuse a server that offers none, before logging in.
        denied: the server's latest "permissions violation" text; it names a subject, no secret.
        jetstream_prefix: where JetStream's API is reached by this client's account.
    """

    def __init__(self) -> None:
        super().__init__()
        self._first_connect = False
        self._untried: list[Srv] | None = None
        self.insists_on_tls = False
        self.denied: str | None = None
        self.jetstream_prefix = DEFAULT_PREFIX

    @override
    def jetstream(self, **opts: Any) -> JetStreamContext:
        return super().jetstream(**({"prefix": self.jetstream_prefix} | opts))

    async def connect_once(self, *, public_nkey: str | None = None, **options: Any) -> None:
        """Try every server once; afterwards reconnect endlessly.

        Args:
            public_nkey: whom `signature_cb` signs for, when no user JWT says so. nats-py itself
                takes seeds only, and a further library for them.
            options: `Client.connect`'s own. Each failed attempt goes to its `error_cb`.

        Raises:
            AllServersFailedError: none of them took this client.
        """
        self._server_pool.clear()
        self._public_nkey = public_nkey
        self._first_connect, self._untried = True, None
        try:
            await self.connect(**options, max_reconnect_attempts=-1)
        except BaseException:
            if self._flush_queue is not None:
                await self.close()
            raise
        finally:
            self._first_connect = False

    @override
    async def _flush_pending(self, force_flush: bool = False) -> Any:
        # nats-py swallows a cancellation here, and with it the end of any time limit around it. One
        # of before is being obeyed already: whoever cleans up may still flush.
        task = asyncio.current_task()
        before = 0 if task is None else task.cancelling()
        flushed = await super()._flush_pending(force_flush)
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
        return flushed

    @override
    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:
        # nats-py writes the PING past what is still buffered, so that a flush returns before the
        # server has seen the subscription it was meant to confirm.
        if not self.is_connected:
            raise errors.ConnectionReconnectingError
        self._pongs.append(future or asyncio.get_running_loop().create_future())
        await self._send_command(PING_PROTO)
        await self._flush_pending()

    @override
    async def _process_pong(self) -> None:
        # nats-py sets the future of a flush that has given up, which ends its read loop.
        if self._pongs and self._pongs[0].done():
            self._pongs.pop(0)
            self._pings_outstanding = 0
            return
        await super()._process_pong()

    @override
    async def _process_err(self, err_msg: str) -> None:
        error: errors.Error = errors.Error(f"nats: {err_msg}")
        reason = err_msg.lower()
        if "permissions violation" in reason:
            self.denied = err_msg
            await self._error_cb(error)
            return
        if "authorization" in reason or "authentication" in reason:
            error = errors.AuthorizationError()
        # nats-py would close for good here; the server ends the connection, not the service.
        self._err = error
        await self._error_cb(error)
        await self._process_op_err(error)

    @override
    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if initial_connection and self.insists_on_tls and not info.get("tls_required"):
            if not info.get("tls_available"):
                raise errors.SecureConnWantedError
            info["tls_required"] = True  # nats-py goes by this alone
        await super()._process_info(info, initial_connection)

    @override
    async def _connect_to_server(self, s: Srv) -> None:
        honour_cancellation()  # else this endless loop could outlive its client
        if not self._transport:
            self._transport = SteadyTcpTransport()
        await super()._connect_to_server(s)

    @override
    async def _process_connect_init(self) -> None:
        self._ps.reset()
        # A PING for the lost connection would have its PONG answer a flush of the new one.
        kept = [command for command in self._pending if command != PING_PROTO]
        self._pending_data_size -= len(PING_PROTO) * (len(self._pending) - len(kept))
        self._pending = kept
        try:
            honour_cancellation()
            await super()._process_connect_init()
            honour_cancellation()
            self._check_welcome()
        except (errors.Error, OSError, TimeoutError, asyncio.CancelledError):
            self._forget_attempt()
            raise
        except Exception as error:
            # nats-py goes on to the next attempt after its own kinds of error only.
            self._forget_attempt()
            raise errors.ProtocolError from error

    def _check_welcome(self) -> None:
        # nats-py takes a server that hangs up for one that has answered.
        if not self.is_connected:
            raise errors.UnexpectedEOF

    def _forget_attempt(self) -> None:
        for task in (self._reading_task, self._ping_interval_task, self._flusher_task):
            if task is not None:
                task.cancel()
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call]  # nats-py leaves it bare

    @override
    async def _select_next_server(self) -> None:
        if not self._first_connect:
            await super()._select_next_server()
            return
        if self._untried is None:
            self._untried = list(self._server_pool)
        while self._untried:
            server = self._untried.pop(0)
            try:
                await self._connect_to_server(server)
            except Exception as error:  # noqa: BLE001  every kind only means: try the next one
                self._err = error
                await self._error_cb(error)
            else:
                self._current_server = server
                return
        raise AllServersFailedError
