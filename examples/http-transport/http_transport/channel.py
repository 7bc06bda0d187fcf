"""The host's end: asks other replicas at start, and serves tests and tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx
from typing_extensions import override

from http_transport.server import LOOPBACK
from http_transport.transport import HOST_XKEY, RESPONSE_XKEY
from wasmcloud_secrets.extension import Channel, ChannelError, Reply

if TYPE_CHECKING:
    from wasmcloud_secrets.extension import Clock

_OK: Final = 200


class HttpChannel(Channel):
    """Sends each request over a connection of its own."""

    def __init__(self, port: int, clock: Clock) -> None:
        self._port = port
        self._clock = clock

    @override
    async def request(
        self, operation: str, body: bytes, host_xkey: str | None, timeout_seconds: float
    ) -> Reply:
        url = f"http://{LOOPBACK}:{self._port}/{operation}"
        headers = {} if host_xkey is None else {HOST_XKEY: host_xkey}
        response: httpx.Response | None = None
        failure = ChannelError(f"No reply came from {url}.", reason="disconnected")
        try:
            async with (
                self._clock.timeout_at(self._clock.monotonic() + timeout_seconds),
                # Over plain HTTP there is no certificate, and loading those of the system takes
                # longer than a request.
                httpx.AsyncClient(trust_env=False, timeout=None, verify=False) as client,  # noqa: S113, S501  above
            ):
                response = await client.post(url, content=body, headers=headers)
        except TimeoutError:
            failure = ChannelError(f"No reply came from {url} in time.", reason="timeout")
        except httpx.ConnectError:
            failure = ChannelError(
                f"No service listens at {url}; start the service, or check HTTP_TRANSPORT_PORT.",
                reason="no_responders",
            )
        except httpx.HTTPError:
            pass
        if response is None or response.status_code != _OK:
            raise failure
        return Reply(response.content, response.headers.get(RESPONSE_XKEY))
