"""nats-py's client, made to outlive what peers and servers send.

As of 2.16, by its source: a header block or a subject that is no text ends the read loop without a
word; a late PONG does too; a flush overtakes what it should confirm, and swallows cancellations; a
revoked login closes the client for good; a failed TLS handshake makes a reconnect wait for ever; a
first connect with endless reconnects never returns; `tls://` without TLS on the server goes on in
clear. Each override below takes one of these away and leaves the rest to nats-py.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

import structlog
from nats import errors
from nats.aio.client import PING_PROTO
from nats.protocol import command
from typing_extensions import override

from adapters.nats.own_limit import OwnLimitClient
from adapters.nats.tcp import SteadyTcpTransport, refusal_in
from adapters.system.cancelling import honour_cancellation

if TYPE_CHECKING:
    from nats.aio.client import Srv
    from nats.js import JetStreamContext

_DENIED: Final = re.compile(
    r'permissions violation for (subscription|publish) to "([^"]+)"', re.IGNORECASE
)
_RECHECK_SECONDS: Final = 2
_MOST_DENIALS: Final = 1000

_JETSTREAM_API: Final = "$JS.API"
"""Where every account reaches the JetStream of its own domain."""

_log = structlog.get_logger()


class ResilientClient(OwnLimitClient):
    """Keeps its connection.

    Attributes:
        insists_on_tls: whether to refuse a server that offers none, before logging in.
        denied: the server's latest "permissions violation" text; it names a subject, no secret.
        refused: subjects of subscriptions that the server does not take, as last heard.
        unsendable: the subject of the latest message that the server did not let this user publish.
        jetstream_prefix: where JetStream's API is reached by this client's account.
    """

    def __init__(self) -> None:
        super().__init__()
        self.insists_on_tls = False
        self.denied: str | None = None
        self.refused: frozenset[str] = frozenset()
        self.unsendable: str | None = None
        self._denials: set[str] = set()
        self.jetstream_prefix = _JETSTREAM_API

    @property
    def jetstream_domain(self) -> str | None:
        """The JetStream domain that the connected server names; None if it names none."""
        named = self._server_info.get("domain")
        return named if isinstance(named, str) and named else None

    @override
    def jetstream(self, **opts: Any) -> JetStreamContext:
        from adapters.nats.jetstream import StrictJetStream  # noqa: PLC0415

        return StrictJetStream(self, **({"prefix": self.jetstream_prefix} | opts))

    async def connect_once(self, *, public_nkey: str | None = None, **options: Any) -> None:
        """Try every server; afterwards reconnect endlessly.

        Args:
            public_nkey: whom `signature_cb` signs for, when no user JWT says so. nats-py itself
                takes seeds only, and a further library for them.
            options: `Client.connect`'s own. Each failed attempt goes to its `error_cb`.

        Raises:
            AllServersFailedError: none of them took this client.
        """
        self.begin_pool(options.get("connect_timeout", 2))
        self._public_nkey = public_nkey
        self._first_connect = True
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
        # of before is being obeyed already: clean-up code may still flush.
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
            if self._is_new_denial(err_msg):
                await self._error_cb(error)
            return
        if "maximum subscriptions exceeded" in reason:
            # The server refuses that one and goes on.
            await self._error_cb(error)
            return
        if "maximum payload violation" in reason:
            self._doubt_limit()
        if "authorization" in reason or "authentication" in reason:
            error = errors.AuthorizationError()
        # nats-py would close for good here; the server ends the connection, not the service.
        self._err = error
        await self._error_cb(error)
        await self._process_op_err(error)

    def _is_new_denial(self, text: str) -> bool:
        if found := _DENIED.search(text):
            subject = found[2]
            if found[1].lower() == "publish":
                self.unsendable = subject
            else:
                self.refused |= {subject}
        if text in self._denials:
            return False
        if len(self._denials) < _MOST_DENIALS:
            self._denials.add(text)
        return True

    def forget_denials(self) -> None:
        """Report what is denied from now on, even if it was reported before."""
        self._denials.clear()

    async def subscribe_again(self) -> frozenset[str]:
        """Ask the server for every standing subscription that it may have dropped.

        Afterwards `refused` holds what it did not take. Returns the subjects asked for.

        Raises:
            nats.errors.Error, OSError: the server did not confirm.
        """
        standing = [sub for sub in self._subs.values() if not sub._max_msgs]  # noqa: SLF001
        if self._left is not None:
            return frozenset()  # a subscription that was just given up must not come back
        self.refused = frozenset()
        for sub in standing:
            text = command.sub_cmd(sub.subject, sub.queue, sub._id)  # noqa: SLF001
            self._pending.append(text)
            self._pending_data_size += len(text)
        await self.flush(_RECHECK_SECONDS)
        return frozenset(sub.subject for sub in standing)

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
            self._limit_payload()
            self.end_round()
        except (errors.Error, OSError, TimeoutError, asyncio.CancelledError) as error:
            refusal = refusal_in(self._transport) if isinstance(error, OSError) else None
            self._forget_attempt()
            if refusal is not None:
                raise errors.Error(refusal) from error
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
