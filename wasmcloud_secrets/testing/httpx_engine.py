"""Sends the calls of a store under test by httpx, so that respx can stand in for the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import httpx
from typing_extensions import override

from adapters.upstream.engine import Failure, HttpEngine, TransportError
from wasmcloud_secrets.http import UpstreamResponse

if TYPE_CHECKING:
    from adapters.upstream.message import UpstreamRequest
    from wasmcloud_secrets.http import UpstreamConfig


@final
class HttpxEngine(HttpEngine):
    """What `open_http` takes as its `engine` in tests.

    It keeps the promises that a test can see: no redirect is followed, the answer is bounded, and
    no exception holds anything of the request. Connections are the business of the usual engine.
    """

    def __init__(self, config: UpstreamConfig) -> None:
        self._config = config
        self._client = httpx.AsyncClient(follow_redirects=False, trust_env=False)

    @override
    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        failure: TransportError | None = None
        try:
            answer = await self._client.request(
                request.method, request.url, headers=dict(request.headers), content=request.body
            )
        except httpx.TimeoutException as error:
            failure = TransportError(Failure.TIMED_OUT, type(error).__name__)
        except httpx.HTTPError as error:
            failure = TransportError(Failure.UNREACHABLE, type(error).__name__)
        # Raised out here: httpx's error holds the request, and that the credentials.
        if failure is not None:
            raise failure
        response = UpstreamResponse(answer.status_code, dict(answer.headers), answer.content)
        if len(answer.content) > self._config.max_body_bytes:
            kind = Failure.TOO_LARGE if response.is_json else Failure.UNREADABLE
            raise TransportError(kind, kind)
        return response

    @override
    def drop_idle(self) -> None:
        """Nothing to drop: respx has no connections."""

    @override
    async def aclose(self) -> None:
        await self._client.aclose()
