"""Reading the audit stream, one message after the other.

Messages are asked for by number: that needs no consumer, and goes on where it was after NATS has
been away, which nats-py's ordered consumers do not when they began at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nats.errors
import nats.js.errors

from adapters.audit.reading import POLL_SECONDS, AuditReadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client
    from nats.js.api import RawStreamMsg

    from ports.clock import Clock

_API_SECONDS = 2.0
_STREAM_NOT_FOUND = 10059


async def read_stream(
    client: Client, stream: str, clock: Clock, *, since: float, follow: bool
) -> AsyncIterator[bytes]:
    """Yield the stream's events from a time on, oldest first; with `follow`, those that come too.

    Args:
        client: a connected client; while NATS is away, a reader that follows waits for it.
        stream: the stream's name.
        clock: what the pauses between two looks are taken from.
        since: seconds since the epoch.
        follow: whether to wait for more at the end.

    Raises:
        AuditReadError: there is no such stream, or JetStream does not answer.
    """
    reader = _Reader(client, stream)
    try:
        number = await reader.first_since(since)
        while True:
            try:
                message = await reader.next(number)
            except nats.js.errors.NotFoundError:
                raise
            except (nats.errors.Error, TimeoutError, OSError):
                if not follow or client.is_closed:
                    raise
                message = None
            if message is not None:
                number = (message.seq or number) + 1
                yield message.data or b""
            elif follow:
                await clock.sleep(POLL_SECONDS)
            else:
                return
    except nats.js.errors.NotFoundError:
        advice = (
            f"There is no stream {stream}; check its name, and that the service was told to keep "
            "its audit trail there."
        )
    except (nats.errors.Error, TimeoutError, OSError):
        advice = (
            "JetStream does not answer; check that it is enabled for this account, or, where that "
            "imports another account's, that NATS_JETSTREAM_PREFIX says so; and that this user may "
            f"use $JS.API.STREAM.INFO.{stream} and $JS.API.STREAM.MSG.GET.{stream}."
        )
    raise AuditReadError(advice)


class _Reader:
    def __init__(self, client: Client, stream: str) -> None:
        self._jetstream = client.jetstream(timeout=_API_SECONDS)
        self._stream = stream

    async def next(self, number: int) -> RawStreamMsg | None:
        """Return the first message from that number on, or None if there is none yet."""
        try:
            return await self._jetstream.get_msg(self._stream, seq=number, subject=">", next=True)
        except nats.js.errors.NotFoundError as error:
            if error.err_code == _STREAM_NOT_FOUND:
                raise
            return None

    async def first_since(self, since: float) -> int:
        """Return the number of the first message that came at that time or later."""
        state = (await self._jetstream.stream_info(self._stream)).state
        low, high = state.first_seq, state.last_seq + 1
        # Numbers grow with time, so the place is found by halving.
        while low < high:
            middle = (low + high) // 2
            message = await self.next(middle)
            if message is None or _came_at(message) >= since:
                high = middle
            else:
                low = (message.seq or middle) + 1
        return max(low, 1)


def _came_at(message: RawStreamMsg) -> float:
    return message.time.timestamp() if message.time is not None else 0.0
