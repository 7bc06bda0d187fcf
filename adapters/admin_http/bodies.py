"""The body of a request, read whole: within a bound of bytes, and of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from starlette.requests import Request

    from ports.clock import Clock

BODY_SECONDS: Final = 5.0


class BodyRefusedError(Exception):
    """The body is not read to its end, so no further request can come on its connection.

    Attributes:
        status: of the answer.
        reason: a constant code.
        advice: what the sender must change.
    """

    def __init__(self, status: int, reason: str, advice: str) -> None:
        super().__init__(advice)
        self.status = status
        self.reason = reason
        self.advice = advice


async def read_body(request: Request, max_bytes: int, clock: Clock) -> bytes:
    """Read it within five seconds.

    Raises:
        BodyRefusedError: it is longer than `max_bytes`, or does not arrive in time.
    """
    body = bytearray()
    try:
        async with clock.timeout_at(clock.monotonic() + BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    break
            else:
                return bytes(body)
    except (TimeoutError, ClientDisconnect):
        error = 408, "body_incomplete", "The body did not arrive; check the network."
    else:
        error = 413, "body_too_large", f"Send at most {max_bytes} bytes."
    raise BodyRefusedError(*error)
