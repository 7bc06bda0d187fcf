"""Reading the audit stream, one message after the other.

Messages are asked for by number: that needs no consumer, and goes on where it was after NATS has
been away, which nats-py's ordered consumers do not when they began at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nats.errors
import nats.js.errors

from adapters.audit.file_reader import POLL_SECONDS, AuditReadError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from nats.aio.client import Client
    from nats.js.api import RawStreamMsg

    from ports.clock import Clock

_API_SECONDS = 2.0
_STREAM_NOT_FOUND = 10059


async def read_stream(
    client: Client, stream: str, clock: Clock, *, since: float, follow: bool
) -> AsyncIterator[bytes]:
    """Yield one stream's events; see `read_streams`."""
    async for line in read_streams(client, (stream,), clock, since=since, follow=follow):
        yield line


async def read_streams(
    client: Client, streams: Sequence[str], clock: Clock, *, since: float, follow: bool
) -> AsyncIterator[bytes]:
    """Yield the streams' events from a time on, oldest first; with `follow`, those that come too.

    Args:
        client: connected; while NATS is away, a reader that follows waits for it.
        since: seconds since the epoch.

    Raises:
        AuditReadError: one of them is not there, or JetStream does not answer.
    """
    readers = [_Reader(client, stream, clock) for stream in streams]
    for reader in readers:
        await reader.begin(since)
    while True:
        for reader in readers:
            await reader.look(follow=follow)
        ready = [reader for reader in readers if reader.head is not None]
        if ready:
            yield min(ready, key=_Reader.came_at).take()
        elif follow:
            await clock.sleep(POLL_SECONDS)
        else:
            return


async def is_there(client: Client, stream: str) -> bool:
    """Say whether JetStream has a stream of that name.

    Raises:
        AuditReadError: it does not answer.
    """
    try:
        await client.jetstream(timeout=_API_SECONDS).stream_info(stream)
    except nats.js.errors.NotFoundError:
        return False
    except (nats.errors.Error, TimeoutError, OSError):
        pass
    else:
        return True
    raise _unanswered(stream)


class _Reader:
    """One stream, from a message on. `head`: its next message, once it was found."""

    def __init__(self, client: Client, stream: str, clock: Clock) -> None:
        self._client = client
        self._jetstream = client.jetstream(timeout=_API_SECONDS)
        self._stream = stream
        self._clock = clock
        self._number = 1
        self._next_look = 0.0
        self.head: RawStreamMsg | None = None

    async def begin(self, since: float) -> None:
        """Go to the first message that came at that time or later."""
        try:
            self._number = await self._first_since(since)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise self._failure(error) from None

    async def look(self, *, follow: bool) -> None:
        """Find the next message, unless it is found already or was not there just now."""
        if self.head is not None or self._clock.monotonic() < self._next_look:
            return
        try:
            self.head = await self._get(self._number)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            if follow and not self._client.is_closed and not _is_missing(error):
                return
            raise self._failure(error) from None
        if self.head is None:
            pause = POLL_SECONDS if follow else float("inf")
            self._next_look = self._clock.monotonic() + pause

    def take(self) -> bytes:
        """Return the event that was found, and go on behind it."""
        message, self.head = self.head, None
        if message is None:
            return b""
        self._number = (message.seq or self._number) + 1
        return message.data or b""

    def came_at(self) -> float:
        """Return when the message that was found came, in seconds since the epoch."""
        return 0.0 if self.head is None else _came_at(self.head)

    async def _get(self, number: int) -> RawStreamMsg | None:
        try:
            return await self._jetstream.get_msg(self._stream, seq=number, subject=">", next=True)
        except nats.js.errors.NotFoundError as error:
            if _is_missing(error):
                raise
            return None

    async def _first_since(self, since: float) -> int:
        state = (await self._jetstream.stream_info(self._stream)).state
        low, high = state.first_seq, state.last_seq + 1
        # Numbers grow with time, so the place is found by halving.
        while low < high:
            middle = (low + high) // 2
            message = await self._get(middle)
            if message is None or _came_at(message) >= since:
                high = middle
            else:
                low = (message.seq or middle) + 1
        return max(low, 1)

    def _failure(self, error: Exception) -> AuditReadError:
        if _is_missing(error):
            return AuditReadError(
                f"There is no stream {self._stream}; check its name, and that the service is set "
                "to keep its audit trail there."
            )
        return _unanswered(self._stream)


def _is_missing(error: Exception) -> bool:
    return isinstance(error, nats.js.errors.NotFoundError) and error.err_code == _STREAM_NOT_FOUND


def _unanswered(stream: str) -> AuditReadError:
    return AuditReadError(
        "JetStream does not answer; check that it is enabled for this account, or, where that "
        "imports another account's, that NATS_JETSTREAM_PREFIX says so; and that this user may "
        f"use $JS.API.STREAM.INFO.{stream} and $JS.API.STREAM.MSG.GET.{stream}."
    )


def _came_at(message: RawStreamMsg) -> float:
    return message.time.timestamp() if message.time is not None else 0.0
