"""Tells the other processes that a login was refused, and hears it from them.

An identity's lockout counts everybody's refusals together: see `adapters.infisical.refused_logins`.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final, final

import structlog
from nats import errors

from adapters.crypto.control_messages import ControlMessageRefusedError
from adapters.login_news.message import LoginRefused, MalformedNewsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from adapters.crypto.control_messages import ControlCodec
    from ports.clock import Clock

SEND_SECONDS: Final = 2.0
_log = structlog.get_logger()


@final
class LoginNews:
    """Speaks over a connection that its owner opens and closes.

    What is told while a process is away from NATS it never hears; it then waits as long as it would
    by itself.
    """

    def __init__(
        self, client: Client, subject: str, identity: str, codec: ControlCodec, clock: Clock
    ) -> None:
        """Take the subject that all processes of one backend share, and `digest_of` the identity.

        Raises:
            MalformedNewsError: the identity is none of those.
        """
        self._client = client
        self._subject = subject
        self._codec = codec
        self._clock = clock
        self._mine = LoginRefused(identity, secrets.token_hex(16))
        LoginRefused.from_json(self._mine.to_json())
        self._sending: set[asyncio.Task[None]] = set()

    async def start(self, heard: Callable[[], None]) -> None:
        """Have `heard` called whenever another process was refused with the same identity.

        A user without the permission is no error here: the connection logs
        `nats.permission_denied`.
        """

        async def take(message: Msg) -> None:
            try:
                body = self._codec.unwrap(self._subject, message.data)
                news = LoginRefused.from_json(body)
            except (ControlMessageRefusedError, MalformedNewsError) as error:
                _log.warning(
                    "login_news.message_refused", reason=str(error), size=len(message.data)
                )
                return
            if news.identity == self._mine.identity and news.origin != self._mine.origin:
                heard()

        try:
            await self._client.subscribe(self._subject, cb=take)
        except (errors.Error, OSError) as error:
            _log.warning("login_news.not_listening", error=type(error).__name__)

    def tell(self) -> None:
        """Tell all others that a login of this process was refused; returns at once."""
        task = asyncio.create_task(self._send(), name="login-news")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def aclose(self) -> None:
        """Send nothing more."""
        for task in self._sending:
            task.cancel()
        if self._sending:
            await asyncio.wait(self._sending)

    async def _send(self) -> None:
        try:
            async with self._clock.timeout_at(self._clock.monotonic() + SEND_SECONDS):
                await self._client.publish(
                    self._subject, self._codec.wrap(self._subject, self._mine.to_json())
                )
                await self._client.flush()
        except (errors.Error, OSError, TimeoutError) as error:
            _log.warning("login_news.unsent", error=type(error).__name__)
