"""An HTTP engine that tells when an API server goes away.

An API server that is stopping closes its other connections at once, but a watch stays open for
up to a minute and says nothing more. What happens to calls is the only sign of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from typing_extensions import override

from adapters.kubernetes.error_map import UNAVAILABLE
from adapters.upstream.engine import Failure, HttpEngine, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.upstream.message import UpstreamRequest, UpstreamResponse


@final
class NoticingEngine(HttpEngine):
    """Passes everything on.

    Attributes:
        on_gone: called when a connection breaks or is refused, or the server says that it stops.
        on_untrusted: called when the server's certificate is not trusted, or ours is refused.
    """

    def __init__(self, inner: HttpEngine) -> None:
        self._inner = inner
        self.on_gone: Callable[[], None] = lambda: None
        self.on_untrusted: Callable[[], None] = lambda: None

    @override
    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        try:
            response = await self._inner.send(request)
        except TransportError as error:
            if error.failure is Failure.UNREACHABLE:
                self.on_gone()
            elif error.failure in {Failure.UNTRUSTED, Failure.REFUSED}:
                self.on_untrusted()
            raise
        if response.status == UNAVAILABLE:
            self.on_gone()
        return response

    @override
    def drop_idle(self) -> None:
        self._inner.drop_idle()

    @override
    async def aclose(self) -> None:
        await self._inner.aclose()
